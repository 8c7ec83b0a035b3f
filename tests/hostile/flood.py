"""A flood from one address, in a process of its own so that it costs the call nothing but what it sends:
`python -m tests.hostile.flood '{"targets": [["127.0.0.1", 9]], "per_s": 10000, "for_s": 5, "ssrcs": [1]}'`.

Prints `{"sent": …, "answers": …}` at the end. Bounded in rate and time, and only ever to loopback.
"""

import json
import sys
import time
from ipaddress import ip_address
from itertools import islice

from tests.hostile.spray import Spray, malformed

PREPARED = 4_000
FOR_S_MAX = 120
BEAT_S = 0.005


def flood(spray: Spray, datagrams: list[bytes], *, per_s: int, for_s: float) -> None:
    """Send at this rate; what a late beat has missed is sent in the next."""
    started = time.monotonic()
    while (elapsed := time.monotonic() - started) < for_s:
        for _ in range(round(per_s * elapsed) - spray.sent):
            spray.send(datagrams[spray.sent % len(datagrams)])
        spray.hear()
        time.sleep(BEAT_S)


def main(given: str) -> None:
    order = json.loads(given)
    targets = [(str(host), int(port)) for host, port in order["targets"]]
    if not all(ip_address(host).is_loopback for host, _ in targets) or order["for_s"] > FOR_S_MAX:
        raise SystemExit("only to loopback, and not for long")
    spray = Spray(targets)
    datagrams = list(islice(malformed(order["ssrcs"], seed=8), PREPARED))
    flood(spray, datagrams, per_s=order["per_s"], for_s=order["for_s"])
    spray.close()
    sys.stdout.write(json.dumps({"sent": spray.sent, "answers": spray.answers}))


if __name__ == "__main__":
    main(sys.argv[1])
