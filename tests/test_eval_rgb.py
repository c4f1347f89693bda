"""RGB's protocol: texts given a question at shares of noise, and wrong facts in them. All texts are invented."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from eval_fakes import ToyAssistant, ToyLibrary

from eval.formats import read_collection
from eval.public import read_public
from eval.question_set import parse_questions, read_question_set, write_question_set
from eval.report import table
from eval.rgb import read_facts, read_given, read_rgb
from eval.runner import run
from rag.errors import QuestionSetError
from rag.types import Article

NOISY = {
    "id": 7, "query": "灯塔哪年建成？", "answer": ["1893年"],
    "positive": [f"灯塔1893年建成。第{n}次翻修。" for n in "一二三四五六"],
    "negative": [f"港口第{n}次扩建。" for n in "一二三四五六"],
}  # fmt: skip
FACTS = {
    "id": 3, "query": "塔高多少米？", "answer": "21米", "fakeanswer": "31米", "negative": ["港口扩建。"],
    "positive": ["甲报说塔高21米。", "乙报说塔高21米。", "丙报说塔高21米。"],
    "positive_wrong": ["甲报说塔高31米。", "乙报说塔高31米。", "丙报说塔高31米。"],
}  # fmt: skip


def write(path: Path, *records: dict[str, object]) -> Path:
    path.write_text("\n".join(json.dumps(record, ensure_ascii=False) for record in records), "utf-8")
    return path


def test_rgb(tmp_path: Path) -> None:
    records = [
        {"id": 0, "query": "灯塔哪年建成？", "answer": ["1893年"], "positive": ["灯塔1893年建成。今年翻修。"],
         "negative": ["港口今年扩建。", ""]},
        {"id": 1, "query": "谁守塔，塔多高？", "answer": [["陶守海", "老陶"], "21米"],
         "positive": ["老陶守着21米高的塔。"], "negative": ["港口今年扩建。"]},
    ]  # fmt: skip
    path = tmp_path / "rgb.jsonl"
    path.write_text("\n".join(json.dumps(r, ensure_ascii=False) for r in records), "utf-8")
    found = read_collection(path)
    assert [a.text for a in found.articles] == ["灯塔1893年建成。今年翻修。", "港口今年扩建。", "老陶守着21米高的塔。"]
    one, two = found.question_set.questions
    assert (one.type, one.answers, one.match, one.evidence) == ("fact", ("1893年",), "any", ("灯塔1893年建成。",))
    assert one.any_article
    assert (two.type, two.match, two.aliases) == ("multi", "all", (("陶守海", "老陶"), ("21米",)))
    assert two.evidence == ("老陶守着21米高的塔。",)
    rejecting = read_rgb(path, negatives_only=True)
    assert [a.text for a in rejecting.articles] == ["港口今年扩建。"]
    assert [(q.type, q.answers, q.evidence) for q in rejecting.question_set.questions] == [("unanswerable", (), ())] * 2


def test_every_share_of_noise_has_five_texts_in_a_source_of_its_own(tmp_path: Path) -> None:
    found = read_given(write(tmp_path / "noisy.jsonl", NOISY))
    texts = {
        q.id: [a.text for a in found.articles if (a.source,) == q.sources] for q in found.question_set.questions
    }  # fmt: skip
    right, noise = NOISY["positive"], NOISY["negative"]
    assert texts == {
        "7@0": right[:5], "7@0.4": right[:3] + noise[:2], "7@0.8": right[:1] + noise[:4], "7@1": noise[:5],
    }  # fmt: skip
    kinds = [(q.type, q.answers, len(q.articles), q.any_article) for q in found.question_set.questions]
    assert kinds == [
        ("noise 0", ("1893年",), 5, True), ("noise 0.4", ("1893年",), 3, True), ("noise 0.8", ("1893年",), 1, True),
        ("unanswerable", (), 0, False),
    ]  # fmt: skip
    assert found.question_set.questions[2].evidence == ("灯塔1893年建成。",)


def test_too_few_texts_of_one_kind_are_filled_up_with_the_other(tmp_path: Path) -> None:
    few = {**NOISY, "positive": NOISY["positive"][:4], "negative": NOISY["negative"][:3]}
    found = read_given(write(tmp_path / "few.jsonl", few))
    assert [len(q.articles) for q in found.question_set.questions] == [4, 3, 2, 0]
    per_question = [sum((a.source,) == q.sources for a in found.articles) for q in found.question_set.questions]
    assert per_question == [5, 5, 5, 3]


def test_wrong_facts_alone_and_beside_the_right_ones(tmp_path: Path) -> None:
    single = {**FACTS, "id": 4, "positive": ["甲报说塔高21米。"], "positive_wrong": ["甲报说塔高31米。"]}
    found = read_facts(write(tmp_path / "facts.jsonl", FACTS, single))
    texts = {
        q.id: [a.text for a in found.articles if (a.source,) == q.sources] for q in found.question_set.questions
    }  # fmt: skip
    assert texts == {
        "3@right": FACTS["positive"],
        "3@wrong": FACTS["positive_wrong"],
        "3@both": ["乙报说塔高21米。", "甲报说塔高31米。", "丙报说塔高31米。"],
        "4@right": ["甲报说塔高21米。"],
        "4@wrong": ["甲报说塔高31米。"],
        "4@both": ["甲报说塔高21米。", "甲报说塔高31米。"],
    }
    assert [(q.type, q.answers, q.wrong_answers, len(q.articles)) for q in found.question_set.questions[:3]] == [
        ("right facts", ("21米",), (), 3), ("wrong facts", ("21米",), ("31米",), 0),
        ("both facts", ("21米",), ("31米",), 1),
    ]  # fmt: skip


def test_a_file_without_wrong_facts_is_named(tmp_path: Path) -> None:
    path = write(tmp_path / "zh_fact.json", NOISY)
    with pytest.raises(QuestionSetError, match=r"zh_fact.json is not RGB JSON lines .*expected id, .*positive_wrong"):
        read_public("rgb-facts", tmp_path)
    assert read_given(path).question_set.name == "zh_fact"


def test_sources_and_wrong_answers_survive_being_written(tmp_path: Path) -> None:
    questions = read_facts(write(tmp_path / "facts.jsonl", FACTS)).question_set
    write_question_set(tmp_path / "set.jsonl", questions)
    back = read_question_set(tmp_path / "set.jsonl")
    assert back.problems == ()
    assert [replace(q, line=0) for q in back.questions] == list(questions.questions)
    odd = parse_questions(['{"id":"a","question":"灯塔多高？","answers":["1"],"type":"fact","sources":"晚报"}'], "odd")
    assert odd.questions[0].sources == ("晚报",)
    assert str(odd.problems[0]) == 'line 1 (a): sources is "晚报"; expected a list of texts; read as a list of one'


def test_a_run_asks_within_the_source_and_tells_who_follows_the_wrong_fact(tmp_path: Path) -> None:
    found = read_facts(write(tmp_path / "facts.jsonl", FACTS))
    both = Article("x", "", "一说塔高31米，一说塔高21米。", "x.txt")

    class Misled(ToyAssistant):
        def ask(self, question, *, history=(), filters=None, as_of=None):  # type: ignore[no-untyped-def]
            said = {"right": "甲报说塔高21米。", "wrong": "甲报说塔高31米。"}.get(filters.sources[0].rpartition("@")[2])
            article = next((a for a in found.articles if a.text == said and a.source in filters.sources), both)
            self.says = {question: (article, article.text, 0.9)}
            return super().ask(question, history=history, as_of=as_of)

    finished = run(found.question_set, ToyLibrary(stories=found.articles), Misled({}), tmp_path / "run")
    keys = ("correct", "follows_wrong", "conflict_shown")
    assert [[r.values.get(key) for key in keys] for r in finished.results()] == [
        [1.0, None, None], [0.0, 1.0, 0.0], [1.0, 0.0, 1.0],
    ]  # fmt: skip
    for result, question in zip(finished.results(), found.question_set.questions, strict=True):
        assert {a.source for a in found.articles if a.id in {h.article_id for h in result.retrieved}} == {
            *question.sources
        }
    lines = table(finished.metrics()).splitlines()
    assert lines[0].endswith("wrong fact  conflict")
    assert next(line for line in lines if line.startswith("all")).split()[-2:] == ["0.500", "0.500"]
