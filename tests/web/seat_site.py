"""A made-up consult behind the seat page: real pages and scripts, and views that a test sends."""

import contextlib
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any, Final, cast

import socketio
from aiohttp import web

from server.http.headers import security_headers
from server.http.origin import Site
from tests.web.samples import clinic
from web.catalog import locale_of, page_languages
from web.consents import TELEHEALTH, consent_text, recording_languages, recording_texts
from web.pages import SeatPage, SeatRole
from web.places import countries
from web.render import DIST, Renderer

AT: Final = "2026-11-24T16:30:00Z"
TICKET: Final = "ticket-for-one-connection"
NAMES: Final = {
    "physician": "Dr. Elena Marlowe",
    "patient": "Salma Al-Rashidi",
    "interpreter": "Karim Haddad",
}
SPOKEN: Final = {"physician": "en", "patient": "ar", "interpreter": "ar"}
CAN: Final = {
    "physician": ("leave", "end", "extend", "request_interpreter", "send_message", "set_media"),
    "patient": ("leave", "send_message", "set_media"),
    "interpreter": ("leave", "send_message", "set_media"),
}
Answers = Mapping[str, str | None]


def recording(
    state: str, answers: Answers, *, me: str, why: str | None = None, no: int = 1
) -> dict[str, Any]:
    """`ConsultView.recording` as one role sees it; answers by role."""
    return {
        "id": f"recording-{no}",
        "no": no,
        "what": "video",
        "state": state,
        "why": why,
        "since": AT,
        "begun": state != "asked",
        "mine": answers.get(me),
        "answers": [{"participant": one, "answer": answer} for one, answer in answers.items()],
    }


def verbs(role: str, recorded: Mapping[str, Any] | None) -> tuple[str, ...]:
    """What the rules would let this role do about the recording."""
    if recorded is None or recorded["state"] == "stopped":
        return ("ask_recording",) if role == "physician" else ()
    can: tuple[str, ...] = ("stop_recording",) if role == "physician" else ()
    can += () if recorded["mine"] == "agreed" else ("agree_to_recording",)
    return can + (("refuse_recording",) if recorded["mine"] in (None, "agreed") else ())


def person(role: str, spoken: str) -> dict[str, Any]:
    empty = ("waiting_since", "consented", "identity_confirmed", "birth_year", "time_zone", "country", "city")
    return dict.fromkeys((*empty, "location", "emergency_number", "device_check")) | {
        "id": role,
        "role": role,
        "name": NAMES[role],
        "language": spoken,
        "seat": "present",
        "connected": True,
        "audio_on": True,
        "video_on": False,
        "sharing": False,
        "connection_level": "good",
        "slot": None,
        "can": [],
        "further_device_waiting": False,
    }


def view(
    role: str,
    recorded: Mapping[str, Any] | None = None,
    *,
    screen: str = "room",
    people: Sequence[str] = ("physician", "patient", "interpreter"),
    spoken: Mapping[str, str] = SPOKEN,
) -> dict[str, Any]:
    """A consult view for this role; without what this page does not read."""
    nothing = (
        "ended_at",
        "waiting_for",
        "interpreting",
        "search",
        "session",
        "case",
        "sharing",
        "continued_as",
    )
    inside = screen == "room"
    return dict.fromkeys((*nothing, "continued_as")) | {
        "type": "consult_view",
        "consult_id": "consult",
        "version": 1,
        "presence_rev": 1,
        "server_time": AT,
        "phase": "in_progress",
        "screen": screen,
        **dict.fromkeys(("starts_at", "ends_at", "opens_at", "started_at"), AT),
        "me": {
            "participant": role,
            "role": role,
            "seat": "present" if inside else "waiting",
            "admitted": inside,
            **dict.fromkeys(("must_consent", "must_tell_location", "elsewhere", "asks_for_seat"), False),
            "picture_paused": False,
        },
        "physician_name": NAMES["physician"],
        "interpreter_booked": True,
        "recording": recorded,
        "hearing": [],
        "interpreted": False,
        "notices": [],
        "people": [person(one, spoken[one]) for one in people] if inside else [],
        "separated": False,
        "chat_seq": 0,
        "can": [*(CAN[role] if inside else ()), *(verbs(role, recorded) if inside else ())],
        "clinic_name": "Clinic",
        "clinic_phone": "",
    }


