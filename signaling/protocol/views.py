"""Who sees what: a consult as one person sees it (`view_for`) and a clinic's day (`board_for`). Pure.

The screen is chosen here and the browser only switches on it. Waiting people learn the physician's name and
that an interpreter is booked, nothing else about anybody. What identifies a person (birth year, place, device
check) is for physicians and coordinators. `can` is read from the table in `rules.py`.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from types import UnionType
from typing import Final, Literal, get_args

from signaling.consult import rules
from signaling.consult.ids import ConsultId, DeviceId, ParticipantId
from signaling.consult.people import NO_NOTES, ClinicFacts, Notes, Person
from signaling.consult.presence import Checked, ConsultPresence
from signaling.consult.routing import separated, slot_of
from signaling.consult.values import (
    BARRED,
    GUESTS,
    STAFF,
    TAKEN,
    Consult,
    Participant,
    Phase,
    Role,
    SeatHolder,
    SeatState,
    StaffUser,
)
from signaling.protocol import shapes
from signaling.protocol.interpreting_shapes import DeskView
from signaling.protocol.interpreting_views import (
    case_for_view,
    hearing_for,
    interpreted,
    is_briefed_alone,
    search_for,
    session_for,
)
from signaling.protocol.messages import BoardMessage, ConsultMessage, SeatMessage
from signaling.protocol.recording_views import recording_for

UNKNOWN: Final = Person(name="")
IN_ROOM: Final = frozenset({SeatState.PRESENT, SeatState.ON_HOLD})
# A conversation is listed while the person may come back to it.
MET: Final = IN_ROOM | {SeatState.LOST}


def _types(union: UnionType) -> frozenset[str]:
    """The `type` literals of a union of messages."""
    return frozenset(str(get_args(m.model_fields["type"].annotation)[0]) for m in get_args(union))


SEAT_VERBS: Final = _types(SeatMessage) | _types(ConsultMessage)
BOARD_VERBS: Final = _types(ConsultMessage) | _types(BoardMessage)
_OVER_SCREEN: Final[Mapping[Phase, shapes.Screen]] = {
    Phase.ENDED: "ended",
    Phase.CANCELLED: "cancelled",
    Phase.NO_SHOW: "no_show",
}
_BARRED_SCREEN: Final[Mapping[SeatState, shapes.Screen]] = {
    SeatState.DECLINED: "declined",
    SeatState.REMOVED: "removed",
    SeatState.REVOKED: "closed",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """A consult with everything a view is made from."""

    consult: Consult
    presence: ConsultPresence
    people: Mapping[ParticipantId, Person]
    clinic: ClinicFacts
    continued_as: ConsultId | None = None
    notes: Notes = NO_NOTES

    def person(self, participant: Participant) -> Person:
        """What is known of a participant; an erased one has an empty name."""
        return self.people.get(participant.id, UNKNOWN)


def holds_seat(me: Participant, device: DeviceId) -> bool:
    """Whether `device` is the one a person's seat is on, or the seat is on none."""
    return me.seat not in TAKEN or me.device is None or me.device == device


def screen_for(consult: Consult, me: Participant, device: DeviceId, now: datetime) -> shapes.Screen:
    """What one person's browser on `device` shows."""
    if me.seat in BARRED:
        return _BARRED_SCREEN[me.seat]
    if consult.phase in _OVER_SCREEN:
        return _OVER_SCREEN[consult.phase]
    if not holds_seat(me, device):
        return "waiting" if me.further_device == device else "displaced"
    seat = (me.lost_from or me.seat) if me.seat is SeatState.LOST else me.seat
    if seat is SeatState.INVITED:
        return "check" if consult.opened or now >= consult.opens_at else "too_early"
    if seat is SeatState.PRESENT:
        return _in_room_screen(consult, me)
    if seat is SeatState.ON_HOLD:
        return "on_hold"
    return "waiting" if seat is SeatState.WAITING else "left"


