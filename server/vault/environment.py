"""What the vault's processes inherit, and that nobody looks into their memory."""

import ctypes
import os
import resource
import sys
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[2]
_SET_DUMPABLE: Final = 4


def child_environment() -> dict[str, str]:
    """Ours without MERIDIAN_…: some of those are secrets, and none is for the child."""
    paths = [str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])]
    kept = {name: value for name, value in os.environ.items() if not name.startswith("MERIDIAN_")}
    return kept | {"PYTHONPATH": os.pathsep.join(paths)}


def keep_memory_private() -> None:
    """No dump of this process, which has keys in it; on Linux no other process of this account traces it."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_SET_DUMPABLE, 0, 0, 0, 0)
