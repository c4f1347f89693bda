"""Date words of questions and articles -> date ranges.

Absolute dates (2026年1月18日, January 18, 2026), parts of dates (1月18日, 18日, 2025年, 去年7月) and relative
words (昨日, 本周日, 上个月, last year, three days ago) are found and resolved against an anchor: the day on
which a question is asked, or the day on which an article appeared.
"""

from __future__ import annotations

import calendar
import datetime as dt
import re
from collections.abc import Callable
from dataclasses import dataclass

from rag.numerals import whole_number

_WEEKDAYS_ZH = {c: i for i, c in enumerate("一二三四五六日")} | {"天": 6}
_MONTHS_EN = {
    name.lower(): i
    for i, names in enumerate(zip(calendar.month_name, calendar.month_abbr, strict=True))
    for name in names
}
_WEEKDAYS_EN = {name.lower(): i for i, name in enumerate(calendar.day_name)}
_DAYS = {"大前": -3, "前": -2, "昨": -1, "今": 0, "当": 0, "明": 1, "后": 2}
_YEARS = {"前年": -2, "去年": -1, "上年": -1, "今年": 0, "本年": 0, "明年": 1, "后年": 2, "当年": 0}
_THAT_DAY = frozenset({"当天", "当日"})
"""Behind a date they repeat it."""
_UNITS_EN = {"day": 1, "week": 7}


@dataclass(frozen=True, slots=True)
class DateMention:
    """A date expression: `text[start:end]` means the days from `first` to `last`, both inclusive."""

    start: int
    end: int
    first: dt.date
    last: dt.date
    relative: bool
    """Whether it means something only together with the anchor (昨日, 18日, last year)."""
    yearly: bool = False
    """Whether it is a day or month of no named year (1月18日, in January)."""

    @property
    def is_day(self) -> bool:
        """Whether it names one day."""
        return self.first == self.last


_Range = tuple[dt.date, dt.date]
_Rule = tuple[re.Pattern[str], Callable[[re.Match[str], dt.date], "_Range | None"], bool]


def find_dates(text: str, anchor: dt.date) -> list[DateMention]:
    """Date expressions of `text` in order, without overlap, resolved against `anchor`.

    A month or day without a year is taken in the year (month) nearest to the anchor; impossible dates such
    as 2月30日 are left out.
    """
    found: list[DateMention] = []
    taken = [False] * len(text)
    for pattern, resolve, relative in _RULES:
        for match in pattern.finditer(text):
            if any(taken[match.start() : match.end()]):
                continue
            try:
                span = resolve(match, anchor)
            except (ValueError, OverflowError):
                span = None
            if span is None:
                continue
            if match.group() in _THAT_DAY and match.start() and taken[match.start() - 1]:
                continue
            taken[match.start() : match.end()] = [True] * (match.end() - match.start())
            yearly = resolve in (_month_day, _month_alone) or (resolve in (_full_en, _month_en) and not match["y"])
            found.append(DateMention(match.start(), match.end(), *span, relative, yearly))
    return sorted(found, key=lambda mention: mention.start)


def format_date(first: dt.date, last: dt.date, language: str) -> str:
    """A date range in words: 2026年1月18日, 2026年1月, 2025年, or both ends; English accordingly."""
    zh = language == "zh"
    if first == last:
        return (
            f"{first.year}年{first.month}月{first.day}日"
            if zh
            else f"{first.day} {calendar.month_name[first.month]} {first.year}"
        )
    if (first, last) == _year(first.year):
        return f"{first.year}年" if zh else str(first.year)
    if (first, last) == _month(first.year, first.month):
        return f"{first.year}年{first.month}月" if zh else f"{calendar.month_name[first.month]} {first.year}"
    joiner = "至" if zh else " to "
    return format_date(first, first, language) + joiner + format_date(last, last, language)


def _day(date: dt.date) -> _Range:
    return date, date


def _month(year: int, month: int) -> _Range:
    return dt.date(year, month, 1), dt.date(year, month, calendar.monthrange(year, month)[1])


