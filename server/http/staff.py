"""Staff: signing in and out, and entering a consult from a sign-in."""

from datetime import timedelta
from typing import Annotated, Final

from aiohttp import web
from pydantic import StringConstraints

from server.http import body, cookies
from server.http.browser import browser_family
from server.http.errors import HttpError
from server.http.identify import consult_id_of, hand_out, staff
from server.http.keys import SERVICES
from server.http.origin import household
from server.http.pages import home
from server.identity.passwords import PASSWORD_CHARS_MAX
from signaling.consult.ids import UserId

SEAT_LIFETIME: Final = timedelta(hours=12)


class SignInBody(body.Body):
    email: Annotated[str, StringConstraints(min_length=3, max_length=254)]
    password: Annotated[str, StringConstraints(min_length=1, max_length=PASSWORD_CHARS_MAX)]


class Nothing(body.Body):
    """No fields."""


class DemoBody(body.Body):
    secret: body.Secret


async def sign_in(request: web.Request) -> web.StreamResponse:
    """Sign in with e-mail and password. A wrong password and an unknown account look and take the same."""
    services = request.app[SERVICES]
    wanted = await body.read(request, SignInBody)
    allowed = await services.throttle.allows("sign_in_address", household(request.remote or ""))
    if not (allowed and await services.throttle.allows("sign_in_account", wanted.email.strip().lower())):
        raise HttpError("too_many")
    account = await services.accounts.checked(email=wanted.email, password=wanted.password)
    if account is None:
        raise HttpError("wrong_sign_in")
    return await _signed_in(request, account.user_id, home(account.role))


async def sign_out(request: web.Request) -> web.StreamResponse:
    """End the sign-in of this browser, the seats entered from it and what the browser has stored."""
    services = request.app[SERVICES]
    await body.read(request, Nothing)
    cookie = cookies.read(request, services.site, cookies.STAFF)
    who = await services.sign_ins.find(cookie, now=services.clock.now()) if cookie else None
    response = web.json_response({"url": "/signin"})
    if cookie is not None and who is not None:
        await services.sign_ins.end(cookie)
        held = tuple(cookies.seats(request, services.site).values())
        user_id, now = who.account.user_id, services.clock.now()
        await services.hang_up(user_id, await services.seats.give_up(held, user_id=user_id, now=now))
    cookies.drop(response, services.site, cookies.STAFF)
    response.headers["Clear-Site-Data"] = '"cache", "storage"'
    return response


async def enter(request: web.Request) -> web.StreamResponse:
    """Take one's own seat in a consult, from the board or the desk."""
    services = request.app[SERVICES]
    await body.read(request, Nothing)
    who = await staff(request)
    consult = await services.consults.load(consult_id_of(request))
    if consult is None or consult.clinic != who.account.clinic_id:
        raise HttpError("not_found")
    participant = consult.of_user(who.account.user_id)
    if participant is None:
        raise HttpError(
            "not_permitted", "only people of this consult may enter it; a physician can cover first"
        )
    now = services.clock.now()
    taken = await services.seats.enter(
        consult.id,
        participant.id,
        user_id=who.account.user_id,
        cookie=cookies.seat(request, services.site, consult.id, participant.id),
        language=who.account.language,
        browser=browser_family(request.headers.get("User-Agent", "")),
        now=now,
        expires_at=now + SEAT_LIFETIME,
    )
    response = web.json_response({"url": f"/c/{consult.id}/{participant.id}"})
    await hand_out(request, response, taken)
    return response


async def enter_demo(request: web.Request) -> web.StreamResponse:
    """Sign in with a link of the demo. It works once; the browser that used it may come back."""
    services = request.app[SERVICES]
    wanted = await body.read(request, DemoBody)
    if services.demo_links is None:
        raise HttpError("not_found")
    if not await services.throttle.allows("demo_address", household(request.remote or "")):
        raise HttpError("too_many")
    user_id = services.demo_links.redeem(wanted.secret)
    account = await services.accounts.find(user_id) if user_id else None
    if account is not None:
        return await _signed_in(request, account.user_id, home(account.role))
    cookie = cookies.read(request, services.site, cookies.STAFF)
    who = await services.sign_ins.find(cookie, now=services.clock.now()) if cookie else None
    if who is None:
        raise HttpError("used", "start the demo again for fresh links")
    return web.json_response({"url": home(who.account.role)})


async def _signed_in(request: web.Request, user_id: UserId, url: str) -> web.StreamResponse:
    services = request.app[SERVICES]
    cookie = await services.sign_ins.begin(
        user_id,
        replaces=cookies.read(request, services.site, cookies.STAFF),
        now=services.clock.now(),
    )
    response = web.json_response({"url": url})
    cookies.put(
        response, services.site, cookies.STAFF, cookie, max_age_s=services.settings.sign_in.absolute_s
    )
    return response
