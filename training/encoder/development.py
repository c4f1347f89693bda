"""Held-out slices of the training data, on which hyper-parameters are chosen."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
from tokenizers import Tokenizer

from training.encoder import data
from training.encoder.batches import Bags
from training.encoder.model import weights

Floats = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class DevelopmentSets:
    """DRCD test questions among news passages; held-out translations, plain and against Chinese passages."""

    questions: list[str]
    contexts: list[str]
    gold: list[int]
    distractors: list[str]
    zh: list[str]
    en: list[str]

    @classmethod
    def read(cls, folder: Path) -> DevelopmentSets:
        """From the folder of the training files."""
        pairs = data.read_questions([folder / "drcd_test.json.gz"])
        contexts = sorted({p.context for p in pairs})
        number = {context: i for i, context in enumerate(contexts)}
        _, held = data.read_news(folder / "news_zh.jsonl.gz")
        _, translations = data.read_parallel(folder / "parallel_zh_en.jsonl.gz")
        return cls(
            [p.question for p in pairs],
            contexts,
            [number[p.context] for p in pairs],
            data.cut(held, 6_000),
            [p.zh for p in translations],
            [p.en for p in translations],
        )

    def measure(self, tokenizer: Tokenizer, table: Floats) -> dict[str, float]:
        """Shares in [0, 1] of questions or sentences whose counterpart is ranked first."""

        def encode(texts: list[str]) -> Floats:
            spans = data.tokenize(tokenizer, texts)
            rows = weights(Bags(spans.tokens, spans.starts), len(table)) @ table
            unit: Floats = rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-9)
            return unit

        questions, gold = encode(self.questions), np.array(self.gold)
        passages = encode(self.contexts + self.distractors)
        zh, en = encode(self.zh), encode(self.en)
        right = np.arange(len(zh))
        return {
            "drcd R@1": round(float(((questions @ passages.T).argmax(1) == gold).mean()), 4),
            "zh-en": round(float(((zh @ en.T).argmax(1) == right).mean()), 4),
            "en-zh": round(float(((en @ zh.T).argmax(1) == right).mean()), 4),
        }
