"""Invitations: looking at one changes nothing; exchanging one gives the browser the seat's cookie."""

from collections.abc import Mapping
from typing import Final, Literal

from aiohttp import web

from server.http import body, cookies
from server.http.browser import browser_family
from server.http.errors import HttpError
from server.http.identify import hand_out
from server.http.keys import SERVICES, Services
from server.http.origin import household
from server.identity.seats import Invited
from signaling.consult.ids import ParticipantId
from signaling.consult.values import Consult, Phase, Role
from signaling.ports import Person
from web.catalog import choose_language
from web.pages import InvitationPreview, InvitationState
from web.places import zone

_OVER: Final[dict[Phase, Literal["ended", "cancelled", "no_show"]]] = {
    Phase.ENDED: "ended",
    Phase.CANCELLED: "cancelled",
    Phase.NO_SHOW: "no_show",
}


class PreviewBody(body.Body):
    """`language`: of the page, for the names of places."""

    secret: body.Secret
    language: body.Tag = "en"


class ExchangeBody(body.Body):
    """`has_camera_interface`: a browser inside another application may have none; then nothing is used up."""

    secret: body.Secret
    language: body.Tag
    has_camera_interface: Literal[True]


async def preview(request: web.Request) -> web.StreamResponse:
    """What the invitation page shows. The answer for an unknown secret has the same form."""
    services = request.app[SERVICES]
    wanted = await body.read(request, PreviewBody)
    await _allow(request, services)
    tag = choose_language(wanted.language, None, None)
    invited = await services.seats.look_up(wanted.secret)
    consult = await services.consults.load(invited.consult_id) if invited else None
    if invited is None or consult is None:
        return web.json_response(_nothing(services, tag))
    if not await services.throttle.allows("invitation_consult", invited.consult_id):
        raise HttpError("too_many")
    directory = await services.consults.directory(invited.consult_id)
    return web.json_response(_facts(services, invited, consult, directory, tag))


async def exchange(request: web.Request) -> web.StreamResponse:
    """Take the seat. The first device is bound to it; any other is a further one, for somebody to admit."""
    services = request.app[SERVICES]
    wanted = await body.read(request, ExchangeBody)
    await _allow(request, services)
    now = services.clock.now()
    invited = await services.seats.look_up(wanted.secret)
    consult = await services.consults.load(invited.consult_id) if invited else None
    if invited is None or consult is None:
        raise HttpError("unknown_invitation")
    if not await services.throttle.allows("invitation_consult", invited.consult_id):
        raise HttpError("too_many")
    state = _state(invited, consult, services)
    if state in ("revoked", "cancelled"):
        raise HttpError(state)
    if state in ("ended", "no_show"):
        raise HttpError("ended")
    taken = await services.seats.exchange(
        wanted.secret,
        cookie=cookies.seat(request, services.site, invited.consult_id, invited.participant_id),
        language=wanted.language,
        browser=browser_family(request.headers.get("User-Agent", "")),
        now=now,
    )
    if taken is None:
        raise HttpError("unknown_invitation")
    response = web.json_response({"url": f"/c/{invited.consult_id}/{invited.participant_id}"})
    await hand_out(request, response, taken)
    return response


async def _allow(request: web.Request, services: Services) -> None:
    if not await services.throttle.allows("invitation_address", household(request.remote or "")):
        raise HttpError("too_many")


def _state(invited: Invited, consult: Consult, services: Services) -> InvitationState:
    now = services.clock.now()
    if invited.revoked:
        return "revoked"
    if consult.phase in _OVER:
        return _OVER[consult.phase]
    if invited.is_late(now):
        return "ended"
    return "too_early" if now < consult.opens_at else "open"


def _nothing(services: Services, tag: str) -> InvitationPreview:
    place = dict(zone(services.settings.clinic.time_zone, tag).as_json())
    zone_text = {key: str(value) for key, value in place.items()}
    return InvitationPreview(
        state="unknown",
        role="patient",
        physician_name="",
        interpreter=False,
        starts_at="",
        ends_at="",
        opens_at="",
        zone=zone_text,
        clinic_zone=zone_text,
        language="",
    )


def _facts(
    services: Services,
    invited: Invited,
    consult: Consult,
    directory: Mapping[ParticipantId, Person],
    tag: str,
) -> InvitationPreview:
    participant = next(one for one in consult.participants if one.id == invited.participant_id)
    person = directory.get(participant.id)
    physician = next(consult.of_role(Role.PHYSICIAN), None)
    nothing = _nothing(services, tag)
    named = directory.get(physician.id) if physician else None
    there = zone(person.time_zone, tag).as_json() if person and person.time_zone else nothing["clinic_zone"]
    return InvitationPreview(
        state=_state(invited, consult, services),
        role=participant.role.value,
        physician_name=named.name if named else "",
        interpreter=any(consult.of_role(Role.INTERPRETER)),
        starts_at=consult.starts_at.isoformat(),
        ends_at=consult.ends_at.isoformat(),
        opens_at=consult.opens_at.isoformat(),
        zone={key: str(value) for key, value in there.items()},
        clinic_zone=nothing["clinic_zone"],
        language=participant.language,
    )
