"""Questions -> batches on disk: `python -m training.reader.prepare DATA OUT STAGE`; resumes by itself.

All that costs time besides the network (retrieval, tokens) is done here, in a process of its own and before or beside
the training, which may then run on another machine with nothing but `OUT`.
"""

from __future__ import annotations

import argparse
import dataclasses
import hashlib
import random
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import torch

from rag.config import MODELS_DIR, EncoderSettings
from rag.encoder import load_encoder
from training.reader.backbone import build_tokenizer, package_file, read_backbone
from training.reader.batches import MAX_TOKENS, Batch, make_batches
from training.reader.examples import Example, read_examples, read_news
from training.reader.groups import Group, make_group
from training.reader.windows import Pool, Window, rivals, windows

SEED: Final = 20261127
FOUND: Final = 6
"""Passages that each leg of the search brings for a question."""
NEWS: Final = 12_000
"""News articles in the pool besides those with questions."""
HELD_OUT: Final = 40
"""One text group in so many is not trained on."""
GROUPS_AT_ONCE: Final = 96
"""Groups that are sorted by length together, and make one shard."""
DONE: Final = "done"


@dataclass(frozen=True)
class Stage:
    """A part of the training."""

    name: str
    passes: dict[str, float]
    """How often each source is seen; `written` stands for all of ours."""
    rate: tuple[float, float]
    """Learning rate at its beginning and end."""
    rivals: int
    """Most passages that do not answer beside one that does."""
    most: int | None = None
    """Questions after which the stage ends."""


STAGES: Final = (
    Stage(
        "general",
        {
            "cmrc2018_train": 0.5, "squad_zh_mt": 0.35, "squad2_en_half": 0.7, "mlqa_dev": 0.7, "tydi_en_train": 0.1,
            "chronoqa": 0.2, "crud_news_qa": 0.3, "antiterror_news_zh": 0.1, "webqa_test_ann": 0.1, "cjrc": 0.1,
            "dureader_robust_dev": 0.5, "drcd_dev": 0.1, "drcd_test": 0.1, "cmrc2018_trial": 0.5,
        },
        (1.5e-4, 6e-5),
        1,
        100 * GROUPS_AT_ONCE,
    ),
    Stage(
        "news",
        {
            "written": 2.0, "cmrc2018_train": 0.15, "squad_zh_mt": 0.1, "squad2_en_half": 0.25, "mlqa_dev": 0.25,
            "crud_news_qa": 0.2, "dureader_robust_dev": 0.3,
        },
        (8e-5, 2e-6),
        2,
        150 * GROUPS_AT_ONCE,
    ),
)  # fmt: skip


def is_held_out(example: Example) -> bool:
    """Whether no training sees the text of `example`; decided by its group alone."""
    return hashlib.sha256(example.group.encode()).digest()[0] % HELD_OUT == 0


def order_of(stage: Stage, examples: Sequence[Example], written: Sequence[Example]) -> list[Example]:
    """The examples of a stage in the order in which they are seen."""
    rng = random.Random(f"{SEED}:{stage.name}")
    by_source: dict[str, list[Example]] = {"written": list(written)}
    for example in examples:
        by_source.setdefault(example.source, []).append(example)
    chosen: list[Example] = []
    for source, passes in stage.passes.items():
        own = by_source.get(source, [])
        whole, part = divmod(passes, 1)
        chosen += own * int(whole) + rng.sample(own, int(len(own) * part))
    rng.shuffle(chosen)
    return chosen[: stage.most]


def pool_of(examples: Sequence[Example], data: Path) -> Pool:
    """Every text of the examples, and news beside them."""
    texts: dict[str, str] = {}
    for example in examples:
        texts.setdefault(example.text, example.date)
    news = random.Random(SEED).sample(list(read_news(data)), NEWS)
    for _, date, body in news:
        texts.setdefault(body, date)
    made: list[Window] = []
    for text, date in texts.items():
        year, month, day = date.split("-") if date else ("", "0", "0")
        made += windows(text, f"{year}年{int(month)}月{int(day)}日" if date else "")
    return Pool(made, load_encoder(EncoderSettings(name=str(MODELS_DIR / "jinwen-static"))))


