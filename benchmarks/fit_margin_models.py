"""Fit the margin models of `grading.margins` on real results, judge them on later seasons, and write the data file.

Run: python -m benchmarks.fit_margin_models [--data ../shared/data] [--out grading/margin_models.toml]

Of each sport the last seasons are kept apart: how hard the weights are shrunk is chosen inside the earlier ones, the
model of the earlier ones is judged on the later ones, and the shipped model is then fitted on all. Without --out
nothing is written.
"""

import argparse
import csv
import io
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar

from grading.margins import MarginModel
from grading.odds import decimal_odds

VERSION = 1
SHRINKAGES = (5.0, 20.0, 50.0, 200.0, 1000.0)
ROUNDS = 60
MOVES = (-1.0, -0.5, 0.5, 1.0)

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]


@dataclass(frozen=True)
class Line:
    """A final margin (or total) beside its lines from home's (or the over's) side; `fair` is of the closing line."""

    season: int
    value: int
    close: float
    fair: float = 0.5
    opened: float | None = None


@dataclass(frozen=True)
class Market:
    """A sport's market: the values a game can end with, from which season on a model is judged, its weights' shape."""

    sport: str
    kind: str
    first: int
    last: int
    weighed: tuple[int, int] | None
    judged_from: int
    source: str
    ties: bool = True
    one_sided: bool = False
    """Whether +k and -k get weights of their own: baseball's home side stops batting once it leads in the ninth."""


@dataclass(frozen=True)
class Sample:
    """Games with equal closing lines and probabilities put together, since they share one distribution."""

    lines: Floats
    fairs: Floats
    group: Integers
    values: Integers

    def log_loss(self, model: MarginModel) -> float:
        """Mean log loss of the exact value, in nats."""
        p = model.probabilities(self.lines, self.fairs)
        return float(-np.log(p[self.group, self.values - model.first]).mean())

    def expected(self, model: MarginModel) -> Floats:
        """How many games the model expects to end with each value."""
        games = np.bincount(self.group, minlength=len(self.lines)).astype(np.float64)
        counts: Floats = games @ model.probabilities(self.lines, self.fairs)
        return counts


