"""Who sends a request, from its cookies."""

from aiohttp import web

from server.http import cookies
from server.http.errors import HttpError
from server.http.keys import SERVICES
from server.identity.seats import Seat
from server.identity.sign_ins import SignedIn
from signaling.consult.values import ConsultId, ParticipantId


async def signed_in(request: web.Request) -> SignedIn | None:
    """The member of staff who is signed in in this browser."""
    services = request.app[SERVICES]
    cookie = cookies.read(request, services.site, cookies.STAFF)
    return await services.sign_ins.find(cookie, now=services.clock.now()) if cookie else None


async def staff(request: web.Request) -> SignedIn:
    """The member of staff who is signed in, or `sign_in_needed`."""
    who = await signed_in(request)
    if who is None:
        raise HttpError("sign_in_needed")
    return who


async def seat_of(request: web.Request, consult_id: ConsultId, participant_id: ParticipantId) -> Seat | None:
    """The seat this browser holds, if its cookie for it is good."""
    services = request.app[SERVICES]
    cookie = cookies.seat(request, services.site, consult_id, participant_id)
    if cookie is None:
        return None
    return await services.seats.find(consult_id, participant_id, cookie, now=services.clock.now())


def consult_id_of(request: web.Request) -> ConsultId:
    """The consult in the request's path."""
    return ConsultId(request.match_info["consult_id"])


def participant_id_of(request: web.Request) -> ParticipantId:
    """The participant in the request's path."""
    return ParticipantId(request.match_info["participant_id"])
