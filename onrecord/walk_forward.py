"""Calibration inside an import of history: each week by what was on record by then, asked for and answered on the log.

A forecast that is on record already keeps what it was served with, so that an import that is run again adds nothing.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import datetime, time, timedelta

from calibration.segments import CalibrationModel, is_complement
from consumers.lease import OwnedElsewhereError
from consumers.versions import model_of
from eventlog.log import EventLog
from onrecord.on_record import Predictions, held
from onrecord.wiring import Workspace
from producers.importers.moments import FileMoments, Moment
from schemas.calibrations import CalibrationTrained
from schemas.events import EventScheduled, ResultRecorded
from schemas.ids import derived_id
from schemas.predictions import PredictionMade
from schemas.publishes import PredictionPublished
from schemas.record import Record
from schemas.requests import CalibrationRequest, CalibrationRequested

PRODUCER = "walk-forward"
METHOD = "auto"
TRAINING_DAYS = 30
FEWEST_RESULTS = 100
GROWTH = 0.03
"""A week teaches nothing new before so many results, or this share of those before, have come: the gate looks then."""

ModelAt = Callable[[datetime], CalibrationModel | None]
"""Asks for a calibration as of a time, and gives the version that served then; None where none did."""


@dataclass
class Weeks:
    """Which weeks of a replay ask for a calibration: those that begin with enough new results on record."""

    settled: int = 0
    asked: int = 0
    due: datetime | None = None
    _open: dict[str, int] = field(default_factory=dict)
    _week: datetime | None = None

    def reach(self, at: datetime) -> None:
        """The replay comes to a moment."""
        week = datetime.combine(at.date() - timedelta(days=at.weekday()), time(), at.tzinfo)
        if week == self._week:
            return
        self._week = week
        if self.settled - self.asked >= max(FEWEST_RESULTS, GROWTH * self.asked):
            self.asked, self.due = self.settled, week

    def note(self, records: Sequence[Record]) -> None:
        """What was put on record: picks, and results that settle them."""
        for record in records:
            if isinstance(record, PredictionPublished) and record.data.is_official:
                self._open[record.event_id] = self._open.get(record.event_id, 0) + 1
            elif isinstance(record, ResultRecorded):
                self.settled += self._open.pop(record.event_id, 0)


class Walk:
    """Serves the forecasts of one replay, which hands it every moment in order; `flush` puts on record all so far."""

    def __init__(self, log: EventLog, model_at: ModelAt, flush: Callable[[], None]) -> None:
        self._log = log
        self._model_at = model_at
        self._flush = flush
        self._weeks = Weeks()
        self._model: CalibrationModel | None = None
        self._leagues: dict[str, str] = {}
        self._said: Predictions | None = None
        self._may_be_said = any(offset for (topic, _), offset in log.end().items() if topic == PredictionMade.topic)

    def note(self, records: Sequence[Record]) -> None:
        """Records that a forecaster made, served already."""
        self._weeks.note(records)

    def through(self, moment: Moment) -> list[Record]:
        """The moment's records, its forecasts with what they were served with."""
        self._weeks.reach(moment.at)
        records = moment.build()
        for record in records:
            if isinstance(record, EventScheduled):
                self._leagues[record.event_id] = record.data.league
        served = [self._said_or_served(record) if isinstance(record, PredictionMade) else record for record in records]
        self._weeks.note(served)
        return served

    def _said_or_served(self, prediction: PredictionMade) -> PredictionMade:
        """One of a file, whose predictions are all looked up at once."""
        if self._said is None and self._may_be_said:
            self._said = Predictions(held(self._log, prediction.topic, "producer", [prediction.producer]))
        said = self._said.get(prediction.record_id) if self._said else None
        return said or self.serve(prediction, self._leagues[prediction.event_id])

    def serve(self, prediction: PredictionMade, league: str) -> PredictionMade:
        """A prediction with what is served now, and by which version; as it is on record already, if it is."""
        said = self._log.find(prediction.topic, prediction.ref) if self._may_be_said else None
        if isinstance(said, PredictionMade):
            return said
        told, model = prediction.data, self._current()
        if model is None:
            return prediction
        turned = is_complement(told.market_key, told.selection)
        p = model.calibrate(told.p_cover, league, told.market_key, turned).p
        calibrated = {"p_cover_calibrated": p, "calibration_version_applied": model.version}
        return prediction.model_copy(update={"data": told.model_copy(update=calibrated)})

    def _current(self) -> CalibrationModel | None:
        due, self._weeks.due = self._weeks.due, None
        if due is not None:
            self._flush()
            self._model = self._model_at(due)
        return self._model


@contextmanager
def walking(workspace: Workspace, files: Sequence[FileMoments]) -> Iterator[ModelAt]:
    """Calibrations for a walk over files, made in this process as the owner where there is no other."""
    sources = sorted(file.source for file in files)
    with ExitStack() as held:
        try:
            owner = held.enter_context(workspace.owner())
        except OwnedElsewhereError:
            owner = None

        def model_at(at: datetime) -> CalibrationModel | None:
            request = _request(at, sources)
            if owner is None:
                workspace.ask(request, CalibrationTrained)
                with workspace.fresh_reader() as store:
                    found = store.query("active_version", {"known_by": at}).to_pylist()
            else:
                workspace.log.append([request])
                workspace.turn(owner)
                found = owner.store.query("active_version", {"known_by": at}).to_pylist()
            return model_of(found[0]) if found else None

        yield model_at


def _request(at: datetime, sources: Sequence[str]) -> CalibrationRequested:
    """The same files ask for the same calibrations."""
    return CalibrationRequested(
        record_id=derived_id(at, "CalibrationRequested", PRODUCER, *sources),
        occurred_at=at,
        origin="BACKFILL",
        producer=PRODUCER,
        data=CalibrationRequest(training_days=TRAINING_DAYS, method=METHOD, requested_by=PRODUCER),
    )
