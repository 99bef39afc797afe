"""The calibrator over a log: it knows what was known, says the same again, and takes back what does harm."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing
from datetime import UTC, datetime, timedelta
from typing import ClassVar

import numpy as np
import pytest
from scipy.special import expit, logit

from consumers.calibrator import Calibrator
from consumers.owner import Owner
from eventlog.columns import to_envelope
from eventlog.log import LogError, Positions
from eventlog.sqlite import SqliteLog
from grading.scores import Floats
from projections.catch_up import batches
from projections.store import Store
from schemas.calibrations import CalibrationActivated, CalibrationRolledBack, CalibrationTrained, CalibrationVersion
from schemas.codec import Codec
from schemas.record import Record
from schemas.requests import CalibrationRequest, CalibrationRequested
from tests.calibrated_picks import HOUR, picks
from tests.projections.foreign import ForeignRecord

FIRST_DAY = datetime(2024, 1, 1, 12, tzinfo=UTC)
NBA = "NBA|SPREAD:FULL_GAME"


@pytest.fixture
def log() -> Iterator[SqliteLog]:
    """An empty log in memory."""
    with SqliteLog(":memory:") as made:
        yield made


def forecasts(n: int, temperature: float, seed: int) -> tuple[Floats, list[float | None]]:
    """Raw p, and outcomes whose true logit is that of p divided by the temperature."""
    rng = np.random.default_rng(seed)
    logit = rng.normal(0, 1.2, n)
    return expit(logit), [float(won) for won in rng.random(n) < expit(logit / temperature)]


def history(n: int, temperature: float, first: int = 0, served: Sequence[float | None] | None = None) -> list[Record]:
    """n picks, two to a game, a game every four hours from the first day on."""
    p, y = forecasts(n, temperature, seed=first)
    return picks(p, served or [None] * n, y, FIRST_DAY + first // 2 * 4 * HOUR, first, 4 * HOUR)


def of(league: str, n: int, temperature: float, game: int = 0) -> list[Record]:
    """n picks of a league, two to a game, from one of its games on."""
    first = 2 * game + (100_000 if league == "NFL" else 0)
    p, y = forecasts(n, temperature, seed=first)
    return picks(p, [None] * n, y, FIRST_DAY + game * 4 * HOUR, first, 4 * HOUR, league)


def asked(at: datetime, method: str = "platt") -> CalibrationRequested:
    """A request of a replay, made at a time."""
    data = CalibrationRequest.model_validate({"method": method, "requested_by": "tests"})
    return CalibrationRequested(occurred_at=at, origin="BACKFILL", producer="tests", data=data)


def decided(log: SqliteLog) -> list[Record]:
    """What the calibrator has put on the log, once an owner has done all there is to do."""
    store = Store(log_id=log.log_id)
    try:
        Owner(log, store, (Calibrator(store, log.log_id),)).run_once()
    finally:
        store.close()
    batch, _ = log.read_topic("calibrations", {}, 10_000)
    return [Codec().decode(to_envelope(row)) for row in batch.to_pylist()]


def version(records: Sequence[Record]) -> CalibrationVersion:
    """The one version among them."""
    [trained] = [record.data for record in records if isinstance(record, CalibrationTrained)]
    return trained


class AwayOnce(SqliteLog):
    """A log that cannot be reached at the first append after `away` is set."""

    away = False

    def append(self, records: Iterable[Record]) -> Positions:
        if self.away:
            self.away = False
            raise LogError("the log is away")
        return super().append(records)


def test_an_answer_that_an_outage_cut_short_is_given_when_the_log_is_back() -> None:
    """Though nothing new has come since: what was decided is on record only once it is appended."""
    with AwayOnce(":memory:") as log, closing(Store(log_id=log.log_id)) as store:
        log.append([asked(FIRST_DAY)])
        owner = Owner(log, store, (Calibrator(store, log.log_id),))
        log.away = True

        with pytest.raises(LogError):
            owner.run_once()
        owner.run_once()

        assert log.end()["calibrations", 0] == 2


def test_an_answer_of_which_half_came_on_record_is_completed(log: SqliteLog) -> None:
    """As Kafka may leave it: the version has its verdict, the same that it would have had, and is trained once."""
    with SqliteLog(":memory:") as whole:
        request = asked(FIRST_DAY + timedelta(days=300))
        whole.append([*history(1_200, 2.0), request])
        answer = decided(whole)
        log.append([*history(1_200, 2.0), request, answer[0]])

    assert [type(record) for record in answer] == [CalibrationTrained, CalibrationActivated]
    assert [record.ref for record in decided(log)] == [record.ref for record in answer]
    assert len(decided(log)) == 2


class NewerRecord(ForeignRecord):
    """A decision of this code under a version that it does not know."""

    topic: ClassVar[str] = "calibrations"


@pytest.mark.parametrize("known", [0, 1], ids=["version and verdict", "verdict"])
def test_a_request_that_newer_code_answered_waits_for_it(log: SqliteLog, known: int) -> None:
    """A deploy was rolled back, and here is no word of the answer or of its verdict: the next request gets its own."""
    request, later = asked(FIRST_DAY), asked(FIRST_DAY + HOUR)
    log.append([request])
    with closing(Store(log_id=log.log_id)) as store:
        Owner(log, store, ()).run_once()
        said = Calibrator(store, log.log_id).decide(None)
    newer = [{**one.model_dump(mode="json"), "schema_version": 2} for one in said[known:]]
    log.append([*said[:known], *map(NewerRecord.model_validate, newer), later])

    with closing(Store(log_id=log.log_id)) as store:
        Owner(log, store, (Calibrator(store, log.log_id),)).run_once()
        answered = store.rows("SELECT request_id FROM trained_versions ORDER BY trained_at")

    assert [(one.record_id,) for one in (request, later)[1 - known :]] == answered


@pytest.mark.parametrize("after", [HOUR / 2, HOUR], ids=["before the next grade", "at the instant of it"])
def test_a_job_knows_nothing_that_came_after_it_was_asked_for(log: SqliteLog, after: timedelta) -> None:
    """Given picks issued before the job whose results came no sooner, and later ones, then it learns as without."""
    rows = history(1_200, 2.0)
    until = FIRST_DAY + 400 * 4 * HOUR + after  # games 0 to 399 are graded, game 400 is published and not graded
    with SqliteLog(":memory:") as without:
        without.append([record for record in rows if record.occurred_at < until])
        request = asked(until)
        without.append([request])
        log.append([*rows, request])
        [alone, planted] = [version(decided(each)) for each in (without, log)]

    assert alone.training_rows == 800
    assert (alone.trained, alone.training_digest) == (planted.trained, planted.training_digest)


def test_the_same_positions_give_the_same_record(log: SqliteLog) -> None:
    """Given a version on record, when its positions are folded elsewhere, then the calibrator says it again."""
    request = asked(FIRST_DAY + timedelta(days=300))
    log.append([*history(1_200, 2.0), request])
    first = decided(log)
    upto = {(at.topic, at.partition): at.offset for at in version(first).positions}
    log.append(history(200, 2.0, first=1_200))

    store = Store(log_id=log.log_id)
    for batch, _ in batches(log, store.positions(), upto):
        kept = [row for row in batch.to_pylist() if row["offset"] < upto.get((row["topic"], 0), 0)]
        store.fold(batch.schema.empty_table() if not kept else type(batch).from_pylist(kept, batch.schema), upto)
    again = Calibrator(store, log.log_id).decide(None)
    store.close()

    unstamped = [record.model_copy(update={"recorded_at": None}) for record in first]
    assert [one.model_dump_json() for one in unstamped] == [one.model_dump_json() for one in again]


def test_every_look_and_every_reason_is_on_record(log: SqliteLog) -> None:
    """Given a forecaster that is overconfident, then the version tells each look, and why it decided so."""
    log.append([*history(1_200, 2.0), asked(FIRST_DAY + timedelta(days=300))])
    records = decided(log)
    told = next(one for one in version(records).trained["segments"] if one["segment"] == NBA)
    [verdict] = [record.data for record in records if isinstance(record, CalibrationActivated)]

    assert [look["n"] for look in told["looks"]][:3] == [200, 300, 400]
    assert all(look["reasons"] and look["phase"] in {"GATE", "MONITOR"} for look in told["looks"])
    assert told["window"]["rows"] == 1_000
    assert version(records).trained["config"]["schedule"]["window_rows"] == 1_000
    assert NBA in verdict.segments
    assert any(reason.startswith(f"{NBA}: platt beats raw: E reached") for reason in verdict.reasons)


def test_harm_is_rolled_back_without_being_asked_and_the_gate_starts_anew(log: SqliteLog) -> None:
    """Given an active version, when its map does harm to later picks, then it stops serving, with reasons in words."""
    log.append([*history(1_200, 2.5), asked(FIRST_DAY + timedelta(days=101))])
    log.append(history(800, 0.4, first=1_300))
    records = decided(log)
    [rolled_back] = [record for record in records if isinstance(record, CalibrationRolledBack)]
    log.append([asked(rolled_back.occurred_at + timedelta(minutes=1))])
    anew = [record.data.trained for record in decided(log) if isinstance(record, CalibrationTrained)][-1]

    assert rolled_back.data.decided_by == "monitor"
    assert NBA in rolled_back.data.segments
    assert any(f"{NBA}: raw beats platt: rolled back: E reached" in reason for reason in rolled_back.data.reasons)
    assert rolled_back.occurred_at < FIRST_DAY + 1_050 * 4 * HOUR
    assert [one["activates"] for one in anew["segments"] if one["segment"] == NBA] == [False]
    assert NBA in {one["segment"] for one in anew["rolled_back"]}


def test_a_roll_back_is_dated_by_the_last_of_the_results_that_it_rests_on(log: SqliteLog) -> None:
    """Given harm to one league, and to another only once the first one's picks are over, both found at once."""
    log.append([*of("NBA", 1_200, 2.5), *of("NFL", 1_200, 2.5), asked(FIRST_DAY + timedelta(days=101))])
    log.append([*of("NBA", 800, 0.4, game=650), *of("NFL", 800, 0.4, game=1_100)])

    [rolled_back] = [record for record in decided(log) if isinstance(record, CalibrationRolledBack)]

    assert {NBA, "NFL|SPREAD:FULL_GAME"} <= set(rolled_back.data.segments)
    assert rolled_back.occurred_at > FIRST_DAY + 1_100 * 4 * HOUR


