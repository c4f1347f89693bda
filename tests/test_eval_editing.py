"""From a chat turn to a question of a set."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from pathlib import Path

import pytest
from eval_fakes import ARTICLES, HARBOUR, ToyAssistant

from eval.editing import free_id, put_question, question_from_answer, read_set, remove_question
from eval.gold import validate
from eval.question import GoldArticle, Question
from rag.errors import QuestionSetError
from rag.types import Turn

ASSISTANT = ToyAssistant({"泊位有多长？": (HARBOUR, "泊位长410米，可靠泊20万吨级货轮。", 0.9)})


def test_a_chat_turn_becomes_a_question_that_validates() -> None:
    answer = ASSISTANT.ask("泊位有多长？")
    marked = replace(answer, sentences=(replace(answer.sentences[0], emphasis=((3, 7),)),))
    question = question_from_answer(marked, "q1", as_of=dt.date(2025, 3, 2))
    assert question == Question(
        id="q1", text="泊位有多长？", lang="zh", type="fact", answers=("410米",),
        evidence=("泊位长410米，可靠泊20万吨级货轮。",), articles=(GoldArticle("paper.txt", "报/1", "新泊位启用"),),
        as_of=dt.date(2025, 3, 2),
    )  # fmt: skip
    refusal = question_from_answer(ASSISTANT.ask("谁是市长？"), "q2", history=(Turn("user", "你好"),))
    assert (refusal.type, refusal.answers, refusal.evidence) == ("unanswerable", (), ())
    assert refusal.history == (Turn("user", "你好"),)


def test_a_set_grows_changes_and_shrinks_and_keeps_what_it_cannot_read(tmp_path: Path) -> None:
    path = tmp_path / "sets" / "mine.jsonl"
    assert free_id(path) == "q1"
    first = question_from_answer(ASSISTANT.ask("泊位有多长？"), "q1")
    put_question(path, replace(first, answers=("410米",)))
    assert free_id(path) == "q2"
    path.write_text("not a question\n" + path.read_text("utf-8"), "utf-8")
    put_question(path, replace(first, id="q2", text="泊位多长？", answers=("410米",)))
    changed = put_question(path, replace(first, answers=("410米", "四百一十米")))
    assert [(q.id, q.text, q.answers) for q in changed.questions] == [
        ("q1", "泊位有多长？", ("410米", "四百一十米")),
        ("q2", "泊位多长？", ("410米",)),
    ]
    assert validate(changed, ARTICLES) == []
    assert path.read_text("utf-8").splitlines()[0] == "not a question"
    assert [q.id for q in remove_question(path, "q1").questions] == ["q2"]
    assert remove_question(path, "q2").questions == ()
    assert path.read_text("utf-8") == "not a question\n"
    with pytest.raises(QuestionSetError, match="mine.jsonl holds no question 'q1'; nothing was removed"):
        remove_question(path, "q1")
    with pytest.raises(QuestionSetError, match="needs an id and a text"):
        put_question(path, replace(first, text=" "))
    assert read_set(tmp_path / "none.jsonl").questions == ()
