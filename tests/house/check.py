"""Every check that is not a test: `python3 dev.py check`. Prints a line for each and fails when one does."""

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from tests.house.rules import file_problems

ROOT = Path(__file__).resolve().parents[2]
NODE_TOOLS = ROOT / "web" / "node_modules" / ".bin"
LINT_IMPORTS = Path(sys.executable).with_name("lint-imports")
PYTHON_PARTS = ("server", "signaling", "media", "web", "tests")
STEP_S_MAX = 300
# Folders that .gitignore names.
MADE_HERE = frozenset(
    {".git", ".out", ".venv", ".venv-node", "__pycache__", "dist", "media_files", "node_modules"}
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """A named command and the folder it runs in."""

    name: str
    command: tuple[str, ...]
    folder: Path = ROOT


def python(name: str, *command: str) -> Step:
    return Step(name=name, command=(sys.executable, "-m", *command))


def steps() -> Iterator[Step]:
    """The commands to run. The slow ones come first, as two run at a time."""
    yield python("types", "mypy", "dev.py", *PYTHON_PARTS)
    yield Step(name="TypeScript types", command=(str(NODE_TOOLS / "tsc"), "--noEmit"), folder=ROOT / "web")
    yield Step(name="imports", command=(str(LINT_IMPORTS), "--no-cache"))
    yield python("protocol is fresh", "signaling.protocol.generate", "--check")
    yield python("example configuration is fresh", "server", "config", "example", "--check")
    yield python("translations are complete", "web.build", "--check")
    yield python("lint", "ruff", "check", "--quiet", ".")
    yield python("format", "ruff", "format", "--check", "--quiet", ".")
    biome = (str(NODE_TOOLS / "biome"), "check", "--error-on-warnings", "client", "build.mjs", "../tests/web")
    yield Step(name="TypeScript lint and format", command=biome, folder=ROOT / "web")


def run(step: Step) -> bool:
    """Run one step, print its line and, when it fails, what it said. Returns whether it passed."""
    started = time.monotonic()
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        step.command,
        cwd=step.folder,
        env=env,
        capture_output=True,
        text=True,
        timeout=STEP_S_MAX,
        check=False,
    )
    took = time.monotonic() - started
    output = "" if done.returncode == 0 else f"\n{done.stdout}{done.stderr}"
    print(f"{'ok    ' if not output else 'FAILED'} {step.name} ({took:.1f} s){output}", flush=True)
    return not output


def tracked() -> list[str]:
    """Names of the files that are tracked, or new and not ignored; without git, of all not made here."""
    listed = ("git", "ls-files", "--cached", "--others", "--exclude-standard", "-z")
    if shutil.which(listed[0]) and (ROOT / ".git").exists():
        done = subprocess.run(listed, cwd=ROOT, capture_output=True, text=True, check=True)
        return done.stdout.split("\0")[:-1]
    names = (path.relative_to(ROOT) for path in ROOT.rglob("*") if path.is_file())
    return [str(name) for name in names if not MADE_HERE.intersection(name.parts)]


def check_files() -> bool:
    problems = list(file_problems(ROOT, tracked()))
    print("FAILED" if problems else "ok    ", "sizes and addresses", *problems, sep="\n" if problems else " ")
    return not problems


def main() -> int:
    with ThreadPoolExecutor(2) as pool:
        passed = [*pool.map(run, steps()), check_files()]
    return 0 if all(passed) else 1


if __name__ == "__main__":
    sys.exit(main())
