"""FiveThirtyEight's forecasts: games files with outcomes, and SPI matches with scores; each row is a run and a pick."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Literal

from producers.event_identity import League, knows_team, league
from producers.importers.cells import BadCell, iso_date, number, whole
from producers.importers.files import FileRefused, Row, Table, read_table
from producers.importers.games import Game, Maker, game
from producers.importers.moments import FileMoments, Order, Reading
from schemas.events import Result
from schemas.predictions import Prediction, PredictionMade
from schemas.publishes import PredictionPublished, Publish, TicketTerms
from schemas.raw_payloads import RawPayloadCaptured
from schemas.record import Record
from schemas.sim_runs import SimRunCompleted, SimRunCompletion, SimRunStart, SimRunStarted

GAMES, SPI = "forecasts-538", "spi"
GAMES_REQUIRED = ("season", "date", "team1", "team2", "prob1", "prob1_outcome", "prob2", "prob2_outcome")
SPI_REQUIRED = ("date", "league", "team1", "team2", "prob1", "prob2", "probtie", "score1", "score2")
US_LEAGUES = ("NBA", "NFL")
SUM_TOLERANCE = 0.001
TWO_WAY = "MONEYLINE:FULL_GAME"
THREE_WAY = "MONEYLINE_3WAY:REGULATION"
KNOCK_OUT = "TO_QUALIFY:INCLUDING_EXTRA_TIME_AND_PENALTIES"
NOT_STATED = "not stated"

Winner = Literal["home", "away", "draw"]


@dataclass(frozen=True, slots=True)
class Forecast:
    """One row: the probability of each selection, and how the game ended, once that is known."""

    maker: Maker
    table: Table
    row: Row
    game: Game
    market_key: str
    probabilities: Mapping[str, float]
    summary: Mapping[str, float]
    result: Result | None

    def tell(self, reading: Reading) -> None:
        """Adds the forecast's moments."""
        times, start = self.maker.times, self.game.starts_at
        issued = times.at(self.game.of, start.astimezone(times.zone or self.game.of.zone).date(), times.issued)
        scheduled, known = start - times.scheduled, start + times.result
        reading.add(scheduled, Order.SCHEDULED, partial(self.maker.scheduled, self.game, scheduled))
        reading.add(issued, Order.FORECAST, partial(self._forecast, issued))
        if self.result:
            reading.add(known, Order.RESULT, partial(self._ended, issued, known, self.result))

    def _raw(self, at: datetime) -> RawPayloadCaptured:
        source = f"{self.maker.format}: {self.game.of.word} {self.game.home} v {self.game.away}"
        return self.maker.raw(at, self.game.event_id, source, self.table.raw_csv(self.row.raw))

    def _forecast(self, at: datetime) -> list[Record]:
        raw = self._raw(at)
        run = self._run(at, raw.ref)
        made = [self._prediction(at, run.ref, selection) for selection in self.probabilities]
        completion = SimRunCompletion(sim_run_id=run.ref, runtime_ms=0)
        done = self.maker.record(SimRunCompleted, at, self.game.event_id, completion, "run completed", run.ref)
        return [raw, run, *made, done, self._published(at, made[0])]

    def _run(self, at: datetime, raw_ref: str) -> SimRunStarted:
        data = SimRunStart(
            trigger="import",
            sim_count=0,
            model_version=f"fivethirtyeight-{self.game.of.sport}",
            feature_set_version=NOT_STATED,
            decision_policy_version=NOT_STATED,
            seed_policy=NOT_STATED,
        )
        return self.maker.record(SimRunStarted, at, self.game.event_id, data, "run", raw_ref, causation_id=raw_ref)

    def _prediction(self, at: datetime, run_ref: str, selection: str) -> PredictionMade:
        data = Prediction(
            sim_run_id=run_ref,
            market_key=self.market_key,
            selection=selection,
            market_snapshot_id_used=None,
            p_cover=self.probabilities[selection],
            distribution_summary=dict(self.summary),
        )
        return self.maker.record(PredictionMade, at, self.game.event_id, data, "prediction", run_ref, selection)

    def _published(self, at: datetime, prediction: PredictionMade) -> PredictionPublished:
        data = Publish(
            prediction_id=prediction.ref,
            channel="538",
            visibility="public",
            ticket_terms=TicketTerms(selection=self.game.home),
            is_official=True,
        )
        return self.maker.record(PredictionPublished, at, self.game.event_id, data, "published", prediction.ref)

    def _ended(self, issued: datetime, known: datetime, result: Result) -> list[Record]:
        told = result.model_copy(update={"raw_payload_id": self._raw(issued).ref})
        return [self.maker.result(self.game, known, told)]


def games_moments(path: Path) -> FileMoments:
    """A games file's moments: NBA, NFL, MLB or club football.

    Raises:
        FileRefused: not such a file, or of no league that can be told.
    """
    table = read_table(path, GAMES, GAMES_REQUIRED)
    us_league = None if "league" in table.header else _us_league(path, table)
    return _moments(table, GAMES, partial(_game_forecast, us_league))


