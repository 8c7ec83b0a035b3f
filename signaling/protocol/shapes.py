"""The parts of messages: above all the two views, a consult as one person sees it and a clinic's day.

Who sees which of these fields is decided in `views.py`; a field that is not for this viewer is null.
"""

from typing import Annotated, Literal

from annotated_types import Ge, Le, MaxLen

from signaling.consult.values import (
    CheckResult,
    ConnectionLevel,
    NoticeKind,
    Phase,
    Role,
    SeatState,
)
from signaling.protocol.fields import (
    ConsultRef,
    Country,
    Language,
    LocationText,
    MessageRef,
    Name,
    ParticipantRef,
    Phone,
    Place,
    Shape,
    Time,
    TimeZone,
    Url,
    UserRef,
)
from signaling.protocol.interpreting_shapes import CaseView, DeskView, HearingView, SearchView, SessionView
from signaling.protocol.recording_views import RecordingView

PEOPLE_MAX = 12
ROWS_MAX = 200

Screen = Literal[
    "too_early",
    "check",
    "waiting",
    "room",
    "on_hold",
    "separated",
    "briefing",
    "displaced",
    "left",
    "declined",
    "removed",
    "closed",
    "ended",
    "cancelled",
    "no_show",
]
Verb = Literal[
    "admit",
    "agree_to_recording",
    "arrive",
    "ask_recording",
    "ask_to_mute",
    "begin_briefing",
    "cancel",
    "close_request",
    "continue_consult",
    "cover",
    "decline",
    "end",
    "end_briefing",
    "end_introduction",
    "extend",
    "give_consent",
    "give_signal",
    "hold",
    "invite",
    "leave",
    "prefer_original",
    "refuse_recording",
    "remove",
    "rename",
    "renew_invitation",
    "report_connection",
    "report_device_check",
    "request_interpreter",
    "reschedule",
    "resume",
    "revoke_invitation",
    "ring_again",
    "schedule",
    "send_message",
    "send_notice",
    "set_direction",
    "set_media",
    "set_mode",
    "start_sharing",
    "stop_recording",
    "stop_sharing",
    "take_over",
    "take_seat",
    "tell_location",
    "use_phone_line",
]
Can = Annotated[list[Verb], MaxLen(60)]
Shown = Annotated[str, MaxLen(120)]  # a name; empty only if it was erased
Slot = Annotated[int, Ge(0), Le(4)]
BirthYear = Annotated[int, Ge(1880), Le(2200)]


class DeviceCheck(Shape):
    """How a person's device check went; null is not tried yet."""

    camera: Annotated[CheckResult | None, "The camera."] = None
    microphone: Annotated[CheckResult | None, "The microphone."] = None
    speaker: Annotated[CheckResult | None, "The loudspeaker, as the person heard it."] = None
    network: Annotated[CheckResult | None, "Whether media reaches the clinic."] = None


class NoticeView(Shape):
    """What waiting people are told, in words the browser has in their language."""

    kind: Annotated[NoticeKind, "What about."]
    minutes: Annotated[int, "About how long it will still be."]
    at: Annotated[Time, "When it was sent."]


class Me(Shape):
    """The viewer."""

    participant: Annotated[ParticipantRef, "Their id in this consult."]
    role: Annotated[Role, "What they are in it."]
    seat: Annotated[SeatState, "Where they are."]
    admitted: Annotated[bool, "In the room now: the senders may be switched on."]
    must_consent: Annotated[bool, "They have yet to accept the telehealth consent."]
    must_tell_location: Annotated[bool, "They have yet to say where they are."]
    elsewhere: Annotated[bool, "Another device of theirs holds the seat; this one may ask to take it."]
    picture_paused: Annotated[bool, "Their connection has no room for every picture; sound goes on."]
    asks_for_seat: Annotated[bool, "This device has asked to take the seat and waits for admission."]


