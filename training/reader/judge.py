"""Fit the judge, which tells whether the hits answer a question and whether the best sentence does.

usage: python -m training.reader.judge TRAINING_DIR READER_DIR [--encoder NAME] [--questions N] [--cache FILE.npz]

Reads the ranker and the lexicon of READER_DIR, makes near misses (`refusal_data`), searches them with the product's
own retriever, and writes READER_DIR/judge.safetensors. To be run again whenever the encoder, the retriever, the
ranker or the features change. `--cache` keeps the features: fitting again takes a minute.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import os
import random
import tempfile
from collections.abc import Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import torch
from safetensors.numpy import save_file
from torch import nn

from rag.answering.judging import JUDGE_FEATURES, JUDGE_FILE, LANGUAGES, Judge
from rag.answering.reader import load_own_encoder, rank_logits
from rag.answering.reader_features import Candidate, FeatureExtractor
from rag.answering.reader_model import Network, load_ranker
from rag.answering.refusal import BARS
from rag.answering.word_match import WordMatcher
from rag.encoder import StaticEncoder
from rag.lexicon import LEXICON_FILE, load_lexicon
from rag.tokens import detect_language
from training.reader.data import Item, Paraphraser, cloze_items, parallel_items, read_news, read_squad
from training.reader.refusal_data import CHANGES, Case, Shelf, cases, english_items, gather_names
from training.reader.train import CROSSLINGUAL, HUMAN, KINDS, PARALLEL_LINES, Ranker, arrays_of, hash_fold

SEED = 20260121
NEWS = (16_000, 21_000)
"""Articles of the shelf."""
NEWS_AWAY = (30_000, 30_600)
"""Articles whose names are not told of on the shelf."""
TITLES_AWAY = 100
PARAPHRASED = 0.35
HIDDEN = 24
FOLDS = 5
FALSE_REFUSALS = {"zh": 0.01, "en": 0.001}
"""Of held-out answerable questions under the strict setting; scores are shifted so that its bar meets them.

People's own words are farther from the articles' than these: the same bar refused one in six of theirs.

English training questions are scraps of translations that resemble no one's questions: their bar is set low.
"""
ANSWERED = 0.75
"""Share of the questions that the articles answer for which `confidence` is calibrated."""


@dataclass(frozen=True)
class Table:
    """One row per case."""

    features: np.ndarray
    answered: np.ndarray
    """Whether anything that the reader saw answers."""
    right: np.ndarray
    """Whether the best sentence does."""
    kind: np.ndarray
    change: np.ndarray
    fold: np.ndarray
    english: np.ndarray


def make_cases(training: Path, reader: Path, encoder: str, questions: int) -> list[Case]:
    """Cases from `questions` human questions and about a quarter as many of each other kind."""
    rng = random.Random(SEED)
    articles, items = [], []
    for kind in HUMAN:
        new, asked = read_squad(training / f"{kind}.json.gz", kind)
        articles += new
        items += asked
    titles = {article.id: article.title for article in articles}
    away = set(rng.sample(sorted(set(titles.values())), TITLES_AWAY))
    items = [dataclasses.replace(i, group=titles[i.gold[0][0]]) for i in items if titles[i.gold[0][0]] not in away]
    news = read_news(training / "news_zh.jsonl.gz", *NEWS)
    clozes = cloze_items(news, rng, questions // 4)
    pairs, english = [], []
    for begin, end in PARALLEL_LINES:
        new, made = parallel_items(training / "parallel_zh_en.jsonl.gz", begin, end, rng, CROSSLINGUAL)
        pairs += new
        english += made[: questions // 3]
        new, made = english_items(training / "parallel_zh_en.jsonl.gz", begin, end, rng)
        pairs += new
        english += made[: questions // 3]
    rng.shuffle(items)
    rng.shuffle(english)
    with tempfile.TemporaryDirectory() as folder:
        kept = [a for a in articles if a.title not in away]
        shelf = Shelf(Path(folder) / "shelf", [*kept, *news, *pairs], encoder)
        own = load_own_encoder(reader)
        matcher = WordMatcher(load_lexicon(LEXICON_FILE), own)
        names = gather_names(
            read_news(training / "news_zh.jsonl.gz", *NEWS_AWAY),
            [a for a in articles if a.title in away],
            [*items, *english],
            matcher,
        )
        human = _reworded(items[:questions], own, rng)
        found = list(cases(shelf, [*human, *clozes, *english[: 2 * questions // 3]], names, matcher, rng))
        shelf.library.close()
    rng.shuffle(found)
    return found


def _reworded(items: Sequence[Item], encoder: StaticEncoder, rng: random.Random) -> list[Item]:
    paraphrase = Paraphraser(encoder, rng)
    return [
        dataclasses.replace(item, question=paraphrase(item.question)) if rng.random() < PARAPHRASED else item
        for item in items
    ]


@dataclass(frozen=True)
class _Seen:
    """What is made of one case."""

    features: np.ndarray
    answered: bool
    right: bool
    kind: int
    change: int
    fold: int
    english: bool


@dataclass(frozen=True)
class _Tools:
    extractor: FeatureExtractor
    ranker: Network
    judge: Judge


@cache
def _tools(reader: Path) -> _Tools:
    lexicon = load_lexicon(reader / "lexicon.safetensors")
    encoder = load_own_encoder(reader)
    ranker = load_ranker(reader / "model.safetensors")
    return _Tools(FeatureExtractor(lexicon, encoder), ranker, Judge(ranker, ranker, {}, lexicon, encoder))


def see(case: Case, reader: Path) -> _Seen | None:
    """The judge's features of a case; None when nothing can be read."""
    tools = _tools(reader)
    candidates, features = tools.extractor.extract(case.question, case.hits)
    if not candidates:
        return None
    logits = rank_logits(tools.ranker, features)
    gold = [_is_gold(candidate, case) for candidate in candidates]
    return _Seen(
        tools.judge.features(case.question, candidates, features, logits),
        any(gold),
        gold[int(np.argmax(logits))],
        KINDS.index(case.kind),
        CHANGES.index(case.change),
        hash_fold(case.group),
        detect_language(case.question) == "en",
    )


