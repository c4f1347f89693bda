import pytest

from rag.boilerplate import LEAST_STORIES, RepeatedLines, content_span, is_boilerplate


@pytest.mark.parametrize(
    "sentence",
    [
        "返回首页 返回搜狐，查看更多责任编辑：",
        "责任编辑：林小舟",
        "【责任编辑：林小舟】",
        "(责任编辑：林小舟 HW021)",
        "（完）",
        "（总台记者 林小舟 何一苇）",
        "文/海湾日报记者 林小舟 摄影/海湾日报记者 何一苇 编辑/丁小满返回搜狐，查看更多责任编辑：",
        "（来源：海湾发布）分享让更多人看到",
        "林小舟 何一苇 供图",
        "版权侵权联系电话：022-55550000",
        "声明：转载此文是出于传递更多信息之目的，若侵犯了您的合法权益，请与本网联系。",
        "本文不构成投资建议，股市有风险，投资需谨慎。",
        "新闻线索报料通道：应用市场下载“海湾号”APP。",
        "微信扫描下方二维码直接获取；",
        "广告 真人直播 >>进入直播间 ×",
        "Copyright © 2025 Gulf Daily, all rights reserved.",
        "Reporting by Ann Lee; editing by Bo Chen",
    ],
)
def test_notes_of_the_house_are_boilerplate(sentence: str) -> None:
    assert is_boilerplate(sentence)


@pytest.mark.parametrize(
    "sentence",
    [
        "海湾市新港区三月二日开港。",
        "摄影师何一苇说，这家图片公司称他侵权，要求他赔偿8万元。",
        "乘客可以扫码付费，每次三元。",
        "法院认定被告未经许可销售药品，判处有期徒刑两年。",
        "记者从市气象台获悉，明天有暴雨。",
        "他说。",
        "公安局已联系上失踪者的家属。",
        "The port was opened by the mayor on Tuesday.",
    ],
)
def test_what_an_article_tells_is_none(sentence: str) -> None:
    assert not is_boilerplate(sentence)


def test_notes_at_the_ends_of_a_sentence_are_left_out_of_what_is_quoted() -> None:
    text = "前文。广告 真人直播 ×原标题：海湾新港开港，首日有12艘船靠岸。返回搜狐，查看更多责任编辑：丁小满"
    start, end = content_span(text, 3)
    assert text[start:end] == "海湾新港开港，首日有12艘船靠岸。"
    assert not is_boilerplate(text[3:])
    nothing = "责任编辑：丁小满"
    start, end = content_span(nothing)
    assert start == end


def test_a_line_of_many_stories_is_boilerplate_whatever_its_figures() -> None:
    line = "上期前区三区比为{}:1:2，走势一般。"
    stories = [[f"第{i}个故事说的是别的事。{line.format(i)}"] for i in range(LEAST_STORIES)]
    counted = RepeatedLines(stories)
    sentence = line.format(7)
    assert counted.stories(sentence) == LEAST_STORIES
    assert is_boilerplate(sentence, stories=counted.stories(sentence))
    reprints = RepeatedLines([[text for story in stories for text in story]])
    assert not is_boilerplate(sentence, stories=reprints.stories(sentence))
