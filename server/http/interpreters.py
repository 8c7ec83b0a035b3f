"""The coordinators' register of interpreters, their duty plan, and the counts of interpreting."""

import csv
import io
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Annotated, Any, Final, Literal
from zoneinfo import ZoneInfo

from aiohttp import web
from annotated_types import Ge, Le, MaxLen, MinLen
from pydantic import AwareDatetime, StringConstraints
from sqlalchemy.exc import IntegrityError

from server.http import body
from server.http.errors import HttpError
from server.http.identify import consult_id_of, participant_id_of, seat_of, staff
from server.http.keys import SERVICES
from server.identity.accounts import Account
from server.identity.random_values import new_id
from server.storage.interpreters import Registered, ShiftRow
from signaling.consult.counting import Counted, SearchCount, Turn, by_language, count
from signaling.consult.ids import ConsultId, UserId
from signaling.consult.values import Phase
from signaling.protocol.interpreting_views import interpreted

CONSULTS_MAX: Final = 2000
SHIFT_MAX: Final = timedelta(hours=24)
Line = Annotated[str, StringConstraints(strip_whitespace=True, max_length=120)]
Pair = Annotated[list[body.Tag], MinLen(2), MaxLen(2)]
COLUMNS: Final = (
    "kind",
    "consult",
    "search",
    "language",
    "asked_at",
    "rings",
    "declined",
    "rounds",
    "accepted_at",
    "connected_at",
    "connect_s",
    "by_phone",
    "closed",
    "after_loss",
    "begun_at",
    "ended_at",
    "minutes",
)


class RegisterBody(body.Body):
    """A line of the register."""

    user: body.Id
    number: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9-]{1,32}$")]
    agency: Line = ""
    pairs: Annotated[list[Pair], MaxLen(48)]
    vetted: bool
    qualification: Annotated[str, StringConstraints(strip_whitespace=True, max_length=200)] = ""
    gender: Literal["female", "male"] | None = None
    camera: bool = True
    excluded: Annotated[tuple[body.Id, ...], MaxLen(200)] = ()


class ShiftBody(body.Body):
    """Somebody is on duty from `starts_at` to `ends_at`."""

    user: body.Id
    starts_at: AwareDatetime
    ends_at: AwareDatetime


class UnshiftBody(body.Body):
    """A shift is taken out of the plan."""

    shift: body.Id


class PeriodBody(body.Body):
    """The days up to now that are counted and planned."""

    days: Annotated[int, Ge(1), Le(366)] = 30


class RateBody(body.Body):
    """How the interpreting was: 5 is best; what was not as it should be."""

    stars: Annotated[int, Ge(1), Le(5)]
    tags: Annotated[
        tuple[Literal["audio", "briefing", "manner", "pace", "picture", "accuracy"], ...], MaxLen(6)
    ] = ()


class Nothing(body.Body):
    """No fields."""


async def rate(request: web.Request) -> web.StreamResponse:
    """Whoever was in a consult with an interpreter says how it was, once, after the end."""
    services = request.app[SERVICES]
    held = await seat_of(request, consult_id_of(request), participant_id_of(request))
    consult = await services.consults.load(held.consult_id) if held else None
    if held is None or consult is None:
        raise HttpError("not_found")
    wanted = await body.read(request, RateBody)
    if consult.phase is not Phase.ENDED or not interpreted(consult):
        raise HttpError("not_permitted", "after a consult with an interpreter")
    await services.interpreters.rate(
        consult.id, held.participant_id, stars=wanted.stars, tags=wanted.tags, now=services.clock.now()
    )
    return web.json_response({})


