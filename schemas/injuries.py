"""Topic `injuries`: who was reported unfit, per team, as a whole report each time."""

from typing import ClassVar, Literal

from schemas.record import Payload, Probability, Record, Text, Version1


class PlayerStatus(Payload):
    """`expected_return` and `comment` are the provider's words."""

    player: Text
    status: Text
    position: str | None = None
    chance_of_playing: Probability | None = None
    expected_return: str | None = None
    comment: str | None = None


class InjurySnapshot(Payload):
    """`complete`: a player who is missing from it is fit; otherwise it holds only those who changed."""

    provider: Text
    league: Text
    team: Text
    complete: bool = True
    players: tuple[PlayerStatus, ...] = ()
    raw_payload_id: Text
    raw_path: str | None = None


class InjurySnapshotCaptured(Record):
    """A team's injury report was seen."""

    topic: ClassVar[str] = "injuries"
    keyed_by: ClassVar[str | None] = "team"
    type: Literal["InjurySnapshotCaptured"] = "InjurySnapshotCaptured"
    schema_version: Version1 = 1
    data: InjurySnapshot
