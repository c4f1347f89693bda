"""Numbers written in Chinese characters."""

from __future__ import annotations

from decimal import Decimal
from typing import Final

DIGITS: Final = {c: i for i, c in enumerate("零一二三四五六七八九")} | {"〇": 0, "两": 2}
POWERS: Final = {"十": 10, "百": 100, "千": 1000, "万": 10**4, "亿": 10**8}


def chinese_numeral(figure: str) -> Decimal | None:
    """Value of a Chinese numeral (三千二百万, 二〇二五, 三点五); None for what is none (七八十, 十五五, 甲)."""
    if not figure or not all(c in DIGITS or c in POWERS or c == "点" for c in figure):
        return None
    whole, _, decimals = figure.partition("点")
    if decimals:
        value = chinese_numeral(whole)
        if not all(c in DIGITS for c in decimals):
            return None
        fraction = "".join(str(DIGITS[c]) for c in decimals)
        return None if value is None else value + Decimal(f"0.{fraction}")
    if all(c in DIGITS for c in whole):
        if len(whole) == 2:
            return None  # 三四: three or four
        return Decimal("".join(str(DIGITS[c]) for c in whole))
    total = section = 0
    digit: int | None = None
    for c in whole:
        if c in DIGITS:
            if digit:
                return None
            digit = DIGITS[c]
        elif c == "亿":
            total = (total + section + (digit or 0) or 1) * POWERS[c]
            section, digit = 0, None
        elif c == "万":
            total += (section + (digit or 0) or 1) * POWERS[c]
            section, digit = 0, None
        else:
            section += (1 if digit is None else digit) * POWERS[c]
            digit = None
    return Decimal(total + section + (digit or 0))


def whole_number(figure: str) -> int | None:
    """Value of a whole number in Arabic digits or Chinese characters; None when it is not one.

    >>> whole_number("二十七"), whole_number("27"), whole_number("三点五")
    (27, 27, None)
    """
    if figure.isdigit() and figure.isascii():
        return int(figure)
    value = chinese_numeral(figure)
    return int(value) if value is not None and value == int(value) else None
