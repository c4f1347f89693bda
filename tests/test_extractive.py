"""The extractive answer: verbatim, cited, short, or a refusal."""

import datetime as dt
import re

import pytest

from rag.answering.composition import Quote, compose, trim
from rag.answering.extractive import ExtractiveAnswerer
from rag.answering.reader import OverlapReader, Reading
from rag.answering.refusal import REFUSAL
from rag.config import AnswerSettings
from rag.types import Answer, Article, Hit, Passage, Question, Support

AS_OF = dt.date(2026, 1, 20)


def article(text, *, article_id="a", title="", date=None):
    return Article(id=article_id, title=title, text=text, file="f.txt", source="海风日报", date=date)


def hits(*articles):
    return [Hit(i, 1 / i, Passage(a.id, 0, len(a.text), a.text), a) for i, a in enumerate(articles, 1)]


def ask(text, found, **settings):
    question = Question(text, text, "zh" if re.search("[一-鿿]", text) else "en", AS_OF)
    *_, answer = ExtractiveAnswerer(OverlapReader(), AnswerSettings(**settings)).stream(question, found)
    return answer


BRIDGE = article(
    "青石大桥昨日通车。大桥全长1280米,总投资4.6亿元。项目负责人林晓舟介绍,工期历时三年。",
    title="青石大桥通车",
    date=dt.date(2026, 1, 5),
)
FERRY = article("白鹭渡口每天有18班轮渡。白鹭渡口位于沙河镇。", article_id="b", title="白鹭渡口恢复通航")


def test_answers_with_the_sentence_verbatim_and_its_citation():
    answer = ask("白鹭渡口每天有多少班轮渡?", hits(BRIDGE, FERRY))
    assert answer.answer == "白鹭渡口每天有18班轮渡。[1]"
    assert not answer.refused and answer.mode == "extractive" and answer.final
    [citation] = answer.citations
    assert (citation.marker, citation.article_id, citation.start, citation.end) == (1, "b", 0, 13)
    assert FERRY.text[citation.start : citation.end] == citation.quote == "白鹭渡口每天有18班轮渡。"
    [sentence] = answer.sentences
    assert sentence.support is Support.QUOTED and sentence.markers == (1,)
    assert [sentence.text[a:b] for a, b in sentence.emphasis] == ["18班"]


def test_prefers_the_number_with_the_asked_unit():
    answer = ask("青石大桥投资多少亿元?", hits(BRIDGE))
    assert "4.6亿元" in answer.sentences[0].text
    assert [answer.sentences[0].text[a:b] for a, b in answer.sentences[0].emphasis] == ["4.6亿元"]


def test_several_questions_are_answered_with_their_own_citations():
    answer = ask("青石大桥全长多少米？白鹭渡口在哪个镇？", hits(BRIDGE, FERRY))
    assert [c.article_id for c in answer.citations] == ["a", "b"]
    assert "1280米" in answer.sentences[0].text and "沙河镇" in answer.sentences[-1].text


@pytest.mark.parametrize("text", ["火星基地的面积有多大?", "Who won the chess championship?"])
def test_refuses_what_no_sentence_answers(text):
    answer = ask(text, hits(BRIDGE, FERRY))
    assert answer.refused and answer.answer == REFUSAL[answer.language]
    assert answer.citations == () and [n.article_id for n in answer.nearest] == ["a", "b"]


def test_refuses_without_hits():
    assert ask("青石大桥全长多少米?", []).refused


def test_strictness_moves_the_bar():
    class Unsure:
        name = "unsure"

        def read(self, question, found):
            inner = OverlapReader().read(question, found)
            return Reading(inner.sentences, 0.5)

    def refused(strictness):
        question = Question("大桥全长多少米?", "大桥全长多少米?", "zh", AS_OF)
        [answer] = ExtractiveAnswerer(Unsure(), AnswerSettings(strictness=strictness)).stream(question, hits(BRIDGE))
        assert isinstance(answer, Answer) and answer.confidence == 0.5
        return answer.refused

    assert [refused(s) for s in ("strict", "balanced", "generous")] == [True, False, False]


def test_long_sentences_are_trimmed_to_whole_clauses_around_the_answer():
    clauses = [f"第{i}个村子种下了许多不同品种的果树并且修好了水渠" for i in range(12)]
    text = ",".join(clauses) + "。"
    at = text.index("第6个")
    start, end = trim(article(text), 0, len(text), (at, at + 3), 100)
    assert end - start <= 100
    assert text[start:end] == ",".join(clauses[4:8]) + ","
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
