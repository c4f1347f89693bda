"""Fit the last decision: `python -m training.reader.calibrate DATA READER_FOLDER`.

Questions that we wrote over two libraries of 400 news articles each (`questions/calibration.jsonl`,
`questions/libraries.json`) and that trained nothing are asked as a user would ask them, with the shipped retrieval.
Two things are fitted: how the readings of a sentence count in its order (a conditional logit), and the probability that
the first sentence answers (a logistic regression over `rag.answering.decision.FEATURES`). The bars of the settings are
set by the share of right answers that they would refuse.
"""

from __future__ import annotations

import argparse
import datetime as dt
import json
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from safetensors import safe_open
from safetensors.numpy import save_file
from scipy.optimize import minimize
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import cross_val_predict
from sklearn.preprocessing import StandardScaler

from rag.answering.decision import FEATURES, features
from rag.answering.evidence import WEIGHTS, Evidence, evidence_of
from rag.answering.extractive import likely_evidence
from rag.answering.notes import reading_text
from rag.config import Settings
from rag.library import Library
from rag.reader import Reading, load_reader
from rag.reader.weights import WEIGHTS_FILE
from rag.types import Question, Turn
from training.reader.evaluate import area_under_curve
from training.reader.examples import QUESTIONS_DIR, read_lines, read_news

Array = npt.NDArray[Any]

LOST: Final = {"strict": 0.12, "balanced": 0.05, "generous": 0.02}
"""Share of the right answers that each setting may refuse."""
STRENGTH: Final = 0.3
"""Inverse of the L2 penalty."""


@dataclass(frozen=True)
class Case:
    """A question that was read."""

    row: Mapping[str, Any]
    question: Question
    asked: str
    reading: Reading
    quotes: Mapping[str, Sequence[str]]
    """What answers, by article."""

    def is_right(self, evidence: Evidence) -> bool:
        """Whether the sentence holds (a part of) what answers."""
        text = evidence.article.text
        places = ((text.find(quote), len(quote)) for quote in self.quotes.get(_name(evidence), ()))
        return any(at >= 0 and at < evidence.end and evidence.start < at + length for at, length in places)


def _name(evidence: Evidence) -> str:
    """The id in the data of an article that was indexed from a file of that name."""
    return evidence.article.id.split("#")[0].removesuffix(".txt")


def read_cases(data: Path, reader_folder: Path, library_folder: Path) -> list[Case]:
    """Every question, retrieved and read."""
    bodies = {article: (date, body) for article, date, body in read_news(data)}
    libraries = json.loads((QUESTIONS_DIR / "libraries.json").read_text("utf-8"))
    rows = read_lines(QUESTIONS_DIR / "calibration.jsonl")
    cases = []
    for name, articles in libraries.items():
        folder = library_folder / name
        folder.mkdir()
        for article in articles:
            date, body = bodies[article]
            (folder / f"{article}.txt").write_text(f"{date}\n{body}\n" if date else f"{body}\n", "utf-8")
        with Library(library_folder / f"{name}.index", Settings(), create=True) as library:
            library.ingest([folder])
            reader = load_reader(reader_folder)
            for row in rows:
                if row["library"] != name:
                    continue
                quotes = {name: [bodies[name][1][a:b] for a, b in spans] for name, spans in row["spans"].items()}
                history = tuple(Turn(role, text) for role, text in row["history"])
                as_of = dt.date.fromisoformat(row["as_of"]) if row["as_of"] else dt.date(2023, 8, 31)
                question, hits = library.assistant.find(row["question"], history, as_of)
                asked = reading_text(question)
                cases.append(Case(row, question, asked, reader.read(asked, hits), quotes))
    return cases


def fit_ranking(cases: Sequence[Case]) -> dict[str, float]:
    """Weights of the three readings of a sentence."""
    tables = []
    for case in cases:
        evidence = evidence_of(case.reading)
        right = np.array([case.is_right(e) for e in evidence], bool)
        if right.any():
            seen = np.array([[e.sentence_logit, e.passage_logit, e.answer_logit, e.retrieval] for e in evidence])
            tables.append((seen, right))

    def loss(weights: Array) -> float:
        total = 0.0
        for seen, right in tables:
            scores = seen @ weights
            top = scores.max()
            total += np.log(np.exp(scores - top).sum()) - np.log(np.exp(scores[right] - top).sum())
        return float(total / len(tables) + 0.01 * ((weights - start) ** 2).sum())

    start = np.array(list(WEIGHTS.values()))
    found = minimize(loss, start, method="Nelder-Mead", options={"maxiter": 2000}).x
    return dict(zip(WEIGHTS, map(float, found), strict=True))


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path)
    parser.add_argument("folder", type=Path)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        cases = read_cases(args.data, args.folder, Path(folder))
    ranking = fit_ranking(cases)
    print("ranking", ranking)
    seen, right, kinds = [], [], []
    for case in cases:
        evidence = likely_evidence(case.reading, case.question, ranking)
        if evidence:
            seen.append(features(case.asked, evidence))
            right.append(case.is_right(evidence[0]))
            kinds.append(case.row["type"])
    inputs, labels = np.stack(seen), np.array(right)
    for kind in dict.fromkeys(kinds):
        own = [r for r, k in zip(right, kinds, strict=True) if k == kind]
        print(f"first sentence right, {kind}: {np.mean(own):.2f} of {len(own)}")
    scaler = StandardScaler().fit(inputs)
    model = LogisticRegression(C=STRENGTH, max_iter=1000)
    held_out = cross_val_predict(model, scaler.transform(inputs), labels, cv=10, method="predict_proba")[:, 1]
    print(f"area under the curve, ten folds: {area_under_curve(held_out, labels):.3f}")
    model.fit(scaler.transform(inputs), labels)
    weights = model.coef_[0] / scaler.scale_
    bias = float(model.intercept_[0] - weights @ scaler.mean_)
    bars = {name: round(float(np.quantile(held_out[labels], lost)), 3) for name, lost in LOST.items()}
    unanswerable = np.array([kind == "unanswerable" for kind in kinds])
    for name, bar in bars.items():
        refused = held_out < bar
        wrong = ~labels & ~unanswerable
        print(
            f"{name}: bar {bar}, refused: unanswerable {refused[unanswerable].mean():.2f}, "
            f"answerable {refused[~unanswerable].mean():.2f}, would-be wrong {refused[wrong].mean():.2f}"
        )
    print(f"calibration error {calibration_error(held_out, labels):.3f}")
    calibration = {
        "ranking": ranking,
        "answer": dict(zip(FEATURES, map(float, weights), strict=True)),
        "bias": bias,
        "bars": bars,
    }
    print(json.dumps(calibration, indent=1))
    write(args.folder / WEIGHTS_FILE, calibration)


def calibration_error(probabilities: Array, labels: Array, bins: int = 10) -> float:
    """Expected calibration error over bins of equal numbers."""
    order = np.argsort(probabilities)
    parts = np.array_split(order, bins)
    return float(np.mean([abs(probabilities[p].mean() - labels[p].mean()) for p in parts]))


def write(path: Path, calibration: Mapping[str, Any]) -> None:
    """Put the calibration into the metadata of the reader's file."""
    with safe_open(path, framework="numpy") as file:
        metadata = {**file.metadata(), "calibration": json.dumps(calibration)}
        arrays = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 (not a mapping)
    save_file(arrays, path, metadata)


if __name__ == "__main__":
    main()
