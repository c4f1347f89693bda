"""Questions that ask several things, cut into questions that each ask one."""

import pytest

from rag.answering.parts import Part, asks_list, parts, question_parts
from rag.answering.variants import asks_several, variants


@pytest.mark.parametrize(
    ("question", "pieces"),
    [
        ("大桥多长?", ("大桥多长?",)),
        ("大桥多长？谁设计的？", ("大桥多长", "谁设计的")),
        ("渡口在哪个镇，每天有多少班船？", ("渡口在哪个镇", "每天有多少班船")),
        ("关于新桥，它有多长？", ("关于新桥，它有多长？",)),
        ("有哪些展会、论坛正在举行？", ("有哪些展会、论坛正在举行？",)),
        ("When did it open and who built it?", ("When did it open", "who built it")),
        ("Who built it and in which year did it open?", ("Who built it", "in which year did it open")),
    ],
)
def test_the_questions_inside_a_question(question, pieces):
    assert question_parts(question) == pieces


@pytest.mark.parametrize(
    ("question", "alone"),
    [
        ("青石大桥有多长？何时通车？", ["青石大桥有多长", "青石大桥 何时通车"]),
        ("那场大风，停了几班船，吹倒了多少棵树？", ["那场大风，停了几班船", "那场大风，吹倒了多少棵树"]),
        ("帮我分清：沙河镇新开的叫什么，青石镇重建的又叫什么？",
         ["沙河镇新开的叫什么", "青石镇重建的又叫什么"]),
        ("沙河镇的两件新事：渡口哪天开的？食堂有几家？", ["沙河镇，渡口哪天开的", "沙河镇，食堂有几家"]),
        ("他写过沙河的桥和青石的路，那座桥叫什么，青石的路有多长？",
         ["他写过沙河的桥和青石的路，那座桥叫什么", "青石的路有多长"]),
        ("沙河镇这几年，一共修了多少座桥？", []),
        ("庙会上，谁唱了戏？车展上，谁讲了话？", ["庙会上，谁唱了戏", "车展上，谁讲了话"]),
        ("镇上的两份文件，一份管树，一份管地，各是哪天发的？",
         ["镇上的一份文件，管树，是哪天发的？", "镇上的一份文件，管地，是哪天发的？"]),
        ("白鹭渡口在哪个镇？青石大桥全长多少米？", ["白鹭渡口在哪个镇", "青石大桥全长多少米"]),
        ("青石大桥有多长？", []),
        ("两座桥有多长，各是多少？", []),
        ("青石大桥花了多少钱？今年有什么计划？", ["青石大桥花了多少钱", "青石大桥 今年有什么计划"]),
    ],
)  # fmt: skip
def test_each_part_stands_alone(question, alone):
    assert [part.question for part in parts(question)] == alone


def test_a_part_without_a_subject_goes_on():
    found = parts("青石大桥有多长？同比增长多少？白鹭渡口在哪里？")
    assert [(part.question, part.goes_on) for part in found] == [
        ("青石大桥有多长", False), ("青石大桥 同比增长多少", True), ("白鹭渡口在哪里", False),
    ]  # fmt: skip


def test_questions_about_several_things():
    several = ("两座桥各是多少米?", "甲厂和乙厂谁的产量更高?", "Which of the two is more expensive?")
    assert [asks_several(q) for q in several] == [True] * 3
    assert [asks_list(q) for q in ("沿线有哪些站?", "哪三家公司参加?", "Which three won?", "哪天开工?")] == [
        True
    ] * 3 + [False]
    assert [asks_several(q) for q in ("大桥多长?", "各地都在下雪的那天是几号?", "Who built it?")] == [False] * 3


@pytest.mark.parametrize(
    ("question", "names", "second"),
    [
        ("甲厂和乙厂，谁的产量更高？", ["甲厂", "乙厂"], "乙厂，产量多少？"),
        ("甲厂和乙厂哪个建成更早？", ["甲厂", "乙厂"], "乙厂建成什么时候？"),
        ("第三批和第十二批各办结多少件?", ["第三批", "第十二批"], "第十二批办结多少件？"),
        ("库容在8月底和11月底各是多少?", ["8月底", "11月底"], "库容在11月底是多少？"),
        ("到2027年，本市的甲产业和乙产业分别要达到多少?", ["甲产业", "乙产业"], "到2027年，本市的乙产业要达到多少？"),
        ("青河区和白河区的食堂各有几家?", ["青河区", "白河区"], "白河区的食堂有几家？"),
        ("甲厂、乙厂和丙厂各有多少人?", ["甲厂", "乙厂", "丙厂"], "乙厂有多少人？"),
        ("3月4日、5日他各去了哪里?", ["3月4日", "3月5日"], "3月5日他各去了哪里?"),
        ("哪两家，一家参与水务，一家研制机器?", ["", ""], "哪一家，研制机器？"),
        ("青河区和白河区在第二批里各有几件？", ["青河区", "白河区"], "白河区在第二批里有几件？"),
        ("那两场会在哪里办的：春天的茶会，还有秋天的书会？", ["春天的茶会", "秋天的书会"],
         "秋天的书会，会在哪里办的？"),
        ("青河交易会和第三届水与电论坛，分别在哪里办的？", ["青河交易会", "第三届水与电论坛"],
         "第三届水与电论坛，在哪里办的？"),
        ("Which is longer, the north bridge or the south bridge?", ["the north bridge", "the south bridge"],
         "how long is, the south bridge?"),
        ("How many stalls do Qing Market and Bai Market each have?", ["Qing Market", "Bai Market"],
         "How many stalls do Bai Market have?"),
        ("甲厂的搬迁和乙厂的改造各花了多久?", ["甲厂的搬迁", "乙厂的改造"], "乙厂的改造花了多久？"),
        ("甲厂和乙厂，哪个先完工?", ["甲厂", "乙厂"], "乙厂，什么时候完工？"),
        ("Which had more visitors, the Qing Market in May or in June?", ["in May", "in June"],
         "how many had visitors, the Qing Market in June?"),
        ("甲厂和乙厂在哪里?", [], ""),
    ],
)  # fmt: skip
def test_a_comparison_is_asked_of_each_thing(question, names, second):
    found = variants(question)
    assert [v.name for v in found] == names
    assert second == (found[1].question if found else "")
    assert [part.name for part in parts(question)] == names


def test_a_thing_asked_about_has_a_name():
    assert parts("甲厂和乙厂各有多少人？") == (Part("甲厂有多少人？", "甲厂"), Part("乙厂有多少人？", "乙厂"))
