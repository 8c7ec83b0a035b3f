"""The pure parts of the client, by Node's own test runner; and that everything compiles."""

import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
CASES = sorted((ROOT / "tests" / "web" / "client").glob("*.test.ts"))
RUN_S_MAX = 60


def node() -> str:
    found = shutil.which("node")
    own = ROOT / ".venv-node" / "bin" / "node"
    if found is None and not own.exists():
        pytest.skip("Node.js is not there; python3 dev.py run brings it")
    return found or str(own)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.stem)
def test_the_client_does_what_its_cases_say(case: Path, tmp_path: Path) -> None:
    bundled = tmp_path / f"{case.stem}.mjs"
    esbuild = ROOT / "web" / "node_modules" / "esbuild" / "bin" / "esbuild"
    options = ["--bundle", "--format=esm", "--platform=node", "--log-level=warning"]
    subprocess.run([esbuild, case, *options, f"--outfile={bundled}"], check=True, timeout=RUN_S_MAX)
    done = subprocess.run(
        [node(), "--test", bundled], capture_output=True, text=True, timeout=RUN_S_MAX, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
