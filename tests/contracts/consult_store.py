"""What every ConsultStore does. A storage adapter runs it by a subclass that provides `store`.

class TestSqlite(ConsultStoreContract):
    @pytest.fixture
    async def store(self, tmp_path: Path) -> AsyncIterator[ConsultStore]: ...

An adapter that checks references overrides `clinic`, `physician` and `coordinator` with rows it has.
"""

import asyncio
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta

import pytest

from signaling.consult import commands, deadlines
from signaling.consult.commands import Command, Seating
from signaling.consult.events import Event
from signaling.consult.evolve import replay
from signaling.consult.ids import ActorId, ClinicId, ConsultId, DeviceId, MessageId, ParticipantId, UserId
from signaling.consult.rules import decide
from signaling.consult.values import (
    Actor,
    Consult,
    LanguagePair,
    Policy,
    Role,
    SeatHolder,
    StaffUser,
    TheClock,
)
from signaling.errors import VersionConflict
from signaling.ports import (
    BOARD_ROWS_MAX,
    NO_ROWS,
    ChatRow,
    CommandRow,
    ConsultStore,
    Person,
    PersonChange,
    SideRows,
)

NINE = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
DAY = datetime(2026, 3, 2, tzinfo=UTC)
PATIENT = ParticipantId("p-patient")
PHYSICIAN = ParticipantId("p-physician")
PHONE = DeviceId("d-phone")

Scheduler = Callable[..., commands.Schedule]


