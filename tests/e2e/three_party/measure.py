"""Measures what people wait for, in ms on loopback: `python -m tests.e2e.three_party.measure [RUNS]`.

`admit` is from the physician's click on “Let in” to the first decoded frame of the other one on a page, both
ways; `reload` is from the patient's reload to the first decoded frame of the physician. Pages of one machine
share its clock. A measurement, not a test: it depends on the machine and on what else it does.
"""

import asyncio
import statistics
import sys

from playwright.async_api import Page

from tests.e2e.kit.tab import eventually
from tests.e2e.three_party import story
from tests.e2e.three_party.cast import Cast, cast

RUNS = 5

# From here on the page notes when a picture of the role first shows a decoded frame.
WATCH_PICTURE = """(role) => {
  window.kit.firstFrame = null;
  const look = () => {
    const video = document.querySelector(`#screen [data-role="${role}"]:not(.tile-self) video`);
    if (!video || !video.srcObject) return requestAnimationFrame(look);
    video.requestVideoFrameCallback(() => {
      window.kit.firstFrame ??= performance.timeOrigin + performance.now();
    });
  };
  look();
}"""
NOTE_CLICK = """() => {
  const button = document.querySelector('#dialog-admit [data-do=admit_yes]');
  const note = () => { window.kit.clicked = performance.timeOrigin + performance.now(); };
  button.addEventListener('click', note, { capture: true });
}"""
FIRST_FRAME = "() => kit.firstFrame"
WATCH_FROM_START = f"""(() => {{
  window.kit.reloaded = performance.timeOrigin;
  document.addEventListener('DOMContentLoaded', () => ({WATCH_PICTURE})('physician'));
}})()"""


async def first_frame(page: Page) -> float:
    seen = await eventually(
        lambda: story.asked(page, FIRST_FRAME), lambda at: at is not None, within_s=20, what="a first frame"
    )
    return float(seen)


async def once(people: Cast) -> dict[str, float]:
    patient, physician = people.patient.tab, people.physician.tab
    assert isinstance(patient, Page)
    assert isinstance(physician, Page)
    await patient.evaluate(WATCH_PICTURE, "physician")
    await physician.evaluate(WATCH_PICTURE, "patient")
    await physician.evaluate(NOTE_CLICK)
    await story.admit(physician, "patient", identity=True)
    clicked = float(await physician.evaluate("() => kit.clicked"))
    admitted = {
        "admit, patient sees physician": await first_frame(patient) - clicked,
        "admit, physician sees patient": await first_frame(physician) - clicked,
    }
    await story.admit(physician, "interpreter")
    await story.meet(*people.everyone)
    await patient.add_init_script(WATCH_FROM_START)
    await patient.reload(wait_until="commit")
    back = await first_frame(patient)
    return {
        **admitted,
        "reload, patient sees physician": back - float(await patient.evaluate("() => kit.reloaded")),
    }


async def main(runs: int) -> None:
    measured: dict[str, list[float]] = {}
    for _ in range(runs):
        async with cast() as people:
            for name, ms in (await once(people)).items():
                measured.setdefault(name, []).append(ms)
    for name, values in measured.items():
        low, middle, high = min(values), statistics.median(values), max(values)
        sys.stdout.write(f"{name}: median {middle:.0f} ms (min {low:.0f}, max {high:.0f}, {runs} runs)\n")


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]) if len(sys.argv) > 1 else RUNS))
