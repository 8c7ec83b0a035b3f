"""A person of a call without a browser: requests as our pages send them, one socket, and one peer connection
that sends a tone and a picture and counts the packets it gets.
"""

import asyncio
import contextlib
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from itertools import count
from typing import Any

import aioice.ice
import pytest
import socketio
from aiortc import RTCConfiguration, RTCPeerConnection, RTCSessionDescription
from aiortc.rtcconfiguration import RTCBundlePolicy
from aiortc.rtcdtlstransport import RTCDtlsTransport

from tests.e2e.kit.meridian import MEDIA_WORKERS, Meridian
from tests.hostile import machine
from tests.media.loopback import Picture, Tone, repeat_candidates, until, with_loopback
from tests.server.browser import SOON_S, Browser, Tab
from web.consents import consent_text

SLOTS = 4
FPS = 15
LOSS_MAX = 0.01
SETTLE_PACKETS = 10
"""Packets each stream must still bring after an attack before it is judged."""
MEMORY_KB_MAX = 64 * 1024
"""How much the server and its workers may grow by one attack."""


@dataclass(slots=True, eq=False)
class Stream:
    """The RTP packets of one SSRC."""

    received: int = 0
    highest: int = -1
    """Sequence number of the newest packet, counted on where the 16 bits begin again."""
    marked: dict[bytes, int] = field(default_factory=dict)

    def add(self, packet: bytes, marks: tuple[bytes, ...]) -> None:
        number = int.from_bytes(packet[2:4], "big")
        ahead = (number - self.highest) & 0xFFFF if self.highest >= 0 else number
        if self.highest < 0:
            self.highest = number
        elif ahead < 0x8000:
            self.highest += ahead
        self.received += 1
        for mark in marks:
            self.marked[mark] = self.marked.get(mark, 0) + (mark in packet)


