"""Recordings over HTTP: the list, opening one, its media, handing it out.

Whatever shows or gives out anything is in the audit log before the first byte of it.
"""

import re
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, contextmanager
from dataclasses import dataclass
from typing import Annotated, Final

from aiohttp import web
from pydantic import StringConstraints

from server.http import body, cookies
from server.http.errors import HttpError
from server.http.identify import staff
from server.http.keys import SERVICES
from server.identity.accounts import Account
from server.identity.random_values import hashed, new_id
from server.logs import logger
from server.recordings import timeline
from server.recordings.access import Purpose, Right, is_reason
from server.recordings.care import NotNowError, entry_of
from server.recordings.desk import Desk, may, rights_of, row_of
from server.recordings.grants import Opening
from server.recordings.names import hex_of
from server.recordings.store import Recorded
from server.recordings.vault import Answer
from server.vault.client import VaultState, VaultUnavailableError
from signaling.consult.ids import RecordingId

REASON_CHARS_MAX: Final = 500
ROLES: Final = frozenset({"physician", "coordinator"})
GRANT_CHARS_MAX: Final = 64
# What of the vault's answer reaches the browser.
PASSED_ON: Final = ("Content-Type", "Content-Length", "Content-Range", "Accept-Ranges")
Reason = Annotated[str, StringConstraints(strip_whitespace=True, max_length=REASON_CHARS_MAX)]

_VIEW: Final = re.compile(r"[ps][0-9]{1,2}")

log = logger("recordings")


class Nothing(body.Body):
    """No fields."""


class OpenBody(body.Body):
    """Why a recording is opened."""

    purpose: Purpose
    reason: Reason = ""
    break_glass: bool = False


class AlertBody(body.Body):
    """Somebody has looked at an alert."""

    alert: body.Id


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A member of staff and the recording they ask for; `rights` are not empty."""

    desk: Desk
    me: Account
    sign_in: str
    found: Recorded
    rights: frozenset[Right]

    @property
    def name(self) -> str:
        """The recording in hex."""
        return hex_of(self.found.id)


async def viewer(request: web.Request) -> Account:
    """The physician or coordinator who is signed in, or `not_permitted`."""
    account = (await staff(request)).account
    if account.role not in ROLES:
        raise HttpError("not_permitted", "recordings are for physicians and coordinators")
    return account


async def asked_for(request: web.Request) -> Asked:
    """Who asks for which recording. One of another clinic is `not_found`, and that is written down."""
    services = request.app[SERVICES]
    desk = services.recordings
    me = await viewer(request)
    found = await desk.store.one(RecordingId(request.match_info["recording_id"]))
    if found is None:
        raise HttpError("not_found")
    cookie = cookies.read(request, services.site, cookies.STAFF) or ""
    mine = Asked(desk=desk, me=me, sign_in=hashed(cookie), found=found, rights=rights_of(me, found))
    if not mine.rights:
        await _write_refused(mine, "see")
        raise HttpError("not_found")
    return mine


async def need(mine: Asked, right: Right) -> None:
    """Refuse what is not their right, and write that down."""
    if right not in mine.rights:
        await _write_refused(mine, right.value)
        raise HttpError("not_permitted", f"no right to {right.value.replace('_', ' ')}")


async def _write_refused(mine: Asked, wanted: str) -> None:
    entry = entry_of("recording.refused", mine.found, mine.me, outcome="refused", body={"wanted": wanted})
    await mine.desk.audit.record(entry)


# --- the list ---------------------------------------------------------------------------------------------


async def overview(request: web.Request) -> web.StreamResponse:
    """The clinic's recordings; for coordinators, also who opened one without a part in its consult."""
    services = request.app[SERVICES]
    desk = services.recordings
    me = await viewer(request)
    await body.read(request, Nothing)
    names = {one.user_id: one.name for one in await services.accounts.of_clinic(me.clinic_id)}
    rows = [row_of(me, found, names) for found in await desk.store.of_clinic(me.clinic_id)]
    alerts = await desk.care.alerts(me.clinic_id) if me.role == "coordinator" else ()
    return web.json_response(
        {
            "rows": rows,
            "alerts": [
                {
                    "alert": one.id,
                    "recording_id": one.recording,
                    "who": one.who,
                    "at": one.at.isoformat(),
                    "reason": one.reason,
                }
                for one in alerts
            ],
        }
    )