class PersonView(Shape):
    """One person of the consult as the viewer may see them."""

    id: Annotated[ParticipantRef, "Their id in this consult."]
    role: Annotated[Role, "What they are in it."]
    name: Annotated[Shown, "What they are called; empty only if erased."]
    language: Annotated[Language, "Theirs, BCP 47; an interpreter's: what the patient speaks."]
    seat: Annotated[SeatState, "Where they are."]
    connected: Annotated[bool, "Whether their browser is connected now."]
    audio_on: Annotated[bool, "Whether their microphone is on."]
    video_on: Annotated[bool, "Whether their camera is on."]
    sharing: Annotated[bool, "Whether they share their screen."]
    connection_level: Annotated[ConnectionLevel, "How good their connection is."]
    slot: Annotated[Slot | None, "Which receiving slot is theirs for this viewer, for the whole consult."] = (
        None
    )
    can: Annotated[Can, "What the viewer may do to them now: admit, decline, hold, resume, remove, ..."]
    waiting_since: Annotated[Time | None, "Staff only: when they arrived."] = None
    consented: Annotated[bool | None, "Staff only: whether they accepted the telehealth consent."] = None
    further_device_waiting: Annotated[bool, "Staff only: another device asks for their seat."] = False
    identity_confirmed: Annotated[bool | None, "Staff only: confirmed at admission."] = None
    birth_year: Annotated[BirthYear | None, "Staff only."] = None
    time_zone: Annotated[TimeZone | None, "Staff only: IANA name."] = None
    country: Annotated[Country | None, "Staff only: where they are, as told, else as booked."] = None
    city: Annotated[Place | None, "Staff only: as booked."] = None
    location: Annotated[LocationText | None, "Staff only: where they are, in their own words."] = None
    emergency_number: Annotated[Phone | None, "Staff only: of the country they are in."] = None
    device_check: Annotated[DeviceCheck | None, "Staff only."] = None


class ConsultView(Shape):
    """The whole consult as this viewer may see it. Replaces the previous view on the same connection.

    Ignore a view whose (version, presence_rev) is older than one already shown on this connection.
    """

    type: Literal["consult_view"] = "consult_view"
    consult_id: Annotated[ConsultRef, "Which consult."]
    version: Annotated[int, "Events so far."]
    presence_rev: Annotated[int, "Changes of presence so far, in this server's life."]
    server_time: Annotated[Time, "Now, on the server."]
    phase: Annotated[Phase, "Where the consult is in its life."]
    screen: Annotated[Screen, "What to show; the only thing to switch on."]
    starts_at: Annotated[Time, "Planned start."]
    ends_at: Annotated[Time, "Planned end."]
    opens_at: Annotated[Time, "When the waiting room opens."]
    started_at: Annotated[Time | None, "When patient and physician first met in the room."] = None
    ended_at: Annotated[Time | None, "When it was over."] = None
    me: Annotated[Me, "The viewer."]
    waiting_for: Annotated[Literal["physician", "admission"] | None, "Who a waiting person waits for."] = None
    physician_name: Annotated[Shown | None, "Who the consult is with."] = None
    interpreter_booked: Annotated[bool, "Whether an interpreter is invited."]
    interpreting: Annotated[list[Language] | None, "The patient's and the clinician's language."] = None
    search: Annotated[SearchView | None, "The last search for an interpreter."] = None
    session: Annotated[SessionView | None, "Who interprets now, and how."] = None
    recording: Annotated[RecordingView | None, "Whether the consult is recorded, and who agreed."] = None
    hearing: Annotated[list[HearingView], MaxLen(PEOPLE_MAX), "How the viewer hears who is in the room."]
    case: Annotated[CaseView | None, "For those who are briefed."] = None
    interpreted: Annotated[bool, "An interpreter was in the room: the end asks how it was."] = False
    notices: Annotated[list[NoticeView], MaxLen(1), "What the waiting room is told."]
    people: Annotated[list[PersonView], MaxLen(PEOPLE_MAX), "Whom the viewer may see, the viewer included."]
    sharing: Annotated[ParticipantRef | None, "Whose screen is shared, in the screen slot."] = None
    separated: Annotated[bool, "Patient and interpreter are kept apart: no physician is in the room."]
    chat_seq: Annotated[int, "Chat messages so far; fetch what is missing."]
    can: Annotated[Can, "The message types the viewer may send now; buttons are shown from it."]
    clinic_name: Annotated[Shown, "Of the clinic."]
    clinic_phone: Annotated[Phone, "Of the clinic."]
    continued_as: Annotated[ConsultRef | None, "The consult that continues this ended one."] = None


