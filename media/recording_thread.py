"""The half of recording that may wait for a disk: one thread of a worker, which owns every part.

The event loop only appends what arrives to a `Take`. The thread holds each packet back for a quarter of a
second, so that a revocation that comes meanwhile still keeps it out of the file; then it gathers, seals and
writes. A disk that is slow makes this thread wait, and nobody else.
"""

from __future__ import annotations

import contextlib
import logging
import threading
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from time import monotonic
from typing import Final, Protocol

from media.gathering import Arrival
from media.interface import RecordingFault
from media.parts import Batch, OnDisk, PartLostError, Parts, Recipient, highest_part

HOLD_S: Final = 0.25
WAKE_S: Final = 0.2
"""With `HOLD_S`, a packet is in the file after 0.45 s; and on the disk, which every third wake waits for,
after 0.85 s.
"""
PROGRESS_S: Final = 10.0

log = logging.getLogger(__name__)

Call = Callable[..., object]


class TrackInfo(Protocol):
    """What the thread needs to know of a track."""

    number: int
    is_audio: bool
    about: Mapping[str, object]
    """The meta record that says what it is."""


Held = tuple[float, TrackInfo, bytes, bool]
"""When it arrived (monotonic seconds), of which track, the packet, and whether a key frame begins with it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What a take needs of its order. Times are seconds of the monotonic clock."""

    recording: bytes
    epoch_s: float
    first_part: int
    shred: bytes = field(repr=False)
    recipients: tuple[Recipient, ...]
    about: Mapping[str, object]
    """The meta record each part begins with."""


@dataclass(frozen=True, slots=True)
class _Stop:
    reason: str
    cut_s: float


class Take:
    """One recording from an order until a stop: what has arrived and is in no file yet.

    `progress` and `failed` are called in the event loop. `held` and `stop` are for the loop, `work` for the
    thread; neither waits for the other.
    """

    def __init__(
        self,
        plan: Plan,
        writer: Writer,
        progress: Callable[[OnDisk], None],
        failed: Callable[[RecordingFault], None],
        after: Sequence[Take] = (),
    ) -> None:
        """`after`: the takes of the same room that may have a part to end before this one begins its own."""
        self.recorded = 0
        """Packets that went into a file."""
        self.is_over = False
        """Whether the thread has done with it."""
        self._plan = plan
        self._writer = writer
        self._progress, self._failed = progress, failed
        self._after = after
        self.held: deque[Held] = deque()
        """What has arrived, oldest first. The loop appends to it, and sees that it does not grow too long."""
        self._stop: _Stop | None = None
        self._parts: Parts | None = None
        self._there: OnDisk | None = None
        self._newest_s = float("-inf")
        self._told_at_s = float("-inf")

    def stop(self, reason: str, cut_s: float) -> None:
        """End it; what arrived after `cut_s` is dropped. Of several stops the earliest cut holds.

        What arrived before is held back as ever, so that the next stop may take it away yet.
        """
        before = self._stop
        if before is not None:
            reason, cut_s = before.reason, min(before.cut_s, cut_s)
        self._stop = _Stop(reason, cut_s)
        self._writer.wake()

    def work(self, now_s: float) -> bool:
        """Put what is old enough into the file; True when the take is over."""
        stop, until_s = self._stop, now_s if self._writer.is_closing else now_s - HOLD_S
        ends = stop is not None and until_s >= stop.cut_s
        try:
            self._write(until_s if stop is None else min(until_s, stop.cut_s), now_s)
            there = self._end(stop, now_s) if stop is not None and ends else self._tick(now_s)
        except PartLostError as error:
            log.warning("a recording stops: %s", error)
            self.give_up("disk_full" if error.is_full else "disk_error")
            return True
        if there is not None:
            self._there = there
            if there.ended or now_s - self._told_at_s >= PROGRESS_S:
                self._tell(there, now_s)
        self.is_over = ends
        return ends

    def give_up(self, fault: RecordingFault) -> None:
        """Tell how far it was on the disk, and that nothing follows. The loop is left to `discard`."""
        self.is_over = True
        if self._there is not None and not self._there.ended:
            self._writer.call(self._progress, self._there)
        self._writer.call(self._failed, fault)

    def discard(self) -> None:
        """In the loop, once the thread has given up: what waits is lost."""
        self._writer.dropped += len(self.held)
        self.held.clear()

    def _write(self, until_s: float, now_s: float) -> None:
        """Everything that had arrived by then, in a record of each track or some."""
        held, epoch_s = self.held, self._plan.epoch_s
        batches: dict[TrackInfo, list[Arrival]] = {}
        count = 0
        while held and held[0][0] <= until_s:
            at_s, track, data, sync = held.popleft()
            at_us = int((at_s - epoch_s) * 1e6)
            batch = batches.get(track)
            if batch is None:
                batches[track] = [(at_us, data, sync or track.is_audio)]  # sound can be played from anywhere
            else:
                batch.append((at_us, data, sync))
            count, self._newest_s = count + 1, at_s
        if not count:
            if held:
                self._begin_ahead(now_s)
            return
        try:
            parts = self._parts = self._parts or self._opened(now_s)
            parts.write(
                [Batch(track=t.number, arrivals=a, about=t.about) for t, a in batches.items()],
                self._us(now_s),
            )
        except PartLostError:
            self._writer.lost += count
            raise
        self.recorded += count
        self._writer.recorded += count

    def _begin_ahead(self, now_s: float) -> None:
        """Make the file while the first packet is held back: a disk that takes nothing is told at once."""
        if self._parts is not None or self._stop is not None or not all(one.is_over for one in self._after):
            return
        self._after = ()
        self._parts = self._opened(now_s)
        self._parts.begin(self._us(now_s))

    def _tick(self, now_s: float) -> OnDisk | None:
        return None if self._parts is None else self._parts.tick(self._us(now_s))

    def _end(self, stop: _Stop, now_s: float) -> OnDisk | None:
        self.held.clear()
        if self._parts is None:
            return None
        if self._newest_s > stop.cut_s:
            # The stop took longer than packets are held back. What is sealed stays; whoever plays it leaves
            # out what is later than this.
            self._parts.meta({"kind": "cut", "at_us": self._us(stop.cut_s)}, self._us(now_s))
        return self._parts.end(stop.reason, self._us(now_s))

    def _opened(self, now_s: float) -> Parts:
        plan, folder = self._plan, self._writer.folder
        try:
            highest = highest_part(folder, plan.recording)
        except OSError as error:
            raise PartLostError(error) from error

        def begun(there: OnDisk) -> None:
            self._tell(there, now_s)

        return Parts(
            folder,
            recording=plan.recording,
            shred=plan.shred,
            recipients=plan.recipients,
            first=max(plan.first_part, highest + 1),
            about=plan.about,
            begun=begun,
        )

    def _tell(self, there: OnDisk, now_s: float) -> None:
        self._told_at_s = now_s
        self._writer.call(self._progress, there)

    def _us(self, at_s: float) -> int:
        return max(0, int((at_s - self._plan.epoch_s) * 1e6))