def _in_room_screen(consult: Consult, me: Participant) -> shapes.Screen:
    if separated(consult, me):
        return "separated"
    return "briefing" if me.role in GUESTS and is_briefed_alone(consult) else "room"


def view_for(seen: Seen, viewer: ParticipantId, device: DeviceId, *, now: datetime) -> shapes.ConsultView:
    """The consult as `viewer` may see it on `device`. The viewer is a participant."""
    consult = seen.consult
    me = consult.participant(viewer)
    if me is None:
        raise ValueError("the viewer is no participant of this consult")
    screen = screen_for(consult, me, device, now)
    return shapes.ConsultView(
        consult_id=consult.id,
        version=consult.version,
        presence_rev=seen.presence.revision,
        server_time=now,
        phase=consult.phase,
        screen=screen,
        starts_at=consult.starts_at,
        ends_at=consult.ends_at,
        opens_at=consult.opens_at,
        started_at=consult.started_at,
        ended_at=consult.ended_at,
        me=_me(consult, me, device, screen, paused=seen.presence.of(me.id).picture_paused),
        waiting_for=_waiting_for(consult, screen),
        physician_name=_physician_name(seen),
        interpreter_booked=any(p.seat not in BARRED for p in consult.of_role(Role.INTERPRETER)),
        interpreting=_languages(consult),
        search=search_for(consult, me, seen.clinic.interpreter_line),
        session=session_for(consult, seen.presence, me, seen.notes),
        recording=recording_for(consult, me),
        hearing=hearing_for(consult, seen.presence, me),
        case=case_for_view(consult, me, seen.notes),
        interpreted=interpreted(consult) and me.seat not in BARRED,
        notices=_notices(consult, me, screen),
        people=[_person(seen, p, me, device, now) for p in visible(consult, me, screen)],
        sharing=consult.sharing if screen == "room" else None,
        separated=screen == "separated",
        chat_seq=consult.chat_seq if screen in ("room", "separated", "briefing") else 0,
        can=_can(consult, me, device, now),
        clinic_name=seen.clinic.name,
        clinic_phone=seen.clinic.phone,
        continued_as=seen.continued_as if me.seat not in BARRED else None,
    )


def visible(consult: Consult, me: Participant, screen: shapes.Screen) -> tuple[Participant, ...]:
    """Whom this person may see: staff everybody, those inside each other, the waiting only the physician."""
    if me.seat in BARRED or consult.over:
        return (me,)
    if me.role in STAFF and screen != "displaced" and (me.role is Role.PHYSICIAN or me.seat in MET):
        return tuple(p for p in consult.participants if p.seat is not SeatState.REVOKED)
    inside = screen in ("room", "on_hold", "separated", "briefing")
    return tuple(
        p
        for p in consult.participants
        if p.id == me.id or (p.role is Role.PHYSICIAN and p.seat not in BARRED) or (inside and _met(p))
    )


def _met(person: Participant) -> bool:
    return person.seat in MET and SeatState.WAITING not in (person.seat, person.lost_from)


def _me(
    consult: Consult, me: Participant, device: DeviceId, screen: shapes.Screen, *, paused: bool
) -> shapes.Me:
    holder = holds_seat(me, device)
    return shapes.Me(
        participant=me.id,
        role=me.role,
        seat=me.seat,
        admitted=holder and me.seat is SeatState.PRESENT and not consult.over,
        must_consent=me.role is Role.PATIENT and me.consent is None,
        must_tell_location=me.role is Role.PATIENT and not me.location_told,
        elsewhere=screen == "displaced",
        picture_paused=paused and me.seat is SeatState.PRESENT,
        asks_for_seat=not holder and me.further_device == device,
    )


def _waiting_for(consult: Consult, screen: shapes.Screen) -> Literal["physician", "admission"] | None:
    if screen != "waiting":
        return None
    return "admission" if consult.physician_present else "physician"


def _physician_name(seen: Seen) -> str | None:
    physicians = [p for p in seen.consult.of_role(Role.PHYSICIAN) if p.seat not in BARRED]
    physicians.sort(key=lambda p: p.seat is not SeatState.PRESENT)  # who is here comes first
    return seen.person(physicians[0]).name if physicians else None


