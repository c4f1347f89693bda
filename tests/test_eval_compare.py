"""Comparing two runs."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path

import pytest
from eval_fakes import HARBOUR, LIBRARY, ToyAssistant, ToyLibrary

from eval.compare import Change, compare
from eval.compare_html import comparison_page
from eval.compare_report import comparison_json, comparison_text
from eval.question_set import QuestionSet, parse_questions
from eval.runner import run
from eval.runs import RunError
from rag.config import AnswerSettings

BERTH = "泊位长410米，可靠泊20万吨级货轮。"
HOURS = "市图书馆从四月起每天开放到晚上十点。"


def questions(count: int = 4) -> QuestionSet:
    return parse_questions(
        [
            json.dumps({"id": f"q{n}", "question": f"泊位有多长？{n}", "type": "fact", "answers": ["410米"],
                        "evidence": ["泊位长410米"]})
            for n in range(count)
        ],
        "toy",
    )  # fmt: skip


def test_compare_by_hand(tmp_path: Path) -> None:
    right, wrong = (HARBOUR, BERTH, 0.9), (LIBRARY, HOURS, 0.5)
    other_wrong = (LIBRARY, "馆长沈竹说，自习座位增加到860个。", 0.5)
    before = {"泊位有多长？0": wrong, "泊位有多长？1": right, "泊位有多长？2": wrong, "泊位有多长？3": right}
    after = {"泊位有多长？0": right, "泊位有多长？1": right, "泊位有多长？2": other_wrong}
    a = run(questions(), ToyLibrary(), ToyAssistant(before), tmp_path / "a", name="a")
    settings = replace(ToyLibrary().settings, answer=AnswerSettings(strictness="strict"))
    b = run(questions(), ToyLibrary(settings=settings), ToyAssistant(after), tmp_path / "b", name="b")
    found = compare(a, b)
    assert found.settings == ("answer.strictness balanced → strict",)
    assert [(pair.first.id, pair.change) for pair in found.pairs] == [
        ("q0", Change.BETTER),
        ("q1", Change.SAME),
        ("q2", Change.CHANGED),
        ("q3", Change.WORSE),
    ]
    by_name = {m.measure: m for m in found.measures}
    correct = by_name["correct"].test
    # 2 of 4 before and after; one up, one down: flips give |sum| 0 or 2, all at least the 0 observed
    assert (correct.first, correct.second, correct.difference, correct.p_value) == (0.5, 0.5, 0.0, 1.0)
    assert by_name["correct"].improved is None
    assert by_name["false_refusal"].test.difference == 0.25
    assert by_name["false_refusal"].improved is False
    assert not by_name["false_refusal"].significant
    text = comparison_text(found)
    assert "different: answer.strictness balanced → strict" in text
    assert "1 better:\n  q0 泊位有多长？0\n      A: 市图书馆" in text
    page = comparison_page(found)
    assert "<h2>Better · 变好 (1)</h2><details open>" in page
    assert '<span class="bad">✗</span> 没有找到。' in page
    assert not re.search(r"<script|<img|<link|https?://", page)
    assert comparison_json(found)["questions"][3] == {  # type: ignore[index]
        "id": "q3", "question": "泊位有多长？3", "change": "worse",
        "first": {"correct": True, "answer": f"{BERTH}[1]"}, "second": {"correct": False, "answer": "没有找到。"},
    }  # fmt: skip


def test_a_clear_difference_is_significant_after_correction(tmp_path: Path) -> None:
    toy = questions(12)
    a = run(toy, ToyLibrary(), ToyAssistant({}), tmp_path / "a")
    b = run(toy, ToyLibrary(), ToyAssistant({q.text: (HARBOUR, BERTH, 0.9) for q in toy.questions}), tmp_path / "b")
    correct = next(m for m in compare(a, b).measures if m.measure == "correct")
    # p = 2 / 2^12 before correction
    assert correct.test.p_value == pytest.approx(2 / 4096)
    assert correct.corrected_p > correct.test.p_value
    assert correct.significant
    assert correct.improved is True


def test_runs_without_shared_questions_are_refused(tmp_path: Path) -> None:
    other = parse_questions([json.dumps({"id": "q0", "question": "别的？", "type": "fact", "answers": ["x"]})], "other")
    a = run(questions(), ToyLibrary(), ToyAssistant({}), tmp_path / "a", name="a")
    b = run(other, ToyLibrary(), ToyAssistant({}), tmp_path / "b", name="b")
    with pytest.raises(RunError, match="runs 'a' and 'b' share no question"):
        compare(a, b)
    mixed = QuestionSet("mixed", (*questions(2).questions, *other.questions[:0]))
    c = run(mixed, ToyLibrary(), ToyAssistant({}), tmp_path / "c")
    assert compare(a, c).only_first == ("q2", "q3")
