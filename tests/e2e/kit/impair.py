"""A bad line between two network namespaces: delay, jitter, loss, a narrow queue, nothing at all.

Kernels without netem need only /dev/net/tun: a TUN device in each namespace and this process between them.
Started by `network.py` as `python -m tests.e2e.kit.impair '{…}'`; each line on standard input is a new
profile for one direction (`up`: from the person to the server) or `both`, as JSON. Ends when that does.
"""

import ctypes
import fcntl
import heapq
import json
import os
import random
import selectors
import struct
import subprocess
import sys
import time
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

TUNSETIFF, IFF_TUN, IFF_NO_PI, CLONE_NEWNET = 0x400454CA, 0x0001, 0x1000, 0x40000000
PACKET_MAX = 65_536
AT_ONCE = 64
MTU = 1400
IPV4_PLAIN, IPV4_PROTOCOL, UDP = 0x45, 9, 17  # the first byte of a header without options
UDP_SOURCE_AT, UDP_DESTINATION_AT, UDP_CHECKSUM_AT = 20, 22, 26
EPHEMERAL_MIN = 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """What a direction does to packets."""

    delay_ms: float = 0
    jitter_ms: float = 0  # more or less than the delay; order is kept
    loss_percent: float = 0
    rate_kbps: float = 0  # 0: as fast as it goes
    queue_ms: float = 300  # what waits longer than this at the narrow place is dropped
    cut: bool = False
    nat_ports: int = 0  # a router that gives every UDP source port this much more; the old ones are closed


@dataclass(frozen=True, slots=True, kw_only=True)
class End:
    """A TUN device: its namespace, name and addresses (IPv4 and IPv6, own and the other end's)."""

    namespace: str
    device: str
    own: tuple[str, str]
    other: tuple[str, str]


@dataclass(slots=True)
class Direction:
    """Packets on their way from one device to the other."""

    out: int
    port_at: int  # of the port a router in between changes: the source on the way up, the destination down
    sign: int
    profile: Profile = Profile()
    waiting: list[tuple[float, int, bytes]] = field(default_factory=list)
    chance: random.Random = field(default_factory=lambda: random.Random(7))
    count: int = 0
    free_at: float = 0
    last_at: float = 0

    def take(self, packet: bytes, now: float) -> None:
        """Lose the packet, or note when it comes out."""
        profile = self.profile
        if profile.nat_ports:
            packet = translated(packet, profile.nat_ports * self.sign, at=self.port_at)
        if profile.cut or self.chance.random() * 100 < profile.loss_percent:
            return
        at = now
        if profile.rate_kbps:
            if (self.free_at - now) * 1000 > profile.queue_ms:
                return
            self.free_at = max(now, self.free_at) + len(packet) * 8 / (profile.rate_kbps * 1000)
            at = self.free_at
        late_ms = profile.delay_ms + self.chance.uniform(-1, 1) * profile.jitter_ms
        self.last_at = max(at + max(0.0, late_ms) / 1000, self.last_at)
        self.count += 1
        heapq.heappush(self.waiting, (self.last_at, self.count, packet))

    def give(self, now: float) -> None:
        """Write what is due; a device that takes nothing loses it, as a network would."""
        while self.waiting and self.waiting[0][0] <= now:
            packet = heapq.heappop(self.waiting)[2]
            try:
                os.write(self.out, packet)
            except OSError:
                continue


def translated(packet: bytes, more: int, *, at: int) -> bytes:
    """A UDP packet over IPv4 with another port; others as they are. Its checksum is left out (0)."""
    if packet[0] != IPV4_PLAIN or packet[IPV4_PROTOCOL] != UDP:
        return packet
    (port,) = struct.unpack_from("!H", packet, at)
    if at == UDP_DESTINATION_AT and port + more < EPHEMERAL_MIN:
        return packet
    changed = bytearray(packet)
    struct.pack_into("!H", changed, at, port + more)
    struct.pack_into("!H", changed, UDP_CHECKSUM_AT, 0)
    return bytes(changed)


def open_tun(end: End) -> int:
    """The device in its namespace; the descriptor works from here."""
    libc = ctypes.CDLL("libc.so.6", use_errno=True)
    home = os.open("/proc/self/ns/net", os.O_RDONLY)
    there = os.open(f"/run/netns/{end.namespace}", os.O_RDONLY)
    try:
        _enter(libc, there)
        device = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
        fcntl.ioctl(device, TUNSETIFF, struct.pack("16sH", end.device.encode(), IFF_TUN | IFF_NO_PI))
        # No address but ours: one that appears later makes a browser start over (ERR_NETWORK_CHANGED).
        Path(f"/proc/sys/net/ipv6/conf/{end.device}/accept_dad").write_text("0")
        for words in (
            ["link", "set", end.device, "addrgenmode", "none", "mtu", str(MTU)],
            ["addr", "add", end.own[0], "peer", end.other[0], "dev", end.device],
            ["-6", "addr", "add", end.own[1], "peer", end.other[1], "dev", end.device, "nodad"],
            ["link", "set", end.device, "up"],
            ["-6", "route", "replace", end.other[1], "dev", end.device],
        ):
            subprocess.run(["ip", *words], check=True)
    finally:
        _enter(libc, home)
        os.close(home)
        os.close(there)
    return device


def _enter(libc: Any, namespace: int) -> None:
    if libc.setns(namespace, CLONE_NEWNET):
        raise OSError(ctypes.get_errno(), "setns")


def read_all(device: int, direction: Direction) -> None:
    """Take what has arrived on a device, a fair share of it."""
    for _ in range(AT_ONCE):
        try:
            packet = os.read(device, PACKET_MAX)
        except OSError:
            return
        direction.take(packet, time.monotonic())


def change(line: str, directions: dict[str, Direction]) -> None:
    """`{"way": "both", "delay_ms": 100}`: what is not named is as on a good line."""
    said = json.loads(line)
    way = said.pop("way")
    for name, direction in directions.items():
        if way in (name, "both"):
            direction.profile = replace(Profile(), **said)


def _say(word: str) -> None:
    os.write(sys.stdout.fileno(), f"{word}\n".encode())


def main(person: End, server: End) -> None:
    ends = open_tun(person), open_tun(server)
    directions = {
        "up": Direction(ends[1], UDP_SOURCE_AT, 1),
        "down": Direction(ends[0], UDP_DESTINATION_AT, -1),
    }
    selector = selectors.DefaultSelector()
    selector.register(ends[0], selectors.EVENT_READ, directions["up"])
    selector.register(ends[1], selectors.EVENT_READ, directions["down"])
    selector.register(sys.stdin, selectors.EVENT_READ)
    _say("ready")
    while True:
        due = min((one.waiting[0][0] for one in directions.values() if one.waiting), default=None)
        wait_s = None if due is None else max(0.0, due - time.monotonic())
        for key, _ in selector.select(wait_s):
            if key.data is not None:
                read_all(key.fd, key.data)
                continue
            line = sys.stdin.readline()
            if not line:
                return
            change(line, directions)
            _say("set")
        for direction in directions.values():
            direction.give(time.monotonic())


def words(person: End, server: End) -> str:
    """The argument that starts this program."""
    return json.dumps([asdict(person), asdict(server)])


if __name__ == "__main__":
    main(
        *(
            End(**{**one, "own": tuple(one["own"]), "other": tuple(one["other"])})
            for one in json.loads(sys.argv[1])
        )
    )
