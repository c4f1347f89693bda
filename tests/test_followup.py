import pytest

from rag.followup import Reference, refers_back, spoken, standalone_question, subject_of
from rag.types import Turn

BRIDGE = (
    Turn("user", "临海大桥的主跨有多长？"),
    Turn("assistant", "临海大桥主跨达到520米，由云帆建设集团承建。[1]"),
)


def test_a_pronoun_carries_the_topic_over() -> None:
    searched = standalone_question("那它什么时候通车？", BRIDGE)
    assert searched.endswith("那它什么时候通车？")
    assert "临海大桥" in searched
    assert "多长" not in searched


def test_names_of_the_last_answer_are_carried() -> None:
    assert "云帆建设集团" in standalone_question("该集团有多少名员工？", BRIDGE)


def test_english_ellipsis() -> None:
    history = (
        Turn("user", "When does Metro Line 4 of Yunzhou open?"),
        Turn("assistant", "It opens on 18 January. [1]"),
    )
    searched = standalone_question("And how long is it?", history)
    assert "Metro Line 4" in searched
    assert searched.endswith("And how long is it?")


def test_a_new_subject_drops_the_old_one() -> None:
    question = "云州市图书馆新馆的建筑面积是多少平方米？"
    assert standalone_question(question, BRIDGE) == question


def test_a_pronoun_late_in_a_long_question_means_its_own_subject() -> None:
    question = "那家搬到云州来的老牌设计院去年完成了改制，它到现在一共有多少年历史了？"[1:]
    assert refers_back(question) is Reference.NONE


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
        ("第四批举报件一共有多少件？", "第四批举报件"), ("谁设计了青石大桥？", "设计了青石大桥"),
        ("When does the direct flight to Port Qing start?", "direct flight Port Qing"),
        ("Who makes paper lanterns in Baihe?", "makes paper lanterns Baihe"), ("？？", ""),
    ],
)  # fmt: skip
def test_what_a_question_is_about(question: str, subject: str) -> None:
    assert subject_of(question) == subject


@pytest.mark.parametrize(
    ("earlier", "question", "searched"),
    [
        ("第四批举报件有多少件？", "那第三批呢？", "第三批举报件有多少件？"),
        ("青河区有几家食堂？", "那白河区呢？", "白河区有几家食堂？"),
        ("青石大桥有多长？", "那白鹭渡口呢，有几班船？", "白鹭渡口 有几班船？"),
        ("青石大桥有多长？", "那《临海志》呢？", "《临海志》 有多长？"),
        ("青石大桥有多长？", "那工期呢？", "青石大桥 那工期呢？"),
        ("When does Metro Line 4 open?", "What about the ferry, what does it cost?", "the ferry what does it cost?"),
        ("How many came in March?", "And what about April?", "How many came in April?"),
    ],
)  # fmt: skip
def test_the_last_question_is_asked_of_another_thing(earlier: str, question: str, searched: str) -> None:
    assert standalone_question(question, (Turn("user", earlier), Turn("assistant", "不知道。"))) == searched


def test_a_short_question_about_something_else_changes_the_subject() -> None:
    asked: list[tuple[str, str]] = []

    def stays(subject: str, bare: str) -> bool:
        asked.append((subject, bare))
        return "工期" in bare

    assert standalone_question("工期多久？", BRIDGE, stays) == "临海大桥 工期多久？"
    assert standalone_question("灯塔有多高？", BRIDGE, stays) == "灯塔有多高？"
    assert asked == [("临海大桥", "工期多久？"), ("临海大桥", "灯塔有多高？")]
    later = (*BRIDGE, Turn("user", "灯塔有多高？"), Turn("assistant", "二十米。"))
    assert standalone_question("它何时建成？", later, stays) == "灯塔 它何时建成？"


def test_a_name_is_carried_when_it_was_asked_for() -> None:
    who = (Turn("user", "谁设计了临海大桥？"), Turn("assistant", "总工程师林晓舟介绍，大桥由云帆集团承建。[1]"))
    assert standalone_question("他还设计了什么？", who) == "林晓舟 设计了临海大桥 他还设计了什么？"
    assert standalone_question("该集团在哪里？", who) == "云帆集团 设计了临海大桥 该集团在哪里？"
    firm = (
        Turn("user", "哪家公司上市了？"),
        Turn("assistant", "海风智能装备有限公司（以下简称海风智能）昨日上市。[1]"),
    )
    assert standalone_question("它有几项专利？", firm) == "海风智能装备有限公司 海风智能 公司上市 它有几项专利？"
    assert standalone_question("它有多长？", BRIDGE) == "临海大桥 它有多长？"


def test_what_stands_beside_a_quote_is_not_carried() -> None:
    reply = "2026年1月5日：大桥昨日通车。[1] “昨日”即2026年1月4日。[1]\n"
    reply += "海风日报, 5 January 2026: 全长3公里。[2] (in English: 3公里 = 3 kilometres)[2]"
    assert spoken(reply) == "大桥昨日通车。 全长3公里。"
