"""HTTP ranges (RFC 9110 section 14): one range of bytes, as players ask for it. Pure."""

import re
from dataclasses import dataclass
from typing import Final

_RANGE: Final = re.compile(r"bytes=(\d{0,18})-(\d{0,18})", re.ASCII)


class NotSatisfiableError(Exception):
    """Nothing of the file is in the range."""


@dataclass(frozen=True, slots=True)
class Range:
    """From byte `start` to before byte `end`."""

    start: int
    end: int

    def content_range(self, size_bytes: int) -> str:
        """As the header says it."""
        return f"bytes {self.start}-{self.end - 1}/{size_bytes}"


def parsed(header: str | None, size_bytes: int) -> Range | None:
    """The one range that is asked for; None asks for the whole: no header, several ranges, another unit.

    Raises:
        NotSatisfiableError: it is behind the end.
    """
    found = _RANGE.fullmatch(header.replace(" ", "")) if header else None
    if found is None or not (found[1] or found[2]):
        return None
    if not found[1]:
        start, end = max(0, size_bytes - int(found[2])), size_bytes
    else:
        start = int(found[1])
        if found[2] and int(found[2]) < start:
            return None
        end = min(size_bytes, int(found[2]) + 1) if found[2] else size_bytes
    if start >= end:
        raise NotSatisfiableError
    return Range(start, end)
