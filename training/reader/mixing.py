"""Fit how much the ranker and the scorer count when their logits are added (`rag.answering.ranking`).

usage: python -m training.reader.mixing TRAINING_DIR READER_DIR [--questions N] [--workers N]

Maximises the likelihood of the right sentences of questions that the scorer has not seen, for each language of the
question, and writes READER_DIR/mixing.json. Run it after either network has changed, and the judge afterwards.
"""

from __future__ import annotations

import argparse
import json
import os
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import cache
from pathlib import Path

import numpy as np
from scipy.optimize import minimize
from scipy.special import logsumexp

from rag.answering.ranking import DEEPEST, LANGUAGES, MIXING_FILE, SentenceRanker
from rag.answering.reader import load_own_encoder, load_sentence_ranker
from rag.lexicon import load_lexicon
from rag.tokens import detect_language
from training.reader.judge import is_gold, make_cases
from training.reader.refusal_data import Case

Read = tuple[int, np.ndarray, np.ndarray]
"""Language of a question; logits of ranker and scorer `(n, 2)`; whether each sentence answers `(n,)`."""


@cache
def _ranker(reader: Path) -> SentenceRanker:
    if not (reader / MIXING_FILE).exists():
        write(reader, np.ones((len(LANGUAGES), 2)))
    return load_sentence_ranker(reader, load_lexicon(reader / "lexicon.safetensors"), load_own_encoder(reader))


def read(case: Case, reader: Path) -> Read | None:
    """What both networks say of one case; None when nothing that can be read answers."""
    ranking = _ranker(reader).rank(case.question, case.hits)
    right = np.array([is_gold(candidate, case) for candidate in ranking.candidates], bool)
    if not right.any():
        return None
    language = LANGUAGES.index(detect_language(case.question))
    scored = np.maximum(ranking.scored, ranking.scored.max() - DEEPEST)
    return language, np.stack([ranking.ranked, scored], axis=1), right


def _read_some(job: tuple[list[Case], Path]) -> list[Read]:
    some, reader = job
    return [seen for case in some if (seen := read(case, reader)) is not None]


def fit(seen: Sequence[Read]) -> np.ndarray:
    """The two weights that make the right sentences likeliest."""

    def loss(weights: np.ndarray) -> float:
        values = [logits @ weights for _, logits, _ in seen]
        likelihoods = [logsumexp(v[r]) - logsumexp(v) for v, (_, _, r) in zip(values, seen, strict=True)]
        return -float(np.mean(likelihoods))

    found: np.ndarray = minimize(loss, np.array([0.5, 0.5]), method="Nelder-Mead", options={"xatol": 0.01}).x
    return found


def accuracy(seen: Sequence[Read], weights: np.ndarray) -> float:
    """Share of the questions whose first sentence answers."""
    return float(np.mean([right[int(np.argmax(logits @ weights))] for _, logits, right in seen]))


def write(reader: Path, weights: np.ndarray) -> None:
    """Write `weights` `(len(LANGUAGES), 2)`."""
    content = {
        language: {"ranker": round(float(ranker), 3), "scorer": round(float(scorer), 3)}
        for language, (ranker, scorer) in zip(LANGUAGES, weights, strict=True)
    }
    (reader / MIXING_FILE).write_text(json.dumps(content, indent=1) + "\n", "utf-8")


def main() -> None:
    """Read the arguments, fit, report, write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("training", type=Path)
    parser.add_argument("reader", type=Path)
    parser.add_argument("--encoder", default="jinwen-static", help="encoder for the search")
    parser.add_argument("--questions", type=int, default=800, help="human questions that the cases are made from")
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1)
    options = parser.parse_args()
    found = make_cases(options.training, options.reader, options.encoder, options.questions, whole_only=True)
    jobs = [(found[i : i + 50], options.reader) for i in range(0, len(found), 50)]
    with ProcessPoolExecutor(options.workers) as pool:
        seen = [one for some in pool.map(_read_some, jobs) for one in some]
    rows = []
    for number, language in enumerate(LANGUAGES):
        mine = [one for one in seen if one[0] == number]
        weights = fit(mine)
        alone = [accuracy(mine, np.array(only)) for only in ((1.0, 0.0), (0.0, 1.0))]
        print(
            f"{language}: {len(mine)} questions, first sentence right by ranker {alone[0]:.3f}, scorer {alone[1]:.3f}, "
            f"both {accuracy(mine, weights):.3f} with weights {weights.round(3).tolist()}"
        )
        rows.append(weights)
    write(options.reader, np.array(rows))


if __name__ == "__main__":
    main()
