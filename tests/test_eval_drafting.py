"""Drafting questions from articles."""

from __future__ import annotations

from eval_fakes import ARTICLES, HARBOUR

from eval.drafting import draft_questions
from eval.gold import validate
from rag.types import Article

TOWER = Article(
    id="t", title="灯塔", file="t.txt",
    text="本报讯(记者 甲)老灯塔的修缮工程于2024年5月8日完工，游客可以登塔远眺海湾。"
    "文物局副局长陶守海表示，塔身裂缝已经全部补好，可以再用五十年。他说这不容易。"
    "馆藏的《海图志》手稿同时展出，观众需要提前一天预约参观时段。",
)  # fmt: skip
STATION = Article(
    id="s", title="Station", file="s.md",
    text="The new station cost 35 million dollars and has 12 platforms. Mira Kohl said the roof leaks in winter.",
)  # fmt: skip


def test_each_kind_by_hand() -> None:
    drafts = draft_questions([TOWER], 10).questions
    assert {(q.extra["kind"], q.text, q.answers) for q in drafts} == {
        ("when", "老灯塔的修缮工程于什么时候完工，游客可以登塔远眺海湾？", ("2024年5月8日",)),
        ("who", "文物局副局长谁表示，塔身裂缝已经全部补好，可以再用五十年？", ("陶守海",)),
        ("cloze", "填空：馆藏的《＿＿》手稿同时展出，观众需要提前一天预约参观时段。", ("海图志",)),
    }
    english = draft_questions([STATION], 10).questions
    assert {(q.extra["kind"], q.text, q.answers) for q in english} == {
        ("how many", "How many: The new station cost ____ and has 12 platforms.", ("35 million dollars",)),
        ("who", "Who: ____ said the roof leaks in winter.", ("Mira Kohl",)),
    }


def test_drafts_are_spread_marked_deterministic_and_their_evidence_stands_in_the_articles() -> None:
    articles = [*ARTICLES, TOWER, STATION]
    drafts = draft_questions(articles, 4)
    assert len(drafts.questions) == 4
    assert len({q.articles[0].id for q in drafts.questions}) == 4
    assert [q.id for q in drafts.questions] == ["draft-001", "draft-002", "draft-003", "draft-004"]
    assert all(q.extra["draft"] is True for q in drafts.questions)
    assert draft_questions(articles, 4) == drafts
    everything = draft_questions(articles, 100)
    assert len({q.text for q in everything.questions}) == len(everything.questions) > 4
    assert validate(everything, articles) == []
    for question in everything.questions:
        assert question.answers[0] in question.evidence[0]
        assert question.answers[0] not in question.text


def test_nothing_to_ask_gives_nothing() -> None:
    assert draft_questions([], 5).questions == ()
    assert draft_questions([Article("x", "", "今天天气很好，大家都很高兴地出门散步。", "x")], 5).questions == ()
    dateline = Article("y", "", "2024年5月8日，记者在海边看到游客正在登塔远眺海湾。", "y")
    assert draft_questions([dateline], 5).questions == ()
    assert draft_questions([HARBOUR], 0).questions == ()
