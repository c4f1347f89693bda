"""The extractive answer: verbatim, cited, short, or a refusal."""

import datetime as dt
import re

import pytest

from rag.answering.composition import Quote, compose, trim
from rag.answering.constraints import is_about_another, meets_constraints
from rag.answering.extractive import ExtractiveAnswerer
from rag.answering.question_type import profile
from rag.answering.reader import OverlapReader, Reading, ScoredSentence
from rag.answering.reader_features import Candidate
from rag.answering.refusal import REFUSAL
from rag.config import AnswerSettings
from rag.expansion import QueryExpander
from rag.lexicon import Lexicon, stem
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
    answer = ask(text, hits(BRIDGE, FERRY), strictness="strict")
    assert answer.refused and answer.answer == REFUSAL[answer.language]
    assert answer.citations == () and [n.article_id for n in answer.nearest] == ["a", "b"]


def test_refuses_when_nothing_of_the_asked_kind_is_near():
    ferry = article("白鹭渡口位于沙河镇。渡口昨天恢复通航。", title="白鹭渡口恢复通航")
    assert ask("白鹭渡口的站长叫什么名字?", hits(ferry), strictness="generous").refused
    assert not ask("白鹭渡口位于哪个镇?", hits(ferry), strictness="generous").refused


def test_refuses_without_hits():
    assert ask("青石大桥全长多少米?", []).refused


def test_strictness_moves_the_bar():
    class Unsure:
        name = "unsure"

        def read(self, question, found):
            inner = OverlapReader().read(question, found)
            return Reading(inner.sentences, 0.3)

    def refused(strictness):
        question = Question("大桥全长多少米?", "大桥全长多少米?", "zh", AS_OF)
        [answer] = ExtractiveAnswerer(Unsure(), AnswerSettings(strictness=strictness)).stream(question, hits(BRIDGE))
        assert isinstance(answer, Answer) and answer.confidence == 0.3
        return answer.refused

    assert [refused(s) for s in ("strict", "balanced", "generous")] == [True, False, False]


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


@pytest.mark.parametrize(
    ("question", "meets"),
    [
        ("2025年产值多少亿元?", True),
        ("2019年产值多少亿元?", False),
        ("去年之前的2024年产值是多少亿元?", False),
        ("第九届展会的产值是多少亿元?", False),
        ("第十二届展会的产值是多少亿元?", True),
        ("产值是多少亿元?", True),
        ("占地面积有多大?", False),
        ("7号线哪天开通?", False),
        ("石门区的产值是多少亿元?", False),
        ("柳河县的产值是多少亿元?", True),
    ],
)
def test_an_article_must_hold_the_years_ordinals_names_and_measures_asked(question, meets):
    story = article("柳河县第十二届展会闭幕。全年产值达3.2亿元。5号线今天延长。", date=dt.date(2025, 12, 30))
    assert meets_constraints(profile(question), story) is meets


def test_a_sentence_about_another_line_or_district_does_not_answer():
    story = article("5号线今天开通。7号线明年开工。", title="柳河县通地铁")
    assert is_about_another(profile("7号线哪天开通?"), story, "5号线今天开通。")
    assert not is_about_another(profile("7号线哪天开工?"), story, "7号线明年开工。")
    assert is_about_another(profile("石门区有几条线?"), story, "7号线明年开工。")
    assert not is_about_another(profile("各区有几条线?"), story, "7号线明年开工。")


def test_a_relative_day_is_shown_with_its_date():
    answer = ask("青石大桥哪天通车?", hits(BRIDGE), strictness="generous")
    assert "青石大桥昨日通车。[1] “昨日”即2026年1月4日。[1]" in answer.answer
    [note] = [s for s in answer.sentences if s.support is Support.SUPPORTED]
    assert note.text == "“昨日”即2026年1月4日。" and note.markers == (1,)


def test_an_undated_article_is_said_to_be_undated():
    undated = article("青石大桥昨日通车。", title="青石大桥通车")
    assert "文章未注明日期，“昨日”无法换算。" in ask("青石大桥哪天通车?", hits(undated), strictness="generous").answer


def test_days_left_are_counted_from_the_day_of_the_question():
    line = article("海滨轻轨1月26日开通运营。", title="海滨轻轨", date=dt.date(2026, 1, 15))
    answer = ask("离海滨轻轨开通还有几天?", hits(line), strictness="generous")
    assert answer.sentences[-1].text == "从2026年1月20日到2026年1月26日还有6天。"


