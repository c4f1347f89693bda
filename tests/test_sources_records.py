"""JSON records: WeChat exports and their relatives."""

import datetime as dt
import json

import pytest

from rag.errors import SourceError
from rag.sources.dating import date_in_name, date_line, parse_date
from rag.sources.sidecar import Defaults
from rag.sources.web import web_address
from rag.sources.wechat import read_records

RECORD = {
    "文章标识符aid": "71_1",
    "标题title": "下周冷҈冷҈！&nbsp;注意保暖",
    "链接url": "https://news.example/s?a=1&amp;b=2",
    "时间time": "2026-01-20",
    "公众号名称": "云陵发布",
    "finalContent": "┏\r┓\r周一降温。\r\r\r\r最低\u200b零下4℃。★\r★\r来源：云陵晨报\r",
}


def read(value, **defaults):
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return read_records(text, "dir/export.txt", Defaults(**defaults))


def test_a_wechat_record():
    (article,), problems = read([RECORD])
    assert problems == []
    assert article.id == "云陵发布/71_1"
    assert article.title == "下周冷҈冷҈！ 注意保暖"
    assert article.text == "周一降温。\n\n最低零下4℃。★\n来源：云陵晨报"
    assert (article.source, article.date, article.url) == (
        "云陵发布",
        dt.date(2026, 1, 20),
        "https://news.example/s?a=1&b=2",
    )
    assert article.file == "dir/export.txt"
    assert article.spans == ()


def test_other_keys_and_json_lines_with_one_bad_line():
    text = (
        '{"title": "A", "content": "One.", "date": "2024年3月5日"}\n{"title": "B", \n\n'
        '{"headline": "C", "body": "Three.", "author": ["X", "Y"]}\n'
    )
    articles, problems = read(text, source="Post", date=dt.date(2025, 5, 5))
    assert [(a.id, a.title, a.text, a.source, a.date, a.byline) for a in articles] == [
        ("export.txt#1", "A", "One.", "Post", dt.date(2024, 3, 5), None),
        ("export.txt#2", "C", "Three.", "Post", dt.date(2025, 5, 5), "X Y"),
    ]
    assert [(p.record, p.cause.startswith("not valid JSON")) for p in problems] == [("line 2", True)]


def test_bad_records_are_skipped_and_named():
    records = [1, None, {"title": "no text"}, {"finalContent": 5}, RECORD, RECORD, {**RECORD, "finalContent": "Other."}]
    articles, problems = read(records)
    assert [a.id for a in articles] == ["云陵发布/71_1"]
    assert [(p.record, p.cause) for p in problems] == [
        ("record 1", "is a number; expected an object with a title and a text"),
        ("record 2", "is null; expected an object with a title and a text"),
        ("record 3", "no text; expected one of finalContent, content, text, 正文"),
        ("record 4", "finalContent is a number; expected a string"),
        ("record 4", "no text; expected one of finalContent, content, text, 正文"),
        ("record 6", "id '云陵发布/71_1' was used before (same text); record skipped"),
        ("record 7", "id '云陵发布/71_1' was used before (other text); record skipped"),
    ]


def test_odd_fields_become_safe_defaults():
    record = {
        "title": ["x", 1],
        "url": "javascript:alert(1)",
        "date": 55_840_000_000_000_000,
        "content": "<p>Half \\ud83d of a pair</p><script>steal()</script><p>\U000e0049\U000e0047hidden</p>",
    }
    text = json.dumps([record]).replace("\\\\ud83d", "\\ud83d")
    (article,), problems = read(text)
    assert (article.title, article.url, article.date) == ("", None, None)
    assert article.text == "Half \ufffd of a pair\nhidden"
    assert [p.cause.split(";")[0] for p in problems] == [
        "text holds half of a surrogate pair",
        "2 invisible tag characters removed from the text",
        "title is a list",
        "date is '55840000000000000'",
        "url is 'javascript:alert(1)'",
    ]


