"""Train the sentence scorer of the reader (`rag.answering.sentence_scorer`).

usage: python -m training.reader.scorer EXAMPLES_DIR OUT_DIR [--minutes 60] [--resume CHECKPOINT]

EXAMPLES_DIR holds the .npz files of `training.reader.scorer_data`. The learning rate falls with the time that is left,
so a run ends when it is told to. A checkpoint is written every five minutes.
"""

from __future__ import annotations

import argparse
import math
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import torch
from safetensors.numpy import save_file
from torch import nn

from rag.answering.sentence_scorer import SCORER_FILE, metadata_of
from rag.config import EncoderSettings
from rag.encoder import StaticEncoder, load_encoder
from training.reader.scorer_network import PADDING, ScorerNetwork

SEED = 20261121
BATCH = 32
RATE = 2e-3
FREE = 3_000
SCORER_FOLDS: Final = 3
"""Human questions of the folds from this one on are never trained on: `training.reader.judge` needs them."""
_VALIDATION_FOLD: Final = 4
_VALIDATED: Final = 500
_RANKING_WEIGHT: Final = 0.5
_SPAN_WEIGHT: Final = 0.3
_HUMAN_WEIGHT: Final = 3.0
_CHECKPOINT_SECONDS: Final = 300
_ABSENT: Final = -1e4

FIELDS: Final = (
    "questions", "tokens", "sentences", "answers", "question_lengths", "window_lengths", "ranks", "windows", "kinds",
    "folds", "literal",
)  # fmt: skip


@dataclass(frozen=True)
class Batch:
    """Examples as `ScorerNetwork.forward` takes them, and what is right."""

    question: torch.Tensor
    text: torch.Tensor
    sentence: torch.Tensor
    owner: torch.Tensor
    rank: torch.Tensor
    right: torch.Tensor
    """Whether a sentence answers, `(windows, sentences)`."""
    answer: torch.Tensor
    """Whether a token belongs to an answer, `(windows, length)`."""
    literal: torch.Tensor
    """Whether the answer of an example is a span rather than a whole sentence."""
    answered: torch.Tensor


class Examples:
    """Questions with windows, in flat arrays; see `training.reader.scorer_data.Writer`."""

    def __init__(self, files: Sequence[Path]) -> None:
        parts = []
        for file in files:
            with np.load(file, allow_pickle=False) as stored:
                parts.append({name: stored[name] for name in FIELDS})
        self._arrays = {name: np.concatenate([part[name] for part in parts]) for name in FIELDS}
        self.kinds, self.folds = self._arrays["kinds"], self._arrays["folds"]
        self._question_at = _starts(self._arrays["question_lengths"])
        self._window_at = _starts(self._arrays["windows"])
        self._token_at = _starts(self._arrays["window_lengths"])

    def __len__(self) -> int:
        return len(self.kinds)

    def frequent(self, vocabulary: int, most: int) -> np.ndarray:
        """The commonest tokens, commonest first."""
        both = np.concatenate([self._arrays["questions"], self._arrays["tokens"]])
        return np.argsort(-np.bincount(both, minlength=vocabulary))[:most].copy()

    def longest(self, example: int) -> int:
        """Tokens of its longest window."""
        first, last = self._window_at[example : example + 2]
        return int(self._arrays["window_lengths"][first:last].max())

    def batch(self, chosen: Sequence[int]) -> Batch:
        """The examples `chosen`, padded."""
        windows = [w for i in chosen for w in range(self._window_at[i], self._window_at[i + 1])]
        owner = np.repeat(np.arange(len(chosen)), [self._arrays["windows"][i] for i in chosen])
        spans = [slice(*self._token_at[w : w + 2]) for w in windows]
        text = _padded([self._arrays["tokens"][s] + 1 for s in spans], 0)
        sentence = _padded([self._arrays["sentences"][s] for s in spans], PADDING)
        answer = _padded([self._arrays["answers"][s] for s in spans], 0).astype(bool)
        right = np.zeros((len(windows), int(sentence.max()) + 1), bool)
        inside = answer & (sentence >= 0)
        right[np.nonzero(inside)[0], sentence[inside]] = True
        answered = np.zeros(len(chosen), bool)
        np.logical_or.at(answered, owner, right.any(1))
        asked = [slice(*self._question_at[i : i + 2]) for i in chosen]
        arrays = (
            _padded([self._arrays["questions"][s] + 1 for s in asked], 0),
            text,
            sentence,
            owner,
            self._arrays["ranks"][windows].astype(np.float32),
            right,
            answer,
            self._arrays["literal"][list(chosen)],
            answered,
        )
        return Batch(*map(torch.from_numpy, arrays))


