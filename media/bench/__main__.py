"""`python -m media.bench forward`: forwarded packets per second of CPU time, next to Janus, written to
RESULTS.md. `python -m media.bench crossing`: packets that reach another consult, of a million. `python -m
media.bench recording`: what recording costs, written to RECORDING.md.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import uvloop

from media.bench import crossing as crossings
from media.bench import recording as recordings
from media.bench.client import TICK_S, LoadPeer, own_address
from media.bench.janus import is_installed
from media.bench.report import Row, table, write_results
from media.bench.targets import JanusRoom, Ours, Target
from media.dtls import Certificate, make_certificate

PEOPLE = 3
WARM_S = 2.0
SETTLE_S = 0.5
Maker = Callable[[Path, str, Certificate], Target]


def cpu_s(pids: list[int]) -> float:
    """User and system time these processes have used, all threads that are there."""
    threads = [thread for pid in pids for thread in Path(f"/proc/{pid}/task").iterdir()]
    return sum(int((thread / "schedstat").read_text().split()[0]) for thread in threads) / 1e9


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
    return await _count(target, senders, consults, seconds)


async def _count(target: Target, senders: list[LoadPeer], consults: int, seconds: float) -> Row:
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


async def recording(consults: list[int], seconds: float, repeats: int) -> list[recordings.Pair]:
    """All measurements: the same worker, while it records and while it does not, in turns."""
    pairs = []
    for count in consults:
        with tempfile.TemporaryDirectory() as directory:
            target = recordings.Recorded(Path(directory), own_address(), make_certificate())
            await target.start()
            try:
                senders: list[LoadPeer] = []
                for room in range(count):
                    senders += await target.consult(room, PEOPLE)
                for peer in senders:
                    peer.start_sending()
                for _ in range(repeats):
                    rows = []
                    for on in (False, True):
                        await target.record(on=on)
                        await _send(senders, WARM_S)
                        rows.append(await _count(target, senders, count, seconds))
                    pairs.append(recordings.Pair(*rows))
                    print(recordings.line([pairs[-1]]))
            finally:
                await target.stop()
    return pairs


def main(arguments: Sequence[str] | None = None) -> int:
    """Parse, measure, print, write."""
    parser = argparse.ArgumentParser(prog="python -m media.bench", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    for name, what in (
        ("forward", "forwarded packets per second of CPU time"),
        ("recording", "CPU time of recording"),
    ):
        command = commands.add_parser(name, help=what)
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
    if options.command == "recording":
        pairs = uvloop.run(recording(options.consults, options.seconds, options.repeats))
        page = recordings.text(pairs, options.seconds, options.repeats)
        print(page)
        recordings.RESULTS.write_text(page)
        return 0
    rows = uvloop.run(forward(options.consults, options.seconds, options.repeats))
    print(table(rows))
    write_results(rows, options.seconds, options.repeats)
    return 0


if __name__ == "__main__":
    sys.exit(main())
