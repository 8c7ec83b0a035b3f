"""A sound card that goes nowhere: Firefox needs one to start an AudioContext, Chromium does not."""

import asyncio
import contextlib
import os
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path

from tests.e2e.kit import needs
from tests.e2e.kit.process import stopped
from tests.e2e.kit.tab import eventually

START_S_MAX = 15


@contextlib.asynccontextmanager
async def silent_card() -> AsyncIterator[dict[str, str]]:
    """A private PulseAudio with a null sink; gives the environment that makes a program use it."""
    server = needs.program("pulseaudio", package="pulseaudio")
    with tempfile.TemporaryDirectory(prefix="sound-") as folder:
        socket = Path(folder) / "native"
        process = await asyncio.create_subprocess_exec(
            server,
            *("-n", "--daemonize=no", "--exit-idle-time=-1", "--disallow-exit", "--use-pid-file=no"),
            "--load=module-null-sink sink_name=null rate=48000",
            f"--load=module-native-protocol-unix socket={socket} auth-anonymous=1",
            env={**os.environ, "XDG_RUNTIME_DIR": folder, "HOME": folder},
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.DEVNULL,
        )
        async with stopped(process):

            async def is_up() -> bool:
                return socket.exists()

            await eventually(is_up, bool, within_s=START_S_MAX, what="pulseaudio's socket is there")
            yield {"PULSE_SERVER": f"unix:{socket}"}
