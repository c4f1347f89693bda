"""What is worked out by rule from a quote and shown beside it, marked as such: dates and amounts.

A relative day (昨日) is resolved against the article's date, a countdown against the day of the question, and an
English reader gets the amounts of a Chinese quote in English.
"""

from __future__ import annotations

import datetime as dt
import re

from rag.answering.composition import Quote
from rag.answering.question_type import AnswerType, profile
from rag.dates import DateMention, find_dates, format_date
from rag.numbers import amount_en, find_numbers
from rag.types import Question

_COUNTDOWN = re.compile(
    r"(?:还剩|还有|还要|剩下?|倒计时)(?:多少|几)天|(?<=距)(?P<what>.*?)(?:多少|几)天"
    r"|\bhow many days (?:are |is )?(?:left|remain|remaining|to go|until|before)\b",
    re.IGNORECASE,
)
_DAY = re.compile(r"[昨今明][日天晚晨]|前天|后天|yesterday|today|tomorrow", re.IGNORECASE)
_PERIOD = re.compile(rf"{_DAY.pattern}|[去今明前]年.*|[本这上下]个?[周月].*|(?:last|this|next) \w+", re.IGNORECASE)
_MOST_AMOUNTS = 3
_LARGE = 10_000
"""A bare count from which Chinese writes 万 and 亿 and an English reader wants figures."""


def is_countdown(question: str) -> bool:
    """Whether a question asks how many days are left until something."""
    return _COUNTDOWN.search(question) is not None


def reading_text(question: Question) -> str:
    """The question as the reader should see it: relative days as dates, a countdown as a question for the day."""
    text = question.standalone
    for mention in reversed(find_dates(text, question.as_of)):
        if mention.relative and mention.is_day and not text[mention.start].isdigit():
            text = text[: mention.start] + _month_day(mention.first, question.language) + text[mention.end :]
    if is_countdown(text):
        text = _COUNTDOWN.sub("on what date" if question.language == "en" else "是哪天", text)
    return text


def date_notes(quote: Quote, question: Question) -> list[str]:
    """Relative days of the quote as dates, and the days left when that was asked."""
    zh = question.language == "zh"
    anchor = quote.article.date
    notes: list[str] = []
    mentions = find_dates(quote.text, anchor or question.as_of)
    asks_when = AnswerType.DATE in profile(question.standalone).types
    shown = _PERIOD if asks_when else _DAY
    relative = [m for m in mentions if m.relative and shown.fullmatch(quote.text[m.start : m.end])]
    if anchor is not None:
        for mention in relative[:2]:
            said, meant = (
                quote.text[mention.start : mention.end],
                format_date(mention.first, mention.last, question.language),
            )
            notes.append(f"“{said}”即{meant}。" if zh else f"“{said}” is {meant}.")
    elif relative:
        said = quote.text[relative[0].start : relative[0].end]
        notes.append(
            f"文章未注明日期，“{said}”无法换算。" if zh else f"The article has no date, so “{said}” stays open."
        )
    if is_countdown(question.standalone):
        notes += _days_left(quote, mentions, question)
    return notes


def _days_left(quote: Quote, mentions: list[DateMention], question: Question) -> list[str]:
    """Days from the question's day to the quote's day (the one that answers, if it is known)."""
    days = [m for m in mentions if m.is_day and m.first >= question.as_of]
    if quote.answer:
        begin = quote.answer[0] - quote.start
        days = [m for m in days if m.start <= begin < m.end] or days
    if not days:
        return []
    left = (days[0].first - question.as_of).days
    day, today = (format_date(d, d, question.language) for d in (days[0].first, question.as_of))
    if question.language == "zh":
        return [f"从{today}到{day}还有{left}天。"]
    return [f"From {today} to {day}: {left} days."]


def english_note(quote: Quote, question: Question) -> str | None:
    """Amounts, the date or the name that answers, in a form an English reader can use; None when there is none."""
    text = quote.text
    wanted = (quote.answer[0] - quote.start, quote.answer[1] - quote.start) if quote.answer else (0, len(text))
    parts = [
        f"{text[n.start : n.end]} = {amount_en(n)}"
        for n in find_numbers(text)
        if n.start < wanted[1] and wanted[0] < n.end and (n.unit or n.value >= _LARGE)
    ]
    for mention in find_dates(text, quote.article.date or dt.date(2000, 1, 1)):
        dated = quote.article.date is not None or not mention.relative
        if dated and mention.start < wanted[1] and wanted[0] < mention.end:
            meant = format_date(mention.first, mention.last, "en")
            parts.append(f"{text[mention.start : mention.end]} = {meant}")
    if quote.answer and AnswerType.PERSON in profile(question.standalone).types:
        parts.append(f"{text[slice(*wanted)]} = {_romanised(text[slice(*wanted)])}")
    return "; ".join(parts[:_MOST_AMOUNTS]) or None


def _romanised(name: str) -> str:
    """A Chinese personal name in pinyin, surname first.

    >>> _romanised("林晓舟")
    'Lin Xiaozhou'
    """
    from pypinyin import lazy_pinyin

    surname, *given = lazy_pinyin(name)
    return " ".join(part.capitalize() for part in (surname, "".join(given)) if part)


def _month_day(day: dt.date, language: str) -> str:
    return f"{day.month}月{day.day}日" if language == "zh" else format_date(day, day, "en")
