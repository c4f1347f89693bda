import pytest

from rag.followup import refers_back, standalone_question
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
    assert not refers_back("那家搬到云州来的老牌设计院去年完成了改制，它到现在一共有多少年历史了？"[1:])


def test_five_turns_keep_the_subject() -> None:
    history = list(BRIDGE)
    for question in ("那它什么时候通车？", "它花了多少钱？", "其中地方出多少？", "那工期呢？"):
        assert "临海大桥" in standalone_question(question, history)
        history += [Turn("user", question), Turn("assistant", "预计明年。[1]")]


@pytest.mark.parametrize("history", [(), (Turn("assistant", "您好"),), (Turn("user", "？？"),)])
def test_without_a_topic_the_question_stays(history: tuple[Turn, ...]) -> None:
    assert standalone_question("那它呢？", history) == "那它呢？"
