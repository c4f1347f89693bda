"""Amounts of both languages in one normal form."""

from __future__ import annotations

from decimal import Decimal

import pytest

from rag.numbers import amount_en, find_numbers, same_amount
from rag.numerals import chinese_numeral, whole_number


def amounts(text: str) -> list[tuple[Decimal, str, str]]:
    return [(n.value, n.unit, text[n.start : n.end]) for n in find_numbers(text)]


@pytest.mark.parametrize(
    ("text", "value", "unit"),
    [
        ("1.21亿吨", "121000000", "tonne"),
        ("121 million tonnes", "121000000", "tonne"),
        ("121,000,000 tonnes", "121000000", "tonne"),
        ("１．２１亿吨", "121000000", "tonne"),
        ("40亿元", "4000000000", "yuan"),
        ("4 billion yuan", "4000000000", "yuan"),
        ("RMB 4 billion", "4000000000", "yuan"),
        ("人民币40亿元", "4000000000", "yuan"),
        ("$3.5 million", "3500000", "US dollar"),
        ("350万美元", "3500000", "US dollar"),
        ("3万平方米", "30000", "square metre"),
        ("30,000 square metres", "30000", "square metre"),
        ("25.88％", "25.88", "percent"),
        ("25.88 per cent", "25.88", "percent"),
        ("百分之二十五点八八", "25.88", "percent"),
        ("三成", "30", "percent"),
        ("3.5个百分点", "3.5", "percentage point"),
        ("四分之一", "0.25", ""),
        ("500万千瓦", "5000000", "kilowatt"),
        ("5 million kilowatts", "5000000", "kilowatt"),
        ("200亿亿次", "2000000000000000000", ""),
        ("第二十七批", "27", ""),
        ("27th", "27", ""),
        ("二十五家", "25", ""),
        ("eight universities", "8", ""),
        ("twenty-one people", "21", "person"),
        ("a million people", "1000000", "person"),
        ("两万多名", "20000", ""),
        ("一万两千三百", "12300", ""),
        ("一年", "1", "year"),
        ("零下五度", "-5", "degree Celsius"),
        ("-5℃", "-5", "degree Celsius"),
        ("60 多个", "60", ""),
        ("长5km的路", "5", "kilometre"),
        ("净利润-3.2亿元", "-320000000", "yuan"),
    ],
)
def test_reads_one_amount(text: str, value: str, unit: str) -> None:
    assert [(n.value, n.unit) for n in find_numbers(text)] == [(Decimal(value), unit)]


def test_offsets_cover_figure_and_unit_in_order() -> None:
    assert amounts("工厂产值超2.6亿元，招工60余名，占比３０％。") == [
        (Decimal("260000000"), "yuan", "2.6亿元"),
        (Decimal("60"), "", "60余名"),
        (Decimal("30"), "percent", "３０％"),
    ]


@pytest.mark.parametrize(
    "text",
    [
        "2026年1月9日", "on January 9, 2026", "1到9月", "“十四五”规划", "十五五", "G95高速", "5G", "PM2.5", "COVID-19",
        "8:30", "几千万元", "数百家", "百年老店", "一起", "一个", "七八十年", "三四天", "万一", "三明", "一带一路",
        "零部件", "百分之٣", "one of them", "12.3.4",
    ],
)  # fmt: skip
def test_leaves_alone_what_is_no_amount(text: str) -> None:
    assert find_numbers(text) == []


@pytest.mark.parametrize(
    ("text", "bound"),
    [
        ("超1.2万人", "more than"), ("突破3亿元", "more than"), ("1250余万人", "more than"), ("百余家", "more than"),
        ("不少于100个", "at least"), ("100个以上", "at least"), ("近5000平方米", "nearly"), ("约9万吨", "about"),
        ("9万吨左右", "about"), ("不超过3天", "at most"), ("不到一年", "less than"), ("100个", ""),
        ("more than 60 countries", "more than"), ("at least 5 km", "at least"), ("nearly 5,000 people", "nearly"),
    ],
)  # fmt: skip
def test_reads_bounds(text: str, bound: str) -> None:
    assert [n.bound for n in find_numbers(text)] == [bound]


@pytest.mark.parametrize(
    ("zh", "en", "same"),
    [
        ("1.21亿吨", "121 million tonnes", True),
        ("1.21亿吨", "12.1 million tonnes", False),
        ("8所", "8 universities", True),
        ("7年", "7 months", False),
        ("3500万元", "35,000,000 yuan", True),
        ("25.88%", "25.88 percent", True),
        ("60多个", "more than 60", True),
        ("三分之二", "3分之2", True),
    ],
)
def test_compares_values_and_units(zh: str, en: str, same: bool) -> None:
    (a,), (b,) = find_numbers(zh), find_numbers(en)
    assert same_amount(a, b) is same
    assert same_amount(b, a) is same


def test_the_start_of_a_range_takes_unit_and_multiplier_from_its_end() -> None:
    assert amounts("投入2.5-3.0亿元，历时3至5年，共100至1万人") == [
        (Decimal("250000000"), "yuan", "2.5"),
        (Decimal("300000000"), "yuan", "3.0亿元"),
        (Decimal("3"), "year", "3"),
        (Decimal("5"), "year", "5年"),
        (Decimal("100"), "person", "100"),
        (Decimal("10000"), "person", "1万人"),
    ]


@pytest.mark.parametrize(
    ("figure", "value"),
    [("三千二百万", 32_000_000), ("二〇二五", 2025), ("十", 10), ("一百零五", 105), ("两亿三千万", 230_000_000),
     ("三点五", Decimal("3.5")), ("三四", None), ("七八十", None), ("十五五", None),
     ("甲", None), ("", None)],
)  # fmt: skip
def test_chinese_numerals(figure: str, value: int | Decimal | None) -> None:
    assert chinese_numeral(figure) == value


def test_whole_numbers() -> None:
    figures = ["27", "二十七", "十", "一百零五", "两", "三点五", "x", ""]
    assert [whole_number(figure) for figure in figures] == [27, 27, 10, 105, 2, None, None, None]


@pytest.mark.parametrize(
    ("zh", "en"),
    [
        ("1.21亿吨", "121 million tonnes"), ("40亿元", "4 billion yuan"), ("60多个", "more than 60"),
        ("60多个国家和地区", "more than 60"), ("3万平方米", "30,000 square metres"),
        ("近5000平方米", "nearly 5,000 square metres"),
        ("3.5万亿元", "3.5 trillion yuan"), ("1276.19亿元", "127.619 billion yuan"), ("3440万辆", "34.4 million"),
        ("8.6万余个", "more than 86,000"), ("20260项", "20,260"), ("每9秒", "9 seconds"), ("1公里", "1 kilometre"),
        ("25.88%", "25.88%"), ("1.4万P", "14,000 P of computing power"), ("改了27次、29轮", "27; 29"),
        ("0-0亿元", "0 yuan; 0 yuan"), ("零下5摄氏度", "-5 degrees Celsius"), ("1234567人", "1,234,567 people"),
        ("十一年", "11 years"),
    ],
)  # fmt: skip
def test_conversion_for_english_readers(zh: str, en: str) -> None:
    assert "; ".join(amount_en(number) for number in find_numbers(zh)) == en


def test_absurd_figures_neither_crash_nor_hang() -> None:
    assert find_numbers("1" * 5000) == []
    (number,) = find_numbers("9" * 18 + "亿亿亿元")
    assert amount_en(number) == "1.000E+42 yuan"
