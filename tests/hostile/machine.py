"""What Linux says of the processes of a server: which there are, and how much memory they have."""

import contextlib
from pathlib import Path


def processes(root: int) -> set[int]:
    """A process and all its descendants."""
    found, ahead = set[int](), [root]
    while ahead:
        process = ahead.pop()
        found.add(process)
        for thread in Path(f"/proc/{process}/task").glob("*/children"):
            with contextlib.suppress(OSError):  # a thread may end meanwhile
                ahead += [int(child) for child in thread.read_text().split()]
    return found


def memory_kb(process: int) -> int:
    """Resident memory."""
    status = Path(f"/proc/{process}/status").read_text()
    return next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmRSS:"))
