"""A JSONL question set -> Questions, and everything that is wrong with it, by line.

A question set is UTF-8 text with one JSON object a line (fields: see `Question`). Reading never stops at a
bad line and never drops a question that can be asked: a value of the wrong type is converted where its
meaning is clear, a duplicate id gets a suffix, unknown fields are kept, and each such repair is a Problem
that names its line. Only a line that holds no question at all is left out, and then its text is kept.
"""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from eval.question import Problem, Question, to_json
from eval.question_fields import read_line
from rag.errors import QuestionSetError


@dataclass(frozen=True, slots=True)
class QuestionSet:
    """The questions of one file, in order."""

    name: str
    questions: tuple[Question, ...]
    problems: tuple[Problem, ...] = ()
    fingerprint: str = ""
    """SHA-256 of the questions as they would be written; equal for equal content."""


def read_question_set(path: Path, *, allow_empty: bool = False) -> QuestionSet:
    """The question set in the file `path`.

    :raises QuestionSetError: the file is missing, cannot be read or (unless `allow_empty`) holds no question.
    """
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        raise QuestionSetError(f"question set {path} does not exist; give a JSONL file, one question a line") from None
    except OSError as error:
        raise QuestionSetError(f"question set {path} cannot be read: {error.strerror}") from error
    # Bytes that are not UTF-8 spoil one line only, and survive being written back.
    found = parse_questions(data.decode("utf-8", "surrogateescape").split("\n"), path.stem)
    if not found.questions and not allow_empty:
        first = f"; {found.problems[0]}" if found.problems else ""
        raise QuestionSetError(f"question set {path} holds no question; expected a JSON object a line{first}")
    return found


def parse_questions(lines: Sequence[str], name: str) -> QuestionSet:
    """The question set whose lines are `lines`."""
    questions: list[Question] = []
    problems: list[Problem] = []
    taken: set[str] = set()
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        # Files that were put together carry a byte order mark before a line of the middle.
        question, found = read_line(number, line.rstrip("\r").removeprefix("\ufeff"))
        problems += found
        if question is None:
            continue
        if question.id in taken:
            question, problem = _renamed(question, taken)
            problems.append(problem)
        taken.add(question.id)
        questions.append(question)
    return make_question_set(name, questions, problems)


def make_question_set(name: str, questions: Iterable[Question], problems: Iterable[Problem] = ()) -> QuestionSet:
    """A question set of questions that are at hand."""
    kept = tuple(questions)
    digest = hashlib.sha256("\n".join(to_json(question) for question in kept).encode()).hexdigest()
    return QuestionSet(name, kept, tuple(problems), digest)


def write_question_set(path: Path, question_set: QuestionSet) -> None:
    """Write a set so that reading it gives it back; lines that held no question are written as they were."""
    path.write_bytes(set_text(question_set))


def set_text(question_set: QuestionSet) -> bytes:
    """The bytes of the file that holds `question_set`."""
    unread = {p.line: p.raw for p in question_set.problems if p.raw}
    lines: list[str] = []
    for question in question_set.questions:
        for number in sorted(n for n in unread if question.line and n < question.line):
            lines.append(unread.pop(number))
        lines.append(to_json(question))
    lines += [unread[number] for number in sorted(unread)]
    return "".join(f"{line}\n" for line in lines).encode("utf-8", "surrogateescape")


def _renamed(question: Question, taken: set[str]) -> tuple[Question, Problem]:
    number = 2
    while f"{question.id}~{number}" in taken:
        number += 1
    name = f"{question.id}~{number}"
    message = f"id {question.id!r} was used before; this one is kept as {name!r}"
    return dataclasses.replace(question, id=name), Problem(question.line, question.id, message)
