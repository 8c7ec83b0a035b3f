"""Names as points of light: a small alphabet of our own, because nothing here can open a font.

It has the Latin letters. A name in another script is not drawn; whoever calls shows it otherwise.
"""

from __future__ import annotations

import unicodedata
from typing import Final

WIDTH: Final = 5
HEIGHT: Final = 7
_ALPHABET: Final = """
A:01110 10001 10001 11111 10001 10001 10001  B:11110 10001 10001 11110 10001 10001 11110
C:01111 10000 10000 10000 10000 10000 01111  D:11110 10001 10001 10001 10001 10001 11110
E:11111 10000 10000 11110 10000 10000 11111  F:11111 10000 10000 11110 10000 10000 10000
G:01111 10000 10000 10011 10001 10001 01111  H:10001 10001 10001 11111 10001 10001 10001
I:01110 00100 00100 00100 00100 00100 01110  J:00111 00010 00010 00010 00010 10010 01100
K:10001 10010 10100 11000 10100 10010 10001  L:10000 10000 10000 10000 10000 10000 11111
M:10001 11011 10101 10101 10001 10001 10001  N:10001 11001 10101 10101 10011 10001 10001
O:01110 10001 10001 10001 10001 10001 01110  P:11110 10001 10001 11110 10000 10000 10000
Q:01110 10001 10001 10001 10101 10010 01101  R:11110 10001 10001 11110 10100 10010 10001
S:01111 10000 10000 01110 00001 00001 11110  T:11111 00100 00100 00100 00100 00100 00100
U:10001 10001 10001 10001 10001 10001 01110  V:10001 10001 10001 10001 10001 01010 00100
W:10001 10001 10001 10101 10101 11011 10001  X:10001 10001 01010 00100 01010 10001 10001
Y:10001 10001 01010 00100 00100 00100 00100  Z:11111 00001 00010 00100 01000 10000 11111
0:01110 10001 10011 10101 11001 10001 01110  1:00100 01100 00100 00100 00100 00100 01110
2:01110 10001 00001 00110 01000 10000 11111  3:11110 00001 00001 01110 00001 00001 11110
4:00010 00110 01010 10010 11111 00010 00010  5:11111 10000 11110 00001 00001 10001 01110
6:01110 10000 10000 11110 10001 10001 01110  7:11111 00001 00010 00100 00100 01000 01000
8:01110 10001 10001 01110 10001 10001 01110  9:01110 10001 10001 01111 00001 00001 01110
-:00000 00000 00000 01110 00000 00000 00000  .:00000 00000 00000 00000 00000 01100 01100
':00100 00100 01000 00000 00000 00000 00000  (:00010 00100 01000 01000 01000 00100 00010
):01000 00100 00010 00010 00010 00100 01000  /:00001 00001 00010 00100 01000 10000 10000
"""
_LETTERS: Final = {
    one[0]: tuple(int(row, 2) for row in one[2:].split())
    for one in _ALPHABET.replace("\n", "  ").split("  ")
    if one
} | {" ": (0,) * HEIGHT}
_OTHERWISE: Final = str.maketrans(
    {"ß": "SS", "Æ": "AE", "Œ": "OE", "Ø": "O", "Ł": "L", "Đ": "D", "Ð": "D", "Þ": "TH", "’": "'", ",": " "}
)


def drawable(name: str) -> str | None:
    """The name in letters there are, in capitals; None where a letter of it cannot be drawn."""
    plain = unicodedata.normalize("NFKD", name.upper().translate(_OTHERWISE))
    found = "".join(one for one in plain if not unicodedata.combining(one))
    return found if all(one in _LETTERS for one in found) else None


def drawn(text: str, *, scale: int, light: int, dark: int) -> list[bytes]:
    """The rows of a text that is `drawable`, a byte for a point, with a margin of `scale` around it."""
    wide = (len(text) * (WIDTH + 1) + 1) * scale
    margin = [bytes([dark]) * wide] * scale
    rows: list[bytes] = []
    for row in range(HEIGHT):
        points = bytearray([dark]) * scale
        for letter in text:
            for bit in range(WIDTH - 1, -1, -1):
                lit = _LETTERS[letter][row] >> bit & 1
                points += bytes([light if lit else dark]) * scale
            points += bytes([dark]) * scale
        rows += [bytes(points)] * scale
    return [*margin, *rows, *margin]
