"""How well a reader reads texts that it was not trained on: `python -m training.reader.evaluate DATA READER_FOLDER`."""

from __future__ import annotations

import argparse
import random
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import numpy as np

from rag.answering.evidence import evidence_of
from rag.reader import Reader
from rag.types import Article, Hit, Passage
from training.reader.examples import Example, read_examples
from training.reader.prepare import is_held_out
from training.reader.windows import Window, window_around, windows

MOST: Final = 150
"""Examples of each source that are looked at."""


def area_under_curve(scores: Sequence[float], right: Sequence[bool]) -> float:
    """Probability that a right one scores above a wrong one (ties count half); nan without both."""
    values, labels = np.asarray(scores), np.asarray(right)
    good, bad = values[labels], values[~labels]
    if not len(good) or not len(bad):
        return float("nan")
    return float((good[:, None] > bad).mean() + 0.5 * (good[:, None] == bad).mean())


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path)
    parser.add_argument("folder", type=Path)
    args = parser.parse_args()
    reader = Reader(args.folder)
    rng = random.Random(1)
    by_source: dict[str, list[Example]] = defaultdict(list)
    for example in (*read_examples(args.data), *read_examples(args.data, written=True)):
        if is_held_out(example):
            by_source[example.source].append(example)
    for source, own in by_source.items():
        chosen = rng.sample(own, min(MOST, len(own)))
        read = [_read(reader, example, rng) for example in chosen]
        answerable = [bool(example.answers) for example in chosen]
        first = [right for (_, right), can in zip(read, answerable, strict=True) if can]
        curve = area_under_curve([logit for logit, _ in read], answerable)
        sentence = f"{np.mean(first):.3f}" if first else "-"
        print(f"{source}: {len(chosen)} questions, first sentence right {sentence}, area {curve:.3f}", flush=True)


def _read(reader: Reader, example: Example, rng: random.Random) -> tuple[float, bool]:
    """The best logit of the passages (of the one that answers, if any), and whether the first sentence answers."""
    own = [window_around(example.text, example.answers[0], rng)] if example.answers else windows(example.text)[:3]
    reading = reader.read(example.question, [_hit(example, window) for window in own])
    best = evidence_of(reading)[0]
    right = any(start < best.end and best.start < end for start, end in example.answers)
    return max(passage.logit for passage in reading.passages), right


def _hit(example: Example, window: Window) -> Hit:
    article = Article(id=example.group, title="", text=example.text, file="")
    return Hit(1, 1.0, Passage(article.id, window.start, window.end, window.passage), article)


if __name__ == "__main__":
    main()
