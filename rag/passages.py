"""Article -> passages: whole sentences, packed to a readable length, with exact character offsets.

Sentences come from `rag.sentences`; what is too long for one passage is cut by langchain-text-splitters at
clauses, then anywhere. The splitter runs without overlap, because its start offsets are exact only then;
the overlap is made of whole sentences afterwards.
"""

from __future__ import annotations

import math
from functools import lru_cache
from typing import TYPE_CHECKING

from rag.config import PassageSettings
from rag.dates import format_date
from rag.sentences import Span, sentence_spans
from rag.tokens import detect_language
from rag.types import Article, Passage

if TYPE_CHECKING:
    from langchain_text_splitters import RecursiveCharacterTextSplitter

_CLOSERS = "”’」』）)】》〉\"'"
_CLAUSE_SEPARATORS = [rf"[；;][{_CLOSERS}]*", r"[，,](?!\d)|[、：:](?!\d)|——", r"\s+", ""]


def split_article(article: Article, settings: PassageSettings) -> list[Passage]:
    """Passages of `article` in order; together they cover every sentence of it.

    A passage is at most `settings.size` characters long, begins and ends at sentence borders (unless a single
    sentence is longer than that) and repeats up to `settings.overlap` sentences of the one before, as far as
    they fit. `article.text[p.start:p.end] == p.text` for each.
    """
    units = _units(article.text, settings.size)
    windows = _pack(units, settings.size, settings.overlap)
    return [Passage(article.id, start, end, article.text[start:end]) for start, end in windows]


def context_line(article: Article) -> str:
    """Title, subtitle and date of `article`, as far as it has them: what a passage is about when read alone."""
    return "\n".join(_context_parts(article))


def indexed_text(article: Article, passage: Passage) -> str:
    """What is embedded and searched for `passage`: its context, then its text.

    A headline that the passage holds itself is not said twice.
    """
    parts = [part for part in _context_parts(article) if part not in passage.text]
    return "\n".join([*parts, passage.text])


def _context_parts(article: Article) -> list[str]:
    parts = [" ".join(part.split()) for part in (article.title, article.subtitle) if part]
    if article.date:
        # Written as the article's language writes it, so that the words of a question match.
        parts.append(format_date(article.date, article.date, detect_language(article.title or article.text[:200])))
    return [part for part in parts if part]


def _units(text: str, size: int) -> list[Span]:
    """Sentences of `text`; those longer than `size` in pieces that fit."""
    units: list[Span] = []
    for start, end in sentence_spans(text):
        if end - start <= size:
            units.append((start, end))
        else:
            units.extend(_cut(text, start, end, size))
    return units


def _cut(text: str, start: int, end: int, size: int) -> list[Span]:
    spans: list[Span] = []
    for piece in _splitter(size).create_documents([text[start:end]]):
        words = piece.page_content
        begin = start + piece.metadata["start_index"] + len(words) - len(words.lstrip())
        if words.strip():
            spans.append((begin, begin + len(words.strip())))
    return spans


@lru_cache(maxsize=4)
def _splitter(size: int) -> RecursiveCharacterTextSplitter:
    from langchain_text_splitters import RecursiveCharacterTextSplitter

    return RecursiveCharacterTextSplitter(
        separators=_CLAUSE_SEPARATORS,
        is_separator_regex=True,
        keep_separator="end",
        chunk_size=size,
        chunk_overlap=0,
        length_function=len,
        add_start_index=True,
    )


def _pack(units: list[Span], size: int, overlap: int) -> list[Span]:
    """Runs of neighbouring units, each at most `size` characters from first to last."""
    if not units:
        return []
    # Aim at equal lengths, so that an article of one and a bit passages does not end in a scrap.
    length = units[-1][1] - units[0][0]
    target = length / math.ceil(length / size)
    windows: list[Span] = []
    first = 0
    while first < len(units):
        begin = _with_overlap(units, first, size, overlap) if windows else units[first][0]
        last = first
        while last + 1 < len(units) and _grows(begin, units[last][1], units[last + 1][1], size, target):
            last += 1
        windows.append((begin, units[last][1]))
        first = last + 1
    return windows


def _grows(begin: int, end: int, next_end: int, size: int, target: float) -> bool:
    """Whether a window takes the next unit: it fits, and brings the window nearer to the target length."""
    return next_end - begin <= size and abs(next_end - begin - target) <= abs(end - begin - target)


def _with_overlap(units: list[Span], first: int, size: int, overlap: int) -> int:
    """Where a window that starts with unit `first` begins, with the sentences it shares with the one before."""
    begin = units[first][0]
    for unit in reversed(units[max(0, first - overlap) : first]):
        if units[first][1] - unit[0] > size:
            break
        begin = unit[0]
    return begin