def groups_of(order: Sequence[Example], pool: Pool, stage: Stage, out: Path) -> Iterator[tuple[int, list[Group]]]:
    """Number and groups of each block of `order` whose shard is missing."""
    for number, at in enumerate(range(0, len(order), GROUPS_AT_ONCE)):
        if shard_path(out, stage.name, number).exists():
            continue
        block = order[at : at + GROUPS_AT_ONCE]
        rng = random.Random(f"{SEED}:{stage.name}:{at}")
        found = pool.search([example.question for example in block], FOUND)
        yield (
            number,
            [
                make_group(example, rivals(example, [pool.passages[i] for i in ids]), rng, stage.rivals)
                for example, ids in zip(block, found, strict=True)
            ],
        )


def shard_path(folder: Path, stage: str, number: int) -> Path:
    """Where the batches of one block of questions lie."""
    return folder / f"{stage}-{number:05d}.npz"


def write_shard(path: Path, batches: Sequence[Batch]) -> None:
    """Write `batches` whole or not at all."""
    arrays = {
        f"{number}.{field.name}": getattr(batch, field.name).numpy()
        for number, batch in enumerate(batches)
        for field in dataclasses.fields(batch)
    }
    part = path.with_suffix(".part.npz")
    np.savez(part, **arrays)
    part.replace(path)


def read_shard(path: Path) -> list[Batch]:
    """The batches of a shard."""
    with np.load(path, allow_pickle=False) as arrays:
        count = 1 + max(int(name.partition(".")[0]) for name in arrays.files)
        names = [field.name for field in dataclasses.fields(Batch)]
        return [Batch(**{n: torch.from_numpy(arrays[f"{i}.{n}"]) for n in names}) for i in range(count)]


def prepare(data: Path, out: Path, stage: Stage, most: int | None = None) -> None:
    """Write what is missing of the shards of `stage`, then a file that says that they are all there."""
    done = out / f"{stage.name}.{DONE}"
    if done.exists():
        return
    backbone = read_backbone(package_file())
    tokenizer = build_tokenizer(backbone.pieces, backbone.special)
    tokenizer.enable_truncation(MAX_TOKENS, strategy="longest_first")
    examples, written = read_examples(data), read_examples(data, written=True)
    pool = pool_of([*examples, *written], data)
    order = order_of(stage, *([e for e in own if not is_held_out(e)] for own in (examples, written)))[:most]
    started = time.monotonic()
    for number, groups in groups_of(order, pool, stage, out):
        write_shard(shard_path(out, stage.name, number), list(make_batches(tokenizer, groups, random.Random(number))))
        seen = (number + 1) * GROUPS_AT_ONCE
        print(f"{stage.name}: {seen}/{len(order)} questions, {time.monotonic() - started:.0f} s", flush=True)
    done.write_text(f"{-(-len(order) // GROUPS_AT_ONCE)}\n")


def shards_of(folder: Path, stage: str, first: int) -> Iterator[tuple[int, int | None, list[Batch]]]:
    """Number, count (None while it is not known) and batches of the shards from `first` on, as they come to be."""
    number = first
    done = folder / f"{stage}.{DONE}"
    while True:
        path = shard_path(folder, stage, number)
        count = int(done.read_text()) if done.exists() else None
        if path.exists():
            yield number, count, read_shard(path)
            number += 1
        elif count is not None:
            return
        else:
            time.sleep(1)


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("stage", choices=[stage.name for stage in STAGES])
    parser.add_argument("--examples", type=int, help="only so many")
    args = parser.parse_args()
    args.out.mkdir(parents=True, exist_ok=True)
    torch.set_num_threads(1)
    prepare(args.data, args.out, next(s for s in STAGES if s.name == args.stage), args.examples)


if __name__ == "__main__":
    main()
