"""Question + hits -> the articles that belong to its subject, the surest first.

An article belongs where it holds the telling words of the question in its headline and beginning or again and again,
about as well as the best one does, and where the search puts it; and where it tells the same story as one of these.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from rag.boilerplate import content_span
from rag.dates import find_dates
from rag.expansion import QueryExpander
from rag.overview.terms import Vector, Weights, likeness, terms_of
from rag.sentences import sentence_spans
from rag.types import Article, Hit, Question

_LEAD: Final = 160
"""Characters of the body that say what an article is about, at most."""
_OFTEN: Final = {1: 0.3, 2: 0.6, 3: 0.8}
"""How much a term counts that stands so often in an article, but not in its headline or first sentence."""
_OFTENER: Final = 0.9
_IN_LEAD: Final = 0.15
"""What it gains where it stands further on in the lead."""
_WORDS_COUNT: Final = 0.7
"""How much the words count against the place in the search. Less for an English question with words that neither
stand in the articles nor have a translation there: what they name is found by its meaning only."""
BELONGS: Final = 0.64
"""Least strength of an article against the best one."""
_SAME_EVENT: Final = 0.3
"""Least likeness to a sure article."""
_HALF_AS_SURE: Final = 0.35
_LEAST_HELD: Final = 0.4
"""Share of the question's telling words that the best article must hold: else the library has nothing about it."""
_ASKING: Final = re.compile(
    r"请(?:你|帮我|给我)?|帮我|给我|麻烦|能不能|可以|关于|有关|相关|对于|至于|有哪些|有什么|都有|哪些|什么|怎么样?|如何|为何|是?怎么回事|来龙去脉|前因后果|前后|始末"
    r"|经过|过程|时间线|进展|发展|梳理|整理|汇总|总结|概括|概述|介绍|说说|讲讲|谈谈|聊聊|一下|情况|全部|所有|一些|各地|最近|近期|目前|最新|新闻|消息|报道|文章"
    r"|资讯|动态|说了|怎么说|提到|内容|看看|了解|知道|告诉我?|发生了?|事件|[的了吗呢吧啊呀么是和与及]"
    r"|\b(?:please|can|could|you|give|show|me|tell|about|what|which|who|how|did|do|does|is|are|was|were|has|have|had|been"
    r"|the|a|an|of|on|in|to|for|with|and|any|all|there|it|its|articles?|news|reports?|reported|stor(?:y|ies)|say|says|said"
    r"|summary|summari[sz]e|overview|timeline|chronology|course|events?|develop(?:ed|ments?)?|unfold(?:ed)?|happen(?:ed|ing)?"
    r"|latest|recent(?:ly)?|everything|know|write|through|over|time|up|so|far|'s)\b|'s",
    re.IGNORECASE,
)
"""What only asks: it says nothing of the subject."""


@dataclass(frozen=True, slots=True)
class Belonging:
    """An article of the subject and how surely it belongs, in (0, 1]."""

    article: Article
    strength: float


@dataclass(frozen=True, slots=True)
class Subject:
    """What a question is about, as the found articles tell it."""

    terms: Mapping[str, float]
    """The question's telling terms with their weights; Chinese ones for an English question where it has any."""
    belonging: tuple[Belonging, ...]
    """Best first; empty when the library has nothing about it."""
    weights: Weights


