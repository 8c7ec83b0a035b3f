"""`python -m media.bench forward`: forwarded packets per second of CPU time, next to Janus, written to
RESULTS.md. `python -m media.bench crossing`: packets that reach another consult, of a million.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import uvloop

from media.bench import crossing as crossings
from media.bench.client import TICK_S, LoadPeer, own_address
from media.bench.janus import is_installed
from media.bench.report import Row, table, write_results
from media.bench.targets import JanusRoom, Ours, Target
from media.dtls import Certificate, make_certificate

PEOPLE = 3
WARM_S = 2.0
SETTLE_S = 0.5
TICKS_PER_S = os.sysconf("SC_CLK_TCK")
Maker = Callable[[Path, str, Certificate], Target]


def cpu_s(pids: list[int]) -> float:
    """User and system time these processes have used, all threads."""
    total = 0
    for pid in pids:
        fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
        total += int(fields[11]) + int(fields[12])
    return total / TICKS_PER_S


async def measure(make: Maker, consults: int, seconds: float) -> Row:
    """Start a target, load it, and read its CPU time over `seconds`."""
    with tempfile.TemporaryDirectory() as directory:
        target = make(Path(directory), own_address(), make_certificate())
        await target.start()
        try:
            senders: list[LoadPeer] = []
            for room in range(consults):
                senders += await target.consult(room, PEOPLE)
            return await _load(target, senders, consults, seconds)
        finally:
            await target.stop()


async def _load(target: Target, senders: list[LoadPeer], consults: int, seconds: float) -> Row:
    for peer in senders:
        peer.start_sending()
    await _send(senders, WARM_S)
    before = _counts(target, senders)
    began_s, cpu_before_s = time.monotonic(), cpu_s(target.pids())
    await _send(senders, seconds)
    used_s, took_s = cpu_s(target.pids()) - cpu_before_s, time.monotonic() - began_s
    await asyncio.sleep(SETTLE_S)
    after = _counts(target, senders)
    sent, received = after[0] - before[0], after[1] - before[1]
    return Row(
        target=target.name,
        consults=consults,
        received_per_s=sent / took_s,
        forwarded_per_s=received / took_s,
        cpu_share=used_s / took_s,
        lost_pct=max(0.0, 100 * (1 - received / (sent * (PEOPLE - 1)))),
    )


async def _send(senders: list[LoadPeer], seconds: float) -> None:
    until_s = time.monotonic() + seconds
    while (now_s := time.monotonic()) < until_s:
        for peer in senders:
            peer.send_due(now_s)
        await asyncio.sleep(TICK_S)


def _counts(target: Target, senders: list[LoadPeer]) -> tuple[int, int]:
    return sum(peer.sent for peer in senders), sum(peer.received for peer in target.receivers())


async def forward(consults: list[int], seconds: float, repeats: int) -> list[Row]:
    """All measurements, ours and Janus' in turns."""
    makers: list[Maker] = [Ours]
    if is_installed():
        makers.append(JanusRoom)
    else:
        print("Janus is not installed (Debian: apt-get install janus); measuring only Meridian")
    rows = []
    for count in consults:
        for _ in range(repeats):
            for make in makers:
                row = await measure(make, count, seconds)
                print(table([row]).splitlines()[-1])
                rows.append(row)
    return rows


def main(arguments: Sequence[str] | None = None) -> int:
    """Parse, measure, print, write."""
    parser = argparse.ArgumentParser(prog="python -m media.bench", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    command = commands.add_parser("forward", help="forwarded packets per second of CPU time")
    command.add_argument("--consults", type=int, nargs="+", default=[1, 4, 8], help="consults at once")
    command.add_argument("--seconds", type=float, default=8.0, help="of each measurement")
    command.add_argument("--repeats", type=int, default=3, help="of each measurement")
    command = commands.add_parser("crossing", help="packets that reach another consult; fails when one does")
    command.add_argument("--consults", type=int, default=20, help="consults at once")
    command.add_argument("--packets", type=int, default=1_000_000, help="to be received in all")
    options = parser.parse_args(arguments)
    if options.command == "crossing":
        result = uvloop.run(crossings.crossing(options.consults, options.packets, print))
        print(crossings.text(result))
        crossings.RESULTS.write_text(crossings.text(result))
        return int(result.foreign > 0)
    rows = uvloop.run(forward(options.consults, options.seconds, options.repeats))
    print(table(rows))
    write_results(rows, options.seconds, options.repeats)
    return 0


if __name__ == "__main__":
    sys.exit(main())
