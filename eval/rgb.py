"""RGB, the retrieval-augmented generation benchmark (Chen et al., AAAI 2024) -> articles and a question set.

A record holds a question, its answer, texts that hold the answer (positive) and texts near the question that do
not (negative); the set of wrong facts also holds the positive texts with the answer replaced by a wrong one.

`read_given` and `read_facts` follow RGB's protocol (evalue.py of the authors' repository): a question is answered
from five texts that are given, not retrieved. Each question's texts are articles of a source of its own, and the
question is asked within that source. `read_rgb` is the harder use: one library of all texts of all questions.

RGB counts an answer as accurate when it holds the gold answer. `correct` asks the same, and also that a number does
not run on into other digits and that the answer is short.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from eval.collection import Collection, file_stem, json_lines
from eval.matching import holds
from eval.question import UNANSWERABLE, GoldArticle, Question
from eval.question_set import make_question_set
from rag.errors import QuestionSetError
from rag.sentences import sentence_spans
from rag.tokens import detect_language
from rag.types import Article

GIVEN = 5
"""Texts that a question is answered from."""
NOISE = (0.0, 0.4, 0.8, 1.0)
"""Shares of negative texts among them; with nothing but noise a question must be refused."""


@dataclass(frozen=True, slots=True)
class _Record:
    """One line of an RGB file."""

    id: str
    query: str
    entries: tuple[tuple[str, ...], ...]
    """What an answer must hold: one form of every entry."""
    wrong: tuple[tuple[str, ...], ...]
    """The same for the wrong answer; empty outside the set of wrong facts."""
    positive: tuple[str, ...]
    negative: tuple[str, ...]
    positive_wrong: tuple[str, ...]
    """The positive texts with the wrong fact, one each; empty outside the set of wrong facts."""


def read_rgb(path: Path, *, negatives_only: bool = False) -> Collection:
    """All texts of all questions as one library, so that each question meets all the others' noise.

    With `negatives_only` the library holds the negative texts only and every question is unanswerable.

    :raises QuestionSetError: it is no RGB file.
    """
    name = file_stem(path) + ("-reject" if negatives_only else "")
    articles: dict[str, Article] = {}
    questions: list[Question] = []
    for record in _read(path):
        for text in (*(() if negatives_only else record.positive), *record.negative):
            articles.setdefault(text, Article(f"{name}#{len(articles) + 1}", "", text, path.name))
        gold = () if negatives_only else tuple(articles[text] for text in record.positive)
        kind = UNANSWERABLE if negatives_only else ("multi" if len(record.entries) > 1 else "fact")
        questions.append(_question(record, record.id, kind, gold))
    return Collection(tuple(articles.values()), make_question_set(name, questions))


def read_given(path: Path) -> Collection:
    """Noise and rejection: every question once per share of noise, each time with five texts of its own.

    Types: `noise 0`, `noise 0.4`, `noise 0.8`, and `unanswerable` for nothing but noise. As in RGB, a question that
    has too few texts of one kind gets more of the other.

    :raises QuestionSetError: it is no RGB file.
    """
    given = _Given(file_stem(path), path.name)
    for record in _read(path):
        for noise in NOISE:
            positive, negative = _mixture(record, noise)
            kind = UNANSWERABLE if noise == 1 else f"noise {noise:g}"
            given.add(record, kind, f"{record.id}@{noise:g}", positive, negative)
    return given.collection()


def read_facts(path: Path) -> Collection:
    """Wrong facts in the sources: every question from right texts, from wrong ones, and from both.

    Types: `right facts`, `wrong facts` (RGB's counterfactual test), `both facts` (texts in turn wrong and right; a
    question with one text gets it in both forms). At most five texts a question, as many as it has.

    :raises QuestionSetError: it is no RGB file of wrong facts.
    """
    given = _Given(file_stem(path), path.name)
    for record in _read(path, wrong_facts=True):
        right, wrong = record.positive[:GIVEN], record.positive_wrong[:GIVEN]
        given.add(record, "right facts", f"{record.id}@right", right, ())
        given.add(record, "wrong facts", f"{record.id}@wrong", (), wrong, misled=True)
        if len(right) == 1:
            given.add(record, "both facts", f"{record.id}@both", right, wrong, misled=True)
        else:
            given.add(record, "both facts", f"{record.id}@both", right[1::2], wrong[::2], misled=True)
    return given.collection()


class _Given:
    """Collects questions, each with the texts that it is answered from as a source of its own."""

    def __init__(self, name: str, file: str) -> None:
        self._name, self._file = name, file
        self._articles: list[Article] = []
        self._questions: list[Question] = []

    def add(
        self, record: _Record, kind: str, question_id: str, gold: Sequence[str], other: Sequence[str], *,
        misled: bool = False,
    ) -> None:  # fmt: skip
        """A question with the texts that hold its answer and the others; `misled`: these hold a wrong one."""
        source = f"{self._name} {question_id}"
        articles = tuple(
            Article(f"{self._name}/{question_id}#{number}", "", text, self._file, source)
            for number, text in enumerate(dict.fromkeys((*gold, *other)), 1)
        )
        self._articles += articles
        right = articles[: len(dict.fromkeys(gold))]
        wrong = _flat(record.wrong) if misled else ()
        self._questions.append(_question(record, question_id, kind, right, (source,), wrong))

    def collection(self) -> Collection:
        """Everything added."""
        return Collection(tuple(self._articles), make_question_set(self._name, self._questions))


def _mixture(record: _Record, noise: float) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The positive and the negative texts of a question at a share of noise, as RGB's `processdata` takes them."""
    negative = math.ceil(GIVEN * noise)
    if noise < 1:
        negative = min(negative, len(record.negative))
        negative = max(negative, GIVEN - len(record.positive))
    return record.positive[: GIVEN - negative], record.negative[:negative]