def _year(year: int) -> _Range:
    return dt.date(year, 1, 1), dt.date(year, 12, 31)


def _add_months(anchor: dt.date, months: int) -> tuple[int, int]:
    index = anchor.year * 12 + anchor.month - 1 + months
    return index // 12, index % 12 + 1


def _nearest_year(anchor: dt.date, month: int, day: int = 15) -> int:
    """The year that puts month and day nearest to the anchor: 12月28日 read on 2 January is last year's."""

    def distance(year: int) -> int:
        return abs((dt.date(year, month, min(day, 28)) - anchor).days)

    return min((anchor.year, anchor.year - 1, anchor.year + 1), key=distance)


def _full(match: re.Match[str], anchor: dt.date) -> _Range:
    return _day(dt.date(int(match["y"]), int(match["m"]), int(match["d"])))


def _year_word(match: re.Match[str], anchor: dt.date) -> int:
    return anchor.year + _YEARS[match["yw"]]


def _relative_year_month(match: re.Match[str], anchor: dt.date) -> _Range | None:
    year = _year_word(match, anchor)
    if match["m"] is None:
        return _part_of_year(year, match["part"]) if match["part"] else _year(year)
    month = whole_number(match["m"])
    if month is None:
        return None
    if match["d"]:
        return _day(dt.date(year, month, int(match["d"])))
    return _month(year, month)


def _part_of_year(year: int, part: str) -> _Range | None:
    halves = {"上半年": (1, 6), "下半年": (7, 12), "前三季度": (1, 9)}
    if part in halves:
        first, last = halves[part]
    else:
        quarter = whole_number(part.strip("第季度"))
        if quarter is None or not 1 <= quarter <= 4:
            return None
        first, last = quarter * 3 - 2, quarter * 3
    return dt.date(year, first, 1), _month(year, last)[1]


def _year_month(match: re.Match[str], anchor: dt.date) -> _Range | None:
    year = int(match["y"])
    if match["part"]:
        return _part_of_year(year, match["part"])
    return _month(year, int(match["m"])) if match["m"] else _year(year)


def _month_day(match: re.Match[str], anchor: dt.date) -> _Range:
    month, day = int(match["m"]), int(match["d"])
    return _day(dt.date(_nearest_year(anchor, month, day), month, day))


def _month_alone(match: re.Match[str], anchor: dt.date) -> _Range:
    month = int(match["m"])
    return _month(_nearest_year(anchor, month), month)


def _day_alone(match: re.Match[str], anchor: dt.date) -> _Range | None:
    """News style: 14日 is the 14th nearest to the anchor, this month's or a neighbour's."""
    day = int(match["d"])
    candidates = []
    for months in (0, -1, 1):
        year, month = _add_months(anchor, months)
        if day <= calendar.monthrange(year, month)[1]:
            candidates.append(dt.date(year, month, day))
    return _day(min(candidates, key=lambda date: abs((date - anchor).days))) if candidates else None


def _day_word(match: re.Match[str], anchor: dt.date) -> _Range:
    return _day(anchor + dt.timedelta(days=_DAYS[match["dw"]]))


def _month_word(match: re.Match[str], anchor: dt.date) -> _Range:
    shift = {"上": -1, "下": 1}.get(match["mw"][0], 0)
    year, month = _add_months(anchor, shift)
    if match["d"]:
        return _day(dt.date(year, month, int(match["d"])))
    return _month(year, month)


def _week_word(match: re.Match[str], anchor: dt.date) -> _Range:
    word = match["ww"] or ""
    shift = -1 if word.startswith("上") else 1 if word.startswith("下") else 0
    monday = anchor - dt.timedelta(days=anchor.weekday()) + dt.timedelta(weeks=shift)
    day = match["wd"]
    if day is None:
        return monday, monday + dt.timedelta(days=6)
    if day == "末":
        return monday + dt.timedelta(days=5), monday + dt.timedelta(days=6)
    return _day(monday + dt.timedelta(days=_WEEKDAYS_ZH[day]))


