"""What a media worker forwards in each way of interpreting, by its own counters and by what arrives."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress

import aioice.ice
import pytest
import pytest_asyncio

from media.interface import PeerStats, Route, Routing
from server.recordings.ordering import SOURCES
from signaling.consult import interpreting_commands as asks
from signaling.consult.ids import ParticipantId
from signaling.consult.presence import EMPTY, with_direction, with_original
from signaling.consult.routing import routing
from tests.interpreting.consults import LINA, SAMI, Search, connected, interpreter
from tests.media.conftest import Plane, plane_settings
from tests.media.loopback import Participant, participants, until, with_loopback
from tests.signaling.scripts import AMAL, CHEN

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(90)]

TERP, RELIEF = ParticipantId(f"p-{SAMI}"), ParticipantId(f"p-{LINA}")
NAMES = {AMAL: "patient", CHEN: "physician", TERP: "interpreter", RELIEF: "relief"}
WATCHED_S = 0.6
# A picture is forwarded from its next keyframe on: a few packets of it may not be.
EDGE_PACKETS = 12
Heard = dict[str, set[str]]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def plane(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Plane]:
    made = Plane(plane_settings(tmp_path_factory.mktemp("media")))
    await made.start()
    yield made
    await made.stop()


class Room:
    """A consult's room on a real worker; everybody sends a tone and a picture."""

    def __init__(self, plane: Plane, search: Search, people: dict[ParticipantId, Participant]) -> None:
        self.plane, self.search, self.people = plane, search, people
        self.presence, self.revision = EMPTY, 0

    async def heard(self) -> Heard:
        """Forward what the consult says now; answer with whose sound arrives at whom, once the worker's
        counters say the same: it sent each person what came from whom they are to receive, and no more."""
        links = routing(self.search.consult, connected(self.search.consult, self.presence))
        self.revision += 1
        routes = tuple(
            Route(
                publisher=one.publisher, source=SOURCES[one.source], subscriber=one.subscriber, slot=one.slot
            )
            for one in links
        )
        await self.plane.route("r", Routing(revision=self.revision, routes=routes))
        await asyncio.sleep(0.2)  # what was on its way before
        before, frames = await self._stats(), {who: [*one.audio_frames] for who, one in self.people.items()}
        audio = {(one.subscriber, one.slot): one.publisher for one in links if one.source == "audio"}
        await asyncio.sleep(WATCHED_S)
        with suppress(TimeoutError):  # who is still not heard by then is missing in the answer
            await until(lambda: all(self._new(frames, *one) for one in audio), 5)
        after = await self._stats()
        for who in self.people:
            owed = sum(
                _packets(after[r.publisher], r.source) - _packets(before[r.publisher], r.source)
                for r in routes
                if r.subscriber == who
            )
            sent = after[who].packets_forwarded - before[who].packets_forwarded
            assert abs(sent - owed) <= (EDGE_PACKETS if owed else 0), (NAMES[who], sent, owed)
        found: Heard = {}
        for who, person in self.people.items():
            came = [slot for slot in range(len(person.audio_frames)) if self._new(frames, who, slot)]
            found[NAMES[who]] = {NAMES[audio[who, slot]] for slot in came}
        return found

    def _new(self, before: dict[ParticipantId, list[int]], who: ParticipantId, slot: int) -> bool:
        return self.people[who].audio_frames[slot] - before[who][slot] > 5

    async def _stats(self) -> dict[str, PeerStats]:
        return {one.peer: one for one in (await self.plane.stats("r")).peers}


def _packets(peer: PeerStats, source: str) -> int:
    return sum(one.packets for one in peer.sources if one.source == source)


async def test_a_worker_forwards_in_each_way_of_interpreting_what_it_says_and_no_packet_more(
    plane: Plane, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(aioice.ice, "get_host_addresses", with_loopback)
    search = Search(register=[interpreter(SAMI, known=True), interpreter(LINA)])
    people = {who: Participant("r", who, slots=3, fps=2) for who in NAMES}
    async with participants(*people.values()):
        await asyncio.gather(*(one.connect(plane) for one in people.values()))
        room = Room(plane, search, people)
        search.both_in()
        two = {"patient": {"physician"}, "physician": {"patient"}, "interpreter": set(), "relief": set()}
        assert await room.heard() == two
        search.ask()
        search.come(SAMI)
        briefing = {"patient": set(), "physician": {"interpreter"}, "interpreter": {"physician"}}
        assert await room.heard() == briefing | {"relief": set()}
        search.seat(CHEN, asks.EndBriefing(reason="done"))
        search.seat(TERP, asks.EndIntroduction())
        everybody = {
            "patient": {"physician", "interpreter"},
            "physician": {"patient", "interpreter"},
            "interpreter": {"patient", "physician"},
            "relief": set[str](),
        }
        assert await room.heard() == everybody
        search.seat(TERP, asks.SetMode(mode="simultaneous"))
        room.presence = with_direction(EMPTY, TERP, "patient")
        assert await room.heard() == everybody | {"physician": {"patient"}}
        room.presence = with_direction(EMPTY, TERP, "clinician")
        assert await room.heard() == everybody | {"patient": {"physician"}}
        room.presence = with_original(with_direction(EMPTY, TERP, "patient"), AMAL, prefers=True)
        assert await room.heard() == everybody | {"patient": {"physician"}, "physician": {"patient"}}
        search.seat(TERP, asks.SetMode(mode="consecutive"))
        room.presence = EMPTY
        search.ask()
        search.come(LINA)
        relieved = everybody | {"relief": {"patient", "physician", "interpreter"}}
        assert await room.heard() == relieved
        search.seat(RELIEF, asks.TakeOver())
        assert await room.heard() == {
            "patient": {"physician", "relief"},
            "physician": {"patient", "relief"},
            "interpreter": {"patient", "physician", "relief"},
            "relief": {"patient", "physician"},
        }
