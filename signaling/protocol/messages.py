"""Every message, declared once: what a browser may send, what it is answered, what it is told.

The class is the documentation, the validator, the TypeScript (`web/client/src/protocol.gen.ts`) and the page
`signaling/PROTOCOL.md`. `type` selects the class; there is no default and no further field is accepted.
"""

from typing import Annotated, Literal, get_args

from annotated_types import Ge, Le, MaxLen, MinLen
from pydantic import Field

from signaling.consult.values import (
    CancelReason,
    ConnectionLevel,
    DeclineReason,
    NoticeKind,
)
from signaling.errors import Code
from signaling.protocol.asked import About, Asked
from signaling.protocol.fields import (
    ConsultRef,
    Country,
    Day,
    Language,
    LocationText,
    Name,
    Offer,
    ParticipantRef,
    PeerRef,
    Shape,
    SupportId,
    Text,
    TextHash,
    TextId,
    Ticket,
    Time,
)
from signaling.protocol.interpreting_messages import (
    DeskMessage,
    InterpretingAbout,
    InterpretingSeat,
)
from signaling.protocol.recording_messages import RecordingSeat
from signaling.protocol.shapes import (
    BoardView,
    ChatMessage,
    ConsultView,
    DeviceCheck,
    InvitationLink,
    Person,
    RelayServers,
)

CHAT_PAGE_MAX = 50  # messages in one answer to fetch_chat

Minutes = Annotated[int, Ge(0), Le(240)]


class ConnectAuth(Shape):
    """The `auth` of the Socket.IO connection. A ticket works once, for 30 s."""

    ticket: Annotated[Ticket, "From POST /api/ticket."]
    peer: Annotated[PeerRef | None, "The peer this page still has, when it reconnects."] = None


# --- from the browser: about the sender's own seat -------------------------------------------------------


class Arrive(Asked):
    """The device check is done: take the seat (a patient then waits, a physician is in the room)."""

    type: Literal["arrive"]


class TakeSeat(Asked):
    """Move the seat to this device; anyone but a physician then waits for admission on it."""

    type: Literal["take_seat"]


class Leave(Asked):
    """Go."""

    type: Literal["leave"]


class GiveConsent(Asked):
    """Accept the telehealth consent text shown."""

    type: Literal["give_consent"]
    text_id: Annotated[TextId, "Which text."]
    text_hash: Annotated[TextHash, "SHA-256 of the text as shown, hexadecimal."]
    language: Annotated[Language, "In which language it was shown."]


class TellLocation(Asked):
    """Say where one is, for an emergency."""

    type: Literal["tell_location"]
    country: Annotated[Country, "ISO 3166-1 alpha-2."]
    text: Annotated[LocationText, "Address or description, in one's own words."]


class SetMedia(Shape):
    """Say whether one's microphone and camera are on. What is off is not forwarded."""

    type: Literal["set_media"]
    audio_on: Annotated[bool, "The microphone."]
    video_on: Annotated[bool, "The camera."]


class ReportDeviceCheck(Shape):
    """Say how the device check went."""

    type: Literal["report_device_check"]
    check: Annotated[DeviceCheck, "Its results so far."]


class ReportConnection(Shape):
    """Say how good one's connection is, as the browser measures it."""

    type: Literal["report_connection"]
    level: Annotated[ConnectionLevel, "How good."]


class StartSharing(Asked):
    """Begin to share one's screen."""

    type: Literal["start_sharing"]


class StopSharing(Asked):
    """Stop the screen share; a physician may stop anybody's."""

    type: Literal["stop_sharing"]


class SendMessage(Asked):
    """Write to everyone in the room."""

    type: Literal["send_message"]
    text: Annotated[Text, "What to write."]


class FetchChat(Shape):
    """Ask for chat messages one lacks. Answered with `chat`."""

    type: Literal["fetch_chat"]
    after_seq: Annotated[int, Ge(0), "The last one had, 0 for none."]


class ConnectMedia(Shape):
    """Offer one's RTCPeerConnection. Answered with `media_answer`; an older peer of the seat is closed."""

    type: Literal["connect_media"]
    offer: Annotated[Offer, "SDP."]


