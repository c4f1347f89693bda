"""What was typed, understood once: what is wanted, whether several things are asked, whether it goes on about a talk.

Linear classifiers over what the reader's network makes of the text; trained by `training.reader.understanding` on
examples that we wrote.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from safetensors import SafetensorError
from safetensors.numpy import load_file

from rag.conversation import Said, in_context
from rag.errors import ModelError
from rag.reader.reader import Reader, sigmoid
from rag.types import Intent

Array = npt.NDArray[Any]

UNDERSTANDING_FILE: Final = "understanding.safetensors"
TASKS: Final = ("intent", "several", "goes_on")
SURE: Final = 0.6
"""Least probability of an intent besides that for an answer; a search in vain does less harm than a reply beside it."""
_REMEMBERED: Final = 256


INTENTS: Final = tuple(Intent)


@dataclass(frozen=True, slots=True)
class Understanding:
    """What was typed, by itself."""

    intent: Intent
    """`ANSWER` unless another is at least `SURE`."""
    several: bool
    """Whether it asks for several things: two facts, a list, a comparison."""


class Understander:
    """Understands questions. Safe to use from several threads."""

    def __init__(self, reader: Reader) -> None:
        """:raises ModelError: the file beside the reader's is missing or damaged."""
        self._reader = reader
        path = reader.folder / UNDERSTANDING_FILE
        try:
            arrays = load_file(path)
            self._weights = {task: (arrays[f"{task}.weight"], arrays[f"{task}.bias"]) for task in TASKS}
        except (SafetensorError, OSError, KeyError) as error:
            raise ModelError(f"{path} cannot be read ({error}); restore it from the distribution") from error
        self.understand = lru_cache(_REMEMBERED)(self._understand)
        self.goes_on = lru_cache(_REMEMBERED)(self._goes_on)

    def _understand(self, text: str) -> Understanding:
        """`text` by itself."""
        seen = self._reader.embed(text)
        logits = self._logits("intent", seen)
        shares = np.exp(logits - logits.max())
        best = int(shares.argmax())
        sure = shares[best] >= SURE * shares.sum()
        several = sigmoid(float(self._logits("several", seen)[0])) > 0.5
        return Understanding(INTENTS[best] if sure else Intent.ANSWER, several)

    def _goes_on(self, question: str, said: Said) -> bool:
        """Whether `question` needs what was said to be understood."""
        seen = self._reader.embed(question, in_context("", said.earlier, said.reply))
        return sigmoid(float(self._logits("goes_on", seen)[0])) > 0.5

    def _logits(self, task: str, seen: Array) -> Array:
        weight, bias = self._weights[task]
        return weight @ seen + bias  # type: ignore[no-any-return]