async def acknowledge(request: web.Request) -> web.StreamResponse:
    """A coordinator has looked at an alert."""
    services = request.app[SERVICES]
    me = await viewer(request)
    if me.role != "coordinator":
        raise HttpError("not_permitted", "a coordinator looks at alerts")
    wanted = await body.read(request, AlertBody)
    now = services.clock.now()
    if not await services.recordings.care.acknowledge(wanted.alert, by=me, now=now):
        raise HttpError("not_found")
    return web.json_response({})


# --- opening ----------------------------------------------------------------------------------------------


async def open_one(request: web.Request) -> web.StreamResponse:
    """Open a recording for a purpose: its manifest and a grant for its media, or how far preparing is."""
    services = request.app[SERVICES]
    mine = await asked_for(request)
    wanted = await body.read(request, OpenBody)
    breaks = Right.PLAY not in mine.rights and wanted.break_glass
    await need(mine, Right.BREAK_GLASS if breaks else Right.PLAY)
    if breaks and not is_reason(wanted.reason):
        raise HttpError("bad_request", "reason: say why it cannot wait")
    if (why := unready(mine.found)) is not None:
        return web.json_response({"state": "failed", "code": why})
    opening = Opening(
        recording=mine.found.id,
        sign_in=mine.sign_in,
        kind="play",
        purpose=wanted.purpose,
        break_glass=breaks,
    )
    if not mine.desk.grants.is_waiting(opening):
        await _write_opened(request, mine, wanted, breaks=breaks)
        mine.desk.grants.wait(opening)
    answer = await prepared(mine)
    if answer.state == "failed":
        return web.json_response({"state": "failed", "code": answer.code})
    if answer.state != "ready":
        return web.json_response({"state": "preparing", "done": answer.done})
    manifest = answer.manifest
    events = await services.consults.events(mine.found.consult)
    lines = timeline.timeline(
        events,
        mine.found.people,
        recording=mine.found.id,
        epoch_ms=manifest["epoch_ms"],
        parts=manifest["parts"],
    )
    return web.json_response(
        {
            "state": "ready",
            "manifest": manifest,
            "people": timeline.people(mine.found.people),
            "timeline": lines,
            "consents": timeline.consents(
                events, mine.found.people, recording=mine.found.id, what=mine.found.what
            ),
            "may": may(mine.me, mine.found),
            "grant": mine.desk.grants.give(opening),
            "keep_until": mine.found.keep_until.isoformat() if mine.found.keep_until else None,
            "held": mine.found.held,
        }
    )


def unready(found: Recorded) -> str | None:
    """Why nothing of it can be shown whoever asks; a code of the page."""
    if found.is_gone:
        return "destroyed"
    return None if found.is_over else "running"


async def _write_opened(request: web.Request, mine: Asked, wanted: OpenBody, *, breaks: bool) -> None:
    if not breaks:
        entry = entry_of(
            "recording.opened", mine.found, mine.me, purpose=wanted.purpose, reason=wanted.reason
        )
        await mine.desk.audit.record(entry)
        return
    try:
        await mine.desk.care.break_glass(
            mine.found.id,
            alert=new_id(),
            by=mine.me,
            purpose=wanted.purpose,
            reason=wanted.reason,
            now=request.app[SERVICES].clock.now(),
        )
    except NotNowError as error:
        raise HttpError("not_now", error.why) from None
    log.warning("a recording was opened by a physician without a part in its consult")


async def prepared(mine: Asked) -> VaultState:
    """The vault's answer; what it found out about the files is written down when that is new."""
    parts = [part.as_json() for part in mine.found.parts]
    with answering():
        answer = await mine.desk.vault.prepare(mine.name, parts)
    status = answer.manifest["status"] if answer.state == "ready" else answer.code
    if status in ("complete", "torn", "tampered", "missing") and status != mine.found.status:
        await _write_status(mine, status)
    return answer


@contextmanager
def answering() -> Iterator[None]:
    """A vault that does not answer can be asked again."""
    try:
        yield
    except VaultUnavailableError:
        raise HttpError("busy", "the vault does not answer") from None


