"""Everything that can be asked of a consult. Who may, and when, is the table in `rules.py`.

Commands carry ids and facts; a name or a text travels beside the command and is stored as a row.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from signaling.consult.ids import ClinicId, ConsultId, DeviceId, MessageId, ParticipantId, UserId
from signaling.consult.interpreting_commands import InterpretingCommand
from signaling.consult.recording_commands import RecordingCommand
from signaling.consult.values import (
    CancelReason,
    DeclineReason,
    EndReason,
    LanguagePair,
    NoticeKind,
    Policy,
    Role,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Seating:
    """One person to invite."""

    participant: ParticipantId
    role: Role
    language: str
    user: UserId | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule:
    """Make a new consult and invite its people."""

    consult: ConsultId
    clinic: ClinicId
    starts_at: datetime
    ends_at: datetime
    seatings: tuple[Seating, ...]
    interpreting: LanguagePair | None
    on_demand: bool = False
    policy: Policy
    type: Literal["schedule"] = "schedule"


@dataclass(frozen=True, slots=True, kw_only=True)
class Reschedule:
    """Move a consult that has not begun."""

    starts_at: datetime
    ends_at: datetime
    type: Literal["reschedule"] = "reschedule"


@dataclass(frozen=True, slots=True, kw_only=True)
class Cancel:
    """Call off a consult that has not begun."""

    reason: CancelReason
    type: Literal["cancel"] = "cancel"


@dataclass(frozen=True, slots=True, kw_only=True)
class Invite:
    """Invite one more person."""

    seating: Seating
    type: Literal["invite"] = "invite"


@dataclass(frozen=True, slots=True, kw_only=True)
class RevokeInvitation:
    """Take an invitation back; whoever holds its seat goes."""

    participant: ParticipantId
    type: Literal["revoke_invitation"] = "revoke_invitation"


@dataclass(frozen=True, slots=True, kw_only=True)
class RenewInvitation:
    """Make a new link for someone who has none to sign in with; the old one stops working."""

    participant: ParticipantId
    type: Literal["renew_invitation"] = "renew_invitation"


@dataclass(frozen=True, slots=True, kw_only=True)
class Cover:
    """Take part in a colleague's consult as a physician."""

    participant: ParticipantId
    language: str
    type: Literal["cover"] = "cover"


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrive:
    """Come to the waiting room, come back, or ask to move the seat to `device`.

    `further`: another device had used the person's invitation before this one did.
    """

    device: DeviceId
    further: bool = False
    type: Literal["arrive"] = "arrive"


@dataclass(frozen=True, slots=True, kw_only=True)
class Admit:
    """Let a waiting person in, or let their further device take their seat.

    `further`: it was confirmed that a further device is this person's.
    """

    participant: ParticipantId
    device: DeviceId
    further: bool = False
    identity_confirmed: bool
    type: Literal["admit"] = "admit"


@dataclass(frozen=True, slots=True, kw_only=True)
class Decline:
    """Send a waiting person away, or only their further device."""

    participant: ParticipantId
    further_device: bool
    reason: DeclineReason
    type: Literal["decline"] = "decline"


@dataclass(frozen=True, slots=True, kw_only=True)
class Hold:
    """Put someone who was admitted on hold: neither heard nor hearing."""

    participant: ParticipantId
    type: Literal["hold"] = "hold"


@dataclass(frozen=True, slots=True, kw_only=True)
class Resume:
    """Bring someone back from hold."""

    participant: ParticipantId
    type: Literal["resume"] = "resume"


@dataclass(frozen=True, slots=True, kw_only=True)
class Leave:
    """Go. Coming back means waiting again, except for a physician."""

    type: Literal["leave"] = "leave"


@dataclass(frozen=True, slots=True, kw_only=True)
class Remove:
    """Take someone out of the consult for good."""

    participant: ParticipantId
    type: Literal["remove"] = "remove"


@dataclass(frozen=True, slots=True, kw_only=True)
class GiveConsent:
    """Accept the telehealth consent text shown in this language."""

    text_id: str
    text_hash: str
    language: str
    type: Literal["give_consent"] = "give_consent"


@dataclass(frozen=True, slots=True, kw_only=True)
class TellLocation:
    """Say where one is; the words themselves are a row."""

    type: Literal["tell_location"] = "tell_location"