def find_subject(question: Question, hits: Sequence[Hit], expander: QueryExpander | None = None) -> Subject:
    """The subject of `question` over the articles of `hits`; those printed after it was asked are left out."""
    found: dict[str, tuple[Article, float]] = {}
    for hit in hits:
        if not (hit.article.date and hit.article.date > question.as_of):
            found.setdefault(hit.article.id, (hit.article, hit.score))
    articles = [article for article, _ in found.values()]
    terms = {article.id: terms_of(f"{article.title}\n{article.text}") for article in articles}
    weights = Weights(terms.values())
    asked, known = _asked(question, weights, expander)
    if not articles or not asked:
        return Subject({}, (), weights)
    own = {a.id: _strength(a, Counter(terms[a.id]), asked) for a in articles}
    most = max(own.values())
    total = sum(max(options.values()) for options in asked)
    if most < _LEAST_HELD * total:
        return Subject({}, (), weights)
    scores = [score for _, score in found.values()]
    low, spread = min(scores), max(scores) - min(scores)
    words = _WORDS_COUNT * (known * known if question.language == "en" else 1.0)
    strength = {
        article.id: words * own[article.id] / most + (1 - words) * ((score - low) / spread if spread else 1.0)
        for article, score in found.values()
    }
    best = max(strength.values())
    strength = {key: value / best for key, value in strength.items()}
    sure = [article for article in articles if strength[article.id] >= BELONGS]
    vectors = {article.id: weights.vector(terms[article.id]) for article in articles}
    kept = [a for a in articles if strength[a.id] >= BELONGS or _same_event(a, strength[a.id], sure, vectors)]
    kept.sort(key=lambda article: -strength[article.id])
    flat = {term: value for options in asked for term, value in options.items()}
    return Subject(flat, tuple(Belonging(a, strength[a.id]) for a in kept), weights)


def _same_event(article: Article, strength: float, sure: Sequence[Article], vectors: Mapping[str, Vector]) -> bool:
    if strength < _HALF_AS_SURE:
        return False
    return max((likeness(vectors[article.id], vectors[other.id]) for other in sure), default=0.0) >= _SAME_EVENT


def _asked(
    question: Question, weights: Weights, expander: QueryExpander | None
) -> tuple[list[dict[str, float]], float]:
    """What the question names (for each term the ways to write it, with their weights), and the share known here.

    Chinese terms that stand in no article at all still count, so that an unknown name is noticed.
    """
    text = question.standalone
    for mention in reversed(find_dates(text, question.as_of)):
        text = f"{text[: mention.start]} {text[mention.end :]}"
    text = _ASKING.sub(" ", text)
    asked: list[dict[str, float]] = []
    for term, weight in _own_weights(terms_of(text), weights).items():
        options = {term: weight}
        if expander is not None and term.isascii() and term.isalpha():
            word = term.capitalize() if term.capitalize() in question.standalone else term
            options |= {other: share * weights[other] for other, share in expander.expand(word).items()}
        asked.append(options)
    known = [max(options.values()) for options in asked if max(options.values()) > 0]
    if not known:
        return [], 0.0
    unknown = _UNKNOWN * sum(known) / len(known)
    return [o if max(o.values()) > 0 else dict.fromkeys(o, unknown) for o in asked], len(known) / len(asked)


_UNKNOWN: Final = 0.5
"""What a term that no article holds counts against the mean of the others: many only join two words (国和)."""


def _own_weights(terms: Sequence[str], weights: Weights) -> dict[str, float]:
    """The weight of each term; a pair of characters weighs no more than the two that it overlaps do on average.

    A pair that only joins two words (豹汽 in 方程豹汽车) is rarer than either, and tells less.
    """
    own: dict[str, float] = {}
    for i, term in enumerate(terms):
        weight = weights[term]
        if 0 < i < len(terms) - 1 and terms[i - 1][-1] == term[0] and term[-1] == terms[i + 1][0] and len(term) == 2:
            weight = min(weight, (weights[terms[i - 1]] + weights[terms[i + 1]]) / 2)
        own[term] = max(weight, own.get(term, 0.0))
    return own


def _strength(article: Article, counts: Counter[str], asked: Sequence[Mapping[str, float]]) -> float:
    """Summed weight of what is asked for, as far as the article holds it."""
    start, _ = content_span(article.text, article.body_start)
    lead = article.text[start : start + _LEAD]
    first = sentence_spans(lead)[:1]
    early = set(terms_of(lead))
    head = set(terms_of("\n".join([article.title, *(lead[a:b] for a, b in first)])))

    def held(term: str) -> float:
        if term in head:
            return 1.0
        often = _OFTEN.get(counts[term], _OFTENER) if counts[term] else 0.0
        return min(_OFTENER, often + _IN_LEAD * (term in early))

    return sum(max(value * held(term) for term, value in options.items()) for options in asked)
