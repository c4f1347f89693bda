"""What made the answers of a run, beside its settings and its index: the shipped models and our own code."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from pathlib import Path

from rag.config import MODELS_DIR, PROJECT_DIR

_DIGITS = 16
_NO_WEIGHT = {".md", ".png", ".svg"}
"""Files of a model's folder that change no answer."""


def model_fingerprints(models_dir: Path = MODELS_DIR) -> dict[str, str]:
    """Name of each model folder -> hash of its files; empty without shipped models."""
    folders = sorted(folder for folder in models_dir.iterdir() if folder.is_dir()) if models_dir.is_dir() else []
    return {
        folder.name: _hash(folder, (f for f in folder.rglob("*") if f.is_file() and f.suffix not in _NO_WEIGHT))
        for folder in folders
    }


def code_fingerprint(project_dir: Path = PROJECT_DIR) -> str:
    """Hash of the engine's code and prompts, which shows that two runs were made by different code."""
    prompts = [file for file in (project_dir / "prompts").glob("*.txt") if not file.name.startswith("judge.")]
    return _hash(project_dir, [*(project_dir / "rag").rglob("*.py"), *prompts])


def _hash(root: Path, files: Iterable[Path]) -> str:
    digest = hashlib.sha256()
    for file in sorted(files):
        digest.update(str(file.relative_to(root)).encode() + b"\0")
        digest.update(hashlib.sha256(file.read_bytes()).digest())
    return digest.hexdigest()[:_DIGITS]
