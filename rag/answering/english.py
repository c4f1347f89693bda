"""What an English reader gets beside a Chinese quote, all of it by rule: who said it and when, amounts, dates, names.

Nothing is translated: amounts and dates are converted, names are spelled in pinyin, and kinds of places are glossed
from a short table.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator
from typing import Final

from rag.answering.composition import Quote
from rag.answering.facts import SURNAMES
from rag.dates import find_dates, format_date
from rag.numbers import Number, amount_en, find_numbers
from rag.pinyin import find_by_sound
from rag.types import Article, Question

Span = tuple[int, int]

_LARGE: Final = 10_000
"""A bare count from which Chinese writes 万 and 亿 and an English reader wants figures."""
_MOST: Final = 5
_SHORT_TIMES: Final = frozenset({"second", "minute", "hour", "day", "week", "month", "year"})
_LONGEST_TITLE: Final = 18
_ANY_DAY: Final = dt.date(2000, 1, 1)
_LASTED = re.compile(r"(?:(?P<h>\d{1,2})小时)?(?P<m>\d{1,2})分钟?(?P<s>\d{1,2})秒")
_CLOCK = re.compile(r"(?<![\d:])(?P<h>[01]?\d|2[0-4])[时点](?:(?P<m>[0-5]?\d)分|(?P<half>半)|整)?(?![间\d])")
_PROPER = re.compile(r"[A-Z][a-z]+(?:['’-]?[a-z]+)*(?: [A-Z][a-z]+(?:['’-]?[a-z]+)*)*")
_SHORTEST_NAME: Final = 4
_KINDS: Final = {
    "开发区": "Development Zone", "街道": "Subdistrict", "水库": "Reservoir", "公园": "Park", "广场": "Square",
    "机场": "Airport", "码头": "Terminal", "大桥": "Bridge", "大道": "Avenue", "大学": "University", "医院": "Hospital",
    "区": "District", "县": "County", "镇": "Town",
}  # fmt: skip
"""What the last characters of a place's name say."""
_PERSON = re.compile(rf"[{SURNAMES}][一-鿿]{{1,2}}")
_STEM = re.compile(r"[^本全各该两多每此这那新老大小到至位于在从自由赴]{2}")
_BEFORE_PLACE = re.compile(r"(?:^|[\s、，,。：:“《（(]|位于|[在从自由到至赴])\Z")


def source_frame(article: Article) -> str:
    """Who said it and when: account or newspaper, else the title, and the date.

    >>> source_frame(Article("a", "标题", "", "f.txt", source="海风日报", date=dt.date(2026, 1, 5)))
    '海风日报, 5 January 2026'
    """
    title = article.display_title
    named = article.source or f"《{title[:_LONGEST_TITLE]}{'…' if len(title) > _LONGEST_TITLE else ''}》"
    return f"{named}, {format_date(article.date, article.date, 'en') if article.date else 'undated'}"


def conversions(quote: Quote, question: Question) -> list[str]:
    """Amounts, dates and names of a Chinese quote for an English reader, as `Chinese = English`, the answer's first."""
    text = quote.text
    wanted = (quote.answer[0] - quote.start, quote.answer[1] - quote.start) if quote.answer else (0, 0)
    found = [*_times(text), *_dates(quote), *_amounts(text, wanted), *_names(text, question.standalone)]
    taken: list[tuple[Span, str]] = []
    for span, meant in found:
        if text[slice(*span)] != meant and not any(a < span[1] and span[0] < b for (a, b), _ in taken):
            taken.append((span, meant))
    inside = [entry for entry in taken if _overlap(entry[0], wanted)]
    if quote.answer and not inside:
        inside = _answer_name(text, wanted)
    ordered = [*inside, *(entry for entry in taken if entry not in inside)]
    return list(dict.fromkeys(f"{text[slice(*span)]} = {meant}" for span, meant in ordered))[:_MOST]


def _overlap(a: Span, b: Span) -> bool:
    return a[0] < b[1] and b[0] < a[1]


def _times(text: str) -> Iterator[tuple[Span, str]]:
    """Clock times and how long something took."""
    for match in _LASTED.finditer(text):
        hours = f"{match['h']} h " if match["h"] else ""
        yield match.span(), f"{hours}{int(match['m'])} min {int(match['s'])} s"
    for match in _CLOCK.finditer(text):
        minute = 30 if match["half"] else int(match["m"] or 0)
        before = text[max(0, match.start() - 2) : match.start()]
        late = before in {"下午", "晚上"} and int(match["h"]) < 12
        yield match.span(), f"{int(match['h']) + 12 * late}:{minute:02d}"


def _dates(quote: Quote) -> Iterator[tuple[Span, str]]:
    """Dates that can be told; a relative one needs the article's date."""
    dated = quote.article.date is not None
    for mention in find_dates(quote.text, quote.article.date or _ANY_DAY):
        said = quote.text[mention.start : mention.end]
        if (dated or not mention.relative) and not re.fullmatch(r"(?:19|20)\d\d年", said):
            yield (mention.start, mention.end), format_date(mention.first, mention.last, "en")


def _amounts(text: str, wanted: Span) -> Iterator[tuple[Span, str]]:
    """Amounts that do not read the same in English; small words (一次, 三年) only where they answer."""
    for number in find_numbers(text):
        span = (number.start, number.end)
        if _reads_the_same(number, text):
            continue
        if _overlap(span, wanted) or (not number.spelled and number.unit not in _SHORT_TIMES):
            yield span, amount_en(number)


def _reads_the_same(number: Number, text: str) -> bool:
    """Whether an English reader understands the figure as it stands (5.3%, 400家, 第13届)."""
    if number.unit == "percent" and text[number.end - 1] == "%":
        return True
    plain = not (number.unit or number.bound or number.spelled) and number.value < _LARGE
    return plain or text[: number.start].endswith("第")


def _names(text: str, question: str) -> Iterator[tuple[Span, str]]:
    """What the question spells in pinyin, where the quote has it in characters."""
    for match in _PROPER.finditer(question):
        words = match.group().split(" ")
        runs = [
            words[i:j] for size in range(len(words), 0, -1) for i in range(len(words)) if (j := i + size) <= len(words)
        ]
        taken: set[str] = set()
        for run in runs:
            letters = re.sub(r"[^a-z]", "", "".join(run).lower())
            if len(letters) < _SHORTEST_NAME or taken & set(run):
                continue
            spans = find_by_sound(letters, text)
            if spans:
                taken |= set(run)
                yield spans[0], " ".join(run)


def _answer_name(text: str, wanted: Span) -> list[tuple[Span, str]]:
    """The answer in pinyin when it is a person's name or a short name of a place."""
    said = text[slice(*wanted)]
    if _PERSON.fullmatch(said):
        return [(wanted, romanised(said))]
    kind = next((end for end in _KINDS if said.endswith(end)), "")
    stem = said.removesuffix(kind)
    if kind and _STEM.fullmatch(stem) and _BEFORE_PLACE.search(text[: wanted[0]]):
        return [(wanted, f"{''.join(_pinyin(stem)).capitalize()} {_KINDS[kind]}")]
    return []


def romanised(name: str) -> str:
    """A Chinese personal name in pinyin, surname first.

    >>> romanised("林晓舟")
    'Lin Xiaozhou'
    """
    surname, *given = _pinyin(name)
    return " ".join(part.capitalize() for part in (surname, "".join(given)) if part)


def _pinyin(characters: str) -> list[str]:
    from pypinyin import lazy_pinyin

    return list(lazy_pinyin(characters))
