"""Measure an encoder on the public sets: `python -m training.encoder.evaluate --model DIR --data DIR --public DIR`.

Distractors are the first 12,000 passages (400 characters) of the last 6,000 news articles, which no recipe
trains on; the contexts of a set are added whole. Each leg alone and retrieval as it ships, nothing tuned on these sets.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import asdict
from functools import partial
from pathlib import Path

from eval.bench_quality import public_quality
from eval.bench_results import Quality
from eval.public_retrieval import DISTRACTORS, read_tasks, read_test_distractors
from rag.config import EncoderSettings, Settings
from rag.library import Library


def evaluate(model: str, training: Path, public: Path) -> list[Quality]:
    """All tasks of the table, each leg alone and both together."""
    distractors = read_test_distractors(training / "news_zh.jsonl.gz", DISTRACTORS)
    library = partial(Library, settings=Settings(encoder=EncoderSettings(name=model)), create=True)
    return list(public_quality(read_tasks([public]), distractors, library, say=partial(print, file=sys.stderr)))


def table(scores: Sequence[Quality]) -> str:
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
    scores = evaluate(args.model, args.data, args.public)
    print(table(scores))
    if args.json:
        args.json.write_text(json.dumps([asdict(s) for s in scores], ensure_ascii=False, indent=1) + "\n", "utf-8")
    if args.card:
        text = args.card.read_text("utf-8")
        before, rest = text.split("<!-- scores -->", 1)
        after = rest.split("<!-- /scores -->", 1)[1]
        args.card.write_text(f"{before}<!-- scores -->\n{table(scores)}\n<!-- /scores -->{after}", "utf-8")


if __name__ == "__main__":
    main()
