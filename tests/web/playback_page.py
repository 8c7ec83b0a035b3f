"""The page of a recording as tests use it: opened, asked where it is, told to go elsewhere."""

from pathlib import Path

from playwright.async_api import Page

from tests.web import recording_samples as samples
from tests.web.playback_media import BITS, FRAMES_PER_S, HEIGHT, SQUARE, WIDTH

OUT = Path(__file__).parent / ".out"
PATH = f"/recordings/{samples.ID}"
DESK = {"width": 1366, "height": 768}
PHONE = {"width": 390, "height": 844}
NARROW = {"width": 320, "height": 568}
OVERFLOW = "() => document.documentElement.scrollWidth - innerWidth"
TOGETHER_MS_MAX = 80
JUMP_MS_MAX = 500
FRAME_MS = 1000 / FRAMES_PER_S
# Where every video is that plays: by its own clock, and by the number in the picture it shows. In seconds.
PLACES = f"""() => [...document.querySelectorAll('video')].filter((one) => !one.paused).map((video) => {{
  const canvas = new OffscreenCanvas({WIDTH}, {HEIGHT});
  const context = canvas.getContext('2d', {{ willReadFrequently: true }});
  context.drawImage(video, 0, 0, {WIDTH}, {HEIGHT});
  let frame = 0;
  for (let bit = 0; bit < {BITS}; bit += 1) {{
    const pixel = context.getImageData(bit * {SQUARE} + {SQUARE // 2}, {HEIGHT * 3 // 4}, 1, 1).data;
    if (pixel[0] > 128) frame |= 1 << bit;
  }}
  return [video.currentTime, frame / {FRAMES_PER_S}];
}})"""
TOGETHER = """() => {
  const playing = [...document.querySelectorAll('video')].filter((one) => !one.paused);
  const at = playing.map((one) => one.currentTime);
  return at.length >= 3 && Math.max(...at) - Math.min(...at) < 0.06;
}"""
POSITION = "() => Number(document.getElementById('seek').value)"


async def opened(page: Page, origin: str, tag: str = "en", fragment: str = "") -> None:
    """The recording's page, opened for treatment, with all first pictures there."""
    await page.goto(f"{origin}{PATH}?lang={tag}{fragment}")
    await page.click("[data-do=open]")
    await page.wait_for_selector("#player[data-jump-ms]")


async def position(page: Page) -> float:
    return float(await page.evaluate(POSITION))


async def jumped(page: Page) -> float:
    """Milliseconds that the jump under way takes; the page has to be told of one just before."""
    await page.wait_for_selector("#player[data-jump-ms]")
    return float(await page.get_attribute("#player", "data-jump-ms") or "nan")


async def forget_jump(page: Page) -> None:
    await page.evaluate("() => delete document.getElementById('player').dataset.jumpMs")


async def until(page: Page, at_s: float) -> None:
    """Until the recording has come to a moment."""
    await page.wait_for_function(f"() => Number(document.getElementById('seek').value) >= {at_s}")


def apart_ms(values: list[float]) -> float:
    return 1000 * (max(values) - min(values))


def shot(name: str) -> Path:
    OUT.mkdir(parents=True, exist_ok=True)
    return OUT / name
