"""The Merkle tree of RFC 6962 over the entries' hashes, which are its leaf hashes.

https://www.rfc-editor.org/rfc/rfc6962#section-2.1
"""

from collections.abc import Sequence
from hashlib import sha256
from typing import Final

HASH_BYTES: Final = 32


def node(left: bytes, right: bytes) -> bytes:
    """The hash of two subtrees put together."""
    return sha256(b"\x01" + left + right).digest()


class Peaks:
    """A tree that grows: the number of its leaves, and the roots of its full subtrees, the largest first."""

    __slots__ = ("hashes", "size")

    def __init__(self, size: int = 0, hashes: Sequence[bytes] = ()) -> None:
        self.size = size
        self.hashes = list(hashes)

    @classmethod
    def loaded(cls, size: int, stored: bytes) -> "Peaks":
        """From what `stored` gave.

        Raises:
            ValueError: this is no tree of that size.
        """
        hashes = [stored[at : at + HASH_BYTES] for at in range(0, len(stored), HASH_BYTES)]
        if size < 0 or len(stored) != HASH_BYTES * size.bit_count():
            raise ValueError("no tree of this size")
        return cls(size, hashes)

    def stored(self) -> bytes:
        return b"".join(self.hashes)

    def copy(self) -> "Peaks":
        return Peaks(self.size, self.hashes)

    def add(self, leaf: bytes) -> None:
        """Add a leaf by its hash. Full subtrees of the same size become one, as in counting in binary."""
        size = self.size
        while size & 1:
            leaf = sha256(b"\x01" + self.hashes.pop() + leaf).digest()
            size >>= 1
        self.hashes.append(leaf)
        self.size += 1

    def root(self) -> bytes:
        """The root of the tree; 32 bytes."""
        if not self.hashes:
            return sha256(b"").digest()
        *others, root = self.hashes
        for peak in reversed(others):
            root = node(peak, root)
        return root


def path(leaves: Sequence[bytes], index: int) -> list[bytes]:
    """The inclusion proof of the leaf at `index` in the tree of these leaf hashes, the lowest node first."""
    found, level = [], list(leaves)
    while len(level) > 1:
        sibling = index ^ 1
        if sibling < len(level):
            found.append(level[sibling])
        # The last one of an odd number goes up as it is.
        above = [node(level[at], level[at + 1]) for at in range(0, len(level) - 1, 2)]
        level = [*above, level[-1]] if len(level) % 2 else above
        index >>= 1
    return found


def root_by_path(leaf: bytes, *, index: int, size: int, nodes: Sequence[bytes]) -> bytes:
    """The root that an inclusion proof leads to.

    Raises:
        ValueError: a proof of a tree of that size is longer or shorter.
    """
    if not 0 <= index < size:
        raise ValueError("the tree has no such leaf")
    left, last, root = list(nodes), size - 1, leaf
    while last > 0:
        if index & 1 or index < last:
            if not left:
                raise ValueError("the proof is too short")
            other = left.pop(0)
            root = node(other, root) if index & 1 else node(root, other)
        index, last = index >> 1, last >> 1
    if left:
        raise ValueError("the proof is too long")
    return root