class Writer:
    """All takes of a worker. Each counter is written by one side only: the loop, or the thread."""

    def __init__(self, folder: Path, call: Call) -> None:
        """`folder` is where the parts go; `call(function, argument)` has the event loop call a function."""
        self.folder = folder
        self.is_closing = False
        """Then nothing is held back: nobody can stop anything any more."""
        self.recorded = 0
        """Packets that went into files."""
        self.dropped = self.lost = 0
        """Packets that were to be recorded and are not: for the loop and for the thread to count."""
        self.call = call
        self._takes: deque[Take] = deque()

    def begin(self, take: Take) -> None:
        """From now on this take is looked after, until it is over."""
        self._takes.append(take)

    def wake(self) -> None:
        """There is something to do at once."""

    def work(self, now_s: float) -> None:
        """Bring every take to the disk, oldest first: one that ends comes before what follows it."""
        for _ in range(len(self._takes)):
            take = self._takes.popleft()
            try:
                over = take.work(now_s)
            except Exception:  # whatever happens to one, the others go on
                log.exception("a recording failed")
                take.give_up("disk_error")
                over = True
            if not over:
                self._takes.append(take)


class ThreadedWriter(Writer):
    """A writer in a thread of its own, which begins with the first take and sleeps while there is none."""

    def __init__(self, folder: Path, call: Call) -> None:
        super().__init__(folder, call)
        self._awake = threading.Event()
        self._thread: threading.Thread | None = None

    def begin(self, take: Take) -> None:
        """As above; the thread begins with the first."""
        super().begin(take)
        if self._thread is None:
            # A daemon: a disk that never answers must not keep the worker from ending.
            self._thread = threading.Thread(target=self._run, name="recording", daemon=True)
            self._thread.start()
        self._awake.set()

    def wake(self) -> None:
        """There is something to do at once."""
        self._awake.set()

    @property
    def is_running(self) -> bool:
        """Whether there was ever anything to write."""
        return self._thread is not None

    def close(self, seconds_max: float) -> None:
        """Wait, after every take was told to stop, until it has: not longer than this."""
        self.is_closing = True
        self._awake.set()
        if self._thread is not None:
            self._thread.join(seconds_max)

    def _run(self) -> None:
        while self._takes or not self.is_closing:
            self._awake.wait(WAKE_S if self._takes else None)
            self._awake.clear()
            self.work(monotonic())


def into_loop(call_soon_threadsafe: Call) -> Call:
    """Has the loop call a function, and nobody once it is closed."""

    def call(*what: object) -> None:
        with contextlib.suppress(RuntimeError):
            call_soon_threadsafe(*what)

    return call
