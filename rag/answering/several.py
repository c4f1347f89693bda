"""Answers to questions that ask several things: which sentence answers which part.

Every part is read on its own and answered from whichever article holds it. A sentence that answers one part is less
likely to answer another, so the surest part chooses first.
"""

from __future__ import annotations

import calendar
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Final

from rag.answering.composition import Quote
from rag.answering.parts import Part
from rag.answering.reader import Reading, ScoredSentence
from rag.answering.reader_features import Candidate
from rag.answering.reader_text import fold_keep
from rag.answering.selection import corroborating, quote_of
from rag.pinyin import find_by_sound
from rag.types import Article

_TAKEN: Final = 0.4
"""Weight of a sentence that answers another part already."""
_NAMED_NEARBY: Final = 0.5
_NOT_NAMED: Final = 0.02
_MOST_NAMED: Final = 0.75
"""Share of a name's pairs of characters that must stand in a text that names it (望圆科技 for 望圆智能科技)."""

Place = tuple[str, int, int]


@dataclass(frozen=True, slots=True)
class PartAnswer:
    """What was found for one part of a question."""

    part: Part
    quote: Quote | None
    """None when nothing answers it, or the quote of an earlier part does."""
    answered: bool


def answer_parts(parts: Sequence[Part], read: Callable[[Part], Reading], budget: int) -> list[PartAnswer]:
    """The best sentence for each part, in order; at most `budget` characters together.

    `read` gives the sentences that can answer a part, none when nothing does.
    """
    readings = [read(part) for part in parts]
    order = sorted(range(len(parts)), key=lambda i: -max((s.share for s in readings[i].sentences), default=0.0))
    chosen: dict[int, ScoredSentence] = {}
    for i in order:
        taken = {_place(s) for s in chosen.values()}
        best = max(readings[i].sentences, key=lambda s: s.share * (_TAKEN if _place(s) in taken else 1.0), default=None)
        if best is not None:
            chosen[i] = best
    each = budget // max(len({_place(s) for s in chosen.values()}), 1)
    answers: list[PartAnswer] = []
    for i, part in enumerate(parts):
        scored = chosen.get(i)
        sharing = [k for k, other in chosen.items() if scored is not None and _place(other) == _place(scored)]
        if scored is None or i != sharing[0]:
            answers.append(PartAnswer(part, None, answered=scored is not None))
            continue
        quote = corroborating(_around_all([chosen[k].candidate for k in sharing], each), readings[i])
        label = part.name if len(sharing) == 1 else ""
        answers.append(PartAnswer(part, replace(quote, label=label), answered=True))
    return answers


def _around_all(candidates: Sequence[Candidate], limit: int) -> Quote:
    """The sentence that answers several parts, trimmed around all their answers if they fit `limit`."""
    first = candidates[0]
    spans = [c.answer for c in candidates if c.answer]
    around = (min(a for a, _ in spans), max(b for _, b in spans)) if spans else None
    if around is None or around[1] - around[0] > limit:
        return quote_of(first, limit)
    return replace(quote_of(replace(first, answer=around), limit, readable=limit), answer=first.answer)


def about(name: str, reading: Reading) -> Reading:
    """`reading` with sentences that do not name the thing asked about weighed down; unchanged without a name."""
    if not name or not reading.sentences:
        return reading
    articles: dict[str, bool] = {}

    def weight(scored: ScoredSentence) -> float:
        article: Article = scored.candidate.hit.article
        if names(name, f"{scored.candidate.text}\n{article.title}"):
            return 1.0
        if article.id not in articles:
            articles[article.id] = names(name, article.text)
        return _NAMED_NEARBY if articles[article.id] else _NOT_NAMED

    weights = [weight(scored) * scored.share for scored in reading.sentences]
    total = sum(weights) or 1.0
    weighed = [replace(s, share=w / total) for s, w in zip(reading.sentences, weights, strict=True)]
    return replace(reading, sentences=tuple(sorted(weighed, key=lambda s: -s.share)))


def names(name: str, text: str) -> bool:
    """Whether `text` names the thing: most pairs of its characters stand there, or an English name in pinyin."""
    folded, within = fold_keep(name), fold_keep(text)
    if folded in within:
        return True
    if name.isascii():
        words = [word.lower() for word in name.split() if word[:1].isupper() or word.isdigit()]
        return bool(words) and all(w in within or _in_chinese(w, text) for w in words)
    pairs = [a + b for a, b in pairwise(folded)]
    return bool(pairs) and sum(pair in within for pair in pairs) >= _MOST_NAMED * len(pairs)


def _in_chinese(word: str, text: str) -> bool:
    """Whether `text` holds an English word as a Chinese month or a name in pinyin."""
    month = _MONTHS.get(word)
    if month is not None:
        return re.search(rf"(?<!\d){month}月", text) is not None
    return bool(find_by_sound(word, text))


_MONTHS: Final = {name.lower(): number for number, name in enumerate(calendar.month_name) if name}


def _place(scored: ScoredSentence) -> Place:
    candidate = scored.candidate
    return candidate.hit.article.id, candidate.start, candidate.end