def test_objects_that_hold_a_list():
    articles, _ = read({"count": 2, "articles": [{"title": "A", "text": "One."}, {"title": "B", "text": "Two."}]})
    assert [a.title for a in articles] == ["A", "B"]
    assert [a.title for a in read({"title": "A", "text": "One."})[0]] == ["A"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[" * 100_000, "JSON nested too deeply"),
        ('[{"title": "A", "text": "cut', "not valid JSON"),
        ('{"a": 1}{"b": 2}', "not valid JSON"),
        ('[{"id": ' + "9" * 5000 + "}]", "not valid JSON"),
        ("[]", "JSON without articles"),
    ],
)
def test_unreadable_json(text, message):
    with pytest.raises(SourceError, match=message) as caught:
        read(text)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("2026-01-20", "2026-01-20"),
        ("2026-01-20T23:30:00+08:00", "2026-01-20"),
        ("2024年3月5日 08:30", "2024-03-05"),
        ("Mon, 04 Mar 2024 16:00:00 GMT", "2024-03-05"),
        ("2024-03-04T16:00:00.000Z", "2024-03-05"),
        ("2024-03-04T15:59:59+00:00", "2024-03-04"),
        ("2024-03-04T23:30:00-05:00", "2024-03-04"),
        ("Mon Mar 04 20:05:00 +0800 2024", "2024-03-04"),
        ("二〇二四年三月廿一日", "2024-03-21"),
        ("２０２４年３月５日", "2024-03-05"),
        ("2024/3/5", "2024-03-05"),
        ("20240305", "2024-03-05"),
        ("March 5, 2024", "2024-03-05"),
        ("5 Mar 2024", "2024-03-05"),
        (1_767_196_800, "2026-01-01"),
        (1_767_196_800_000, "2026-01-01"),
        ("1767196800", "2026-01-01"),
        (dt.date(2024, 3, 5), "2024-03-05"),
    ],
)
def test_dates(value, expected):
    assert parse_date(value).isoformat() == expected


@pytest.mark.parametrize(
    "value", [None, "", 0, -1, 1e18, float("nan"), True, [], {}, "2024-13-05", "2024-02-30", "昨天", "12345678901"]
)
def test_no_date(value):
    assert parse_date(value) is None


def test_dates_in_names_and_lines():
    assert date_in_name("2025-12-09_a02.txt") == dt.date(2025, 12, 9)
    assert date_in_name("rb20251209.txt") == dt.date(2025, 12, 9)
    assert date_in_name("003_4a3b20251209cd.txt") is None
    assert date_line("发布时间：2024年3月5日 08:30 来源：") == dt.date(2024, 3, 5)
    assert date_line("2024年3月5日，新桥通车。") is None
    assert date_line("Published on March 5, 2024") == dt.date(2024, 3, 5)


def test_web_addresses():
    assert web_address("https://a.example/x?y=1") == "https://a.example/x?y=1"
    for bad in (
        "javascript:alert(1)",
        "data:text/html,x",
        "file:///etc/passwd",
        "/relative",
        "https://",
        "http://[",
        'http://a/"x',
        "http://a/\nb",
        None,
        5,
    ):
        assert web_address(bad) is None


@pytest.mark.parametrize(
    "line",
    [
        "二〇二四年三月五日", "2024年3月5日 星期二 小雨转阴", "发布时间：2024-03-05 08:12:33 浏览次数：12",
        "[2024-03-05]",        "云陵晚报 2024年03月05日 第A02版", "时间：2024年3月5日 来源：云陵晚报 编辑：高远",
        "**2024-03-05**", "2024.03.05",        "2024年3月5日08:12 | 来源：云陵网", "March 5, 2024 at 9:15 AM",
        "_2024年03月05日 20:01_ _云陵_", "(2024-03-05)",
        "Published: Tuesday, March 5, 2024 08:15 GMT", "2024年⽉".replace("⽉", "3⽉5⽇"),
    ],
)  # fmt: skip
def test_date_lines(line):
    assert date_line(line) == dt.date(2024, 3, 5)


@pytest.mark.parametrize(
    "line",
    [
        "03/05/2024", "2024年3月5日，新桥通车", "时间：2024年3月5日 地点：市礼堂", "新桥将于2024年3月5日通车",
        "自2024年3月5日起施行",        "记者2024年3月5日从市政府获悉", "March 5, 2024 was a day of snow",
        "2024年3月5日至8日", "2024年2月30日",
    ],
)  # fmt: skip
def test_lines_that_tell_of_a_date_are_none(line):
    assert date_line(line) is None
