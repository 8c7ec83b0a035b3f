#!/usr/bin/env python3
"""Prepares a checkout and starts Meridian, its tests or its checks: python3 dev.py run | test | check | …

Needs Python 3.11 or newer and pip, nothing else. Installs the hash-locked requirements into .venv, builds
the front end (with the system's Node.js, or one from the Python package index) and hands over. Every step
leaves a stamp with the hash of what it read, so a second start skips it.
"""

import contextlib
import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NoReturn

if sys.version_info < (3, 11):
    sys.exit("[dev] Python 3.11 or newer is needed; this is " + sys.version.split()[0])

ROOT = Path(__file__).resolve().parent
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
NODE_VENV = ROOT / ".venv-node"
WEB = ROOT / "web"
WEB_BUILT = WEB / "static" / "dist" / "manifest.json"
NODE_MAJOR_MIN = 20
# tests/order.py says what runs beside what.
TWO_CORES = ("-n", "2", "--dist", "loadscope", "--no-loadscope-reorder")
LOCKS = ("requirements", "requirements-dev", "requirements-node", "requirements-uv")

USAGE = """python3 dev.py VERB [ARGUMENT …]

  run     start Meridian with a demo clinic and print three links (patient, physician, interpreter)
  test    run every check and every test, real browsers included; arguments go to pytest
  check   run the checks alone: lint, format, types, imports, generated files, sizes, addresses
  bench   run a benchmark of the media part: bench NAME
  lock    resolve config/*.in and web/package.json again; arguments go to uv pip compile
  clean   remove what dev.py made

Any other verb goes to the program: python3 dev.py config show"""

# Debian and Ubuntu package -> the paths or commands one of which shows that it is there.
SYSTEM = {
    "chromium": ("chromium", "chromium-browser", "google-chrome", "$MERIDIAN_TEST_CHROMIUM"),
    "firefox-esr": ("firefox-esr", "firefox", "$MERIDIAN_TEST_FIREFOX"),
    "ffmpeg": ("ffmpeg",),
    "espeak-ng": ("espeak-ng",),
    "redis-server": ("redis-server",),
    "postgresql": ("/usr/lib/postgresql/*/bin/initdb", "initdb"),
    "coturn": ("turnserver",),
    "fonts-noto-core": ("/usr/share/fonts/truetype/noto/NotoSansArmenian-Regular.ttf",),
    "fonts-noto-cjk": ("/usr/share/fonts/opentype/noto/NotoSansCJK-Regular.ttc",),
    "fonts-noto-color-emoji": ("/usr/share/fonts/truetype/noto/NotoColorEmoji.ttf",),
    "pulseaudio": ("pulseaudio",),
    "iproute2": ("ip", "/sbin/ip"),
    "nftables": ("nft", "/usr/sbin/nft"),
}


def say(message: str) -> None:
    print(f"[dev] {message}", file=sys.stderr, flush=True)


def stop(message: str) -> NoReturn:
    say(message)
    sys.exit(2)


def call(*command: str | Path, cwd: Path = ROOT, env: dict[str, str] | None = None) -> None:
    """Run a command; leave with its name when it fails."""
    code = subprocess.call([str(part) for part in command], cwd=cwd, env=env, stdout=sys.stderr)
    if code:
        stop(f"failed ({code}): {' '.join(str(part) for part in command)}")


def works(*command: str | Path, env: dict[str, str] | None = None) -> bool:
    """Whether a command exists and succeeds; its output is not shown."""
    try:
        done = subprocess.run(
            [str(part) for part in command], cwd=ROOT, env=env, capture_output=True, check=False
        )
    except OSError:
        return False
    return done.returncode == 0


# --- stamps: what was read the last time a step ran ---------------------------------------------------------


def sources(top: Path) -> Iterator[Path]:
    """The files below a folder that a build reads, in order: nothing installed, generated or cached."""
    for folder, folders, files in os.walk(top):
        folders[:] = sorted(set(folders) - {"node_modules", "dist", "__pycache__"})
        for name in sorted(files):
            if not name.endswith((".mo", ".pyc", ".md")):
                yield Path(folder, name)


def digest(*paths: Path) -> str:
    """Hash of names and contents of these files and of the files below these folders."""
    total = hashlib.sha256(f"{sys.version_info[:2]} {sys.platform} {ROOT}".encode())
    for path in paths:
        for file in sources(path) if path.is_dir() else [path]:
            total.update(f"\0{file.relative_to(ROOT)}\0".encode())
            total.update(file.read_bytes())
    return total.hexdigest()


