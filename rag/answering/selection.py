"""Evidence -> the quotes to show: which sentences, how much of each, and who else says the same."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from rag.answering.composition import Quote, trim
from rag.answering.evidence import Evidence
from rag.boilerplate import content_span
from rag.numbers import Number, find_numbers
from rag.sentences import sentence_spans
from rag.tokens import is_chinese
from rag.types import Article

Span = tuple[int, int]

READABLE: Final = 120
"""Chinese characters to which a sentence is trimmed around its answer."""
READABLE_LATIN: Final = 190
"""The same for text in letters, which takes more of them to say as much."""
LIKELY: Final = 0.0
"""Logit of a sentence from which it counts as evidence of its own."""
CLOSE: Final = 1.0
"""Logits by which a second sentence may stay behind the first to be shown beside it."""
AGREES: Final = 2.5
"""Logits by which a sentence of another article with the same answer may stay behind."""
MOST_FOR_SEVERAL: Final = 5
_LEAST_ROOM: Final = 50
"""Characters below which a second sentence is not cut."""
_MOST_CORROBORATING: Final = 2
_SHORT_LINE: Final = 24
_WIDENED: Final = 90
_CLOSED: Final = "。！？!?；;…”』」.）)"


def choose_one(evidence: Sequence[Evidence], budget: int) -> list[Quote]:
    """The best sentence, and one more of the same story where it is nearly as likely; at most `budget` characters."""
    best = evidence[0]
    quotes = [quote_of(best, budget)]
    left = budget - len(quotes[0].text)
    for other in evidence[1:4]:
        near = best.score - other.score <= CLOSE and other.sentence_logit > LIKELY
        if near and other.article.id == best.article.id and left >= min(len(other.text), _LEAST_ROOM):
            quotes.append(quote_of(other, left))
            break
    return _in_story_order(quotes)


def choose_several(evidence: Sequence[Evidence], budget: int) -> list[Quote]:
    """Every sentence that is likely evidence, as far as they fit `budget` characters, in the order of the stories."""
    chosen: list[Quote] = []
    said: list[str] = []
    for found in evidence:
        if chosen and found.sentence_logit <= LIKELY or len(chosen) == MOST_FOR_SEVERAL:
            break
        quote = quote_of(found, budget)
        left = budget - sum(len(q.text) for q in chosen)
        repeats = any(quote.text in text or text in quote.text for text in said)
        if repeats or (chosen and len(quote.text) > left):
            continue
        chosen.append(quote)
        said.append(quote.text)
    first_of = {q.article.id: i for i, q in reversed(list(enumerate(chosen)))}
    return sorted(chosen, key=lambda q: (first_of[q.article.id], q.start))


def conflicting(evidence: Sequence[Evidence], budget: int) -> list[Quote]:
    """Two stories that give different figures of one unit for the same: both, the latest first; else nothing."""
    best = evidence[0]
    for other in evidence[1:4]:
        if other.sentence_logit > LIKELY and best.score - other.score <= AGREES and _rivals(best, other):
            pair = sorted((best, other), key=lambda e: e.article.date or dt.date.min, reverse=True)
            return [quote_of(e, budget // 2) for e in pair]
    return []


def corroborated(quote: Quote, evidence: Sequence[Evidence]) -> Quote:
    """`quote` with the likely sentences of other articles that hold the same answer."""
    answer = quote.article.text[slice(*quote.answer)] if quote.answer else ""
    best = evidence[0]
    if len(answer) < 2:
        return quote
    also: dict[str, tuple[Article, int, int]] = {}
    for other in evidence[1:10]:
        agrees = answer in other.text and best.score - other.score <= AGREES and other.sentence_logit > LIKELY
        if agrees and other.article.id not in {quote.article.id, *also}:
            also[other.article.id] = (
                other.article,
                *trim(other.article, other.start, other.end, other.answer, READABLE),
            )
    return replace(quote, also=tuple(also.values())[:_MOST_CORROBORATING])


def quote_of(evidence: Evidence, limit: int) -> Quote:
    """The sentence, trimmed around its answer when it is long, joined with its lines when it is a short one."""
    limit = min(limit, READABLE if is_chinese(evidence.text) else READABLE_LATIN)
    start, end = _widen(evidence, limit)
    content = content_span(evidence.article.text, start, end)
    if content[0] <= evidence.answer[0] and evidence.answer[1] <= content[1]:
        start, end = content
    start, end = trim(evidence.article, start, end, evidence.answer, limit)
    inside = start <= evidence.answer[0] and evidence.answer[1] <= end
    whole = evidence.answer == (evidence.start, evidence.end)
    return Quote(evidence.article, start, end, evidence.answer if inside and not whole else None)


def _rivals(a: Evidence, b: Evidence) -> bool:
    """Whether the answers of two stories are figures that cannot both be right."""
    if a.article.id == b.article.id:
        return False
    first, second = _only_number(a), _only_number(b)
    if first is None or second is None or first.unit != second.unit or first.value == second.value:
        return False
    return not any(n.value == first.value for n in find_numbers(b.text))


def _only_number(evidence: Evidence) -> Number | None:
    numbers = find_numbers(evidence.article.text[slice(*evidence.answer)])
    return numbers[0] if len(numbers) == 1 else None


def _widen(evidence: Evidence, limit: int) -> Span:
    """A short line without an end (a list, a poem, a table) together with the lines below it."""
    article, start, end = evidence.article, evidence.start, evidence.end
    if end - start > _SHORT_LINE or article.text[end - 1] in _CLOSED:
        return start, end
    passage = evidence.hit.passage
    lines = sentence_spans(article.text, passage.start, passage.end)
    last = next((i for i, (begin, _) in enumerate(lines) if begin == start), None)
    if last is None:
        return start, end
    most = min(limit, _WIDENED)
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
