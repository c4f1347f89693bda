"""Questions in a conversation: what was said stands before a question that goes on about it."""

import pytest

from rag.conversation import REPLY_CHARS, follow, in_context
from rag.types import Turn

BRIDGE = (Turn("user", "云州大桥谁建的？"), Turn("assistant", "云州大桥由海风公司承建。[1]", articles=("a#1",)))


def goes_on(*questions):
    return lambda question, said: question in questions


def test_a_question_that_stands_alone_is_left_as_it_is():
    followed = follow("灯塔有多高？", BRIDGE, goes_on())
    assert (followed.standalone, followed.goes_on) == ("灯塔有多高？", None)


def test_what_was_said_stands_before_a_question_that_goes_on():
    followed = follow("那它多长？", BRIDGE, goes_on("那它多长？"))
    assert followed.standalone == "云州大桥谁建的？ 云州大桥由海风公司承建。 那它多长？"
    assert followed.goes_on is not None and followed.goes_on.articles == ("a#1",)


def test_a_chain_keeps_the_question_that_it_began_with():
    history = (*BRIDGE, Turn("user", "多长？"), Turn("assistant", "1280米。[1][2]"))
    followed = follow("哪天通车？", history, goes_on("多长？", "哪天通车？"))
    assert followed.standalone == "云州大桥谁建的？ 多长？ 1280米。 哪天通车？"


def test_a_change_of_subject_ends_a_chain():
    history = (*BRIDGE, Turn("user", "灯塔有多高？"), Turn("assistant", "二十米。[1]"))
    followed = follow("门票呢？", history, goes_on("门票呢？"))
    assert followed.standalone == "灯塔有多高？ 二十米。 门票呢？"


def test_words_of_a_refusal_are_never_carried_on():
    history = (BRIDGE[0], Turn("assistant", "在已收录的文章中没有找到这个问题的答案。", refused=True))
    assert follow("多长？", history, goes_on("多长？")).standalone == "云州大桥谁建的？ 多长？"


def test_after_a_refusal_a_talk_is_still_about_the_articles_before_it():
    refused = (Turn("user", "多长？"), Turn("assistant", "在已收录的文章中没有找到这个问题的答案。", refused=True))
    said = follow("那宽呢？", (*BRIDGE, *refused), goes_on("多长？", "那宽呢？")).goes_on
    assert said is not None and (said.articles, said.reply) == (("a#1",), "")
    changed = follow("那宽呢？", (*BRIDGE, *refused), goes_on("那宽呢？")).goes_on
    assert changed is not None and changed.articles == ()


@pytest.mark.parametrize("history", [(), (Turn("assistant", "您好"),)])
def test_nothing_said_is_nothing_to_go_on_about(history):
    assert follow("多长？", history, goes_on("多长？")).standalone == "多长？"


def test_only_the_beginning_of_a_long_answer_stands_beside_the_question():
    text = in_context("多长？", "大桥？", "长" * 200)
    assert text.count("长") == REPLY_CHARS + 1
