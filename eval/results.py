"""What one question brought, and its line in `results.jsonl`."""

from __future__ import annotations

import dataclasses
import json
from dataclasses import dataclass, field
from typing import Any

from rag.types import Answer, Hit


@dataclass(frozen=True, slots=True)
class Retrieved:
    """A hit of the retrieval, and what it found of the gold."""

    rank: int
    """1-based."""
    score: float
    article_id: str
    title: str
    start: int
    end: int
    text: str
    dense_rank: int | None = None
    lexical_rank: int | None = None
    articles: tuple[int, ...] = ()
    """Which of the needed articles this is (indexes into the gold)."""
    evidence: tuple[int, ...] = ()
    """Which of the evidence quotes the passage holds (indexes into the gold)."""


@dataclass(frozen=True, slots=True)
class Cited:
    """A citation of the answer, judged."""

    marker: int
    article_id: str
    title: str
    quote: str
    right: bool
    """Its quote overlaps the evidence or lies in a gold article."""
    verbatim: bool
    """The quote stands in the article at the offsets given."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a judge model says of the answer; see `eval.verdicts`."""

    label: str
    """`correct`, `incorrect` or `unsupported`."""
    reason: str
    judge: str
    """The model, and the version of what it is told."""


@dataclass(frozen=True, slots=True)
class QuestionResult:
    """One question of a run."""

    id: str
    type: str
    lang: str
    question: str
    answerable: bool
    gold_answers: tuple[str, ...]
    evidence: tuple[str, ...]
    evidence_groups: tuple[int, ...]
    """Per quote the number of its group: quotes that one passage holds together are one thing to find."""
    gold_articles: tuple[tuple[str, ...], ...]
    """Per article that is needed: the ids of which one is enough; empty when the library does not hold it."""
    missing_evidence: int
    """Evidence quotes that stand in no article."""
    searched: str
    retrieved: tuple[Retrieved, ...]
    """The first hits, best first, deeper than what the answerer read."""
    read: int
    """How many of them the answerer was given."""
    answer: str
    refused: bool
    confidence: float
    mode: str
    model: str
    citations: tuple[Cited, ...]
    values: dict[str, float] = field(default_factory=dict)
    """Measures of the answer by name, in [0, 1]; a measure that does not apply is absent."""
    timings_ms: dict[str, float] = field(default_factory=dict)
    """Milliseconds per step: retrieve, answer, total."""
    notices: tuple[str, ...] = ()
    error: str = ""
    """Why there is no answer; empty when there is one."""
    verdict: Verdict | None = None
    """None where no judge was asked."""

    @property
    def needed_articles(self) -> int:
        """How many articles hold the answer, together."""
        return len(self.gold_articles)

    @property
    def missing_articles(self) -> int:
        """Of these, how many the library does not hold."""
        return sum(not ids for ids in self.gold_articles)

    @property
    def correct(self) -> bool | None:
        """Whether the answer is right (an unanswerable question: refused); None when it cannot be judged."""
        value = self.values.get("correct", self.values.get("refusal"))
        return None if value is None else value == 1.0


def retrieved_of(hit: Hit, articles: tuple[int, ...], evidence: tuple[int, ...]) -> Retrieved:
    """The record of a hit."""
    return Retrieved(
        rank=hit.rank,
        score=round(hit.score, 6),
        article_id=hit.passage.article_id,
        title=hit.article.display_title,
        start=hit.passage.start,
        end=hit.passage.end,
        text=hit.passage.text,
        dense_rank=hit.dense_rank,
        lexical_rank=hit.lexical_rank,
        articles=articles,
        evidence=evidence,
    )


def cited_sentences(answer: Answer) -> list[tuple[str, list[str]]]:
    """Per sentence of the answer: its text and the quotes that its markers stand for."""
    quotes: dict[int, list[str]] = {}
    for citation in answer.citations:
        quotes.setdefault(citation.marker, []).append(citation.quote)
    return [(s.text, [q for marker in s.markers for q in quotes.get(marker, [])]) for s in answer.sentences]


def to_line(result: QuestionResult) -> str:
    """`result` as one line of JSON."""
    return json.dumps(dataclasses.asdict(result), ensure_ascii=False)


def from_line(line: str) -> QuestionResult:
    """The result in a line that `to_line` wrote.

    :raises ValueError: the line is not one (json.JSONDecodeError is a ValueError).
    """
    record: dict[str, Any] = json.loads(line)
    try:
        record["retrieved"] = tuple(
            Retrieved(**{**r, "articles": tuple(r["articles"]), "evidence": tuple(r["evidence"])})
            for r in record["retrieved"]
        )
        record["verdict"] = Verdict(**record["verdict"]) if record.get("verdict") else None
        record["citations"] = tuple(Cited(**c) for c in record["citations"])
        for key in ("gold_answers", "evidence", "evidence_groups", "notices"):
            record[key] = tuple(record[key])
        record["gold_articles"] = tuple(tuple(ids) for ids in record["gold_articles"])
        return QuestionResult(**record)
    except (TypeError, KeyError) as error:
        raise ValueError(f"not a result of this version: {error}") from error
