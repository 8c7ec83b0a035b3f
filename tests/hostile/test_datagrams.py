"""Datagrams from the internet to the media ports, while a call of three is live."""

import asyncio
import json
import random
import re
import sys
from itertools import cycle, repeat

import pytest

from media import stun
from tests.e2e.kit import needs
from tests.hostile import spray
from tests.hostile.caller import Call
from tests.media.loopback import until
from tests.server.browser import SOON_S

pytestmark = pytest.mark.asyncio(loop_scope="package")

SWEEP = 6_000
SETUPS = 10
PER_S = 2_500
FOR_S = 2.0
FLOOD_PER_S = 10_000
FLOOD_S = 5
LOG_LINES_MAX = 100
BACK_S = 0.2


async def test_empty_datagrams_end_no_call(call: Call) -> None:
    async with call.unhurt(), spray.spraying(call.ports, repeat(b""), per_s=PER_S) as stranger:
        await until(lambda: stranger.sent >= SWEEP, SOON_S)
    assert stranger.answers == 0


async def test_connections_are_made_while_a_stranger_races_for_the_handshake(call: Call) -> None:
    async with call.unhurt(call.patient, call.physician):
        async with spray.spraying(call.ports, spray.race(), per_s=PER_S) as stranger:
            for _ in range(SETUPS):
                await call.interpreter.open()
                await call.interpreter.connect_media()
        assert stranger.sent > PER_S // 10
        assert stranger.answers == 0
    async with call.unhurt():
        await asyncio.sleep(BACK_S)


async def flooded(call: Call) -> dict[str, int]:
    """One stranger sends `FLOOD_PER_S` malformed datagrams a second; what came of it."""
    ssrcs = [ssrc for victim in call.victims for ssrc in victim.ssrcs] + [0, 1]
    order = {"targets": call.ports, "per_s": FLOOD_PER_S, "for_s": FLOOD_S, "ssrcs": ssrcs}
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.hostile.flood", json.dumps(order)),
        cwd=needs.ROOT,
        stdout=asyncio.subprocess.PIPE,
    )
    output, _ = await process.communicate()
    assert process.returncode == 0
    came: dict[str, int] = json.loads(output)
    return came


async def test_ten_thousand_malformed_packets_a_second_cost_nobody_media(call: Call) -> None:
    logged = len(call.server.logged().splitlines())
    async with call.unhurt():
        came = await flooded(call)
    assert came["sent"] > FLOOD_PER_S * FLOOD_S * 0.9
    assert came["answers"] == 0
    assert len(call.server.logged().splitlines()) - logged < LOG_LINES_MAX


async def test_checks_with_the_right_name_and_the_wrong_password_are_not_answered(call: Call) -> None:
    [name] = set(re.findall(r"a=ice-ufrag:(\S+)", call.patient.answer))
    [password] = set(re.findall(r"a=ice-pwd:(\S+)", call.patient.answer))
    transaction = random.Random(8).randbytes(12)

    def check(password: str) -> bytes:
        return spray.binding_request(f"{name}:abcd", password, transaction)

    request = stun.parse_request(check(password))
    assert request is not None
    assert stun.verify(request, password), "with the password it would be a check"
    wrong = [check(other) for other in ("", "x" * 22, password[:-1], password.swapcase(), password + "a")]
    forged = check(password)[:-12] + bytes(12)
    async with call.unhurt():
        async with spray.spraying(call.ports, cycle([*wrong, forged]), per_s=PER_S) as stranger:
            await asyncio.sleep(FOR_S)
        assert stranger.sent > PER_S
    assert stranger.answers == 0