def _ago(match: re.Match[str], anchor: dt.date) -> _Range | None:
    count = whole_number(match["n"])
    if count is None:
        return None
    days = count * (7 if match["unit"] in {"周", "星期", "个星期"} else 1)
    return _day(anchor + dt.timedelta(days=-days if match["dir"] in {"前", "之前", "以前"} else days))


def _full_en(match: re.Match[str], anchor: dt.date) -> _Range:
    month, day = _MONTHS_EN[match["m"].lower()], int(match["d"])
    year = int(match["y"]) if match["y"] else _nearest_year(anchor, month, day)
    return _day(dt.date(year, month, day))


def _month_en(match: re.Match[str], anchor: dt.date) -> _Range:
    month = _MONTHS_EN[match["m"].lower()]
    return _month(int(match["y"]) if match["y"] else _nearest_year(anchor, month), month)


def _word_en(match: re.Match[str], anchor: dt.date) -> _Range:
    days = {"yesterday": -1, "today": 0, "tonight": 0, "tomorrow": 1, "the day before yesterday": -2}
    return _day(anchor + dt.timedelta(days=days[match[0].lower()]))


def _period_en(match: re.Match[str], anchor: dt.date) -> _Range:
    shift = {"last": -1, "previous": -1, "this": 0, "next": 1, "coming": 1}[match["dir"].lower()]
    unit = match["unit"].lower()
    if unit == "year":
        return _year(anchor.year + shift)
    if unit == "month":
        return _month(*_add_months(anchor, shift))
    monday = anchor - dt.timedelta(days=anchor.weekday()) + dt.timedelta(weeks=shift)
    if unit == "week":
        return monday, monday + dt.timedelta(days=6)
    if unit == "weekend":
        return monday + dt.timedelta(days=5), monday + dt.timedelta(days=6)
    return _day(monday + dt.timedelta(days=_WEEKDAYS_EN[unit]))


_AHEAD_EN = re.compile(r"\b(?:will|would|to|due|plans?|next|until|starts?|begins?|opens?)\b[^.!?]*\Z", re.IGNORECASE)


def _weekday_en(match: re.Match[str], anchor: dt.date) -> _Range:
    """News style: the last such day up to the anchor, or the next one where the words before it look ahead."""
    ahead = _AHEAD_EN.search(match.string[max(0, match.start() - 60) : match.start()])
    behind = (anchor.weekday() - _WEEKDAYS_EN[match["wd"].lower()]) % 7
    return _day(anchor + dt.timedelta(days=(7 - behind) % 7 if ahead else -behind))


def _ago_en(match: re.Match[str], anchor: dt.date) -> _Range:
    words = ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten"]
    count = int(match["n"]) if match["n"].isdigit() else words.index(match["n"].lower())
    return _day(anchor - dt.timedelta(days=count * _UNITS_EN[match["unit"].lower()]))


