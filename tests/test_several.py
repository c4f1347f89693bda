"""Which sentence answers which part of a question."""

import pytest

from rag.answering.parts import Part
from rag.answering.reader import Reading, ScoredSentence
from rag.answering.reader_features import Candidate
from rag.answering.several import about, answer_parts, names
from rag.types import Article, Hit, Passage

EAST = Article(id="e", title="东港建成", text="东港全长320米。码头昨日启用。", file="f.txt")
WEST = Article(id="w", title="西港建成", text="西港全长410米。东港和西港各有2个泊位。", file="f.txt")


def scored(article, text, share, answer=""):
    start = article.text.index(text)
    at = article.text.index(answer, start) if answer else 0
    span = (at, at + len(answer)) if answer else None
    hit = Hit(1, 1.0, Passage(article.id, 0, len(article.text), article.text), article)
    return ScoredSentence(Candidate(hit, start, start + len(text), span, (start, start + len(text))), share)


def found(readings, *parts):
    given = {part.question: Reading(tuple(readings[i]), 0.9) for i, part in enumerate(parts)}
    answers = answer_parts(parts, lambda part: given[part.question], 480)
    return [(a.quote.label, a.quote.text) if a.quote else a.answered for a in answers]


def test_each_part_takes_its_own_sentence_the_surest_first():
    long_east, long_west = scored(EAST, "东港全长320米。", 0.5), scored(EAST, "东港全长320米。", 0.9)
    other = scored(WEST, "西港全长410米。", 0.4)
    assert found([[long_east, other], [long_west]], Part("西港在哪里"), Part("东港在哪里")) == [
        ("", "西港全长410米。"), ("", "东港全长320米。"),
    ]  # fmt: skip


def test_a_part_that_goes_on_stays_in_the_article():
    first = scored(EAST, "东港全长320米。", 0.9)
    elsewhere, here = scored(WEST, "西港全长410米。", 0.5), scored(EAST, "码头昨日启用。", 0.4)
    parts = Part("东港在哪里"), Part("东港 谁来了", goes_on=True)
    assert found([[first], [elsewhere, here]], *parts) == [("", "东港全长320米。"), ("", "码头昨日启用。")]


def test_what_is_hardly_overlooked_must_be_there():
    bare, figure = scored(EAST, "码头昨日启用。", 0.6), scored(EAST, "东港全长320米。", 0.3, "320米")
    assert found([[bare, figure]], Part("东港全长多少米？")) == [("", "东港全长320米。")]


def test_one_sentence_for_both_things_is_shown_once_without_a_label():
    both = scored(WEST, "东港和西港各有2个泊位。", 0.9, "2个")
    parts = Part("东港有几个泊位？", "东港"), Part("西港有几个泊位？", "西港")
    assert found([[both], [both]], *parts) == [("", "东港和西港各有2个泊位。"), True]


def test_a_thing_that_the_shared_sentence_does_not_name_is_unanswered():
    east = scored(EAST, "东港全长320米。", 0.9, "320米")
    parts = Part("东港全长多少米？", "东港"), Part("南港全长多少米？", "南港")
    assert found([[east], [east]], *parts) == [("", "东港全长320米。"), False]
    assert found([[east], []], *parts) == [("东港", "东港全长320米。"), False]


def test_sentences_about_another_thing_weigh_less():
    reading = Reading((scored(EAST, "东港全长320米。", 0.8), scored(WEST, "西港全长410米。", 0.2)), 0.9)
    weighed = about("西港", reading)
    assert [s.candidate.hit.article.id for s in weighed.sentences] == ["w", "e"]
    assert about("", reading) is reading


@pytest.mark.parametrize(
    ("name", "text", "named"),
    [("the eleventh batch", "第十一批已办结", True), ("the eleventh batch", "第十二批已办结", False),
     ("海风科技", "海风智能科技公司", True), ("海风智能科技", "海风科技和智能科技", True), ("东港", "东港启用", True),
     ("in November", "截至11月底", True), ("in January", "截至11月底", False),
     ("the Qingshi Bridge", "青石大桥", False), ("第三批", "第四批", False),
     ("Qingshi", "青石大桥", True), ("the bridge", "青石大桥", False)],
)  # fmt: skip
def test_a_text_names_a_thing(name, text, named):
    assert names(name, text) is named


def test_a_unit_must_be_counted_and_a_figure_of_one_counts_nothing():
    vague, other, figure = (
        scored(NORTH, "北港办了一场场对接。", 0.6, "一场"),
        scored(NORTH, "北港有6条航线。", 0.5, "6条"),
        scored(NORTH, "今年办对接会50场。", 0.1, "50场"),
    )
    assert found([[vague, other, figure]], Part("北港办了多少场对接会？")) == [("", "今年办对接会50场。")]


NORTH = Article(
    id="n",
    title="北港",
    text="北港办了一场场对接。北港有6条航线。今年办对接会50场。5月3日，大会开幕。市长出席并讲话。湖边暖意融融。年会在此举办。",
    file="f.txt",
)


def test_two_parts_want_two_figures():
    may, june = scored(EAST, "东港全长320米。", 0.6, "320米"), scored(WEST, "西港全长410米。", 0.3, "410米")
    parts = Part("五月说全长多少米？"), Part("六月说全长多少米？")
    assert {text for _, text in found([[may, june], [may, june]], *parts)} == {"东港全长320米。", "西港全长410米。"}


def test_a_quote_begins_where_the_thing_is_named():
    parts = Part("5月3日市长参加了什么？", "5月3日"), Part("西港全长多少米？", "西港")
    readings = [[scored(NORTH, "市长出席并讲话。", 0.9)], [scored(WEST, "西港全长410米。", 0.9, "410米")]]
    assert found(readings, *parts) == [("5月3日", "5月3日，大会开幕。市长出席并讲话。"), ("西港", "西港全长410米。")]


def test_a_quote_that_says_here_begins_with_the_place():
    assert found([[scored(NORTH, "年会在此举办。", 0.9)]], Part("年会在哪里举办？")) == [
        ("", "湖边暖意融融。年会在此举办。")
    ]


def test_a_quote_ends_where_another_begins():
    text = "下月二日开放\n北港公园，占地两万平方米。"
    park = Article(id="p", title="", text=text, file="f.txt")
    readings = [[scored(park, "北港公园，占地两万平方米。", 0.9)], [scored(park, "下月二日开放", 0.9, "下月二日")]]
    parts = Part("公园占地多少？"), Part("公园哪天开放？")
    assert found(readings, *parts) == [("", "北港公园，占地两万平方米。"), ("", "下月二日开放")]
