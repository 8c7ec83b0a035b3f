"""Looking after recordings over HTTP: deletion by two people, legal holds, who opened one; the two pages."""

from typing import Annotated

from aiohttp import web
from pydantic import StringConstraints

from server.http import body
from server.http.errors import HttpError
from server.http.keys import SERVICES
from server.http.recordings import REASON_CHARS_MAX, Asked, Nothing, asked_for, need
from server.logs import logger
from server.recordings.access import Right
from server.recordings.care import NotNowError, entry_of
from server.vault.client import VaultUnavailableError

log = logger("recordings")
Reason = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=REASON_CHARS_MAX)]


class DeleteBody(body.Body):
    """Why a recording is to be deleted; `drop` takes that back, or does not agree to it."""

    reason: Reason
    drop: bool = False


class HoldBody(body.Body):
    """Whether a legal hold is on a recording, and why."""

    held: bool
    reason: Reason


async def delete(request: web.Request) -> web.StreamResponse:
    """A coordinator asks for it; a physician of the consult agrees, and then it is destroyed."""
    mine = await asked_for(request)
    wanted = await body.read(request, DeleteBody)
    asks = Right.ASK_DELETION in mine.rights
    await need(mine, Right.ASK_DELETION if asks else Right.AGREE_TO_DELETION)
    now, care = request.app[SERVICES].clock.now(), mine.desk.care
    try:
        if wanted.drop:
            await care.drop_deletion(mine.found.id, by=mine.me, now=now)
            return web.json_response({"state": "kept"})
        if asks:
            await care.ask_deletion(mine.found.id, by=mine.me, reason=wanted.reason, now=now)
            return web.json_response({"state": "asked"})
        await care.agree_to_deletion(mine.found.id, by=mine.me, reason=wanted.reason, now=now)
    except NotNowError as error:
        raise HttpError("not_now", error.why) from None
    await _destroy(mine)
    return web.json_response({"state": "destroyed"})


async def _destroy(mine: Asked) -> None:
    """It is decided: whatever fails now is done again within the hour."""
    mine.desk.grants.drop(mine.found.id)
    try:
        await mine.desk.life.destroy(mine.found.id)
    except (VaultUnavailableError, OSError) as error:
        log.warning("a recording is not destroyed to the end, trying again", kind=type(error).__name__)


async def hold(request: web.Request) -> web.StreamResponse:
    """Put a recording under a legal hold, or end that."""
    mine = await asked_for(request)
    wanted = await body.read(request, HoldBody)
    await need(mine, Right.HOLD if wanted.held else Right.RELEASE)
    now = request.app[SERVICES].clock.now()
    try:
        await mine.desk.care.hold(mine.found.id, held=wanted.held, by=mine.me, reason=wanted.reason, now=now)
    except NotNowError as error:
        raise HttpError("not_now", error.why) from None
    return web.json_response({"held": wanted.held})


async def access_log(request: web.Request) -> web.StreamResponse:
    """What the staff did with a recording. Reading it is written down too."""
    mine = await asked_for(request)
    await body.read(request, Nothing)
    await need(mine, Right.READ_LOG)
    await mine.desk.audit.record(entry_of("recording.log_read", mine.found, mine.me))
    rows = await mine.desk.care.accesses(mine.found.id)
    return web.json_response(
        {
            "rows": [
                {
                    "at": row.at,
                    "who": row.who,
                    "role": row.role,
                    "kind": row.kind,
                    "purpose": row.purpose or None,
                }
                for row in rows
            ]
        }
    )
