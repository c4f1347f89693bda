"""Dates of articles: from a record's field, a file name or a line of the text. Never a guess, never 1970."""

from __future__ import annotations

import datetime as dt
import email.utils
import re
import unicodedata

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
_NUMERAL_DATE = re.compile(
    r"(?<![〇○零一二三四五六七八九])(?P<y>[12一二][〇○零一二三四五六七八九\d]{3})年(?P<m>[一二三四五六七八九十]{1,2}|元)月"
    r"(?P<d>[一二三四五六七八九十廿]{1,3})[日号]"
)
_NUMERALS = str.maketrans("〇○零一二三四五六七八九", "000123456789")
_TENS = {"十": "1", "廿": "2"}
_TIME = (
    r"(?:上午|下午|凌晨|晚上?|北京时间)?\d{1,2}[:时]\d{1,2}(?:[:分]\d{1,2}秒?|分)?"
    r"(?:\s?[AaPp]\.?[Mm]\.?)?(?:\s?[A-Z]{2,4})?"
)
_LABEL = (
    r"(?:发布|发表|更新|刊发|发稿|见报|出版)?(?:时间|日期|于)|来源|稿源|出处|(?:责任)?编辑|责编|作者|记者|撰文|通讯员|审核|校对"
    r"|浏览(?:次数|量)?|阅读(?:次数|量)?|点击(?:次数|量|数)?|访问量|人气|评论|字号|发布|更新|发表"
    r"|Published|Updated|Posted|Date|Source|By|Author|Views|Time"
)
_APART = r"(?<![^\s|,/(\[_*])"
"""A word stands apart from what is before it."""
_OUTLET = _APART + r"[\w·]{0,12}(?:报|社|网|台|刊|周刊|杂志|发布|新闻|客户端|融媒体?|在线|News|Post|Times|Herald|Daily)"
_WEATHER = r"(?:多云|晴|阴|雾|霾|[小中大暴阵]?[雨雪])"
# What a line holds besides its date, where it says when a text appeared and nothing that happened.
_LINE_PART = re.compile(
    rf"(?:{_LABEL}):\s?(?:{_TIME}|[^\s:,。;]{{0,24}})|{_TIME}"
    r"|(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)[a-z]*\.?|星期[一二三四五六日天]|周[一二三四五六日]|农历\S{2,12}"
    rf"|{_WEATHER}(?:转{_WEATHER})?"
    r"|-?\d{1,2}[~～-]\d{1,2}℃"
    r"|第?\s?[A-Z]?\d{1,3}\s?版|第?[A-Z]?\d{1,3}版?[:：]?\S{0,6}版|(?:总|第)第?\d{1,6}期|Page \d{1,3}"
    rf"|{_LABEL}|{_OUTLET}|on|at|原创|{_APART}[一-鿿]{{2,3}}(?![一-鿿])|[,.|/()\[\]*_~·•-]+|[AaPp][Mm]|GMT|UTC",
    re.I,
)
_EVENT = re.compile(r"地点|截止|报名|开幕|闭幕|会期|活动|比赛|举办|举行|出生|逝世|施行|实施|起$|至|为止|前$")
_MAX_PARTS = 8
_CTIME = re.compile(
    r"[A-Z][a-z]{2} (?P<m>[A-Z][a-z]{2}) +(?P<d>\d{1,2}) (?P<time>\d\d:\d\d:\d\d) (?P<zone>[+-]\d{4}) (?P<y>\d{4})"
)
"""As microblogs write it: `Mon Nov 03 20:05:00 +0800 2025`."""
_EPOCH_SECONDS = (946_684_800, 7_258_118_400)  # 2000 to 2200: small numbers are counts or flags, not times
_CHINA = dt.timezone(dt.timedelta(hours=8))


