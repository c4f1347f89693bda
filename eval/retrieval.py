"""Retrieval measures by gold article and by evidence, computed by ir_measures.

The qrels hold one document per thing that is needed: by article, each gold article; by evidence, each
evidence quote, where quotes that one passage holds together count as one. A run ranks hits, not
articles: the first hit that finds a needed thing is that document, every other hit is a document of no
relevance, so `R@5` is what a reader of the first five passages has found. A question without hits counts 0.

    R@k      needed things among the first k hits / needed things
    RR       1 / rank of the first hit that finds one, 0 if none does
    nDCG@10  (sum over found things of 1 / log2(1 + rank)) / (the same sum with all of them on top)
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Literal

from eval.results import QuestionResult

By = Literal["article", "evidence"]
MEASURES = ("R@1", "R@5", "RR", "nDCG@10")
Qrels = dict[str, list[str]]
"""Question id -> names of the documents that are needed."""
Ranking = dict[str, list[str]]
"""Question id -> documents, best first."""


def retrieval_values(results: Sequence[QuestionResult]) -> dict[str, dict[str, float]]:
    """Question id -> measure (`article R@1`, …, `evidence nDCG@10`) -> value; answerable questions with gold only."""
    values: dict[str, dict[str, float]] = {}
    kinds: tuple[By, By] = ("article", "evidence")
    for by in kinds:
        needed, ranking = qrels_and_ranking(results, by)
        for question_id, found in evaluate(needed, ranking).items():
            values.setdefault(question_id, {}).update({f"{by} {name}": value for name, value in found.items()})
    return values


def evaluate(needed: Qrels, ranking: Ranking, measures: Sequence[str] = MEASURES) -> dict[str, dict[str, float]]:
    """Question id -> measure -> value, for every question of `needed`, in order."""
    import ir_measures

    qrels = [ir_measures.Qrel(q, doc, 1) for q, docs in needed.items() for doc in docs]
    run = [ir_measures.ScoredDoc(q, doc, -float(rank)) for q in needed for rank, doc in enumerate(ranking.get(q, []))]
    values: dict[str, dict[str, float]] = {q: dict.fromkeys(measures, 0.0) for q in needed}
    if not qrels:
        return values
    for metric in ir_measures.iter_calc([ir_measures.parse_measure(name) for name in measures], qrels, run):
        values[metric.query_id][str(metric.measure)] = float(metric.value)
    return values


def qrels_and_ranking(results: Iterable[QuestionResult], by: By) -> tuple[Qrels, Ranking]:
    """What is needed and what was found, for every answerable question that names any gold."""
    needed: Qrels = {}
    ranking: Ranking = {}
    for result in results:
        # Which group each needed thing belongs to; articles stand for themselves.
        group = tuple(range(result.needed_articles)) if by == "article" else result.evidence_groups
        if not result.answerable or not group:
            continue
        needed[result.id] = [f"{by}-{number}" for number in sorted(set(group))]
        ranking[result.id] = _documents(result, by, group)
    return needed, ranking


def _documents(result: QuestionResult, by: By, group: Sequence[int]) -> list[str]:
    seen: set[int] = set()
    documents: list[str] = []
    for hit in result.retrieved:
        new = {group[i] for i in (hit.articles if by == "article" else hit.evidence)} - seen
        seen |= new
        documents.append(f"{by}-{min(new)}" if new else f"hit-{hit.rank}")
    return documents
