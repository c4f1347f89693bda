"""What is worked out by rule from a quote and shown beside it: dates, days left, and what an English reader needs.

A relative day (昨日) is resolved against the article's date, a countdown against the day of the question.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Sequence
from dataclasses import replace

from rag.answering.composition import Quote
from rag.answering.english import conversions, source_frame
from rag.dates import DateMention, find_dates, format_date
from rag.tokens import is_chinese
from rag.types import Question

_COUNTDOWN = re.compile(
    r"(?:还剩|还有|还要|剩下?|倒计时)(?:多少|几)天|(?<=距)(?P<what>.*?)(?:多少|几)天"
    r"|\bhow many days (?:are |is )?(?:left|remain|remaining|to go|until|before)\b",
    re.IGNORECASE,
)
_DAY = re.compile(r"[昨今明][日天晚晨]|前天|后天|yesterday|today|tomorrow", re.IGNORECASE)
_PERIOD = re.compile(
    rf"{_DAY.pattern}|[去今明前]年.*|[本这上下]个?[周月].*|(?:last|this|next) \w+"
    r"|[本这上下]?个?(?:周|星期|礼拜)[一二三四五六日天末]|on \w+day",
    re.IGNORECASE,
)


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


def with_notes(quotes: Sequence[Quote], question: Question) -> list[Quote]:
    """`quotes` with what can be worked out from each; a Chinese one gets its frame for an English reader."""
    noted: list[Quote] = []
    framed: set[str] = set()
    told: set[str] = set()
    for quote in quotes:
        if question.language == "en" and is_chinese(quote.text):
            converted = tuple(entry for entry in conversions(quote, question) if entry not in told)
            notes = (*undated(quote, question), *days_left(quote, question))
            frame = "" if quote.article.id in framed else source_frame(quote.article)
            framed.add(quote.article.id)
            told.update(converted)
            noted.append(replace(quote, converted=converted, notes=notes, frame=frame))
        else:
            noted.append(replace(quote, notes=tuple(date_notes(quote, question))))
    return noted


def date_notes(quote: Quote, question: Question) -> list[str]:
    """Relative days of the quote as dates, and the days left when that was asked."""
    anchor = quote.article.date
    relative = _relative(quote, question)
    notes: list[str] = []
    for mention in relative[:2] if anchor is not None else ():
        said = quote.text[mention.start : mention.end]
        meant = format_date(mention.first, mention.last, question.language)
        notes.append(f"“{said}”即{meant}。" if question.language == "zh" else f"“{said}” is {meant}.")
    return [*notes, *undated(quote, question), *days_left(quote, question)]


def undated(quote: Quote, question: Question) -> list[str]:
    """That a relative day of the quote stays open, where its article has no date."""
    relative = _relative(quote, question)
    if quote.article.date is not None or not relative:
        return []
    said = quote.text[relative[0].start : relative[0].end]
    if question.language == "zh":
        return [f"文章未注明日期，“{said}”无法换算。"]
    return [f"The article has no date, so “{said}” stays open."]


def _relative(quote: Quote, question: Question) -> list[DateMention]:
    """Relative dates of the quote worth resolving: days, and longer times inside the answer."""
    mentions = find_dates(quote.text, quote.article.date or question.as_of)
    answer = range(0) if quote.answer is None else range(quote.answer[0] - quote.start, quote.answer[1] - quote.start)

    def is_shown(mention: DateMention) -> bool:
        answers = mention.start < answer.stop and answer.start < mention.end
        return (_PERIOD if answers else _DAY).fullmatch(quote.text, mention.start, mention.end) is not None

    return [m for m in mentions if m.relative and is_shown(m)]


def days_left(quote: Quote, question: Question) -> list[str]:
    """Days from the question's day to the quote's day (the one that answers, if it is known), when that was asked."""
    if not is_countdown(question.standalone):
        return []
    mentions = find_dates(quote.text, quote.article.date or question.as_of)
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


def _month_day(day: dt.date, language: str) -> str:
    return f"{day.month}月{day.day}日" if language == "zh" else format_date(day, day, "en")
