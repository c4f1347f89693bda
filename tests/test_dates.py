import datetime as dt

import pytest

from rag.dates import find_dates, format_date

FRIDAY = dt.date(2026, 1, 16)


@pytest.mark.parametrize(
    ("text", "phrase", "first", "last"),
    [
        ("昨日举行", "昨日", "2026-01-15", "2026-01-15"),
        ("前天", "前天", "2026-01-14", "2026-01-14"),
        ("今年前三季度", "今年前三季度", "2026-01-01", "2026-09-30"),
        ("去年7月投用", "去年7月", "2025-07-01", "2025-07-31"),
        ("去年七月投用", "去年七月", "2025-07-01", "2025-07-31"),
        ("2027年上半年", "2027年上半年", "2027-01-01", "2027-06-30"),
        ("2025年度", "2025年度", "2025-01-01", "2025-12-31"),
        ("1月18日开通", "1月18日", "2026-01-18", "2026-01-18"),
        ("12月28日开通", "12月28日", "2025-12-28", "2025-12-28"),
        ("记者14日获悉", "14日", "2026-01-14", "2026-01-14"),
        ("30日启用", "30日", "2026-01-30", "2026-01-30"),
        ("本周日开通", "本周日", "2026-01-18", "2026-01-18"),
        ("这周日开通", "这周日", "2026-01-18", "2026-01-18"),
        ("本周末降雪", "本周末", "2026-01-17", "2026-01-18"),
        ("下周三", "下周三", "2026-01-21", "2026-01-21"),
        ("三天前", "三天前", "2026-01-13", "2026-01-13"),
        ("上个月", "上个月", "2025-12-01", "2025-12-31"),
        ("on January 18, 2026", "January 18, 2026", "2026-01-18", "2026-01-18"),
        ("on 18 January", "18 January", "2026-01-18", "2026-01-18"),
        ("in 2025", "in 2025", "2025-01-01", "2025-12-31"),
        ("last month", "last month", "2025-12-01", "2025-12-31"),
        ("next Wednesday", "next Wednesday", "2026-01-21", "2026-01-21"),
        ("three days ago", "three days ago", "2026-01-13", "2026-01-13"),
    ],
)
def test_one_expression(text: str, phrase: str, first: str, last: str) -> None:
    (mention,) = find_dates(text, FRIDAY)
    assert text[mention.start : mention.end] == phrase
    assert (mention.first.isoformat(), mention.last.isoformat()) == (first, last)


@pytest.mark.parametrize("text", ["今天津城下雪", "2月30日", "10日内办结", "一周年", "每人3.14日元", "", "may be"])
def test_what_is_no_date(text: str) -> None:
    assert [m for m in find_dates(text, FRIDAY) if m.is_day] == []


def test_mentions_come_in_order_and_do_not_overlap() -> None:
    text = "昨日，14日公布的2025年数据显示，去年7月增长"
    found = find_dates(text, FRIDAY)
    assert [text[m.start : m.end] for m in found] == ["昨日", "14日", "2025年", "去年7月"]
    assert [m.relative for m in found] == [True, True, False, True]


def test_years_at_the_edge_do_not_crash() -> None:
    assert find_dates("九十九天后 明年 下个月", dt.date.max) == []


def test_format_date() -> None:
    day = dt.date(2026, 1, 18)
    assert format_date(day, day, "zh") == "2026年1月18日"
    assert format_date(day, day, "en") == "18 January 2026"
    assert format_date(dt.date(2025, 7, 1), dt.date(2025, 7, 31), "zh") == "2025年7月"
    assert format_date(dt.date(2025, 1, 1), dt.date(2025, 12, 31), "en") == "2025"
    assert format_date(dt.date(2026, 1, 17), day, "zh") == "2026年1月17日至2026年1月18日"


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("The library opened on Monday.", dt.date(2026, 1, 12)),
        ("The library will open on Monday.", dt.date(2026, 1, 19)),
        ("It closed on Wednesday.", dt.date(2026, 1, 14)),
        ("It is closed on Mondays.", None),
    ],
)
def test_a_weekday_without_a_week_is_the_last_one_or_the_next(text: str, day: dt.date | None) -> None:
    found = find_dates(text, dt.date(2026, 1, 14))
    assert [(m.first, m.last) for m in found] == ([(day, day)] if day else [])


def test_that_day_behind_a_date_repeats_it():
    found = find_dates("1月9日当天谁来了？当天几点？", dt.date(2026, 1, 20))
    assert [(m.start, m.end, m.first) for m in found] == [(0, 4, dt.date(2026, 1, 9)), (10, 12, dt.date(2026, 1, 20))]
    assert [m.yearly for m in found] == [True, False]


@pytest.mark.parametrize("text", ["每周一闭馆", "周一至周五开放", "逢周三休息", "周一不闭馆"])
def test_a_day_of_every_week_is_no_date(text):
    assert find_dates(text, dt.date(2026, 1, 20)) == []
