"""Checks that every service makes of what it is called with, so that a caller learns at once what is wrong."""

import inspect
from collections.abc import Callable, Iterator
from datetime import datetime
from fractions import Fraction
from functools import wraps
from numbers import Real
from types import UnionType
from typing import Any, Literal, ParamSpec, TypeVar, Union, get_args, get_origin, get_type_hints

from pydantic import ValidationError

from eventlog.log import EventLog
from grading.markets import check_line, find_market, parse_market_key, selection_name
from schemas.markets import PLAYER_STAT
from schemas.markets import parse_market_key as market_words
from schemas.record import Record

P = ParamSpec("P")
Built = TypeVar("Built")
Found = TypeVar("Found", bound=Record)
Service = TypeVar("Service")
_WHOLE_BITS = 63
"""Of a whole number without its sign: a longer one is a record that the log takes and no projection can."""


def tells_arguments(service: type[Service]) -> type[Service]:
    """A service whose calls answer an argument of a wrong type with a ValueError that names it."""
    for name, call in list(vars(service).items()):
        if inspect.isfunction(call) and not name.startswith("_"):
            setattr(service, name, _telling(call))
    return service


def _telling(call: Callable[P, Built]) -> Callable[P, Built]:
    @wraps(call)
    def told(*args: P.args, **fields: P.kwargs) -> Built:
        # Looked into once it went wrong: a right call is spared the work, and what a call reads itself it may say.
        try:
            return call(*args, **fields)
        except (AttributeError, TypeError) as error:
            if wrong := "; ".join(_misfits(call, args, fields)):
                raise ValueError(wrong) from error
            raise

    return told


def _misfits(call: Callable[..., object], args: tuple[Any, ...], fields: dict[str, Any]) -> Iterator[str]:
    try:
        given = inspect.signature(call).bind(*args, **fields).arguments
    except TypeError:  # an argument too many or too few: Python names it
        return
    for name, hint in get_type_hints(call).items():
        if name in given and not _fits(given[name], hint):
            expected = hint.__name__ if isinstance(hint, type) else hint
            yield f"{name}: {given[name]!r:.40} is of type {type(given[name]).__name__}, not {expected}"


def _fits(value: object, hint: Any) -> bool:
    origin = get_origin(hint)
    if hint is Any or isinstance(hint, TypeVar):
        return True
    if origin in (Union, UnionType):
        return any(_fits(value, choice) for choice in get_args(hint))
    if origin is Literal:
        return value in get_args(hint)
    return isinstance(value, Real if hint is float else origin or hint)


def build(make: Callable[P, Built], *args: P.args, **fields: P.kwargs) -> Built:
    """A record or payload, with one clear line instead of pydantic's report where a field is wrong.

    Raises:
        ValueError: names each wrong field.
    """
    try:
        made = make(*args, **fields)
    except ValidationError as error:
        raise ValueError("; ".join(_fault(fault) for fault in error.errors(include_input=False))) from error
    for name, value in vars(made).items():
        if value.__class__ in (int, float):
            _check_number(name, value, fields.get(name))
    return made


def _check_number(name: str, value: object, given: object) -> None:
    """What Pydantic lets pass: whole numbers that are too long, and true as 1."""
    if isinstance(value, int) and value.bit_length() > _WHOLE_BITS:
        raise ValueError(f"{name}: the whole number takes more than 64 bits: pass one of at most 2**63 - 1")
    if isinstance(given, bool):
        raise ValueError(f"{name}: {given} is no number")  # noqa: TRY004 - callers get one kind of error


def check_selection(market_key: str, selection: str) -> None:
    """That a market has this selection.

    Raises:
        ValueError: an unknown market or period, a selection that the market does not have, or a prop of no player.
    """
    key = parse_market_key(":".join(market_words(market_key)))
    word, _, subject = selection.strip().upper().partition(":")
    if key.market == "parlay":
        raise ValueError("market: a parlay is no market of a book: publish_parlay makes one of its legs")
    if PLAYER_STAT.fullmatch(key.market) and not subject.strip():
        raise ValueError(f"selection: {selection} names no player: write {word}:<player>")
    market = find_market(key.market)
    yes_or_no_prop = PLAYER_STAT.fullmatch(key.market) and word in ("YES", "NO")
    if key.market == "correct_score" or (market and market.selections and not yes_or_no_prop):
        selection_name(key.market, word)


def check_market_line(market_key: str, selection: str, line: float | None) -> None:
    """That a market may have this line; 0 is a line. A prop's yes or no may go without.

    Raises:
        ValueError: the line is missing, not wanted, or not one that can be settled.
    """
    if line is None and selection.strip().upper().startswith(("YES", "NO")):
        return
    try:
        exact = None if line is None else Fraction(str(line))
    except (ValueError, ZeroDivisionError) as error:
        raise ValueError(f"line: {line!r} is no number") from error
    check_line(parse_market_key(market_key).market, exact)


def found(log: EventLog, kind: type[Found], ref: str, what: str) -> Found:
    """The record of a kind that a reference names.

    Raises:
        ValueError: the text is no reference, or the log has no such record.
    """
    record = log.find(kind.topic, ref) if isinstance(ref, str) else None
    if not isinstance(record, kind):
        raise ValueError(  # noqa: TRY004 - the reference is wrong, not a type
            f"{what} {ref!r} is not on the log: pass the id that the call returned"
        )
    return record


def check_time(at: datetime, now: datetime, name: str) -> datetime:
    """A time that may stand on a live record: with an offset, and not in the future.

    Raises:
        ValueError: says which.
    """
    if at.tzinfo is None:
        raise ValueError(f"{name} {at.isoformat()} has no UTC offset: pass an aware datetime")
    if at > now:
        raise ValueError(f"{name} {at.isoformat()} is in the future (it is {now.isoformat()}): leave it out for now")
    return at


def _fault(fault: Any) -> str:
    return f"{'.'.join(map(str, fault['loc'])) or 'value'}: {fault['msg'].removeprefix('Value error, ')}"
