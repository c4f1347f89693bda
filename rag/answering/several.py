"""Answers to questions that ask several things: which sentence answers which part.

Every part is read on its own and answered from whichever article holds it. A sentence that answers one part is less
likely to answer another, still less with the same words, so the sentences of all parts are chosen together.
"""

from __future__ import annotations

import calendar
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise, product
from math import prod
from typing import Final

from rag.answering.composition import Quote
from rag.answering.figures import asked_unit, counts_in, is_vague
from rag.answering.lists import printed_list
from rag.answering.parts import Part, asks_list
from rag.answering.question_type import AnswerType, ordinals, profile
from rag.answering.reader import Reading, ScoredSentence
from rag.answering.reader_features import Candidate
from rag.answering.reader_text import fold_keep
from rag.answering.selection import corroborating, quote_of
from rag.pinyin import find_by_sound
from rag.sentences import sentence_spans
from rag.tokens import is_chinese
from rag.types import Article

_TAKEN: Final = 0.4
"""Weight of a sentence that answers another part already."""
_SAME_ANSWER: Final = 0.1
"""Weight of a sentence whose same words answer another part already."""
_OTHER_UNIT: Final = 0.1
"""Weight of a sentence without a figure in the asked unit."""
_VAGUE_AMOUNT: Final = 0.05
"""Weight of a sentence that holds no figure but 一场, 数家."""
_MOST_CONSIDERED: Final = 8
"""Sentences considered for each part."""
_ELSEWHERE: Final = 0.5
"""Weight of a sentence of another article for a part that goes on about the same subject."""
_UNTYPED: Final = 0.3
"""Weight of a sentence without anything of a kind that is hardly ever overlooked."""
_UNNAMED: Final = 0.5
"""Weight of a sentence without a person's name, which is overlooked more often."""
_SEEN: Final = frozenset({AnswerType.NUMBER, AnswerType.DATE, AnswerType.DURATION, AnswerType.LIST})
_NAMED_NEARBY: Final = 0.5
_NOT_NAMED: Final = 0.02
_MOST_NAMED: Final = 0.6
"""Share of a name's pairs of characters that must stand in a text that names it (海风科技 in 海风智能科技)."""

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
    chosen = _choose(parts, readings)
    each = budget // max(len({_place(s) for s in chosen.values()}), 1)
    answers: list[PartAnswer] = []
    for i, part in enumerate(parts):
        scored = chosen.get(i)
        sharing = [k for k, other in chosen.items() if scored is not None and _place(other) == _place(scored)]
        if scored is None or i != min(sharing):
            told = scored is not None and (not part.name or names(part.name, scored.candidate.text))
            answers.append(PartAnswer(part, None, answered=told))
            continue
        quote = _printed(part, scored.candidate, each) or corroborating(
            _around_all([chosen[k].candidate for k in sorted(sharing)], each), readings[i]
        )
        quote = _with_what_it_means(part, _with_name(part.name, quote, each) if len(sharing) == 1 else quote, each)
        label = part.name if len(sharing) == 1 else ""
        answers.append(PartAnswer(part, replace(quote, label=label), answered=True))
    return _apart(answers)


def _apart(answers: Sequence[PartAnswer]) -> list[PartAnswer]:
    """`answers` with no quote running into another: it ends where the other begins."""
    quotes = [answer.quote for answer in answers if answer.quote is not None]
    return [
        answer if answer.quote is None else replace(answer, quote=_ending_before(answer.quote, quotes))
        for answer in answers
    ]


def _ending_before(quote: Quote, others: Sequence[Quote]) -> Quote:
    kept = quote.answer[1] if quote.answer else quote.start + 1
    starts = [other.start for other in others if other.article.id == quote.article.id]
    stop = min((start for start in starts if max(quote.start + 1, kept) <= start < quote.end), default=quote.end)
    return replace(quote, end=quote.start + len(quote.article.text[quote.start : stop].rstrip()))


