"""The files of a reader's folder: quantised arrays with the hashes of what made them, and the tokenizer.

The token table is kept as its origin publishes it, in blocks of 32 weights of 4 bits that share a float16 scale (Q4_0);
the matrices of the layers are int8 with a float32 scale for each output; everything else is float16 or float32.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from safetensors import SafetensorError, safe_open

from rag.errors import ModelError

Array = npt.NDArray[Any]

WEIGHTS_FILE: Final = "model.safetensors"
TOKENIZER_FILE: Final = "tokenizer.json"
FORMAT: Final = "jinwen-reader-2"
BLOCK: Final = 32
"""Weights of the token table that share a scale."""


@dataclass(frozen=True)
class ReaderWeights:
    """What a reader's `model.safetensors` holds."""

    arrays: Mapping[str, Array]
    heads: int
    calibration: Mapping[str, Any]
    """See `rag.answering.decision`."""
    made_of: Mapping[str, str]
    """Hashes: backbone, data, code of the recipe."""
    fingerprint: str
    """Hash of the file."""

    def rows(self, ids: Array) -> Array:
        """float32 `(*ids.shape, hidden)`: the token rows of `ids`."""
        packed = self.arrays["words.codes"][ids]
        codes = np.concatenate([packed & 15, packed >> 4], axis=-1).astype(np.float32) - 8
        blocks = codes * self.arrays["words.scales"][ids].astype(np.float32)[..., None]
        return blocks.reshape(*ids.shape, -1)


def pack_rows(codes: Array, scales: Array) -> tuple[Array, Array]:
    """int8 codes `(n, hidden)` in [-8, 7] and float16 scales `(n, hidden / BLOCK)` as they are stored."""
    shifted = (codes + 8).astype(np.uint8).reshape(len(codes), -1, BLOCK)
    half = BLOCK // 2
    return shifted[..., :half] | shifted[..., half:] << 4, scales.astype(np.float16)


def read_weights(folder: Path) -> ReaderWeights:
    """The weights in `folder`.

    :raises ModelError: the file is missing, damaged or of another format.
    """
    path = folder / WEIGHTS_FILE
    try:
        with safe_open(path, framework="numpy") as file:
            metadata = file.metadata() or {}
            arrays = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 (not a mapping)
    except FileNotFoundError:
        raise ModelError(f"{path} is missing; restore the folder {folder} from the distribution") from None
    except (SafetensorError, OSError, ValueError) as error:
        raise ModelError(f"{path} cannot be read ({error}); restore it from the distribution") from error
    if metadata.get("format") != FORMAT:
        raise ModelError(f"{path} has format {metadata.get('format')!r}, expected {FORMAT!r}; restore it")
    return ReaderWeights(
        arrays,
        int(metadata["heads"]),
        json.loads(metadata.get("calibration", "{}")),
        json.loads(metadata.get("made_of", "{}")),
        hashlib.sha256(path.read_bytes()).hexdigest()[:16],
    )
