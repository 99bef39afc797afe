"""Every projection obeys every law."""

from collections.abc import Iterator

import pytest

from tests.projections.laws import LAWS, Law, Twins, check, subjects, twins


@pytest.fixture(scope="module", params=subjects(), ids=lambda subject: subject.name)
def pair(request: pytest.FixtureRequest) -> Iterator[Twins]:
    """Two stores for each `.sql` file that is found."""
    with twins(request.param) as both:
        yield both


@pytest.mark.parametrize("law", LAWS, ids=lambda law: law.__name__)
def test_law(law: Law, pair: Twins) -> None:
    """No log that Hypothesis thinks of breaks a law."""
    check(law, pair, examples=3 if len(pair.subject.projections) < 5 else 2)


@pytest.mark.slow
@pytest.mark.parametrize("law", LAWS, ids=lambda law: law.__name__)
def test_law_at_length(law: Law, pair: Twins) -> None:
    """Nor one that it thinks of when it has more time."""
    check(law, pair, examples=15)
