"""Dates of articles: from a record's field, a file name or a line of the text. Never a guess, never 1970."""

from __future__ import annotations

import datetime as dt
import re

_EARLIEST, _LATEST = 1800, 2200
_YMD = re.compile(
    r"(?<![0-9A-Za-z])(?P<y>(?:18|19|20|21)\d{2})(?:\s*年\s*|[-/.])(?P<m>\d{1,2})(?:\s*月\s*|[-/.])(?P<d>\d{1,2})(?!\d)"
)
_COMPACT = re.compile(
    r"(?<![0-9A-Za-z])(?P<y>(?:19|20)\d{2})[-_]?(?P<m>0[1-9]|1[0-2])[-_]?(?P<d>[0-3]\d)(?![0-9A-Za-z])"
)
_MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
_MONTH = r"(?P<name>Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sept?|Oct|Nov|Dec)[a-z]*\.?"
_ENGLISH = (
    re.compile(rf"\b{_MONTH}\s+(?P<d>\d{{1,2}})(?:st|nd|rd|th)?,?\s+(?P<y>(?:19|20)\d{{2}})\b"),
    re.compile(rf"\b(?P<d>\d{{1,2}})\s+{_MONTH}\s+(?P<y>(?:19|20)\d{{2}})\b"),
)
_LINE_REST = re.compile(
    r"[\s\d:：,，.|/()（）-]*(?:(?:发布|更新|日期|时间|来源|Published|Updated|Posted|Date|on|at|Mon|Tues?|Wed|Wednes|Thu|Thurs|Fri|"
    r"Sat|Satur|Sun|day|[AP]M|GMT|UTC|星期.|周.|农历|上午|下午|记者|责任?编辑?)[\s\d:：,，.|/()（）-]*)*"
)
_EPOCH_SECONDS = (946_684_800, 7_258_118_400)  # 2000 to 2200: small numbers are counts or flags, not times
_CHINA = dt.timezone(dt.timedelta(hours=8))


def parse_date(value: object) -> dt.date | None:
    """The day that `value` (ISO date or time, `2024年3月5日`, `March 5, 2024`, Unix time) names, else None.

    Unix times, in seconds or milliseconds, count as days in China (UTC+8): the exports they come from do.
    """
    if isinstance(value, bool) or value is None:
        return None
    if isinstance(value, dt.datetime):
        return value.date()
    if isinstance(value, dt.date):
        return value
    if isinstance(value, (int, float)):
        return _from_epoch(float(value))
    if not isinstance(value, str):
        return None
    text = value.strip()[:100]
    if re.fullmatch(r"\d{10}|\d{13}", text):
        return _from_epoch(float(text))
    return date_in(text)


def date_in(text: str) -> dt.date | None:
    """The first full date written in `text`, else None."""
    for pattern in (_YMD, _COMPACT, *_ENGLISH):
        match = pattern.search(text)
        if match:
            return _date(match)
    return None


def date_line(line: str) -> dt.date | None:
    """The date of a line that holds a date and little else (time of day, weekday, `发布时间：`), else None."""
    if len(line) > 80:
        return None
    for pattern in (_YMD, *_ENGLISH):
        match = pattern.search(line)
        if match:
            rest = (line[: match.start()] + " " + line[match.end() :].removeprefix("日").removeprefix("号")).strip()
            return _date(match) if len(rest) <= 40 and _LINE_REST.fullmatch(rest) else None
    return None


def _date(match: re.Match[str]) -> dt.date | None:
    parts = match.groupdict()
    month = int(parts["m"]) if "m" in parts else _MONTHS.index(parts["name"][:3]) + 1
    try:
        return dt.date(int(parts["y"]), month, int(parts["d"]))
    except ValueError:
        return None


def _from_epoch(number: float) -> dt.date | None:
    for seconds in (number, number / 1000):
        if _EPOCH_SECONDS[0] <= seconds <= _EPOCH_SECONDS[1]:
            return dt.datetime.fromtimestamp(seconds, _CHINA).date()
    return None


def date_in_name(name: str) -> dt.date | None:
    """The date in a file name such as `2025-12-09_3.txt`, `rb20251209.txt` (after letters) or `2025年12月9日.txt`."""
    for pattern in (_YMD, _COMPACT, re.compile(_COMPACT.pattern.replace("(?<![0-9A-Za-z])", r"^[A-Za-z]+"))):
        match = pattern.search(name)
        if match:
            return _date(match)
    return None
