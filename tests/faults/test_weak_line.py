"""One person's line is bad: 250 ms round trip, 5 % loss, 600 kbit/s. Speech goes on for all."""

import asyncio
from typing import Any

import pytest

from tests.e2e.kit import needs
from tests.e2e.kit.tab import eventually
from tests.faults.stage import Stage, note, stage

BAD = {"delay_ms": 125, "jitter_ms": 15, "loss_percent": 5, "rate_kbps": 600}
NARROW = {"delay_ms": 125, "rate_kbps": 220}
CONCEALED_MAX = 0.03
FREEZE_S_MAX = 3.0
STEADY = 0.05
SETTLED_S, MEASURED_S = 8, 15
SOUND = """async () => {
  let concealed = 0, played = 0, video = 0;
  (await meridianMedia.getStats()).forEach((one) => {
    if (one.type !== 'inbound-rtp') return;
    if (one.kind === 'video') video += one.bytesReceived;
    if (one.kind !== 'audio' || !one.packetsReceived) return;
    concealed += one.concealedSamples - one.silentConcealedSamples;
    played += one.totalSamplesReceived;
  });
  return { concealed, played, video };
}"""
PAUSED = "() => document.querySelector('[data-matter=paused]') !== null"


async def measured(on: Stage, seconds: float) -> dict[str, dict[str, float]]:
    """By person: the share of sound made up because it did not come, and the kbit/s of pictures."""

    async def read() -> dict[str, Any]:
        return {role: await guest.page.evaluate(SOUND) for role, guest in on.guests.items()}

    before = await read()
    await asyncio.sleep(seconds)
    after = await read()
    found = {}
    for role, now in after.items():
        was = before[role]
        played = max(1, now["played"] - was["played"])
        found[role] = {
            "concealed": (now["concealed"] - was["concealed"]) / played,
            "video_kbps": (now["video"] - was["video"]) * 8 / seconds / 1000,
        }
    return found


@pytest.mark.timeout(180)
async def test_speech_stays_whole_pictures_shrink_then_pause_and_the_others_keep_theirs() -> None:
    async with stage("patient", "physician", "interpreter", lifelike=True) as on:
        await asyncio.sleep(SETTLED_S)  # the encoders find their bit rate
        patient = on.guests["patient"]
        await patient.home.line.set("both", **BAD)
        await asyncio.sleep(2 * SETTLED_S)
        await on.mark()
        weak = await measured(on, MEASURED_S)
        gaps = await on.longest()
        for role, seen in weak.items():
            note(f"weak line: sound made up at the {role}", seen["concealed"] * 100, unit="%")
            assert seen["concealed"] <= CONCEALED_MAX, weak
        assert max(gaps.values()) <= FREEZE_S_MAX, gaps
        await patient.page.screenshot(path=needs.out("weak.patient.png"))
        # The others' pictures of each other are what they are without the patient's trouble.
        between = await kbps_between(on, MEASURED_S / 3)
        await patient.home.line.set("both", **NARROW)
        await eventually(
            lambda: patient.page.evaluate(PAUSED), bool, within_s=20, what="the patient reads of the pause"
        )
        await patient.page.screenshot(path=needs.out("narrow.patient.png"))
        await patient.home.line.set(delay_ms=25)
        await asyncio.sleep(SETTLED_S)
        assert between >= (1 - STEADY) * await kbps_between(on, MEASURED_S / 3)


async def kbps_between(on: Stage, seconds: float) -> float:
    """Of the interpreter's picture at the physician."""
    script = """async () => {
      const track = document.querySelector('#screen [data-role="interpreter"]:not(.tile-self) video')
        .srcObject.getVideoTracks()[0];
      const receiver = meridianMedia.getReceivers().find((one) => one.track === track);
      const reports = [...(await receiver.getStats()).values()];
      return reports.find((one) => one.type === 'inbound-rtp').bytesReceived;
    }"""
    page = on.guests["physician"].page
    before = int(await page.evaluate(script))
    await asyncio.sleep(seconds)
    return (int(await page.evaluate(script)) - before) * 8 / seconds / 1000
