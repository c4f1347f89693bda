"""Fit the classifiers of `rag.understanding`: `python -m training.reader.understanding DATA READER_FOLDER`."""

from __future__ import annotations

import argparse
import random
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from safetensors.numpy import save_file
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler

from rag.conversation import in_context
from rag.reader import Reader
from rag.understanding import INTENTS, UNDERSTANDING_FILE
from training.reader.examples import QUESTIONS_DIR, read_lines, read_news, said_before

Array = npt.NDArray[Any]

STRENGTH: Final = 0.02
"""Inverse of the L2 penalty on standardised inputs."""
SINGLE: Final = 1_400
"""Questions for one thing beside those for several."""


def fit(seen: Array, labels: Sequence[int], classes: int) -> tuple[Array, Array]:
    """Weight `(classes or 1, n)` and bias on inputs as they are."""
    scaler = StandardScaler().fit(seen)
    model = LogisticRegression(C=STRENGTH, max_iter=2000, class_weight="balanced" if classes == 2 else None)
    model.fit(scaler.transform(seen), labels)
    weight = model.coef_ / scaler.scale_
    bias = model.intercept_ - weight @ scaler.mean_
    # safetensors writes the buffer as it lies.
    return np.ascontiguousarray(weight, np.float32), np.ascontiguousarray(bias, np.float32)


def talks(data: Path) -> tuple[list[tuple[str, str]], list[int], list[str]]:
    """Questions beside what was said, whether they go on about it, and the article of each."""
    rows = read_lines(QUESTIONS_DIR / "talks.jsonl")
    wanted = {turn[1][0] for row in rows for turn in row["history"] if turn[0] == "quote" and turn[1]}
    texts = {article: body for article, _, body in read_news(data) if article in wanted}
    pairs = [(row["question"], in_context("", *said_before(row["history"], texts))) for row in rows]
    return pairs, [int(row["depends"]) for row in rows], [row["article"] for row in rows]


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path)
    parser.add_argument("folder", type=Path)
    args = parser.parse_args()
    reader = Reader(args.folder)
    rng = random.Random(1)
    arrays: dict[str, Array] = {}

    rows, tests = (read_lines(QUESTIONS_DIR / name) for name in ("intents.jsonl", "intents_test.jsonl"))
    numbers = {str(intent): i for i, intent in enumerate(INTENTS)}
    seen, test = (np.stack([reader.embed(row["text"]) for row in own]) for own in (rows, tests))
    labels, right = ([numbers[row["intent"]] for row in own] for own in (rows, tests))
    arrays["intent.weight"], arrays["intent.bias"] = fit(seen, labels, len(INTENTS))
    guessed = (test @ arrays["intent.weight"].T + arrays["intent.bias"]).argmax(1)
    print("intent:", (guessed == right).mean(), "answer or not:", ((guessed == 0) == (np.array(right) == 0)).mean())
    for row, guess in zip(tests, guessed, strict=True):
        if INTENTS[guess] != row["intent"]:
            print("  ", row["intent"], "->", str(INTENTS[guess]), row["text"])

    news = [row for row in read_lines(QUESTIONS_DIR / "news.jsonl") if row["type"] != "un"]
    several = [row for row in news if row["type"] == "several"]
    single = rng.sample([row for row in news if row["type"] != "several"], SINGLE)
    chosen = [*several, *single]
    rng.shuffle(chosen)
    seen = np.stack([reader.embed(row["question"]) for row in chosen])
    labels = [int(row["type"] == "several") for row in chosen]
    cut = len(chosen) * 4 // 5
    report("several", seen, labels, cut)
    arrays["several.weight"], arrays["several.bias"] = fit(seen, labels, 2)

    pairs, labels, articles = talks(args.data)
    order = sorted(range(len(pairs)), key=lambda i: articles[i])
    seen = np.stack([reader.embed(*pairs[i]) for i in order])
    labels = [labels[i] for i in order]
    report("goes_on", seen, labels, len(order) * 4 // 5)
    arrays["goes_on.weight"], arrays["goes_on.bias"] = fit(seen, labels, 2)
    save_file(arrays, args.folder / UNDERSTANDING_FILE, {"reader": reader.weights.fingerprint})


def report(name: str, seen: Array, labels: Sequence[int], cut: int) -> None:
    """Accuracy on the last part when the first is learned."""
    weight, bias = fit(seen[:cut], labels[:cut], 2)
    guessed = (seen[cut:] @ weight.T + bias)[:, 0] > 0
    right = np.array(labels[cut:], bool)
    accuracy, found, false = (guessed == right).mean(), guessed[right].mean(), guessed[~right].mean()
    print(f"{name}: accuracy {accuracy:.3f}, found {found:.3f}, false {false:.3f}")


if __name__ == "__main__":
    main()
