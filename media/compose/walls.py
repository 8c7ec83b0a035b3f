"""Walls around a process that decodes what strangers sent: no network, no files, no other processes.

Linux has several, and which of them a process may raise depends on the machine, so each is tried and what
there is is told. Once raised, none comes down. What is needed must be imported before.
"""

from __future__ import annotations

import ctypes
import os
import resource
import struct
import sys
from contextlib import suppress
from pathlib import Path
from typing import Final

NO_NEW_PRIVILEGES: Final = 1
OWN_NETWORK: Final = 2
EMPTY_ROOT: Final = 4
NO_FILES: Final = 8
"""Landlock: no file can be opened, whoever owns it, and no process outside be traced."""

MEMORY_BYTES_MAX: Final = 3 << 30
FILES_MAX: Final = 16
PROCESSES_MAX: Final = 32
_NEW_NAMESPACES: Final = 0x10000000 | 0x40000000 | 0x08000000 | 0x00020000  # user, network, IPC, mounts
_SET_NO_NEW_PRIVILEGES: Final = 38
_SET_PARENT_DEATH_SIGNAL: Final = 1
_SIGKILL: Final = 9
_LANDLOCK_CREATE: Final = 444
_LANDLOCK_RESTRICT: Final = 446
_LANDLOCK_FILES: Final = (1 << 13) - 1  # every right over files of the first version
_CAPABILITIES_VERSION: Final = 0x20080522


def raise_walls(empty_folder: Path | None) -> int:
    """Raise what can be raised. Answers with the sum of what there is; 0 elsewhere than on Linux.

    `empty_folder` becomes the only folder there is. File descriptors that are open stay so.
    """
    there = 0
    if sys.platform == "linux":
        libc = ctypes.CDLL(None, use_errno=True)
        libc.prctl(_SET_PARENT_DEATH_SIGNAL, _SIGKILL, 0, 0, 0)
        if libc.unshare(_NEW_NAMESPACES) == 0:
            there |= OWN_NETWORK | _emptied(empty_folder)
            _limit(resource.RLIMIT_NPROC, PROCESSES_MAX)  # counted in the new namespace alone
        if libc.prctl(_SET_NO_NEW_PRIVILEGES, 1, 0, 0, 0) == 0:
            there |= NO_NEW_PRIVILEGES | _landlocked(libc)
        header = ctypes.create_string_buffer(struct.pack("=II", _CAPABILITIES_VERSION, 0))
        libc.capset(header, ctypes.create_string_buffer(24))
    _limit(resource.RLIMIT_FSIZE, 0)
    _limit(resource.RLIMIT_CORE, 0)
    _limit(resource.RLIMIT_NOFILE, FILES_MAX)
    _limit(resource.RLIMIT_AS, MEMORY_BYTES_MAX)
    return there


def _emptied(folder: Path | None) -> int:
    if folder is None:
        return 0
    try:
        os.chroot(folder)
        os.chdir("/")
    except OSError:
        return 0
    return EMPTY_ROOT


def _landlocked(libc: ctypes.CDLL) -> int:
    rules = ctypes.create_string_buffer(struct.pack("=Q", _LANDLOCK_FILES), 8)
    ruleset = libc.syscall(_LANDLOCK_CREATE, rules, ctypes.c_size_t(8), 0)
    if ruleset < 0:
        return 0
    done = libc.syscall(_LANDLOCK_RESTRICT, ruleset, 0)
    os.close(ruleset)
    return NO_FILES if done == 0 else 0


def _limit(what: int, number: int) -> None:
    """Never above what we were given."""
    with suppress(OSError, ValueError):
        _, hard = resource.getrlimit(what)
        least = number if hard == resource.RLIM_INFINITY else min(number, hard)
        resource.setrlimit(what, (least, least))