def _question(
    record: _Record, question_id: str, kind: str, gold: Sequence[Article], sources: tuple[str, ...] = (),
    wrong_answers: tuple[str, ...] = (),
) -> Question:  # fmt: skip
    several = len(record.entries) > 1
    answerable = kind != UNANSWERABLE
    answers = _flat(record.entries) if several else record.entries[0]
    return Question(
        id=question_id,
        text=record.query,
        lang=detect_language(record.query),
        type=kind,
        answers=answers if answerable else (),
        match="all" if several and answerable else "any",
        aliases=record.entries if several and answerable else (),
        evidence=_evidence(gold, record.entries) if answerable else (),
        articles=tuple(GoldArticle(article.file, article.id) for article in gold),
        any_article=bool(gold),
        sources=sources,
        wrong_answers=wrong_answers,
    )


def _evidence(gold: Iterable[Article], entries: Sequence[Sequence[str]]) -> tuple[str, ...]:
    """The sentences that hold the whole answer."""
    sentences = [article.text[start:end] for article in gold for start, end in sentence_spans(article.text)]
    return tuple(dict.fromkeys(s for s in sentences if all(any(holds(s, form) for form in forms) for forms in entries)))


def _read(path: Path, *, wrong_facts: bool = False) -> list[_Record]:
    try:
        return [
            _Record(
                id=str(record["id"]),
                query=str(record["query"]),
                entries=_entries(record["answer"]),
                wrong=_entries(record["fakeanswer"]) if wrong_facts else (),
                positive=_texts(record["positive"]),
                negative=_texts(record["negative"]),
                positive_wrong=_texts(record["positive_wrong"]) if wrong_facts else (),
            )
            for record in json_lines(path)
        ]
    except (ValueError, KeyError, TypeError) as error:
        wanted = "query, answer, positive, negative" + (", fakeanswer, positive_wrong" if wrong_facts else "")
        raise QuestionSetError(f"{path} is not RGB JSON lines ({error!r}); expected id, {wanted}") from error


def _entries(answer: Any) -> tuple[tuple[str, ...], ...]:
    """RGB's answer is a text or a list of which every entry is needed; an entry that is a list names alternatives."""
    needed = answer if isinstance(answer, list) else [answer]
    return tuple(tuple(str(form) for form in (entry if isinstance(entry, list) else [entry])) for entry in needed)


def _flat(entries: Sequence[Sequence[str]]) -> tuple[str, ...]:
    """The first form of every entry."""
    return tuple(forms[0] for forms in entries)


def _texts(value: Any) -> tuple[str, ...]:
    return tuple(str(text).strip() for text in value if str(text).strip())
