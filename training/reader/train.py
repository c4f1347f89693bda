"""Train the reader's ranker: a small network that ranks sentences by how likely they answer.

usage: python -m training.reader.train TRAINING_DIR LEXICON.safetensors OUT_DIR --encoder NAME [--cache FILE.npz]

TRAINING_DIR holds drcd_dev.json.gz, drcd_test.json.gz, cmrc2018_trial.json.gz, news_zh.jsonl.gz and
parallel_zh_en.jsonl.gz. The ranker is trained with a softmax over the sentences of one question. About half an hour
on two cores, nearly all of it for the features. Fit the judge again afterwards (`training.reader.judge`).
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import random
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from safetensors.numpy import save_file
from torch import nn

from rag.answering.reader import ENCODER_FOLDER, READER_NAME
from rag.answering.reader_features import FEATURES, FeatureExtractor
from rag.config import MODELS_DIR, EncoderSettings
from rag.encoder import Encoder, StaticEncoder, load_encoder
from rag.lexicon import load_lexicon
from training.reader.data import (
    Example,
    Item,
    Paraphraser,
    Pool,
    cloze_items,
    examples,
    parallel_items,
    read_news,
    read_squad,
)

SEED = 20260120
NEWS_DISTRACTORS = 5_000
CLOZE = 4_000
CROSSLINGUAL = 5_000
PARALLEL_LINES = ((93_192, 106_000), (183_221, 190_044))
HUMAN = ("drcd_dev", "drcd_test", "cmrc2018_trial")
KINDS = (*HUMAN, "cloze", "crosslingual")
PARAPHRASED = 0.4
"""Share of the human questions whose words are replaced."""


@dataclass(frozen=True)
class Table:
    """Features of all sentences of all examples; `first[i]:first[i + 1]` are the rows of example `i`."""

    features: np.ndarray
    gold: np.ndarray
    first: np.ndarray
    kind: np.ndarray
    fold: np.ndarray

    def __len__(self) -> int:
        return len(self.kind)


def build(training: Path, lexicon_file: Path, encoder_name: str, share: float) -> Table:
    """Read the data, retrieve, extract."""
    rng = random.Random(SEED)
    lexicon = load_lexicon(lexicon_file)
    encoder = load_encoder(EncoderSettings(name=encoder_name))
    if not isinstance(encoder, StaticEncoder):
        raise SystemExit(f"encoder {encoder_name!r} is not a static model")
    extractor = FeatureExtractor(lexicon, encoder)
    paraphrase = Paraphraser(encoder, rng)
    pools = _pools(training, encoder, rng)
    rows, gold, sizes, kinds, folds = [], [], [], [], []
    for pool, items in pools:
        rng.shuffle(items)
        del items[int(len(items) * share) :]
        items = [
            dataclasses.replace(item, question=paraphrase(item.question))
            if item.kind in HUMAN and rng.random() < PARAPHRASED
            else item
            for item in items
        ]
        for example in examples(pool, items, rng):
            candidates, features = extractor.extract(example.question, example.hits)
            if not candidates:
                continue
            rows.append(features.astype(np.float16))
            gold += [_is_gold(c.hit.article.id, c.start, c.end, example) for c in candidates]
            sizes.append(len(candidates))
            kinds.append(KINDS.index(example.kind))
            folds.append(hash_fold(example.group))
            if len(sizes) % 2000 == 0:
                print(f"{len(sizes)} examples", flush=True)
    first = np.concatenate([[0], np.cumsum(sizes)])
    return Table(np.concatenate(rows), np.array(gold), first, np.array(kinds), np.array(folds))


def hash_fold(group: str) -> int:
    """One of five folds, the same in every run."""
    return sum(group.encode()) % 5


def _is_gold(article_id: str, start: int, end: int, example: Example) -> bool:
    return any(i == article_id and a < end and start < b for i, a, b in example.gold)


def _pools(training: Path, encoder: Encoder, rng: random.Random) -> list[tuple[Pool, list[Item]]]:
    articles, items = [], []
    for kind in HUMAN:
        new, asked = read_squad(training / f"{kind}.json.gz", kind)
        articles += new
        items += asked
    news = read_news(training / "news_zh.jsonl.gz", 16_000, 16_000 + NEWS_DISTRACTORS)
    clozes = cloze_items(news, rng, CLOZE)
    chinese = Pool([*articles, *news], encoder)
    pairs, english = [], []
    for begin, end in PARALLEL_LINES:
        new, asked = parallel_items(training / "parallel_zh_en.jsonl.gz", begin, end, rng, CROSSLINGUAL)
        pairs += new
        english += asked
    print(f"{len(items)} questions, {len(clozes)} clozes, {len(english)} English questions", flush=True)
    return [(chinese, items + clozes), (Pool([*pairs, *news[:1000]], encoder), english)]


class Ranker(nn.Module):
    """Standardised features -> one hidden layer -> logit."""

    def __init__(self, mean: np.ndarray, spread: np.ndarray, hidden: int) -> None:
        super().__init__()
        self.register_buffer("mean", torch.tensor(mean))
        self.register_buffer("spread", torch.tensor(np.where(spread < 1e-3, 1.0, spread).astype(np.float32)))
        self.inner = nn.Linear(len(mean), hidden)
        with torch.no_grad():  # a column that never varies teaches nothing: keep it silent
            self.inner.weight[:, torch.tensor(spread < 1e-3)] = 0.0
        self.outer = nn.Linear(hidden, 1)
        self.drop = nn.Dropout(0.1)

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        """`(n, features)` -> `(n,)`."""
        standard = ((features - self.mean) / self.spread).clamp(-5, 5)
        return self.outer(self.drop(torch.relu(self.inner(standard)))).squeeze(-1)


def train_ranker(table: Table, chosen: np.ndarray, *, hidden: int = 48, epochs: int = 12) -> Ranker:
    """Softmax over the sentences of a question, against its gold sentences, on the answerable of `chosen`."""
    torch.manual_seed(SEED)
    gold = torch.from_numpy(table.gold.astype(np.float32))
    features = torch.from_numpy(table.features.astype(np.float32))
    sums = np.add.reduceat(table.gold, table.first[:-1])
    chosen = chosen[sums[chosen] > 0]
    mean, spread = features.mean(0).numpy(), features.std(0).numpy()
    model = Ranker(mean, spread, hidden)
    optimizer = torch.optim.AdamW(model.parameters(), lr=2e-3, weight_decay=1e-3)
    steps = epochs * (len(chosen) // 64)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 4e-3, total_steps=steps + 1)
    rng = np.random.default_rng(SEED)
    for _ in range(epochs):
        order = rng.permutation(chosen)
        for begin in range(0, len(order) - 63, 64):
            batch = order[begin : begin + 64]
            spans = [np.arange(table.first[i], table.first[i + 1]) for i in batch]
            rows = torch.from_numpy(np.concatenate(spans))
            owner = torch.from_numpy(np.repeat(np.arange(len(batch)), [len(s) for s in spans]))
            logits = model(features[rows])
            right = logits.masked_fill(gold[rows] == 0, -1e4)
            loss = (_logsumexp(logits, owner, len(batch)) - _logsumexp(right, owner, len(batch))).mean()
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
    return model.eval()


def _logsumexp(values: torch.Tensor, owner: torch.Tensor, n: int) -> torch.Tensor:
    top = torch.full((n,), -1e9).scatter_reduce(0, owner, values, "amax").detach()
    return torch.zeros(n).scatter_add(0, owner, torch.exp(values - top[owner])).log() + top


def scores_of(model: Ranker, table: Table) -> np.ndarray:
    """Logit of every row."""
    with torch.no_grad():
        return model(torch.from_numpy(table.features.astype(np.float32))).numpy()


def accuracy(table: Table, scores: np.ndarray, chosen: Sequence[int]) -> dict[str, tuple[int, float, float]]:
    """Per kind: answerable questions, share answered by the first sentence, by the first two."""
    result = {}
    for number, kind in enumerate(KINDS):
        ones = twos = n = 0
        for i in chosen:
            span = slice(table.first[i], table.first[i + 1])
            if table.kind[i] == number and table.gold[span].any():
                order = np.argsort(-scores[span])
                n += 1
                ones += bool(table.gold[span][order[:1]].any())
                twos += bool(table.gold[span][order[:2]].any())
        if n:
            result[kind] = (n, round(ones / n, 3), round(twos / n, 3))
    return result


def arrays_of(prefix: str, model: Ranker) -> dict[str, np.ndarray]:
    """Weights of `model` by name, as `rag.answering.reader_model.Network` reads them."""
    state = {name: value.numpy().astype(np.float32) for name, value in model.state_dict().items()}
    return {f"{prefix}.{name}": np.ascontiguousarray(value) for name, value in state.items()}


def cross_fit(table: Table) -> np.ndarray:
    """Logits of every row by rankers that have not seen its question."""
    scores = np.zeros(len(table.gold), np.float32)
    everything = np.arange(len(table))
    for fold in range(5):
        model = train_ranker(table, everything[table.fold != fold])
        held_out = everything[table.fold == fold]
        fold_scores = scores_of(model, table)
        for i in held_out:
            span = slice(table.first[i], table.first[i + 1])
            scores[span] = fold_scores[span]
    return scores


def main() -> None:
    """Read the arguments, train, report, write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("training", type=Path)
    parser.add_argument("lexicon", type=Path)
    parser.add_argument("out", type=Path)
    own = MODELS_DIR / READER_NAME / ENCODER_FOLDER
    parser.add_argument("--encoder", default=str(own), help="encoder for the similarities")
    parser.add_argument("--share", type=float, default=1.0, help="part of the questions to use, for a quick try")
    parser.add_argument("--cache", type=Path, help="keep the extracted features in this .npz file")
    options = parser.parse_args()
    table = _load_or_build(options)
    everything = np.arange(len(table))
    scores = cross_fit(table)
    report = {"held_out_ranking": accuracy(table, scores, everything.tolist())}
    print(json.dumps(report, indent=1))
    options.out.mkdir(parents=True, exist_ok=True)
    arrays = arrays_of("ranker", train_ranker(table, everything))
    save_file(arrays, options.out / "model.safetensors", metadata={"features": json.dumps(FEATURES)})
    if options.lexicon.resolve() != (options.out / "lexicon.safetensors").resolve():
        shutil.copy(options.lexicon, options.out / "lexicon.safetensors")


def _load_or_build(options: argparse.Namespace) -> Table:
    if options.cache and options.cache.exists():
        with np.load(options.cache, allow_pickle=False) as arrays:
            return Table(*(arrays[name] for name in ("features", "gold", "first", "kind", "fold")))
    table = build(options.training, options.lexicon, options.encoder, options.share)
    if options.cache:
        fields = {name: getattr(table, name) for name in ("features", "gold", "first", "kind", "fold")}
        np.savez(options.cache, **fields)
    return table


if __name__ == "__main__":
    main()