def test_a_comparison_labels_each_quote_with_what_it_is_about():
    east = article("东港年吞吐量达320万吨。", article_id="e", title="东港建成")
    west = article("西港年吞吐量达410万吨。", article_id="w", title="西港建成")
    answer = ask("东港和西港，谁的年吞吐量更大？", hits(east, west), strictness="generous")
    assert answer.answer == (
        "东港：东港年吞吐量达320万吨。[1]\n西港：西港年吞吐量达410万吨。[2]"
        " 两相比较，西港更大（410万吨；东港320万吨）。[2]"
    )


def test_different_figures_of_two_articles_are_both_shown_latest_first():
    old = article("全市建成智能工厂400家。", article_id="old", date=dt.date(2025, 3, 1))
    new = article("全市建成智能工厂528家。", article_id="new", date=dt.date(2026, 1, 1))
    answer = ask("全市建成智能工厂多少家?", hits(old, new), strictness="generous")
    assert answer.answer == "2026年1月1日：全市建成智能工厂528家。[1]\n2025年3月1日：全市建成智能工厂400家。[2]"
    assert [c.article_id for c in answer.citations] == ["new", "old"]
    assert "528家" in answer.sentences[0].text and "400家" in answer.sentences[1].text


def test_a_question_in_an_article_answers_nothing():
    story = article("青石大桥全长多少米？总长达到1280米。", title="青石大桥")
    answer = ask("青石大桥全长多少米?", hits(story), strictness="generous")
    assert answer.answer == "总长达到1280米。[1]"


def test_a_bare_she_said_answers_nothing():
    found = hits(article("她说。", article_id="s"), article("林晓舟说，大桥可以抗十二级大风。"))
    question = Question("林晓舟怎么说？", "林晓舟怎么说？", "zh", AS_OF)
    *_, answer = ExtractiveAnswerer(EvenReader(), AnswerSettings()).stream(question, found)
    assert answer.answer == "林晓舟说，大桥可以抗十二级大风。[1]"


def test_a_name_that_no_article_holds_is_refused():
    expander = QueryExpander(Lexicon({}, {stem("paris"): (("巴黎", 1.0),)}))
    question = Question("What is it like in Paris?", "What is it like in Paris?", "en", AS_OF)

    def refused(expander, *texts):
        found = hits(*(article(text, article_id=text) for text in texts))
        *_, answer = ExtractiveAnswerer(EvenReader(), AnswerSettings(), expander).stream(question, found)
        return answer.refused

    assert not refused(None, "The tower is made of steel.")
    assert refused(expander, "The tower is made of steel.")
    assert not refused(expander, "The tower is made of steel.", "铁塔在巴黎。")


def test_a_printed_list_is_quoted_line_by_line():
    story = article("青石大桥通车，公交调整如下：\n一、1路到桥头；\n二、2路过桥。\n请留意。", title="青石大桥通车")
    answer = ask("青石大桥通车，哪些公交调整?", hits(story), strictness="generous")
    assert answer.answer == "青石大桥通车，公交调整如下：\n一、1路到桥头；\n二、2路过桥。[1]"
    assert [c.quote for c in answer.citations] == [story.text[: story.text.index("\n请")]]


def test_who_made_an_article_answers_nothing():
    story = article("大桥今天通车。\n来源：海风日报\n编辑：林晓舟")
    assert "来源" not in ask("大桥通车的来源是什么?", hits(story), strictness="generous").answer


def test_the_best_article_is_read_beyond_its_passages():
    text = "青石大桥今天通车。" + "两岸居民纷纷前来参观拍照留念。" * 30 + "青石大桥全长1280米。"
    story = article(text, title="青石大桥")
    first = Hit(1, 1.0, Passage("a", 0, 9, text[:9]), story)
    answer = ask("青石大桥全长多少米?", [first], strictness="generous")
    assert "1280米" in answer.sentences[0].text


class EvenReader:
    """Finds every sentence as likely as any other."""

    name = "even"

    def read(self, question, found):
        candidates = [
            Candidate(h, h.passage.start, h.passage.end, None, (h.passage.start, h.passage.end)) for h in found
        ]
        return Reading(tuple(ScoredSentence(c, 1 / len(candidates)) for c in candidates), 0.9)


def test_an_english_question_follows_the_retrieval():
    tower = article("The tower is made of steel.", article_id="t")
    hall = article("The hall is made of brick.", article_id="h")

    def best(first, second, language):
        found = [Hit(2, 2.0, Passage(first.id, 0, len(first.text), first.text), first)]
        found.append(Hit(1, 20.0, Passage(second.id, 0, len(second.text), second.text), second))
        question = Question("What is it like?", "What is it like?", language, AS_OF)
        *_, answer = ExtractiveAnswerer(EvenReader(), AnswerSettings()).stream(question, found)
        return answer.citations[0].article_id

    assert best(tower, hall, "en") == "h"
    assert best(hall, tower, "en") == "t"
    assert best(hall, tower, "zh") == "h"
