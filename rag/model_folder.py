"""A model name -> a checked folder of model files: resolution, completeness, prompts, fingerprint."""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from rag.errors import ModelError

_HUB_NAME = re.compile(r"[\w.-]+(?:/[\w.-]+)?")
_HUB_FILES = ("*.json", "*.txt", "*.model", "*.safetensors", "*.jinja")
_HUB_IGNORED = ("onnx/*", "openvino/*", "*.bin", "*.pt")
_DECIDING = re.compile(
    r".*\.(?:safetensors|model|txt)|(?:modules|config|tokenizer|special_tokens|added_tokens|vocab|sentence_|model)\S*\.json"
)
"""Names of the files that decide a vector; cards, scores and settings of other parts may lie beside them."""
STATIC_CONFIG = "config_static.json"
"""Beside the table of a static model: how often a repeated token counts."""
_QUERY_KEYS = ("query", "search_query", "s2p_query")
_PASSAGE_KEYS = ("passage", "document", "search_document", "corpus")


@dataclass(frozen=True, slots=True)
class Prompts:
    """Texts that a model wants before its input."""

    query: str = ""
    passage: str = ""


@dataclass(frozen=True, slots=True)
class StaticForm:
    """How a static model turns tokens into a vector."""

    folder: Path
    """Folder of the tokenizer and of the table."""
    saturated: bool
    """Whether a token that occurs `n` times counts `1 + ln n` times instead of `n` times."""


_CONVENTIONS = (
    (re.compile(r"\be5\b.*\binstruct\b"), Prompts("Instruct: Given a question, find passages that answer it\nQuery: ")),
    (re.compile(r"\be5\b"), Prompts("query: ", "passage: ")),
    (re.compile(r"\bbge\b.*\bzh\b"), Prompts("为这个句子生成表示以用于检索相关文章：")),
    (re.compile(r"\bbge\b.*\ben\b"), Prompts("Represent this sentence for searching relevant passages: ")),
)
"""For models that carry no prompts of their own: what their cards (E5, BGE) ask for."""


def locate(name: str, models_dir: Path) -> Path:
    """The folder of model `name`: under `models_dir`, any folder, or the local copy of a hub model.

    :raises ModelError: there is no such folder, and no such model can be had from the hub.
    """
    if re.fullmatch(r"[\w.-]+", name) and name.strip(".") and (models_dir / name).is_dir():
        return models_dir / name
    folder = Path(name).expanduser()
    if name and folder.is_dir():
        return folder
    if not _HUB_NAME.fullmatch(name) or name.startswith("."):
        raise ModelError(f"no model folder {name!r}; set encoder.name to {_choices(models_dir)}")
    return _from_hub(name, models_dir)


def check_folder(folder: Path, name: str) -> None:
    """Refuse what cannot or must not be loaded.

    :raises ModelError: no model in it, modules with code of their own, weights missing, damaged or pickle only.
    """
    modules = read_modules(folder)
    if not modules and not (folder / "config.json").is_file():
        raise ModelError(f"model {name!r}: {folder} holds neither modules.json nor config.json; name a model's folder")
    for module in modules:
        kind = str(module.get("type", ""))
        if not kind.startswith("sentence_transformers."):
            raise ModelError(f"model {name!r} has the custom module {kind!r}, whose code is not run; use another model")
    weights = sorted(folder.rglob("*.safetensors"))
    pickles = [f for f in folder.rglob("*") if f.suffix in {".bin", ".pt"} and f.name.startswith("pytorch_model")]
    unsafe = [f for f in pickles if not any(f.parent.glob("*.safetensors"))]
    if unsafe:
        raise ModelError(
            f"model {name!r} has its weights only as pickle ({unsafe[0].name}), which can run code; "
            "use a model with safetensors weights or convert it"
        )
    if not weights:
        raise ModelError(f"model {name!r}: {folder} holds no *.safetensors; the download may be unfinished, repeat it")
    for index in folder.rglob("*.safetensors.index.json"):
        shards = set(_read_json(index).get("weight_map", {}).values())
        if missing := sorted(s for s in shards if not (index.parent / str(s)).is_file()):
            raise ModelError(
                f"model {name!r}: {len(missing)} weight files are missing ({missing[0]}, …); download again"
            )
    for file in weights:
        _check_weights(file, name)


def read_modules(folder: Path) -> list[dict[str, Any]]:
    """Entries of `modules.json`; empty without one.

    :raises ModelError: it is not a list of modules.
    """
    file = folder / "modules.json"
    if not file.is_file():
        return []
    modules = _read_json(file)
    if not isinstance(modules, list) or not modules or not all(isinstance(m, dict) for m in modules):
        raise ModelError(f"{file} is not a list of sentence-transformers modules; restore it")
    return modules


