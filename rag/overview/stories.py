"""Articles -> stories: reprints of one text, whole or shortened, are one story."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from rag.boilerplate import is_boilerplate
from rag.sentences import sentence_spans
from rag.tokens import tokenize
from rag.types import Article

SHINGLE: Final = 6
"""Tokens that follow each other; six Chinese bigrams are seven characters."""
SAME_STORY: Final = 0.5
"""Share of the shorter text's shingles that a reprint holds."""


@dataclass(frozen=True, slots=True)
class Story:
    """One text and its reprints: the earliest and longest first."""

    articles: tuple[Article, ...]

    @property
    def lead(self) -> Article:
        """The one that is quoted."""
        return self.articles[0]

    @property
    def day(self) -> dt.date | None:
        """When it was first printed; None where no article says."""
        return min((article.date for article in self.articles if article.date), default=None)


def stories_of(articles: Sequence[Article]) -> list[Story]:
    """`articles` with reprints put together, in the order of each story's first article."""
    shingles = [_shingles(article) for article in articles]
    group = list(range(len(articles)))
    for i in range(len(articles)):
        for j in range(i):
            if group[i] != group[j] and _held(shingles[i], shingles[j]) >= SAME_STORY:
                old, new = max(group[i], group[j]), min(group[i], group[j])
                group = [new if g == old else g for g in group]
    return [
        Story(tuple(sorted((a for a, g in zip(articles, group, strict=True) if g == first), key=_first_printed)))
        for first in dict.fromkeys(group)
    ]


def _first_printed(article: Article) -> tuple[dt.date, int, str]:
    return article.date or dt.date.max, -len(article.text), article.id


def _held(a: frozenset[int], b: frozenset[int]) -> float:
    return len(a & b) / min(len(a), len(b)) if a and b else 0.0


def _shingles(article: Article) -> frozenset[int]:
    """Hashes of the runs of SHINGLE tokens of the article's content."""
    text = article.text
    content = [text[s:e] for s, e in sentence_spans(text, article.body_start) if not is_boilerplate(text[s:e])]
    tokens = tokenize("\n".join(content))
    return frozenset(hash(tuple(tokens[i : i + SHINGLE])) for i in range(max(1, len(tokens) - SHINGLE + 1)))
