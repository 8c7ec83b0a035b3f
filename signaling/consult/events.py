"""Everything that has happened to a consult. Bodies hold ids and facts only: no name, no text, no place.

The literal in `type` is what is stored; renaming a class never rewrites history. Event number n of a consult
is its version n. Every event says when (`at`, UTC) and who caused it (`by`: a participant, a staff account or
`CLOCK`).
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from signaling.consult.fact import Fact
from signaling.consult.ids import ClinicId, ConsultId, DeviceId, MessageId, ParticipantId, UserId
from signaling.consult.interpreting_events import InterpretingEvent
from signaling.consult.recording_events import RecordingEvent
from signaling.consult.values import (
    CancelReason,
    Consent,
    DeclineReason,
    EndReason,
    LanguagePair,
    NoticeKind,
    Policy,
    Role,
    SeatState,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsultScheduled(Fact):
    """The consult exists from here on. Always event 1."""

    consult: ConsultId
    clinic: ClinicId
    starts_at: datetime
    ends_at: datetime
    interpreting: LanguagePair | None
    continues: ConsultId | None
    on_demand: bool = False
    policy: Policy
    type: Literal["consult_scheduled"] = "consult_scheduled"


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsultRescheduled(Fact):
    """The consult has moved."""

    starts_at: datetime
    ends_at: datetime
    type: Literal["consult_rescheduled"] = "consult_rescheduled"


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsultCancelled(Fact):
    """The consult will not take place."""

    reason: CancelReason
    type: Literal["consult_cancelled"] = "consult_cancelled"


@dataclass(frozen=True, slots=True, kw_only=True)
class ParticipantInvited(Fact):
    """A person belongs to this consult (a covering physician included).

    `consent` and `location_told` are carried over when this consult continues another.
    """

    participant: ParticipantId
    role: Role
    language: str
    user: UserId | None
    consent: Consent | None = None
    location_told: bool = False
    type: Literal["participant_invited"] = "participant_invited"


@dataclass(frozen=True, slots=True, kw_only=True)
class InvitationRevoked(Fact):
    """A person's invitation was taken back."""

    participant: ParticipantId
    type: Literal["invitation_revoked"] = "invitation_revoked"


@dataclass(frozen=True, slots=True, kw_only=True)
class InvitationRenewed(Fact):
    """A person got a new link; the one before stopped working."""

    participant: ParticipantId
    type: Literal["invitation_renewed"] = "invitation_renewed"


@dataclass(frozen=True, slots=True, kw_only=True)
class WaitingRoomOpened(Fact):
    """People may arrive."""

    type: Literal["waiting_room_opened"] = "waiting_room_opened"


@dataclass(frozen=True, slots=True, kw_only=True)
class ParticipantArrived(Fact):
    """A person took their seat: in the waiting room, or (physician, with `seat_no`) at once in the room.

    `further`: on a device that is not the first one; the person waits, and the device is to be confirmed.
    """

    participant: ParticipantId
    device: DeviceId
    further: bool = False
    seat: Literal[SeatState.WAITING, SeatState.PRESENT]
    seat_no: int | None
    type: Literal["participant_arrived"] = "participant_arrived"


@dataclass(frozen=True, slots=True, kw_only=True)
class ParticipantReturned(Fact):
    """A lost person is back where they were."""

    participant: ParticipantId
    type: Literal["participant_returned"] = "participant_returned"


@dataclass(frozen=True, slots=True, kw_only=True)
class FurtherDeviceArrived(Fact):
    """Another device asks for a seat that is taken."""

    participant: ParticipantId
    device: DeviceId
    type: Literal["further_device_arrived"] = "further_device_arrived"


@dataclass(frozen=True, slots=True, kw_only=True)
class FirstDeviceArrived(Fact):
    """The first device takes the seat a further one waited in; that one asks for it from here on."""

    participant: ParticipantId
    device: DeviceId
    type: Literal["first_device_arrived"] = "first_device_arrived"


@dataclass(frozen=True, slots=True, kw_only=True)
class FurtherDeviceLeft(Fact):
    """The device that asked for the seat has gone."""

    participant: ParticipantId
    device: DeviceId
    type: Literal["further_device_left"] = "further_device_left"


@dataclass(frozen=True, slots=True, kw_only=True)
class SeatMoved(Fact):
    """Another device holds the seat from here on; the first one has lost it."""

    participant: ParticipantId
    device: DeviceId
    type: Literal["seat_moved"] = "seat_moved"


@dataclass(frozen=True, slots=True, kw_only=True)
class ParticipantAdmitted(Fact):
    """A waiting person was let into the room."""

    participant: ParticipantId
    device: DeviceId
    seat_no: int
    identity_confirmed: bool
    type: Literal["participant_admitted"] = "participant_admitted"


