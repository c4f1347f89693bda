"""Amounts in Chinese and English text as values with units, so that 1.21亿吨 equals 121 million tonnes.

Calendar dates are no amounts: see `rag.dates`. Counters (个, 家, 项, …) carry no unit of their own, so 60个 and
60 compare equal.
"""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import dataclass, replace
from decimal import Decimal
from itertools import pairwise

from rag.dates import find_dates
from rag.numerals import DIGITS, POWERS, chinese_numeral
from rag.units import COUNTER, CURRENCIES, NAMED_UNITS, PLURALS, TENTHS

_ANY_DAY = dt.date(2000, 1, 1)
"""Anchor for finding date expressions whose meaning does not matter here."""


@dataclass(frozen=True, slots=True)
class Number:
    """An amount: `text[start:end]` is the figure with its unit, without the words of `bound`."""

    value: Decimal
    """Multipliers applied: 121000000 for 1.21亿."""
    unit: str
    """A singular name of `rag.units.UNITS` (`tonne`, `yuan`, `percent`, …); empty for counters and bare figures."""
    start: int
    end: int
    bound: str = ""
    """`more than`, `at least`, `nearly`, `about`, `at most`, `less than`, or empty when exact."""
    spelled: bool = False
    """Whether the figure is written in words (三, three) rather than digits."""


_NARROW = str.maketrans("０１２３４５６７８９．％＄￥－", "0123456789.%$¥-")

_SCALES_EN = {"hundred": 10**2, "thousand": 10**3, "million": 10**6, "billion": 10**9, "trillion": 10**12}
_SCALES_EN |= {"mn": 10**6, "bn": 10**9, "tn": 10**12}

_SCALE_EN = r"(?:[ -]?(?:hundred|thousand|million|billion|trillion|mn|bn|tn)\b)"
_TENS_EN = "twenty|thirty|forty|fifty|sixty|seventy|eighty|ninety"
_ONES_EN = "two|three|four|five|six|seven|eight|nine"
_TEENS_EN = "ten|eleven|twelve|thirteen|fourteen|fifteen|sixteen|seventeen|eighteen|nineteen"
_WORDS_EN = {"one": 1} | {
    word: first + step * i
    for words, first, step in ((_ONES_EN, 2, 1), (_TEENS_EN, 10, 1), (_TENS_EN, 20, 10))
    for i, word in enumerate(words.split("|"))
}
_ARABIC = r"\d{1,3}(?:,\d{3}){1,5}(?!\d)(?:\.\d{1,9})?|\d{1,18}(?:\.\d{1,9})?"
_HAN = r"[〇零一二两三四五六七八九十百千万亿]{1,30}(?:点[〇零一二三四五六七八九]{1,30})?"
_FIGURE = re.compile(
    rf"(?P<parts>百分之|(?P<den>{_HAN}|\d{{1,18}})分之)(?P<num>{_HAN}|{_ARABIC})"
    r"|(?P<currency>US\$|HK\$|[$€£¥]|RMB ?|CNY ?|人民币)?(?P<sign>(?<![\w.])[-−]|零下)?"
    rf"(?<![A-Za-z_\d])(?<![A-Za-z]-)(?<!\d[.,:])(?P<digits>{_ARABIC})(?![\d:]|\.\d|[-–~至到]\n)(?P<some> ?[多余])?"
    r"(?P<scale>(?:[万亿]|千(?![瓦克米赫字帕卡])|百(?!分)){1,4})?(?P<more>[多余])?"
    rf"(?P<scale_en>{_SCALE_EN}{{1,4}})?(?P<ordinal_en>(?:st|nd|rd|th)\b)?"
    rf"|(?<![几数〇零一二两三四五六七八九十百千万亿])(?P<below>零下)?(?P<han>{_HAN})(?P<han_more>[多余])?(?P<han_scale>[万亿]{{1,4}})?"
    rf"|\b(?P<words>(?:{_TENS_EN})(?:[- ](?:one|{_ONES_EN}))?|{_TEENS_EN}|{_ONES_EN}|(?:one|an?)(?={_SCALE_EN}))\b"
    rf"(?P<words_scale>{_SCALE_EN}{{0,4}})",
    re.IGNORECASE | re.ASCII,  # a Chinese character ends a Latin word or number
)
_BOUNDS_BEFORE = tuple(
    (bound, re.compile(rf"(?:{pattern})\Z", re.IGNORECASE))
    for bound, pattern in (
        ("at most", r"不超过|不高于|不多于|最多|至多|up to |at most |no more than |not more than "),
        ("at least", r"不少于|不低于|至少|at least |no fewer than |no less than "),
        ("less than", r"不足|不到|低于|少于|小于|less than |fewer than |under |below "),
        ("more than", r"(?:超过|超出|超|突破|逾|多于|高于|大于)了?|more than |over |above |exceed(?:s|ed|ing)? "),
        ("nearly", r"接近|将近|近|nearly |almost |close to "),
        ("about", r"大约|约|about |around |roughly |approximately "),
    )
)
_RANGE = re.compile(r" ?[-–—~至到] ?| to ")
_DECIMAL = re.compile(r"\d{1,18}(?:\.\d{1,9})?")
_SPACE_BEFORE_HAN = re.compile(r" [^\x00-\x7f]")
_LETTER = re.compile(r"[A-Za-z]")
_BOUNDS_AFTER = (
    ("at least", re.compile(r"及?以上")),
    ("at most", re.compile(r"及?以[下内]")),
    ("about", re.compile(r"左右|上下")),
)