class CloseMedia(Shape):
    """Close one's peer."""

    type: Literal["close_media"]
    peer: Annotated[PeerRef, "Which, so that a late message closes no newer one."]


# --- from the browser: about people and the consult; a board says which consult, a seat does not ----------


class Admit(About):
    """Let a waiting person in."""

    type: Literal["admit"]
    participant: Annotated[ParticipantRef, "Whom."]
    further_device: Annotated[bool, "Let their further device take the seat."] = False
    identity_confirmed: Annotated[bool, "The viewer has confirmed who it is."] = False


class Decline(About):
    """Send a waiting person away, or only their further device."""

    type: Literal["decline"]
    participant: Annotated[ParticipantRef, "Whom."]
    further_device: Annotated[bool, "Only their further device; the first one keeps the seat."] = False
    reason: Annotated[DeclineReason, "Why."]


class Hold(About):
    """Put someone on hold."""

    type: Literal["hold"]
    participant: Annotated[ParticipantRef, "Whom."]


class Resume(About):
    """Bring someone back from hold."""

    type: Literal["resume"]
    participant: Annotated[ParticipantRef, "Whom."]


class Remove(About):
    """Take someone out for good."""

    type: Literal["remove"]
    participant: Annotated[ParticipantRef, "Whom."]


class Rename(About):
    """Correct a name: one's own, or (staff) anybody's."""

    type: Literal["rename"]
    participant: Annotated[ParticipantRef, "Whose."]
    name: Annotated[Name, "The right name."]


class AskToMute(About):
    """Ask someone to mute."""

    type: Literal["ask_to_mute"]
    participant: Annotated[ParticipantRef, "Whom."]


class SendNotice(About):
    """Tell the waiting people how long it will be."""

    type: Literal["send_notice"]
    kind: Annotated[NoticeKind, "What about."]
    minutes: Annotated[Minutes, "About how long still."]


class Extend(About):
    """Plan more time."""

    type: Literal["extend"]
    minutes: Annotated[int, Ge(5), Le(120), "How many more."]


class End(About):
    """End the consult for everyone."""

    type: Literal["end"]
    reason: Annotated[Literal["completed", "technical"], "Why."]


class ContinueConsult(About):
    """Begin a new consult with the people of one that has ended. Answered with the new `consult_id`."""

    type: Literal["continue_consult"]
    minutes: Annotated[int, Ge(5), Le(120), "How long it is planned to take."]


class Invite(About):
    """Invite one more person. The answer has their link, once."""

    type: Literal["invite"]
    person: Annotated[Person, "Whom."]


class RevokeInvitation(About):
    """Take an invitation back."""

    type: Literal["revoke_invitation"]
    participant: Annotated[ParticipantRef, "Whose."]


class RenewInvitation(About):
    """Make a new link for someone without a staff account; the old one stops working."""

    type: Literal["renew_invitation"]
    participant: Annotated[ParticipantRef, "Whose."]


# --- from the browser: only from a board ------------------------------------------------------------------


class Schedule(Asked):
    """Make a new consult. The answer has its `consult_id` and the links of its people, once."""

    type: Literal["schedule"]
    starts_at: Annotated[Time, "Planned start."]
    ends_at: Annotated[Time, "Planned end, 5 minutes to 8 hours later."]
    people: Annotated[list[Person], MinLen(2), MaxLen(6), "One patient, one or more physicians, others."]
    clinician_language: Annotated[Language, "What the interpreter interprets into."] = "en"
    on_demand: Annotated[bool, "Ring an interpreter as soon as a physician is in the room."] = False


class Reschedule(About):
    """Move a consult that has not begun."""

    type: Literal["reschedule"]
    starts_at: Annotated[Time, "Planned start."]
    ends_at: Annotated[Time, "Planned end."]


class Cancel(About):
    """Call off a consult that has not begun."""

    type: Literal["cancel"]
    reason: Annotated[CancelReason, "Why."]


class Cover(About):
    """Take part in a colleague's consult as a physician."""

    type: Literal["cover"]
    language: Annotated[Language, "Of the viewer, BCP 47."] = "en"