class Caller:
    """One seat of a consult, taken in a browser."""

    def __init__(self, browser: Browser, seat: dict[str, str]) -> None:
        self.browser, self.seat = browser, seat
        self.tab = Tab()
        self.connection: RTCPeerConnection | None = None
        self.streams: dict[int, Stream] = {}
        self.marks: tuple[bytes, ...] = ()
        """Byte strings to look for in what comes."""
        self.offer = self.answer = self.peer = ""
        self._commands = count(1)

    async def open(self) -> None:
        """A new tab on the seat, which goes on with the peer connection there is."""
        self.tab = await self.browser.open(self.seat, self.peer or None)

    async def ask(self, message: dict[str, Any]) -> dict[str, Any]:
        """The answer; where the server hangs up instead, what it said, or `closed`."""
        had = len(self.tab.told)
        call = asyncio.create_task(self.tab.socket.call("message", message, timeout=SOON_S))
        gone = asyncio.create_task(self.tab.gone.wait())
        try:
            await asyncio.wait({call, gone}, timeout=SOON_S, return_when=asyncio.FIRST_COMPLETED)
            if call.done() and call.exception() is None and call.result() is not None:
                answer: dict[str, Any] = call.result()
                return answer
            await asyncio.wait_for(gone, SOON_S)
        finally:
            call.cancel()
            gone.cancel()
            await asyncio.gather(call, gone, return_exceptions=True)
        errors = (told for told in self.tab.told[had:] if told["type"] == "protocol_error")
        return next(errors, {"type": "closed"})

    async def do(self, kind: str, **fields: Any) -> dict[str, Any]:
        """A command that is accepted."""
        answer = await self.ask({"type": kind, "command_id": f"command-{next(self._commands)}", **fields})
        assert answer["type"] == "accepted", (kind, answer)
        return answer

    async def arrive(self) -> None:
        """A tab, consent where it is asked for, and the seat."""
        await self.open()
        view = await self.tab.view(type="consult_view")
        if view["me"]["must_consent"]:
            text = consent_text("telehealth-2", "en")
            await self.do("give_consent", text_id=text.text_id, text_hash=text.sha256, language=text.language)
        await self.do("arrive")

    async def connect_media(self, *, silent: bool = False) -> None:
        """A new peer connection: offer, answer, connected. A silent one sends what `send_rtp` is given."""
        await self.hang_up()
        connection = RTCPeerConnection(
            RTCConfiguration(iceServers=[], bundlePolicy=RTCBundlePolicy.MAX_BUNDLE)
        )
        self.connection, self.streams = connection, {}
        connection.addTransceiver("audio" if silent else Tone(440), direction="sendonly")
        connection.addTransceiver("video" if silent else Picture(200, FPS), direction="sendonly")
        for kind in ("audio", "video"):
            for _ in range(SLOTS):
                connection.addTransceiver(kind, direction="recvonly")
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(aioice.ice, "get_host_addresses", with_loopback)
            await connection.setLocalDescription(await connection.createOffer())
        self.transport._handle_rtp_data = self._count  # type: ignore[method-assign]
        self.offer = connection.localDescription.sdp
        answer = await self.ask({"type": "connect_media", "offer": self.offer})
        assert answer["type"] == "media_answer", answer
        self.answer, self.peer = answer["answer"], answer["peer"]
        await connection.setRemoteDescription(RTCSessionDescription(repeat_candidates(self.answer), "answer"))
        await until(lambda: connection.connectionState == "connected", SOON_S)

    @property
    def transport(self) -> RTCDtlsTransport:
        """The one encrypted transport of the connection."""
        assert self.connection is not None
        found = self.connection.getSenders()[0].transport
        assert isinstance(found, RTCDtlsTransport)
        return found

    @property
    def is_up(self) -> bool:
        """Whether socket and peer connection live."""
        return (
            self.connection is not None
            and self.connection.connectionState == "connected"
            and not self.tab.gone.is_set()
        )

    @property
    def ssrcs(self) -> list[int]:
        """What this person sends under."""
        return [int(ssrc) for ssrc in dict.fromkeys(re.findall(r"a=ssrc:(\d+) ", self.offer))]

    @property
    def received(self) -> int:
        """Packets of all streams."""
        return sum(stream.received for stream in self.streams.values())

    def heard(self, mark: bytes) -> int:
        """Packets that had this mark."""
        return sum(stream.marked.get(mark, 0) for stream in self.streams.values())

    async def _count(self, data: bytes, arrival_time_ms: int) -> None:
        self.streams.setdefault(int.from_bytes(data[8:12], "big"), Stream()).add(data, self.marks)

    async def send_rtp(self, packet: bytes) -> None:
        """One packet of one's own making, encrypted with one's own keys."""
        await self.transport._send_rtp(packet)

    async def hang_up(self) -> None:
        """End the peer connection, if there is one."""
        if self.connection is not None:
            await self.connection.close()
            self.connection = None

    async def close(self) -> None:
        """Go, without a word."""
        await self.hang_up()
        with contextlib.suppress(socketio.exceptions.SocketIOError):
            await self.tab.socket.disconnect()


