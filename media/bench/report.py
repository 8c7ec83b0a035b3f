"""What a measurement says, and how it is written down."""

from __future__ import annotations

import os
import platform
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from statistics import median

RESULTS = Path(__file__).parent / "RESULTS.md"

_TEXT = """# Forwarding

{machine}.
Written by `python -m media.bench forward`.

Everybody in a consult of three sends 180 video packets of 1,100 bytes and 50 audio packets a second and
receives both others, with AES-128-GCM. Counted is the CPU time, user and system, of the forwarding
process, while the load runs in another; {seconds:.0f} s each, median of {repeats}, in turns. On one
machine the sender of a packet also pays for its delivery, and neighbours move single figures by 40 %:
compare rows, not days.

{table}"""

_COLUMNS = ("", "consults", "packets in /s", "forwarded /s", "of a core", "forwarded per CPU second", "lost")


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One measurement."""

    target: str
    consults: int
    received_per_s: float
    forwarded_per_s: float
    cpu_share: float
    lost_pct: float

    @property
    def forwarded_per_cpu_s(self) -> float:
        """The figure that matters."""
        return self.forwarded_per_s / self.cpu_share if self.cpu_share else 0.0


def table(rows: list[Row]) -> str:
    """The rows as Markdown, repetitions of the same measurement as their median."""
    lines = ["| " + " | ".join(_COLUMNS) + " |", "|---" * len(_COLUMNS) + "|"]
    for target, consults in dict.fromkeys((row.target, row.consults) for row in rows):
        same = [row for row in rows if (row.target, row.consults) == (target, consults)]
        cells = [
            target,
            str(consults),
            f"{median(row.received_per_s for row in same):,.0f}",
            f"{median(row.forwarded_per_s for row in same):,.0f}",
            f"{median(row.cpu_share for row in same) * 100:.1f} %",
            f"{median(row.forwarded_per_cpu_s for row in same):,.0f}",
            f"{max(row.lost_pct for row in same):.2f} %",
        ]
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


def machine() -> str:
    """When and on what something was measured."""
    load = ", ".join(f"{average:.1f}" for average in os.getloadavg())
    return (
        f"{datetime.now(UTC):%Y-%m-%d}, {platform.machine()}, {os.cpu_count()} cores, "
        f"Linux {platform.release()}, Python {platform.python_version()}; load average of the machine {load}"
    )


def write_results(rows: list[Row], seconds: float, repeats: int) -> None:
    """Replace RESULTS.md."""
    text = _TEXT.format(
        machine=machine(),
        seconds=seconds,
        repeats=repeats,
        table=table(rows),
    )
    RESULTS.write_text(text)
