"""Amounts that a question asks for with their unit (多少人, 几场): which sentences hold one, and how surely."""

from __future__ import annotations

import re
from functools import cache
from typing import Final

from rag.answering.reader_text import fold_keep

_ASKED_UNIT = re.compile(
    r"(?:多少|(?<![第这那近前好十])几)[余多]?"
    r"[万亿]?(?P<unit>块钱|平方公里|平方米|立方米|个百分点|千瓦时|亿?美元|[亿万]?元|[万亿]吨|人次|公里|千米|毫米|厘米|公顷|小时|分钟|个月"
    r"|公斤|[家个项名人件次所条台辆套座处户场种类批部架艘届轮期层栋间张班例支只枚颗篇款株棵头桶箱集门级票列节站起宗笔天周岁秒米吨亩度块])"
)
_DIGITS: Final = r"\d+(?:[.,]\d+)*[余多来]?[万亿千百]*[余多来]?"
_HAN: Final = r"[二三四五六七八九十百千万两][一二三四五六七八九十百千万两余多]*"
_VAGUE = re.compile(r"[一数][^\d〇二三四五六七八九十百千万亿]*")
_LIKE: Final = (
    "人次|人|名|位", "人|名|位|人次|个|户|口", "家|个|户|所|座", "场|次|个|届", "次|场|回|趟|轮|届", "辆|台|部",
    "台|部|辆|套", "块|个", "类|种|大类", "种|类|大类|款", "班|列|趟", "处|个|座", "座|个|处", "条|个|项",
    "项|个|条|件|大", "件|项|个", "间|个|套", "只|头|羽", "枚|发",
    "个|大|家|项|种|处|名|位|人|座|条|场|间|类|批|款|支|所|户|台|次|部|件|张|艘|辆|架|头|枚|块|盏|册|口|套|只|幅|棵|株",
    "元|亿元|万元|[亿万](?![一-鿿])|块|美元|亿美元|万美元|欧元", "平方米|平方公里|万平方米|公顷|亩|㎡|平米",
    "公里|千米|米|里|厘米|毫米", "吨|万吨|亿吨|公斤|千克|克|斤", "天|日", "小时|分钟|秒", "个百分点|百分点|%",
    "度|℃|摄氏度|千瓦时", "千瓦时|度|万千瓦时",
)  # fmt: skip
"""Units that a figure may carry when the first of each row is asked, or, where no row begins with it, any of a row.

Wider than the classes of `question_type`, which are among the features that the ranker was trained on.
"""
_MEASURES: Final = frozenset((
    "人次", "元", "亿元", "万元", "美元", "亿美元", "平方公里", "平方米", "立方米", "公顷", "亩", "公里", "千米", "米",
    "毫米", "厘米", "吨", "万吨", "亿吨", "公斤", "小时", "分钟", "秒", "个百分点", "千瓦时", "度", "天", "周", "岁",
))  # fmt: skip
"""Units that measure; what others count can also be counted with 个."""


def asked_unit(question: str) -> str:
    """The unit right behind the asking word (人 of 多少人); empty when the question names none."""
    match = _ASKED_UNIT.search(fold_keep(question))
    return ("元" if match["unit"] == "块钱" else match["unit"]) if match else ""


def counts_in(unit: str, sentence: str) -> bool:
    """Whether `sentence` holds a figure that counts in `unit` or in one that says the same (名 for 人)."""
    return _figure_in(unit).search(fold_keep(sentence)) is not None


@cache
def _figure_in(unit: str) -> re.Pattern[str]:
    rows = [row for row in _LIKE if row.split("|")[0] == unit] or [row for row in _LIKE if unit in row.split("|")]
    units = "|".join([rows[0] if rows else re.escape(unit), *([] if unit in _MEASURES else ["个"])])
    once = "|一[次回趟届]" if unit in {"次", "回", "趟", "届"} else ""
    return re.compile(rf"(?:{_DIGITS}|{_HAN})(?:{units}){once}")


def is_vague(amount: str) -> bool:
    """Whether `amount` counts nothing (一场场, 一批, 数家): 一 before a unit mostly means "a"."""
    return _VAGUE.fullmatch(fold_keep(amount)) is not None