def find_numbers(text: str) -> list[Number]:
    """Amounts in `text` in order, without overlap; offsets index `text`.

    Left out: calendar dates, figures inside codes (G95, COVID-19), times of day (8:30), vague figures (几千,
    数百), Chinese numerals without a unit or counter, and 一 before a counter, which is an article.

    >>> [(str(n.value), n.unit, n.bound) for n in find_numbers("超1.21亿吨，60多个")]
    [('121000000.00', 'tonne', 'more than'), ('60', '', 'more than')]
    """
    narrow = _without_dates(text.translate(_NARROW))
    found = [_read(match, narrow) for match in _FIGURE.finditer(narrow)]
    return _complete_ranges([number for number in found if number is not None], narrow)


def _without_dates(text: str) -> str:
    """`text` with a line break for each character of a date."""
    pieces, kept = [], 0
    for mention in find_dates(text, _ANY_DAY):
        pieces += [text[kept : mention.start], "\n" * (mention.end - mention.start)]
        kept = mention.end
    return "".join([*pieces, text[kept:]])


def same_amount(a: Number, b: Number) -> bool:
    """Whether two amounts agree: equal values, and equal units unless one of them has none."""
    return a.value == b.value and (a.unit == b.unit or not a.unit or not b.unit)


def amount_en(number: Number) -> str:
    """One amount in English words, with its bound."""
    figure = _figure_en(number.value)
    if number.unit == "percent":
        figure += "%"
    elif number.unit:
        figure += f" {number.unit if abs(number.value) == 1 else PLURALS[number.unit]}"
    return f"{number.bound} {figure}".strip()


def _figure_en(value: Decimal) -> str:
    """Millions and above in words when three decimals suffice, thousands commas otherwise."""
    if value.adjusted() > 20:  # beyond what commas help to read, and what Decimal rounds exactly
        return f"{value:.3E}"
    for name in ("trillion", "billion", "million"):
        scaled = value / _SCALES_EN[name]
        if abs(scaled) >= 1 and scaled == round(scaled, 3):
            return f"{scaled.normalize():,f} {name}"
    return f"{round(value, 3).normalize():,f}"


def _complete_ranges(numbers: list[Number], text: str) -> list[Number]:
    """Give the first figure of a range what only the second one states: 2.5-3亿元 runs from 2.5亿元."""
    for i, (low, high) in enumerate(pairwise(numbers)):
        if not _RANGE.fullmatch(text[low.end : high.start]) or not re.fullmatch(r"[\d.]+", text[low.start : low.end]):
            continue
        figure = _DECIMAL.match(text, high.start)
        scale = high.value / Decimal(figure.group()) if figure and Decimal(figure.group()) >= low.value > 0 else 1
        numbers[i] = replace(low, value=low.value * scale, unit=high.unit)
    return numbers


