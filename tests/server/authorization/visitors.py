"""Everybody who may come, each with cookies of their own, and the consults they try to reach."""

from dataclasses import dataclass, field
from typing import Any

from aiohttp import CookieJar

from server.demo_day import VISITS
from signaling.consult import commands
from signaling.consult.events import Event
from signaling.consult.evolve import replay
from signaling.consult.ids import ConsultId, DeviceId, ParticipantId, UserId
from signaling.consult.rules import decide
from signaling.consult.values import Role, SeatHolder
from signaling.ports import SideRows
from tests.server.recorded import Script

PASSWORD = "a long enough password"
EVERYBODY = (
    "nobody",
    "patient",
    "interpreter",  # with a link
    "physician",  # of the consult
    "outsider",  # a physician of the clinic who does not take part
    "coordinator",
    "desk",  # an interpreter with an account, in no consult
    "elsewhere",  # the coordinator of another clinic
)
DEVICE = DeviceId("device")
JSON = {"Sec-Fetch-Site": "same-origin", "Content-Type": "application/json"}


@dataclass
class Target:
    """A consult and, by visitor, the seat they try: their own where they have one."""

    consult: ConsultId
    patient: ParticipantId
    recording: str = ""
    seats: dict[str, ParticipantId] = field(default_factory=dict)

    def seat(self, who: str) -> ParticipantId:
        return self.seats.get(who, self.patient)


class Visitors:
    """The browsers, by visitor, on the HTTP side of a server with the demonstration's day."""

    def __init__(self, site: Any) -> None:
        self._site = site
        self._jars = {who: CookieJar(unsafe=True) for who in EVERYBODY}
        self.targets: dict[str, Target] = {}

    async def come(self) -> None:
        """Everybody takes what they have: a seat, a sign-in or nothing."""
        await self._accounts()
        seats = {}
        for who in ("patient", "interpreter"):
            self._as(who)
            seats[who] = (await self._site.enter(who)).split("/")[2:]
        self._as("physician")
        await self._site.sign_in("physician")
        consult = ConsultId(seats["patient"][0])
        entered = await (await self._site.post(f"/api/consult/{consult}/enter")).json()
        seats["physician"] = entered["url"].split("/")[2:]
        self._as("coordinator")
        await self._site.sign_in("coordinator")
        for who in ("outsider", "desk", "elsewhere"):
            self._as(who)
            answer = await self._site.post("/api/signin", {"email": _email(who), "password": PASSWORD})
            assert answer.status == 200, await answer.text()
        own = Target(consult, ParticipantId(seats["patient"][1]))
        own.seats = {who: ParticipantId(seat[1]) for who, seat in seats.items()}
        self.targets = {"own": own, "other": await self._other(consult)}
        for target in self.targets.values():
            await self._record(target)

    async def _record(self, target: Target) -> None:
        """The consult has a recording, which is over."""
        script = Script(self._site.services.database, self._site.services.clock.now())
        consult = await self._site.services.consults.load(target.consult)
        await script.recorded(consult)
        target.recording = script.recording

    async def end(self) -> None:
        """The consult everybody was in begins and ends."""
        store = self._site.services.consults
        own = self.targets["own"]
        before = await store.load(own.consult)
        physician = SeatHolder(participant=own.seats["physician"])
        after = before
        happened: list[Event] = []
        for command, by in _course(own, physician):
            events = decide(after, command, by=by, now=self._site.services.clock.now())
            happened += events
            after = replay(after, events)
        await store.append(after, happened, expected_version=before.version, due_at=None, rows=SideRows())
        self.targets["ended"] = own

    async def send(self, who: str, method: str, path: str, body: str | None) -> int:
        """The status of what this visitor is answered."""
        self._as(who)
        headers = {"Accept": "text/html", "Origin": self._site.origin} | (JSON if method == "POST" else {})
        answer = await self._site.client.request(
            method, path, data=body, headers=headers, allow_redirects=False
        )
        return int(answer.status)

    async def _other(self, own: ConsultId) -> Target:
        """A consult of the day that none of them is in."""
        services = self._site.services
        mine = await services.accounts.id_of(VISITS[0].physician + "@demo.example")
        now = services.clock.now()
        for consult_id in await services.consults.board("demo", now.replace(hour=0), now.replace(hour=23)):
            consult = await services.consults.load(consult_id)
            if consult_id != own and not consult.over and consult.of_user(UserId(str(mine))) is None:
                return Target(consult_id, next(consult.of_role(Role.PATIENT)).id)
        raise AssertionError("the demonstration has one consult only")

    async def _accounts(self) -> None:
        for who, role, clinic in (
            ("outsider", "physician", "demo"),
            ("desk", "interpreter", "demo"),
            ("elsewhere", "coordinator", "elsewhere"),
        ):
            await self._site.services.accounts.add(
                email=_email(who),
                name=who,
                role=role,
                clinic_id=clinic,
                language="en",
                languages=("en",),
                password=PASSWORD,
                now=self._site.services.clock.now(),
            )

    def _as(self, who: str) -> None:
        self._site.client.session._cookie_jar = self._jars[who]


def _email(who: str) -> str:
    return f"{who}@visitors.example"


def _course(own: Target, physician: SeatHolder) -> list[tuple[Any, SeatHolder]]:
    """What brings a scheduled consult to its end."""
    patient = SeatHolder(participant=own.seats["patient"])
    text = commands.GiveConsent(text_id="telehealth-1", text_hash="0" * 64, language="en")
    admit = commands.Admit(participant=own.seats["patient"], device=DEVICE, identity_confirmed=True)
    return [
        (commands.Arrive(device=DEVICE), patient),
        (text, patient),
        (commands.Arrive(device=DEVICE), physician),
        (admit, physician),
        (commands.End(reason="completed"), physician),
    ]
