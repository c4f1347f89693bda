"""Text -> unit vectors.

`load_encoder` resolves a name to a model folder (`rag.model_folder`) and picks the way to read it: a folder
that holds nothing but a `StaticEmbedding` is read straight with tokenizers and numpy (`StaticEncoder`), anything
else by sentence-transformers (`SentenceTransformerEncoder`).
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import numpy as np
import numpy.typing as npt

from rag.config import MODELS_DIR, EncoderSettings
from rag.errors import ModelError
from rag.model_folder import Prompts, StaticForm, check_folder, fingerprint, locate, read_prompts, static_form

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer
    from tokenizers import Tokenizer

Vectors = npt.NDArray[np.float32]

_TEXTS_AT_ONCE = 512
_TABLE_NAMES = ("embedding.weight", "embeddings")


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


def load_encoder(settings: EncoderSettings, models_dir: Path = MODELS_DIR) -> Encoder:
    """The encoder that `settings.name` names: a folder under `models_dir`, any folder, or a hub name.

    Only a hub name that is not in the local cache uses the network.

    :raises ModelError: the model is missing, half-downloaded, broken, offered only as pickle, or needs code of its own.
    """
    folder = locate(settings.name, models_dir)
    check_folder(folder, settings.name)
    prompts = read_prompts(folder, settings.name)
    form = static_form(folder)
    if form is not None:
        encoder = StaticEncoder.read(settings.name, folder, form, prompts)
        if encoder is not None:
            return encoder
    return SentenceTransformerEncoder(settings, folder, prompts)


@dataclass(frozen=True)
class StaticEncoder:
    """Sum of token vectors, scaled to length one: a static sentence-transformers model without torch.

    Texts are never truncated. Safe to use from several threads. Equal to sentence-transformers computing in
    float32 to 1e-6, but for texts that repeat a token where the model wants repetitions to count less.
    """

    name: str
    folder: Path
    tokenizer: Tokenizer
    table: Vectors
    """float32 `(vocabulary, dim)`."""
    saturated: bool = False
    """Whether a token that occurs `n` times counts `1 + ln n` times, as in lnc weighting (Salton and Buckley,
    "Term-weighting approaches in automatic text retrieval", 1988), instead of `n` times."""
    prompts: Prompts = Prompts()

    @classmethod
    def read(cls, name: str, folder: Path, form: StaticForm, prompts: Prompts) -> StaticEncoder | None:
        """From the parts of a static model; None when its table has a form that numpy cannot hold.

        :raises ModelError: tokenizer or table cannot be read, or do not fit together.
        """
        tokenizer = _read_tokenizer(form.folder / "tokenizer.json", name)
        table = _read_table(form)
        if table is None:
            return None
        if tokenizer.get_vocab_size() > len(table):
            raise ModelError(
                f"model {name!r}: the tokenizer has {tokenizer.get_vocab_size()} tokens, the table {len(table)} rows; "
                "its files come from different versions, restore the folder"
            )
        return cls(name, folder, tokenizer, table, form.saturated, prompts)

    @cached_property
    def fingerprint(self) -> str:
        """Hash of the model's files and prompts."""
        return fingerprint(self.folder, self.prompts)

    @property
    def dim(self) -> int:
        """Length of a vector."""
        return int(self.table.shape[1])

    def encode_queries(self, texts: Sequence[str]) -> Vectors:
        """As `Encoder.encode_queries`."""
        return self._encode(texts, self.prompts.query)

    def encode_passages(self, texts: Sequence[str]) -> Vectors:
        """As `Encoder.encode_passages`."""
        return self._encode(texts, self.prompts.passage)

    def token_ids(self, texts: Sequence[str]) -> list[npt.NDArray[np.int64]]:
        """The tokens of each text, in order, without prompt."""
        return [np.array(ids, dtype=np.int64) for ids in self._token_ids(texts, "")]

    def _encode(self, texts: Sequence[str], prompt: str) -> Vectors:
        rows = np.zeros((len(texts), self.dim), dtype=np.float32)
        for i, ids in enumerate(self._token_ids(texts, prompt)):
            if ids:
                distinct, times = np.unique(ids, return_counts=True)
                weights = 1 + np.log(times) if self.saturated else times
                np.dot(weights.astype(np.float32), self.table[distinct], out=rows[i])
        return _unit(rows)

    def _token_ids(self, texts: Sequence[str], prompt: str) -> Iterator[list[int]]:
        for begin in range(0, len(texts), _TEXTS_AT_ONCE):
            batch = [prompt + text if text.strip() else "" for text in texts[begin : begin + _TEXTS_AT_ONCE]]
            for encoding in self.tokenizer.encode_batch_fast(batch, add_special_tokens=False):
                yield encoding.ids


