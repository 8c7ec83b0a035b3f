"""Socket tickets: one use, 30 s, so that no cookie alone opens a socket."""

from aiohttp import web

from server.http import body, cookies
from server.http.errors import HttpError
from server.http.identify import hand_out, seat_of, staff
from server.http.keys import SERVICES, Services
from server.identity.seats import Taken
from server.identity.socket_tickets import LIFETIME_S
from signaling.consult.ids import ConsultId, ParticipantId
from signaling.consult.values import BARRED, Role
from signaling.ports import BoardEntry, Entry, SeatEntry


class TicketBody(body.Body):
    """A seat by consult and participant, or the board."""

    consult_id: body.Id | None = None
    participant_id: body.Id | None = None
    board: bool = False


async def issue(request: web.Request) -> web.StreamResponse:
    """A ticket for a seat this browser holds, or for the board of whoever is signed in."""
    services = request.app[SERVICES]
    wanted = await body.read(request, TicketBody)
    if wanted.board:
        account = (await staff(request)).account
        return await _answer(
            services,
            account.user_id,
            BoardEntry(clinic=account.clinic_id, user=account.user_id, role=Role(account.role)),
        )
    if wanted.consult_id is None or wanted.participant_id is None:
        raise HttpError("bad_request", "consult_id and participant_id, or board")
    consult_id, participant_id = ConsultId(wanted.consult_id), ParticipantId(wanted.participant_id)
    held = await seat_of(request, consult_id, participant_id)
    taken = await _carried_over(request, consult_id, participant_id) if held is None else None
    seat = taken.seat if taken is not None else held
    if seat is None:
        raise HttpError("not_found")
    response = await _answer(
        services,
        seat.device_id,
        SeatEntry(
            consult=seat.consult_id,
            participant=seat.participant_id,
            device=seat.device_id,
            further=seat.further,
        ),
    )
    if taken is not None:
        await hand_out(request, response, taken)
    return response


async def _answer(services: Services, holder: str, entry: Entry) -> web.Response:
    if not await services.throttle.allows("ticket", holder):
        raise HttpError("too_many")
    return web.json_response({"ticket": await services.tickets.issue(entry), "expires_in_s": LIFETIME_S})


async def _carried_over(
    request: web.Request, consult_id: ConsultId, participant_id: ParticipantId
) -> Taken | None:
    """The seat of whoever has one in the consult that goes on as this one: guests follow without a link."""
    services = request.app[SERVICES]
    consult = await services.consults.load(consult_id)
    if consult is None or consult.continues is None:
        return None
    person, before = consult.participant(participant_id), await services.consults.load(consult.continues)
    was = before.participant(participant_id) if before is not None else None
    cookie = cookies.seat(request, services.site, consult.continues, participant_id)
    if person is None or was is None or cookie is None or person.seat in BARRED:
        return None
    if await seat_of(request, consult.continues, participant_id) is None:
        return None
    return await services.seats.carry_over(
        consult_id,
        participant_id,
        continues=consult.continues,
        cookie=cookie,
        holder=was.device,
        now=services.clock.now(),
    )
