"""Fit the fusion and the reranker of an encoder: `python -m training.fusion.fit --data DIR --encoder DIR`.

Six tasks made from held-out training data (DRCD test questions among news; held-out translations, thinned, in
both directions), half of them in a library of two languages, where a fusion must not prefer whatever shares a
word. Candidates are the first passages of both legs, as in retrieval; the weights minimise the softmax loss of
the right one. The reranker is fitted in the same way on the first passages of the fitted fusion. Writes
`fusion.json` and `reranker.json` into the encoder's folder and prints R@1 and R@5 of each way to rank.
"""

from __future__ import annotations

import argparse
import json
import random
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from rag.config import EncoderSettings, RetrievalSettings
from rag.encoder import Encoder, StaticEncoder, load_encoder
from rag.expansion import QueryExpander
from rag.fusion import FUSION_FILE, FittedFusion, Floats, features
from rag.lexicon import load_lexicon
from rag.reranker import FEATURES, RERANKED, RERANKER_FILE, Reranker, TokenReader, Weights, design
from rag.tokens import is_chinese, tokenize
from training.encoder.development import DevelopmentSets
from training.fusion.lexical import Lexical

QUERIES = 700
DEPTH = RetrievalSettings().depth
GROUP = 4
"""Translations joined into one distractor, to be about as long as a passage."""


@dataclass(frozen=True)
class Example:
    """The candidates of one query; the first is the right one. Arrays `(n,)`."""

    query: str
    texts: list[str]
    cosine: Floats
    coverage: Floats
    same: np.ndarray


@dataclass(frozen=True)
class Task:
    """Queries, the number of each one's right passage, and the passages."""

    name: str
    queries: list[str]
    gold: list[int]
    passages: list[str]


def make_tasks(sets: DevelopmentSets, rng: random.Random) -> list[Task]:
    """Within Chinese, within English, and across; in libraries of one and of two languages."""
    long = [i for i, (zh, en) in enumerate(zip(sets.zh, sets.en, strict=True)) if len(en.split()) > 10 and len(zh) > 20]
    rng.shuffle(long)
    chosen, rest = long[:QUERIES], sorted(set(range(len(sets.zh))) - set(long[:QUERIES]))
    starts = range(0, len(rest), GROUP)
    zh_noise = ["".join(sets.zh[j] for j in rest[k : k + GROUP]) for k in starts] + sets.distractors
    en_noise = [" ".join(sets.en[j] for j in rest[k : k + GROUP]) for k in starts]
    zh, en = [sets.zh[i] for i in chosen], [sets.en[i] for i in chosen]
    asked = rng.sample(range(len(sets.questions)), QUERIES)
    questions, gold = [sets.questions[i] for i in asked], [sets.gold[i] for i in asked]
    own = list(range(len(chosen)))
    english = [thin_english(text, rng) for text in en]
    return [
        Task("zh-zh", questions, gold, sets.contexts + zh_noise),
        Task("zh-zh+en", questions, gold, sets.contexts + zh_noise + en_noise),
        Task("en-zh", english, own, zh + zh_noise),
        Task("en-zh+en", english, own, zh + zh_noise + en_noise),
        Task("zh-en+zh", [thin_chinese(text, rng) for text in zh], own, en + zh_noise + en_noise),
        Task("en-en+zh", english, own, en + zh_noise + en_noise),
    ]


