"""The example of a limit per source, loaded into a network namespace of its own."""

import contextlib
import json
import os
import subprocess
import sys
from collections.abc import Iterator

import pytest

from tests.e2e.kit import needs

RULES = needs.ROOT / "config" / "nftables.example.nft"
LIMIT_PER_S, BURST = 4_000, 1_000
SLACK = 1.25
"""The kernel counts in whole ticks."""


@contextlib.contextmanager
def namespace() -> Iterator[list[str]]:
    """A network namespace with loopback alone; the words that run a command in it."""
    ip, name = needs.program("ip", package="iproute2"), f"meridian-{os.getpid()}"
    if os.geteuid() != 0:
        pytest.skip("network namespaces need root: sudo python3 dev.py test")
    subprocess.run([ip, "netns", "add", name], check=True)
    inside = [ip, "netns", "exec", name]
    try:
        subprocess.run([*inside, ip, "link", "set", "lo", "up"], check=True)
        yield inside
    finally:
        subprocess.run([ip, "netns", "delete", name], check=True)


def counted(inside: list[str]) -> dict[str, list[int]]:
    done = subprocess.run(
        [*inside, sys.executable, "-m", "tests.hostile.metered"],
        cwd=needs.ROOT,
        check=True,
        capture_output=True,
        text=True,
    )
    counts: dict[str, list[int]] = json.loads(done.stdout)
    return counts


def test_a_flood_from_one_source_is_cut_to_the_limit_and_nobody_else_is() -> None:
    nft = needs.program("nft", package="nftables")
    with namespace() as inside:
        sent, came = counted(inside)["flood"]
        assert came > sent * 0.9, "without the rules it all comes"
        subprocess.run([*inside, nft, "-f", str(RULES)], check=True)
        limited = counted(inside)
    sent, came = limited["flood"]
    assert sent > 50_000
    assert came < (2 * LIMIT_PER_S + BURST) * SLACK
    sent, came = limited["participant"]
    assert came == sent


def test_the_rules_can_be_loaded_again() -> None:
    nft = needs.program("nft", package="nftables")
    with namespace() as inside:
        for _ in range(2):
            subprocess.run([*inside, nft, "-f", str(RULES)], check=True)
