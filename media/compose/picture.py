"""Where everybody is in the composed picture, and the picture itself. Coordinates are even: colour is half
as fine."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil, sqrt
from typing import Final, Protocol

WIDTH: Final = 1280
HEIGHT: Final = 720
SIDE_WIDTH: Final = 320
BLACK, GREY, WHITE = 16, 40, 235
NO_COLOUR: Final = 128
SCALE: Final = 2
LETTERS_MAX: Final = 24


@dataclass(frozen=True, slots=True)
class Cell:
    """A place in the picture, in pixels."""

    left: int
    top: int
    width: int
    height: int


class Plane(Protocol):
    """One plane of a decoded picture; `bytes(plane)` has `line_size` bytes a row."""

    @property
    def line_size(self) -> int: ...

    def __buffer__(self, flags: int, /) -> memoryview: ...


def cells(screens: Sequence[bool]) -> list[Cell]:
    """A place for each view; `screens` says which of them are screens. They get most of the picture."""
    shared = [number for number, is_screen in enumerate(screens) if is_screen]
    people = [number for number, is_screen in enumerate(screens) if not is_screen]
    if shared and people:
        places = dict(zip(shared, _grid(Cell(0, 0, WIDTH - SIDE_WIDTH, HEIGHT), len(shared)), strict=True))
        side = Cell(WIDTH - SIDE_WIDTH, 0, SIDE_WIDTH, HEIGHT)
        places |= dict(zip(people, _grid(side, len(people), columns=1 + len(people) // 5), strict=True))
    else:
        every = range(len(screens))
        places = dict(zip(every, _grid(Cell(0, 0, WIDTH, HEIGHT), len(screens)), strict=True))
    return [places[number] for number in range(len(screens))]


def _grid(within: Cell, count: int, columns: int = 0) -> list[Cell]:
    columns = columns or max(1, ceil(sqrt(count)))
    rows = max(1, ceil(count / columns))
    width, height = within.width // columns & ~1, within.height // rows & ~1
    return [
        Cell(within.left + number % columns * width, within.top + number // columns * height, width, height)
        for number in range(count)
    ]


def fitted(cell: Cell, width: int, height: int) -> Cell:
    """The largest place in a cell for a picture of this size, in its middle, nothing cut off."""
    scale = min(cell.width / max(1, width), cell.height / max(1, height))
    wide = max(2, min(cell.width, round(width * scale)) & ~1)
    high = max(2, min(cell.height, round(height * scale)) & ~1)
    left = cell.left + ((cell.width - wide) // 2 & ~1)
    return Cell(left, cell.top + ((cell.height - high) // 2 & ~1), wide, high)


class Picture:
    """The composed picture (YUV 4:2:0), as it is now."""

    def __init__(self) -> None:
        self.planes = (
            bytearray([BLACK]) * (WIDTH * HEIGHT),
            bytearray([NO_COLOUR]) * (WIDTH * HEIGHT // 4),
            bytearray([NO_COLOUR]) * (WIDTH * HEIGHT // 4),
        )

    def clear(self, cell: Cell) -> None:
        """Nobody to see: grey, with a black edge."""
        self._fill(cell, BLACK)
        self._fill(Cell(cell.left + 2, cell.top + 2, cell.width - 4, cell.height - 4), GREY)

    def put(self, place: Cell, planes: Sequence[Plane]) -> None:
        """Put a picture that is as large as its place."""
        for number, plane in enumerate(planes[:3]):
            half = 1 if number else 0
            data, line = memoryview(plane), plane.line_size
            width, height = place.width >> half, place.height >> half
            into, wide = self.planes[number], WIDTH >> half
            at = (place.top >> half) * wide + (place.left >> half)
            for row in range(height):
                into[at : at + width] = data[row * line : row * line + width]
                at += wide

    def letter(self, cell: Cell, rows: Sequence[bytes]) -> None:
        """Draw a text that was `drawn`, at the bottom left of a cell; what is too long is cut off."""
        width = min(len(rows[0]) & ~1, cell.width)
        place = Cell(cell.left, cell.top + cell.height - (len(rows) & ~1), width, len(rows) & ~1)
        at = place.top * WIDTH + place.left
        for row in rows[: place.height]:
            self.planes[0][at : at + width] = row[:width]
            at += WIDTH
        self._colourless(place)

    def _fill(self, cell: Cell, light: int) -> None:
        for row in range(cell.top, cell.top + cell.height):
            at = row * WIDTH + cell.left
            self.planes[0][at : at + cell.width] = bytes([light]) * cell.width
        self._colourless(cell)

    def _colourless(self, cell: Cell) -> None:
        plain = bytes([NO_COLOUR]) * (cell.width // 2)
        for plane in self.planes[1:]:
            for row in range(cell.top // 2, (cell.top + cell.height) // 2):
                at = row * (WIDTH // 2) + cell.left // 2
                plane[at : at + len(plain)] = plain