_PART = r"上半年|下半年|前三季度|第?[一二三四]季度"
_M = r"(?:1[0-2]|0?[1-9])"
_D = r"(?:3[01]|[12]\d|0?[1-9])"
_MONTH_EN = (
    r"(?P<m>January|February|March|April|May|June|July|August|September|October|November|December"
    r"|Jan|Feb|Mar|Apr|Jun|Jul|Aug|Sept?|Oct|Nov|Dec)\.?"
)
_MONTHS_EN["sept"] = 9
_RULES: list[_Rule] = [
    (re.compile(r"(?P<y>(?:19|20)\d\d)\s*年\s*(?P<m>\d{1,2})\s*月\s*(?P<d>\d{1,2})\s*[日号]"), _full, False),
    (re.compile(r"(?<!\d)(?P<y>(?:19|20)\d\d)[-/.](?P<m>\d{1,2})[-/.](?P<d>\d{1,2})(?!\d)"), _full, False),
    (
        re.compile(rf"(?P<y>(?:19|20)\d\d)\s*年(?:度)?(?:(?P<part>{_PART})|\s*(?P<m>{_M})\s*月(?:份)?)?"),
        _year_month,
        False,
    ),
    (
        re.compile(
            rf"(?P<yw>前年|去年|上年|今年|本年|明年|后年|当年)(?:(?P<part>{_PART})|(?P<m>{_M}|十[一二]?|[一二三四五六七八九])月(?:份)?(?:(?P<d>{_D})[日号])?)?"
        ),
        _relative_year_month,
        True,
    ),
    (re.compile(rf"(?<!\d)(?P<m>{_M})\s*月\s*(?P<d>{_D})\s*[日号]"), _month_day, True),
    (re.compile(rf"(?P<mw>上个?月|本月|这个?月|下个?月)(?:(?P<d>{_D})[日号])?"), _month_word, True),
    (re.compile(rf"(?<![\d.个])(?P<m>{_M})月(?:份)?(?!\d)"), _month_alone, True),
    (re.compile(r"(?P<dw>大前|前|昨|今|明|后|当)(?:日|天)(?!津|气|空|然|下)"), _day_word, True),
    (re.compile(r"(?P<dw>昨|今|明)(?:晚|晨|早)"), _day_word, True),
    (re.compile(r"(?P<ww>上个?|本|这个?|下个?)(?:周|星期|礼拜)(?P<wd>[一二三四五六日天末])?"), _week_word, True),
    (
        re.compile(
            r"(?<![两一二三四五六七八九十\d每逢至到])(?P<ww>)(?:周|星期|礼拜)(?P<wd>[一二三四五六日天末])(?![年岁届至到不闭休、])"
        ),
        _week_word,
        True,
    ),
    (
        re.compile(
            r"(?P<n>\d{1,3}|[一二两三四五六七八九十]{1,3})(?P<unit>天|日|周|个?星期)(?P<dir>前|之前|以前|后|之后|以后)"
        ),
        _ago,
        True,
    ),
    (re.compile(rf"(?<![\d月.~—至-])(?P<d>{_D})日(?!元|产|内|游|均)"), _day_alone, True),
    (re.compile(rf"\b{_MONTH_EN}\s+(?P<d>{_D})(?:st|nd|rd|th)?\b(?:,?\s+(?P<y>(?:19|20)\d\d))?"), _full_en, False),
    (
        re.compile(rf"\b(?P<d>{_D})(?:st|nd|rd|th)?\s+(?:of\s+)?{_MONTH_EN}(?:,?\s+(?P<y>(?:19|20)\d\d))?\b"),
        _full_en,
        False,
    ),
    (re.compile(rf"\b{_MONTH_EN}(?:,?\s+(?P<y>(?:19|20)\d\d))\b"), _month_en, False),
    (re.compile(rf"\b(?:in|since|until|by|during|of)\s+{_MONTH_EN}(?P<y>)(?![\w'])"), _month_en, True),
    (re.compile(r"\b(?:in|since|by|during|of|year)\s+(?P<y>(?:19|20)\d\d)(?P<part>)(?P<m>)\b"), _year_month, False),
    (re.compile(r"\b(?:the day before yesterday|yesterday|today|tonight|tomorrow)\b", re.I), _word_en, True),
    (
        re.compile(
            r"\b(?P<dir>last|previous|this|next|coming)\s+(?P<unit>year|month|weekend|week|monday|tuesday|wednesday|thursday|friday|saturday|sunday)\b",
            re.I,
        ),
        _period_en,
        True,
    ),
    (
        re.compile(r"\bon\s+(?P<wd>Monday|Tuesday|Wednesday|Thursday|Friday|Saturday|Sunday)\b(?!s)"),
        _weekday_en,
        True,
    ),
    (
        re.compile(
            r"\b(?P<n>\d{1,3}|one|two|three|four|five|six|seven|eight|nine|ten)\s+(?P<unit>day|week)s?\s+ago\b", re.I
        ),
        _ago_en,
        True,
    ),
]
