import pytest

from rag.followup import FollowUp, follow, spoken, standalone_question
from rag.references import Reference, refers_back
from rag.subjects import subject_of
from rag.types import Turn

BRIDGE = (
    Turn("user", "临海大桥的主跨有多长？"),
    Turn("assistant", "临海大桥主跨达到520米，由云帆建设集团承建。[1]"),
)


def test_a_pronoun_gives_way_to_the_subject() -> None:
    assert standalone_question("那它什么时候通车？", BRIDGE) == "临海大桥什么时候通车？"
    assert standalone_question("其造价是多少？", BRIDGE) == "临海大桥的造价是多少？"


def test_what_was_said_comes_with_a_question_that_goes_on() -> None:
    said = "临海大桥的主跨有多长？ 临海大桥主跨达到520米，由云帆建设集团承建。"
    assert follow("它什么时候通车？", BRIDGE) == FollowUp("临海大桥什么时候通车？", said)
    assert follow("云帆集团有多少名员工？", BRIDGE) == FollowUp("云帆集团有多少名员工？", "")


def test_names_of_the_last_answer_are_carried() -> None:
    assert "云帆建设集团" in standalone_question("该集团有多少名员工？", BRIDGE)


def test_english_ellipsis() -> None:
    history = (
        Turn("user", "When does Metro Line 4 of Yunzhou open?"),
        Turn("assistant", "It opens on 18 January. [1]"),
    )
    assert standalone_question("And how long is it?", history) == "How long is Metro Line 4 of Yunzhou?"
    assert (
        standalone_question("Who designed its stations?", history) == "Who designed Metro Line 4 of Yunzhou's stations?"
    )


def test_a_new_subject_drops_the_old_one() -> None:
    question = "云州市图书馆新馆的建筑面积是多少平方米？"
    assert standalone_question(question, BRIDGE) == question


def test_a_pronoun_late_in_a_long_question_means_its_own_subject() -> None:
    question = "那家搬到云州来的老牌设计院去年完成了改制，它到现在一共有多少年历史了？"[1:]
    assert refers_back(question) is Reference.OPEN
    assert standalone_question(question, BRIDGE) == question


def test_five_turns_keep_the_subject() -> None:
    history = list(BRIDGE)
    for question in ("那它什么时候通车？", "它花了多少钱？", "其中地方出多少？", "那工期呢？"):
        assert "临海大桥" in standalone_question(question, history)
        history += [Turn("user", question), Turn("assistant", "预计明年。[1]")]


@pytest.mark.parametrize("history", [(), (Turn("assistant", "您好"),), (Turn("user", "？？"),)])
def test_without_a_topic_the_question_stays(history: tuple[Turn, ...]) -> None:
    assert standalone_question("那它呢？", history) == "那它呢？"


@pytest.mark.parametrize(
    ("question", "reference"),
    [
        ("它什么时候通车？", Reference.CLEAR), ("其中地方出多少？", Reference.CLEAR), ("工期多久？", Reference.SHORT),
        ("云帆集团有多少名员工？", Reference.NONE), ("And how long is it?", Reference.CLEAR),
        ("Who built it?", Reference.CLEAR), ("Which airline operates there?", Reference.CLEAR),
        ("What time?", Reference.SHORT), ("Who runs Yunzhou Library?", Reference.NONE),
    ],
)  # fmt: skip
def test_how_a_question_refers_back(question: str, reference: Reference) -> None:
    assert refers_back(question) is reference


@pytest.mark.parametrize(
    ("question", "subject"),
    [
        ("青石大桥的主跨有多长？", "青石大桥"), ("请问海风智能是哪天上市的？", "海风智能"),
        ("第四批举报件一共有多少件？", "第四批举报件"), ("谁设计了青石大桥？", "青石大桥"),
        ("青石论坛在云州来了多少人？", "青石论坛"), ("青石粮食中心盖到什么程度了？", "青石粮食中心"),
        ("青石泵站改造完成了多少？", "青石泵站"), ("白河镇在外地设的创新平台叫什么？", "白河镇在外地设的创新平台"),
        ("青石集团的董事长是谁？", "青石集团"), ("谁是青石集团的董事长？", "青石集团"),
        ("在白河试飞无人机的是哪家公司？", "在白河试飞无人机的公司"),
        ("When does the direct flight to Port Qing start?", "the direct flight to Port Qing"),
        ("What is the price of power from the Qing wind farm?", "the Qing wind farm"),
        ("How many people came to the fair in Baihe?", "the fair"),
        ("Who makes paper lanterns in Baihe?", "makes paper lanterns Baihe"), ("？？", ""),
    ],
)  # fmt: skip
def test_what_a_question_is_about(question: str, subject: str) -> None:
    assert subject_of(question).text == subject


@pytest.mark.parametrize(
    ("earlier", "question", "searched"),
    [
        ("第四批举报件有多少件？", "那第三批呢？", "第三批举报件有多少件？"),
        ("青河区有几家食堂？", "那白河区呢？", "白河区有几家食堂？"),
        ("青石大桥有多长？", "那白鹭渡口呢，有几班船？", "白鹭渡口 有几班船？"),
        ("青石大桥有多长？", "那《临海志》呢？", "《临海志》 有多长？"),
        ("青石大桥有多长？", "那工期呢？", "青石大桥 工期呢？"),
        ("When does Metro Line 4 open?", "What about the ferry, what does it cost?", "the ferry: what does it cost?"),
        ("How many came in March?", "And what about April?", "How many came in April?"),
    ],
)  # fmt: skip
def test_the_last_question_is_asked_of_another_thing(earlier: str, question: str, searched: str) -> None:
    assert standalone_question(question, (Turn("user", earlier), Turn("assistant", "不知道。"))) == searched