class ConsultStoreContract:
    """The contract. Subclass it and provide `store`, empty for each test."""

    @pytest.fixture
    async def store(self) -> ConsultStore:
        """The adapter under test, empty."""
        raise NotImplementedError

    @pytest.fixture
    def clinic(self) -> ClinicId:
        """A clinic the store knows."""
        return ClinicId("clinic")

    @pytest.fixture
    def physician(self) -> UserId:
        """A physician's account of that clinic."""
        return UserId("u-physician")

    @pytest.fixture
    def coordinator(self) -> UserId:
        """A coordinator's account of that clinic."""
        return UserId("u-coordinator")

    @pytest.fixture
    def desk(self, clinic: ClinicId, coordinator: UserId) -> StaffUser:
        """The coordinator, acting."""
        return StaffUser(user=coordinator, role=Role.COORDINATOR, clinic=clinic)

    @pytest.fixture
    def schedule(self, clinic: ClinicId, physician: UserId) -> Scheduler:
        """Make the command that schedules a consult."""

        def make(consult: str = "c1", starts_at: datetime = NINE) -> commands.Schedule:
            return commands.Schedule(
                consult=ConsultId(consult),
                clinic=clinic,
                starts_at=starts_at,
                ends_at=starts_at + timedelta(minutes=30),
                seatings=(
                    Seating(participant=PATIENT, role=Role.PATIENT, language="ar"),
                    Seating(participant=PHYSICIAN, role=Role.PHYSICIAN, language="en", user=physician),
                ),
                interpreting=LanguagePair(patient="ar", clinician="en"),
                policy=Policy(),
            )

        return make

    async def test_a_stored_consult_is_loaded_as_it_was(
        self, store: ConsultStore, schedule: Scheduler, desk: StaffUser
    ) -> None:
        stored = await act(store, None, schedule(), by=desk, now=NINE)
        assert await store.load(stored.id) == stored
        assert stored.version == 3

    async def test_an_unknown_consult_is_none(self, store: ConsultStore) -> None:
        assert await store.load(ConsultId("nowhere")) is None
        assert await store.directory(ConsultId("nowhere")) == {}
        assert list(await store.chat(ConsultId("nowhere"), after_seq=0, limit=10)) == []
        assert await store.continued_as(ConsultId("nowhere")) is None

    async def test_later_events_follow_the_first_ones(
        self, store: ConsultStore, schedule: Scheduler, desk: StaffUser
    ) -> None:
        consult = await act(store, None, schedule(), by=desk, now=NINE)
        after = await act(store, consult, commands.Arrive(device=PHONE), by=seat(PATIENT), now=NINE)
        assert after.version == consult.version + 1
        assert await store.load(consult.id) == after

    async def test_the_second_of_two_writers_of_one_version_conflicts_and_stores_nothing(
        self, store: ConsultStore, schedule: Scheduler, desk: StaffUser
    ) -> None:
        consult = await act(store, None, schedule(), by=desk, now=NINE)
        first = await act(store, consult, commands.Arrive(device=PHONE), by=seat(PATIENT), now=NINE)
        rows = SideRows(people=(PersonChange(participant=PATIENT, name="Not stored"),))
        with pytest.raises(VersionConflict):
            await act(store, consult, commands.Extend(minutes=5), by=desk, now=NINE, rows=rows, force=first)
        assert await store.load(consult.id) == first
        assert "Not stored" not in {p.name for p in (await store.directory(consult.id)).values()}

    async def test_one_of_many_writers_at_once_wins(
        self, store: ConsultStore, schedule: Scheduler, desk: StaffUser
    ) -> None:
        consult = await act(store, None, schedule(), by=desk, now=NINE)
        outcomes = await asyncio.gather(
            *(
                act(store, consult, commands.Arrive(device=DeviceId(f"d{n}")), by=seat(PATIENT), now=NINE)
                for n in range(8)
            ),
            return_exceptions=True,
        )
        winners = [o for o in outcomes if isinstance(o, Consult)]
        assert len(winners) == 1
        assert all(isinstance(o, VersionConflict) for o in outcomes if not isinstance(o, Consult))
        assert await store.load(consult.id) == winners[0]

    async def test_a_consult_is_made_once(
        self, store: ConsultStore, schedule: Scheduler, desk: StaffUser
    ) -> None:
        await act(store, None, schedule(), by=desk, now=NINE)
        with pytest.raises(VersionConflict):
            await act(store, None, schedule(), by=desk, now=NINE)

    async def test_a_consult_becomes_due_and_is_due_no_more_once_done(
        self, store: ConsultStore, schedule: Scheduler, desk: StaffUser
    ) -> None:
        early = NINE - timedelta(hours=3)
        consult = await act(store, None, schedule(), by=desk, now=early)
        opens_at = consult.opens_at
        assert list(await store.due(opens_at - timedelta(seconds=1), limit=10)) == []
        assert list(await store.due(opens_at, limit=10)) == [consult.id]
        await act(store, consult, commands.Cancel(reason="mistake"), by=desk, now=early)
        assert list(await store.due(opens_at + timedelta(days=9), limit=10)) == []

    async def test_due_gives_the_longest_due_first_and_no_more_than_asked(
        self, store: ConsultStore, schedule: Scheduler, desk: StaffUser
    ) -> None:
        early = NINE - timedelta(hours=3)
        for name, hours in (("late", 2), ("soon", 0), ("middle", 1)):
            starts_at = NINE + timedelta(hours=hours)
            await act(store, None, schedule(name, starts_at), by=desk, now=early)
        assert list(await store.due(NINE + timedelta(hours=9), limit=2)) == ["soon", "middle"]

    async def test_names_and_places_commit_with_the_events_and_keep_what_is_not_said(
        self, store: ConsultStore, schedule: Scheduler, desk: StaffUser
    ) -> None:
        booked = PersonChange(
            participant=PATIENT,
            name="Amal Haddad",
            birth_year=1980,
            time_zone="Asia/Dubai",
            country="AE",
            city="Dubai",
        )
        rows = SideRows(people=(booked, PersonChange(participant=PHYSICIAN, name="Dr Grace Chen")))
        consult = await act(store, None, schedule(), by=desk, now=NINE, rows=rows)
        told = PersonChange(participant=PATIENT, location_country="OM", location_text="at my sister's")
        await act(
            store, consult, commands.TellLocation(), by=seat(PATIENT), now=NINE, rows=SideRows(people=(told,))
        )
        people = await store.directory(consult.id)
        assert people[PATIENT] == Person(
            name="Amal Haddad",
            birth_year=1980,
            time_zone="Asia/Dubai",
            country="AE",
            city="Dubai",
            location_country="OM",
            location_text="at my sister's",
        )
        assert people[PHYSICIAN].name == "Dr Grace Chen"

    async def test_the_people_of_one_consult_are_not_those_of_another(
        self, store: ConsultStore, schedule: Scheduler, desk: StaffUser
    ) -> None:
        for consult, name in (("c1", "Amal"), ("c2", "Hassan")):
            rows = SideRows(people=(PersonChange(participant=PATIENT, name=name),))
            await act(store, None, schedule(consult), by=desk, now=NINE, rows=rows)
        assert (await store.directory(ConsultId("c1")))[PATIENT].name == "Amal"
        assert (await store.directory(ConsultId("c2")))[PATIENT].name == "Hassan"

    async def test_chat_comes_in_order_after_the_number_asked_and_no_more_than_asked(
        self, store: ConsultStore, schedule: Scheduler, desk: StaffUser
    ) -> None:
        consult = await in_room(store, schedule(), desk)
        for n in range(1, 6):
            message = MessageId(f"m{n}")
            text = f"سطر {n}\n<b>&"
            row = ChatRow(seq=n, message=message, participant=PHYSICIAN, at=NINE, text=text)
            consult = await act(
                store,
                consult,
                commands.SendMessage(message=message),
                by=seat(PHYSICIAN),
                now=NINE,
                rows=SideRows(chat=(row,)),
            )
        got = await store.chat(consult.id, after_seq=2, limit=2)
        assert [row.seq for row in got] == [3, 4]
        assert got[0] == ChatRow(
            seq=3, message=MessageId("m3"), participant=PHYSICIAN, at=NINE, text="سطر 3\n<b>&"
        )

    async def test_the_board_lists_the_day_and_whatever_still_runs(
        self,
        store: ConsultStore,
        schedule: Scheduler,
        desk: StaffUser,
        clinic: ClinicId,
    ) -> None:
        early = NINE - timedelta(days=3)
        running = await act(store, None, schedule("run", NINE - timedelta(days=1)), by=desk, now=early)
        await act(
            store,
            running,
            commands.Arrive(device=PHONE),
            by=seat(PATIENT),
            now=NINE - timedelta(days=1),
        )
        for name, starts_at in (
            ("b-noon", NINE + timedelta(hours=3)),
            ("a-nine", NINE),
            ("midnight", DAY),
            ("tomorrow", DAY + timedelta(days=1)),
            ("yesterday", DAY - timedelta(hours=9)),
        ):
            await act(store, None, schedule(name, starts_at), by=desk, now=early)
        listed = await store.board(clinic, DAY, DAY + timedelta(days=1))
        assert list(listed) == ["run", "midnight", "a-nine", "b-noon"]
        assert list(await store.board(ClinicId("other"), DAY, DAY + timedelta(days=1))) == []

    async def test_the_board_is_bounded(
        self,
        store: ConsultStore,
        schedule: Scheduler,
        desk: StaffUser,
        clinic: ClinicId,
    ) -> None:
        for n in range(BOARD_ROWS_MAX + 3):
            starts_at = NINE + timedelta(seconds=n)
            await act(store, None, schedule(f"c{n}", starts_at), by=desk, now=NINE)
        assert len(await store.board(clinic, DAY, DAY + timedelta(days=1))) == BOARD_ROWS_MAX

    async def test_live_lists_open_waiting_rooms_and_running_consults(
        self, store: ConsultStore, schedule: Scheduler, desk: StaffUser
    ) -> None:
        early = NINE - timedelta(hours=3)
        await act(store, None, schedule("later"), by=desk, now=early)
        opened = await act(store, None, schedule("opened"), by=desk, now=early)
        await clock(store, opened, now=NINE)
        waiting = await act(store, None, schedule("waiting"), by=desk, now=early)
        await act(store, waiting, commands.Arrive(device=PHONE), by=seat(PATIENT), now=NINE)
        over = await in_room(store, schedule("over"), desk)
        await act(store, over, commands.End(reason="completed"), by=seat(PHYSICIAN), now=NINE)
        await in_room(store, schedule("running"), desk)
        assert sorted(await store.live(limit=10)) == ["opened", "running", "waiting"]
        assert len(await store.live(limit=2)) == 2

    async def test_versions_are_those_of_the_last_append(
        self, store: ConsultStore, schedule: Scheduler, desk: StaffUser
    ) -> None:
        one = await act(store, None, schedule("one"), by=desk, now=NINE)
        two = await in_room(store, schedule("two"), desk)
        asked = [one.id, two.id, ConsultId("unknown")]
        assert await store.versions(asked) == {one.id: one.version, two.id: two.version}
        assert await store.versions([]) == {}

    async def test_a_command_that_was_done_is_known_and_cannot_be_done_again(
        self, store: ConsultStore, schedule: Scheduler, desk: StaffUser
    ) -> None:
        consult = await act(store, None, schedule(), by=desk, now=NINE)
        done = CommandRow(actor=ActorId("u-1"), command_id="command-1", at=NINE, consult=consult.id)
        assert await store.done(done.actor, done.command_id) is None
        rows = SideRows(command=done)
        arrive = commands.Arrive(device=PHONE)
        after = await act(store, consult, arrive, by=seat(PATIENT), now=NINE, rows=rows)
        assert await store.done(done.actor, done.command_id) == done
        assert await store.done(ActorId("u-2"), done.command_id) is None
        with pytest.raises(VersionConflict):
            await act(store, after, commands.Leave(), by=seat(PATIENT), now=NINE, rows=rows)
        assert await store.load(consult.id) == after

    async def test_a_consult_is_continued_once(
        self, store: ConsultStore, schedule: Scheduler, desk: StaffUser
    ) -> None:
        consult = await in_room(store, schedule(), desk)
        over = await act(store, consult, commands.End(reason="technical"), by=seat(PHYSICIAN), now=NINE)
        assert await store.continued_as(over.id) is None
        await continue_as(store, over, "c2", desk)
        assert await store.continued_as(over.id) == "c2"
        with pytest.raises(VersionConflict):
            await continue_as(store, over, "c3", desk)
        assert await store.load(ConsultId("c3")) is None
        assert await store.load(over.id) == over


