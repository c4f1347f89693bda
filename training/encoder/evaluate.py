"""Measure an encoder on the public sets: `python -m training.encoder.evaluate --model DIR --data DIR --public DIR`.

Distractors are the first 12,000 passages (400 characters) of the last 6,000 news articles, which no recipe
trains on; the contexts of a set are added whole. Two legs and their fusion, nothing tuned on these sets.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp

from eval.public_retrieval import DISTRACTORS, read_tasks, read_test_distractors
from rag.config import EncoderSettings
from rag.encoder import Encoder, load_encoder
from rag.tokens import tokenize

Floats = npt.NDArray[np.float32]
DEPTH = 100
RRF_K = 60


@dataclass(frozen=True, slots=True)
class Score:
    """Shares in [0, 1] of queries whose gold text is among the first k."""

    task: str
    leg: str
    queries: int
    r1: float
    r5: float


class Lexical:
    """BM25 (k1 1.2, b 0.75) over the tokens of the lexical leg, as one sparse matrix."""

    def __init__(self, texts: Sequence[str], k1: float = 1.2, b: float = 0.75) -> None:
        bags = [tokenize(text) for text in texts]
        self._number: dict[str, int] = {}
        ids = [[self._number.setdefault(token, len(self._number)) for token in bag] for bag in bags]
        counts = _counts(ids, len(self._number))
        lengths = np.asarray(counts.sum(axis=1)).ravel()
        frequency = np.bincount(counts.indices, minlength=counts.shape[1])
        idf = np.log1p((len(texts) - frequency + 0.5) / (frequency + 0.5))
        rows = np.repeat(np.arange(len(texts)), np.diff(counts.indptr))
        norm = k1 * (1 - b + b * lengths / lengths.mean())
        counts.data = idf[counts.indices] * counts.data * (k1 + 1) / (counts.data + norm[rows])
        self._weights = counts.T.tocsr()
        self._idf, self._unknown, self._k1 = idf, float(np.log1p((len(texts) + 0.5) / 0.5)), k1

    def scores(self, queries: Sequence[str]) -> Floats:
        """float32 `(len(queries), len(texts))`."""
        ids = [[self._number[t] for t in tokenize(query) if t in self._number] for query in queries]
        product: Floats = (_counts(ids, len(self._number)) @ self._weights).toarray().astype(np.float32)
        return product

    def weighted(self, tokens: Mapping[str, float]) -> Floats:
        """float32 `(len(texts),)`: scores of a query of `tokens`, each with the weight of its part."""
        known = {self._number[token]: weight for token, weight in tokens.items() if token in self._number}
        query = sp.csr_matrix((list(known.values()), ([0] * len(known), list(known))), (1, len(self._number)))
        total: Floats = (query @ self._weights).toarray()[0].astype(np.float32)
        return total

    def most(self, query: str) -> float:
        """More than any text can score for `query`: every token of it, as often as you like."""
        numbers = [self._number.get(token) for token in tokenize(query)]
        return (self._k1 + 1) * sum(self._unknown if n is None else float(self._idf[n]) for n in numbers)


def _counts(ids: Sequence[Sequence[int]], width: int) -> sp.csr_matrix:
    starts = np.cumsum([0, *map(len, ids)])
    flat = np.array([i for row in ids for i in row], dtype=np.int64)
    matrix = sp.csr_matrix((np.ones(len(flat)), flat, starts), shape=(len(ids), width))
    matrix.sum_duplicates()
    return matrix


def fused(first: Floats, second: Floats) -> Floats:
    """Reciprocal rank fusion of two score matrices, from the first 100 of each (zero scores are no hits)."""
    total = np.zeros_like(first)
    for scores in (first, second):
        top = np.argsort(-scores, axis=1, kind="stable")[:, :DEPTH]
        gain = np.where(np.take_along_axis(scores, top, 1) > 0, 1.0 / (RRF_K + 1 + np.arange(top.shape[1])), 0.0)
        np.put_along_axis(total, top, np.take_along_axis(total, top, 1) + gain.astype(np.float32), 1)
    return total


def recall(scores: Floats, gold: npt.NDArray[np.int64], k: int) -> float:
    """Share of rows whose gold column is among the `k` best; ties count against it."""
    own = scores[np.arange(len(gold)), gold]
    better = (scores >= own[:, None]).sum(axis=1) - 1
    return float((better < k).mean())


def retrieval(
    task: str, encoder: Encoder, queries: Sequence[str], gold: Sequence[int], texts: Sequence[str]
) -> list[Score]:
    """Dense, lexical and fused scores of one task."""
    dense = encoder.encode_queries(queries) @ encoder.encode_passages(texts).T
    lexical = Lexical(texts).scores(queries)
    right = np.array(gold)
    legs = {"dense": dense, "BM25": lexical, "hybrid": fused(dense, lexical)}
    return [Score(task, leg, len(queries), recall(s, right, 1), recall(s, right, 5)) for leg, s in legs.items()]


def evaluate(encoder: Encoder, training: Path, public: Path) -> list[Score]:
    """All tasks of the table."""
    distractors = read_test_distractors(training / "news_zh.jsonl.gz", DISTRACTORS)
    scores: list[Score] = []
    for task in read_tasks([public]):
        scores += retrieval(
            task.name, encoder, task.queries, task.gold, [*task.texts, *(distractors if task.distracted else ())]
        )
    return scores


def table(scores: Sequence[Score]) -> str:
    """The scores as a Markdown table, one line a task and leg."""
    lines = ["| set | leg | queries | R@1 | R@5 |", "| --- | --- | ---: | ---: | ---: |"]
    lines += [f"| {s.task} | {s.leg} | {s.queries:,} | {s.r1:.3f} | {s.r5:.3f} |" for s in scores]
    return "\n".join(lines)


def main() -> None:
    """Measure, print the table, write the scores as JSON and into the model card."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.ArgumentDefaultsHelpFormatter)
    parser.add_argument("--model", default="jinwen-static", help="folder or name of the model")
    parser.add_argument("--data", type=Path, required=True, help="folder of the training files")
    parser.add_argument("--public", type=Path, required=True, help="folder of the public test sets")
    parser.add_argument("--json", type=Path, help="write the scores here")
    parser.add_argument("--card", type=Path, help="put the table between the markers of this model card")
    args = parser.parse_args()
    encoder = load_encoder(EncoderSettings(name=args.model))
    scores = evaluate(encoder, args.data, args.public)
    print(table(scores))
    if args.json:
        content = {"model": encoder.name, "fingerprint": encoder.fingerprint, "scores": [asdict(s) for s in scores]}
        args.json.write_text(json.dumps(content, ensure_ascii=False, indent=1) + "\n", "utf-8")
    if args.card:
        text = args.card.read_text("utf-8")
        before, rest = text.split("<!-- scores -->", 1)
        after = rest.split("<!-- /scores -->", 1)[1]
        args.card.write_text(f"{before}<!-- scores -->\n{table(scores)}\n<!-- /scores -->{after}", "utf-8")


if __name__ == "__main__":
    main()
