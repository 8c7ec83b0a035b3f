"""Handing recordings out over HTTP: their files for a purpose, and one file of all of them."""

from aiohttp import web

from server.http import body
from server.http.errors import HttpError
from server.http.recordings import (
    Asked,
    Nothing,
    answering,
    asked_for,
    file_name_of,
    granted,
    need,
    pass_on,
    prepared,
    unready,
    write_fetched,
)
from server.recordings.access import Purpose, Right
from server.recordings.care import entry_of
from server.recordings.grants import Opening
from server.vault.client import VaultState


class PurposeBody(body.Body):
    """What it is handed out for."""

    purpose: Purpose


async def export(request: web.Request) -> web.StreamResponse:
    """Hand a recording out for a purpose: its files, with a grant that downloads them."""
    mine = await asked_for(request)
    wanted = await body.read(request, PurposeBody)
    await need(mine, Right.EXPORT)
    if unready(mine.found) is not None:
        raise HttpError("not_now", "not while it is made, nor when it is destroyed")
    opening = _export(mine, wanted)
    await mine.desk.audit.record(entry_of("recording.exported", mine.found, mine.me, purpose=wanted.purpose))
    answer = await prepared(mine)
    if answer.state != "ready":
        raise HttpError("busy" if answer.state == "preparing" else "not_now", answer.code)
    grant = mine.desk.grants.give(opening)
    people = {member.index: member.name or member.role for member in mine.found.people}
    return web.json_response(
        {
            "files": [
                {
                    "view": one["view"],
                    "name": f"{people.get(one['participant'], '')} ({one['view']})".strip(),
                    "url": f"/api/recordings/{mine.found.id}/views/{one['view']}?grant={grant}&download=1",
                }
                for one in answer.manifest["views"]
            ],
            "grant": grant,
        }
    )


def _export(mine: Asked, wanted: PurposeBody) -> Opening:
    return Opening(recording=mine.found.id, sign_in=mine.sign_in, kind="export", purpose=wanted.purpose)


async def compose(request: web.Request) -> web.StreamResponse:
    """Begin to make one file of all views, or say how far that is; written down when it begins."""
    mine = await asked_for(request)
    wanted = await body.read(request, PurposeBody)
    await need(mine, Right.EXPORT)
    if unready(mine.found) is not None:
        raise HttpError("not_now", "not while it is made, nor when it is destroyed")
    opening = _export(mine, wanted)
    if mine.desk.grants.is_waiting(opening):
        with answering():
            answer = await mine.desk.vault.composing(mine.name)
    else:
        await mine.desk.audit.record(
            entry_of("recording.composed", mine.found, mine.me, purpose=wanted.purpose)
        )
        mine.desk.grants.wait(opening)
        names = {f"{kind}{one.index}": one.name for one in mine.found.people for kind in "ps"}
        with answering():
            answer = await mine.desk.vault.compose(mine.name, names)
    if answer.state != "preparing":
        mine.desk.grants.done(opening)
    return web.json_response(_composing(answer))


def _composing(answer: VaultState) -> dict[str, object]:
    if answer.state == "preparing":
        return {"state": "running", "done": answer.done}
    if answer.state == "ready":
        return {"state": "ready"}
    return {"state": "failed", "code": answer.code or "stopped"}


async def cancel_composing(request: web.Request) -> web.StreamResponse:
    """Stop making the one file."""
    mine = await asked_for(request)
    await body.read(request, Nothing)
    await need(mine, Right.EXPORT)
    with answering():
        await mine.desk.vault.cancel_composing(mine.name)
    return web.json_response({})


async def composed(request: web.Request) -> web.StreamResponse:
    """The one file of all views, with a grant of an export."""
    mine = await asked_for(request)
    opening = await granted(request, mine)
    if opening.kind != "export":
        raise HttpError("not_permitted", "export it first")
    await write_fetched(request, mine, opening, "composed")
    return await pass_on(request, mine, "composed", file_name_of(mine.found, "all"))
