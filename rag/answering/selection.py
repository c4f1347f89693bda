"""A reading -> the quotes to show: which sentences, how much of each, and who else says the same."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Sequence
from dataclasses import replace
from typing import Final

import numpy as np

from rag.answering.composition import Quote, trim
from rag.answering.reader import Reading, ScoredSentence
from rag.answering.reader_features import Candidate
from rag.answering.reader_text import fold_keep
from rag.sentences import sentence_spans
from rag.tokens import is_chinese
from rag.types import Article

Span = tuple[int, int]

SURE: Final = 0.7
"""Share of the best sentence from which it stands alone."""
SECOND: Final = 0.06
"""Least share of a second sentence."""
_LEAST_ROOM: Final = 50
"""Characters below which a second sentence is not cut."""
_LEAST_RIVAL: Final = 0.15
"""Least share of a second sentence for each share of the first."""
READABLE: Final = 120
"""Chinese characters to which a sentence is trimmed when the answer inside it is known."""
READABLE_LATIN: Final = 190
"""The same for text in letters, which takes more of them to say as much."""
_RIVAL: Final = 0.2
"""Least share of a sentence that gives another figure."""
_AS_MUCH: Final = 0.85
"""Part of the question's words that a second source must hold, compared with the first."""
_MOST_CORROBORATING: Final = 2
_FIGURE: Final = "0123456789.,万亿千百余多"
_LEAST_GAIN: Final = 0.08
"""Least part of the question that one more sentence must add, for questions about several things."""
_GAIN_WEIGHT: Final = 10.0
_MOST_FOR_SEVERAL: Final = 4
_SHORT_LINE: Final = 24
_WIDENED: Final = 90
_CLOSED: Final = "。！？!?；;…”』」.）)"


def choose_one(reading: Reading, budget: int, readable: int = READABLE) -> list[Quote]:
    """The best sentence, and one more of the same story when the reader is not sure; at most `budget` characters.

    Sentences over `readable` characters are trimmed around their answer.
    """
    if not reading.sentences:
        return []
    best = reading.sentences[0]
    quotes = [quote_of(best.candidate, budget, readable)]
    others = reading.sentences[1:]
    lacks = best.share >= SURE and best.candidate.answer is None and any(s.candidate.answer for s in others)
    if best.share < SURE or lacks:
        left = budget - len(quotes[0].text)
        other = _second(others, best, left, needs_answer=lacks)
        if other is not None:
            quotes.append(quote_of(other.candidate, left))
    return _in_story_order(quotes)


