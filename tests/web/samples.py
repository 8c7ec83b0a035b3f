"""Made-up people, consults and one page of every kind, for tests of pages."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from signaling.consult.ids import ConsultId, ParticipantId, UserId
from signaling.consult.values import Phase, Role, SeatState
from signaling.protocol.shapes import BoardPerson, BoardRow, BoardView, DeviceCheck, Verb
from tests.web import recording_samples
from web.catalog import locale_of, page_languages, pages_in
from web.consents import TELEHEALTH, consent_text
from web.pages import (
    BoardPage,
    Clinic,
    Colleague,
    DemoPage,
    DeskPage,
    ErrorPage,
    HelpPage,
    InterpretersPage,
    InvitationPage,
    InvitationPreview,
    InvitationState,
    LandingPage,
    NewConsultPage,
    Page,
    RecordingPage,
    RecordingsPage,
    SeatPage,
    SignInPage,
    StaffUser,
)
from web.places import countries, language_name, zone

PHYSICIAN = StaffUser(id="u1", name="Dr. Elena Marlowe", role="physician")
COORDINATOR = StaffUser(id="u2", name="Jonas Weber", role="coordinator")
INTERPRETER = StaffUser(id="u3", name="Karim Haddad", role="interpreter")
SECRET = "a" * 43


def clinic(tag: str) -> Clinic:
    return Clinic(name="Cedars-Sinai", phone="+1 310 555 0142", zone=zone("America/Los_Angeles", tag))


def pages(tag: str) -> Mapping[str, Page]:
    """One page of every kind in a language, by the path a test opens it at."""
    common: Any = {
        "locale": locale_of(tag),
        "languages": tuple(locale_of(one) for one in page_languages()),
        "clinic": clinic(tag),
    }
    people = (Colleague(id="u3", name="Karim Haddad", languages=("ar", "en")),)
    doctors = (Colleague(id="u1", name="Dr. Elena Marlowe"), Colleague(id="u4", name="Dr. Ama Boateng"))
    languages = [(one, language_name(one, tag), pages_in(one)) for one in ("ar", "en", "es", "zh-Hans")]
    return {
        "/": LandingPage(**common),
        "/help": HelpPage(**common),
        "/v": InvitationPage(**common),
        "/signin": SignInPage(**common, next_path="/board"),
        "/board": BoardPage(**common, user=PHYSICIAN),
        "/board-coordinator": BoardPage(**common, user=COORDINATOR),
        "/board/new": NewConsultPage(
            **common,
            user=COORDINATOR,
            physicians=doctors,
            interpreters=people,
            patient_languages=languages,
            countries=countries(tag),
        ),
        "/board/interpreters": InterpretersPage(
            **common,
            user=COORDINATOR,
            spoken=[(one, language_name(one, tag)) for one in ("ar", "en", "es", "yue", "zh-Hans")],
        ),
        "/recordings": RecordingsPage(**common, user=PHYSICIAN),
        f"/recordings/{recording_samples.ID}": RecordingPage(
            **common, user=PHYSICIAN, recording=recording_samples.row()
        ),
        f"/recordings/{recording_samples.ASKED_ID}": RecordingPage(
            **common, user=PHYSICIAN, recording=recording_samples.asked_row()
        ),
        f"/recordings/{recording_samples.FOREIGN_ID}": RecordingPage(
            **common,
            user=PHYSICIAN,
            recording=recording_samples.row(recording_samples.FOREIGN_ID, may=recording_samples.MAY_BREAK),
        ),
        f"/recordings/{recording_samples.TORN_ID}": RecordingPage(
            **common,
            user=COORDINATOR,
            recording=recording_samples.row(recording_samples.TORN_ID, may=recording_samples.MAY_CARE),
        ),
        "/desk": DeskPage(**common, user=INTERPRETER),
        "/demo": DemoPage(**common),
        "/error/not_found": ErrorPage(**common, kind="not_found"),
        "/error/forbidden": ErrorPage(**common, kind="forbidden"),
        "/error/bad_request": ErrorPage(**common, kind="bad_request"),
        "/error/busy": ErrorPage(**common, kind="busy"),
        "/error/internal": ErrorPage(**common, kind="internal", support_id="7F3K-22QD"),
        "/c/consult/patient": SeatPage(
            **common,
            consult_id="consult",
            participant_id="patient",
            role="patient",
            consent=consent_text(TELEHEALTH, tag),
            country="KW",
            countries=countries(tag),
        ),
    }


def interpreters(now: datetime) -> dict[str, Any]:
    """The answer of POST /api/interpreters: a register of two, somebody else, a shift, some counts."""
    karim = {
        "user": "u3",
        "name": "Karim Haddad",
        "number": "40718",
        "agency": "",
        "pairs": [["ar", "en"], ["en", "ar"]],
        "vetted": True,
        "qualification": "CCHI",
        "gender": "male",
        "camera": True,
        "availability": "available",
        "excluded": [],
    }
    nadia = karim | {"user": "u5", "name": "Nadia Sabbagh", "number": "71204", "agency": "Lingua"}
    counts = {"connected": 12, "abandoned": 1, "by_phone": 1, "rings": 31, "minutes": 204.5, "stars": 4.5}
    return {
        "now": now.isoformat(),
        "register": [karim, nadia | {"vetted": False, "qualification": "", "availability": "on_break"}],
        "interpreters": [
            {"id": "u3", "name": "Karim Haddad"},
            {"id": "u5", "name": "Nadia Sabbagh"},
            {"id": "u6", "name": "Chen Meilin"},
        ],
        "physicians": [{"id": "u1", "name": "Dr. Elena Marlowe"}],
        "shifts": [
            {
                "shift": "s1",
                "user": "u3",
                "starts_at": (now - timedelta(hours=1)).isoformat(),
                "ends_at": (now + timedelta(hours=7)).isoformat(),
            }
        ],
        "counts": {
            "languages": [
                {"language": "ar", "searches": 13, "p50_s": 11.5, "p90_s": 38.0, **counts},
                {"language": "yue", "searches": 4, "p50_s": None, "p90_s": None, **counts},
            ],
            "signals": {"repeat": 3, "slower": 5},
        },
    }


def preview(state: InvitationState, now: datetime, tag: str) -> InvitationPreview:
    """An invitation of a patient in Kuwait, 26 minutes before it begins (or as its state says)."""
    minutes = {"too_early": 60 * 27, "ended": -90, "no_show": -90}.get(state, 26)
    starts = (now + timedelta(minutes=minutes)).replace(second=0, microsecond=0)
    there, here = zone("Asia/Kuwait", tag), zone("America/Los_Angeles", tag)
    return InvitationPreview(
        state=state,
        role="patient",
        physician_name="Dr. Elena Marlowe",
        interpreter=True,
        starts_at=starts.isoformat(),
        ends_at=(starts + timedelta(minutes=30)).isoformat(),
        opens_at=(starts - timedelta(minutes=30)).isoformat(),
        zone={"id": there.id, "city": there.city},
        clinic_zone={"id": here.id, "city": here.city},
        language=tag,
    )


def person(role: Role, name: str, seat: SeatState, **more: Any) -> BoardPerson:
    given: dict[str, Any] = {
        "language": "en",
        "connected": seat not in (SeatState.INVITED, SeatState.LOST),
        "connection_level": "good",
        "consented": False,
        "further_device_waiting": False,
        "can": [],
    }
    return BoardPerson(id=ParticipantId(f"p-{role.value}"), role=role, name=name, seat=seat, **(given | more))


def row(
    index: int, now: datetime, phase: Phase, in_min: int, people: list[BoardPerson], **more: Any
) -> BoardRow:
    starts = (now + timedelta(minutes=in_min)).replace(second=0, microsecond=0)
    waits = [one.waiting_since for one in people if one.seat is SeatState.WAITING and one.waiting_since]
    given: dict[str, Any] = {
        "mine": True,
        "my_participant": "p-physician",
        "interpreting": None,
        "needs": [],
        "can": ["send_notice", "invite", "reschedule", "cancel"],
    }
    return BoardRow(
        consult_id=ConsultId(f"consult-{index}"),
        version=index,
        phase=phase,
        starts_at=starts,
        ends_at=starts + timedelta(minutes=30),
        opens_at=starts - timedelta(minutes=30),
        waiting_since=min(waits, default=None),
        people=people,
        **(given | more),
    )


def rows(now: datetime) -> list[BoardRow]:
    """A morning: three wait, one is in a consult, others are over or still to come."""
    admit: list[Verb] = ["admit", "decline"]
    doctor = person(Role.PHYSICIAN, "Dr. Elena Marlowe", SeatState.INVITED, user="u1")
    here = person(Role.PHYSICIAN, "Dr. Elena Marlowe", SeatState.PRESENT, user="u1")
    other = person(Role.PHYSICIAN, "Dr. Ama Boateng", SeatState.PRESENT, user="u4")
    kuwait = {"time_zone": "Asia/Kuwait", "country": "KW", "city": "Kuwait City", "language": "ar"}
    mexico = {"time_zone": "America/Mexico_City", "country": "MX", "city": "Mexico City", "language": "es"}
    china = {"time_zone": "Asia/Shanghai", "country": "CN", "city": "Guangzhou", "language": "zh-Hans"}
    good = DeviceCheck(camera="ok", microphone="ok", speaker="ok", network="ok")
    mute = DeviceCheck(camera="ok", microphone="denied", speaker="ok", network="ok")

    def since(minutes: int) -> dict[str, Any]:
        return {"waiting_since": now - timedelta(minutes=minutes), "can": admit}

    salma = person(
        Role.PATIENT, "Salma Al-Rashidi", SeatState.WAITING, birth_year=1959, consented=True,
        device_check=good, **(kuwait | since(12) | {"connection_level": "fair"}),
    )  # fmt: skip
    tomas = person(
        Role.PATIENT, "Tomás Echeverría", SeatState.WAITING, birth_year=1968, device_check=good,
        **mexico, **since(4),
    )  # fmt: skip
    aylin = person(
        Role.PATIENT, "Wei Lanying", SeatState.WAITING, birth_year=1951, device_check=mute, consented=True,
        **china, **since(1),
    )  # fmt: skip
    karim = person(Role.INTERPRETER, "Karim Haddad", SeatState.WAITING, language="ar", user="u3", **since(9))
    lucia = person(Role.INTERPRETER, "Lucía Andrade", SeatState.INVITED, language="es")
    huda = person(Role.COMPANION, "Huda Al-Rashidi", SeatState.INVITED, language="ar")
    mai = person(Role.PATIENT, "Hoàng Thị Mai", SeatState.LEFT, birth_year=1980, time_zone="Asia/Ho_Chi_Minh",
                 country="VN", city="Hanoi", language="vi")  # fmt: skip
    rafael = person(Role.PATIENT, "Rafael Quintana", SeatState.PRESENT, birth_year=1974,
                    time_zone="America/Sao_Paulo", country="BR", city="São Paulo", language="pt")  # fmt: skip
    omar = person(
        Role.PATIENT,
        "Omar Al-Sabah",
        SeatState.INVITED,
        birth_year=1990,
        can=["revoke_invitation", "renew_invitation"],
        **kuwait,
    )
    return [
        row(1, now, Phase.ENDED, -120, [doctor, mai], can=[]),
        row(2, now, Phase.IN_PROGRESS, -16, [other, rafael, lucia], mine=False, my_participant=None,
            started_at=now - timedelta(minutes=14), can=["cover"]),
        row(3, now, Phase.WAITING, -6, [here, salma, karim, huda], interpreting=["ar", "en"]),
        row(4, now, Phase.WAITING, 12, [doctor, tomas, lucia], interpreting=["es", "en"], needs=["consent"]),
        row(5, now, Phase.WAITING, 40, [other, aylin], mine=False, my_participant=None,
            can=["cover", "send_notice"]),
        row(6, now, Phase.CANCELLED, 90, [doctor, omar], can=[]),
        row(7, now, Phase.SCHEDULED, 300, [doctor, omar, karim.model_copy(update={"seat": SeatState.INVITED,
            "waiting_since": None})], interpreting=["ar", "en"]),
    ]  # fmt: skip


def board(
    now: datetime, *, some: bool, user: StaffUser = PHYSICIAN, day: str | None = None
) -> dict[str, Any]:
    """A board as it goes over the wire."""
    every = rows(now)
    view = BoardView(
        revision=1,
        server_time=now,
        day=day or now.astimezone(ZoneInfo("America/Los_Angeles")).date().isoformat(),
        user=UserId(user.id),
        role=Role(user.role),
        time_zone="America/Los_Angeles",
        rows=every if some else [one for one in every if one.phase in (Phase.ENDED, Phase.SCHEDULED)],
        can=["schedule"] if user.role == "coordinator" else [],
    )
    return view.model_dump(mode="json")


NOW = datetime(2026, 11, 24, 16, 24, tzinfo=UTC)
