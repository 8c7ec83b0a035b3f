"""A whole recording: two passes over its records, and a file for each view."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from media.remux.opened import Opened, Remuxed, ViewFile


def remux(
    recorded: Callable[[], Iterator[Opened]],
    open_view: Callable[[str], ViewFile],
    progress: Callable[[float], None] = lambda done: None,
    *,
    duration_us: int = 0,
) -> list[Remuxed]:
    """Write the views of a recording, each of them from 0 to its end.

    `recorded` begins anew whenever it is called, and is called twice; it gives the records of all parts in order
    and just ends where a part is torn. `open_view` is called once for each view there is, with its name;
    the files stay open. `progress` is told how much is done, 0.0 to 1.0, now and then. The views are as long
    as the last packet is late, or `duration_us` if that is longer. Blocks for as long as it takes.

    Raises:
        whatever `recorded`, `open_view` or a file raises; nothing else.
    """
    raise NotImplementedError
