"""What a page makes a phone load, in bytes over the wire (brotli)."""

import json
from pathlib import Path

import pytest

from web.render import DIST, Assets

KB = 1024
FIRST_SCREEN_MAX = 15 * KB
SEAT_PAGE_MAX = 47_000  # behind the first screen, on a patient's phone; sentences of every screen included
RECORDED_SEAT_MAX = 50_000  # where the visit is recorded
STAFF_SEAT_MAX = 58_000  # with the panel, which no patient loads
PANEL = "client/src/room/panel.ts"
RECORDING = "client/src/room/recording.ts"
STAFF_PAGE_MAX = 45 * KB
PLAYER_PAGE_MAX = 40 * KB  # the page of one recording
STYLE_MAX = 10 * KB
PLAYER_STYLE_MAX = 3 * KB


@pytest.fixture(scope="module")
def manifest() -> dict[str, dict[str, object]]:
    path = DIST / "manifest.json"
    if not path.exists():
        pytest.skip("the front end is not built; python3 dev.py run builds it")
    found: dict[str, dict[str, object]] = json.loads(path.read_text())
    return found


def size(file: Path) -> int:
    compressed = Path(f"{file}.br")
    return (compressed if compressed.exists() else file).stat().st_size


def loaded(entries: list[str], *, later: bool, without: tuple[str, ...] = ()) -> int:
    """Bytes of these scripts with everything they import, at once or also `later`, `without` some of them."""
    meta = json.loads((DIST / "meta.json").read_text())["outputs"]
    outputs = {Path(name).name: output for name, output in meta.items()}
    seen: set[str] = set()
    waiting = [Path(str(entry)).name for entry in entries]
    kinds = {"import-statement", "dynamic-import"} if later else {"import-statement"}
    while waiting:
        name = waiting.pop()
        if name not in seen and outputs[name].get("entryPoint") not in without:
            seen.add(name)
            waiting += [Path(one["path"]).name for one in outputs[name]["imports"] if one["kind"] in kinds]
    return sum(size(DIST / "assets" / name) for name in seen)


def scripts(manifest: dict[str, dict[str, object]], page: str) -> list[str]:
    """A page's script with the larger of its messages scripts."""
    words = [name for name in manifest if name.startswith(f"messages.{page}.")]
    largest = max(words, key=lambda name: size(DIST / str(manifest[name]["file"])))
    return [str(manifest[f"{page}.js"]["file"]), str(manifest[largest]["file"])]


def test_the_invitation_page_loads_within_its_budget(manifest: dict[str, dict[str, object]]) -> None:
    assert loaded(scripts(manifest, "invite"), later=True) <= FIRST_SCREEN_MAX


def test_the_seat_page_loads_within_its_budget(manifest: dict[str, dict[str, object]]) -> None:
    first = loaded(scripts(manifest, "visit"), later=False)
    assert first <= FIRST_SCREEN_MAX
    unrecorded = loaded(scripts(manifest, "visit"), later=True, without=(PANEL, RECORDING))
    assert unrecorded - first <= SEAT_PAGE_MAX
    assert loaded(scripts(manifest, "visit"), later=True, without=(PANEL,)) - first <= RECORDED_SEAT_MAX
    assert loaded(scripts(manifest, "visit"), later=True) - first <= STAFF_SEAT_MAX


@pytest.mark.parametrize("page", ["board", "desk", "newconsult", "interpreters", "signin", "recordings"])
def test_a_staff_page_loads_within_its_budget(manifest: dict[str, dict[str, object]], page: str) -> None:
    assert loaded(scripts(manifest, page), later=True) <= STAFF_PAGE_MAX


def test_the_player_of_recordings_loads_within_its_budget(manifest: dict[str, dict[str, object]]) -> None:
    assert loaded(scripts(manifest, "recording"), later=True) <= PLAYER_PAGE_MAX
    assert size(DIST / str(manifest["playback.css"]["file"])) <= PLAYER_STYLE_MAX


def test_the_style_sheet_is_small(manifest: dict[str, dict[str, object]]) -> None:
    assert size(DIST / str(manifest["meridian.css"]["file"])) <= STYLE_MAX


def test_no_script_makes_code_from_text(manifest: dict[str, dict[str, object]]) -> None:
    for file in (DIST / "assets").glob("*.js"):
        text = file.read_text("utf-8")
        assert "new Function(" not in text
        assert "eval(" not in text
        assert "innerHTML" not in text


def test_what_the_manifest_names_is_there(manifest: dict[str, dict[str, object]]) -> None:
    assets = Assets.load()
    for name, entry in manifest.items():
        assert (DIST / str(entry["file"])).exists()
        assert assets.url(name).startswith("/static/assets/")
        assert all((DIST / address.removeprefix("/static/")).exists() for address in assets.preloads(name))