def _starts(lengths: np.ndarray) -> np.ndarray:
    return np.concatenate([[0], np.cumsum(lengths)])


def _padded(rows: Sequence[np.ndarray], filler: int) -> np.ndarray:
    padded = np.full((len(rows), max(map(len, rows))), filler, np.int64)
    for row, values in zip(padded, rows, strict=True):
        row[: len(values)] = values
    return padded


@dataclass(frozen=True)
class Outcome:
    """Logits of a batch and their loss."""

    loss: torch.Tensor
    logits: torch.Tensor
    none: torch.Tensor


def run(network: ScorerNetwork, batch: Batch) -> Outcome:
    """Loss: the right sentences, or "none", among all; the right ones among the sentences; the answer's tokens."""
    logits, none, tokens = network(
        batch.question, batch.text, batch.sentence, batch.owner, batch.rank, batch.right.shape[1]
    )
    n = len(none)
    right = _total(logits.masked_fill(~batch.right, _ABSENT), batch.owner, n)
    sentences = _total(logits, batch.owner, n)
    everything = torch.logaddexp(sentences, none)
    whole = (everything - torch.where(batch.answered, right, none)).mean()
    ranking = _mean(sentences - right, batch.answered)
    spans = _total(tokens, batch.owner, n) - _total(tokens.masked_fill(~batch.answer, _ABSENT), batch.owner, n)
    loss = whole + _RANKING_WEIGHT * ranking + _SPAN_WEIGHT * _mean(spans, batch.answered & batch.literal)
    return Outcome(loss, logits, none)


def _total(values: torch.Tensor, owner: torch.Tensor, n: int) -> torch.Tensor:
    """Log of the summed exponentials of all windows of each example."""
    rows = torch.logsumexp(values, 1)
    top = torch.full((n,), -1e9).scatter_reduce(0, owner, rows.detach(), "amax")
    return torch.zeros(n).scatter_add(0, owner, torch.exp(rows - top[owner])).log() + top


def _mean(values: torch.Tensor, chosen: torch.Tensor) -> torch.Tensor:
    return (values * chosen).sum() / chosen.sum().clamp(min=1)


def train(
    examples: Examples, encoder: StaticEncoder, minutes: float, checkpoint: Path, resume: Path | None
) -> ScorerNetwork:
    """The network after `minutes`."""
    torch.manual_seed(SEED)
    rng = np.random.default_rng(SEED)
    network = ScorerNetwork(encoder.table, free=FREE)
    if resume:
        network.load_state_dict(torch.load(resume, weights_only=True))
    else:
        frequent = examples.frequent(len(encoder.table), FREE - 1)
        network.free_row[torch.from_numpy(frequent)] = torch.arange(1, FREE, dtype=torch.int32)
    human = examples.kinds < 3
    kept = np.flatnonzero(~(human & (examples.folds >= SCORER_FOLDS)))
    held_out = np.flatnonzero(human & (examples.folds == _VALIDATION_FOLD))
    held_out = rng.choice(held_out, min(_VALIDATED, len(held_out)), replace=False)
    weights = np.where(human[kept], _HUMAN_WEIGHT, 1.0)
    print(f"{len(kept)} examples, {sum(p.numel() for p in network.parameters())} parameters", flush=True)
    own = [p for name, p in network.named_parameters() if not name.startswith("free.")]
    optimizer = torch.optim.AdamW(
        [{"params": own, "share": 1.0}, {"params": network.free.parameters(), "share": 0.5, "weight_decay": 0.0}],
        lr=RATE, weight_decay=0.01,
    )  # fmt: skip
    started = saved = time.monotonic()
    losses: list[float] = []
    for step, chosen in enumerate(_batches(examples, kept, weights / weights.sum(), rng)):
        gone = (time.monotonic() - started) / 60 / minutes
        if gone >= 1:
            break
        rate = RATE * min(1.0, (step + 1) / 300) * 0.5 * (1 + math.cos(math.pi * gone)) + 1e-5
        for group in optimizer.param_groups:
            group["lr"] = rate * group["share"]
        loss = run(network, examples.batch(chosen)).loss
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        nn.utils.clip_grad_norm_(network.parameters(), 2.0)
        optimizer.step()
        losses.append(float(loss.detach()))
        if step % 100 == 99:
            print(f"{step + 1} {np.mean(losses[-100:]):.3f} {time.monotonic() - started:.0f} s", flush=True)
        if time.monotonic() - saved > _CHECKPOINT_SECONDS:
            print(validate(network, examples, held_out), flush=True)
            torch.save(network.state_dict(), checkpoint)
            saved = time.monotonic()
    print(validate(network, examples, held_out), flush=True)
    return network.eval()