def conflicting(reading: Reading, budget: int) -> list[Quote]:
    """Two stories that give different figures for the same: both, the latest first; empty when there are none."""
    if len(reading.sentences) < 2:
        return []
    best = reading.sentences[0].candidate
    for other in reading.sentences[1:4]:
        if other.share >= _RIVAL and _rivals(best, other.candidate):
            pair = sorted((best, other.candidate), key=lambda c: c.hit.article.date or dt.date.min, reverse=True)
            return [quote_of(candidate, budget // 2) for candidate in pair]
    return []


def corroborating(quote: Quote, reading: Reading) -> Quote:
    """`quote` with the sentences of other articles that give the same answer to as much of the question."""
    if quote.answer is None:
        return quote
    answer = quote.article.text[slice(*quote.answer)]
    best = next((s.candidate for s in reading.sentences if _inside(s.candidate, quote)), None)
    if best is None or len(answer) < 3:
        return quote
    also: dict[str, tuple[Article, int, int]] = {}
    for scored in reading.sentences[1:10]:
        candidate = scored.candidate
        article = candidate.hit.article
        agrees = answer in candidate.text and sum(candidate.covers) >= _AS_MUCH * sum(best.covers)
        if agrees and scored.share >= SECOND and article.id not in {quote.article.id, *also}:
            also[article.id] = (article, *trim(article, candidate.start, candidate.end, candidate.answer, READABLE))
    return replace(quote, also=tuple(also.values())[:_MOST_CORROBORATING])


def _rivals(a: Candidate, b: Candidate) -> bool:
    """Whether two sentences of two stories answer the same with different figures of one unit."""
    if a.hit.article.id == b.hit.article.id or not a.answer or not b.answer:
        return False
    first, second = (fold_keep(c.hit.article.text[slice(*c.answer)]) for c in (a, b) if c.answer)
    if not (first[0].isdigit() and second[0].isdigit()) or first in fold_keep(b.text) or second in fold_keep(a.text):
        return False
    if not _scopes(a) <= _scopes(b) and not _scopes(b) <= _scopes(a):
        return False  # the canteens of one district and of the whole city
    same_unit = first.lstrip(_FIGURE) == second.lstrip(_FIGURE)
    return same_unit and sum(b.covers) >= _AS_MUCH * sum(a.covers)


_SCOPE = re.compile(r"[全本我](?=[市区县省国])(.)|([一-鿿]{2}[区县])(?!域|别|级|委|政|分)")


def _scopes(candidate: Candidate) -> set[str]:
    """The districts that a sentence speaks of, or the level (全市) at which it counts."""
    return {level or area for level, area in _SCOPE.findall(candidate.text)}


def _inside(candidate: Candidate, quote: Quote) -> bool:
    same = candidate.hit.article.id == quote.article.id
    return same and candidate.start <= quote.start and quote.start < candidate.end


def choose_several(reading: Reading, budget: int) -> list[Quote]:
    """Sentences that together hold the most of the question, the likeliest first; at most `budget` characters."""
    if not reading.sentences:
        return []
    best = reading.sentences[0]
    chosen = [best]
    quotes = [quote_of(best.candidate, budget)]
    pool = [s for s in reading.sentences[1:40] if s.share > 1e-4]
    while pool and len(chosen) < _MOST_FOR_SEVERAL:
        covered = np.maximum.reduce([np.array(s.candidate.covers) for s in chosen])
        gains = [float(np.maximum(np.array(s.candidate.covers) - covered, 0).sum()) for s in pool]
        values = [np.log(s.share) + _GAIN_WEIGHT * gain for s, gain in zip(pool, gains, strict=True)]
        at = int(np.argmax(values))
        taken, gain = pool.pop(at), gains[at]
        left = budget - sum(len(q.text) for q in quotes)
        if gain < _LEAST_GAIN:
            continue
        if min(len(taken.candidate.text), READABLE) > left:
            continue
        chosen.append(taken)
        quotes.append(quote_of(taken.candidate, left))
    return quotes


def quote_of(candidate: Candidate, limit: int, readable: int = READABLE) -> Quote:
    """The sentence, trimmed around its answer when it is long, joined with its lines when it is a short one."""
    article = candidate.hit.article
    if candidate.answer:
        limit = min(limit, readable if is_chinese(candidate.text) else max(readable, READABLE_LATIN))
    start, end = _widen(article, candidate, limit)
    start, end = trim(article, start, end, candidate.answer or candidate.focus, limit)
    return Quote(article, start, end, candidate.answer)


def _second(
    others: Sequence[ScoredSentence], best: ScoredSentence, room: int, *, needs_answer: bool
) -> ScoredSentence | None:
    """The likeliest other sentence of the same article that fits and, if needed, holds something of the asked kind."""
    for other in others:
        if other.share < max(SECOND, _LEAST_RIVAL * best.share):
            return None
        if needs_answer and not other.candidate.answer:
            continue
        same = other.candidate.hit.article.id == best.candidate.hit.article.id
        if same and room >= min(len(other.candidate.text), _LEAST_ROOM):
            return other
    return None


def _widen(article: Article, candidate: Candidate, limit: int) -> Span:
    """A short line without an end (a list, a poem, a table) together with the lines around it."""
    start, end = candidate.start, candidate.end
    if end - start > _SHORT_LINE or article.text[end - 1] in _CLOSED:
        return start, end
    passage = candidate.hit.passage
    lines = sentence_spans(article.text, passage.start, passage.end)
    at = next((i for i, (a, _) in enumerate(lines) if a == start), None)
    if at is None:
        return start, end
    most = min(limit, _WIDENED)
    last = at
    while (
        last + 1 < len(lines) and lines[last + 1][1] - start <= most and article.text[lines[last][1] - 1] not in _CLOSED
    ):
        last += 1
    return start, lines[last][1]


def _in_story_order(quotes: list[Quote]) -> list[Quote]:
    """Two neighbouring sentences as the story tells them."""
    if len(quotes) == 2 and quotes[1].end <= quotes[0].start and quotes[0].start - quotes[1].end < 3:
        return quotes[::-1]
    return quotes
