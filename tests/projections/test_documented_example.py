"""The projection that docs/projections.md shows can be copied as it stands."""

from pathlib import Path

from projections.sql_file import in_order, load_projections, parse
from tests.projections.laws import LAWS, Subject, check, twins

PAGE = Path(__file__).parents[2] / "docs" / "projections.md"


def test_the_documented_projection_obeys_the_laws() -> None:
    """It is the first block of the page's first section."""
    section = PAGE.read_text("utf-8").split("## Adding one\n")[1].partition("| part")[0]
    example = parse("newest_injuries", "\n".join(line[4:] for line in section.splitlines()).strip())
    events = next(projection for projection in load_projections() if projection.name == "events")

    with twins(Subject(example.name, in_order([events, example]))) as pair:
        for law in LAWS:
            check(law, pair, examples=2)
