"""What an English reader gets beside a Chinese quote."""

import datetime as dt

import pytest

from rag.answering.composition import Quote, compose, fit
from rag.answering.english import conversions, source_frame
from rag.answering.notes import with_notes
from rag.types import Article, Question

DAY = dt.date(2026, 1, 5)


def story(text, *, source="海风日报", date=DAY, title="青石大桥通车"):
    return Article(id="a", title=title, text=text, file="f.txt", source=source, date=date)


def quoted(text, answer="", **fields):
    at = text.index(answer) if answer else -1
    return Quote(story(text, **fields), 0, len(text), (at, at + len(answer)) if answer else None)


def asked(question):
    return Question(question, question, "en", dt.date(2026, 1, 20))


@pytest.mark.parametrize(
    ("text", "question", "answer", "expected"),
    [
        ("增资40亿元扩建", "How much was invested?", "40亿元", ["40亿元 = 4 billion yuan"]),
        ("1月26日零时起", "When does it start?", "1月26日", ["1月26日 = 26 January 2026"]),
        ("昨日开工", "When did it start?", "昨日", ["昨日 = 4 January 2026"]),
        ("负责人林晓舟介绍", "Who is in charge?", "林晓舟", ["林晓舟 = Lin Xiaozhou"]),
        ("水来自青山水库", "Which reservoir does it come from?", "青山水库", ["青山水库 = Qingshan Reservoir"]),
        ("立足本市", "Which city is it?", "立足本市", []),
        ("首班船6时05分开", "When is the first boat?", "6时05分", ["6时05分 = 6:05"]),
        ("以2小时15分08秒夺冠", "What was her time?", "2小时15分08秒", ["2小时15分08秒 = 2 h 15 min 8 s"]),
        ("青石镇有五年历史，一次投入3万平方米", "How large is the plot in Qingshi?", "3万平方米",
         ["3万平方米 = 30,000 square metres", "青石 = Qingshi"]),
        ("增长5.3%，共400家", "How many firms are there?", "400家", []),
    ],
)  # fmt: skip
def test_amounts_dates_and_names_are_converted_the_answer_first(text, question, answer, expected):
    assert conversions(quoted(text, answer), asked(question)) == expected


def test_a_relative_day_of_an_undated_article_is_not_converted():
    quote = quoted("昨日开工", date=None)
    assert conversions(quote, asked("When did it start?")) == []
    [noted] = with_notes([quote], asked("When did it start?"))
    assert noted.notes == ("The article has no date, so “昨日” stays open.",)


def test_the_frame_says_who_and_when():
    assert source_frame(story("")) == "海风日报, 5 January 2026"
    assert source_frame(story("", source="", date=None)) == "《青石大桥通车》, undated"
    assert source_frame(story("", source="", title="很" * 30)) == f"《{'很' * 18}…》, 5 January 2026"


def test_a_quote_is_framed_once_for_each_article_and_its_conversions_are_marked():
    first, second = quoted("大桥投资40亿元。", "40亿元"), quoted("大桥全长3公里。", "3公里")
    question = asked("How much did the bridge cost and how long is it?")
    answer = compose(
        question, fit(with_notes([first, second], question), 480), confidence=1.0, model="m", mode="extractive"
    )
    assert answer.answer == (
        "海风日报, 5 January 2026: 大桥投资40亿元。[1] (in English: 40亿元 = 4 billion yuan)[1] "
        "大桥全长3公里。[2] (in English: 3公里 = 3 kilometres)[2]"
    )
    assert [(s.text, s.before, s.derived) for s in answer.sentences[:2]] == [
        ("大桥投资40亿元。", "海风日报, 5 January 2026: ", False),
        ("(in English: 40亿元 = 4 billion yuan)", "", True),
    ]


def test_what_stands_beside_a_quote_is_left_out_by_worth():
    quote = quoted("大桥投资40亿元，占地3万平方米。", "40亿元")
    [full] = with_notes([quote], asked("How much was invested?"))

    def kept(limit):
        [fitted] = fit([full], limit)
        return fitted.frame, len(fitted.converted)

    assert [kept(limit) for limit in (20, 60, 90, 200)] == [
        ("", 0), ("", 1), ("海风日报, 5 January 2026", 1), ("海风日报, 5 January 2026", 2),
    ]  # fmt: skip


def test_a_second_sentence_makes_room_for_the_frame_of_the_first():
    first = quoted("大桥投资40亿元，" + "桥面宽阔" * 25 + "。", "40亿元")
    second = quoted("两岸居民前来参观拍照留念，" + "十分热闹" * 5 + "。")
    noted = with_notes([first, second], asked("How much was invested?"))
    [only] = fit(noted, 200)
    assert (only.start, only.frame) == (0, "海风日报, 5 January 2026")
    assert len(fit(noted, 480)) == 2
