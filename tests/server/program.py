"""The program in a process of its own, with data and ports of its own."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
START_S_MAX = 40.0
STOP_S_MAX = 5.0


def environment(tmp_path: Path, port: int = 0) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("MERIDIAN_")}
    settings = {"MERIDIAN_SERVER__DATA_DIR": str(tmp_path / "data"), "MERIDIAN_MEDIA__WORKERS": "1"}
    if port:
        settings |= {"MERIDIAN_SERVER__PORT": str(port), "MERIDIAN_MEDIA__PORT": str(20000 + port % 20000)}
    return kept | settings | {"PYTHONPATH": str(ROOT)}


class Demo:
    """A demonstration in a process of its own."""

    def __init__(self, tmp_path: Path, port: int) -> None:
        self.file = tmp_path / "demo.json"
        self.log = tmp_path / "stderr"
        command = [sys.executable, "-m", "server", "serve", "--demo", "--demo-json", str(self.file)]
        with self.log.open("a") as log, (tmp_path / "stdout").open("a") as out:
            self.process = subprocess.Popen(
                command, cwd=ROOT, env=environment(tmp_path, port), stdout=out, stderr=log
            )

    def links(self) -> dict[str, str]:
        until = time.monotonic() + START_S_MAX
        while not self.file.exists():
            assert self.process.poll() is None, self.log.read_text()
            assert time.monotonic() < until, self.log.read_text()
            time.sleep(0.05)
        found: dict[str, str] = json.loads(self.file.read_text())
        self.file.unlink()
        return found

    def end(self) -> tuple[int, float]:
        """Exit code and seconds after an interrupt, which ends the consults too."""
        started = time.monotonic()
        self.process.send_signal(signal.SIGINT)
        try:
            return self.process.wait(STOP_S_MAX * 3), time.monotonic() - started
        finally:
            self.process.kill()