@dataclass(frozen=True, slots=True, kw_only=True)
class ParticipantDeclined(Fact):
    """A waiting person was sent away."""

    participant: ParticipantId
    reason: DeclineReason
    type: Literal["participant_declined"] = "participant_declined"


@dataclass(frozen=True, slots=True, kw_only=True)
class FurtherDeviceDeclined(Fact):
    """The further device does not get the seat; the first one keeps it, or may still come."""

    participant: ParticipantId
    reason: DeclineReason
    type: Literal["further_device_declined"] = "further_device_declined"


@dataclass(frozen=True, slots=True, kw_only=True)
class ParticipantHeld(Fact):
    """A person was put on hold."""

    participant: ParticipantId
    type: Literal["participant_held"] = "participant_held"


@dataclass(frozen=True, slots=True, kw_only=True)
class ParticipantResumed(Fact):
    """A person came back from hold."""

    participant: ParticipantId
    type: Literal["participant_resumed"] = "participant_resumed"


@dataclass(frozen=True, slots=True, kw_only=True)
class ParticipantLost(Fact):
    """A person's connection is gone; their place is kept."""

    participant: ParticipantId
    type: Literal["participant_lost"] = "participant_lost"


@dataclass(frozen=True, slots=True, kw_only=True)
class ParticipantLeft(Fact):
    """A person went, or stayed lost for too long (then `by` is `CLOCK`)."""

    participant: ParticipantId
    type: Literal["participant_left"] = "participant_left"


@dataclass(frozen=True, slots=True, kw_only=True)
class ParticipantRemoved(Fact):
    """A person was taken out for good."""

    participant: ParticipantId
    type: Literal["participant_removed"] = "participant_removed"


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsentGiven(Fact):
    """A person accepted a consent text."""

    participant: ParticipantId
    text_id: str
    text_hash: str
    language: str
    type: Literal["consent_given"] = "consent_given"


@dataclass(frozen=True, slots=True, kw_only=True)
class LocationTold(Fact):
    """A person said where they are."""

    participant: ParticipantId
    type: Literal["location_told"] = "location_told"


@dataclass(frozen=True, slots=True, kw_only=True)
class ParticipantRenamed(Fact):
    """A person's name was corrected."""

    participant: ParticipantId
    type: Literal["participant_renamed"] = "participant_renamed"


@dataclass(frozen=True, slots=True, kw_only=True)
class SharingStarted(Fact):
    """A person shares their screen."""

    participant: ParticipantId
    type: Literal["sharing_started"] = "sharing_started"


@dataclass(frozen=True, slots=True, kw_only=True)
class SharingStopped(Fact):
    """Nobody shares a screen any more."""

    participant: ParticipantId
    type: Literal["sharing_stopped"] = "sharing_stopped"


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageSent(Fact):
    """Chat message number `seq` (from 1, without gaps) was written."""

    participant: ParticipantId
    message: MessageId
    seq: int
    type: Literal["message_sent"] = "message_sent"


@dataclass(frozen=True, slots=True, kw_only=True)
class NoticeSent(Fact):
    """The waiting people were told how long it will be."""

    kind: NoticeKind
    minutes: int
    type: Literal["notice_sent"] = "notice_sent"


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsultStarted(Fact):
    """Patient and physician are in the room together for the first time."""

    type: Literal["consult_started"] = "consult_started"


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsultExtended(Fact):
    """More time is planned."""

    ends_at: datetime
    type: Literal["consult_extended"] = "consult_extended"


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsultEnded(Fact):
    """The consult is over; nothing follows."""

    reason: EndReason
    type: Literal["consult_ended"] = "consult_ended"


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsultMissed(Fact):
    """No patient came; nothing follows."""

    type: Literal["consult_missed"] = "consult_missed"


Event = (
    ConsultScheduled
    | ConsultRescheduled
    | ConsultCancelled
    | ParticipantInvited
    | InvitationRevoked
    | InvitationRenewed
    | WaitingRoomOpened
    | ParticipantArrived
    | ParticipantReturned
    | FurtherDeviceArrived
    | FirstDeviceArrived
    | FurtherDeviceLeft
    | SeatMoved
    | ParticipantAdmitted
    | ParticipantDeclined
    | FurtherDeviceDeclined
    | ParticipantHeld
    | ParticipantResumed
    | ParticipantLost
    | ParticipantLeft
    | ParticipantRemoved
    | ConsentGiven
    | LocationTold
    | ParticipantRenamed
    | SharingStarted
    | SharingStopped
    | MessageSent
    | NoticeSent
    | ConsultStarted
    | ConsultExtended
    | ConsultEnded
    | ConsultMissed
    | InterpretingEvent
    | RecordingEvent
)