def _languages(consult: Consult) -> list[str] | None:
    """The pair as booked; for an interpreter invited later, what patient and physician speak."""
    pair = consult.interpreting
    if pair is not None:
        return [pair.patient, pair.clinician]
    if all(p.seat in BARRED for p in consult.of_role(Role.INTERPRETER)):
        return None
    patient = next(consult.of_role(Role.PATIENT), None)
    physician = next(consult.of_role(Role.PHYSICIAN), None)
    return [patient.language, physician.language] if patient and physician else None


def _language(consult: Consult, person: Participant) -> str:
    """What somebody speaks. An interpreter's pages may be in another: they are here for the patient's."""
    pair = _languages(consult) if person.role is Role.INTERPRETER else None
    return pair[0] if pair else person.language


def _notices(consult: Consult, me: Participant, screen: shapes.Screen) -> list[shapes.NoticeView]:
    notice = _notice(consult)
    if notice is None or not (screen in ("waiting", "check") or me.role in STAFF):
        return []
    return [notice]


def _notice(consult: Consult) -> shapes.NoticeView | None:
    notice = consult.notice
    if notice is None or consult.over:
        return None
    return shapes.NoticeView(kind=notice.kind, minutes=notice.minutes, at=notice.at)


def _can(consult: Consult, me: Participant, device: DeviceId, now: datetime) -> list[shapes.Verb]:
    if not holds_seat(me, device):
        asks = me.further_device == device
        return [] if consult.over or me.seat in BARRED or asks else ["take_seat"]
    return _verbs(rules.allowed(consult, by=SeatHolder(participant=me.id), now=now) & SEAT_VERBS)


def _verbs(verbs: Iterable[str]) -> list[shapes.Verb]:
    wanted = frozenset(verbs)
    return [verb for verb in get_args(shapes.Verb) if verb in wanted]


def _check(checked: Checked | None) -> shapes.DeviceCheck | None:
    if checked is None:
        return None
    return shapes.DeviceCheck(
        camera=checked.camera,
        microphone=checked.microphone,
        speaker=checked.speaker,
        network=checked.network,
    )


def _person(
    seen: Seen, person: Participant, me: Participant, device: DeviceId, now: datetime
) -> shapes.PersonView:
    consult, known = seen.consult, seen.person(person)
    presence = seen.presence.of(person.id)
    staff = me.role in STAFF
    country = known.location_country or known.country
    acting = SeatHolder(participant=me.id)
    may_act = holds_seat(me, device)
    return shapes.PersonView(
        id=person.id,
        role=person.role,
        name=known.name,
        language=_language(consult, person),
        seat=person.seat,
        connected=presence.connection is not None,
        audio_on=presence.audio_on,
        video_on=presence.video_on,
        sharing=consult.sharing == person.id,
        connection_level=presence.connection_level,
        slot=slot_of(person, viewer=me),
        can=_verbs(rules.allowed_on(consult, person, by=acting, now=now)) if may_act else [],
        waiting_since=_waiting_since(person) if staff else None,
        consented=person.consent is not None if staff else None,
        further_device_waiting=staff and person.further_waits,
        identity_confirmed=person.identity_confirmed if staff else None,
        birth_year=known.birth_year if staff else None,
        time_zone=known.time_zone if staff else None,
        country=country if staff else None,
        city=known.city if staff else None,
        location=known.location_text if staff else None,
        emergency_number=seen.clinic.emergency_numbers.get(country or "") if staff else None,
        device_check=_check(presence.device_check) if staff else None,
    )


def _waiting_since(person: Participant) -> datetime | None:
    waits = SeatState.WAITING in (person.seat, person.lost_from)
    return person.arrived_at if waits else None


