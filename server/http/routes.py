"""Every route there is: method, path, who may. Nothing is reachable that is not in this table."""

from typing import Final

from aiohttp import web

from server.http import (
    interpreters,
    invitations,
    monitoring,
    pages,
    recording_care,
    recording_exports,
    recordings,
    staff,
    tickets,
)
from server.http.keys import SERVICES
from server.http.table import Route, Who


async def static_file(request: web.Request) -> web.StreamResponse:
    """A built file of the front end."""
    return await request.app[SERVICES].front.files.respond(request)


ROUTES: Final = (
    Route(method="GET", path="/", who=Who.ANYONE, handler=pages.landing),
    Route(method="GET", path="/help", who=Who.ANYONE, handler=pages.help_page),
    Route(method="GET", path="/signin", who=Who.ANYONE, handler=pages.sign_in),
    Route(method="GET", path="/static/{file:.+}", who=Who.ANYONE, handler=static_file),
    Route(method="GET", path="/v", who=Who.INVITED, handler=pages.invitation),
    Route(method="POST", path="/api/invitation/preview", who=Who.INVITED, handler=invitations.preview),
    Route(method="POST", path="/api/invitation/exchange", who=Who.INVITED, handler=invitations.exchange),
    Route(method="GET", path="/c/{consult_id}/{participant_id}", who=Who.SEATED, handler=pages.seat),
    Route(method="POST", path="/api/ticket", who=Who.SEATED_OR_STAFF, handler=tickets.issue),
    Route(method="POST", path="/api/signin", who=Who.ANYONE, handler=staff.sign_in),
    Route(method="POST", path="/api/signout", who=Who.ANYONE, handler=staff.sign_out),
    Route(method="GET", path="/board", who=Who.STAFF, handler=pages.board),
    Route(method="GET", path="/board/new", who=Who.STAFF, handler=pages.new_consult),
    Route(method="GET", path="/board/interpreters", who=Who.STAFF, handler=pages.interpreters),
    Route(method="GET", path="/board/interpreters.csv", who=Who.STAFF, handler=interpreters.table),
    Route(method="POST", path="/api/interpreters", who=Who.STAFF, handler=interpreters.overview),
    Route(method="POST", path="/api/interpreters/save", who=Who.STAFF, handler=interpreters.save),
    Route(method="POST", path="/api/interpreters/shift", who=Who.STAFF, handler=interpreters.add_shift),
    Route(method="POST", path="/api/interpreters/unshift", who=Who.STAFF, handler=interpreters.remove_shift),
    Route(method="POST", path="/api/desk", who=Who.STAFF, handler=interpreters.own_day),
    Route(
        method="POST",
        path="/api/consult/{consult_id}/{participant_id}/rate",
        who=Who.SEATED,
        handler=interpreters.rate,
    ),
    Route(method="GET", path="/desk", who=Who.STAFF, handler=pages.desk),
    Route(method="POST", path="/api/consult/{consult_id}/enter", who=Who.STAFF, handler=staff.enter),
    Route(method="GET", path="/recordings", who=Who.STAFF, handler=pages.recordings),
    Route(method="GET", path="/recordings/{recording_id}", who=Who.STAFF, handler=pages.recording),
    Route(method="POST", path="/api/recordings", who=Who.STAFF, handler=recordings.overview),
    Route(method="POST", path="/api/recordings/acknowledge", who=Who.STAFF, handler=recordings.acknowledge),
    *(
        Route(method="POST", path=f"/api/recordings/{{recording_id}}/{name}", who=Who.STAFF, handler=handler)
        for name, handler in (
            ("open", recordings.open_one),
            ("export", recording_exports.export),
            ("compose", recording_exports.compose),
            ("compose/cancel", recording_exports.cancel_composing),
            ("access-log", recording_care.access_log),
            ("delete", recording_care.delete),
            ("hold", recording_care.hold),
        )
    ),
    Route(
        method="GET",
        path="/api/recordings/{recording_id}/views/{view}",
        who=Who.STAFF,
        handler=recordings.view,
    ),
    Route(
        method="GET",
        path="/api/recordings/{recording_id}/composed",
        who=Who.STAFF,
        handler=recording_exports.composed,
    ),
    Route(method="GET", path="/healthz", who=Who.MONITOR, handler=monitoring.alive),
    Route(method="GET", path="/readyz", who=Who.MONITOR, handler=monitoring.ready),
    Route(method="GET", path="/metrics", who=Who.MONITOR, handler=monitoring.metrics),
)
DEMO_ROUTES: Final = (
    Route(method="GET", path="/demo", who=Who.DEMO, handler=pages.demo),
    Route(method="POST", path="/api/demo/enter", who=Who.DEMO, handler=staff.enter_demo),
)
