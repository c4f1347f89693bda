"""Train the shipped encoder: `python -m training.encoder.train --data DIR --work DIR --out models/jinwen-static`.

Deterministic from the seed, up to the order in which threads add floating-point numbers: step `n` draws its
batch from a generator seeded with (seed, n), so a run that is started again goes on from its last checkpoint as
if nothing had happened.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import load_file, save_file
from tokenizers import Tokenizer

from training.encoder import data
from training.encoder.batches import Bags, Batch, Questions, Surroundings, Translations, english_corpus, news_corpus
from training.encoder.development import DevelopmentSets
from training.encoder.export import export
from training.encoder.lexicon import aligned, lexicon
from training.encoder.model import Floats, initial_table, loss
from training.encoder.tokenizer import VocabularySettings, build


@dataclass(frozen=True, slots=True)
class TrainingSettings:
    """What a run depends on, besides the data."""

    dim: int = 768
    steps: int = 1_500
    batch: int = 1_024
    sentence_batch: int = 1_536
    learning_rate: float = 0.01
    warmup: int = 50
    temperature: float = 0.05
    initial_length: float = 0.25
    """Scale of the initial rows against the learning rate: small, so that tokens never seen stay quiet."""
    keep_sentence: float = 0.9
    """How often a passage keeps the sentence that must find it; the rest learns from the surroundings alone."""
    own_direction: float = 0.3
    """Share of an English row's own random direction at the start; 1 leaves out its translations altogether."""
    start_share: float = 0.4
    """Share of the starting rows in the result: averaged with where they began, trained rows find exact words better
    and lose little of what they learned (Wortsman et al., "Robust fine-tuning of zero-shot models", CVPR 2022)."""
    seed: int = 20260111
    hold_out_drcd_test: bool = True
    """Kept for development; the shipped model is trained with it once everything is chosen."""
    news_share: int = 3
    sentence_share: int = 4
    window_share: int = 3
    english_share: int = 1
    question_share: int = 1


class Mixture:
    """The kinds of batches and how often each comes."""

    def __init__(self, tokenizer: Tokenizer, folder: Path, settings: TrainingSettings) -> None:
        news, _ = data.read_news(folder / "news_zh.jsonl.gz")
        pairs, _ = data.read_parallel(folder / "parallel_zh_en.jsonl.gz")
        self.news = Surroundings(news_corpus(tokenizer, news), settings.keep_sentence)
        self.english = Surroundings(english_corpus(tokenizer, pairs), settings.keep_sentence, per_article=2)
        self.translations = Translations(tokenizer, pairs)
        self.questions = Questions(tokenizer, _questions(folder, settings), self.news)
        self.settings = settings
        s = settings
        shares = np.array([s.news_share, s.sentence_share, s.window_share, s.english_share, s.question_share])
        self._shares = shares / shares.sum()

    def sample(self, step: int) -> Batch:
        """The batch of a step."""
        rng = np.random.default_rng([self.settings.seed, step])
        size = self.settings.batch
        kind = rng.choice(len(self._shares), p=self._shares)
        if kind == 0:
            return self.news.sample(size, rng)
        if kind == 1:
            return self.translations.sample(self.settings.sentence_batch, rng, surroundings=False)
        if kind == 2:
            return self.translations.sample(size, rng, surroundings=True)
        if kind == 3:
            return self.english.sample(size, rng)
        return self.questions.sample(size, rng)

    def documents(self) -> list[Bags]:
        """What document frequencies are counted on."""
        groups = []
        for corpus in (self.news.corpus, self.english.corpus):
            starts = corpus.sentences.starts[corpus.passages]
            groups.append(Bags(corpus.sentences.tokens, starts))
        return groups


def main() -> None:
    """Build what is missing, train on, write the model."""
    args = _arguments()
    torch.set_num_threads(args.threads)
    settings = TrainingSettings(**{f.name: getattr(args, f.name) for f in dataclasses.fields(TrainingSettings)})
    vocabulary = VocabularySettings(size=args.vocabulary, longest_word=args.longest_word)
    args.work.mkdir(parents=True, exist_ok=True)
    tokenizer = _tokenizer(args.data, args.work, vocabulary, settings)
    mixture = Mixture(tokenizer, args.data, settings)
    development = DevelopmentSets.read(args.data)
    table = train(tokenizer, mixture, development, args.work, settings)
    export(tokenizer, table, args.out)
    print(f"wrote {args.out}")


