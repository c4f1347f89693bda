"""Text as the word table compares it: folding that keeps offsets, terms with positions."""

from __future__ import annotations

import re
from dataclasses import dataclass

from rag.tokens import fold

Span = tuple[int, int]


class _KeepLength(dict[int, str]):
    """Character -> its folded form where that is one character, else the character itself."""

    def __missing__(self, code: int) -> str:
        char = chr(code)
        folded = fold(char)
        value = folded if len(folded) == 1 else char
        self[code] = value
        return value


_KEEP_LENGTH = _KeepLength()


def fold_keep(text: str) -> str:
    """`text` with width, case and script folded character by character: offsets stay valid."""
    return text.translate(_KEEP_LENGTH)


@dataclass(frozen=True, slots=True)
class Term:
    """A unit of comparison with its place in a folded text."""

    text: str
    start: int
    end: int


_HAN_RUN = re.compile(r"[㐀-䶿一-鿿]+")
_WORD = re.compile(r"(\d+(?:[.,]\d+)*)|[a-z][a-z0-9]*(?:['’.-][a-z0-9]+)*")


def terms(folded: str) -> list[Term]:
    """Terms of a folded text, in order: Chinese character bigrams, single characters, numbers, words."""
    found = words(folded)
    for match in _HAN_RUN.finditer(folded):
        run, start = match.group(), match.start()
        found += [Term(run[i : i + 2], start + i, start + i + 2) for i in range(len(run) - 1)]
        found += [Term(char, start + i, start + i + 1) for i, char in enumerate(run)]
    return sorted(found, key=lambda term: (term.start, -term.end))


def words(folded: str) -> list[Term]:
    """Numbers and Latin words of a folded text, in order; 20,260 equals 20260."""
    return [
        Term(re.sub(r",(?=\d{3}(?!\d))", "", m.group()) if m.group(1) else m.group(), m.start(), m.end())
        for m in _WORD.finditer(folded)
    ]
