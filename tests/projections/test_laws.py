"""Every projection obeys every law."""

import pytest

from tests.projections.laws import LAWS, Law, Subject, check, subjects


@pytest.mark.parametrize("subject", subjects(), ids=lambda subject: subject.name)
@pytest.mark.parametrize("law", LAWS, ids=lambda law: law.__name__)
def test_law(law: Law, subject: Subject) -> None:
    """No log that Hypothesis thinks of breaks a law."""
    # Where there is no fold, what could break is in the views.
    check(law, subject, examples=4 if subject.projection.folds else 2)
