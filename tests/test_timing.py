"""What the time words of a question say about its answers."""

import datetime as dt
import math

import pytest

from rag.answering.evidence import Evidence
from rag.answering.timing import Period, asked_periods, asks_latest, in_time, printed_then
from rag.types import Article, Hit, Passage, Question

AS_OF = dt.date(2026, 1, 20)


def scored(text, share, date):
    article = Article(id=f"{text}{date}", title="", text=text, file="f.txt", date=date)
    hit = Hit(1, 1.0, Passage(article.id, 0, len(text), text), article)
    return Evidence(hit, 0, len(text), (0, len(text)), math.log(share), 0.0, 0.0, 0.0, 0.0)


def order(question, *evidence, as_of=AS_OF):
    """Texts with their shares, best first."""
    found = in_time(evidence, Question(question, question, "zh", as_of))
    total = sum(math.exp(e.score) for e in found)
    return [(e.text, round(math.exp(e.score) / total, 2)) for e in found]


@pytest.mark.parametrize(
    ("question", "latest"),
    [("目前有多少家?", True), ("上一次会议谈了什么?", True), ("What is the latest figure?", True),
     ("Who spoke at the last meeting?", True), ("大桥多长?", False), ("What did it last cost?", False)],
)  # fmt: skip
def test_words_for_the_present_state(question, latest):
    assert asks_latest(question) is latest


def test_a_year_narrows_nothing_a_day_and_a_month_do():
    assert asked_periods("2025年9月3日和2025年11月各几家？到2027年呢？", AS_OF) == (
        Period(dt.date(2025, 9, 3), dt.date(2025, 9, 3)),
        Period(dt.date(2025, 11, 1), dt.date(2025, 11, 30)),
    )


def test_when_the_articles_about_a_day_were_printed():
    assert printed_then("昨天谁来了?", AS_OF) == Period(dt.date(2026, 1, 19), AS_OF)
    assert printed_then("1月3日谁来了?", AS_OF) == Period(dt.date(2026, 1, 3), dt.date(2026, 1, 5))
    assert printed_then("1月3日和1月5日谁来了?", AS_OF) is None
    assert printed_then("明天谁来?", AS_OF) is None


def test_a_day_of_no_named_year_is_looked_for_where_the_articles_are():
    asked = dt.date(2028, 11, 21)
    found = [dt.date(2026, 1, 4), dt.date(2026, 1, 3), dt.date(2027, 6, 1)]
    assert printed_then("1月3日谁来了?", asked, found) == Period(dt.date(2026, 1, 3), dt.date(2026, 1, 5))
    assert printed_then("1月3日谁来了?", asked) == Period(dt.date(2028, 1, 3), dt.date(2028, 1, 5))
    assert printed_then("2028年1月3日谁来了?", asked, found) == Period(dt.date(2028, 1, 3), dt.date(2028, 1, 5))
    meant = scored("昨日开馆。", 0.4, dt.date(2026, 1, 4))
    other = scored("1月9日开馆。", 0.6, dt.date(2026, 1, 10))
    assert order("1月3日开了什么馆?", other, meant, as_of=asked) == [("昨日开馆。", 0.87), ("1月9日开馆。", 0.13)]


def test_the_day_of_the_question_is_met_by_words_relative_to_the_article():
    other = scored("1月3日开馆。", 0.6, dt.date(2026, 1, 4))
    meant = scored("昨日开馆。", 0.4, dt.date(2026, 1, 9))
    assert order("1月8日开了什么馆?", other, meant) == [("昨日开馆。", 0.87), ("1月3日开馆。", 0.13)]


def test_the_latest_article_goes_first_and_none_is_from_the_future():
    old = scored("共400家。", 0.6, dt.date(2025, 9, 1))
    new = scored("共528家。", 0.3, dt.date(2025, 12, 1))
    future = scored("共600家。", 0.1, dt.date(2026, 3, 1))
    assert order("现在有多少家?", old, new, future) == [("共528家。", 0.55), ("共400家。", 0.44), ("共600家。", 0.0)]
    assert order("有多少家?", old, new, future)[0] == ("共400家。", 0.6)
    assert order("现在有多少家?", old, new, future, as_of=dt.date(2025, 10, 1))[0] == ("共400家。", 0.99)


def test_what_happened_is_told_afterwards():
    announced = scored("1月8日开馆。", 0.6, dt.date(2026, 1, 4))
    told = scored("昨日开馆。", 0.4, dt.date(2026, 1, 9))
    assert order("1月8日来了多少人?", announced, told)[0] == ("昨日开馆。", 0.53)
    assert order("1月8日来了多少人?", announced, told, as_of=dt.date(2026, 1, 7))[0] == ("1月8日开馆。", 0.6)


def test_days_left_are_counted_from_a_sentence_with_a_day():
    assert order("离开馆还剩几天?", scored("届时开馆。", 0.6, AS_OF), scored("1月26日开馆。", 0.4, AS_OF)) == [
        ("1月26日开馆。", 0.69), ("届时开馆。", 0.31),
    ]  # fmt: skip


def test_articles_without_a_date_keep_their_place():
    assert order("现在有多少家?", scored("共4家。", 0.7, None), scored("共5家。", 0.3, None)) == [
        ("共4家。", 0.7), ("共5家。", 0.3),
    ]  # fmt: skip
