"""A question for an amount, a day or a span of time is answered by sentences that hold one, in the asked unit."""

from __future__ import annotations

import calendar
import re
from dataclasses import replace
from typing import Final

from rag.answering.figures import asked_unit, counts_in
from rag.answering.question_type import MEASURE_UNITS, AnswerType, QuestionProfile
from rag.answering.reader import Reading, ScoredSentence
from rag.answering.reader_spans import has_unit, typed_spans
from rag.answering.reader_text import fold_keep
from rag.tokens import is_chinese

SEEN: Final = frozenset({AnswerType.NUMBER, AnswerType.DATE, AnswerType.DURATION})
"""Kinds of answer that are hardly ever overlooked in a Chinese sentence."""
LEAST_BELIEVED: Final = 0.02
"""Least share of the best sentence that holds something of the asked kind, in the article of the very best one."""
LEAST_ELSEWHERE: Final = 0.15
"""The same in another article: the one that speaks of the thing has no answer."""
_COUNTED = (
    r"\d|\b(?:one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|(?:thir|four|fif|six|seven|eigh|nine)teen"
    r"|twenty|thirty|forty|fifty|sixty|seventy|eighty|ninety|hundreds?|thousands?|[mb]illions?|dozens?|half|halves"
    r"|quarters?|thirds?|twice|double[ds]?|triple[ds]?|single|no|none|nobody|all|free)\b"
)
_DATED = "|".join([*calendar.month_name[1:], *calendar.month_abbr[1:], *calendar.day_name])
_LASTING = (
    r"seconds?|minutes?|hours?|hourly|days?|daily|nights?|weeks?|weekly|months?|monthly|years?|yearly|annual(?:ly)?"
)
_ENGLISH: Final = {
    AnswerType.NUMBER: re.compile(_COUNTED, re.IGNORECASE),
    AnswerType.DATE: re.compile(
        rf"\d|\b(?:{_DATED}|{_LASTING}|(?:yester|to)day|tomorrow|tonight|morning|afternoon|evening|noon|midnight|dawn|dusk"
        r"|spring|summer|autumn|winter|weekends?|christmas|easter|decades?|century|now|when|after|before|until|since)\b",
        re.IGNORECASE,
    ),
    AnswerType.DURATION: re.compile(
        rf"\b(?:{_LASTING}|decades?|century|centuries|always|never|once|twice)\b", re.IGNORECASE
    ),
}
"""What shows that an English sentence may hold something of a kind; generous, since it is only missed when absent."""


def of_kind(asked: QuestionProfile, reading: Reading) -> Reading:
    """The sentences that hold an answer of the asked kind; none when the reader hardly believes in them.

    `reading` itself for other kinds.
    """
    if not SEEN.issuperset(asked.types):
        return reading
    holding = [s for s in reading.sentences if holds_kind(asked, s)]
    if not holding or holding[0].share < _least(reading.sentences[0], holding[0]):
        return replace(reading, sentences=())
    total = sum(s.share for s in holding)
    return replace(reading, sentences=tuple(replace(s, share=s.share / total) for s in holding))


def _least(first: ScoredSentence, holding: ScoredSentence) -> float:
    same = first.candidate.hit.article.id == holding.candidate.hit.article.id
    return LEAST_BELIEVED if same else LEAST_ELSEWHERE


def holds_kind(asked: QuestionProfile, scored: ScoredSentence) -> bool:
    """Whether a sentence holds something of the asked kind, in the asked unit, as far as that can be seen."""
    if not SEEN.issuperset(asked.types):
        return True
    sentence = scored.candidate.text
    if not is_chinese(sentence):
        return any(_ENGLISH[kind].search(sentence) for kind in asked.types)
    return scored.candidate.answer is not None and _in_unit(asked, sentence)


def _in_unit(asked: QuestionProfile, sentence: str) -> bool:
    """Whether something in `sentence` is counted or measured in what the question asks for."""
    if AnswerType.NUMBER not in asked.types:
        return True
    unit = asked_unit(asked.text)
    if unit:
        return counts_in(unit, sentence)
    if not asked.units or (asked.language == "zh" and asked.units not in MEASURE_UNITS):
        return True
    folded = fold_keep(sentence)
    return any(has_unit(folded[a:b], asked.units) for a, b in typed_spans(folded, AnswerType.NUMBER))
