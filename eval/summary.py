"""Results of a run -> its figures: means per type, per language and overall, with confidence intervals."""

from __future__ import annotations

import dataclasses
import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from eval.bootstrap import Interval, mean_interval
from eval.question import TYPES
from eval.refusal import RiskCoverage, RiskPoint, risk_coverage
from eval.results import QuestionResult
from eval.retrieval import MEASURES as RETRIEVAL_MEASURES
from eval.retrieval import retrieval_values

MEASURES = {
    **{f"article {name}": f"{name} of the gold articles among the hits" for name in RETRIEVAL_MEASURES},
    **{f"evidence {name}": f"{name} of the evidence quotes among the hits" for name in RETRIEVAL_MEASURES},
    "correct": "the answer holds a gold answer and is short",
    "correct_cited": "the answer is correct and a citation is right",
    "exact_match": "the answer is a gold answer and nothing else",
    "f1": "overlap with the gold answer in characters (Chinese) or words",
    "citation_precision": "citations that are right / citations",
    "citation_recall": "evidence quotes that a citation overlaps / evidence quotes",
    "sentence_recall": "sentences backed by their citations / sentences (ALCE, by words)",
    "sentence_precision": "citations that their sentence needs / citations (ALCE, by words)",
    "verbatim": "quotes that stand in their article at their offsets / quotes",
    "refusal": "unanswerable questions that are refused",
    "false_refusal": "answerable questions that are refused; lower is better",
    "follows_wrong": "answers that repeat a wrong fact of the articles and not the right one; lower is better",
    "conflict_shown": "answers that show both the wrong and the right fact",
    "judged_correct": "answers that the judge model calls correct; an answerable question refused counts 0",
    "judged_unsupported": "answers that the judge model calls unsupported by their quotes; lower is better",
}
"""Every measure in the order of the tables, with what it means."""
LOWER_IS_BETTER = frozenset({"false_refusal", "follows_wrong", "judged_unsupported"})

Scores = dict[str, dict[str, float]]
"""Question id -> measure -> value in [0, 1]; measures that do not apply are absent."""


@dataclass(frozen=True, slots=True)
class Group:
    """The figures of some of the questions."""

    kind: Literal["overall", "type", "lang"]
    name: str
    questions: int
    measures: dict[str, Interval]


@dataclass(frozen=True, slots=True)
class Latency:
    """Milliseconds of one step over all questions."""

    mean: float
    median: float
    p95: float
    longest: float


@dataclass(frozen=True, slots=True)
class Metrics:
    """The figures of a run."""

    groups: tuple[Group, ...]
    """Overall first, then by type, then by language."""
    risk_coverage: RiskCoverage
    latency_ms: dict[str, Latency]
    errors: int
    """Questions that brought an error instead of an answer; they count as not answered."""

    @property
    def overall(self) -> dict[str, Interval]:
        """Means over all questions that a measure applies to."""
        return self.groups[0].measures


def scores(results: Sequence[QuestionResult]) -> Scores:
    """All measures of every question."""
    retrieval = retrieval_values(results)
    return {r.id: {**retrieval.get(r.id, {}), **r.values} for r in results}


def summarise(results: Sequence[QuestionResult]) -> Metrics:
    """The figures of `results`."""
    values = scores(results)
    types = [t for t in TYPES if any(r.type == t for r in results)]
    types += sorted({r.type for r in results} - set(types))
    groups = [_group("overall", "all", results, values)]
    groups += [_group("type", t, [r for r in results if r.type == t], values) for t in types]
    groups += [
        _group("lang", x, [r for r in results if r.lang == x], values) for x in sorted({r.lang for r in results})
    ]
    steps = sorted({step for r in results for step in r.timings_ms}, key=("retrieve", "answer", "total").index)
    return Metrics(
        groups=tuple(groups),
        risk_coverage=risk_coverage(results),
        latency_ms={step: _latency([r.timings_ms[step] for r in results if step in r.timings_ms]) for step in steps},
        errors=sum(bool(r.error) for r in results),
    )


def to_json(metrics: Metrics) -> str:
    """`metrics` as the text of `metrics.json`."""
    return json.dumps(_rounded(dataclasses.asdict(metrics)), ensure_ascii=False, indent=1) + "\n"


def from_json(text: str) -> Metrics:
    """The metrics that `to_json` wrote.

    :raises ValueError: the text is something else.
    """
    try:
        record: dict[str, Any] = json.loads(text)
        curve = record["risk_coverage"]
        return Metrics(
            groups=tuple(
                Group(g["kind"], g["name"], g["questions"], {n: Interval(**i) for n, i in g["measures"].items()})
                for g in record["groups"]
            ),
            risk_coverage=RiskCoverage(tuple(RiskPoint(**p) for p in curve["points"]), curve["area"]),
            latency_ms={step: Latency(**latency) for step, latency in record["latency_ms"].items()},
            errors=record["errors"],
        )
    except (KeyError, TypeError) as error:
        raise ValueError(f"not the metrics of a run: {error}") from error


def _group(
    kind: Literal["overall", "type", "lang"], name: str, results: Sequence[QuestionResult], values: Scores
) -> Group:
    measures: dict[str, Interval] = {}
    for measure in MEASURES:
        found = [values[r.id][measure] for r in results if measure in values[r.id]]
        if found:
            measures[measure] = mean_interval(found)
    return Group(kind, name, len(results), measures)


def _latency(milliseconds: Sequence[float]) -> Latency:
    ordered = sorted(milliseconds)
    return Latency(
        mean=math.fsum(ordered) / len(ordered),
        median=ordered[(len(ordered) - 1) // 2],
        p95=ordered[math.ceil(0.95 * len(ordered)) - 1],
        longest=ordered[-1],
    )


def _rounded(value: Any) -> Any:
    if isinstance(value, float):
        return round(value, 6)
    if isinstance(value, dict):
        return {key: _rounded(entry) for key, entry in value.items()}
    if isinstance(value, (list, tuple)):
        return [_rounded(entry) for entry in value]
    return value
