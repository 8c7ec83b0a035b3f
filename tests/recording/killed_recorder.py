"""Workers' recording threads that are killed in the middle, some at once; what is left is in a folder.

`python -m tests.recording.killed_recorder FOLDER TIMES SEED` says a line of JSON for each: the file, and when
the first packet it should have and the last one that was handed over had arrived.
"""

import json
import mmap
import os
import random
import signal
import struct
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from media.parts import part_file
from media.recording_thread import Plan, Take, ThreadedWriter
from tests.recording.killed import SHRED, recipient

NOTE = struct.Struct("Q")  # when the last packet was handed over, µs since the recording began
PACKET_S = 0.005
AT_ONCE = 12
LIVES_S = (0.7, 2.5)


@dataclass(eq=False)
class Track:
    """A track that is not of a source."""

    number: int
    is_audio: bool
    about: Mapping[str, object]


def ignore(*_: object) -> None:
    """There is no event loop here."""


def record(folder: Path, recording: bytes, noted: mmap.mmap) -> None:
    """Hand packets to a real thread, as they would arrive, until killed."""
    began_s = time.monotonic()
    plan = Plan(
        recording=recording,
        epoch_s=began_s,
        first_part=1,
        shred=SHRED,
        recipients=(recipient(),),
        about={"kind": "recording"},
    )
    writer = ThreadedWriter(folder, ignore)
    take = Take(plan, writer, ignore, ignore)
    writer.begin(take)
    tracks = [Track(n, n % 4 == 0, {"kind": "track", "track": n}) for n in (0, 1, 4, 5)]
    seq = 0
    while True:
        now_s, seq = time.monotonic(), seq + 1
        take.held.append((now_s, tracks[seq % 4], seq.to_bytes(4) + bytes(900), seq % 600 == 1))
        noted[: NOTE.size] = NOTE.pack(int((now_s - began_s) * 1e6))
        time.sleep(PACKET_S)


def main(folder: Path, times: int, seed: int) -> None:
    """Fork some, kill each at a moment of its own, say what they had said."""
    dice = random.Random(seed)
    for first in range(0, times, AT_ONCE):
        lives: list[tuple[float, int, bytes, mmap.mmap]] = []
        for n in range(first, min(first + AT_ONCE, times)):
            recording, noted = n.to_bytes(16), mmap.mmap(-1, mmap.PAGESIZE)
            child = os.fork()
            if child == 0:
                signal.alarm(10)  # should nobody be there any more to kill it
                record(folder, recording, noted)
            lives.append((time.monotonic() + dice.uniform(*LIVES_S), child, recording, noted))
        for until_s, child, recording, noted in sorted(lives, key=lambda life: life[0]):
            time.sleep(max(0.0, until_s - time.monotonic()))
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)
            line = {"file": str(part_file(folder, recording, 1)), "handed_us": NOTE.unpack_from(noted)[0]}
            sys.stdout.write(json.dumps(line) + "\n")
            sys.stdout.flush()


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))