def _read(match: re.Match[str], text: str) -> Number | None:
    """The amount that `match` begins, extended by its unit; None when it is not one."""
    spelled = not match["digits"]
    value = _value(match)
    if value is None:
        return None
    unit, end = _unit(text, match.end())
    if match["parts"]:
        unit = "percent" if match["parts"] == "百分之" else unit
    elif match["currency"] and not unit:
        unit = CURRENCIES.get(match["currency"].upper().strip(), "yuan")
    if unit == "tenths":
        value, unit = value * 10, "percent"
    bound = _bound(text, match.start(), end) or ("more than" if match["some"] or match["more"] else "")
    bound = bound or ("more than" if match["han_more"] else "")
    if match["han"] and not _is_amount(match, text, unit, end, bound):
        return None
    if match["digits"] and end == match.end() and _LETTER.match(text, end):
        return None  # a code such as 5G or 3D
    return Number(value, unit, match.start(), end, bound, spelled)


def _is_amount(match: re.Match[str], text: str, unit: str, end: int, bound: str) -> bool:
    """Whether a figure in Chinese characters counts something rather than being part of a word."""
    ordinal = text.endswith("第", 0, match.start())
    figure = match["han"] + (match["han_scale"] or "")
    long = len(figure) > 3 and not set(figure) <= set(DIGITS)
    if end == match.end() and not ordinal and not long:
        return False
    if match["han"][0] in "百千万亿":
        return bool(bound)
    return bool(unit) or ordinal or match["han"] not in {"一", "零"}


def _value(match: re.Match[str]) -> Decimal | None:
    if match["parts"]:
        part = _plain(match["num"])
        whole = _plain(match["den"]) if match["den"] else Decimal(1)
        return part / whole if part is not None and whole else None
    if match["words"]:
        words = match["words"].lower().replace("-", " ").split()
        spoken = sum((Decimal(_WORDS_EN.get(word, 1)) for word in words), Decimal(0))
        return spoken * _scale_en(match["words_scale"])
    if match["han"]:
        value = _plain(match["han"])
        return None if value is None else (-value if match["below"] else value) * _scale_zh(match["han_scale"])
    value = Decimal(match["digits"].replace(",", ""))
    return (-value if match["sign"] else value) * _scale_zh(match["scale"]) * _scale_en(match["scale_en"])


def _scale_zh(powers: str | None) -> int:
    product = 1
    for power in powers or "":
        product *= POWERS[power]
    return product


def _scale_en(words: str | None) -> int:
    product = 1
    for word in re.findall("[a-z]+", (words or "").lower()):
        product *= _SCALES_EN[word]
    return product


def _plain(figure: str) -> Decimal | None:
    """Value of digits or of Chinese numerals."""
    return Decimal(figure.replace(",", "")) if figure[0].isdigit() and figure.isascii() else chinese_numeral(figure)


def _unit(text: str, position: int) -> tuple[str, int]:
    """The unit that begins at `position` and where it ends; `("", position)` for none."""
    start = position + 1 if _SPACE_BEFORE_HAN.match(text, position) else position
    best, end = "", position
    for name, pattern in NAMED_UNITS:
        match = pattern.match(text, start)
        if match and match.end() > end:
            best, end = name, match.end()
    if best:
        return best, end
    if match := TENTHS.match(text, start):
        return "tenths", match.end()
    match = COUNTER.match(text, start)
    return "", match.end() if match else position


def _bound(text: str, start: int, end: int) -> str:
    before = text[max(0, start - 16) : start]
    for bound, pattern in _BOUNDS_BEFORE:
        if pattern.search(before):
            return bound
    return next((bound for bound, pattern in _BOUNDS_AFTER if pattern.match(text, end)), "")