class SentenceTransformerEncoder:
    """Any sentence-transformers model, with its query and passage prompts. Texts are cut at the model's limit."""

    def __init__(self, settings: EncoderSettings, folder: Path, prompts: Prompts) -> None:
        self._settings = settings
        self._folder = folder
        self._prompts = prompts
        self._lock = threading.Lock()
        self._model = _load(settings, folder)

    @property
    def name(self) -> str:
        """As set."""
        return self._settings.name

    @cached_property
    def fingerprint(self) -> str:
        """Hash of the model's files and prompts."""
        return fingerprint(self._folder, self._prompts)

    @cached_property
    def dim(self) -> int:
        """Length of a vector."""
        dim = self._model.get_embedding_dimension()
        return int(dim) if dim is not None else int(self.encode_queries(["1"]).shape[1])

    def encode_queries(self, texts: Sequence[str]) -> Vectors:
        """As `Encoder.encode_queries`."""
        return self._encode(texts, query=True)

    def encode_passages(self, texts: Sequence[str]) -> Vectors:
        """As `Encoder.encode_passages`."""
        return self._encode(texts, query=False)

    def _encode(self, texts: Sequence[str], *, query: bool) -> Vectors:
        filled = [i for i, text in enumerate(texts) if text.strip()]
        if not filled:
            return np.zeros((len(texts), self.dim), dtype=np.float32)
        encode = self._model.encode_query if query else self._model.encode_document
        with self._lock:
            found = encode(
                [texts[i] for i in filled],
                prompt=self._prompts.query if query else self._prompts.passage,
                batch_size=self._settings.batch_size,
                show_progress_bar=False,
                convert_to_numpy=True,
            )
        rows = np.zeros((len(texts), found.shape[1]), dtype=np.float32)
        rows[filled] = np.nan_to_num(found.astype(np.float32))
        return _unit(rows)


def _read_tokenizer(file: Path, name: str) -> Tokenizer:
    from tokenizers import Tokenizer

    try:
        tokenizer = Tokenizer.from_file(str(file))
    except Exception as error:  # the binding raises bare Exception
        raise ModelError(f"model {name!r}: {file} cannot be read ({error}); restore it") from None
    tokenizer.no_truncation()
    tokenizer.no_padding()
    return tokenizer


def _read_table(form: StaticForm) -> Vectors | None:
    """float32 `(vocabulary, dim)`; None when the file holds something else than one table of floats."""
    from safetensors.numpy import load_file

    try:
        tensors = load_file(form.folder / "model.safetensors")
    except (KeyError, TypeError, FileNotFoundError):  # a number type that numpy lacks; another file name
        return None
    key = next((k for k in _TABLE_NAMES if k in tensors), None)
    if key is None or len(tensors) != 1 or tensors[key].ndim != 2 or tensors[key].dtype.kind != "f":
        return None
    return tensors[key].astype(np.float32)


def _load(settings: EncoderSettings, folder: Path) -> SentenceTransformer:
    try:
        from sentence_transformers import SentenceTransformer
        from transformers.utils import logging

        logging.disable_progress_bar()  # type: ignore[no-untyped-call]
        return SentenceTransformer(
            str(folder),
            device=settings.device,
            trust_remote_code=False,
            local_files_only=True,
            model_kwargs={"use_safetensors": True},
        )
    except Exception as error:  # libraries raise many kinds for a broken model
        cause = " ".join(str(error).split())[:300]
        where = f" on device {settings.device!r}" if settings.device else ""
        raise ModelError(f"model {settings.name!r} cannot be loaded{where}: {cause}") from error


def _unit(rows: Vectors) -> Vectors:
    """`rows` scaled to length one in place; zero rows stay zero."""
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    np.divide(rows, lengths, out=rows, where=lengths > 1e-12)
    return rows
