"""Presence on several servers: whatever is lost, late, repeated or out of order, in the end all agree."""

from datetime import UTC, datetime
from functools import partial
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from signaling.consult.ids import ConnectionId, ConsultId, DeviceId, ParticipantId
from signaling.consult.news import PresenceEntry, ServerId
from signaling.consult.presence import connected, disconnected, with_media
from signaling.service import Presences

CONSULT = ConsultId("c")
NAMES = ("a", "b", "c")
NOON = datetime(2026, 11, 25, 12, tzinfo=UTC)

steps = st.lists(
    st.tuples(
        st.sampled_from(NAMES),
        st.sampled_from(("connect", "drop", "mute", "hear")),
        st.sampled_from(("p", "q")),
        st.sampled_from(NAMES),
    ),
    max_size=30,
)


async def write(server: Presences, what: str, who: str) -> None:
    person = ParticipantId(who)
    connection = ConnectionId(f"{who} at {server.server}")
    change: Any = {
        "connect": partial(connected, participant=person, connection=connection, device=DeviceId(f"d-{who}")),
        "drop": partial(disconnected, participant=person, connection=connection, now=NOON),
        "mute": partial(with_media, participant=person, audio_on=False, video_on=True),
    }[what]
    await server.update(CONSULT, change)


@given(steps=steps, order=st.permutations(range(6)))
async def test_servers_that_have_heard_each_other_agree(steps: list[Any], order: list[int]) -> None:
    servers = {name: Presences(ServerId(name)) for name in NAMES}
    for name, what, who, other in steps:
        if what == "hear":
            servers[name].merge(CONSULT, servers[other].entries(CONSULT))
        else:
            await write(servers[name], what, who)
    letters = [(a, b) for a in NAMES for b in NAMES if a != b]
    told = {name: servers[name].entries(CONSULT) for name in NAMES}
    for number in (*order, *order):  # each twice
        sender, receiver = letters[number]
        servers[receiver].merge(CONSULT, told[sender])
    found = [{e.participant: e for e in servers[name].entries(CONSULT)} for name in NAMES]
    assert found[0] == found[1] == found[2]
    for who in ("p", "q"):
        owners = [n for n in NAMES if servers[n].is_mine(CONSULT, ParticipantId(who))]
        assert len(owners) == (1 if found[0].get(ParticipantId(who)) else len(NAMES))


async def test_what_is_older_changes_nothing() -> None:
    here, there = Presences(ServerId("a")), Presences(ServerId("b"))
    await write(there, "connect", "p")
    early: tuple[PresenceEntry, ...] = there.entries(CONSULT)
    assert here.merge(CONSULT, early)
    await write(here, "mute", "p")
    before = await here.get(CONSULT)
    assert not here.merge(CONSULT, early)
    assert await here.get(CONSULT) is before
