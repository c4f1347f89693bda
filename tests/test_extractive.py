"""The extractive answer: verbatim, cited, short, or a refusal."""

import datetime as dt
import re

import pytest
from reader_fakes import ScriptedReader

from rag.answering.composition import Quote, compose, trim
from rag.answering.decision import FEATURES, Decision, features
from rag.answering.evidence import evidence_of
from rag.answering.extractive import ExtractiveAnswerer
from rag.answering.refusal import REFUSAL, turn_of
from rag.config import AnswerSettings
from rag.errors import ModelError
from rag.types import Article, Hit, Passage, Question, Support

AS_OF = dt.date(2026, 1, 20)


def article(text, *, article_id="a", title="", date=None):
    return Article(id=article_id, title=title, text=text, file="f.txt", source="海风日报", date=date)


def hits(*articles):
    return [Hit(i, 1 / i, Passage(a.id, 0, len(a.text), a.text), a) for i, a in enumerate(articles, 1)]


def ask(text, found, says, *, several=False, **settings):
    question = Question(text, text, "zh" if re.search("[一-鿿]", text) else "en", AS_OF, several=several)
    *_, answer = ExtractiveAnswerer(ScriptedReader(says), AnswerSettings(**settings)).stream(question, found)
    return answer


BRIDGE = article(
    "青石大桥昨日通车。大桥全长1280米,总投资4.6亿元。项目负责人林晓舟介绍,工期历时三年。",
    title="青石大桥通车",
    date=dt.date(2026, 1, 5),
)
FERRY = article("白鹭渡口每天有18班轮渡。白鹭渡口位于沙河镇。", article_id="b", title="白鹭渡口恢复通航")


def test_answers_with_the_sentence_verbatim_and_its_citation():
    answer = ask("白鹭渡口每天有多少班轮渡?", hits(BRIDGE, FERRY), {"18班": 4.0})
    assert answer.answer == "白鹭渡口每天有18班轮渡。[1]"
    assert not answer.refused and answer.mode == "extractive" and answer.final
    [citation] = answer.citations
    assert (citation.marker, citation.article_id, citation.start, citation.end) == (1, "b", 0, 13)
    assert FERRY.text[citation.start : citation.end] == citation.quote == "白鹭渡口每天有18班轮渡。"
    [sentence] = answer.sentences
    assert sentence.support is Support.QUOTED and sentence.markers == (1,)
    assert [sentence.text[a:b] for a, b in sentence.emphasis] == ["18班"]
    assert [(read.rank, read.logit) for read in answer.read] == [(1, -6.0), (2, 4.0)]


def test_several_things_are_each_quoted_in_the_order_of_the_stories():
    found = hits(BRIDGE, FERRY)
    says = {"沙河镇": 3.0, "1280米": 2.0, "三年": 1.0, "18班": -2.0}
    answer = ask("大桥多长、修了几年,渡口在哪?", found, says, several=True)
    assert [c.quote for c in answer.citations] == [
        "白鹭渡口位于沙河镇。",
        "大桥全长1280米,总投资4.6亿元。",
        "项目负责人林晓舟介绍,工期历时三年。",
    ]
    assert len(ask("渡口在哪?", found, says).citations) == 1


@pytest.mark.parametrize("text", ["火星基地的面积有多大?", "Who won the chess championship?"])
def test_refuses_what_no_sentence_answers(text):
    answer = ask(text, hits(BRIDGE, FERRY), {})
    assert answer.refused and answer.answer == REFUSAL[answer.language] and answer.confidence < 0.05
    assert answer.citations == () and [n.article_id for n in answer.nearest] == ["a", "b"]


def test_refuses_without_hits():
    assert ask("青石大桥全长多少米?", [], {}).refused


def test_nothing_is_shown_below_the_bar_of_the_setting():
    def refused(strictness):
        answer = ask("大桥全长多少米?", hits(BRIDGE), {"1280米": -0.2}, strictness=strictness)
        assert answer.confidence == pytest.approx(0.45, abs=0.01)
        return answer.refused

    assert [refused(s) for s in ("strict", "balanced", "generous")] == [True, True, False]


