"""Writes parts as a recorder would and is killed in the middle, again and again; what is left is in a folder.

`python -m tests.recording.killed FOLDER TIMES SEED` says a line of JSON for each time: the file, how far it
was acknowledged to be on the disk, and how far packets had been handed over.
"""

import json
import mmap
import os
import random
import signal
import struct
import sys
import time
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from media.gathering import Arrival
from media.parts import Batch, Parts, Recipient, part_file

KEY = X25519PrivateKey.from_private_bytes(bytes(range(32)))
KEY_ID = b"K" * 16
SHRED = bytes(range(32, 64))
PACKET_US = 2_500  # three people, video and audio
WRITE_US = 200_000
TRACKS = 6
NOTE = struct.Struct("QQ32sQ")  # records, bytes and chain that are on the disk; the last packet handed over
LIVES_S_MAX = 0.1


def recipient() -> Recipient:
    """The clinic's key."""
    return Recipient(key_id=KEY_ID, key=KEY.public_key())


def record(folder: Path, recording: bytes, noted: mmap.mmap) -> None:
    """Record until killed, much faster than time goes by."""
    parts = Parts(folder, recording=recording, shred=SHRED, recipients=[recipient()])
    now_us, seq, upto = 0, 0, (0, 0, bytes(32))
    waiting: list[list[Arrival]] = [[] for _ in range(TRACKS)]
    while True:
        now_us, seq = now_us + PACKET_US, seq + 1
        waiting[seq % TRACKS].append((now_us, seq.to_bytes(4) + bytes(800), seq % 600 == 0))
        if now_us % WRITE_US == 0:
            parts.write([Batch(track=n, arrivals=one) for n, one in enumerate(waiting)], now_us)
            waiting = [[] for _ in range(TRACKS)]
            there = parts.tick(now_us)
            if there is not None:
                upto = (there.upto.records, there.upto.size_bytes, there.upto.chain)
        noted[: NOTE.size] = NOTE.pack(*upto, now_us)


def main(folder: Path, times: int, seed: int) -> None:
    """Fork, let it write for a moment, kill it, say what it had said."""
    dice = random.Random(seed)
    for n in range(times):
        recording, noted = n.to_bytes(16), mmap.mmap(-1, mmap.PAGESIZE)
        child = os.fork()
        if child == 0:
            signal.alarm(5)  # should nobody be there any more to kill it
            record(folder, recording, noted)
        time.sleep(dice.uniform(0, LIVES_S_MAX))
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        records, size_bytes, chain, handed_us = NOTE.unpack_from(noted)
        line = {
            "file": str(part_file(folder, recording, 1)),
            "records": records,
            "size_bytes": size_bytes,
            "chain": chain.hex(),
            "handed_us": handed_us,
        }
        sys.stdout.write(json.dumps(line) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))
