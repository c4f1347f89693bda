"""When two texts count as the same: folding, containment with digit borders, and finding a quote in a text.

Folding ignores what typesetting changes and meaning does not: full and half width, case, white space,
thousands commas and enumeration commas. It never folds digits away, and a number never matches inside a
longer one.
"""

from __future__ import annotations

import re
import unicodedata

_IGNORED = re.compile(r"[\s,，、\u200b]+")
_SHORT_LATIN = 4
"""A gold answer of at most this many Latin letters ("six", "AI") must stand as a word of its own."""

SHARED_RUN = 12
"""Characters that a quote and a longer evidence text must share to overlap."""
SHORTEST_QUOTE = 4
"""Shorter quotes say nothing about where they come from."""


def fold(text: str) -> str:
    """`text` in NFKC, lower case, without white space and commas. Lengths change: never use it for offsets."""
    return _IGNORED.sub("", unicodedata.normalize("NFKC", text).lower())


def holds(answer: str, gold: str) -> bool:
    """Whether `gold` stands in `answer` and does not run on into other digits.

    >>> holds("共完成２３，０００件", "23000件"), holds("完成123件", "23件"), holds("a dozen", "do")
    (True, False, False)
    """
    text, wanted = fold(answer), fold(gold)
    if not wanted:
        return False
    if wanted.isascii() and wanted.isalpha() and len(wanted) <= _SHORT_LATIN:
        raw = unicodedata.normalize("NFKC", answer).lower()
        return re.search(rf"(?<![a-z]){re.escape(wanted)}(?![a-z])", raw) is not None
    at = text.find(wanted)
    while at >= 0:
        before, after = text[:at][-1:], text[at + len(wanted) : at + len(wanted) + 1]
        runs_on = (wanted[0].isdigit() and before.isdigit()) or (wanted[-1].isdigit() and after.isdigit())
        if not runs_on:
            return True
        at = text.find(wanted, at + 1)
    return False


def overlaps(quote: str, evidence: str) -> bool:
    """Whether a quote and an evidence text are about the same place.

    One holds the other, or they share a run of `SHARED_RUN` characters (of the whole evidence where that is
    shorter). A quote under `SHORTEST_QUOTE` characters overlaps nothing.
    """
    a, b = fold(quote), fold(evidence)
    if len(a) < SHORTEST_QUOTE or not b:
        return False
    if a in b or b in a:
        return True
    size = min(SHARED_RUN, len(b))
    return any(b[i : i + size] in a for i in range(len(b) - size + 1))


def find_span(text: str, quote: str) -> tuple[int, int] | None:
    """Offsets of the first place of `text` that reads like `quote` (both folded), or None."""
    wanted = fold_characters(quote)[0]
    if not wanted:
        return None
    folded, origins = fold_characters(text)
    at = folded.find(wanted)
    if at < 0:
        return None
    return origins[at], origins[at + len(wanted) - 1] + 1


def fold_characters(text: str) -> tuple[str, list[int]]:
    """`text` folded one character at a time, and for each folded character the offset it came from.

    Differs from `fold` only where several characters compose into one ("e" + accent), so both sides of a
    comparison must be folded the same way.
    """
    folded: list[str] = []
    origins: list[int] = []
    for offset, character in enumerate(text):
        for piece in _IGNORED.sub("", unicodedata.normalize("NFKC", character).lower()):
            folded.append(piece)
            origins.append(offset)
    return "".join(folded), origins
