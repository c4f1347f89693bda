"""Lists printed line by line."""

import pytest

from rag.answering.lists import printed_list
from rag.types import Article

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