async def own_day(request: web.Request) -> web.StreamResponse:
    """An interpreter's own day in the clinic's zone: minutes, consults, and when they are on duty."""
    services = request.app[SERVICES]
    await body.read(request, Nothing)
    me = (await staff(request)).account
    if me.role != "interpreter":
        raise HttpError("not_permitted", "an interpreter's desk")
    now = services.clock.now()
    midnight = now.astimezone(ZoneInfo(services.settings.clinic.time_zone)).replace(
        hour=0, minute=0, second=0, microsecond=0
    )
    counted = await services.interpreters.counted(me.clinic_id, since=midnight, limit=CONSULTS_MAX)
    mine = [turn for one in counted for turn in one.turns if turn.user == me.user_id]
    shifts = await services.interpreters.shifts(me.clinic_id, now, now + timedelta(days=7))
    return web.json_response(
        {
            "minutes": round(sum(turn.minutes for turn in mine)),
            "consults": len({turn.consult for turn in mine}),
            "shifts": [_shift(one) for one in shifts if one.user == me.user_id],
        }
    )


async def coordinator(request: web.Request) -> Account:
    """The coordinator who is signed in, or `not_permitted`."""
    account = (await staff(request)).account
    if account.role != "coordinator":
        raise HttpError("not_permitted", "a coordinator keeps the register")
    return account


async def overview(request: web.Request) -> web.StreamResponse:
    """The register, who could be on it, the duty plan and the counts."""
    services = request.app[SERVICES]
    me = await coordinator(request)
    wanted = await body.read(request, PeriodBody)
    now = services.clock.now()
    since = now - timedelta(days=wanted.days)
    accounts = await services.accounts.of_clinic(me.clinic_id)
    lines = await services.interpreters.lines(me.clinic_id)
    shifts = await services.interpreters.shifts(
        me.clinic_id, now - timedelta(days=1), now + timedelta(days=14)
    )
    counted = await services.interpreters.counted(me.clinic_id, since=since, limit=CONSULTS_MAX)
    return web.json_response(
        {
            "now": now.isoformat(),
            "register": [_line(one) for one in lines],
            "interpreters": [{"id": a.user_id, "name": a.name} for a in accounts if a.role == "interpreter"],
            "physicians": [{"id": a.user_id, "name": a.name} for a in accounts if a.role == "physician"],
            "shifts": [_shift(one) for one in shifts],
            "counts": _counts(counted, await services.interpreters.stars(since)),
        }
    )


def _line(one: Registered) -> dict[str, Any]:
    return {
        "user": one.user,
        "name": one.name,
        "number": one.number,
        "agency": one.agency or "",
        "pairs": [list(pair) for pair in one.pairs],
        "vetted": one.vetted,
        "qualification": one.qualification,
        "gender": one.gender,
        "camera": one.camera,
        "availability": one.availability,
        "excluded": list(one.excluded),
    }


def _shift(one: ShiftRow) -> dict[str, Any]:
    return {
        "shift": one.shift,
        "user": one.user,
        "starts_at": one.starts_at.isoformat(),
        "ends_at": one.ends_at.isoformat(),
    }


def _counts(counted: list[Counted], stars: Mapping[ConsultId, tuple[int, ...]]) -> dict[str, Any]:
    signals = [kind for consult in counted for kind in consult.signals]
    return {
        "languages": [
            {
                "language": one.language,
                "searches": one.searches,
                "connected": one.connected,
                "abandoned": one.abandoned,
                "by_phone": one.by_phone,
                "rings": one.rings,
                "minutes": round(one.minutes, 2),
                "p50_s": one.connect_p50_s,
                "p90_s": one.connect_p90_s,
                "stars": _mean(_stars_of(one.language, counted, stars)),
            }
            for one in by_language(counted)
        ],
        "signals": {kind: signals.count(kind) for kind in sorted(set(signals))},
    }


def _stars_of(language: str, counted: list[Counted], stars: Mapping[ConsultId, tuple[int, ...]]) -> list[int]:
    spoken = {turn.consult for one in counted for turn in one.turns if turn.language == language}
    return [given for consult in spoken for given in stars.get(consult, ())]


def _mean(values: list[int]) -> float | None:
    return round(sum(values) / len(values), 2) if values else None


