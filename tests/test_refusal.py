"""Saying no: near misses, the judge of answerability, the settings of strictness."""

import dataclasses
import datetime as dt

import numpy as np
import pytest
from tokenizers import Regex, Tokenizer
from tokenizers.models import WordLevel
from tokenizers.pre_tokenizers import Split

from rag.answering.constraints import is_about_another, meets_constraints
from rag.answering.judging import AGREEMENT, agreement
from rag.answering.question_type import profile
from rag.answering.reader_features import Candidate
from rag.answering.refusal import BARS, asks_nothing
from rag.answering.word_match import WORD_FEATURES, WordMatcher
from rag.encoder import StaticEncoder
from rag.lexicon import Lexicon
from rag.sentences import sentence_spans
from rag.types import Article, Hit, Passage, Question


def article(text, title="", date=dt.date(2026, 3, 5)):
    return Article(id="a", title=title, text=text, file="f", date=date)


@pytest.mark.parametrize(("question", "met"), [("第200届海灯会有多少人?", False), ("第12届海灯会有多少人?", True)])
def test_an_ordinal_of_any_size_must_be_met(question, met):
    assert meets_constraints(profile(question), article("第12届海灯会来了3万人。")) is met


@pytest.mark.parametrize(
    ("question", "other"),
    [("How many people rode Line 7?", True), ("How many people rode Line 5?", False), ("5号线首月运了多少人?", False)],
)
def test_a_line_is_the_same_in_both_languages(question, other):
    sentence = "5号线首月运送393万人次。"
    assert is_about_another(profile(question), article(sentence), sentence) is other
    assert meets_constraints(profile(question), article(sentence)) is not other


@pytest.fixture
def letters(tmp_path):
    """A static encoder that knows single characters and English words, each alike only to itself."""
    pieces = ["桥馆", "票价", "三", "月", "开", "门", "元", "是", "who", "runs", "hall"]
    vocabulary = {piece: i for i, piece in enumerate([*pieces, "?unk"])}
    tokenizer = Tokenizer(WordLevel(vocabulary, unk_token="?unk"))
    tokenizer.pre_tokenizer = Split(Regex(r"[a-z]+|桥馆|票价|[^a-z]"), "isolated")
    return StaticEncoder("letters", tmp_path, tokenizer, np.eye(len(vocabulary), dtype=np.float32))


def candidates(text, title=""):
    one = article(text, title)
    hit = Hit(1, 1.0, Passage("a", 0, len(text), text), one)
    return [Candidate(hit, start, end, None, (start, end)) for start, end in sentence_spans(text)]


LEXICON = Lexicon({"桥馆": 9.0, "票价": 8.0, "馆长": 7.0, "runs": 5.0, "hall": 6.0})


def test_the_word_asked_for_is_looked_up_at_each_distance(letters):
    found = candidates("桥馆三月开门。门票价三元。")
    asked = profile("桥馆票价是多少?")
    row = dict(zip(WORD_FEATURES, WordMatcher(LEXICON, letters).features(asked, asked.text, found), strict=True))
    assert (row["focus_literal_sentence"], row["focus_literal_window"]) == (0.0, 1.0)
    assert row["focus_missing_sentence"] > row["focus_missing_window"] == 0.0


def test_an_english_word_beside_who_is_what_is_asked_for(letters):
    question = "Who runs hall?"
    words = WordMatcher(LEXICON, letters).words_of(profile(question), question)
    assert [(question[w.start : w.end], w.focus) for w in words] == [("runs", True), ("hall", False)]


def test_bars_rise_with_strictness():
    assert 0 < BARS["generous"] < BARS["balanced"] < BARS["strict"] < 1


def test_agreement_counts_sentences_that_repeat_the_answer():
    text = "票价三元。桥馆三月开门。门票三元。"
    first, second, third = candidates(text)
    ranked = [dataclasses.replace(first, answer=(2, 4)), third, second]
    row = agreement(profile("票价多少?"), ranked, np.array([0.5, 0.3, 0.2], np.float32))
    named = dict(zip(AGREEMENT, row.tolist(), strict=True))
    assert (named["agreeing"], named["chinese"]) == (1.0, 1.0)
    assert named["agreeing_share"] == pytest.approx(0.3) and named["article_share"] == pytest.approx(1.0)


@pytest.mark.parametrize(
    ("question", "nothing"),
    [("昨天有什么新闻？", True), ("你是谁？", True), ("What is the news today?", True),
     ("昨天大桥有什么新闻？", False), ("大桥多长？", False), ("What is new about the ferry?", False)],
)  # fmt: skip
def test_a_question_that_names_nothing_chooses_no_article(question, nothing):
    language = "en" if question.isascii() else "zh"
    assert asks_nothing(Question(question, question, language, dt.date(2026, 1, 20))) is nothing