def train(
    tokenizer: Tokenizer, mixture: Mixture, development: DevelopmentSets, work: Path, settings: TrainingSettings
) -> Floats:
    """Run the remaining steps; the trained table averaged with its start, float32 `(vocabulary, dim)`."""
    start, table, optimizer = _state(tokenizer, mixture, work, settings)
    began, total = time.monotonic(), 0.0
    for step in range(start, settings.steps):
        _set_rate(optimizer, step, settings)
        value = loss(table, mixture.sample(step), settings.temperature)
        optimizer.zero_grad(set_to_none=True)
        value.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        total += value.item()
        if (step + 1) % 100 == 0:
            left = (time.monotonic() - began) / (step + 1 - start) * (settings.steps - step - 1)
            print(f"step {step + 1}/{settings.steps}  loss {total / 100:.3f}  {left / 60:.1f} min left", flush=True)
            total = 0.0
        if (step + 1) % 1000 == 0 or step + 1 == settings.steps:
            _save(work, step + 1, table, optimizer)
            print(json.dumps(development.measure(tokenizer, table.detach().numpy())), flush=True)
    start_rows, trained = _start(tokenizer, mixture, settings), table.detach().numpy()
    averaged: Floats = trained + np.float32(settings.start_share) * (start_rows - trained)
    print(json.dumps(development.measure(tokenizer, averaged)), flush=True)
    return averaged


def _tokenizer(folder: Path, work: Path, vocabulary: VocabularySettings, settings: TrainingSettings) -> Tokenizer:
    file = work / "tokenizer.json"
    if not file.exists():
        news, _ = data.read_news(folder / "news_zh.jsonl.gz")
        pairs, _ = data.read_parallel(folder / "parallel_zh_en.jsonl.gz")
        contexts = sorted({q.context for q in _questions(folder, settings)})
        chinese = [*news, *dict.fromkeys(p.zh for p in pairs), *contexts]
        build(chinese, list(dict.fromkeys(p.en for p in pairs)), vocabulary).save(str(file))
    return Tokenizer.from_file(str(file))


def _questions(folder: Path, settings: TrainingSettings) -> list[data.QuestionPair]:
    names = ["drcd_dev.json.gz", "cmrc2018_trial.json.gz"]
    if not settings.hold_out_drcd_test:
        names.append("drcd_test.json.gz")
    return data.read_questions(folder / name for name in names)


def _state(
    tokenizer: Tokenizer, mixture: Mixture, work: Path, settings: TrainingSettings
) -> tuple[int, torch.Tensor, torch.optim.Adam]:
    file = work / "checkpoint.safetensors"
    saved = load_file(file) if file.exists() else {}
    table = saved["table"] if saved else torch.from_numpy(_start(tokenizer, mixture, settings))
    table.requires_grad_(True)
    optimizer = torch.optim.Adam([table], lr=settings.learning_rate, fused=True)
    if saved:
        step = torch.tensor(float(saved["step"]))
        optimizer.state[table] = {"step": step, "exp_avg": saved["mean"], "exp_avg_sq": saved["square"]}
    return int(saved["step"]) if saved else 0, table, optimizer


def _start(tokenizer: Tokenizer, mixture: Mixture, settings: TrainingSettings) -> Floats:
    """The rows before the first step."""
    size = tokenizer.get_vocab_size()
    start = initial_table(mixture.documents(), size, settings.dim, settings.seed)
    if settings.own_direction < 1:
        worth = lexicon(mixture.translations.en, mixture.translations.zh, size)
        start = aligned(start, worth, settings.own_direction)
    return start * np.float32(settings.initial_length)


def _save(work: Path, step: int, table: torch.Tensor, optimizer: torch.optim.Adam) -> None:
    state = optimizer.state[table]
    tensors = {"table": table.detach(), "mean": state["exp_avg"], "square": state["exp_avg_sq"]}
    fresh = work / "checkpoint.new"
    save_file({**tensors, "step": torch.tensor(step)}, fresh)
    fresh.replace(work / "checkpoint.safetensors")


def _set_rate(optimizer: torch.optim.Adam, step: int, settings: TrainingSettings) -> None:
    rising = min(1.0, (step + 1) / settings.warmup)
    falling = 1.0 - step / settings.steps
    for group in optimizer.param_groups:
        group["lr"] = settings.learning_rate * rising * falling


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.ArgumentDefaultsHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="folder of the training files")
    parser.add_argument("--work", type=Path, required=True, help="folder for tokenizer and checkpoints")
    parser.add_argument("--out", type=Path, required=True, help="folder of the model")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--vocabulary", type=int, default=24_000)
    parser.add_argument("--longest-word", type=int, default=3)
    for field in dataclasses.fields(TrainingSettings):
        flag = "--" + field.name.replace("_", "-")
        if isinstance(field.default, bool):
            parser.add_argument(flag, action=argparse.BooleanOptionalAction, default=field.default)
        else:
            parser.add_argument(flag, type=type(field.default), default=field.default)
    return parser.parse_args()


if __name__ == "__main__":
    main()