def _batches(examples: Examples, kept: np.ndarray, shares: np.ndarray, rng: np.random.Generator) -> Iterator[list[int]]:
    """Batches without end, each of windows of like length."""
    while True:
        drawn = rng.choice(kept, BATCH * 64, p=shares)
        drawn = drawn[np.argsort([examples.longest(i) for i in drawn], kind="stable")]
        batches = [drawn[i : i + BATCH].tolist() for i in range(0, len(drawn), BATCH)]
        rng.shuffle(batches)
        yield from batches


def validate(network: ScorerNetwork, examples: Examples, chosen: np.ndarray) -> str:
    """Share of the answered examples whose first sentence, or one of two, is right; how well "none" tells them."""
    network.eval()
    first, two, leads, labels = [], [], [], []
    with torch.no_grad():
        for begin in range(0, len(chosen), BATCH):
            batch = examples.batch(chosen[begin : begin + BATCH].tolist())
            outcome = run(network, batch)
            totals = _total(outcome.logits, batch.owner, len(outcome.none))
            for i, answered in enumerate(batch.answered.tolist()):
                mine = batch.owner == i
                order = outcome.logits[mine].flatten().argsort(descending=True)
                right = batch.right[mine].flatten()[order]
                leads.append(float(totals[i] - outcome.none[i]))
                labels.append(answered)
                if answered:
                    first.append(bool(right[0]))
                    two.append(bool(right[:2].any()))
    network.train()
    order = np.argsort(np.argsort(leads))
    told = np.array(labels)
    area = (order[told].sum() - told.sum() * (told.sum() - 1) / 2) / max(1, told.sum() * (~told).sum())
    return f"validation: first {np.mean(first):.3f}, first two {np.mean(two):.3f}, area of none {area:.3f}"


def save(network: ScorerNetwork, encoder: StaticEncoder, folder: Path) -> None:
    """Write the parameters, float16, to `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    arrays = {}
    for name, value in network.state_dict().items():
        kind = np.int16 if name == "free_row" else np.float16
        arrays[name] = np.ascontiguousarray(value.numpy().astype(kind))
    save_file(arrays, folder / SCORER_FILE, metadata=metadata_of(encoder))


def main() -> None:
    """Read the arguments, train, write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("examples", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--minutes", type=float, default=60)
    parser.add_argument("--resume", type=Path, help="start from this checkpoint")
    options = parser.parse_args()
    encoder = load_encoder(EncoderSettings())
    if not isinstance(encoder, StaticEncoder):
        raise SystemExit("the default encoder is not a static model")
    examples = Examples(sorted(options.examples.glob("*.npz")))
    options.out.mkdir(parents=True, exist_ok=True)
    network = train(examples, encoder, options.minutes, options.out / "checkpoint.pt", options.resume)
    save(network, encoder, options.out)


if __name__ == "__main__":
    main()
