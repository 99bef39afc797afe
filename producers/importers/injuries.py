"""Injury snapshots: whole NBA reports, and the Premier League's players, delta coded within a day."""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import partial
from pathlib import Path

from producers.event_identity import League, league, team
from producers.importers.cells import BadCell, instant, number
from producers.importers.files import FileRefused, Row, Table, read_table
from producers.importers.games import Maker
from producers.importers.moments import FileMoments, Order, Reading
from schemas.injuries import InjurySnapshot, InjurySnapshotCaptured, PlayerStatus
from schemas.record import Record

NBA, EPL = "injuries-nba", "injuries-epl"
NBA_REQUIRED = ("snapshot_at", "team", "player", "position", "estimated_return_date", "status", "comment")
EPL_REQUIRED = ("snapshot_at", "player_id", "status", "chance_of_playing_next_round", "news")
EPL_PLAYERS = ("id", "name", "team", "pos")
EPL_STATUS = {"a": "available", "i": "injured", "d": "doubtful", "s": "suspended", "u": "unavailable"}
COMMENT = "#"


@dataclass(frozen=True, slots=True)
class Line:
    """One player in one snapshot."""

    row: Row
    at: datetime
    team: str
    player: PlayerStatus


@dataclass(frozen=True, slots=True)
class Snapshot:
    """One look at a league: `teams` are those that it speaks of, those without any unfit player too."""

    maker: Maker
    table: Table
    of: League
    at: datetime
    lines: Sequence[Line]
    teams: Sequence[str]
    complete: bool

    def build(self) -> list[Record]:
        """The raw snapshot, and each team's part of it."""
        source = f"{self.maker.format}: {self.of.word}, {self.at:%Y-%m-%d %H:%M:%S} UTC"
        raw = self.maker.raw(self.at, None, source, self.table.raw_csv(*(line.row.raw for line in self.lines)))
        return [raw, *(self._of_team(name, raw.ref) for name in self.teams)]

    def _of_team(self, name: str, raw_payload_id: str) -> InjurySnapshotCaptured:
        data = InjurySnapshot(
            provider=self.maker.provider,
            league=self.of.word,
            team=name,
            complete=self.complete,
            players=tuple(line.player for line in self.lines if line.team == name),
            raw_payload_id=raw_payload_id,
            raw_path="team",
        )
        return self.maker.record(InjurySnapshotCaptured, self.at, None, data, "injuries", raw_payload_id, name)


def nba_moments(path: Path) -> FileMoments:
    """Whole reports: a team that a report does not name has nobody unfit.

    Raises:
        FileRefused: not such a file.
    """
    table, of = read_table(path, NBA, NBA_REQUIRED), league("NBA")
    reading = Reading(table.file, NBA)
    lines = _lines(reading, table, partial(_nba_line, of))
    teams = sorted({line.team for snapshot in lines.values() for line in snapshot})
    for at, snapshot in lines.items():
        seen = Snapshot(Maker(NBA, "hoopsight"), table, of, at, snapshot, teams, complete=True)
        reading.add(at, Order.INJURIES, seen.build)
    return reading.finish(len(table.rows))


def epl_moments(path: Path) -> FileMoments:
    """Everybody in a UTC day's first snapshot, later who changed; names come from the players' file beside it.

    Raises:
        FileRefused: not such a file, or no players' file beside it.
    """
    table, of = read_table(path, EPL, EPL_REQUIRED, COMMENT), league("EPL")
    reading = Reading(table.file, EPL)
    lines = _lines(reading, table, partial(_epl_line, of, _players(path)))
    days: set[date] = set()
    for at in sorted(lines):
        teams = sorted({line.team for line in lines[at]})
        seen = Snapshot(Maker(EPL, "fpl-mirror"), table, of, at, lines[at], teams, complete=at.date() not in days)
        days.add(at.date())
        reading.add(at, Order.INJURIES, seen.build)
    return reading.finish(len(table.rows))


def _lines(
    reading: Reading, table: Table, read: Callable[[Row, Mapping[str, str]], Line]
) -> Mapping[datetime, Sequence[Line]]:
    snapshots: defaultdict[datetime, list[Line]] = defaultdict(list)
    for row in table.rows:
        try:
            line = read(row, table.named(row))
        except ValueError as error:
            reading.reject_row(row, error)
        else:
            snapshots[line.at].append(line)
    return snapshots


def _nba_line(of: League, row: Row, cells: Mapping[str, str]) -> Line:
    player = PlayerStatus(
        player=cells["player"],
        status=cells["status"],
        position=cells["position"] or None,
        expected_return=cells["estimated_return_date"] or None,
        comment=cells["comment"] or None,
    )
    return Line(row, instant(cells["snapshot_at"]), team(of, cells["team"]), player)


def _players(path: Path) -> Mapping[str, Mapping[str, str]]:
    """The players by id; their file is named as this one, with `players` for `player_status`."""
    name = path.name.replace("player_status", "players").removesuffix(".gz")
    beside = next((found for found in (path.with_name(name), path.with_name(f"{name}.gz")) if found.exists()), None)
    if beside is None or beside == path:
        raise FileRefused(f"{path}: needs {name} beside it, which names the players")
    table = read_table(beside, EPL, EPL_PLAYERS, COMMENT)
    named = (table.named(row) for row in table.rows if not row.fault)
    return {cells["id"]: cells for cells in named}


def _epl_line(of: League, players: Mapping[str, Mapping[str, str]], row: Row, cells: Mapping[str, str]) -> Line:
    known = players.get(cells["player_id"])
    if known is None:
        raise BadCell(f"player_id: {cells['player_id']!r} is in no row of the players' file")
    if cells["status"] not in EPL_STATUS:
        raise BadCell(f"status: {cells['status']!r} is none of {', '.join(EPL_STATUS)}")
    chance = cells["chance_of_playing_next_round"]
    player = PlayerStatus(
        player=known["name"],
        status=EPL_STATUS[cells["status"]],
        position=known["pos"] or None,
        chance_of_playing=number(chance) / 100 if chance else None,
        comment=cells["news"] or None,
    )
    return Line(row, instant(cells["snapshot_at"]), team(of, known["team"]), player)