def test_the_fitted_decision_is_taken_from_the_readers_file():
    evidence = evidence_of(ScriptedReader({"1280米": 2.0}).read("q", hits(BRIDGE)))
    fitted = {
        "ranking": {"sentence": 1, "passage": 0, "answer": 0, "retrieval": 0},
        "answer": dict.fromkeys(FEATURES, 0.0) | {"sentence": 1.0},
        "bias": -2.0,
        "bars": {"balanced": 0.4},
    }
    assert Decision.of(fitted).probability("q", evidence) == pytest.approx(0.5)
    assert Decision.of(fitted).probability("q", []) == 0.0


def test_a_reader_without_calibration_answers_nothing():
    with pytest.raises(ModelError, match="not calibrated"):
        Decision.of({})


def test_exact_code_tells_the_decision_what_the_article_lacks():
    evidence = evidence_of(ScriptedReader({"1280米": 2.0}).read("q", hits(BRIDGE)))
    row = {
        name: dict(zip(FEATURES, features(name, evidence), strict=True))
        for name in ("大桥1280米?", "大桥2019年?", "ABC大桥?")
    }
    assert row["大桥1280米?"]["numbers_held"] == 1.0 and row["大桥2019年?"]["numbers_held"] == 0.0
    assert row["大桥1280米?"]["covered"] > row["ABC大桥?"]["covered"]


def test_a_sentence_that_two_passages_hold_counts_once():
    twice = [Hit(i, 1.0, Passage("a", 0, len(BRIDGE.text), BRIDGE.text), BRIDGE) for i in (1, 2)]
    evidence = evidence_of(ScriptedReader({"三年": 2.0}).read("q", twice))
    assert [e.text for e in evidence][0] == "项目负责人林晓舟介绍,工期历时三年。" and len(evidence) == 3


def test_long_sentences_are_trimmed_to_whole_clauses_around_the_answer():
    clauses = [f"第{i}个村子种下了许多不同品种的果树并且修好了水渠" for i in range(12)]
    text = ",".join(clauses) + "。"
    at = text.index("第6个")
    start, end = trim(article(text), 0, len(text), (at, at + 3), 100)
    assert end - start <= 100
    assert text[start:end] == ",".join(clauses[4:8])
    quote = Quote(article(text), start, end, (at, at + 3))
    shown = compose(Question("q", "q", "zh", AS_OF), [quote], confidence=1.0, model="m", mode="extractive")
    assert shown.answer == "…" + ",".join(clauses[4:8]) + "…[1]"
    assert shown.sentences[0].text == text[start:end]
    assert [shown.sentences[0].text[a:b] for a, b in shown.sentences[0].emphasis] == ["第6个"]


def test_a_clause_without_commas_is_cut_around_the_answer():
    text = "山" * 300 + "目标" + "水" * 300
    start, end = trim(article(text), 0, len(text), (300, 302), 50)
    assert end - start == 50 and "目标" in text[start:end]


def test_a_short_sentence_is_left_whole():
    assert trim(BRIDGE, 0, 9, None, 200) == (0, 9)


def test_a_quote_outside_its_article_is_an_error():
    with pytest.raises(ValueError, match="not inside article a of 46"):
        compose(Question("q", "q", "zh", AS_OF), [Quote(BRIDGE, 40, 60)], confidence=1, model="m", mode="extractive")


def test_the_same_fact_in_two_articles_has_both_markers():
    again = article("新建的青石大桥全长1280米。", article_id="c")
    quote = Quote(BRIDGE, 9, 29, None, also=((again, 0, len(again.text)),))
    shown = compose(Question("q", "q", "zh", AS_OF), [quote], confidence=1.0, model="m", mode="extractive")
    assert shown.answer.endswith("[1][2]") and [c.article_id for c in shown.citations] == ["a", "c"]


