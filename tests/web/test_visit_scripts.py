"""The seat page's rules in TypeScript: each file of tests/web/visit runs in node's own test runner."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
ESBUILD = ROOT / "web" / "node_modules" / ".bin" / "esbuild"
FILES = sorted((Path(__file__).parent / "visit").glob("*.test.ts"))
TIMEOUT_S = 60
NODE = shutil.which("node")

needs_node = pytest.mark.skipif(
    NODE is None or not ESBUILD.exists(), reason="needs node and web/node_modules: npm ci --prefix web"
)


def bundled(source: Path, folder: Path) -> Path:
    """The test and all it imports in one file, with stand-ins for what a browser has at import time."""
    target = folder / f"{source.stem}.mjs"
    command = [str(ESBUILD), str(source), "--bundle", "--external:node:*", "--format=esm"]
    banner = "globalThis.document??={addEventListener(){}};"
    subprocess.run(
        [*command, f"--outfile={target}", f"--banner:js={banner}", "--log-level=error"],
        check=True,
        timeout=TIMEOUT_S,
    )
    return target


@needs_node
@pytest.mark.parametrize("source", FILES, ids=lambda path: path.name)
def test_every_requirement_of_the_seat_page_holds(source: Path, tmp_path: Path) -> None:
    run = subprocess.run(
        [str(NODE), "--test", str(bundled(source, tmp_path))],
        check=False,
        capture_output=True,
        text=True,
        timeout=TIMEOUT_S,
        env={**os.environ, "TZ": "UTC"},
    )
    assert run.returncode == 0, run.stdout + run.stderr
