"""What an article must hold before it can answer: the question's years, ordinals and kind of figure.

A near miss shares every word with the question but another year, batch or kind of amount; these rules see it
where word overlap cannot.
"""

from __future__ import annotations

import re

from rag.answering.question_type import MEASURE_UNITS, AnswerType, QuestionProfile, ordinals
from rag.answering.reader_spans import has_unit, typed_spans
from rag.answering.reader_text import fold_keep
from rag.types import Article

_COMMON_ORDINALS = range(1, 4)
"""The first, the second, the third are often said without their number."""


def meets_constraints(question: QuestionProfile, article: Article) -> bool:
    """Whether `article` can answer at all."""
    text = fold_keep(f"{article.title}\n{article.text}")
    return (
        _has_years(question, article, text)
        and _has_ordinals(question, text)
        and _has_designations(question, text)
        and _has_measure(question, text)
    )


def is_about_another(question: QuestionProfile, article: Article, sentence: str) -> bool:
    """Whether a sentence names another line, district or ordinal than the question, and not the question's own."""
    text = fold_keep(f"{article.title}\n{sentence}")
    for find in (_lines, _areas):
        asked = find(question.text)
        held = find(text)
        if asked and held and not asked & held:
            return True
    return False


def _lines(text: str) -> set[str]:
    """Metro lines by number, as Chinese writes them: 7号线, also for Line 7."""
    english = {f"{m[1]}号线" for m in _LINE_EN.finditer(text)}
    return set(_NUMBERED.findall(text)) | english


def _areas(text: str) -> set[str]:
    return {name for name in _AREA.findall(text) if not _COMMON_AREA.search(name)}


def _has_years(question: QuestionProfile, article: Article, text: str) -> bool:
    """One of the question's years is printed in the article, is its own, or is meant by 去年 or 明年."""
    if not question.years or any(year in text for year in question.years):
        return True
    if article.date is None:
        return False
    words = {0: "", -1: "去年|上年|last year", 1: "明年|next year"}
    apart = [int(year) - article.date.year for year in question.years]
    return any(gap in words and re.search(words[gap], text) is not None for gap in apart)


_NUMBERED = re.compile(r"[a-z]?\d+号线")
_LINE_EN = re.compile(r"\blines? (\d+)\b")
_AREA = re.compile(r"[一-鿿]{2}[区县](?!域|别|级|委|政)")
_COMMON_AREA = re.compile(
    r"[社园小地街校城山景灾郊市各全院库矿林牧厂战辖湾海港新老本该两这那此保税发]区|[各全本该两]县|哪个?[区县]|[个些的][区县]"
)


def _has_designations(question: QuestionProfile, text: str) -> bool:
    """Lines, buildings and districts that the question names by number or name (7号线, 静海区)."""
    lines, areas = _lines(question.text), _areas(question.text)
    return not (lines or areas) or bool(lines & _lines(text)) or any(name in text for name in areas)


def _has_ordinals(question: QuestionProfile, text: str) -> bool:
    wanted = [n for n in question.ordinals if n not in _COMMON_ORDINALS]
    held = ordinals(text) if wanted else ()
    # 二十届四中全会 and 12th stand for 第二十届 and 第十二 as well.
    return not wanted or any(n in held or f"{_in_chinese(n)}届" in text for n in wanted)


def _has_measure(question: QuestionProfile, text: str) -> bool:
    """A question for money, an area, a share … needs such a figure somewhere in the article."""
    if AnswerType.NUMBER not in question.types or question.units not in MEASURE_UNITS:
        return True
    figures = [text[a:b] for a, b in typed_spans(text, AnswerType.NUMBER)]
    return any(has_unit(figure, question.units) and figure not in question.text for figure in figures)


def _in_chinese(value: int) -> str:
    """Up to 99 in Chinese numerals; a larger one as it is."""
    digits = "零一二三四五六七八九"
    if value > 99:
        return str(value)
    tens, ones = divmod(value, 10)
    return (("" if tens == 1 else digits[tens]) + "十" if tens else "") + (digits[ones] if ones or not tens else "")