def _choose(parts: Sequence[Part], readings: Sequence[Reading]) -> dict[int, ScoredSentence]:
    """The sentence for each part that has one: those that are together the likeliest."""
    able = [i for i in range(len(parts)) if readings[i].sentences]
    pools = [_likeliest(parts[i], readings[i]) for i in able]
    best: tuple[ScoredSentence, ...] = ()
    worth = -1.0
    for taken in product(*pools):
        together = prod(value for _, value in taken)
        if together <= worth:
            continue
        chosen = tuple(scored for scored, _ in taken)
        together *= _fitness([parts[i] for i in able], chosen)
        if together > worth:
            best, worth = chosen, together
    return dict(zip(able, best, strict=True))


def _likeliest(part: Part, reading: Reading) -> list[tuple[ScoredSentence, float]]:
    """The sentences worth considering for a part, best first, each with its share weighed by kind and unit."""
    types = profile(part.question).types
    untyped = _UNTYPED if _SEEN.issuperset(types) else _UNNAMED if types == (AnswerType.PERSON,) else 1.0
    unit = asked_unit(part.question)
    valued = [(s, s.share * _kind_weight(s, untyped, unit)) for s in reading.sentences]
    return sorted(valued, key=lambda pair: -pair[1])[:_MOST_CONSIDERED]


def _kind_weight(scored: ScoredSentence, untyped: float, unit: str) -> float:
    """`untyped` where nothing of the asked kind stands in the sentence; less than 1 where the unit is missing."""
    candidate = scored.candidate
    if candidate.answer is None:
        return untyped
    if not unit or not is_chinese(candidate.text):
        return 1.0
    amount = candidate.hit.article.text[slice(*candidate.answer)] if candidate.answer else ""
    if counts_in(unit, candidate.text):
        return 1.0
    return _VAGUE_AMOUNT if is_vague(amount) else _OTHER_UNIT


def _fitness(parts: Sequence[Part], chosen: Sequence[ScoredSentence]) -> float:
    """How well sentences go together: a part that goes on stays in the article, others want their own sentence."""
    value = 1.0
    for k, scored in enumerate(chosen):
        before = chosen[:k]
        if parts[k].goes_on:
            told_in = {other.candidate.hit.article.id for other in before}
            value *= 1.0 if not told_in or scored.candidate.hit.article.id in told_in else _ELSEWHERE
        twice = [other for other in before if _place(other) == _place(scored)]
        if twice:
            same = scored.candidate.answer is not None and scored.candidate.answer in [
                other.candidate.answer for other in twice
            ]
            value *= _SAME_ANSWER if same else 1.0 if parts[k].goes_on else _TAKEN
    return value


def _printed(part: Part, candidate: Candidate, limit: int) -> Quote | None:
    """The list that the article prints there, when a list is asked."""
    if not asks_list(part.question):
        return None
    article = candidate.hit.article
    span = printed_list(article, (candidate.start, candidate.end), limit)
    return None if span is None else Quote(article, *span, is_list=True)


def _with_name(name: str, quote: Quote, limit: int) -> Quote:
    """`quote` from the sentence before it on that names the thing, where it does not itself and both fit `limit`.

    1月13日，大会开幕。市长出席: who asks about January 13 needs the first sentence too.
    """
    if not name or quote.is_list or names(name, quote.text):
        return quote
    article = quote.article
    before = sentence_spans(article.text, article.body_start, quote.start)
    for start, end in reversed(before):
        if quote.end - start > limit:
            break
        if names(name, article.text[start:end]):
            return replace(quote, start=start)
    return quote


_POINTS_BACK = re.compile(
    r"^[“「]?(?:这(?:就|也|里|便)?[是里]|此[处地举]|这里)|(?:在|于)(?:此|这里)(?![次前后外基])|当地|该[地处]"
)


def _with_what_it_means(part: Part, quote: Quote, limit: int) -> Quote:
    """`quote` from the sentence before it on, where it answers with a word for it: 大会在此举办, 这是他的第一部书."""
    asks_what = {AnswerType.PLACE, AnswerType.NAME, AnswerType.ORGANISATION} & set(profile(part.question).types)
    if not asks_what or quote.is_list or not _POINTS_BACK.search(quote.text):
        return quote
    before = sentence_spans(quote.article.text, quote.article.body_start, quote.start)
    if not before or quote.end - before[-1][0] > limit:
        return quote
    return replace(quote, start=before[-1][0])


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
        numbered = ordinals(folded)
        if numbered:  # the eleventh batch
            return set(numbered) <= set(ordinals(within))
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
