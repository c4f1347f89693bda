"""Settings, one frozen dataclass per concern.

Read from, each overriding the one before: the defaults here, a TOML file (`jinwen.toml` in the current
folder, or the file named by `JINWEN_CONFIG`), environment variables `JINWEN_<SECTION>_<KEY>`, and the
flags of a command. An unknown key is an error that lists the known ones.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import os
import tomllib
import types
import typing
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlsplit

from rag.errors import SettingsError

LARGEST = 2**31 - 1
"""No setting and no count on the command line may be above it."""
PROJECT_DIR = Path(__file__).resolve().parent.parent
MODELS_DIR = PROJECT_DIR / "models"
DEFAULT_INDEX_DIR = PROJECT_DIR / "indexes" / "default"
EXAMPLES_DIR = PROJECT_DIR / "examples"

AnswerMode = Literal["extractive", "generative"]
Backend = Literal["transformers", "openai"]
Strictness = Literal["strict", "balanced", "generous"]
AskModel = Literal["supported", "always"]


@dataclass(frozen=True, slots=True)
class SourceSettings:
    """How files are read."""

    max_file_mb: float = 50.0
    """Larger files are refused by name."""
    encoding: str | None = None
    """Decode text files with this encoding instead of detecting it."""
    date: str | None = None
    """ISO date for articles that carry none, such as newspaper pages."""


@dataclass(frozen=True, slots=True)
class PassageSettings:
    """How articles are cut. Changing these needs `jinwen index --rebuild`."""

    size: int = 350
    """Longest passage in characters; only a single longer sentence is cut."""
    overlap: int = 1
    """Sentences that a passage shares with the one before it."""


@dataclass(frozen=True, slots=True)
class EncoderSettings:
    """Which model turns text into vectors. Changing it needs `jinwen index --rebuild`."""

    name: str = "jinwen-static"
    """A folder under `models/`, any folder, or a hub name that sentence-transformers loads."""
    device: str | None = None
    """`cpu`, `cuda`, …; None lets sentence-transformers choose. The shipped model always runs on the CPU."""
    batch_size: int = 32


@dataclass(frozen=True, slots=True)
class RetrievalSettings:
    """How passages are found."""

    depth: int = 100
    """Passages taken from each leg before fusion."""
    rrf_k: int = 60
    """Constant of reciprocal rank fusion (Cormack, Clarke and Büttcher, SIGIR 2009)."""
    per_article: int = 3
    """Most passages of one story in a result list."""
    top_k: int = 10
    """Passages handed to the answerer."""


@dataclass(frozen=True, slots=True)
class AnswerSettings:
    """How answers are made."""

    mode: AnswerMode = "extractive"
    strictness: Strictness = "balanced"
    """How readily the extractive answerer refuses."""
    ask_model: AskModel = "supported"
    """When a generative model is asked: when the reader does not refuse, or whenever anything was retrieved."""
    max_sources: int = 5
    """Most passages given to a generative model, most citations of an extractive answer."""
    backend: Backend = "transformers"
    model: str = ""
    """Folder or hub name (transformers), or the server's name for the model (openai)."""
    base_url: str = "http://127.0.0.1:8080/v1"
    """Of the OpenAI-compatible server. The key comes from OPENAI_API_KEY only."""
    max_new_tokens: int = 512
    context_tokens: int = 4096
    """Tokens for prompt and answer together, counted by the model's own tokenizer."""
    timeout_s: float = 120.0


@dataclass(frozen=True, slots=True)
class JudgeSettings:
    """A model that judges the answers of an evaluation, where one is wanted (`jinwen eval --judge`)."""

    model: str = ""
    """The server's name for the model."""
    base_url: str = "http://127.0.0.1:8080/v1"
    """Of the OpenAI-compatible server. The key comes from OPENAI_API_KEY only."""
    max_new_tokens: int = 512
    timeout_s: float = 120.0


@dataclass(frozen=True, slots=True)
class UiSettings:
    """The chat page."""

    port: int = 7860
    max_upload_mb: float = 50.0
    """Of one file."""
    max_uploads_mb: float = 2000.0
    """Of all uploaded files together."""
    trust_forwarded: bool = False
    """Believe the X-Forwarded-* headers of a proxy in front of the page."""


@dataclass(frozen=True, slots=True)
class Settings:
    """All settings."""

    sources: SourceSettings = field(default_factory=SourceSettings)
    passages: PassageSettings = field(default_factory=PassageSettings)
    encoder: EncoderSettings = field(default_factory=EncoderSettings)
    retrieval: RetrievalSettings = field(default_factory=RetrievalSettings)
    answer: AnswerSettings = field(default_factory=AnswerSettings)
    judge: JudgeSettings = field(default_factory=JudgeSettings)
    ui: UiSettings = field(default_factory=UiSettings)


_LARGEST_PORT = 65_535
_SHOWN = 80
_POSITIVE = {
    "max_file_mb", "size", "batch_size", "depth", "rrf_k", "per_article", "top_k", "max_sources",
    "max_new_tokens", "context_tokens", "timeout_s", "port", "max_upload_mb", "max_uploads_mb",
}  # fmt: skip


def load_settings(
    path: Path | None = None,
    environ: Mapping[str, str] | None = None,
    overrides: Mapping[str, Any] | None = None,
) -> Settings:
    """Settings from defaults, TOML file, environment and `overrides` (`{"answer.mode": …}`), in that order.

    :raises SettingsError: a file cannot be read; a section or key is unknown; a value is out of range.
    """
    env = os.environ if environ is None else environ
    values: dict[str, dict[str, Any]] = {}
    for origin, section, key, value in (*_from_toml(path, env), *_from_environment(env), *_from_flags(overrides)):
        hint = _field_type(origin, section, key)
        values.setdefault(section, {})[key] = _convert(origin, f"{section}.{key}", hint, value)
    sections = {f.name: f for f in dataclasses.fields(Settings)}
    hints = typing.get_type_hints(Settings)
    return Settings(**{name: hints[name](**values.get(name, {})) for name in sections})