def seat(participant: ParticipantId) -> SeatHolder:
    """Someone acting from their seat."""
    return SeatHolder(participant=participant)


async def act(
    store: ConsultStore,
    before: Consult | None,
    command: Command,
    *,
    by: Actor,
    now: datetime,
    rows: SideRows = NO_ROWS,
    force: Consult | None = None,
) -> Consult:
    """Decide on `before` (or, to provoke a conflict, on `force`) and store on top of `before`."""
    base = force or before
    happened = decide(base, command, by=by, now=now)
    after = replay(base, happened)
    assert after is not None
    await _append(store, after, happened, before, rows)
    return after


async def _append(
    store: ConsultStore, after: Consult, happened: Sequence[Event], before: Consult | None, rows: SideRows
) -> None:
    await store.append(
        after,
        happened,
        expected_version=before.version if before else 0,
        due_at=deadlines.due_at(after),
        rows=rows,
    )


async def clock(store: ConsultStore, consult: Consult, *, now: datetime) -> Consult:
    """Let the clock open the waiting room."""
    return await act(store, consult, commands.OpenWaitingRoom(), by=TheClock(), now=now)


async def in_room(store: ConsultStore, schedule: commands.Schedule, desk: StaffUser) -> Consult:
    """A consult in progress: patient and physician are in the room."""
    now = schedule.starts_at
    consult = await act(store, None, schedule, by=desk, now=now)
    consult = await act(store, consult, commands.Arrive(device=PHONE), by=seat(PATIENT), now=now)
    desktop = commands.Arrive(device=DeviceId("d-desktop"))
    consult = await act(store, consult, desktop, by=seat(PHYSICIAN), now=now)
    consent = commands.GiveConsent(text_id="telehealth-1", text_hash="0" * 64, language="ar")
    consult = await act(store, consult, consent, by=seat(PATIENT), now=now)
    admit = commands.Admit(participant=PATIENT, device=PHONE, identity_confirmed=True)
    return await act(store, consult, admit, by=seat(PHYSICIAN), now=now)


async def continue_as(store: ConsultStore, over: Consult, name: str, desk: StaffUser) -> None:
    """Continue an ended consult under a new id."""
    command = commands.ContinueConsult(new_consult=ConsultId(name), minutes=15)
    happened = decide(over, command, by=desk, now=NINE)
    after = replay(None, happened)
    assert after is not None
    await _append(store, after, happened, None, NO_ROWS)
