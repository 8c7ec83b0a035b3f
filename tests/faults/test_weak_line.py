"""One person's line is bad: 250 ms round trip, 5 % loss, 600 kbit/s. Speech goes on for all."""

import asyncio
from typing import Any

import pytest

from tests.e2e.kit import needs
from tests.e2e.kit.tab import eventually
from tests.faults.stage import Stage, least, note, stage

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


@pytest.mark.timeout(240)
async def test_speech_stays_whole_pictures_shrink_then_pause_and_the_others_keep_theirs() -> None:
    async with stage("patient", "physician", "interpreter", lifelike=True) as on:
        await asyncio.sleep(SETTLED_S)  # the encoders find their bit rate
        patient = on.guests["patient"]
        await patient.home.line.set("both", **BAD)
        await asyncio.sleep(2 * SETTLED_S)
        assert await least(lambda: worst(on), 1) <= 1  # the share of what is allowed that was used up
        await patient.page.screenshot(path=needs.out("weak.patient.png"))
        # The interpreter gets all that the physician sends, who is not asked to send less.

        async def missing() -> float:
            arrived, limited_by = await whole(on, "interpreter", "physician")
            note("weak line: of the physician's whole picture the interpreter gets", arrived * 100, unit="%")
            return 1 if limited_by == "bandwidth" else 1 - arrived

        assert await least(missing, STEADY) <= STEADY
        await patient.home.line.set("both", **NARROW)
        await eventually(
            lambda: patient.page.evaluate(PAUSED), bool, within_s=20, what="the patient reads of the pause"
        )
        await patient.page.screenshot(path=needs.out("narrow.patient.png"))


async def worst(on: Stage) -> float:
    """For a while: made-up sound and frozen pictures, as a share of what is allowed; the largest."""
    await on.mark()
    weak = await measured(on, MEASURED_S)
    gaps = await on.longest()
    for role, seen in weak.items():
        note(f"weak line: sound made up at the {role}", seen["concealed"] * 100, unit="%")
    note("weak line: longest gap", max(gaps.values()))
    concealed = max(seen["concealed"] for seen in weak.values())
    return max(concealed / CONCEALED_MAX, max(gaps.values()) / FREEZE_S_MAX)


SENT = """async () => {
  const reports = [...(await meridianMedia.getStats()).values()];
  const whole = reports.find((one) => one.type === 'outbound-rtp' && one.rid === 'h');
  return [whole.bytesSent, whole.qualityLimitationReason];
}"""
ARRIVED = """async (role) => {
  const track = document.querySelector(`#screen [data-role="${role}"]:not(.tile-self) video`)
    .srcObject.getVideoTracks()[0];
  const receiver = meridianMedia.getReceivers().find((one) => one.track === track);
  const reports = [...(await receiver.getStats()).values()];
  return reports.find((one) => one.type === 'inbound-rtp').bytesReceived;
}"""


async def whole(on: Stage, listener: str, speaker: str) -> tuple[float, str]:
    """How much of the larger layer that is sent arrives, and what keeps its encoder from sending more."""
    sends, hears = on.guests[speaker].page, on.guests[listener].page
    sent_before, _ = await sends.evaluate(SENT)
    before = int(await hears.evaluate(ARRIVED, speaker))
    await asyncio.sleep(MEASURED_S / 2)
    sent, limited_by = await sends.evaluate(SENT)
    arrived = int(await hears.evaluate(ARRIVED, speaker)) - before
    return arrived / max(1, sent - sent_before), str(limited_by)