class BoardPerson(Shape):
    """One person of a consult on the board."""

    id: Annotated[ParticipantRef, "Their id in the consult."]
    user: Annotated[UserRef | None, "Their staff account."] = None
    role: Annotated[Role, "What they are in it."]
    name: Annotated[Shown, "What they are called."]
    language: Annotated[Language, "Theirs, BCP 47; an interpreter's: what the patient speaks."]
    seat: Annotated[SeatState, "Where they are."]
    connected: Annotated[bool, "Whether their browser is connected now."]
    connection_level: Annotated[ConnectionLevel, "How good their connection is."]
    waiting_since: Annotated[Time | None, "When they arrived."] = None
    consented: Annotated[bool, "Whether they accepted the telehealth consent."]
    further_device_waiting: Annotated[bool, "Another device asks for their seat."]
    birth_year: Annotated[BirthYear | None, "To confirm who it is."] = None
    time_zone: Annotated[TimeZone | None, "IANA name."] = None
    country: Annotated[Country | None, "Where they are, as told, else as booked."] = None
    city: Annotated[Place | None, "As booked."] = None
    device_check: Annotated[DeviceCheck | None, "How it went."] = None
    can: Annotated[Can, "What the viewer may do to them now."]


Need = Literal["consent", "identity", "location", "further_device", "physician", "interpreter"]


class BoardRow(Shape):
    """One consult on the board."""

    consult_id: Annotated[ConsultRef, "Which consult."]
    version: Annotated[int, "Events so far."]
    phase: Annotated[Phase, "Where it is in its life."]
    starts_at: Annotated[Time, "Planned start."]
    ends_at: Annotated[Time, "Planned end."]
    opens_at: Annotated[Time, "When the waiting room opens."]
    started_at: Annotated[Time | None, "When patient and physician first met."] = None
    mine: Annotated[bool, "The viewer takes part in it."]
    my_participant: Annotated[ParticipantRef | None, "As whom."] = None
    interpreting: Annotated[list[Language] | None, "The patient's and the clinician's language."] = None
    waiting_since: Annotated[Time | None, "Since when the longest waiting guest has waited."] = None
    needs: Annotated[list[Need], MaxLen(6), "What stands between a waiting person and admission."]
    people: Annotated[list[BoardPerson], MaxLen(PEOPLE_MAX), "Everyone invited."]
    notice: Annotated[NoticeView | None, "What the waiting room was last told."] = None
    can: Annotated[Can, "The message types the viewer may send about it now."]
    continued_as: Annotated[ConsultRef | None, "The consult that continues this ended one."] = None


class BoardView(Shape):
    """The clinic's day as this member of staff may see it (an interpreter: their own consults)."""

    type: Literal["board_view"] = "board_view"
    revision: Annotated[int, "Grows with each board sent on this connection."]
    server_time: Annotated[Time, "Now, on the server."]
    day: Annotated[str, "The clinic's date shown, YYYY-MM-DD."]
    user: Annotated[UserRef, "The viewer's account."]
    role: Annotated[Role, "Physician, coordinator or interpreter."]
    time_zone: Annotated[TimeZone, "The clinic's, IANA name."]
    rows: Annotated[list[BoardRow], MaxLen(ROWS_MAX), "The day's consults and every live one, by start."]
    desk: Annotated[DeskView | None, "An interpreter's own desk."] = None
    can: Annotated[Can, "The message types the viewer may send that are about no existing consult."]


class Person(Shape):
    """A person to invite."""

    role: Annotated[Role, "What they will be in the consult."]
    language: Annotated[Language, "Their language, BCP 47."]
    user: Annotated[UserRef | None, "Their staff account; without one they get an invitation link."] = None
    name: Annotated[Name | None, "Required without a staff account."] = None
    birth_year: Annotated[BirthYear | None, "Required for a patient."] = None
    time_zone: Annotated[TimeZone | None, "IANA name. Required for a patient."] = None
    country: Annotated[Country | None, "ISO 3166-1 alpha-2. Required for a patient."] = None
    city: Annotated[Place | None, "Where they are expected to be."] = None


class InvitationLink(Shape):
    """A link to hand to one person. It is shown once and stored nowhere in clear."""

    participant: Annotated[ParticipantRef, "Whose."]
    url: Annotated[Url, "The secret is in its fragment."]


class RelayServers(Shape):
    """TURN servers, as RTCIceServer has them, and the credential they accept for some minutes."""

    urls: Annotated[list[str], "TURN URIs (RFC 7065)."]
    username: Annotated[str, "When it ends, and whose it is."]
    credential: Annotated[str, "The password."]


class ChatMessage(Shape):
    """One chat message."""

    seq: Annotated[int, "Its number, from 1 without gaps."]
    id: Annotated[MessageRef, "Its id."]
    participant: Annotated[ParticipantRef, "Who wrote it."]
    at: Annotated[Time, "When."]
    text: Annotated[str, "Empty only if erased."]
