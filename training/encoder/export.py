"""A trained table -> a folder that sentence-transformers and `rag.encoder` load."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from safetensors.numpy import save_file
from tokenizers import Tokenizer

from rag.model_folder import STATIC_CONFIG

Floats = npt.NDArray[np.float32]

_LONGEST_ROW = 8.0
"""Rows are scaled together so that float16 keeps the small ones; only directions matter."""


def export(tokenizer: Tokenizer, table: Floats, folder: Path) -> None:
    """Write `table` as float16 with tokenizer and modules.

    sentence-transformers reads it as a `StaticEmbedding`; `config_static.json` tells `rag.encoder` that repeated
    tokens count less.
    """
    folder.mkdir(parents=True, exist_ok=True)
    half = (table * (_LONGEST_ROW / float(np.linalg.norm(table, axis=1).max()))).astype(np.float16)
    tokenizer.save(str(folder / "tokenizer.json"), pretty=False)
    save_file({"embedding.weight": half}, folder / "model.safetensors")
    _write_json(folder / STATIC_CONFIG, {"term_frequency": "logarithmic"})
    kinds = ["sentence_transformers.models.StaticEmbedding", "sentence_transformers.models.Normalize"]
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


def _write_json(file: Path, content: Any) -> None:
    file.write_text(json.dumps(content, indent=2) + "\n", "utf-8")
