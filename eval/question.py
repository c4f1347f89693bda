"""One question of a set, with what a right answer must hold."""

from __future__ import annotations

import datetime as dt
import json
from dataclasses import dataclass, field
from typing import Literal

from rag.types import Turn

Match = Literal["any", "all"]
Json = str | int | float | bool | None | list["Json"] | dict[str, "Json"]

UNANSWERABLE = "unanswerable"
TYPES = ("fact", "crosslingual", "paraphrase", "multi", "list", "temporal", "followup", UNANSWERABLE)
"""The types with a meaning here; a set may use its own beside them."""


@dataclass(frozen=True, slots=True)
class GoldArticle:
    """An article that holds the answer, named by whatever the set knows of it."""

    file: str = ""
    id: str = ""
    title: str = ""


@dataclass(frozen=True, slots=True)
class Question:
    """One question of a set with what a right answer must hold."""

    id: str
    text: str
    lang: str
    """`zh` or `en`."""
    type: str
    answers: tuple[str, ...] = ()
    """Accepted short answers; empty when unanswerable."""
    match: Match = "any"
    """`any`: one of the answers is enough; `all`: every entry is needed."""
    aliases: tuple[tuple[str, ...], ...] = ()
    """With `all`: the accepted forms of each entry; empty when each entry has one form."""
    evidence: tuple[str, ...] = ()
    """Verbatim quotes of the articles; white space does not count."""
    articles: tuple[GoldArticle, ...] = ()
    any_article: bool = False
    """Each of the articles alone is enough."""
    as_of: dt.date | None = None
    history: tuple[Turn, ...] = ()
    sources: tuple[str, ...] = ()
    """Asked of the articles of these sources only; empty: of the whole library."""
    wrong_answers: tuple[str, ...] = ()
    """Wrong answers that the articles hold; with match `all` an answer repeats them when it holds every one."""
    extra: dict[str, Json] = field(default_factory=dict)
    """Unknown fields, kept as they came."""
    line: int = 0
    """1-based line of the file; 0 for a question that was not read from one."""

    @property
    def answerable(self) -> bool:
        """Whether the articles hold an answer."""
        return self.type != UNANSWERABLE

    @property
    def entries(self) -> tuple[tuple[str, ...], ...]:
        """What an answer must hold: one of the forms of every entry."""
        if self.match == "any":
            return (self.answers,) if self.answers else ()
        return self.aliases or tuple((answer,) for answer in self.answers)


@dataclass(frozen=True, slots=True)
class Problem:
    """Something wrong with one line of a set."""

    line: int
    """1-based."""
    question_id: str
    """Empty when the line has none."""
    message: str
    """What came, what was expected, what was done."""
    raw: str = ""
    """The line itself, when no question could be read from it."""

    def __str__(self) -> str:
        name = f" ({self.question_id})" if self.question_id else ""
        return f"line {self.line}{name}: {self.message}"


def to_json(question: Question) -> str:
    """`question` as one line of a set."""
    record: dict[str, Json] = {
        "id": question.id,
        "question": question.text,
        "lang": question.lang,
        "type": question.type,
        "answers": list(question.answers),
        "match": question.match,
    }
    if question.aliases:
        record["aliases"] = [list(forms) for forms in question.aliases]
    record["evidence"] = list(question.evidence)
    record["articles"] = [
        {key: value for key, value in (("file", a.file), ("id", a.id), ("title", a.title)) if value}
        for a in question.articles
    ]
    if question.any_article:
        record["any_article"] = True
    record["as_of"] = question.as_of.isoformat() if question.as_of else None
    record["history"] = [[turn.role, turn.text] for turn in question.history]
    if question.sources:
        record["sources"] = list(question.sources)
    if question.wrong_answers:
        record["wrong_answers"] = list(question.wrong_answers)
    record.update(question.extra)
    return json.dumps(record, ensure_ascii=False)