class OpenBoard(Shape):
    """Show the clinic's day. Answered by `board_view` messages from then on."""

    type: Literal["open_board"]
    day: Annotated[Day | None, "The clinic's date; null is today, also after midnight."] = None


# --- answers ----------------------------------------------------------------------------------------------


class Accepted(Shape):
    """Done."""

    type: Literal["accepted"] = "accepted"
    version: Annotated[int | None, "Of the consult, afterwards."] = None
    consult_id: Annotated[ConsultRef | None, "The new consult, after schedule and continue_consult."] = None
    participant: Annotated[ParticipantRef | None, "Whom invite, renew_invitation and cover were about."] = (
        None
    )
    invitations: Annotated[list[InvitationLink], MaxLen(6), "Links, once."] = Field(default_factory=list)


class MediaAnswer(Shape):
    """The answer to an offer."""

    type: Literal["media_answer"] = "media_answer"
    peer: Annotated[PeerRef, "The id of this RTCPeerConnection."]
    answer: Annotated[str, "SDP."]
    relays: Annotated[list[RelayServers], MaxLen(4), "For `iceServers`, before candidates are gathered."]


class Chat(Shape):
    """Chat messages after the asked one, oldest first; ask again while fewer than `chat_seq` are had."""

    type: Literal["chat"] = "chat"
    messages: Annotated[list[ChatMessage], MaxLen(CHAT_PAGE_MAX), "In order."]


class Refusal(Shape):
    """Not done. The person may not, or not now; or `internal`: we failed."""

    type: Literal["refusal"] = "refusal"
    code: Annotated[Code, "Why; stable."]
    support_id: Annotated[SupportId | None, "With `internal`: what to quote to support."] = None


# --- told by the server -----------------------------------------------------------------------------------


class AskedToMute(Shape):
    """The physician asks the viewer to mute."""

    type: Literal["asked_to_mute"] = "asked_to_mute"


class NextTicket(Shape):
    """What opens this page's next connection, should this one be lost: no request comes before."""

    type: Literal["next_ticket"] = "next_ticket"
    ticket: Annotated[str, "Works once; each connection brings a new one."]


class Displaced(Shape):
    """The seat was opened on another page or device; this connection is now closed. Do not reconnect."""

    type: Literal["displaced"] = "displaced"


class ConsultContinued(Shape):
    """The ended consult goes on as a new one."""

    type: Literal["consult_continued"] = "consult_continued"
    consult_id: Annotated[ConsultRef, "The new one."]


class MediaLost(Shape):
    """The server has lost the viewer's peer: make a new RTCPeerConnection now."""

    type: Literal["media_lost"] = "media_lost"
    peer: Annotated[PeerRef, "Which is gone; ignore it if one has a newer one."]


class ProtocolErrorNotice(Shape):
    """The client sent something no correct client sends; the connection is closed after this."""

    type: Literal["protocol_error"] = "protocol_error"
    code: Annotated[str, "Why; for the developer."]


SeatMessage = (
    Arrive
    | TakeSeat
    | Leave
    | GiveConsent
    | TellLocation
    | SetMedia
    | ReportDeviceCheck
    | ReportConnection
    | StartSharing
    | StopSharing
    | SendMessage
    | FetchChat
    | ConnectMedia
    | CloseMedia
    | InterpretingSeat
    | RecordingSeat
)
ConsultMessage = (
    Admit
    | Decline
    | Hold
    | Resume
    | Remove
    | Rename
    | AskToMute
    | SendNotice
    | Extend
    | End
    | ContinueConsult
    | Invite
    | RevokeInvitation
    | RenewInvitation
    | InterpretingAbout
)
BoardMessage = Schedule | Reschedule | Cancel | Cover | OpenBoard | DeskMessage
ClientMessage = SeatMessage | ConsultMessage | BoardMessage
Answer = Accepted | MediaAnswer | Chat | Refusal
_News = AskedToMute | NextTicket | Displaced | ConsultContinued | MediaLost | ProtocolErrorNotice
ServerMessage = ConsultView | BoardView | _News

SEAT_TYPES: frozenset[type] = frozenset(get_args(SeatMessage) + get_args(ConsultMessage))
BOARD_TYPES: frozenset[type] = frozenset(get_args(ConsultMessage) + get_args(BoardMessage))
