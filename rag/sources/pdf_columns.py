"""A PDF page -> its printed lines in reading order: columns one after the other, whatever order they were drawn in.

A gutter is a strip of white that several lines keep free on both sides (a recursive X-Y cut, Nagy and Seth 1984,
with the cuts in the two directions found together).
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import Any

_MIN_ROWS = 4
"""Rows with text on both sides of a gutter."""
_MAX_PIECES = 20_000
_SAME_ROW = 0.5
"""Share of the type's size within which two pieces stand in one row."""


@dataclass(frozen=True, slots=True)
class Piece:
    """Text drawn at one place: points from the left and from the foot of the page."""

    left: float
    right: float
    base: float
    size: float
    text: str


def page_lines(page: Any) -> list[str]:
    """The lines of a pypdf `page`; as pypdf puts them where there are no columns drawn line by line across."""
    pieces: list[Piece] = []

    def visit(text: str, matrix: list[float], text_matrix: list[float], font: Any, size: float) -> None:
        if text.strip() and len(pieces) < _MAX_PIECES:
            scale = abs(text_matrix[3] or text_matrix[0]) * abs(matrix[3] or matrix[0]) or 1.0
            left = text_matrix[4] * matrix[0] + text_matrix[5] * matrix[2] + matrix[4]
            base = text_matrix[4] * matrix[1] + text_matrix[5] * matrix[3] + matrix[5]
            for number, line in enumerate(text.strip("\n").split("\n")):
                width = size * scale
                pieces.append(Piece(left, left + _width(line) * width, base - number * width, width, line.strip()))

    text = page.extract_text(visitor_text=visit)
    plain: list[str] = text.splitlines()
    return columns(pieces, plain) or plain


def columns(pieces: list[Piece], plain: list[str]) -> list[str]:
    """Lines of `pieces` column by column, empty where no gutter is found or `plain` has them in that order already."""
    pieces = [piece for piece in pieces if piece.text]
    rows = _rows(pieces)
    if len(rows) < _MIN_ROWS or len(pieces) >= _MAX_PIECES:
        return []
    ordered: list[str] = []
    found = False
    start = 0
    while start < len(rows):
        end, gutter = _gutter(rows, start)
        if gutter is None:
            ordered.append(_line(rows[start]))
            start += 1
            continue
        found = True
        block = rows[start:end]
        for side in (True, False):
            cells = [[piece for piece in row if (piece.left < gutter) is side] for row in block]
            inner = [piece for row in cells for piece in row]
            ordered += columns(inner, []) or [_line(row) for row in cells if row]
        start = end
    return ordered if found else []


def _rows(pieces: list[Piece]) -> list[list[Piece]]:
    """Pieces on one height, from the top; each row from the left."""
    rows: list[list[Piece]] = []
    for piece in sorted(pieces, key=lambda piece: -piece.base):
        if rows and abs(rows[-1][0].base - piece.base) <= _SAME_ROW * max(piece.size, 1.0):
            rows[-1].append(piece)
        else:
            rows.append([piece])
    return [sorted(row, key=lambda piece: piece.left) for row in rows]


def _gutter(rows: list[list[Piece]], start: int) -> tuple[int, float | None]:
    """Where the block of columns that begins with row `start` ends, and the middle of its gutter; None without one."""
    first = rows[start]
    for left, right in itertools.pairwise(first):
        low, high = left.right, right.left
        both, end = 0, start
        for row in rows[start:]:
            before = [piece.right for piece in row if piece.left < (low + high) / 2]
            after = [piece.left for piece in row if piece.left >= (low + high) / 2]
            narrowed = max([low, *before]), min([high, *after])
            if narrowed[1] - narrowed[0] < 0.6 * row[0].size:
                break
            low, high = narrowed
            both += bool(before and after)
            end += 1
        if both >= _MIN_ROWS and _is_prose(rows[start:end], (low + high) / 2):
            return end, (low + high) / 2
    return start, None


def _is_prose(rows: list[list[Piece]], gutter: float) -> bool:
    """Whether both sides are filled lines, as of columns of text; the cells of a table are short and uneven."""
    for side in (True, False):
        widths = [sum(_width(p.text) for p in row if (p.left < gutter) is side) for row in rows]
        filled = [width for width in widths if width]
        if sum(width >= 0.7 * max(filled) for width in filled) * 3 < len(filled) * 2 or max(filled) < 8:
            return False
    return True


def _line(row: list[Piece]) -> str:
    text = ""
    end = row[0].left
    for piece in row:
        apart = piece.left - end > 0.25 * piece.size and text
        text += (" " if apart else "") + piece.text
        end = piece.right
    return text


def _width(text: str) -> float:
    """Printed width in ems, about."""
    return sum(0.5 if ord(char) < 0x2000 else 1.0 for char in text)
