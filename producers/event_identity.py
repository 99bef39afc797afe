"""Which game is meant: one event_id from league, local date, home, away and number, whatever a source calls them."""

import re
import tomllib
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from functools import cache, lru_cache
from importlib.resources import files
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

LONGEST_NAME = 60
Meaning = TypeVar("Meaning", str, "League")
# UTF-8 that was once read as Windows-1252: each accent became two signs, the first of them one of these.
_MOJIBAKE = re.compile("[ÃÂ]")


@dataclass(frozen=True, slots=True)
class League:
    """`word` is the league's one name, `sport` names the rulebook, `zone` is where its local date is taken."""

    word: str
    sport: str
    zone: ZoneInfo


@lru_cache(maxsize=4096)
def league(name: str, sport: str | None = None) -> League:
    """The league that a source means; one that aliases.toml does not know keeps its name and plays `sport`.

    Raises:
        ValueError: the name holds neither letter nor digit, or is too long to be one.
    """
    text = slug(repaired(name))
    if not text or len(text) > LONGEST_NAME:
        raise ValueError(f"{name[:LONGEST_NAME]!r} names no league")
    # A key of The Odds API begins with the sport: "cricket_ipl".
    unknown = League(text.replace("-", "_").upper(), sport or text.partition("-")[0], ZoneInfo("UTC"))
    return _leagues().get(_compact(text), unknown)


@lru_cache(maxsize=65_536)
def team(of: League, name: str) -> str:
    """The one name of a club; a club that aliases.toml does not know keeps its name, with broken encoding repaired.

    Raises:
        ValueError: the name holds neither letter nor digit, or is too long to be one.
    """
    text = " ".join(repaired(name).split())
    if not slug(text) or len(text) > LONGEST_NAME:
        raise ValueError(f"{name[:LONGEST_NAME]!r} names no team")
    return _teams().get(_group(of), {}).get(_compact(text), text)


def opponents(of: League, home: str, away: str) -> tuple[str, str]:
    """The one names of two clubs that meet.

    Raises:
        ValueError: a name that names none, or both name one club.
    """
    clubs = team(of, home), team(of, away)
    if clubs[0] == clubs[1]:
        raise ValueError(f"{clubs[0]} cannot play itself")
    return clubs


def knows_team(of: League, name: str) -> bool:
    """Whether aliases.toml lists the club."""
    return _compact(repaired(name)) in _teams().get(_group(of), {})


def event_id(of: League, on: date, home: str, away: str, game_number: int = 1) -> str:
    """Such as `epl_2019-08-09_liverpool_norwich_1`; home and away in any spelling, `on` the local date."""
    return event_id_in_round(of, on.isoformat(), home, away, game_number)


def event_id_in_round(of: League, round_name: str, home: str, away: str, game_number: int = 1) -> str:
    """The same for a source that tells a round instead of a date, such as `2009-week-01`."""
    return f"{slug(of.word)}_{round_name}_{slug(team(of, home))}_{slug(team(of, away))}_{game_number}"


def _group(of: League) -> str:
    return of.sport if of.sport == "soccer" else of.word


def local_date(of: League, at: datetime) -> date:
    """The day on which a game that starts at `at` counts, in the league's own zone."""
    return at.astimezone(of.zone).date()


@lru_cache(maxsize=65_536)
def slug(text: str) -> str:
    """Lower-case ASCII letters and digits, with single hyphens between."""
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", "-", plain.replace("'", "").replace(".", "")).strip("-")


def repaired(text: str) -> str:
    """`text`, with UTF-8 that was read as Windows-1252 put right ("AlavÃ©s")."""
    if not _MOJIBAKE.search(text):
        return text
    try:
        return b"".join(_byte(sign) for sign in text).decode()
    except UnicodeError:
        return text


def _byte(sign: str) -> bytes:
    # Windows-1252 leaves five bytes undefined, which readers pass through as they are.
    try:
        return sign.encode("cp1252")
    except UnicodeEncodeError:
        return sign.encode("latin-1")


@cache
def _aliases() -> Mapping[str, Any]:
    return tomllib.loads(files("producers").joinpath("aliases.toml").read_text("utf-8"))


@cache
def _leagues() -> Mapping[str, League]:
    known: dict[str, League] = {}
    for word, entry in _aliases()["leagues"].items():
        _add(known, [word, *entry["names"]], League(word, entry["sport"], ZoneInfo(entry["zone"])))
    return known


@cache
def _teams() -> Mapping[str, Mapping[str, str]]:
    groups: dict[str, dict[str, str]] = {}
    for group, clubs in _aliases()["teams"].items():
        for name, others in clubs.items():
            _add(groups.setdefault(group, {}), [name, *others], name)
    return groups


def _add(known: dict[str, Meaning], names: list[str], meaning: Meaning) -> None:
    for name in names:
        if known.setdefault(_compact(name), meaning) != meaning:
            raise ValueError(f"aliases.toml: {name!r} stands for both {known[_compact(name)]} and {meaning}")


def _compact(name: str) -> str:
    return slug(name).replace("-", "")
