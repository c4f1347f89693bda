"""Two rankings -> one: reciprocal rank fusion, and fusion fitted to one encoder.

Ranks alone cannot tell a lexical hit that holds the whole question from one that shares a stray word, so
reciprocal rank fusion falls below the better leg whenever the other one fails (an English question over
Chinese articles, say). Where scores can be compared, a combination of scores does better (Bruch, Gai and
Ingber, "An Analysis of Fusion Functions for Hybrid Retrieval", ACM TOIS 2023). Its weights belong to one
encoder and lie beside it in `fusion.json`; any other encoder gets reciprocal rank fusion.
"""

from __future__ import annotations

import dataclasses
import json
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from rag.errors import ModelError

FUSION_FILE = "fusion.json"

Floats = npt.NDArray[np.float64]


def reciprocal_rank_fusion(
    rankings: Sequence[Sequence[int]], k: int = 60, weights: Sequence[float] | None = None
) -> list[tuple[int, float]]:
    """Items of several rankings with their fused scores, best first.

    score(item) = sum over the rankings that hold it of weight / (k + rank), rank from 1 (Cormack, Clarke and
    Büttcher, "Reciprocal rank fusion outperforms Condorcet and individual rank learning methods", SIGIR 2009).
    Equal scores are ordered by the best single rank, then by item.

    :raises ValueError: not as many weights as rankings.
    """
    scores: defaultdict[int, float] = defaultdict(float)
    best: dict[int, int] = {}
    for ranking, weight in zip(rankings, weights or [1.0] * len(rankings), strict=True):
        for rank, item in enumerate(ranking, start=1):
            scores[item] += weight / (k + rank)
            best[item] = min(rank, best.get(item, rank))
    return sorted(scores.items(), key=lambda entry: (-entry[1], best[entry[0]], entry[0]))


@dataclass(frozen=True, slots=True)
class FittedFusion:
    """Weights of a linear score, fitted to rank the right passage first (see training/fusion).

    A passage in the language of the query is judged by its cosine, by its coverage (its BM25 score as a share
    of what a passage with every word of the query could reach), and by the coverage relative to the best one; a
    passage in the other language, where words can hardly match, by its cosine and coverage alone.
    """

    cosine: float
    coverage: float
    relative_coverage: float
    same_language: float
    """Bonus of a passage in the language of the query."""
    best_coverage: float
    """The same, times the best coverage of any such passage: that words match at all speaks for the language."""
    cosine_gap: float
    """The same, times how much the best cosine in the other language exceeds the best in this one."""
    other_cosine: float
    other_coverage: float

    def scores(self, cosine: Floats, coverage: Floats, same: npt.NDArray[np.bool_]) -> Floats:
        """float64 `(n,)`, higher is better, of the `n` candidates of one query.

        `cosine` is in [-1, 1], `coverage` in [0, 1], `same` says whether a candidate is in the query's language.
        """
        scores: Floats = features(cosine, coverage, same) @ np.array(dataclasses.astuple(self))
        return scores


def features(cosine: Floats, coverage: Floats, same: npt.NDArray[np.bool_]) -> Floats:
    """float64 `(n, 8)`: one column per weight of `FittedFusion`, in its order."""
    here, there = same.astype(np.float64), (~same).astype(np.float64)
    best = float((coverage * here).max(initial=0.0))
    gap = float((cosine * there).max(initial=0.0) - (cosine * here).max(initial=0.0))
    relative = coverage / best if best > 0 else np.zeros_like(coverage)
    columns = [cosine * here, coverage * here, relative * here, here, best * here, gap * here]
    return np.stack([*columns, cosine * there, coverage * there], axis=1)


def read_fusion(folder: Path) -> FittedFusion | None:
    """The weights that lie beside an encoder in `folder`, or None.

    :raises ModelError: the file is there but is not what `training/fusion` writes.
    """
    file = folder / FUSION_FILE
    if not file.is_file():
        return None
    try:
        weights = json.loads(file.read_text("utf-8"))["weights"]
        return FittedFusion(**{field.name: float(weights[field.name]) for field in dataclasses.fields(FittedFusion)})
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ModelError(f"{file} does not hold the weights of a fusion: {error!r}; restore or delete it") from error