@dataclass(frozen=True, slots=True, kw_only=True)
class Rename:
    """Correct a name; the name itself is a row."""

    participant: ParticipantId
    type: Literal["rename"] = "rename"


@dataclass(frozen=True, slots=True, kw_only=True)
class AskToMute:
    """Ask someone to mute. Nothing is stored; they are told once."""

    participant: ParticipantId
    type: Literal["ask_to_mute"] = "ask_to_mute"


@dataclass(frozen=True, slots=True, kw_only=True)
class SetMedia:
    """Say whether one's microphone and camera are on (presence, not stored)."""

    type: Literal["set_media"] = "set_media"


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportDeviceCheck:
    """Say how one's device check went (presence, not stored)."""

    type: Literal["report_device_check"] = "report_device_check"


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportConnection:
    """Say how good one's connection is (presence, not stored)."""

    type: Literal["report_connection"] = "report_connection"


@dataclass(frozen=True, slots=True, kw_only=True)
class StartSharing:
    """Begin to share one's screen; one person at a time."""

    type: Literal["start_sharing"] = "start_sharing"


@dataclass(frozen=True, slots=True, kw_only=True)
class StopSharing:
    """Stop the screen share, one's own or (physician) anybody's."""

    type: Literal["stop_sharing"] = "stop_sharing"


@dataclass(frozen=True, slots=True, kw_only=True)
class SendMessage:
    """Write to everyone in the room; the text is a row."""

    message: MessageId
    type: Literal["send_message"] = "send_message"


@dataclass(frozen=True, slots=True, kw_only=True)
class SendNotice:
    """Tell the waiting people how long it will be."""

    kind: NoticeKind
    minutes: int
    type: Literal["send_notice"] = "send_notice"


@dataclass(frozen=True, slots=True, kw_only=True)
class Extend:
    """Plan `minutes` more for this consult."""

    minutes: int
    type: Literal["extend"] = "extend"


@dataclass(frozen=True, slots=True, kw_only=True)
class End:
    """End the consult for everyone."""

    reason: EndReason
    type: Literal["end"] = "end"


@dataclass(frozen=True, slots=True, kw_only=True)
class ContinueConsult:
    """Begin a new consult with the people of one that has ended; the ended one stays as it is."""

    new_consult: ConsultId
    minutes: int
    type: Literal["continue_consult"] = "continue_consult"


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenWaitingRoom:
    """The time has come at which people may arrive."""

    type: Literal["open_waiting_room"] = "open_waiting_room"


@dataclass(frozen=True, slots=True, kw_only=True)
class MarkLost:
    """Someone's connection has been gone for longer than `lost_after_s`."""

    participant: ParticipantId
    type: Literal["mark_lost"] = "mark_lost"


@dataclass(frozen=True, slots=True, kw_only=True)
class ReleaseSeat:
    """Someone has been lost for longer than `rejoin_grace_s`."""

    participant: ParticipantId
    type: Literal["release_seat"] = "release_seat"


@dataclass(frozen=True, slots=True, kw_only=True)
class ReleaseDevice:
    """A further device that asked for a seat has disconnected."""

    participant: ParticipantId
    device: DeviceId
    type: Literal["release_device"] = "release_device"


@dataclass(frozen=True, slots=True, kw_only=True)
class MarkNoShow:
    """No patient has come `no_show_after_s` after the start."""

    type: Literal["mark_no_show"] = "mark_no_show"


@dataclass(frozen=True, slots=True, kw_only=True)
class EndAbandoned:
    """Everybody has been gone for `abandoned_after_s`."""

    type: Literal["end_abandoned"] = "end_abandoned"


Command = (
    Schedule
    | Reschedule
    | Cancel
    | Invite
    | RevokeInvitation
    | RenewInvitation
    | Cover
    | Arrive
    | Admit
    | Decline
    | Hold
    | Resume
    | Leave
    | Remove
    | GiveConsent
    | TellLocation
    | Rename
    | AskToMute
    | SetMedia
    | ReportDeviceCheck
    | ReportConnection
    | StartSharing
    | StopSharing
    | SendMessage
    | SendNotice
    | Extend
    | End
    | ContinueConsult
    | OpenWaitingRoom
    | MarkLost
    | ReleaseSeat
    | ReleaseDevice
    | MarkNoShow
    | EndAbandoned
    | InterpretingCommand
    | RecordingCommand
)