def is_fresh(name: str, value: str) -> bool:
    stamp = VENV / f".stamp-{name}"
    return stamp.exists() and stamp.read_text() == value


def mark(name: str, value: str) -> None:
    (VENV / f".stamp-{name}").write_text(value)


@contextlib.contextmanager
def alone() -> Iterator[None]:
    """Two starts at once prepare one after the other."""
    with (ROOT / ".dev.lock").open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield


# --- Python -------------------------------------------------------------------------------------------------


def uv() -> str | None:
    own = VENV / "bin" / "uv"
    return str(own) if own.exists() else shutil.which("uv")


def pip(python: Path = PYTHON) -> list[str | Path]:
    """The pip command that installs into an environment: its own, else the one dev.py was started with."""
    if works(python, "-m", "pip", "--version"):
        return [python, "-m", "pip"]
    return [sys.executable, "-m", "pip", "--python", python]


def make_venv() -> None:
    if works(PYTHON, "-c", "import sys; sys.exit(sys.version_info < (3, 11))"):
        return
    shutil.rmtree(VENV, ignore_errors=True)
    say("creating .venv")
    if shutil.which("uv"):
        call("uv", "venv", "-q", "--python", sys.executable, VENV)
    elif works(sys.executable, "-m", "pip", "--version"):
        # Without its own pip: three seconds faster, and Debian lacks ensurepip without python3-venv.
        call(sys.executable, "-m", "venv", "--without-pip", VENV)
    elif not works(sys.executable, "-m", "venv", VENV):
        version = "{}.{}".format(*sys.version_info)
        stop(f"this Python has no pip. Debian or Ubuntu: sudo apt install python{version}-venv")
    if not uv():
        install("requirements-uv", required=False)


def install(lock: str, *, venv: Path = VENV, required: bool = True) -> None:
    """Install a hash-locked set, through uv (seconds) where it is there, else pip (half a minute)."""
    path = ROOT / "config" / f"{lock}.lock"
    python = venv / "bin" / "python"
    tool = uv()
    if tool and works(tool, "pip", "install", "--python", python, "--require-hashes", "-r", path):
        return
    if tool:
        say("uv could not install; trying pip")
    command = [*pip(python), "install", "-q", "--disable-pip-version-check", "--require-hashes", "-r", path]
    if required:
        call(*command)
    elif not works(*command):
        say("uv is not to be had; pip will be slower")


def sync(lock: str) -> None:
    want = digest(ROOT / "config" / f"{lock}.lock")
    if is_fresh(lock, want):
        return
    say(f"installing config/{lock}.lock")
    install(lock)
    mark(lock, want)


# --- front end ----------------------------------------------------------------------------------------------


def with_node() -> dict[str, str]:
    """An environment with a Node.js that is new enough, fetched into .venv-node where the system has none."""
    env = child_env()
    node = shutil.which("node")
    if node and shutil.which("npm") and os.environ.get("DEV_NODE") != "wheel":
        version = subprocess.check_output([node, "--version"], text=True).strip().lstrip("v")
        if int(version.split(".")[0]) >= NODE_MAJOR_MIN:
            return env
    programs = NODE_VENV / "bin"
    if not (programs / "npm").exists():
        say(f"no Node.js {NODE_MAJOR_MIN} or newer here: fetching it")
        shutil.rmtree(NODE_VENV, ignore_errors=True)
        call(PYTHON, "-m", "venv", "--without-pip", NODE_VENV)
        install("requirements-node", venv=NODE_VENV)
    return env | {"PATH": f"{programs}{os.pathsep}{env['PATH']}"}


def build_web(*, tools: bool) -> None:
    """Scripts, styles and translations, when anything they are made from has changed.

    With `tools` the packages that only checks and tests need are there too.
    """
    if not (WEB / "build.mjs").exists():
        return
    want = digest(WEB)
    built = is_fresh("web", want) and WEB_BUILT.exists()
    packages = digest(WEB / "package-lock.json")
    kinds = ("tools",) if tools else ("tools", "run")
    installed = (
        any(is_fresh("npm", f"{packages} {kind}") for kind in kinds) and (WEB / "node_modules").exists()
    )
    if built and (installed or not tools):
        return
    env = with_node()
    if not installed:
        say("installing the front end's packages")
        less = () if tools else ("--omit=dev",)
        call("npm", "ci", *less, "--silent", "--no-audit", "--no-fund", cwd=WEB, env=env)
        mark("npm", f"{packages} {kinds[-1]}")
    if built:
        return
    say("building the front end")
    call(PYTHON, "-m", "web.build", env=env)
    call("node", "build.mjs", cwd=WEB, env=env)
    mark("web", want)


