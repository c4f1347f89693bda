"""Amounts that a question asks for with their unit (多少人, 几场): which sentences hold one, and how surely."""

from __future__ import annotations

import re
from typing import Final

from rag.answering.reader_text import fold_keep

_ASKED_UNIT = re.compile(
    r"(?:多少|(?<![第这那近前好十])几)[余多]?"
    r"(?P<unit>平方公里|平方米|立方米|个百分点|千瓦时|亿?美元|[亿万]?元|[万亿]吨|人次|公里|千米|毫米|厘米|公顷|小时|分钟|个月"
    r"|公斤|[家个项名人件次所条台辆套座处户场种类批部架艘届轮期层栋间张班例支只枚颗篇款株棵头桶箱集门级票列节站起宗笔天周岁秒米吨亩度块])"
)
_DIGITS: Final = r"\d+(?:[.,]\d+)*[余多来]?[万亿千百]*[余多来]?"
_HAN: Final = r"[二三四五六七八九十百千万两][一二三四五六七八九十百千万两余多]*"
_VAGUE = re.compile(r"[一数][^\d〇二三四五六七八九十百千万亿]*")
_EQUAL_UNITS: Final = {
    "人": "人|名|位|人次",
    "名": "名|人|位",
    "个": "个|大|家|项|种|处",
    "家": "家|个|户",
    "块": "块|个",
    "元": "元|亿元|万元",
    "吨": "吨|万吨|亿吨",
    "类": "类|种|大类",
    "种": "种|类|大类",
}


def asked_unit(question: str) -> str:
    """The unit right behind the asking word (人 of 多少人); empty when the question names none."""
    match = _ASKED_UNIT.search(fold_keep(question))
    return match["unit"] if match else ""


def counts_in(unit: str, sentence: str) -> bool:
    """Whether `sentence` holds a figure that counts in `unit` or in one that says the same (名 for 人)."""
    units = _EQUAL_UNITS.get(unit, re.escape(unit))
    return re.search(rf"(?:{_DIGITS}|{_HAN})(?:{units})", fold_keep(sentence)) is not None


def is_vague(amount: str) -> bool:
    """Whether `amount` counts nothing (一场场, 一批, 数家): 一 before a unit mostly means "a"."""
    return _VAGUE.fullmatch(fold_keep(amount)) is not None
