"""Fills a database with the demonstration's day and makes its links. Starting again adds nothing twice."""

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from server.demo_day import CLINIC_ID, DESKS, REGISTER, STAFF, VISITS, Colleague, Guest, Visit
from server.http.keys import Services
from server.identity.accounts import Accounts
from server.identity.random_values import new_id, new_password
from server.identity.seats import invitation_link
from server.storage.consults import Consults
from server.storage.interpreters import Registered
from signaling.consult import commands, deadlines
from signaling.consult.events import Event
from signaling.consult.evolve import replay
from signaling.consult.ids import ClinicId, ConsultId, DeviceId, ParticipantId, UserId
from signaling.consult.rules import decide
from signaling.consult.values import Actor, Consult, LanguagePair, Phase, Policy, Role, SeatHolder, StaffUser
from signaling.ports import PersonChange, SideRows
from web.consents import TELEHEALTH, consent_text

CLINIC: Final = ClinicId(CLINIC_ID)
LINK_LIFETIME_S: Final = 86400.0
# Visits begin at times people agree on.
GRID: Final = timedelta(minutes=5)
DAY: Final = timedelta(hours=24)
CLINICIAN_LANGUAGE: Final = "en"


@dataclass(frozen=True, slots=True, kw_only=True)
class Demo:
    """What to hand to whoever tries the demonstration."""

    links: Mapping[str, str]
    passwords: tuple[tuple[Colleague, str], ...]

    def write(self, file: Path) -> None:
        """Write the links as JSON, all of it or nothing."""
        half = file.with_name(f".{file.name}.{os.getpid()}")
        half.write_text(json.dumps(dict(self.links), indent=2) + "\n", encoding="utf-8")
        half.replace(file)


async def prepare(services: Services, policy: Policy) -> Demo:
    """Make what is missing of the day, fresh passwords and fresh links."""
    now = services.clock.now()
    users, passwords = await _staff(services.accounts, now)
    await _register(services, users)
    day = _Day(services.consults, users, policy, now)
    main = (await day.visits())[0]
    return Demo(links=await _links(services, main, users, now), passwords=passwords)


async def _staff(
    accounts: Accounts, now: datetime
) -> tuple[dict[str, UserId], tuple[tuple[Colleague, str], ...]]:
    users: dict[str, UserId] = {}
    passwords: list[tuple[Colleague, str]] = []
    for one in STAFF:
        password = new_password()
        known = await accounts.id_of(one.email)
        if known is not None:
            # Whoever is in a consult stays there when the server has only been started again.
            await accounts.reset_password(email=one.email, password=password, end_sign_ins=False)
        users[one.key] = known or await accounts.add(
            email=one.email,
            name=one.name,
            role=one.role,
            clinic_id=CLINIC,
            language=CLINICIAN_LANGUAGE,
            languages=one.languages,
            password=password,
            now=now,
        )
        passwords.append((one, password))
    return users, tuple(passwords)


async def _register(services: Services, users: Mapping[str, UserId]) -> None:
    """Put the interpreters on the register, ready to be called; what was changed by hand stays."""
    there = {line.user for line in await services.interpreters.lines(CLINIC)}
    colleagues = {one.key: one for one in STAFF}
    for one in REGISTER:
        if users[one.key] in there:
            continue
        others = [tag for tag in colleagues[one.key].languages if tag != CLINICIAN_LANGUAGE]
        pairs = [pair for tag in others for pair in ((tag, CLINICIAN_LANGUAGE), (CLINICIAN_LANGUAGE, tag))]
        line = Registered(
            user=users[one.key],
            name=colleagues[one.key].name,
            number=one.number,
            agency=one.agency,
            pairs=tuple(pairs),
            vetted=True,
            qualification="CCHI (demonstration)",
            gender=one.gender,
            camera=True,
            availability="available",
        )
        await services.interpreters.put(line)


async def _links(
    services: Services, main: Consult, users: Mapping[str, UserId], now: datetime
) -> dict[str, str]:
    site = services.site.origins[0]
    if services.demo_links is None:
        raise RuntimeError("links that sign in exist in the demonstration alone")

    async def invited(role: Role) -> str:
        participant = next(main.of_role(role))
        return invitation_link(site, await services.seats.invite(main.id, participant.id, now=now))

    return {
        "patient": await invited(Role.PATIENT),
        "physician": f"{site}/demo#{services.demo_links.issue(users[VISITS[0].physician])}",
        "interpreter": await invited(Role.INTERPRETER),
        "coordinator": f"{site}/demo#{services.demo_links.issue(users['whitfield'])}",
        **{name: f"{site}/demo#{services.demo_links.issue(users[key])}" for name, key in DESKS.items()},
    }