class Consult:
    """What the made-up server shows and was told. `online` False: it lets nobody connect."""

    def __init__(self) -> None:
        self.now: dict[str, Any] = {}
        self.sent: list[dict[str, Any]] = []
        self.refusal: str | None = None
        self.online = True
        self.texts = True
        self.channel = socketio.AsyncServer(async_mode="aiohttp", cors_allowed_origins=[])
        self.channel.on("connect", self._connect)
        self.channel.on("message", self._message)
        self._sids: set[str] = set()

    def of(self, kind: str) -> list[dict[str, Any]]:
        return [one for one in self.sent if one["type"] == kind]

    async def show(self, shown: Mapping[str, Any]) -> None:
        """Send this view, as newer than the one before."""
        self.now = {**shown, "version": self.now.get("version", 0) + 1}
        await self.channel.emit("message", self.now)

    async def cut(self) -> None:
        """The server is gone for this page."""
        self.online = False
        for sid in list(self._sids):
            await self.channel.disconnect(sid)

    async def _connect(self, sid: str, _environ: dict[str, Any], auth: dict[str, str]) -> bool:
        if not self.online or auth["ticket"] != TICKET:
            return False
        self._sids.add(sid)
        self.channel.start_background_task(self.channel.emit, "message", self.now, to=sid)
        return True

    async def _message(self, _sid: str, data: dict[str, Any]) -> dict[str, Any]:
        self.sent.append(data)
        if data["type"] == "connect_media":
            return {"type": "refusal", "code": "media_unavailable", "support_id": None}
        if self.refusal:
            return {"type": "refusal", "code": self.refusal, "support_id": None}
        return {"type": "accepted", "version": 2, "consult_id": None, "participant": None, "invitations": []}

    def page(self, role: str, tag: str) -> SeatPage:
        return SeatPage(
            locale=locale_of(tag),
            languages=tuple(locale_of(one) for one in page_languages()),
            clinic=clinic(tag),
            consult_id="consult",
            participant_id=role,
            role=cast("SeatRole", role),
            consent=consent_text(TELEHEALTH, tag) if role == "patient" else None,
            country="KW",
            countries=countries(tag),
            recording_texts=recording_texts(tag, unreviewed=self.texts),
            recording_languages=recording_languages(unreviewed=True) if role == "physician" else {},
        )


def application(consult: Consult, origin: str) -> web.Application:
    renderer, headers = Renderer.load(), security_headers(Site(origins=(origin,)))
    app = web.Application()

    async def page(request: web.Request) -> web.Response:
        found = consult.page(request.match_info["role"], request.query.get("lang", "en"))
        return web.Response(text=renderer.render(found), content_type="text/html")

    async def ticket(_request: web.Request) -> web.Response:
        return web.json_response({"ticket": TICKET, "expires_in_s": 30})

    async def healthz(_request: web.Request) -> web.Response:
        return web.json_response({})

    async def add_headers(_request: web.Request, response: web.StreamResponse) -> None:
        response.headers.update(headers)

    app.on_response_prepare.append(add_headers)
    app.router.add_static("/static", DIST)
    app.router.add_get("/healthz", healthz)
    app.router.add_post("/api/ticket", ticket)
    app.router.add_get("/c/consult/{role}", page)
    consult.channel.attach(app)
    return app


@contextlib.asynccontextmanager
async def seat_site(port: int) -> AsyncIterator[tuple[str, Consult]]:
    """The site's origin and its consult, until the block ends."""
    consult = Consult()
    origin = f"http://127.0.0.1:{port}"
    runner = web.AppRunner(application(consult, origin), shutdown_timeout=0.1)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", port).start()
        yield origin, consult
    finally:
        await runner.cleanup()
