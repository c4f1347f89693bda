"""Building a question set by hand: from a chat turn to a question, and changing a set on disk.

A set is rewritten whole and at once, and lines that held no question stay where they were.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from eval.question import UNANSWERABLE, GoldArticle, Question
from eval.question_set import QuestionSet, make_question_set, read_question_set, set_text
from rag.errors import QuestionSetError
from rag.tokens import detect_language
from rag.types import Answer, Turn


def question_from_answer(
    answer: Answer, question_id: str, *, history: Sequence[Turn] = (), as_of: dt.date | None = None
) -> Question:
    """A question for a chat turn, with what was cited as its evidence; the user corrects it from there.

    The accepted answers are the words that the answer emphasised. A refusal becomes an unanswerable question.
    """
    found = [s.text[start:end] for s in answer.sentences for start, end in s.emphasis]
    return Question(
        id=question_id,
        text=answer.question,
        lang=detect_language(answer.question),
        type=UNANSWERABLE if answer.refused else ("followup" if history else "fact"),
        answers=() if answer.refused else tuple(dict.fromkeys(found)),
        evidence=tuple(dict.fromkeys(citation.quote for citation in answer.citations)),
        articles=tuple(dict.fromkeys(GoldArticle(c.file, c.article_id, c.title) for c in answer.citations)),
        as_of=as_of,
        history=tuple(history),
    )


def free_id(path: Path, prefix: str = "q") -> str:
    """An id that no question of the set in `path` has: `q1`, `q2`, …; the set need not exist."""
    taken = {question.id for question in read_set(path).questions}
    number = len(taken) + 1
    while f"{prefix}{number}" in taken:
        number += 1
    return f"{prefix}{number}"


def read_set(path: Path) -> QuestionSet:
    """The set in `path`; an empty one where there is no file yet or no question in it.

    :raises QuestionSetError: the file cannot be read.
    """
    return read_question_set(path, allow_empty=True) if path.exists() else make_question_set(path.stem, ())


def put_question(path: Path, question: Question) -> QuestionSet:
    """Add a question to the set in `path` (made if need be), or replace the one with its id.

    :raises QuestionSetError: the question has no id or no text, or the set cannot be read or written.
    """
    if not question.id.strip() or not question.text.strip():
        raise QuestionSetError("a question needs an id and a text; fill in both")
    found = read_set(path)
    known = [q.id for q in found.questions]
    questions = list(found.questions)
    if question.id in known:
        place = known.index(question.id)
        questions[place] = replace(question, line=questions[place].line)
    else:
        questions.append(replace(question, line=0))
    return _save(path, found, questions)


def remove_question(path: Path, question_id: str) -> QuestionSet:
    """Take a question out of the set in `path`.

    :raises QuestionSetError: the set holds no such question.
    """
    found = read_set(path)
    left = [question for question in found.questions if question.id != question_id]
    if len(left) == len(found.questions):
        raise QuestionSetError(f"{path.name} holds no question {question_id!r}; nothing was removed")
    return _save(path, found, left)


def _save(path: Path, found: QuestionSet, questions: Sequence[Question]) -> QuestionSet:
    from rag.store.atomic import write_checked

    changed = make_question_set(found.name, questions, found.problems)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_checked(path, [set_text(changed)])
    except OSError as error:
        raise QuestionSetError(f"question set {path} cannot be written: {error.strerror}") from error
    return read_set(path)