class _Day:
    """Makes the visits of the day that are not there yet."""

    def __init__(
        self, consults: Consults, users: Mapping[str, UserId], policy: Policy, now: datetime
    ) -> None:
        self._consults = consults
        self._users = users
        self._policy = policy
        self._now = now

    async def visits(self) -> list[Consult]:
        """The consults of the day in the order of `VISITS`; those made earlier count while they last."""
        there = await self._there()
        return [there.get(_key(visit)) or await self._make(visit) for visit in VISITS]

    async def _there(self) -> dict[tuple[str, bool], Consult]:
        found: dict[tuple[str, bool], Consult] = {}
        for consult_id in await self._consults.board(CLINIC, self._now - DAY, self._now + DAY):
            consult = await self._consults.load(consult_id)
            if consult is None or not (consult.over or self._is_current(consult)):
                continue
            directory = await self._consults.directory(consult_id)
            patient = directory.get(next(consult.of_role(Role.PATIENT)).id)
            if patient is not None:
                found[patient.name, consult.over] = consult
        return found

    def _is_current(self, consult: Consult) -> bool:
        return consult.phase is Phase.IN_PROGRESS or consult.ends_at > self._now

    async def _make(self, visit: Visit) -> Consult:
        past = visit.after < timedelta(0)
        starts_at = _on_grid(self._now + visit.after)
        command, people = self._scheduled(visit, starts_at)
        coordinator = StaffUser(user=self._users["whitfield"], role=Role.COORDINATOR, clinic=CLINIC)
        script: list[tuple[commands.Command, Actor, datetime]] = [
            (command, coordinator, starts_at - timedelta(days=3))
        ]
        if past:
            script += _taken_place(command, starts_at, visit.length)
        consult: Consult | None = None
        events: list[Event] = []
        for step, by, at in script:
            happened = decide(consult, step, by=by, now=at)
            consult = replay(consult, happened)
            events += happened
        if consult is None:
            raise RuntimeError("a visit begins with its scheduling")
        await self._consults.append(
            consult,
            events,
            expected_version=0,
            due_at=deadlines.due_at(consult),
            rows=SideRows(people=people),
        )
        return consult

    def _scheduled(
        self, visit: Visit, starts_at: datetime
    ) -> tuple[commands.Schedule, tuple[PersonChange, ...]]:
        invited = [
            self._invited(Role.PATIENT, visit.patient),
            self._invited(Role.PHYSICIAN, visit.physician),
            *([self._invited(Role.INTERPRETER, visit.interpreter)] if visit.interpreter else []),
        ]
        pair = LanguagePair(patient=visit.patient.language, clinician=CLINICIAN_LANGUAGE)
        command = commands.Schedule(
            consult=ConsultId(new_id()),
            clinic=CLINIC,
            starts_at=starts_at,
            ends_at=starts_at + visit.length,
            seatings=tuple(seating for seating, _ in invited),
            interpreting=pair if visit.interpreter else None,
            policy=self._policy,
        )
        return command, tuple(person for _, person in invited)

    def _invited(self, role: Role, who: Guest | str) -> tuple[commands.Seating, PersonChange]:
        """Somebody with a link, or a colleague by key."""
        participant = ParticipantId(new_id())
        if isinstance(who, Guest):
            seating = commands.Seating(participant=participant, role=role, language=who.language)
            return seating, _guest(participant, who)
        user = self._users[who]
        seating = commands.Seating(participant=participant, role=role, language=CLINICIAN_LANGUAGE, user=user)
        return seating, PersonChange(participant=participant, user=user)


def _key(visit: Visit) -> tuple[str, bool]:
    return visit.patient.name, visit.after < timedelta(0)


def _on_grid(at: datetime) -> datetime:
    seconds = int(GRID.total_seconds())
    return datetime.fromtimestamp(-(-int(at.timestamp()) // seconds) * seconds, tz=at.tzinfo)


def _guest(participant: ParticipantId, guest: Guest) -> PersonChange:
    return PersonChange(
        participant=participant,
        name=guest.name,
        birth_year=guest.birth_year,
        time_zone=guest.time_zone,
        country=guest.country,
        city=guest.city,
    )


def _taken_place(
    command: commands.Schedule, starts_at: datetime, length: timedelta
) -> list[tuple[commands.Command, Actor, datetime]]:
    """What happens in a visit without trouble."""
    patient, physician = (SeatHolder(participant=one.participant) for one in command.seatings[:2])
    device = DeviceId(new_id())
    text = consent_text(TELEHEALTH, CLINICIAN_LANGUAGE)
    consent = commands.GiveConsent(text_id=text.text_id, text_hash=text.sha256, language=text.language)
    admit = commands.Admit(participant=patient.participant, device=device, identity_confirmed=True)
    minute = timedelta(minutes=1)
    return [
        (commands.Arrive(device=device), patient, starts_at - 6 * minute),
        (consent, patient, starts_at - 5 * minute),
        (commands.Arrive(device=DeviceId(new_id())), physician, starts_at),
        (admit, physician, starts_at + minute),
        (commands.End(reason="completed"), physician, starts_at + length - 4 * minute),
    ]
