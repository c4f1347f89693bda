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
LEAST_WRITTEN: Final = 0.0
"""The same for an address or a telephone number: an article hardly ever has two."""
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
        rf"\d|\b(?:{_LASTING}|decades?|century|centuries|always|never|once|twice)\b", re.IGNORECASE
    ),
}
"""What shows that an English sentence may hold something of a kind; generous, since it is only missed when absent."""
_LASTING_ZH: Final = (
    (
        re.compile(r"(?:多少|几)个?(?:天|日|周|星期|月|年)"),
        re.compile(r"[\d一二三四五六七八九十百两半]个?多?(?:天|日|周|星期|月|年|季度|载)"),
    ),
    (
        re.compile(r"(?:多少|几)个?(?:小时|分钟|秒)"),
        re.compile(r"[\d一二三四五六七八九十百两半]个?多?(?:小时|分钟|秒|刻钟)"),
    ),
)
"""Days are no answer to a question for hours, nor hours to one for days."""
_WRITTEN: Final = (
    (re.compile(r"邮箱|电子邮件|邮件地址|\be-?mail address"), re.compile(r"@")),
    (
        re.compile(r"网址|\bweb address|\burl\b"),
        re.compile(r"https?:|www\.|\.(?:com|cn|org|net|gov)"),
    ),
    (
        re.compile(r"电话(?:号码)?是?多少|(?:什么|哪个|多少)(?:电话|号码|热线)|\b(?:phone|hotline) number"),
        re.compile(r"\d(?:[\d -]{3,})\d|(?<!\d)1\d{2}(?!\d)"),
    ),
)
"""What addresses and numbers look like, by the words that ask for them."""
_FINE: Final = (
    (
        re.compile(r"几点|几时|\bwhat time\b"),
        re.compile(r"\d(?:时|点|:\d)|[一二两三四五六七八九十]点|[上下]午|[早晚]上?|中午|凌晨|零时"),
    ),
    (
        re.compile(r"哪一?天|几[号日]|哪一?日|\b(?:what|which|exact) (?:date|day)\b"),
        re.compile(
            r"\d[日号]|[昨今明前后当同次翌][日天晚]|周[一二三四五六日末]|星期|除夕|初[一二三四五六七八九十]|节|元旦"
        ),
    ),
    (
        re.compile(r"(?:星期|礼拜|周)几|\bday of the week\b"),
        re.compile(r"星期|礼拜|周[一二三四五六日末]|\d[日号]|[昨今明后]日"),
    ),
    (
        re.compile(r"哪个?月|几月|何月|\bwhat month|\bwhich month"),
        re.compile(r"\d月|[本上下当][个]?月|月底|月初|[昨今明]日"),
    ),
    (
        re.compile(r"哪一?年|何年|\b(?:what|which) year\b"),
        re.compile(r"(?:19|20)\d\d|[今去明前后当同次翌]年|年[前后代]|世纪"),
    ),
)
"""Times as fine as the asking words want, in Chinese; the finest first."""


def of_kind(asked: QuestionProfile, reading: Reading) -> Reading:
    """The sentences that hold an answer of the asked kind; none when the reader hardly believes in them.

    `reading` itself for other kinds.
    """
    if not _is_seen(asked):
        return reading
    holding = [s for s in reading.sentences if holds_kind(asked, s)]
    if not holding or holding[0].share < _least(asked, reading.sentences[0], holding[0]):
        return replace(reading, sentences=())
    total = sum(s.share for s in holding)
    return replace(reading, sentences=tuple(replace(s, share=s.share / total) for s in holding))


def _least(asked: QuestionProfile, first: ScoredSentence, holding: ScoredSentence) -> float:
    if first.candidate.hit.article.id != holding.candidate.hit.article.id:
        return LEAST_ELSEWHERE
    return LEAST_BELIEVED if _written(asked) is None else LEAST_WRITTEN


def holds_kind(asked: QuestionProfile, scored: ScoredSentence) -> bool:
    """Whether a sentence holds something of the asked kind, in the asked unit, as far as that can be seen."""
    sentence = fold_keep(scored.candidate.text)
    written = _written(asked)
    if written is not None:
        return written.search(sentence) is not None
    if not SEEN.issuperset(asked.types):
        return True
    if not is_chinese(sentence):
        return any(_ENGLISH[kind].search(sentence) for kind in asked.types)
    return scored.candidate.answer is not None and _in_unit(asked, sentence) and _as_fine(asked, sentence)


def _is_seen(asked: QuestionProfile) -> bool:
    return SEEN.issuperset(asked.types) or _written(asked) is not None


def _written(asked: QuestionProfile) -> re.Pattern[str] | None:
    """What an address or number of the asked kind looks like; None when none is asked for."""
    return next((form for asking, form in _WRITTEN if asking.search(asked.text)), None)


def _as_fine(asked: QuestionProfile, sentence: str) -> bool:
    """Whether a sentence names a time as fine as the asked one."""
    if asked.types != (AnswerType.DATE,):
        return True
    return next((form.search(sentence) is not None for asking, form in _FINE if asking.search(asked.text)), True)


def _in_unit(asked: QuestionProfile, sentence: str) -> bool:
    """Whether something in `sentence` (folded) is counted or measured in what the question asks for."""
    if AnswerType.DURATION in asked.types:
        lasting = next((form for asking, form in _LASTING_ZH if asking.search(asked.text)), None)
        return lasting is None or lasting.search(sentence) is not None
    if AnswerType.NUMBER not in asked.types:
        return True
    unit = asked_unit(asked.text)
    if unit:
        return counts_in(unit, sentence)
    if not asked.units or (asked.language == "zh" and asked.units not in MEASURE_UNITS):
        return True
    return any(has_unit(sentence[a:b], asked.units) for a, b in typed_spans(sentence, AnswerType.NUMBER))