async def _write_status(mine: Asked, status: str) -> None:
    outcome = "ok" if status in ("complete", "torn") else status
    await mine.desk.audit.record(
        entry_of("recording.verified", mine.found, mine.me, outcome=outcome, body={"status": status})
    )
    await mine.desk.store.found(mine.found.id, status)
    if outcome != "ok":
        log.error("the files of a recording are not what they were", status=status)


# --- media ------------------------------------------------------------------------------------------------


async def view(request: web.Request) -> web.StreamResponse:
    """The bytes of one view, from where the Range says; `download=1` with a grant of an export."""
    mine = await asked_for(request)
    name = request.match_info["view"]
    if _VIEW.fullmatch(name) is None:
        raise HttpError("not_found")
    opening = await granted(request, mine)
    await write_fetched(request, mine, opening, name)
    file_name = file_name_of(mine.found, name) if opening.kind == "export" else None
    return await pass_on(request, mine, name, file_name)


async def granted(request: web.Request, mine: Asked) -> Opening:
    """What the grant in the address was given for; it must still be their right, and still be there."""
    secret = request.query.get("grant", "")[:GRANT_CHARS_MAX]
    opening = mine.desk.grants.find(secret, recording=mine.found.id, sign_in=mine.sign_in)
    if opening is None:
        raise HttpError("not_permitted", "open it again")
    if unready(mine.found) is not None:
        raise HttpError("not_now", "destroyed")
    if opening.kind == "export":
        await need(mine, Right.EXPORT)
    else:
        await need(mine, Right.BREAK_GLASS if opening.break_glass else Right.PLAY)
    return opening


async def write_fetched(request: web.Request, mine: Asked, opening: Opening, name: str) -> None:
    """One entry for each view of an opening; seeking in it writes no more."""
    secret = request.query["grant"]
    if not mine.desk.grants.is_first(secret, name):
        return
    kind = "recording.downloaded" if opening.kind == "export" else "recording.played"
    entry = entry_of(kind, mine.found, mine.me, purpose=opening.purpose, body={"view": name})
    await mine.desk.audit.record(entry)
    mine.desk.grants.fetched(secret, name)


def file_name_of(found: Recorded, view: str) -> str:
    """A name for a downloaded file, without any person's."""
    day = found.started_at.date().isoformat() if found.started_at else "recording"
    return f"recording-{day}-{found.no}-{view}"


async def pass_on(request: web.Request, mine: Asked, name: str, file_name: str | None) -> web.StreamResponse:
    """Pass on what the vault gives. What fails before the first byte is answered as any other failure."""
    async with AsyncExitStack() as stack:
        with answering():
            asked = mine.desk.vault.view(mine.name, name, request.headers.get("Range"))
            answer = await stack.enter_async_context(asked)
            if answer.status not in (200, 206, 416):
                raise HttpError("not_found" if answer.status == 404 else "not_now")
            pieces = answer.pieces()
            first = await anext(pieces, b"")
        response = web.StreamResponse(status=answer.status, headers=_headers(answer, file_name))
        await response.prepare(request)
        if request.method != "HEAD":
            await _write_all(request, response, first, pieces)
    return response


def _headers(answer: Answer, file_name: str | None) -> dict[str, str]:
    """Those of the vault that a player needs; a file name makes it a download."""
    headers = {name: answer.headers[name] for name in PASSED_ON if name in answer.headers}
    if file_name is not None:
        kind = headers.get("Content-Type", "").partition(";")[0].rpartition("/")[2]
        ending = f".{kind}" if kind in ("webm", "mp4") else ""
        headers["Content-Disposition"] = f'attachment; filename="{file_name}{ending}"'
    return headers


async def _write_all(
    request: web.Request, response: web.StreamResponse, first: bytes, pieces: AsyncIterator[bytes]
) -> None:
    try:
        await response.write(first)
        async for piece in pieces:
            await response.write(piece)
        await response.write_eof()
    except VaultUnavailableError:
        log.warning("the vault went away while a view was fetched")
        if request.transport is not None:
            request.transport.abort()  # or the browser would take what it has for the whole
