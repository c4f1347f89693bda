"""Text -> unit vectors."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np
import numpy.typing as npt

Vectors = npt.NDArray[np.float32]


class Encoder(Protocol):
    """Turns queries and passages into vectors of one space."""

    @property
    def name(self) -> str:
        """What the user calls the model."""

    @property
    def fingerprint(self) -> str:
        """Changes whenever the vectors would: hash of weights, pooling, prefixes, dimension."""

    @property
    def dim(self) -> int:
        """Length of a vector."""

    def encode_queries(self, texts: Sequence[str]) -> Vectors:
        """float32 `(n, dim)`, unit rows (a text without known tokens gives a zero row), aligned with `texts`."""

    def encode_passages(self, texts: Sequence[str]) -> Vectors:
        """float32 `(n, dim)`, unit rows (a text without known tokens gives a zero row), aligned with `texts`."""
