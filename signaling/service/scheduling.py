"""New consults and new people: scheduling, continuing, inviting, and the links they give."""

from dataclasses import replace

from signaling.consult import commands
from signaling.consult.ids import ActorId, ClinicId, ConsultId, ParticipantId
from signaling.consult.people import Person
from signaling.consult.rules import decide
from signaling.consult.values import Actor, Consult, Policy, StaffUser
from signaling.errors import Code, Refused, VersionConflict
from signaling.ports import Clinics, Clock, CommandRow, Ids, Invitations, PersonChange, SideRows
from signaling.protocol import messages, shapes
from signaling.service import planning
from signaling.service.consults import Consults, Loaded


class Scheduler:
    """Makes consults and links. Called under the lock of whoever asks, or of the consult."""

    def __init__(
        self,
        *,
        consults: Consults,
        clock: Clock,
        ids: Ids,
        invitations: Invitations,
        clinics: Clinics,
        policy: Policy,
    ) -> None:
        """`policy` is what newly scheduled consults get."""
        self._consults = consults
        self._clock = clock
        self._ids = ids
        self._invitations = invitations
        self._clinics = clinics
        self._policy = policy

    async def schedule(self, by: StaffUser, message: messages.Schedule) -> messages.Accepted:
        """Make a consult and the links of those who need one."""
        for person in message.people:
            await self.check_account(by.clinic, person)
        command, rows = planning.schedule(message, clinic=by.clinic, policy=self._policy, ids=self._ids)
        happened = decide(None, command, by=by, now=self._clock.now())
        done = CommandRow(
            actor=ActorId(by.user),
            command_id=message.command_id,
            at=self._clock.now(),
            consult=ConsultId(command.consult),
        )
        try:
            consult = await self._consults.create(happened, rows=replace(rows, command=done))
        except VersionConflict:  # sent to two servers at once
            other = await self._consults.store.done(done.actor, done.command_id)
            return messages.Accepted(consult_id=None if other is None else other.consult)
        return messages.Accepted(
            version=consult.version, consult_id=consult.id, invitations=await self.links(consult)
        )

    async def check_account(self, clinic: ClinicId, person: shapes.Person) -> None:
        """A staff account must be of this clinic, and be what it is invited as."""
        if person.user is None:
            return
        if await self._clinics.role_of(clinic, person.user) is not person.role:
            raise Refused(Code.BAD_PEOPLE, f"no such {person.role} account in this clinic")

    async def links(self, consult: Consult, only: ParticipantId | None = None) -> list[shapes.InvitationLink]:
        """A link for each participant without a staff account, or for one of them."""
        wanted = [p for p in consult.participants if p.user is None and (only is None or p.id == only)]
        return [
            shapes.InvitationLink(participant=p.id, url=await self._invitations.issue(consult.id, p.id))
            for p in wanted
        ]

    async def continue_consult(
        self, old: Loaded, message: messages.ContinueConsult, by: Actor
    ) -> messages.Accepted:
        """Begin a new consult with the people of an ended one; asked again, name the same one."""
        command = commands.ContinueConsult(new_consult=ConsultId(self._ids.new()), minutes=message.minutes)
        happened = decide(old.consult, command, by=by, now=self._clock.now())
        existing = await self._consults.store.continued_as(old.consult.id)
        if existing is None:
            rows = SideRows(people=tuple(_same(p, known) for p, known in old.people.items()))
            try:
                consult = await self._consults.create(happened, rows=rows)
            except VersionConflict:  # a colleague on another server was faster
                existing = await self._consults.store.continued_as(old.consult.id)
            else:
                return messages.Accepted(
                    version=consult.version,
                    consult_id=consult.id,
                    invitations=await self.links(consult),
                )
        return messages.Accepted(consult_id=existing)


def _same(participant: ParticipantId, known: Person) -> PersonChange:
    return PersonChange(
        participant=participant,
        name=known.name,
        birth_year=known.birth_year,
        time_zone=known.time_zone,
        country=known.country,
        city=known.city,
        location_country=known.location_country,
        location_text=known.location_text,
    )