def static_form(folder: Path) -> StaticForm | None:
    """The form of a model that is nothing but a `StaticEmbedding`, perhaps scaled to length one; else None.

    `config_static.json` beside the table may say `{"term_frequency": "logarithmic"}`. sentence-transformers does
    not know that file and counts every occurrence.

    :raises ModelError: `config_static.json` asks for something else.
    """
    modules = read_modules(folder)
    kinds = [str(m.get("type", "")).rpartition(".")[2] for m in modules]
    while kinds and kinds[-1] == "Normalize":
        kinds.pop()
    if kinds != ["StaticEmbedding"]:
        return None
    place = folder / str(modules[0].get("path", ""))
    return StaticForm(place, _saturated(place / STATIC_CONFIG))


def read_prompts(folder: Path, name: str) -> Prompts:
    """The model's own prompts, or those that its family is known to want."""
    file = folder / "config_sentence_transformers.json"
    own = _read_json(file).get("prompts", {}) if file.is_file() else {}
    if isinstance(own, dict) and any(own.values()):
        return Prompts(_first(own, _QUERY_KEYS), _first(own, _PASSAGE_KEYS))
    words = re.sub(r"[^a-z0-9]+", " ", Path(name).name.lower())
    return next((prompts for pattern, prompts in _CONVENTIONS if pattern.search(words)), Prompts())


def fingerprint(folder: Path, prompts: Prompts) -> str:
    """SHA-256 over names and contents of the files that decide a vector, and over the prompts; 64 hex digits."""
    digest = hashlib.sha256(json.dumps([prompts.query, prompts.passage]).encode())
    for file in sorted(folder.rglob("*")):
        inner = file.relative_to(folder)
        hidden = any(part.startswith(".") for part in inner.parts)
        if file.is_file() and _DECIDING.fullmatch(file.name) and not hidden:
            digest.update(inner.as_posix().encode() + b"\0")
            with file.open("rb") as stream:
                digest.update(hashlib.file_digest(stream, "sha256").digest())
    return digest.hexdigest()


def _from_hub(name: str, models_dir: Path) -> Path:
    import huggingface_hub
    from huggingface_hub.errors import HfHubHTTPError, HFValidationError, LocalEntryNotFoundError

    repository = name if "/" in name else f"sentence-transformers/{name}"
    fetch = partial(
        huggingface_hub.snapshot_download, allow_patterns=list(_HUB_FILES), ignore_patterns=list(_HUB_IGNORED)
    )
    try:
        folder = Path(fetch(repository, local_files_only=True))
        check_folder(folder, name)
        return folder
    except (LocalEntryNotFoundError, ModelError):
        pass
    except HFValidationError:
        raise ModelError(f"{name!r} is no model name; set encoder.name to {_choices(models_dir)}") from None
    try:
        return Path(fetch(repository))
    except (HfHubHTTPError, LocalEntryNotFoundError, OSError, ValueError) as error:
        cause = type(error).__name__
        raise ModelError(
            f"model {name!r} is no folder here and could not be fetched from the hub ({cause}); "
            f"set encoder.name to {_choices(models_dir)}"
        ) from error


def _saturated(file: Path) -> bool:
    if not file.is_file():
        return False
    config = _read_json(file)
    kind = config.get("term_frequency") if isinstance(config, dict) else None
    if kind != "logarithmic":
        raise ModelError(f"{file} has term_frequency {kind!r}; expected 'logarithmic', restore the model's folder")
    return True


def _choices(models_dir: Path) -> str:
    known = sorted(f.parent.name for f in models_dir.glob("*/modules.json"))
    return f"one of {', '.join(known)}, a model's folder or a hub name" if known else "a model's folder or a hub name"


def _check_weights(file: Path, name: str) -> None:
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(str(file), framework="numpy"):
            pass
    except (SafetensorError, OSError) as error:
        raise ModelError(
            f"model {name!r}: {file.name} is damaged, cut off or a Git LFS pointer ({error}); download it again"
        ) from None


def _read_json(file: Path) -> Any:
    try:
        return json.loads(file.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise ModelError(f"{file} cannot be read as JSON ({error}); restore it") from None


def _first(prompts: dict[str, Any], keys: tuple[str, ...]) -> str:
    return next((str(prompts[key]) for key in keys if prompts.get(key)), "")
