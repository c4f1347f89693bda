"""The article that a conversation is about: found by what was said last, favoured while the talk goes on about it."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence, Set
from functools import lru_cache
from typing import Final

from rag.answering.question_type import profile
from rag.lexicon import is_stopword
from rag.references import Reference
from rag.retriever import Retriever
from rag.subjects import asks_attribute
from rag.tokens import tokenize
from rag.types import Filters, Hit, Question

_KNOWN: Final = 8
"""Passages read to find the article talked about."""
_LEAST_HELD: Final = 0.4
"""Share of the words said that an article must hold to be the one talked about."""
_AS_GOOD: Final = 0.9
"""Share of the words held by the best article that another one (the same story in another paper) must hold."""
_MOST_ARTICLES: Final = 2
_DEEP: Final = 100
"""Hits among which passages of that article are looked for."""
_BEHIND: Final = 3.0
"""How far the article talked about may stay behind the best one for a short question that still means it, in the
log-odds of fitted fusion (`rag.fusion`); reciprocal rank fusion never reaches it."""
_BEHIND_FEW: Final = 0.4
"""The same for a question of few words, which are found in many places: a share of the best score."""
_CHANGES_SUBJECT: Final = 0.34
"""How much more of a short question another article must hold than the one talked about."""
_MANY_WORDS: Final = 5
"""Fewer say little of what a question is about."""
_MOST_FAVOURED: Final = 6
"""Passages of the article talked about that are put first."""
_REMEMBERED: Final = 256
"""Questions and answers whose article is remembered: a conversation asks for the same ones at each turn."""


class Attention:
    """Tells which articles a conversation is about, and whether a question still is."""

    def __init__(self, retriever: Retriever) -> None:
        self._retriever = retriever
        self._about = lru_cache(_REMEMBERED)(self._articles)
        self._kept = lru_cache(_REMEMBERED)(self._goes_on)

    def stays(self, said: str, question: str, reference: Reference) -> bool:
        """Whether a question that does not say so itself goes on about what was said.

        A short one does unless another article is clearly nearer to it; a longer one only when it finds the article
        talked about before any other.
        """
        return self._kept(said, question, reference)

    def favour(self, hits: Sequence[Hit], said: str, asked: Question, filters: Filters) -> list[Hit]:
        """`hits` with the passages of the article talked about first, as many hits as before."""
        about = self._about(said)
        if not about:
            return list(hits)
        found: dict[tuple[str, int], Hit] = {}
        for text in dict.fromkeys((asked.standalone, asked.text)):
            for hit in self._retriever.retrieve(text, k=_DEEP, filters=filters):
                if hit.article.id in about:
                    found.setdefault((hit.article.id, hit.passage.start), hit)
        first = sorted(found.values(), key=lambda hit: -hit.score)[:_MOST_FAVOURED]
        taken = {(hit.article.id, hit.passage.start) for hit in first}
        others = [hit for hit in hits if (hit.article.id, hit.passage.start) not in taken]
        return _ranked(first, others)[: max(len(hits), len(first))]

    def _articles(self, said: str) -> frozenset[str]:
        """Ids of the articles that `said` is about; empty when none stands out."""
        hits = self._retriever.retrieve(said, k=_KNOWN)
        words = frozenset(tokenize(said))
        shares = {hit.article.id: held(words, [hit]) for hit in reversed(hits)}
        if not hits or shares[hits[0].article.id] < _LEAST_HELD:
            return frozenset()
        ranked = list(dict.fromkeys(hit.article.id for hit in hits))
        least = _AS_GOOD * shares[ranked[0]]
        return frozenset([i for i in ranked if shares[i] >= least][:_MOST_ARTICLES])

    def _goes_on(self, said: str, question: str, reference: Reference) -> bool:
        about = self._about(said)
        own = self._retriever.retrieve(question, k=_DEEP)
        if reference is Reference.OPEN:
            return bool(own) and own[0].article.id in about
        words = content_words(question)
        if not own or len(words) < 2:
            return True
        talked = [hit for hit in own if hit.article.id in about]
        known = talked or self._retriever.retrieve(said, k=1)
        if asks_attribute(question):
            elsewhere = max(held(words, [hit]) for hit in own[:_KNOWN])
            return elsewhere - held(words, known) < _CHANGES_SUBJECT
        held_worse = held(words, own[:1]) - held(words, known) >= _CHANGES_SUBJECT
        behind = own[0].score - talked[0].score if talked else float("inf")
        if len(words) < _MANY_WORDS:
            return not (held_worse and behind > _BEHIND_FEW * own[0].score)
        return not (held_worse or behind > _BEHIND)


def content_words(question: str) -> frozenset[str]:
    """The words of `question` without its asking words, single characters and English function words."""
    text = question
    for start, end in reversed(profile(question).asking):
        text = f"{text[:start]} {text[end:]}"
    return frozenset(token for token in tokenize(text) if len(token) > 1 and not is_stopword(token))


def held(words: Set[str], hits: Sequence[Hit]) -> float:
    """Largest share of `words` that the article of one of `hits` holds, in [0, 1]."""
    texts = {hit.article.id: f"{hit.article.title}\n{hit.article.text}" for hit in hits}
    return max((len(words & set(tokenize(text))) / len(words) for text in texts.values() if words), default=0.0)


def _ranked(first: Sequence[Hit], others: Sequence[Hit]) -> list[Hit]:
    """One list, ranked anew; the scores of `first` keep their distances and lie above the others."""
    lift = 0.0
    if first and others:
        lift = max(0.0, max(hit.score for hit in others) - min(hit.score for hit in first))
    lifted = [dataclasses.replace(hit, score=hit.score + lift) for hit in first]
    return [dataclasses.replace(hit, rank=rank) for rank, hit in enumerate([*lifted, *others], start=1)]
