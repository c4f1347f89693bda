"""Text for a terminal or a log: nothing in it moves the cursor, changes colours or turns the direction of writing."""

from __future__ import annotations

from unicodedata import category


def printable(text: str) -> str:
    """`text` on one line, with control, bidi and undecodable characters escaped."""
    return "".join(c if c.isprintable() or category(c) == "Zs" else _escaped(c) for c in text)


def printable_lines(text: str) -> str:
    """The same with its line breaks kept."""
    return "\n".join(map(printable, text.split("\n")))


def _escaped(char: str) -> str:
    return char.encode("unicode_escape", "surrogatepass").decode("ascii")
