"""Who sends a request, from its cookies."""

from aiohttp import web

from server.http import cookies
from server.http.errors import HttpError
from server.http.keys import SERVICES
from server.identity.seats import COOKIE_MAX_AGE_S, Seat, Taken, cookie_name
from server.identity.sign_ins import SignedIn
from signaling.consult.ids import ConsultId, ParticipantId


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
    held = await services.seats.find(consult_id, participant_id, cookie, now=services.clock.now())
    if held is None or held.user_id is None:
        return held
    is_signed_in = await services.sign_ins.has_any(held.user_id, now=services.clock.now())
    return held if is_signed_in else None


async def hand_out(request: web.Request, response: web.StreamResponse, taken: Taken) -> None:
    """Give the browser the cookie of a seat, and take those back that open none any more.

    Without that, a physician's browser would after some weeks send more cookies than a request may have.
    """
    services = request.app[SERVICES]
    held = cookies.seats(request, services.site)
    useless = await services.seats.good_for_nothing(held.values(), now=services.clock.now())
    for name, value in held.items():
        if value in useless:
            cookies.drop_named(response, services.site, name)
    plain = cookie_name(taken.seat.consult_id, taken.seat.participant_id)
    cookies.put(response, services.site, plain, taken.cookie, max_age_s=COOKIE_MAX_AGE_S)


def consult_id_of(request: web.Request) -> ConsultId:
    """The consult in the request's path."""
    return ConsultId(request.match_info["consult_id"])


def participant_id_of(request: web.Request) -> ParticipantId:
    """The participant in the request's path."""
    return ParticipantId(request.match_info["participant_id"])
