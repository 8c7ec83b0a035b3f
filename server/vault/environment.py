"""What the vault's processes inherit: the environment without our settings, and where to import from."""

import os
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[2]


def child_environment() -> dict[str, str]:
    """Ours without MERIDIAN_…: some of those are secrets, and none is for the child."""
    paths = [str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])]
    kept = {name: value for name, value in os.environ.items() if not name.startswith("MERIDIAN_")}
    return kept | {"PYTHONPATH": os.pathsep.join(paths)}
