"""A trained table -> a folder that sentence-transformers and `rag.encoder` load."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from safetensors.numpy import save_file
from tokenizers import Tokenizer

from training.encoder.tokenizer import UNKNOWN

Floats = npt.NDArray[np.float32]

_LONGEST_ROW = 8.0
"""Rows are scaled together so that float16 keeps the small ones; only directions matter."""


def export(tokenizer: Tokenizer, table: Floats, folder: Path, distinct: bool) -> None:
    """Write `table` as float16 with tokenizer and modules.

    A table whose texts are sums of all tokens becomes a `StaticEmbedding`. One whose texts are sums of their
    distinct tokens becomes a `SparseStaticEmbedding` (which tokens occur) and a `Dense` (the table).
    """
    folder.mkdir(parents=True, exist_ok=True)
    half = (table * (_LONGEST_ROW / float(np.linalg.norm(table, axis=1).max()))).astype(np.float16)
    tokenizer.save(str(folder / "tokenizer.json"), pretty=False)
    if distinct:
        kinds = _write_distinct(half, folder)
    else:
        save_file({"embedding.weight": half}, folder / "model.safetensors")
        kinds = ["sentence_transformers.models.StaticEmbedding"]
    kinds.append("sentence_transformers.models.Normalize")
    modules = [
        {"idx": i, "name": str(i), "path": f"{i}_{kind.rpartition('.')[2]}" if i else "", "type": kind}
        for i, kind in enumerate(kinds)
    ]
    _write_json(folder / "modules.json", modules)
    config = {
        "model_type": "SentenceTransformer",
        "prompts": {"query": "", "document": ""},
        "default_prompt_name": None,
        "similarity_fn_name": "cosine",
    }
    _write_json(folder / "config_sentence_transformers.json", config)
    for file in folder.rglob("*.safetensors"):
        file.chmod(0o644)


def _write_distinct(half: npt.NDArray[np.float16], folder: Path) -> list[str]:
    vocabulary, dim = half.shape
    _write_json(folder / "config.json", {"frozen": False})
    _write_json(
        folder / "tokenizer_config.json",
        {"tokenizer_class": "PreTrainedTokenizerFast", "unk_token": UNKNOWN, "pad_token": UNKNOWN},
    )
    save_file({"weight": np.ones(vocabulary, np.float32)}, folder / "model.safetensors")
    dense = folder / "1_Dense"
    dense.mkdir(exist_ok=True)
    _write_json(
        dense / "config.json",
        {
            "in_features": vocabulary,
            "out_features": dim,
            "bias": False,
            "activation_function": "torch.nn.modules.linear.Identity",
        },
    )
    save_file({"linear.weight": np.ascontiguousarray(half.T)}, dense / "model.safetensors")
    return [
        "sentence_transformers.sparse_encoder.models.SparseStaticEmbedding",
        "sentence_transformers.models.Dense",
    ]


def _write_json(file: Path, content: Any) -> None:
    file.write_text(json.dumps(content, indent=2) + "\n", "utf-8")
