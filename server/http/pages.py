"""The pages: which typed context each address gives to the renderer."""

from collections.abc import Mapping
from typing import Final, TypedDict
from urllib.parse import quote

from aiohttp import web

from server.http import cookies
from server.http.errors import HttpError
from server.http.identify import consult_id_of, participant_id_of, seat_of, signed_in
from server.http.keys import SERVICES
from server.http.recordings import asked_for
from server.identity.sign_ins import SignedIn
from server.recordings.desk import row_of
from signaling.consult.values import GUESTS, Participant, Role
from signaling.service.consent_texts import reads
from web.catalog import Locale, choose_language, locale_of, page_languages, pages_in
from web.consents import TELEHEALTH, ConsentText, consent_text, recording_languages, recording_texts
from web.pages import (
    BoardPage,
    Clinic,
    Colleague,
    DemoPage,
    DeskPage,
    ErrorKind,
    ErrorPage,
    HelpPage,
    InterpretersPage,
    InvitationPage,
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

COMPRESSED_CHARS_MIN: Final = 1000
# Spoken by patients of the program beside the clinic's own page languages.
MORE_LANGUAGES: Final = (
    "ar-EG",
    "ar-MA",
    "cmn",
    "de",
    "fa",
    "fr",
    "fr-CA",
    "he",
    "hi",
    "hy",
    "id",
    "it",
    "ja",
    "km",
    "ko",
    "pt",
    "ru",
    "tl",
    "tr",
    "uk",
    "ur",
    "vi",
    "yue",
)
BOARD_ROLES: Final = frozenset({"physician", "coordinator"})
_KINDS: Final[dict[int, ErrorKind]] = {401: "forbidden", 403: "forbidden", 404: "not_found", 500: "internal"}
_PAGE_LANGUAGES: Final = page_languages()
_LOCALES: Final = tuple(locale_of(tag) for tag in _PAGE_LANGUAGES)


def home(account_role: str) -> str:
    """Where a member of staff begins."""
    return "/board" if account_role in BOARD_ROLES else "/desk"


def explicit_language(request: web.Request) -> str | None:
    """The page language a person chose: in this address, or on this page earlier."""
    cookie = cookies.language_name(request.path)
    chosen = request.query.get("lang") or (request.cookies.get(cookie[0]) if cookie else None)
    return chosen if chosen in _PAGE_LANGUAGES else None


def language(request: web.Request, invited: str | None = None) -> str:
    return choose_language(explicit_language(request), invited, request.headers.get("Accept-Language"))


class _Common(TypedDict):
    """What every page knows."""

    locale: Locale
    languages: tuple[Locale, ...]
    clinic: Clinic


def _common(request: web.Request, invited: str | None = None) -> _Common:
    tag = language(request, invited)
    clinic = request.app[SERVICES].settings.clinic
    return _Common(
        locale=locale_of(tag),
        languages=_LOCALES,
        clinic=Clinic(name=clinic.name, phone=clinic.phone, zone=zone(clinic.time_zone, tag)),
    )


def _answer(request: web.Request, page: Page, *, status: int = 200) -> web.Response:
    services = request.app[SERVICES]
    text = services.front.renderer.render(page)
    response = web.Response(text=text, content_type="text/html", status=status)
    if len(text) >= COMPRESSED_CHARS_MIN and "gzip" in request.headers.get("Accept-Encoding", ""):
        # Safe from BREACH: a page holds no secret (cookies, tickets and links are never in one), and the only
        # text of a request in any page is where to go after signing in. JSON may hold secrets: it is short
        # and goes as it is.
        response.enable_compression(web.ContentCoding.gzip)
    cookie, chosen = cookies.language_name(request.path), request.query.get("lang")
    if cookie is not None and chosen in _PAGE_LANGUAGES:
        response.set_cookie(
            cookie[0],
            chosen,
            max_age=cookies.LANGUAGE_MAX_AGE_S,
            path=cookie[1],
            secure=services.site.secure,
            httponly=True,
            samesite="Lax",
        )
    response.headers["Vary"] = "Accept-Encoding, Accept-Language, Cookie"
    return response


def error_page(request: web.Request, error: HttpError, support_id: str | None) -> web.Response:
    common = _common(request)
    page = ErrorPage(
        **common,
        kind="busy" if error.status in (429, 503) else _KINDS.get(error.status, "bad_request"),
        support_id=support_id,
    )
    return _answer(request, page, status=error.status)


async def landing(request: web.Request) -> web.StreamResponse:
    who = await signed_in(request)
    if who is not None:
        raise web.HTTPSeeOther(home(who.account.role))
    common = _common(request)
    return _answer(request, LandingPage(**common))


async def help_page(request: web.Request) -> web.StreamResponse:
    common = _common(request)
    return _answer(request, HelpPage(**common))


async def invitation(request: web.Request) -> web.StreamResponse:
    """The secret is in the fragment, which browsers do not send: opening this page uses nothing up."""
    common = _common(request)
    page = InvitationPage(**common, language_chosen=explicit_language(request) is not None)
    return _answer(request, page)


async def demo(request: web.Request) -> web.StreamResponse:
    common = _common(request)
    return _answer(request, DemoPage(**common))


async def sign_in(request: web.Request) -> web.StreamResponse:
    wanted = request.query.get("next", "")
    ours = wanted if wanted.startswith("/") and not wanted.startswith(("//", "/\\")) else None
    common = _common(request)
    page = SignInPage(**common, next_path=ours)
    return _answer(request, page)


def _consent(role: str, tag: str) -> ConsentText | None:
    """What a patient or companion has to agree to; staff and interpreters agree to nothing here."""
    return consent_text(TELEHEALTH, tag) if role in ("patient", "companion") else None


def _recording_texts(participant: Participant, tag: str, *, unreviewed: bool) -> Mapping[str, ConsentText]:
    """What this person may agree to on this page: a guest only to what is in their own language."""
    if participant.role in GUESTS and not reads(participant.language, tag):
        return {}
    return recording_texts(tag, unreviewed=unreviewed)


async def seat(request: web.Request) -> web.StreamResponse:
    """One person's page in one consult. Whoever lacks the seat's cookie does not learn whether it exists."""
    services = request.app[SERVICES]
    held = await seat_of(request, consult_id_of(request), participant_id_of(request))
    consult = await services.consults.load(held.consult_id) if held else None
    participant = consult.participant(held.participant_id) if consult and held else None
    if held is None or participant is None:
        raise HttpError("not_found")
    directory = await services.consults.directory(held.consult_id)
    person = directory.get(participant.id)
    common = _common(request, held.language)
    unreviewed = services.settings.recording.unreviewed_texts
    page = SeatPage(
        **common,
        consult_id=held.consult_id,
        participant_id=held.participant_id,
        role=participant.role.value,
        consent=_consent(participant.role.value, common["locale"].tag),
        country=person.country if person else None,
        countries=countries(common["locale"].tag),
        recording_texts=_recording_texts(participant, common["locale"].tag, unreviewed=unreviewed),
        recording_languages=(
            recording_languages(unreviewed=unreviewed) if participant.role is Role.PHYSICIAN else {}
        ),
    )
    return _answer(request, page)


async def _staff_page(request: web.Request) -> tuple[SignedIn, _Common, StaffUser]:
    who = await signed_in(request)
    if who is None:
        raise web.HTTPSeeOther(f"/signin?next={quote(request.path)}")
    account = who.account
    common = _common(request, account.language)
    return who, common, StaffUser(id=account.user_id, name=account.name, role=account.role)


async def board(request: web.Request) -> web.StreamResponse:
    who, common, user = await _staff_page(request)
    if who.account.role not in BOARD_ROLES:
        raise web.HTTPSeeOther(home(who.account.role))
    page = BoardPage(**common, user=user)
    return _answer(request, page)


async def desk(request: web.Request) -> web.StreamResponse:
    who, common, user = await _staff_page(request)
    if who.account.role in BOARD_ROLES:
        raise web.HTTPSeeOther(home(who.account.role))
    page = DeskPage(**common, user=user)
    return _answer(request, page)


async def interpreters(request: web.Request) -> web.StreamResponse:
    services = request.app[SERVICES]
    who, common, user = await _staff_page(request)
    if who.account.role != "coordinator":
        raise web.HTTPSeeOther(home(who.account.role))
    tags = [*services.settings.clinic.languages, *MORE_LANGUAGES]
    named = {tag: language_name(tag, common["locale"].tag) for tag in tags}
    page = InterpretersPage(
        **common, user=user, spoken=sorted(named.items(), key=lambda one: one[1].casefold())
    )
    return _answer(request, page)


async def recordings(request: web.Request) -> web.StreamResponse:
    who, common, user = await _staff_page(request)
    if who.account.role not in BOARD_ROLES:
        raise web.HTTPSeeOther(home(who.account.role))
    page = RecordingsPage(**common, user=user)
    return _answer(request, page)


async def recording(request: web.Request) -> web.StreamResponse:
    """What is known of a recording before it is opened. Whoever may not see it gets no other answer than for
    one that does not exist."""
    services = request.app[SERVICES]
    who, common, user = await _staff_page(request)
    if who.account.role not in BOARD_ROLES:
        raise web.HTTPSeeOther(home(who.account.role))
    mine = await asked_for(request)
    names = {one.user_id: one.name for one in await services.accounts.of_clinic(who.account.clinic_id)}
    page = RecordingPage(**common, user=user, recording=row_of(mine.me, mine.found, names))
    return _answer(request, page)


async def new_consult(request: web.Request) -> web.StreamResponse:
    services = request.app[SERVICES]
    who, common, user = await _staff_page(request)
    if who.account.role != "coordinator":
        raise web.HTTPSeeOther(home(who.account.role))
    colleagues = await services.accounts.of_clinic(who.account.clinic_id)
    chosen = {
        role: tuple(
            Colleague(id=one.user_id, name=one.name, languages=one.languages)
            for one in colleagues
            if one.role == role
        )
        for role in ("physician", "interpreter")
    }
    page = NewConsultPage(
        **common,
        user=user,
        physicians=chosen["physician"],
        interpreters=chosen["interpreter"],
        patient_languages=[
            (tag, language_name(tag, common["locale"].tag), pages_in(tag))
            for tag in services.settings.clinic.languages
        ],
        countries=countries(common["locale"].tag),
    )
    return _answer(request, page)
