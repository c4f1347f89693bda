"""A question for an amount, a day or a span of time is answered by sentences that hold one, in the asked unit."""

import re

import pytest

from rag.answering.kinds import LEAST_BELIEVED, LEAST_ELSEWHERE, holds_kind, of_kind
from rag.answering.question_type import profile
from rag.answering.reader import Reading, ScoredSentence
from rag.answering.reader_features import Candidate
from rag.types import Article, Hit, Passage


def scored(text, share, answer="", story="桥"):
    article = Article(story, "", text, "f")
    hit = Hit(1, 1.0, Passage(article.id, 0, len(text), text), article)
    at = text.find(answer) if answer else -1
    return ScoredSentence(
        Candidate(hit, 0, len(text), (at, at + len(answer)) if answer else None, (0, len(text))), share
    )


def order(question, *sentences):
    reading = of_kind(profile(question), Reading(sentences, 0.9))
    return [(s.candidate.text, round(s.share, 2)) for s in reading.sentences]


def test_only_sentences_with_a_figure_in_the_asked_unit_are_left():
    assert order(
        "青石桥有多少米长？",
        scored("青石桥是一座名桥。", 0.6),
        scored("青石桥有3个桥墩。", 0.25, "3个"),
        scored("全长1280米。", 0.15, "1280米"),
    ) == [("全长1280米。", 1.0)]


@pytest.mark.parametrize(
    ("story", "share", "left"),
    [("桥", LEAST_BELIEVED, True), ("桥", LEAST_BELIEVED - 0.001, False),
     ("路", LEAST_ELSEWHERE, True), ("路", LEAST_ELSEWHERE - 0.001, False)],
)  # fmt: skip
def test_nothing_is_left_when_the_reader_hardly_believes_in_what_holds_a_figure(story, share, left):
    named, told = scored("青石桥是一座名桥。", 0.85, story="桥"), scored("全长1280米。", share, "1280米", story)
    assert order("青石桥有多少米长？", named, told) == ([("全长1280米。", 1.0)] if left else [])


def test_other_kinds_are_left_alone():
    sentences = (scored("青石桥是一座名桥。", 0.6), scored("全长1280米。", 0.4, "1280米"))
    assert order("青石桥怎么样？", *sentences) == [("青石桥是一座名桥。", 0.6), ("全长1280米。", 0.4)]
    assert of_kind(profile("青石桥有多少米长？"), Reading((), 0.0)).sentences == ()


@pytest.mark.parametrize(
    ("question", "sentence", "holds"),
    [
        ("When does the ferry leave?", "New flight to Port Calder announced.", False),
        ("When does the ferry leave?", "The ferry leaves every Monday.", True),
        ("When does the ferry leave?", "It leaves at 9.30.", True),
        ("How many cabins does it have?", "The ferry is white.", False),
        ("How many cabins does it have?", "It has twelve cabins.", True),
        ("How long does the crossing take?", "The crossing is calm.", False),
        ("How long does the crossing take?", "The crossing takes two hours.", True),
        ("轮渡有多少名船员？", "轮渡有4条航线。", False),
        ("轮渡有多少名船员？", "轮渡有12位船员。", True),
        ("轮渡有多少只救生圈？", "备有36个救生圈。", True),
        ("停航了多少天？", "停航前两小时通知。", False),
        ("停航了多少天？", "停航3天。", True),
        ("日均客流多少万人次？", "车位860个。", False),
        ("日均客流多少万人次？", "日均12万人次。", True),
        ("冠军奖金是多少美元？", "共有2.2万名跑者。", False),
        ("每年演练几次？", "每年各举行一次演练。", True),
        ("老桥建于哪一年？", "建于上世纪七十年代。", True),
        ("船票要几块钱？", "船票每人15元。", True),
        ("票价涨到几元？", "轮渡有4条航线，明年扩建。", False),
        ("候船室面积多大？", "候船室有4个门。", False),
        ("候船室面积多大？", "候船室有400平方米。", True),
        ("明晚最冷多少度？", "明晚最低气温-9℃。", True),
        ("意见发到哪个邮箱？", "意见请于5月1日前反馈。", False),
        ("意见发到哪个邮箱？", "请发送至ferry@example.org。", True),
        ("报名网址是什么？", "请到官网报名。", False),
        ("报名网址是什么？", "请到www.ferry.example报名。", True),
        ("咨询电话是多少？", "请于5月1日前咨询。", False),
        ("咨询电话是多少？", "咨询电话022-5550101。", True),
        ("轮渡是哪年开通的？", "轮渡昨日恢复。", False),
        ("轮渡是哪年开通的？", "轮渡去年开通。", True),
        ("轮渡是哪天开通的？", "轮渡2019年开通。", False),
        ("轮渡是哪天开通的？", "轮渡5月1日开通。", True),
        ("轮渡是哪个月开通的？", "轮渡2019年开通。", False),
        ("轮渡几点开？", "轮渡5月1日恢复。", False),
        ("轮渡几点开？", "首班上午7点开。", True),
        ("轮渡几点开？", "The ferry is white.", False),
        ("轮渡几点开？", "轮渡是白色的。", False),
        ("How old is the captain?", "The captain, 61, grew up here.", True),
        ("How old is the captain?", "The captain grew up here.", False),
        ("What is the ferry called?", "The ferry is white.", True),
    ],
)
def test_what_can_be_seen_to_hold_nothing_of_the_kind(question, sentence, holds):
    figure = re.search(r"\d+\S{0,3}|去年|昨日|一次|两小时|七十年代", sentence)
    assert holds_kind(profile(question), scored(sentence, 1.0, figure[0] if figure else "")) is holds
