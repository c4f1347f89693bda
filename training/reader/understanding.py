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
from rag.understanding import INTENTS, SURE, UNDERSTANDING_FILE
from training.reader.examples import QUESTIONS_DIR, read_lines, read_news, said_before

Array = npt.NDArray[Any]

STRENGTH: Final = 0.02
"""Inverse of the L2 penalty on standardised inputs."""
PARTS: Final = ("weight", "bias")
SINGLE: Final = 1_400
"""Questions for one thing beside those for several; the same are examples of what asks for an answer."""


def fit(seen: Array, labels: Sequence[int], classes: int) -> tuple[Array, Array]:
    """Weight `(classes or 1, n)` and bias on inputs as they are."""
    scaler = StandardScaler().fit(seen)
    model = LogisticRegression(C=STRENGTH, max_iter=2000, class_weight="balanced" if classes == 2 else None)
    model.fit(scaler.transform(seen), labels)
    weight = model.coef_ / scaler.scale_
    bias = model.intercept_ - weight @ scaler.mean_
    # safetensors writes the buffer as it lies.
    return np.ascontiguousarray(weight, np.float32), np.ascontiguousarray(bias, np.float32)


def talks(data: Path) -> tuple[list[tuple[str, str]], list[int]]:
    """Questions beside what was said, and whether they go on about it; in the order of their articles."""
    rows = sorted(read_lines(QUESTIONS_DIR / "talks.jsonl"), key=lambda row: row["article"])
    wanted = {turn[1][0] for row in rows for turn in row["history"] if turn[0] == "quote" and turn[1]}
    texts = {article: body for article, _, body in read_news(data) if article in wanted}
    pairs = [(row["question"], in_context("", *said_before(row["history"], texts))) for row in rows]
    return pairs, [int(row["depends"]) for row in rows]


def fit_several(reader: Reader) -> tuple[Array, Array]:
    """Whether several things are asked."""
    several, single = news_questions()
    texts = [*several, *single]
    random.Random(1).shuffle(texts)
    labels = [int(text in set(several)) for text in texts]
    seen = np.stack([reader.embed(text) for text in texts])
    report("several", seen, labels, len(texts) * 4 // 5)
    return fit(seen, labels, 2)


def fit_goes_on(reader: Reader, data: Path) -> tuple[Array, Array]:
    """Whether a question goes on about what was said."""
    pairs, labels = talks(data)
    seen = np.stack([reader.embed(*pair) for pair in pairs])
    report("goes_on", seen, labels, len(pairs) * 4 // 5)
    return fit(seen, labels, 2)


def fit_intent(reader: Reader, data: Path) -> tuple[Array, Array]:
    """What is wanted.

    A question that leaves out what the talk is about ("why?") asks for an answer all the same.
    """
    pairs, _ = talks(data)
    cut = len(pairs) * 4 // 5
    asked = [*news_questions()[1], *(question for question, _ in pairs[:cut])]
    rows = [*read_lines(QUESTIONS_DIR / "intents.jsonl"), *({"text": text, "intent": "answer"} for text in asked)]
    numbers = {str(intent): i for i, intent in enumerate(INTENTS)}
    seen = np.stack([reader.embed(row["text"]) for row in rows])
    weight, bias = fit(seen, [numbers[row["intent"]] for row in rows], len(INTENTS))
    report_intents(reader, weight, bias, [question for question, _ in pairs[cut:]])
    return weight, bias


def news_questions() -> tuple[list[str], list[str]]:
    """Questions for several things, and some of those for one."""
    rows = [row for row in read_lines(QUESTIONS_DIR / "news.jsonl") if row["type"] != "un"]
    several = [row["question"] for row in rows if row["type"] == "several"]
    single = [row["question"] for row in rows if row["type"] != "several"]
    return several, random.Random(1).sample(single, SINGLE)


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path)
    parser.add_argument("folder", type=Path)
    args = parser.parse_args()
    reader = Reader(args.folder)
    fitted = {
        "several": fit_several(reader),
        "goes_on": fit_goes_on(reader, args.data),
        "intent": fit_intent(reader, args.data),
    }
    arrays = {f"{task}.{part}": values for task, own in fitted.items() for part, values in zip(PARTS, own, strict=True)}
    save_file(arrays, args.folder / UNDERSTANDING_FILE, {"reader": reader.weights.fingerprint})


def report_intents(reader: Reader, weight: Array, bias: Array, follow_ups: Sequence[str]) -> None:
    """Accuracy on inputs written apart, and how often a follow-up that trained nothing is taken for no question."""
    rows = read_lines(QUESTIONS_DIR / "intents_test.jsonl")

    def guess(texts: Sequence[str]) -> list[tuple[str, float]]:
        logits = np.stack([reader.embed(text) for text in texts]) @ weight.T + bias
        shares = np.exp(logits - logits.max(1, keepdims=True))
        shares /= shares.sum(1, keepdims=True)
        return [(str(INTENTS[row.argmax()]), float(row.max())) for row in shares]

    right = [row["intent"] for row in rows]
    guessed = guess([row["text"] for row in rows])
    said = guess(follow_ups)
    print(f"intent: right {np.mean([g == r for (g, _), r in zip(guessed, right, strict=True)]):.3f}")
    for bar in (0.4, 0.5, 0.6, SURE):
        shown = [intent if share >= bar else "answer" for intent, share in guessed]
        searched = np.mean([s == "answer" for s, r in zip(shown, right, strict=True) if r == "answer"])
        told = np.mean([s == r for s, r in zip(shown, right, strict=True) if r != "answer"])
        followed = np.mean([intent == "answer" or share < bar for intent, share in said])
        print(f"bar {bar}: questions searched {searched:.3f}, follow-ups {followed:.3f}; others told {told:.3f}")


def report(name: str, seen: Array, labels: Sequence[int], cut: int) -> None:
    """Accuracy on the last part when the first is learned."""
    weight, bias = fit(seen[:cut], labels[:cut], 2)
    guessed = (seen[cut:] @ weight.T + bias)[:, 0] > 0
    right = np.array(labels[cut:], bool)
    accuracy, found, false = (guessed == right).mean(), guessed[right].mean(), guessed[~right].mean()
    print(f"{name}: accuracy {accuracy:.3f}, found {found:.3f}, false {false:.3f}")


if __name__ == "__main__":
    main()