def test_a_short_question_about_something_else_changes_the_subject() -> None:
    asked: list[tuple[str, Reference]] = []

    def stays(said: str, bare: str, reference: Reference) -> bool:
        assert said.startswith("临海大桥的主跨有多长？ 临海大桥主跨达到520米")
        asked.append((bare, reference))
        return "工" in bare

    assert standalone_question("工期多久？", BRIDGE, stays) == "临海大桥 工期多久？"
    assert standalone_question("灯塔有多高？", BRIDGE, stays) == "灯塔有多高？"
    assert standalone_question("夜里施工的时候噪声能传到多远的地方？", BRIDGE, stays).startswith("临海大桥 夜里")
    assert [reference for _, reference in asked] == [Reference.SHORT, Reference.SHORT, Reference.OPEN]
    later = (*BRIDGE, Turn("user", "灯塔有多高？"), Turn("assistant", "二十米。"))
    assert standalone_question("它何时建成？", later, lambda *_: False) == "灯塔何时建成？"


def said(question: str, reply: str) -> tuple[Turn, Turn]:
    return Turn("user", question), Turn("assistant", reply)


@pytest.mark.parametrize(
    ("history", "question", "searched"),
    [
        (said("谁设计了临海大桥？", "总工程师林晓舟介绍，大桥由云帆集团承建。[1]"), "他还设计了什么？",
         "林晓舟还设计了什么？"),
        (said("谁设计了临海大桥？", "林晓舟。"), "它有多长？", "临海大桥有多长？"),
        (said("海风中国的总经理是谁？", "海风中国总经理是罗兰德（Roland）。"), "他来了几年？", "罗兰德来了几年？"),
        (said("谁拿了奖？", "发给了学校的秦教授。"), "她教什么？", "秦教授教什么？"),
        (said("Who runs the Yun Library?", "Its director is Mei Lin, said the town."), "When did she start?",
         "When did Mei Lin start?"),
        (said("哪家公司上市了？", "海风智能装备有限公司（以下简称海风智能）昨日上市。[1]"), "它有几项专利？",
         "海风智能装备有限公司有几项专利？"),
        (said("给青舟号做外壳的企业是哪家？", "是白河区的青帆科技公司。"), "他们有多少订单？",
         "青帆科技公司有多少订单？"),
        (said("白河镇设的平台叫什么？", "叫B+Hub平台，去年建的。"), "它孵化了几家企业？", "B+Hub平台孵化了几家企业？"),
        (said("云州超算中心有哪两台计算机？", "“青舟”和“白帆”。"), "这两台一共支撑了多少个项目？",
         "“青舟”和“白帆”一共支撑了多少个项目？"),
        (said("云州培育了多少家智能工厂？", "共35家。"), "它们当中评上先进的有几家？",
         "云州培育的智能工厂当中评上先进的有几家？"),
        (said("第六届云州灯会在哪里办？", "在白河公园。"), "这届的主题是什么？", "第六届云州灯会的主题是什么？"),
        (said("临海大桥的主跨有多长？", "由云帆集团承建。"), "该集团在哪里？", "云帆集团在哪里？"),
        (said("临海大桥由谁承建？", "在已收录的文章中没有找到这个问题的答案。"), "它有多长？", "临海大桥有多长？"),
        (said("Which school won the kite contest?", "Baihe Primary School won it."), "And who did it beat?",
         "Who did Baihe Primary School beat?"),
        (said("When does the East Gate open?", "At nine."), "And the café, when will it open?",
         "the East Gate: The café, when will it open?"),
    ],
)  # fmt: skip
def test_what_a_word_stands_for(history: tuple[Turn, ...], question: str, searched: str) -> None:
    assert standalone_question(question, history) == searched


@pytest.mark.parametrize(
    "question",
    [
        "1月16日这天云州定下改多少部地方法规？", "到2025年末，云州总共有多少座5G基站？",
        "白河那场新型物流大会一共来了多少参会者？", "李教授他写的那套大部头一共有多少册书？",
        "How many steps does it take to make a Baihe paper umbrella?",
    ],
)  # fmt: skip
def test_what_only_looks_like_referring_back(question: str) -> None:
    assert standalone_question(question, BRIDGE, lambda said, bare, reference: False) == question


def test_a_conversation_of_seven_turns() -> None:
    history: tuple[Turn, ...] = ()
    asked = []
    for question, reply in (
        ("在白河试飞无人机的是哪家公司？", "是青帆科技公司。"),
        ("它有多少架飞机？", "40架。"),
        ("负责人是谁？", "负责人是林晓舟。"),
        ("他从哪里来？", "从云州来。"),
        ("那订单呢？", "有200架次。"),
        ("云州图书馆新馆有几层？", "七层。"),
        ("它什么时候开门？", "九点。"),
    ):
        asked.append(standalone_question(question, history, lambda said, bare, reference: "图书馆" not in bare))
        history += said(question, reply)
    assert asked == [
        "在白河试飞无人机的是哪家公司？", "青帆科技公司有多少架飞机？", "青帆科技公司 负责人是谁？", "林晓舟从哪里来？",
        "青帆科技公司 订单呢？", "云州图书馆新馆有几层？", "云州图书馆新馆什么时候开门？",
    ]  # fmt: skip


def test_what_stands_beside_a_quote_is_not_carried() -> None:
    reply = "2026年1月5日：大桥昨日通车。[1] “昨日”即2026年1月4日。[1]\n"
    reply += "海风日报, 5 January 2026: 全长3公里。[2] (in English: 3公里 = 3 kilometres)[2]"
    assert spoken(reply) == "大桥昨日通车。 全长3公里。"
