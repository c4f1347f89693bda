"""Lists: enumerated in a sentence, printed line by line, told step by step, or spread over articles."""

import datetime as dt

import pytest

from rag.answering.lists import asked_count, items, list_quotes, printed_list, told_steps
from rag.answering.reader import Reading, ScoredSentence
from rag.answering.reader_features import Candidate
from rag.types import Article, Hit, Passage

TEXT = (
    "比赛当天交通管制如下：\n一、海边路5时起封闭；\n\n二、湖边路6时起封闭；\n三、山边路7时起封闭。\n"
    "公交正常运行。\n· 单独一行"
)


def found(at, limit=480, text=TEXT):
    article = Article(id="a", title="", text=text, file="f.txt")
    begin = text.index(at)
    span = printed_list(article, (begin, begin + len(at)), limit)
    return None if span is None else text[slice(*span)]


@pytest.mark.parametrize("at", ["比赛当天", "一、海边路", "三、山边路"])
def test_a_list_is_found_from_its_introduction_and_from_each_item(at):
    assert found(at) == TEXT[: TEXT.index("\n公交")]


def test_a_list_too_long_ends_with_a_whole_line():
    assert found("二、湖边路", limit=26) == "比赛当天交通管制如下：\n一、海边路5时起封闭；"
    assert found("二、湖边路", limit=10) is None


@pytest.mark.parametrize("at", ["公交正常", "单独一行"])
def test_one_line_is_no_list(at):
    assert found(at) is None


def test_bullets_and_numbers_are_lists_too():
    assert found("第二", text="☆ 第一\r☆ 第二\r结尾") == "☆ 第一\r☆ 第二"
    assert found("第二", text="1.第一\n2.第二\n3.5亿元") == "1.第一\n2.第二"


def scored(article, text, share):
    start = article.text.index(text)
    hit = Hit(1, 1.0, Passage(article.id, 0, len(article.text), article.text), article)
    return ScoredSentence(Candidate(hit, start, start + len(text), None, (start, start + len(text))), share)


STORY = Article(
    id="s",
    title="",
    text="青河厂办了一场对接会。会后，石桥公司、青石机械厂、白鹭集团等3家企业签约。老旧厂房、空地、旧路都要改造。",
    file="f.txt",
)


def quoted(asked, *shares):
    texts = [text + "。" for text in STORY.text.split("。") if text]
    reading = Reading(tuple(scored(STORY, t, s) for t, s in zip(texts, shares, strict=True)), 0.9)
    return list_quotes(asked, reading, 480)[0].text


def test_a_sentence_that_enumerates_goes_before_a_likelier_one():
    assert quoted("对接会后哪3家企业签约？", 0.6, 0.2, 0.2) == "会后，石桥公司、青石机械厂、白鹭集团等3家企业签约。"
    assert quoted("对接会后哪些企业签约？", 0.98, 0.01, 0.01) == "青河厂办了一场对接会。"


@pytest.mark.parametrize(
    ("asked", "sentence", "count"),
    [
        ("哪几个区参加？", "从青河区拿出的方案，到白河区的食堂；再到石桥区的公园，区级平台上线。", 3),
        ("沿线有哪些站？", "沿线设东站、西站、南站三站。", 3),
        ("哪些地方下雪？", "青河与白河都下了雪。", 2),
        ("哪些地方下雪？", "昨天没有下雪。", 1),
        ("Which ports opened?", "The East Port, the West Port and the North Port opened.", 3),
    ],
)
def test_items_are_counted(asked, sentence, count):
    assert items(asked, sentence) == count


def test_the_number_asked_for():
    assert [asked_count(q) for q in ("哪5家厂签约？", "哪两座桥？", "哪些桥？", "哪天？")] == [5, 2, None, None]


STEPS = "港口这样建设。第一，先修码头，再修路。他说，资金已经到位。第二，今年添船。第三，明年开航。"
STEPS_TOLD = ["第一，先修码头，再修路。", "第二，今年添船。", "第三，明年开航。"]


@pytest.mark.parametrize("at", ["港口这样建设。", "第一，先修", "第三，明年"])
def test_steps_told_one_by_one_are_all_quoted(at):
    article = Article(id="t", title="", text=STEPS, file="f.txt")
    begin = STEPS.index(at)
    spans = told_steps(article, (begin, begin + len(at)), 480)
    assert [STEPS[slice(*span)] for span in spans] == [
        "第一，先修码头，再修路。",
        "第二，今年添船。",
        "第三，明年开航。",
    ]
    assert told_steps(article, (STEPS.index("他说"), STEPS.index("他说") + 2), 12) == [
        (STEPS.index("第一"), STEPS.index("第一") + 12)
    ]


def test_what_took_place_on_a_day_is_told_by_every_article_that_names_the_day():
    told = ["5月2日至4日，茶会在镇上举行。", "5月3日，灯会在河边举行。", "5月9日，书会举行。"]
    articles = [
        Article(id=str(i), title="", text=text, file="f.txt", date=dt.date(2025, 5, 5)) for i, text in enumerate(told)
    ]
    reading = Reading(tuple(scored(a, a.text, 0.3) for a in articles), 0.9)
    assert [q.text for q in list_quotes("5月3日镇上有哪些会在举行？", reading, 480)] == told[:2]
    assert len(list_quotes("5月3日的茶会用了哪些茶？", reading, 480)) == 1