async def save(request: web.Request) -> web.StreamResponse:
    """Add or change a line of the register."""
    services = request.app[SERVICES]
    me = await coordinator(request)
    wanted = await body.read(request, RegisterBody)
    account = await _interpreter(request, me, wanted.user)
    physicians = {a.user_id for a in await services.accounts.of_clinic(me.clinic_id) if a.role == "physician"}
    line = Registered(
        user=account.user_id,
        name=account.name,
        number=wanted.number,
        agency=wanted.agency or None,
        pairs=tuple((source, target) for source, target in wanted.pairs),
        vetted=wanted.vetted,
        qualification=wanted.qualification,
        gender=wanted.gender,
        camera=wanted.camera,
        excluded=tuple(UserId(one) for one in wanted.excluded if one in physicians),
    )
    try:
        await services.interpreters.put(line)
    except IntegrityError:
        raise HttpError("used", "another interpreter has this number") from None
    return web.json_response({})


async def _interpreter(request: web.Request, me: Account, user: str) -> Account:
    account = await request.app[SERVICES].accounts.find(UserId(user))
    if account is None or account.clinic_id != me.clinic_id or account.role != "interpreter":
        raise HttpError("not_found", "an interpreter of this clinic")
    return account


async def add_shift(request: web.Request) -> web.StreamResponse:
    """Put somebody on duty."""
    services = request.app[SERVICES]
    me = await coordinator(request)
    wanted = await body.read(request, ShiftBody)
    account = await _interpreter(request, me, wanted.user)
    if not timedelta(0) < wanted.ends_at - wanted.starts_at <= SHIFT_MAX:
        raise HttpError("bad_request", "ends_at: after the start, at most 24 hours later")
    shift = ShiftRow(shift=new_id(), user=account.user_id, starts_at=wanted.starts_at, ends_at=wanted.ends_at)
    await services.interpreters.add_shift(shift)
    return web.json_response({"shift": shift.shift})


async def remove_shift(request: web.Request) -> web.StreamResponse:
    """Take a shift out of the plan; one that is not there needs nothing done."""
    services = request.app[SERVICES]
    me = await coordinator(request)
    wanted = await body.read(request, UnshiftBody)
    await services.interpreters.remove_shift(wanted.shift, clinic=me.clinic_id)
    return web.json_response({})


async def table(request: web.Request) -> web.StreamResponse:
    """Every search and every stretch of interpreting as CSV (RFC 4180), from the events and nothing else."""
    services = request.app[SERVICES]
    me = await coordinator(request)
    days = request.query.get("days", "30")
    since = services.clock.now() - timedelta(days=min(366, int(days) if days.isdecimal() else 30))
    found = await services.interpreters.histories(me.clinic_id, since=since, limit=CONSULTS_MAX)
    text = as_csv([(consult, count(events)) for consult, events in found])
    return web.Response(
        text=text,
        content_type="text/csv",
        charset="utf-8",
        headers={"Content-Disposition": 'attachment; filename="interpreting.csv"'},
    )


def as_csv(counted: list[tuple[ConsultId, Counted]]) -> str:
    """The rows of these consults; ids and languages, no names."""
    out = io.StringIO()
    writer = csv.DictWriter(out, COLUMNS, restval="")
    writer.writeheader()
    for consult, one in counted:
        for search in one.searches:
            writer.writerow(_search_row(consult, search))
        for turn in one.turns:
            writer.writerow(_turn_row(consult, turn))
    return out.getvalue()


def _search_row(consult: ConsultId, one: SearchCount) -> dict[str, Any]:
    return {
        "kind": "search",
        "consult": consult,
        "search": one.no,
        "language": one.language,
        "asked_at": one.asked_at.isoformat(),
        "rings": one.rings,
        "declined": one.declined,
        "rounds": one.rounds,
        "accepted_at": _time(one.accepted_at),
        "connected_at": _time(one.connected_at),
        "connect_s": "" if one.connect_s is None else round(one.connect_s, 3),
        "by_phone": int(one.by_phone),
        "closed": one.closed or "",
        "after_loss": int(one.after_loss),
    }


def _turn_row(consult: ConsultId, one: Turn) -> dict[str, Any]:
    return {
        "kind": "turn",
        "consult": consult,
        "language": one.language,
        "begun_at": one.begun_at.isoformat(),
        "ended_at": one.ended_at.isoformat(),
        "minutes": round(one.minutes, 4),
    }


def _time(at: datetime | None) -> str:
    return "" if at is None else at.isoformat()