class Call:
    """Patient, physician and interpreter in a consult, with everything an attack must leave as it was."""

    def __init__(self, server: Meridian, media_port: int) -> None:
        self.server = server
        self.ports = [("127.0.0.1", media_port + worker) for worker in range(MEDIA_WORKERS)]
        """The UDP address of every media worker."""
        self.browsers: list[Browser] = []
        self.others: list[Caller] = []
        self._read = 0

    def browser(self) -> Browser:
        """One more browser, closed with the call."""
        self.browsers.append(Browser(self.server.origin))
        return self.browsers[-1]

    async def begin(self) -> None:
        """Everybody comes, is admitted and connected; each gets what the others send."""
        links = self.server.links
        await self._physician_comes(links["physician"])
        self.patient = await self.guest(links["patient"])
        self.interpreter = await self.guest(links["interpreter"])
        for one in (self.patient, self.interpreter):
            await self.admit(one)
        for one in self.victims:
            await one.connect_media()
        await until(lambda: all(len(self._live(one)) == 4 for one in self.victims), SOON_S)

    async def _physician_comes(self, link: str) -> None:
        browser = self.browser()
        await browser.post("/api/demo/enter", {"secret": link.partition("#")[2]})
        board = await browser.open({"board": True})
        rows = (await board.view(type="board_view"))["rows"]
        mine = next(row for row in rows if row["mine"] and row["phase"] == "scheduled")
        await board.socket.disconnect()
        self.physician = Caller(browser, await enter(browser, mine["consult_id"]))
        await self.physician.arrive()

    @property
    def consult(self) -> str:
        return self.physician.seat["consult_id"]

    @property
    def victims(self) -> tuple[Caller, Caller, Caller]:
        return self.patient, self.physician, self.interpreter

    async def joined(self, caller: Caller) -> Caller:
        """Somebody who has a seat arrives; they are gone when the call is."""
        self.others.append(caller)
        await caller.arrive()
        return caller

    async def guest(self, link: str) -> Caller:
        """Somebody with a link, in the waiting room."""
        browser = self.browser()
        return await self.joined(Caller(browser, await browser.take_seat(link)))

    async def invited(self, name: str) -> Caller:
        """A companion the physician has just invited, in the waiting room."""
        person = {"role": "companion", "language": "en", "name": name}
        [link] = (await self.physician.do("invite", person=person))["invitations"]
        return await self.guest(link["url"])

    async def admit(self, guest: Caller) -> None:
        """Let somebody in who waits."""
        participant = guest.seat["participant_id"]
        await self.physician.do("admit", participant=participant, identity_confirmed=True)

    def _live(self, victim: Caller) -> list[Stream]:
        return [stream for stream in victim.streams.values() if stream.received > SETTLE_PACKETS]

    @contextlib.asynccontextmanager
    async def unhurt(self, *victims: Caller) -> AsyncIterator[None]:
        """What happens inside harms none of the victims (all three of the call) and leaves no trace."""
        watched = victims or self.victims
        assert all(one.is_up for one in watched), "the call was broken before"
        before = {one: {s: (s.received, s.highest) for s in self._live(one)} for one in watched}
        workers, memory_kb = machine.processes(self.server.process.pid), self._memory_kb()
        yield
        enough = {stream: stream.received + SETTLE_PACKETS for had in before.values() for stream in had}
        await until(lambda: all(stream.received >= wanted for stream, wanted in enough.items()), SOON_S)
        for one, had in before.items():
            assert one.is_up
            expected = sum(stream.highest - highest for stream, (_, highest) in had.items())
            received = sum(stream.received - count for stream, (count, _) in had.items())
            assert expected - received <= LOSS_MAX * expected, (expected, received)
        assert machine.processes(self.server.process.pid) == workers, "a process ended or was started anew"
        assert self._memory_kb() - memory_kb < MEMORY_KB_MAX
        assert (await self.answers_within_s()) < SOON_S
        assert self.faults() == []

    async def answers_within_s(self) -> float:
        """Seconds until a victim's message is answered and the server says it is ready."""
        started = asyncio.get_running_loop().time()
        answer = await self.patient.ask({"type": "fetch_chat", "after_seq": 0})
        assert answer["type"] == "chat", answer
        async with self.patient.browser.http.get(f"{self.server.origin}/readyz") as ready:
            assert ready.status == 200
        return asyncio.get_running_loop().time() - started

    async def packets(self, what: str) -> int:
        """Packets of which the media workers say that this became of them."""
        async with self.patient.browser.http.get(f"{self.server.origin}/metrics") as answer:
            text = await answer.text()
        counts = re.findall(rf'meridian_media_packets_total{{what="{what}",worker="\d"}} (\S+)', text)
        return sum(int(float(number)) for number in counts)

    def _memory_kb(self) -> int:
        return sum(machine.memory_kb(process) for process in machine.processes(self.server.process.pid))

    def faults(self) -> list[str]:
        """New lines of the server's and its workers' log that tell of a bug."""
        log = self.server.logged()
        new, self._read = log[self._read :], len(log)
        bug = re.compile(r'Traceback|"level": "(error|critical)"| (ERROR|CRITICAL) |"traceback"')
        return [line for line in new.splitlines() if bug.search(line)]

    async def end(self) -> None:
        """Everybody goes."""
        for one in {*self.others, self.physician}:
            await one.close()
        for browser in self.browsers:
            await browser.close()


async def enter(browser: Browser, consult: str) -> dict[str, str]:
    """The seat of whoever is signed in."""
    _, _, consult, participant = (await browser.post(f"/api/consult/{consult}/enter"))["url"].split("/")
    return {"consult_id": consult, "participant_id": participant}