def spi_moments(path: Path) -> FileMoments:
    """The SPI matches' moments.

    Raises:
        FileRefused: not such a file.
    """
    return _moments(read_table(path, SPI, SPI_REQUIRED), SPI, _spi_forecast)


def _moments(table: Table, form: str, read: Callable[[Maker, Table, Row, dict[str, str]], Forecast]) -> FileMoments:
    reading, maker = Reading(table.file, form), Maker(form, "fivethirtyeight")
    for row in table.rows:
        try:
            forecast = read(maker, table, row, table.named(row))
        except ValueError as error:
            reading.reject_row(row, error)
        else:
            forecast.tell(reading)
    return reading.finish(len(table.rows))


def _us_league(path: Path, table: Table) -> League:
    """The US files do not name their league: MLB numbers its double-headers, the others are told by their clubs."""
    if "dh" in table.header:
        return league("MLB")
    column = table.header.index("team1")
    teams = {row.cells[column] for row in table.rows if not row.fault}
    known = {word: sum(knows_team(league(word), team) for team in teams) for word in US_LEAGUES}
    word = max(known, key=lambda word: known[word])
    if not known[word]:
        raise FileRefused(
            f"{path}: has no league column and names no club of {' or '.join(US_LEAGUES)}; check the file"
        )
    return league(word)


def _game_forecast(us_league: League | None, maker: Maker, table: Table, row: Row, cells: dict[str, str]) -> Forecast:
    of = us_league or league(cells["league"], sport="soccer")
    told = _game(of, cells, maker, number=whole(cells["dh"]) + 1 if "dh" in cells else 1, season=cells["season"])
    market_key, probabilities = _probabilities(cells)
    draw = number(cells.get("probtie_outcome", "0"))
    winner = _winner(number(cells["prob1_outcome"]), number(cells["prob2_outcome"]), draw)
    path = "prob1_outcome,prob2_outcome"
    qualified = None if market_key != KNOCK_OUT or winner == "draw" else winner
    result = Result(winner=winner, qualified=qualified, time_assumed=True, raw_path=path)
    return Forecast(maker, table, row, told, market_key, probabilities, {}, result)


def _winner(home: float, away: float, draw: float) -> Winner:
    """Outcomes are 0 or 1, or both .5 for a tie in a market of two."""
    known: Mapping[tuple[float, float, float], Winner] = {
        (1, 0, 0): "home",
        (0, 1, 0): "away",
        (0, 0, 1): "draw",
        (0.5, 0.5, 0): "draw",
    }
    if (home, away, draw) not in known:
        raise BadCell(f"the outcomes {home:g}, {away:g} and {draw:g} for a draw name no winner")
    return known[home, away, draw]


def _spi_forecast(maker: Maker, table: Table, row: Row, cells: dict[str, str]) -> Forecast:
    told = _game(league(cells["league"], sport="soccer"), cells, maker, number=1, season=cells.get("season") or None)
    market_key, probabilities = _probabilities(cells)
    goals = {"home_mean": cells.get("proj_score1", ""), "away_mean": cells.get("proj_score2", "")}
    summary = {name: number(cell) for name, cell in goals.items() if cell}
    result = None
    if cells["score1"] or cells["score2"]:
        home, away = whole(cells["score1"]), whole(cells["score2"])
        ahead = _ahead(home, away) if market_key == KNOCK_OUT else None
        result = Result(home=home, away=away, qualified=ahead, time_assumed=True, raw_path="score1,score2")
    return Forecast(maker, table, row, told, market_key, probabilities, summary, result)


def _ahead(home: int, away: int) -> Literal["home", "away"] | None:
    """Who won a knock-out; a level one went to penalties, and the score does not tell."""
    return None if home == away else "home" if home > away else "away"


def _game(of: League, cells: dict[str, str], maker: Maker, number: int, season: str | None) -> Game:
    on = iso_date(cells["date"])
    start = maker.times.at(of, on)
    return game(of, on, cells["team1"], cells["team2"], start, start_assumed=True, season=season, number=number)


def _probabilities(cells: dict[str, str]) -> tuple[str, dict[str, float]]:
    """The forecast's market; a club match without a chance of a draw is a knock-out that is played to the end."""
    columns = {"HOME": "prob1", "DRAW": "probtie", "AWAY": "prob2"}
    chances = {side: number(cells[column]) for side, column in columns.items() if column in cells}
    if any(not 0 <= chance <= 1 for chance in chances.values()) or abs(sum(chances.values()) - 1) > SUM_TOLERANCE:
        raise BadCell(f"the probabilities {', '.join(map(str, chances.values()))} are none that sum to 1")
    if "DRAW" not in chances:
        return TWO_WAY, {"HOME": chances["HOME"]}
    if chances["DRAW"] == 0:
        return KNOCK_OUT, {"HOME": chances["HOME"]}
    return THREE_WAY, chances
