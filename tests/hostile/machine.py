"""What Linux says of the processes of a server: which there are, and how much memory they have."""

from pathlib import Path


def processes(root: int) -> set[int]:
    """A process and all its descendants."""
    found, ahead = set[int](), [root]
    while ahead:
        process = ahead.pop()
        found.add(process)
        children = Path(f"/proc/{process}/task/{process}/children")
        ahead += [int(child) for child in children.read_text().split()] if children.exists() else []
    return found


def memory_kb(process: int) -> int:
    """Resident memory."""
    status = Path(f"/proc/{process}/status").read_text()
    return next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmRSS:"))