# --- what the tests need from the system --------------------------------------------------------------------


def is_there(sign: str) -> bool:
    if sign.startswith("$"):
        return bool(os.environ.get(sign[1:]))
    return any(Path("/").glob(sign[1:])) if sign.startswith("/") else shutil.which(sign) is not None


def system_packages() -> None:
    """Install what is missing where that is possible without asking, else say what will be skipped."""
    missing = [name for name, signs in SYSTEM.items() if not any(is_there(sign) for sign in signs)]
    if not missing:
        return
    how = f"apt-get install -y --no-install-recommends {' '.join(missing)}"
    if os.geteuid() == 0 and shutil.which("apt-get"):
        say(f"installing from the system's packages: {' '.join(missing)}")
        quiet = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
        wait = ("-q", "-o", "DPkg::Lock::Timeout=300")
        if works("apt-get", *wait, "update", env=quiet) and works(*how.split(), *wait, env=quiet):
            return
        say("the packages could not be installed")
    say(f"skipped without {', '.join(missing)}; this brings them: sudo {how}")


# --- verbs --------------------------------------------------------------------------------------------------


def child_env() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(ROOT)}


def become(*command: str, env: dict[str, str] | None = None) -> NoReturn:
    """Replace this process by Python from .venv, so that signals and the exit code are the program's own."""
    os.chdir(ROOT)
    os.execve(PYTHON, [str(PYTHON), *command], env or child_env())


def prepare(lock: str) -> None:
    started = time.monotonic()
    with alone():
        make_venv()
        sync(lock)
        build_web(tools=lock == "requirements-dev")
    say(f"ready in {time.monotonic() - started:.1f} s")


def names_tests(arguments: list[str]) -> bool:
    return any((ROOT / argument.split("::")[0]).exists() for argument in arguments)


def test(arguments: list[str]) -> None:
    prepare("requirements-dev")
    system_packages()
    env = with_node()
    if not names_tests(arguments):
        code = subprocess.call([str(PYTHON), *command_for("check", [])], cwd=ROOT, env=env)
        if code:
            sys.exit(code)
        arguments = [*TWO_CORES, *arguments]
    become("-m", "pytest", *arguments, env=env)


def lock(arguments: list[str]) -> None:
    prepare("requirements-dev")
    options = ["--universal", "--python-version", "3.11", "--generate-hashes", "--no-emit-index-url"]
    for name in LOCKS:
        # The development set may not move what is deployed.
        fixed = ["-c", "config/requirements.lock"] if name == "requirements-dev" else []
        files = [f"config/{name}.in", "-o", f"config/{name}.lock"]
        call(uv() or "uv", "pip", "compile", "-q", "--no-header", *options, *fixed, *arguments, *files)
    call(
        "npm", "install", "--package-lock-only", "--omit-lockfile-registry-resolved", cwd=WEB, env=with_node()
    )


def clean() -> None:
    caches = (".mypy_cache", ".ruff_cache", ".pytest_cache", ".hypothesis", ".import_linter_cache")
    made = [VENV, NODE_VENV, WEB / "node_modules", WEB / "static" / "dist", ROOT / "tests" / "e2e" / ".out"]
    for path in [*made, *(ROOT / name for name in caches)]:
        shutil.rmtree(path, ignore_errors=True)


def command_for(verb: str, arguments: list[str]) -> list[str]:
    """What Python is to run for a verb that is not dev.py's own."""
    known = {
        "run": ["-m", "server", "serve", "--demo"],
        "check": ["-m", "tests.house.check"],
        "bench": ["-m", "media.bench"],
    }
    return [*known.get(verb, ["-m", "server", verb]), *arguments]


def main(verb: str = "run", *given: str) -> None:
    arguments = list(given[1:] if given[:1] == ("--",) else given)
    if verb in ("-h", "--help", "help"):
        print(USAGE)
    elif verb == "clean":
        clean()
    elif verb == "test":
        test(arguments)
    elif verb == "lock":
        lock(arguments)
    else:
        prepare("requirements-dev" if verb == "check" else "requirements")
        become(*command_for(verb, arguments), env=with_node() if verb == "check" else None)


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        main(*sys.argv[1:])
        sys.exit(0)
    sys.exit(130)
