"""`python -m media.compose SOCKET_FD [EMPTY_FOLDER]`; `channel` says what goes over the socket."""

from __future__ import annotations

import os
import socket
import sys
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO, Final, cast

from av.error import FFmpegError

from media.compose.channel import Channel, MadeFile, ViewFile
from media.compose.composing import Composer
from media.compose.walls import raise_walls
from media.compose.warming import warm_up

NICE: Final = 10  # consults go before recordings


def main() -> None:
    """Raise the walls, then do what is asked."""
    os.nice(NICE)
    connection = socket.socket(fileno=int(sys.argv[1]))
    channel = Channel(connection)
    warm_up()
    channel.walls(raise_walls(Path(sys.argv[2]) if len(sys.argv) > 2 else None))
    with suppress(EOFError):
        try:
            _compose(channel)
        except (FFmpegError, MemoryError, ValueError, OSError) as error:
            channel.failed(error)
        else:
            channel.end()
    connection.close()


def _compose(channel: Channel) -> None:
    job = channel.job()
    files = [
        cast(BinaryIO, ViewFile(channel, number, one.size_bytes)) for number, one in enumerate(job.sources)
    ]
    made = cast(BinaryIO, MadeFile(channel))
    Composer(files, job.sources, made).run(job.duration_us, channel.progress)


if __name__ == "__main__":
    main()