def parse_date(value: object) -> dt.date | None:
    """The day that `value` (ISO date or time, `2024年3月5日`, `March 5, 2024`, Unix time) names, else None.

    A moment counts as its day in China (UTC+8), as the exports that hold it do: Unix times, in seconds or
    milliseconds, and times in UTC (`…Z`, `GMT`, `+00:00`). Any other zone is the publisher's own, whose day is kept.
    """
    if isinstance(value, bool) or value is None:
        return None
    if isinstance(value, dt.datetime):
        return _day_of(value)
    if isinstance(value, dt.date):
        return value
    if isinstance(value, (int, float)):
        return _from_epoch(float(value))
    if not isinstance(value, str):
        return None
    text = value.strip()[:100]
    if re.fullmatch(r"\d{10}|\d{13}", text):
        return _from_epoch(float(text))
    moment = _moment(text)
    return _day_of(moment) if moment else date_in(text)


def _moment(text: str) -> dt.datetime | None:
    """The time with a zone that `text` gives as ISO 8601, RFC 2822 (`Sun, 02 Nov 2025 16:00:00 GMT`) or ctime."""
    try:
        moment = dt.datetime.fromisoformat(text)
    except ValueError:
        posted = _CTIME.fullmatch(text)
        text = f"{posted['d']} {posted['m']} {posted['y']} {posted['time']} {posted['zone']}" if posted else text
        try:
            moment = email.utils.parsedate_to_datetime(text)
        except (ValueError, TypeError, IndexError, OverflowError):
            return None
    return moment if moment.tzinfo and _EARLIEST <= moment.year <= _LATEST else None


def _day_of(moment: dt.datetime) -> dt.date:
    in_utc = moment.tzinfo is not None and not moment.utcoffset()
    return moment.astimezone(_CHINA).date() if in_utc else moment.date()


def date_in(text: str) -> dt.date | None:
    """The first full date written in `text`, else None."""
    found = _search(unicodedata.normalize("NFKC", text))
    return _date(found) if found else None


def _search(text: str) -> re.Match[str] | None:
    return next((m for pattern in (_YMD, _COMPACT, _NUMERAL_DATE, *_ENGLISH) if (m := pattern.search(text))), None)


def date_line(line: str) -> dt.date | None:
    """The date of a line that says when a text appeared, else None.

    Besides the date it holds nothing but what stands beside one: time of day, weekday, weather, `来源：`, the paper's
    name, the page. A line about something that happens on a date is none.
    """
    if len(line) > 120 or not any(char.isdigit() or char in "年月" for char in line):
        return None
    line = unicodedata.normalize("NFKC", line)
    match = next((m for pattern in (_YMD, _NUMERAL_DATE, *_ENGLISH) if (m := pattern.search(line))), None)
    if match is None or _EVENT.search(line):
        return None
    after = line[match.end() :].removeprefix("日").removeprefix("号")
    parts = 0
    for side, position in ((line[: match.start()], 0), (f"日{after}", 1)):
        while position < len(side):
            part = _LINE_PART.match(side, position)
            if side[position].isspace():
                position += 1
            elif part is None or part.end() == position or parts == _MAX_PARTS:
                return None
            else:
                position = part.end()
                parts += any(map(str.isalnum, part.group()))
    return _date(match)


def _date(match: re.Match[str]) -> dt.date | None:
    parts = match.groupdict()
    month = _figure(parts["m"]) if "m" in parts else _MONTHS.index(parts["name"][:3]) + 1
    try:
        return dt.date(_figure(parts["y"]), month, _figure(parts["d"]))
    except ValueError:
        return None


def _figure(text: str) -> int:
    """A number in digits, as a row of Chinese digits (二〇二五) or below 40 in words (二十一, 廿一, 元 for 1)."""
    if text == "元":
        return 1
    for ten, one in _TENS.items():
        before, found, after = text.partition(ten)
        if found:
            tens = (before.translate(_NUMERALS) or "1") if ten == "十" else one
            return int(tens) * 10 + int(after.translate(_NUMERALS) or "0")
    return int(text.translate(_NUMERALS))


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
