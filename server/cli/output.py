"""What commands print: results to standard output, all else to standard error with `meridian:` before it.

Exit codes: 0 done, 1 failed, 2 misused.
"""

import sys
from typing import NoReturn

FAILED = 1
MISUSED = 2


def say(message: str) -> None:
    """Tell the person at the terminal something that is no result."""
    print(f"meridian: {message}", file=sys.stderr, flush=True)


def fail(message: str, *, hint: str = "", code: int = FAILED) -> NoReturn:
    """Say what is wrong and what to do, and end the program."""
    say(f"error: {message}")
    if hint:
        say(f"hint: {hint}")
    raise SystemExit(code)
