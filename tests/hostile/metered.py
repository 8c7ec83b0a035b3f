"""A port with a flood and a participant on it, inside a network namespace that a limit protects.

`python -m tests.hostile.metered` prints how many datagrams of each were sent and came:
`{"flood": [sent, came], "participant": [sent, came]}`.
"""

import json
import socket
import sys
import time

PORT = 40_000
FLOOD, PARTICIPANT = "127.0.0.2", "127.0.0.3"
FLOOD_PER_S, PARTICIPANT_PER_S = 30_000, 300
FOR_S = 2.0
BEAT_S = 0.002


def bound(address: str, port: int = 0) -> socket.socket:
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
    sock.bind((address, port))
    sock.settimeout(0)
    return sock


def main() -> None:
    here = bound("127.0.0.1", PORT)
    senders = {FLOOD: (bound(FLOOD), FLOOD_PER_S), PARTICIPANT: (bound(PARTICIPANT), PARTICIPANT_PER_S)}
    sent, came = dict.fromkeys(senders, 0), dict.fromkeys(senders, 0)
    started = time.monotonic()
    while (elapsed := time.monotonic() - started) < FOR_S:
        for address, (sock, per_s) in senders.items():
            for _ in range(round(per_s * elapsed) - sent[address]):
                sock.sendto(b"x" * 200, ("127.0.0.1", PORT))
                sent[address] += 1
        hear(here, came)
        time.sleep(BEAT_S)
    hear(here, came)
    counts = {"flood": FLOOD, "participant": PARTICIPANT}
    sys.stdout.write(json.dumps({name: [sent[one], came[one]] for name, one in counts.items()}))


def hear(here: socket.socket, came: dict[str, int]) -> None:
    while True:
        try:
            _, (address, _) = here.recvfrom(2_048)
        except BlockingIOError:
            return
        came[address] += 1


if __name__ == "__main__":
    main()