def test_harm_told_of_a_time_before_the_version_ends_it_once_and_leaves_the_calibrator_at_work(log: SqliteLog) -> None:
    """Given two versions, and then history from before the second with what was served there, which did harm."""
    log.append([*history(1_200, 2.5), asked(FIRST_DAY + timedelta(days=101))])
    decided(log)
    log.append([*history(400, 2.5, first=1_300), asked(FIRST_DAY + timedelta(days=185))])
    decided(log)
    p, y = forecasts(400, 0.4, seed=5)
    served = expit(logit(p) / 2.5).tolist()
    log.append(picks(p, served, y, FIRST_DAY + timedelta(days=110), 100_000, 4 * HOUR, "NFL"))

    decided(log)
    log.append([asked(FIRST_DAY + timedelta(days=250))])
    records = decided(log)

    activated = [record for record in records if isinstance(record, CalibrationActivated)]
    [rolled_back] = [record for record in records if isinstance(record, CalibrationRolledBack)]
    assert rolled_back.occurred_at > activated[1].occurred_at
    assert len([record for record in records if isinstance(record, CalibrationTrained)]) == 3


def test_a_map_that_helps_is_left_alone(log: SqliteLog) -> None:
    """Given later picks that are as overconfident as before, then nothing is rolled back."""
    log.append([*history(1_200, 2.5), asked(FIRST_DAY + timedelta(days=101)), *history(800, 2.5, first=1_300)])
    assert [record for record in decided(log) if isinstance(record, CalibrationRolledBack)] == []


def test_two_jobs_of_one_second_have_two_names(log: SqliteLog) -> None:
    """Given two requests of one moment, then the second's version takes the next second's name."""
    log.append([asked(FIRST_DAY, "platt"), asked(FIRST_DAY, "beta")])
    names = [record.data.calibration_version for record in decided(log) if isinstance(record, CalibrationTrained)]
    assert sorted(names) == ["v_20240101_120000", "v_20240101_120001"]