def to_dict(settings: Settings) -> dict[str, dict[str, Any]]:
    """Settings as plain values, for manifests and run reports."""
    return dataclasses.asdict(settings)


_Entry = tuple[str, str, str, Any]


def _from_toml(path: Path | None, env: Mapping[str, str]) -> list[_Entry]:
    chosen = path or (Path(env["JINWEN_CONFIG"]) if env.get("JINWEN_CONFIG") else None)
    file = chosen or Path("jinwen.toml")
    try:
        if not file.is_file():
            if chosen is None:
                return []
            raise SettingsError(f"settings file {file} does not exist; unset JINWEN_CONFIG or name an existing file")
        data = tomllib.loads(file.read_text("utf-8-sig"))
    except RecursionError:
        raise SettingsError(f"settings file {file} is nested too deeply; expected sections of keys") from None
    except (ValueError, OSError) as error:  # of TOML, of UTF-8, a number of thousands of digits, an impossible name
        raise SettingsError(f"settings file {file} cannot be read as TOML: {error}") from error
    entries: list[_Entry] = []
    for section, table in data.items():
        if not isinstance(table, dict):
            raise SettingsError(f"{file}: '{section}' stands outside a section; expected one of {_sections()}")
        if not table:
            _field_type(str(file), section, None)
        entries += [(str(file), section, key, value) for key, value in table.items()]
    return entries


def _from_environment(env: Mapping[str, str]) -> list[_Entry]:
    entries: list[_Entry] = []
    for name in sorted(env):
        if not name.startswith("JINWEN_") or name == "JINWEN_CONFIG":
            continue
        section, _, key = name.removeprefix("JINWEN_").lower().partition("_")
        entries.append((f"environment variable {name}", section, key, env[name]))
    return entries


def _from_flags(overrides: Mapping[str, Any] | None) -> list[_Entry]:
    return [
        ("flag", *name.partition(".")[::2], value) for name, value in (overrides or {}).items() if value is not None
    ]


def _sections() -> str:
    return ", ".join(f.name for f in dataclasses.fields(Settings))


def _field_type(origin: str, section: str, key: str | None) -> Any:
    hints = typing.get_type_hints(Settings)
    if section not in hints:
        raise SettingsError(f"{origin}: unknown section '{section}'; expected one of {_sections()}")
    if key is None:
        return None
    keys = typing.get_type_hints(hints[section])
    if key not in keys:
        raise SettingsError(f"{origin}: unknown key '{section}.{key}'; expected one of {', '.join(keys)}")
    return keys[key]


def _convert(origin: str, name: str, hint: Any, value: Any) -> Any:
    if isinstance(hint, types.UnionType):
        if value is None or value == "":
            return None
        hint = next(h for h in typing.get_args(hint) if h is not type(None))
    if typing.get_origin(hint) is Literal:
        choices = typing.get_args(hint)
        if value not in choices:
            raise SettingsError(f"{origin}: {name} is {_shown(value)}; expected one of {', '.join(choices)}")
        return value
    if hint is bool:
        if str(value).lower() not in ("true", "false"):
            raise SettingsError(f"{origin}: {name} is {_shown(value)}; expected true or false")
        return str(value).lower() == "true"
    if hint is str:
        return _text(origin, name, value)
    return _number(origin, name, hint, value)


def _number(origin: str, name: str, hint: Any, value: Any) -> int | float:
    try:
        if isinstance(value, bool) or (hint is int and isinstance(value, float)):
            raise ValueError
        converted: int | float = hint(value)
    except (TypeError, ValueError, OverflowError):
        raise SettingsError(f"{origin}: {name} is {_shown(value)}; expected {hint.__name__}") from None
    key = name.partition(".")[2]
    if key in _POSITIVE and not converted > 0:
        raise SettingsError(f"{origin}: {name} is {_shown(value)}; expected a number above 0")
    if name == "passages.overlap" and converted < 0:
        raise SettingsError(f"{origin}: {name} is {_shown(value)}; expected 0 or more")
    largest = _LARGEST_PORT if key == "port" else LARGEST
    if not converted <= largest:  # nor is `nan`
        raise SettingsError(f"{origin}: {name} is {_shown(value)}; expected a number up to {largest}")
    return converted


def _text(origin: str, name: str, value: Any) -> str:
    if isinstance(value, dt.date):
        value = value.isoformat()
    if not isinstance(value, str):
        raise SettingsError(f"{origin}: {name} is {_shown(value)}; expected a text in quotes")
    if "\0" in value or any("\ud800" <= char <= "\udfff" for char in value):
        raise SettingsError(f"{origin}: {name} is {_shown(value)}; expected UTF-8 text without NUL")
    if name.partition(".")[2] == "base_url" and not _is_web_address(value):
        raise SettingsError(
            f"{origin}: {name} is {_shown(value)}; expected an address such as http://127.0.0.1:8080/v1"
        )
    return value


def _is_web_address(text: str) -> bool:
    try:
        url = urlsplit(text)
        return url.scheme in {"http", "https"} and bool(url.hostname) and url.port != 0
    except ValueError:  # a port above 65535, a bracket that is not closed
        return False


def _shown(value: Any) -> str:
    """`value` for a message: on one line, not longer than a line."""
    try:
        text = ascii(value) if isinstance(value, str) and not value.isprintable() else repr(value)
    except (ValueError, RecursionError):  # a number of thousands of digits, deep nesting
        return f"a very long {type(value).__name__}"
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"