def _is_gold(candidate: Candidate, case: Case) -> bool:
    article = candidate.hit.article.id
    return any(i == article and a < candidate.end and candidate.start < b for i, a, b in case.gold)


def _see_some(job: tuple[list[Case], Path]) -> list[_Seen]:
    some, reader = job
    return [seen for case in some if (seen := see(case, reader)) is not None]


def build(training: Path, reader: Path, encoder: str, questions: int, workers: int) -> Table:
    """Make the cases, read them, extract."""
    found = make_cases(training, reader, encoder, questions)
    print(f"{len(found)} cases", flush=True)
    jobs = [(found[i : i + 100], reader) for i in range(0, len(found), 100)]
    with ProcessPoolExecutor(workers) as pool:
        return _table(seen for some in pool.map(_see_some, jobs) for seen in some)


def _table(rows: Iterable[_Seen]) -> Table:
    seen = list(rows)
    return Table(
        np.stack([s.features for s in seen]).astype(np.float32),
        *(
            np.array([getattr(s, name) for s in seen])
            for name in ("answered", "right", "kind", "change", "fold", "english")
        ),
    )


def fit(features: np.ndarray, labels: np.ndarray, epochs: int = 8) -> Ranker:
    """A network with one hidden layer, logistic loss."""
    torch.manual_seed(SEED)
    model = Ranker(features.mean(0), features.std(0), HIDDEN)
    optimizer = torch.optim.AdamW(model.parameters(), lr=2e-3, weight_decay=3e-2)
    steps = epochs * (len(labels) // 128)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 3e-3, total_steps=steps + epochs)
    x, y = torch.from_numpy(features), torch.from_numpy(labels.astype(np.float32))
    rng = np.random.default_rng(SEED)
    for _ in range(epochs):
        for batch in np.array_split(rng.permutation(len(y)), len(y) // 128):
            rows = torch.from_numpy(batch)
            loss = nn.functional.binary_cross_entropy_with_logits(model(x[rows]), y[rows])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
    return model.eval()


def predict(model: Ranker, features: np.ndarray) -> np.ndarray:
    """Logits."""
    with torch.no_grad():
        logits: np.ndarray = model(torch.from_numpy(features)).numpy().astype(np.float64)
    return logits


def held_out(table: Table, labels: np.ndarray) -> np.ndarray:
    """Logits of every row by a network that has not seen its group."""
    logits = np.zeros(len(labels))
    for fold in range(FOLDS):
        out = table.fold == fold
        logits[out] = predict(fit(table.features[~out], labels[~out]), table.features[out])
    return logits


def as_asked(table: Table) -> np.ndarray:
    """Weights of the rows under which the share `ANSWERED` of the questions is answered; their mean is 1."""
    share = table.answered.mean()
    return np.where(table.answered, ANSWERED / share, (1 - ANSWERED) / (1 - share))


def calibration(logits: np.ndarray, labels: np.ndarray, weight: np.ndarray) -> tuple[float, float]:
    """Slope and intercept that make the logits probabilities (Platt 1999), by Newton's method."""
    x = np.stack([logits, np.ones_like(logits)], axis=1)
    weights = np.array([1.0, 0.0])
    for _ in range(25):
        p = 1 / (1 + np.exp(-x @ weights))
        hessian = (x * (weight * p * (1 - p))[:, None]).T @ x + 1e-6 * np.eye(2)
        weights += np.linalg.solve(hessian, x.T @ (weight * (labels - p)))
    return float(weights[0]), float(weights[1])


def calibration_error(
    p: np.ndarray, labels: np.ndarray, weight: np.ndarray, bins: int = 10
) -> tuple[float, list[tuple[float, float, float]]]:
    """Expected calibration error over bins of equal width, and (share, mean probability, share right) of each."""
    at = np.minimum((p * bins).astype(int), bins - 1)
    rows = []
    for number in sorted(set(at.tolist())):
        w = weight * (at == number)
        rows.append((float(w.sum() / weight.sum()), float(w @ p / w.sum()), float(w @ labels / w.sum())))
    return sum(share * abs(mean - right) for share, mean, right in rows), rows


def report(table: Table, answerable: np.ndarray, right: np.ndarray) -> str:
    """What the settings refuse, by change and kind, and how reliable the confidence is, in Markdown."""
    p = 1 / (1 + np.exp(-answerable))
    lines = [
        "| setting | false refusals | refused | wrong first sentence among the answered |",
        "| --- | ---: | ---: | ---: |",
    ]
    for name, bar in BARS.items():
        shown = p >= bar
        false = (~shown)[table.answered].mean()
        wrong = np.average((~table.right)[shown], weights=as_asked(table)[shown])
        lines.append(f"| {name} | {false:.3f} | {(~shown)[~table.answered].mean():.3f} | {wrong:.3f} |")
    lines += ["", "| change | n | refused (balanced) |", "| --- | ---: | ---: |"]
    for number, change in enumerate(CHANGES):
        chosen = (table.change == number) & ~table.answered
        if chosen.any():
            lines.append(f"| {change} | {chosen.sum()} | {(p[chosen] < BARS['balanced']).mean():.3f} |")
    lines += [
        "",
        "| questions | area under the curve | false refusals | refused (balanced) |",
        "| --- | ---: | ---: | ---: |",
    ]
    for number, kind in enumerate(KINDS):
        mine = table.kind == number
        low = p < BARS["balanced"]
        rates = f"{low[mine & table.answered].mean():.3f} | {low[mine & ~table.answered].mean():.3f}"
        lines.append(f"| {kind} | {area(p[mine], table.answered[mine]):.3f} | {rates} |")
    q = 1 / (1 + np.exp(-right))
    error, rows = calibration_error(q, table.right, as_asked(table))
    lines += ["", f"Expected calibration error of the confidence: {error:.3f}", ""]
    lines += ["| confidence | share | right |", "| ---: | ---: | ---: |"]
    lines += [f"| {mean:.2f} | {share:.2f} | {held:.2f} |" for share, mean, held in rows]
    return "\n".join(lines)


def area(scores: np.ndarray, labels: np.ndarray) -> float:
    """Area under the ROC curve: how often an answerable question scores above another."""
    order = np.argsort(scores, kind="stable")
    ranks = np.empty(len(scores))
    ranks[order] = np.arange(1, len(scores) + 1)
    positive = int(labels.sum())
    negative = len(labels) - positive
    return float((ranks[labels].sum() - positive * (positive + 1) / 2) / max(positive * negative, 1))


def _scaled(prefix: str, model: Ranker, slope: float, intercept: float) -> dict[str, np.ndarray]:
    """The arrays of `model` with its output scaled."""
    arrays = arrays_of(prefix, model)
    arrays[f"{prefix}.outer.weight"] *= np.float32(slope)
    arrays[f"{prefix}.outer.bias"] = (arrays[f"{prefix}.outer.bias"] * slope + intercept).astype(np.float32)
    return arrays


def main() -> None:
    """Read the arguments, fit, report, write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("training", type=Path)
    parser.add_argument("reader", type=Path)
    parser.add_argument("--encoder", default="jinwen-static", help="encoder for the search; READER_DIR has its own")
    parser.add_argument("--questions", type=int, default=1_500, help="human questions that the cases are made from")
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--cache", type=Path, help="keep the features in this .npz file")
    options = parser.parse_args()
    table = _load_or_build(options)
    logits = held_out(table, table.answered)
    even = float(np.log(BARS["strict"] / (1 - BARS["strict"])))
    shifts = []
    for language in LANGUAGES:
        mine = table.english == (language == "en")
        shifts.append(even - float(np.quantile(logits[mine & table.answered], FALSE_REFUSALS[language])))
        logits[mine] += shifts[-1]
    right = held_out(table, table.right)
    slope, intercept = calibration(right, table.right, as_asked(table))
    print(report(table, logits, slope * right + intercept))
    arrays = _scaled("answerable", fit(table.features, table.answered), 1.0, 0.0)
    arrays |= _scaled("right", fit(table.features, table.right), slope, intercept)
    arrays["shifts"] = np.array(shifts, np.float32)
    save_file(arrays, options.reader / JUDGE_FILE, metadata={"features": json.dumps(JUDGE_FEATURES)})


def _load_or_build(options: argparse.Namespace) -> Table:
    names = [field.name for field in dataclasses.fields(Table)]
    if options.cache and options.cache.exists():
        with np.load(options.cache, allow_pickle=False) as arrays:
            return Table(*(arrays[name] for name in names))
    table = build(options.training, options.reader, options.encoder, options.questions, options.workers)
    if options.cache:
        np.savez(options.cache, **{name: getattr(table, name) for name in names})
    return table


if __name__ == "__main__":
    main()