def main() -> None:
    """Print how each model does on later seasons, and write the file where asked."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    parser.add_argument("--out", type=Path)
    asked = parser.parse_args()
    tables = []
    for market in MARKETS:
        games = list(_READERS[market.sport](asked.data, market.kind))
        if not games:
            raise SystemExit(f"no games of {market.sport} under {asked.data}: pass the real data with --data")
        early = [game for game in games if game.season < market.judged_from]
        shrinkage = chosen_shrinkage(market, early)
        judge(market, games, shrinkage)
        tables.append(table(market, games, shrinkage))
    if asked.out is not None:
        asked.out.write_text("\n".join([HEADER, *tables]), encoding="utf-8")


def sample(games: Sequence[Line]) -> Sample:
    """The games of a market as arrays; probabilities are rounded to a hundredth, so that games share distributions."""
    keys = np.array([(game.close, round(game.fair, 2)) for game in games])
    groups, group = np.unique(keys, axis=0, return_inverse=True)
    values = np.array([game.value for game in games])
    return Sample(groups[:, 0], groups[:, 1], group.reshape(-1), values)


def fitted(market: Market, games: Sequence[Line], shrinkage: float | None) -> tuple[float, Floats]:
    """Deviation by maximum likelihood without weights, then weights; `shrinkage` None leaves them at 1."""
    seen = sample(games)
    support = np.arange(market.first, market.last + 1)
    weights: Floats = np.where((support == 0) & (not market.ties), 0.0, 1.0)
    best = minimize_scalar(
        lambda s: seen.log_loss(model_of(market, s, weights)),
        bounds=(0.5, 40),
        method="bounded",
        options={"xatol": 1e-4},
    )
    deviation = round(float(best.x), 4)
    return deviation, weights if shrinkage is None else _weights(market, seen, deviation, weights, shrinkage)


def _weights(market: Market, seen: Sample, deviation: float, start: Floats, shrinkage: float) -> Floats:
    """Weights that make expected counts equal observed ones, shrunk to 1 as by a gamma prior of that shape.

    The fixed point of w = (observed + shrinkage) / (expected / w + shrinkage) is the penalised maximum likelihood.
    """
    support = np.arange(market.first, market.last + 1)
    low, high = market.weighed or (0, -1)
    free = (support >= low) & (support <= high) & (start > 0)
    shared = support if market.one_sided or market.kind == "total" else np.abs(support)
    observed = _by(shared, np.bincount(seen.values - market.first, minlength=len(support)).astype(np.float64))
    weights: Floats = start.copy()
    for _ in range(ROUNDS):
        expected = _by(shared, seen.expected(model_of(market, deviation, weights)))
        bare = np.divide(expected, weights, out=np.zeros_like(weights), where=weights > 0)
        weights = np.where(free, (observed + shrinkage) / (bare + shrinkage), start)
    return weights.round(4)


def _by(shared: Integers, counts: Floats) -> Floats:
    """Counts summed over the values that share one weight."""
    _, group = np.unique(shared, return_inverse=True)
    return np.asarray(np.bincount(group, counts)[group], dtype=np.float64)


def model_of(market: Market, deviation: float, weights: Floats) -> MarginModel:
    """The model with these parameters."""
    return MarginModel(f"{market.sport}-{market.kind}@{VERSION}", market.kind, market.first, deviation, weights)


def chosen_shrinkage(market: Market, games: Sequence[Line]) -> float | None:
    """The shrinkage (None: no weights) of the lowest log loss on the last third of these games' seasons."""
    if market.weighed is None:
        return None
    seasons = sorted({game.season for game in games})
    cut = seasons[-max(1, len(seasons) // 3)]
    before, after = [g for g in games if g.season < cut], sample([g for g in games if g.season >= cut])
    losses = {s: after.log_loss(model_of(market, *fitted(market, before, s))) for s in (None, *SHRINKAGES)}
    return min(losses, key=lambda shrinkage: losses[shrinkage])


def judge(market: Market, games: Sequence[Line], shrinkage: float | None) -> None:
    """Print how the model of the earlier seasons does on the later ones."""
    before, after = ([g for g in games if (g.season >= market.judged_from) == late] for late in (False, True))
    model, plain = (model_of(market, *fitted(market, before, s)) for s in (shrinkage, None))
    later = sample(after)
    print(
        f"{market.sport} {market.kind}: fitted on n {len(before):,}, judged on n {len(after):,} from"
        f" {market.judged_from}; shrinkage {shrinkage}; log loss {later.log_loss(model):.4f},"
        f" without weights {later.log_loss(plain):.4f}"
    )
    whole = [game for game in after if game.close == round(game.close)]
    if whole:
        print(f"  pushes at whole closing lines: {_pushes(model, whole)}; without weights {_pushes(plain, whole)}")
    for move in MOVES:
        print(f"  line {move:+.1f} from the close: {_won(model, [(game, game.close + move) for game in after])}")
    moved = [(game, game.opened) for game in after if game.opened is not None and game.opened != game.close]
    if moved:
        better = [(game, opened) for game, opened in moved if _gained(market, game, opened)]
        worse = [(game, opened) for game, opened in moved if not _gained(market, game, opened)]
        print(f"  real earlier lines, better than the close: {_won(model, better)}")
        print(f"  real earlier lines, worse than the close:  {_won(model, worse)}")


def _gained(market: Market, game: Line, opened: float) -> bool:
    return (opened > game.close) == (market.kind == "spread")


def _pushes(model: MarginModel, games: Sequence[Line]) -> str:
    win, loss = _shares(model, [(game, game.close) for game in games])
    landing = [-game.close if model.kind == "spread" else game.close for game in games]
    came = np.array([game.value == value for game, value in zip(games, landing, strict=True)])
    return f"said {(1 - win - loss).mean():.4f}, came {came.mean():.4f} (n {len(games):,}, se {_error(came):.4f})"


def _won(model: MarginModel, bets: Sequence[tuple[Line, float]]) -> str:
    """Of the first side's bets at other lines: the winning share of what was not returned, said and come."""
    inside = [(game, line) for game, line in bets if model.kind == "spread" or line > 0]
    win, loss = _shares(model, inside)
    sides = np.array([game.value + line if model.kind == "spread" else game.value - line for game, line in inside])
    acted = np.clip(sides * 4, -2, 2) / 2  # a quarter line wins or loses half the stake next to it
    won, lost = np.maximum(acted, 0), np.maximum(-acted, 0)
    return (
        f"won said {win.mean():.4f}, came {won.mean():.4f} (se {_error(won):.4f}); "
        f"lost said {loss.mean():.4f}, came {lost.mean():.4f} (n {len(inside):,})"
    )


def _shares(model: MarginModel, bets: Sequence[tuple[Line, float]]) -> tuple[Floats, Floats]:
    side = "home" if model.kind == "spread" else "over"
    lines, closes, fairs = np.array([(line, game.close, game.fair) for game, line in bets]).T
    return model.chances_many(side, lines, closes, fairs)


def _error(came: NDArray[np.float64] | NDArray[np.bool_]) -> float:
    return float(came.std() / np.sqrt(len(came)))


def table(market: Market, games: Sequence[Line], shrinkage: float | None) -> str:
    """The model of all seasons as a table of the data file."""
    deviation, weights = fitted(market, games, shrinkage)
    low, high = market.weighed or (0, -1)
    kept = weights[low - market.first : high - market.first + 1]
    seasons = [game.season for game in games]
    rows = "\n".join(f"    {', '.join(f'{w:g}' for w in kept[i : i + 12])}," for i in range(0, len(kept), 12))
    return (
        f"[{market.sport}.{market.kind}]\n# {market.source}\nseasons = [{min(seasons)}, {max(seasons)}]\n"
        f"games = {len(games)}\nfirst = {market.first}\nlast = {market.last}\ndeviation = {deviation}\n"
        f"weights_from = {low}\nweights = [\n{rows}\n]\n"
    )


def _nfl(data: Path, kind: str) -> Iterator[Line]:
    for row in json.loads((data / "nfl_odds/nfl_archive_2011_2018.json").read_text(encoding="utf-8")):
        spread, total = float(row["home_close_spread"]), float(row["close_over_under"])
        if abs(spread) > 25 or total < 25:
            continue  # 180 rows have the two in each other's place
        home, away = int(float(row["home_final"])), int(float(row["away_final"]))
        first, first_total = float(row["home_open_spread"]), float(row["open_over_under"])
        opened = None if abs(first) > 25 or first_total < 25 else first if kind == "spread" else first_total
        yield _line(kind, row["season"], home, away, (spread, total), opened=opened)


def _nba(data: Path, kind: str) -> Iterator[Line]:
    for row in _rows(data / "nba_odds/nba_2008_2022.csv"):
        home, away = int(row["score_home"]), int(row["score_away"])
        if home != away and row["spread"] and row["total"]:  # one row has a false 95-95
            spread = float(row["spread"]) * (-1 if row["whos_favored"] == "home" else 1)
            yield _line(kind, int(row["season"]), home, away, (spread, float(row["total"])))


def _mlb(data: Path, kind: str) -> Iterator[Line]:
    for path in sorted((data / "mlb_odds").glob("mlb_odds_*.csv")):
        for row in _rows(path):
            names = ("home_score", "away_score", "home_run_line", "close_ou_line", "open_ou_line")
            cells = [_number(row[name]) for name in names]
            prices = [_number(row[f"{side}_run_line_odds"]) for side in ("home", "away")]
            if None in cells or None in prices or cells[0] == cells[1]:
                continue
            home, away, spread, total, opened = (cell or 0.0 for cell in cells)
            fair = _share([float(decimal_odds(price or 0.0, "american")) for price in prices])
            yield _line(
                kind,
                int(path.stem[-4:]),
                int(home),
                int(away),
                (spread, total),
                (fair, 0.5),
                opened if kind == "total" else None,
            )


def _soccer(data: Path, kind: str) -> Iterator[Line]:
    for path in sorted((data / "football_odds").glob("*.csv")):
        for row in _rows(path):
            prices = [_number(row.get(name)) for name in ("PCAHH", "PCAHA", "PC>2.5", "PC<2.5")]
            handicap, opened = _number(row.get("AHCh")), _number(row.get("AHh"))
            if handicap is None or not row["FTHG"] or any(price is None or price <= 1 for price in prices):
                continue  # closing handicaps are there from 2019/20 on; the awarded matches have no odds
            odds = [price or 0.0 for price in prices]
            fairs = _share(odds[:2]), _share(odds[2:])
            home, away = int(float(row["FTHG"])), int(float(row["FTAG"]))
            season = 2000 + int(path.stem[-4:-2])
            yield _line(kind, season, home, away, (handicap, 2.5), fairs, opened if kind == "spread" else None)


def _share(odds: Sequence[float]) -> float:
    """The first side's fair probability, multiplicatively, also of the rare pairs whose book sum is below 1."""
    return (1 / odds[0]) / sum(1 / price for price in odds)


def _line(
    kind: str,
    season: int,
    home: int,
    away: int,
    closes: tuple[float, float],
    fairs: tuple[float, float] = (0.5, 0.5),
    opened: float | None = None,
) -> Line:
    which = 0 if kind == "spread" else 1
    return Line(season, (home - away, home + away)[which], closes[which], fairs[which], opened)


def _rows(path: Path) -> Iterator[dict[str, str]]:
    raw = path.read_bytes()
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = raw.decode("cp1252")
    return csv.DictReader(io.StringIO(text))


def _number(cell: str | None) -> float | None:
    try:
        value = float(cell or "")
    except ValueError:
        return None
    return value if np.isfinite(value) else None


_READERS: Mapping[str, Callable[[Path, str], Iterator[Line]]] = {
    "nfl": _nfl,
    "nba": _nba,
    "mlb": _mlb,
    "soccer": _soccer,
}
_EVEN = "No closing prices are known: every closing line counts as even."
_NFL = f"sportsbookreview. {_EVEN}"
_NBA = f"A public betting set. {_EVEN}"
_MLB = "sportsbookreviewsonline, by way of Peter Wu's bettingtools."
_SOCCER = "football-data.co.uk, with Pinnacle's closing prices."
MARKETS = (
    Market("nfl", "spread", -90, 90, (-45, 45), 2016, _NFL),
    Market("nfl", "total", 0, 150, (0, 85), 2016, _NFL),
    Market("nba", "spread", -120, 120, (-60, 60), 2019, _NBA, ties=False),
    Market("nba", "total", 0, 450, None, 2019, _NBA),
    Market("mlb", "spread", -40, 40, (-20, 20), 2017, _MLB, ties=False, one_sided=True),
    Market("mlb", "total", 0, 80, (0, 35), 2017, f"{_MLB} {_EVEN}"),
    Market("soccer", "spread", -20, 20, (-8, 8), 2022, _SOCCER),
    Market("soccer", "total", 0, 30, (0, 10), 2022, _SOCCER),
)
HEADER = f"""# Margin models by sport: grading/margins.py says what the numbers mean,
# docs/closing-line-value.md how good they are.
# Made by `python -m benchmarks.fit_margin_models --out grading/margin_models.toml`; a change gets the next version.
version = {VERSION}
"""


if __name__ == "__main__":
    main()