def board_for(
    day: str,
    rows: Sequence[shapes.BoardRow],
    *,
    viewer: StaffUser,
    time_zone: str,
    revision: int,
    now: datetime,
    desk: DeskView | None = None,
) -> shapes.BoardView:
    """The clinic's day as this member of staff may see it, from the `row_for` of its consults."""
    ordered = sorted(rows, key=lambda row: (row.starts_at, row.consult_id))
    return shapes.BoardView(
        revision=revision,
        server_time=now,
        day=day,
        user=viewer.user,
        role=viewer.role,
        time_zone=time_zone,
        rows=ordered[: shapes.ROWS_MAX],
        desk=desk,
        can=["schedule"] if viewer.role is Role.COORDINATOR else [],
    )


def on_board(consult: Consult, viewer: StaffUser) -> bool:
    """Whether a consult is on this viewer's board: all of the clinic, for an interpreter only their own."""
    if consult.clinic != viewer.clinic:
        return False
    return viewer.role in STAFF or consult.of_user(viewer.user) is not None


def row_for(seen: Seen, viewer: StaffUser, *, now: datetime) -> shapes.BoardRow:
    """One consult of the viewer's clinic as a line of their board. Depends on `now` in nothing it shows."""
    consult = seen.consult
    staff = viewer.role in STAFF
    mine = consult.of_user(viewer.user)
    people = [p for p in consult.participants if p.seat is not SeatState.REVOKED]
    since = [t for p in people if p.role in GUESTS and (t := _waiting_since(p)) is not None]
    return shapes.BoardRow(
        consult_id=consult.id,
        version=consult.version,
        phase=consult.phase,
        starts_at=consult.starts_at,
        ends_at=consult.ends_at,
        opens_at=consult.opens_at,
        started_at=consult.started_at,
        mine=mine is not None,
        my_participant=mine.id if mine is not None else None,
        interpreting=_languages(consult),
        waiting_since=min(since, default=None),
        needs=_needs(consult) if staff else [],
        people=[_board_person(seen, p, viewer, now) for p in people],
        notice=_notice(consult),
        can=_verbs(rules.allowed(consult, by=viewer, now=now) & BOARD_VERBS) if staff else [],
        continued_as=seen.continued_as,
    )


def _needs(consult: Consult) -> list[shapes.Need]:
    """What stands between a waiting patient and admission, and who is awaited."""
    if consult.over:
        return []
    patients = [p for p in consult.of_role(Role.PATIENT) if p.seat in TAKEN]
    waiting = [p for p in patients if _waiting_since(p) is not None]
    further = any(p.further_waits for p in consult.participants)
    interpreters = [p for p in consult.of_role(Role.INTERPRETER) if p.seat not in BARRED]
    found: dict[shapes.Need, bool] = {
        "consent": any(p.consent is None for p in patients),
        "identity": bool(waiting),
        "location": any(not p.location_told for p in patients),
        "further_device": further,
        "physician": bool(patients) and not consult.physician_present,
        "interpreter": bool(patients and interpreters) and not any(p.seat in TAKEN for p in interpreters),
    }
    return [need for need, missing in found.items() if missing]


def _board_person(seen: Seen, person: Participant, viewer: StaffUser, now: datetime) -> shapes.BoardPerson:
    known, presence = seen.person(person), seen.presence.of(person.id)
    staff = viewer.role in STAFF
    may = rules.allowed_on(seen.consult, person, by=viewer, now=now) if staff else frozenset()
    return shapes.BoardPerson(
        id=person.id,
        user=person.user,
        role=person.role,
        name=known.name,
        language=_language(seen.consult, person),
        seat=person.seat,
        connected=presence.connection is not None,
        connection_level=presence.connection_level,
        waiting_since=_waiting_since(person),
        consented=person.consent is not None,
        further_device_waiting=staff and person.further_waits,
        birth_year=known.birth_year if staff else None,
        time_zone=known.time_zone if staff else None,
        country=(known.location_country or known.country) if staff else None,
        city=known.city if staff else None,
        device_check=_check(presence.device_check) if staff else None,
        can=_verbs(may & BOARD_VERBS),
    )