def thin_english(text: str, rng: random.Random) -> str:
    """Half of a sentence, with one word in five dropped: about as much as a question holds."""
    words = text.split()
    keep = max(6, len(words) // 2)
    start = rng.randrange(0, len(words) - keep + 1)
    return " ".join(word for word in words[start : start + keep] if rng.random() > 0.2) or text


def thin_chinese(text: str, rng: random.Random) -> str:
    """Half of a sentence."""
    keep = max(10, len(text) // 2)
    start = rng.randrange(0, max(1, len(text) - keep + 1))
    return text[start : start + keep]


def examples(task: Task, encoder: Encoder, expander: QueryExpander) -> list[Example]:
    """Candidates of every query, as retrieval sees them: outside a leg's list only its last score is known."""
    cosines = encoder.encode_queries(task.queries) @ encoder.encode_passages(task.passages).T
    lexical = Lexical(task.passages)
    chinese = np.array([is_chinese(passage) for passage in task.passages])
    found = []
    for query, gold, cosine in zip(task.queries, task.gold, cosines, strict=True):
        distinct = dict.fromkeys(tokenize(query), 1.0)
        coverage = lexical.weighted(expander.expand(query) | distinct) / lexical.most(" ".join(distinct))
        legs = [np.argsort(-scores, kind="stable")[:DEPTH] for scores in (cosine, coverage)]
        others = np.setdiff1d(np.concatenate(legs), [gold])
        rows = np.concatenate([[gold], others])
        inside = np.isin(rows, legs[1]) & (coverage[rows] > 0)
        found.append(
            Example(
                query,
                [task.passages[row] for row in rows],
                np.maximum(cosine[rows], cosine[legs[0][-1]]).astype(np.float64),
                np.where(inside, coverage[rows], 0.0).astype(np.float64),
                chinese[rows] == is_chinese(query),
            )
        )
    return found


def fit(tasks: Sequence[Sequence[Example]]) -> FittedFusion:
    """Weights of the fusion, every task counting the same."""
    inputs = [[(features(e.cosine, e.coverage, e.same), 0) for e in task] for task in tasks]
    return FittedFusion(*least_loss(inputs, 1e-4))


def first(example: Example, fusion: FittedFusion) -> tuple[npt.NDArray[np.int64], Floats]:
    """Which candidates the reranker sees, best first, and the scores of all by the fusion."""
    scores = fusion.scores(example.cosine, example.coverage, example.same)
    return np.argsort(-scores, kind="stable")[:RERANKED], scores


def reranker_inputs(task: Sequence[Example], fusion: FittedFusion, reader: TokenReader) -> list[tuple[Floats, int]]:
    """What the reranker sees of each query whose right passage is among the first, and where that is."""
    inputs = []
    for example in task:
        rows, scores = first(example, fusion)
        if (found := np.flatnonzero(rows == 0)).size:
            texts = [example.texts[row] for row in rows]
            read = reader.features(example.query, texts, scores[rows])
            inputs.append((design(read, example.same[rows]), int(found[0])))
    return inputs


def least_loss(tasks: Sequence[Sequence[tuple[Floats, int]]], ridge: float) -> list[float]:
    """Weights with the least softmax loss of the right candidate, every task counting the same."""
    inputs = [[(torch.tensor(rows), right) for rows, right in task] for task in tasks]
    weights = torch.zeros(inputs[0][0][0].shape[1], dtype=torch.float64, requires_grad=True)
    optimizer = torch.optim.LBFGS([weights], max_iter=200)

    def closure() -> torch.Tensor:
        optimizer.zero_grad()
        losses = [
            torch.stack([torch.log_softmax(x @ weights, 0)[right] for x, right in task]).mean() for task in inputs
        ]
        total = ridge * (weights**2).sum() - torch.stack(losses).sum()
        total.backward()  # type: ignore[no-untyped-call]
        return total

    optimizer.step(closure)  # type: ignore[no-untyped-call]
    return [round(float(weight), 4) for weight in weights.detach()]


def reranked(example: Example, fusion: FittedFusion, reranker: Reranker) -> Floats:
    """Scores after the reranker; what it does not see stays behind what it sees."""
    rows, scores = first(example, fusion)
    final = scores - 1e6
    final[rows] = reranker.scores(example.query, [example.texts[row] for row in rows], scores[rows], example.same[rows])
    return final


def recall(task: Sequence[Example], score: Callable[[Example], Floats]) -> tuple[float, float]:
    """R@1 and R@5; ties count against the right one."""
    ranks = np.array([(scores[1:] >= scores[0]).sum() for scores in map(score, task)])
    return float((ranks < 1).mean()), float((ranks < 5).mean())


def reciprocal(example: Example) -> Floats:
    """Reciprocal rank fusion of both legs, k = 60."""
    cosine_rank, coverage_rank = (np.argsort(np.argsort(-s)) + 1 for s in (example.cosine, example.coverage))
    return 1 / (60 + cosine_rank) + (example.coverage > 0) / (60 + coverage_rank)


def main() -> None:
    """Fit, print and write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder of the training files")
    parser.add_argument("--encoder", type=Path, required=True, help="folder of the encoder; fusion.json goes there")
    parser.add_argument("--lexicon", type=Path, required=True, help="lexicon.safetensors of the reader")
    parser.add_argument("--seed", type=int, default=20260111)
    args = parser.parse_args()
    encoder = load_encoder(EncoderSettings(name=str(args.encoder)))
    if not isinstance(encoder, StaticEncoder):
        parser.error(f"{args.encoder} is no static encoder; the reranker reads the rows of one")
    tasks = make_tasks(DevelopmentSets.read(args.data), random.Random(args.seed))
    expander = QueryExpander(load_lexicon(args.lexicon))
    found = [examples(task, encoder, expander) for task in tasks]
    # Even queries fit, odd ones tell how well: the figures below are of queries that the weights never saw.
    fusion = fit([task[::2] for task in found])
    reader = TokenReader(encoder)
    weights = least_loss([reranker_inputs(task[::2], fusion, reader) for task in found], 1e-3)
    same, other = Weights(*weights[:FEATURES]), Weights(*weights[FEATURES:-1])
    reranker = Reranker(encoder, same, other, weights[-1])
    ways: dict[str, Callable[[Example], Floats]] = {
        "dense": lambda e: e.cosine,
        "lexical": lambda e: e.coverage + 1e-9 * e.cosine,
        "reciprocal rank fusion": reciprocal,
        "fitted": lambda e: fusion.scores(e.cosine, e.coverage, e.same),
        "reranked": lambda e: reranked(e, fusion, reranker),
    }
    figures = {
        way: {task.name: recall(of[1::2], score) for task, of in zip(tasks, found, strict=True)}
        for way, score in ways.items()
    }
    for way, row in figures.items():
        print(f"{way:24s}" + "  ".join(f"{name} {r1:.3f}/{r5:.3f}" for name, (r1, r5) in row.items()))
    source = {"source": "training/fusion/fit.py", "seed": args.seed}
    write(args.encoder / FUSION_FILE, {"weights": asdict(fusion), **source, "recall_at_1_and_5": figures})
    parts = {"same": asdict(same), "other": asdict(other), "same_language": weights[-1]}
    write(args.encoder / RERANKER_FILE, {**parts, **source})


def write(file: Path, content: dict[str, Any]) -> None:
    """As JSON."""
    file.write_text(json.dumps(content, indent=1) + "\n", "utf-8")


if __name__ == "__main__":
    main()
