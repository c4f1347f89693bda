"""How telling the words of some articles are, counted over these articles, and how alike two texts are."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from rag.lexicon import is_stopword
from rag.tokens import tokenize

Vector = Mapping[str, float]
"""Term -> weight, of unit length."""


def terms_of(text: str) -> list[str]:
    """The terms of `text` in order: Chinese bigrams, words and figures; no English function words."""
    return [t for t in tokenize(text) if (len(t) > 1 or (t.isascii() and t.isalpha())) and not is_stopword(t)]


class Weights:
    """Inverse document frequencies over the articles at hand: what nearly all of them hold tells nothing."""

    def __init__(self, articles: Iterable[Sequence[str]]) -> None:
        """:param articles: the terms of each article."""
        self._counts: Counter[str] = Counter()
        self._total = 0
        for terms in articles:
            self._counts.update(set(terms))
            self._total += 1

    def __getitem__(self, term: str) -> float:
        """0 for a term of no article, else more than 0."""
        count = self._counts[term]
        return math.log(1 + self._total / count) if count else 0.0

    def vector(self, terms: Iterable[str]) -> Vector:
        """The terms with damped counts, weighted, of unit length; empty for none."""
        weighted = {term: (1 + math.log(n)) * self[term] for term, n in Counter(terms).items()}
        length = math.sqrt(sum(value * value for value in weighted.values()))
        return {term: value / length for term, value in weighted.items() if value} if length else {}


def likeness(a: Vector, b: Vector) -> float:
    """Cosine of two vectors, in [0, 1]."""
    if len(a) > len(b):
        a, b = b, a
    return sum(value * b[term] for term, value in a.items() if term in b)


def centre(vectors: Sequence[Vector]) -> Vector:
    """The mean of `vectors`, scaled to unit length; empty for none."""
    summed: dict[str, float] = {}
    for vector in vectors:
        for term, value in vector.items():
            summed[term] = summed.get(term, 0.0) + value
    length = math.sqrt(sum(value * value for value in summed.values()))
    return {term: value / length for term, value in summed.items()} if length else {}
