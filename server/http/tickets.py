"""Socket tickets: one use, 30 s, so that no cookie alone opens a socket."""

from typing import Final

from aiohttp import web

from server.http import body
from server.http.errors import HttpError
from server.http.identify import seat_of, staff
from server.http.keys import SERVICES
from server.identity.one_use import OneUse
from signaling.consult.values import ConsultId, ParticipantId, Role
from signaling.ports import BoardEntry, Entry, SeatEntry

LIFETIME_S: Final = 30


class TicketBody(body.Body):
    """A seat by consult and participant, or the board."""

    consult_id: body.Id | None = None
    participant_id: body.Id | None = None
    board: bool = False


class Tickets:
    """The `Tickets` of `signaling.ports`, over the ones given out here."""

    def __init__(self, issued: OneUse[Entry]) -> None:
        self._issued = issued

    async def redeem(self, ticket: str) -> Entry | None:
        return self._issued.redeem(ticket)


async def issue(request: web.Request) -> web.StreamResponse:
    """A ticket for a seat this browser holds, or for the board of whoever is signed in."""
    services = request.app[SERVICES]
    wanted = await body.read(request, TicketBody)
    entry = await (_board(request) if wanted.board else _seat(request, wanted))
    return web.json_response({"ticket": services.tickets.issue(entry), "expires_in_s": LIFETIME_S})


async def _seat(request: web.Request, wanted: TicketBody) -> Entry:
    if wanted.consult_id is None or wanted.participant_id is None:
        raise HttpError("bad_request", "consult_id and participant_id, or board")
    held = await seat_of(request, ConsultId(wanted.consult_id), ParticipantId(wanted.participant_id))
    if held is None:
        raise HttpError("not_found")
    return SeatEntry(
        consult=held.consult_id,
        participant=held.participant_id,
        device=held.device_id,
        further=held.further,
    )


async def _board(request: web.Request) -> Entry:
    account = (await staff(request)).account
    return BoardEntry(clinic=account.clinic_id, user=account.user_id, role=Role(account.role))