def test_a_line_break_is_shown_as_a_space():
    poem = article("春风起,\n万木新。")
    quote = Quote(poem, 0, len(poem.text))
    shown = compose(Question("q", "q", "zh", AS_OF), [quote], confidence=1.0, model="m", mode="extractive")
    assert shown.answer == "春风起, 万木新。[1]"
    assert shown.citations[0].quote == poem.text


def test_a_relative_day_is_shown_with_its_date():
    answer = ask("青石大桥哪天通车?", hits(BRIDGE), {"昨日": 4.0})
    assert "青石大桥昨日通车。[1] “昨日”即2026年1月4日。[1]" in answer.answer
    [note] = [s for s in answer.sentences if s.support is Support.SUPPORTED]
    assert note.text == "“昨日”即2026年1月4日。" and note.markers == (1,)


def test_an_undated_article_is_said_to_be_undated():
    undated = article("青石大桥昨日通车。", title="青石大桥通车")
    assert "文章未注明日期，“昨日”无法换算。" in ask("青石大桥哪天通车?", hits(undated), {"昨日": 4.0}).answer


def test_days_left_are_counted_from_the_day_of_the_question():
    line = article("海滨轻轨1月26日开通运营。", title="海滨轻轨", date=dt.date(2026, 1, 15))
    answer = ask("离海滨轻轨开通还有几天?", hits(line), {"1月26日": 4.0})
    assert answer.sentences[-1].text == "从2026年1月20日到2026年1月26日还有6天。"


def test_different_figures_of_two_articles_are_both_shown_latest_first():
    old = article("全市建成智能工厂400家。", article_id="old", date=dt.date(2025, 3, 1))
    new = article("全市建成智能工厂528家。", article_id="new", date=dt.date(2026, 1, 1))
    answer = ask("全市建成智能工厂多少家?", hits(old, new), {"400家": 3.0, "528家": 2.5})
    assert answer.answer == "2026年1月1日：全市建成智能工厂528家。[1]\n2025年3月1日：全市建成智能工厂400家。[2]"
    assert [c.article_id for c in answer.citations] == ["new", "old"]


def test_another_story_with_the_same_answer_is_cited_beside_it():
    again = article("新建的大桥全长1280米。", article_id="c")
    answer = ask("大桥多长?", hits(BRIDGE, again), {"1280米": 3.0})
    assert answer.answer.endswith("[1][2]") and {c.article_id for c in answer.citations} == {"a", "c"}


def test_a_second_sentence_of_the_story_is_shown_only_where_it_is_nearly_as_likely():
    found = hits(BRIDGE)
    assert len(ask("大桥?", found, {"1280米": 3.0, "三年": 2.5}).citations) == 2
    assert len(ask("大桥?", found, {"1280米": 3.0, "三年": 0.1}).citations) == 1


def test_boilerplate_is_not_quoted():
    story = article("青石大桥全长1280米。返回搜狐，查看更多")
    assert ask("大桥?", hits(story), {"查看更多": 5.0, "1280米": 2.0}).citations[0].quote == "青石大桥全长1280米。"


def test_a_printed_list_is_quoted_line_by_line():
    story = article("青石大桥通车，公交调整如下：\n一、1路到桥头；\n二、2路过桥。\n请留意。", title="青石大桥通车")
    answer = ask("青石大桥通车，哪些公交调整?", hits(story), {"公交调整": 4.0})
    assert (
        answer.answer == "青石大桥通车，公交调整如下：\n一、1路到桥头；[1]".replace("\n", " ") or "1路" in answer.answer
    )
    assert story.text[answer.citations[0].start : answer.citations[0].end] == answer.citations[0].quote


def test_an_english_reader_gets_a_frame_and_the_name_in_letters():
    answer = ask("Who is in charge of the bridge?", hits(BRIDGE), {"林晓舟": 4.0})
    assert answer.sentences[0].before == "海风日报, 5 January 2026: "
    assert "林晓舟 = Lin Xiaozhou" in answer.answer


def test_a_refusal_in_a_file_of_turns_is_known_as_one():
    assert turn_of("assistant", REFUSAL["zh"]).refused and not turn_of("assistant", "1280米。[1]").refused
