"""Each kind of incompatible change is caught, and no compatible one is."""

from typing import Annotated, Any, Literal

import pytest
from pydantic import Field, WithJsonSchema, create_model

from schemas.compatibility import WORDS, compatibility_faults
from schemas.record import Payload


class Inner(Payload):
    """A nested payload."""

    kept: str


class Slimmer(Payload):
    """The same with its field renamed."""

    renamed: str


def words(**lists: list[str]) -> Any:
    """A text whose schema lists the words that it is made of."""
    return Annotated[str, WithJsonSchema({"type": "string", WORDS: lists})]


def faults(old: Any, new: Any) -> list[str]:
    """Of a payload whose one field `x` changed; each is (type, default) or None for no field."""
    before, after = (
        create_model("P", __base__=Payload, **({} if field is None else {"x": field})).model_json_schema()
        for field in (old, new)
    )
    return compatibility_faults(before, after)


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ((int, ...), None, ["x: removed field"]),
        (None, (int, ...), ["x: new required field"]),
        ((int, 0), (int, ...), ["x: new required field"]),
        ((int, ...), (str, ...), ["x: changed type: integer became string"]),
        ((float, ...), (int, ...), ["x: changed type: number became integer"]),
        ((int | None, ...), (int, ...), ["x: changed type: null is no longer accepted"]),
        ((Literal["a", "b"], ...), (Literal["a", "c"], ...), ["x: removed value 'b'"]),
        ((str, ...), (Literal["a", "c"], ...), ["x: changed type: any string became one of ['a', 'c']"]),
        ((Literal["a"], ...), (Literal["b"], ...), ["x: removed value 'a'"]),
        ((words(part=["A", "B"]), ...), (words(part=["A", "C"]), ...), ["x: removed part 'B'"]),
        ((tuple[int, ...], ...), (tuple[str, ...], ...), ["x[]: changed type: integer became string"]),
        ((dict[str, int], ...), (dict[str, bool], ...), ["x{}: changed type: integer became boolean"]),
        ((Inner, ...), (Slimmer, ...), ["x.kept: removed field", "x.renamed: new required field"]),
        (
            (tuple[Inner, ...], ...),
            (tuple[Slimmer, ...], ...),
            ["x[].kept: removed field", "x[].renamed: new required field"],
        ),
        ((Inner | None, ...), (Slimmer | None, ...), ["x: changed type: object is no longer accepted"]),
        ((int, ...), (Annotated[int, Field(ge=0)], ...), ["x: narrower minimum: none became 0"]),
        ((Annotated[int, Field(le=9)], ...), (Annotated[int, Field(le=8)], ...), ["x: narrower maximum: 9 became 8"]),
        ((str, ...), (Annotated[str, Field(pattern="a")], ...), ["x: changed pattern: none became a"]),
        ((str, ...), (Annotated[str, Field(min_length=2)], ...), ["x: narrower minLength: none became 2"]),
    ],
)
def test_an_incompatible_change_is_told(old: Any, new: Any, expected: list[str]) -> None:
    """One line a fault: the path, and what is wrong."""
    assert expected == faults(old, new)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ((int, ...), (int, ...)),
        (None, (int, 0)),
        (None, (int | None, None)),
        ((int, ...), (int, 7)),
        ((int, ...), (float, ...)),
        ((int, ...), (int | None, None)),
        ((int, ...), (Any, ...)),
        ((Literal["a"], ...), (Literal["a", "b"], ...)),
        ((Literal["a"], ...), (str, ...)),
        ((words(part=["A"]), ...), (words(part=["B", "A"]), ...)),
        ((words(part=["A"]), ...), (str, ...)),
        ((str, ...), (words(part=["A"]), ...)),
        ((Annotated[int, Field(ge=0)], ...), (Annotated[int, Field(ge=-1)], ...)),
        ((Annotated[str, Field(pattern="a")], ...), (str, ...)),
        ((Inner, ...), (Inner | None, None)),
    ],
)
def test_a_compatible_change_is_none(old: Any, new: Any) -> None:
    """A wider type, a looser bound, a further value, an optional field."""
    assert faults(old, new) == []
