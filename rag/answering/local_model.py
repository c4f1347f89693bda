"""A causal language model that transformers loads from disk: safetensors only, no remote code, no network."""

from __future__ import annotations

import queue
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from rag.answering.generator import LengthLimitReached, Message, Pieces, one_line
from rag.config import MODELS_DIR, AnswerSettings
from rag.errors import ModelError

_LOADING = threading.Lock()


@dataclass(frozen=True)
class LoadedModel:
    """A tokenizer with its model, and the lock under which it writes: one answer at a time."""

    tokenizer: Any
    model: Any
    busy: threading.Lock


class LocalGenerator:
    """Generates greedily with a model of the Hugging Face format; see `Generator`."""

    def __init__(self, settings: AnswerSettings) -> None:
        self._settings = settings

    @property
    def name(self) -> str:
        """The folder's name, or the hub name as given."""
        model = self._settings.model
        return Path(model).name if _folder(model) else model

    def context_limit(self) -> int | None:
        """Positions that the model was made for."""
        limit = getattr(self._loaded().model.config, "max_position_embeddings", None)
        return int(limit) if limit else None

    def count_tokens(self, messages: Sequence[Message]) -> int:
        """Exact, by the model's own tokenizer and chat template."""
        return int(self._encode(messages)["input_ids"].shape[-1])

    def generate(self, messages: Sequence[Message], stop: threading.Event) -> Pieces:
        """Pieces as they are written; waits while another answer is being written by the same model."""
        loaded = self._loaded()
        inputs = self._encode(messages)
        while not loaded.busy.acquire(timeout=0.1):
            if stop.is_set():
                return
        run = _Run(loaded, inputs, self._settings, stop)
        try:
            yield from run.pieces()
        finally:
            run.end()
            loaded.busy.release()

    def _loaded(self) -> LoadedModel:
        with _LOADING:
            return load_model(self._settings.model)

    def _encode(self, messages: Sequence[Message]) -> Any:
        tokenizer = self._loaded().tokenizer
        chat = [{"role": message.role, "content": message.content} for message in messages]
        try:
            # enable_thinking is read by the templates of models that can think aloud and ignored by others.
            return tokenizer.apply_chat_template(
                chat, add_generation_prompt=True, return_tensors="pt", return_dict=True, enable_thinking=False
            )
        except Exception as error:  # templates raise whatever they like
            raise ModelError(f"the chat template of model '{self.name}' fails: {one_line(error)}") from error


class _Run:
    """One answer being written in a thread of its own."""

    def __init__(self, loaded: LoadedModel, inputs: Any, settings: AnswerSettings, stop: threading.Event) -> None:
        from transformers import TextIteratorStreamer

        self._loaded = loaded
        self._inputs = inputs.to(loaded.model.device)
        self._settings = settings
        self._stop = stop
        self._ended = threading.Event()
        self._error: BaseException | None = None
        self._cut = False
        self._streamer = TextIteratorStreamer(
            loaded.tokenizer, skip_prompt=True, skip_special_tokens=True, timeout=settings.timeout_s
        )
        self._thread = threading.Thread(target=self._work, name="jinwen-generate", daemon=True)

    def pieces(self) -> Iterator[str]:
        """Start the thread and pass on what it writes, its exceptions included."""
        self._thread.start()
        if self._prompt_opens_thinking():
            yield "<think>"
        try:
            yield from (piece for piece in self._streamer if piece)
        except queue.Empty:
            raise ModelError(
                f"the model wrote nothing for {self._settings.timeout_s:g} s; "
                "raise answer.timeout_s or use a smaller model"
            ) from None
        self._thread.join(timeout=self._settings.timeout_s)  # the streamer ends a moment before its thread
        if self._error is not None:
            raise ModelError(f"the model failed while writing: {one_line(self._error)}") from self._error
        if self._cut:
            raise LengthLimitReached

    def end(self) -> None:
        """Make the thread stop at its next token and wait for it."""
        self._ended.set()
        if self._thread.ident is not None:
            self._thread.join(timeout=self._settings.timeout_s)

    def _prompt_opens_thinking(self) -> bool:
        """Templates of models that always reason end the prompt with the opening tag."""
        tail = self._loaded.tokenizer.decode(self._inputs["input_ids"][0][-8:])
        return bool(tail.rstrip().endswith("<think>"))

    def _work(self) -> None:
        try:
            self._generate()
        except BaseException as error:  # handed to the consumer, who would wait forever otherwise
            self._error = error
            streamer: Any = self._streamer
            streamer.end()

    def _generate(self) -> None:
        import torch
        from transformers import GenerationConfig, StoppingCriteriaList

        model, limit = self._loaded.model, self._settings.max_new_tokens
        own = model.generation_config
        make_config: Any = GenerationConfig
        config = make_config(  # the model's own would sample
            max_new_tokens=limit,
            do_sample=False,
            eos_token_id=own.eos_token_id,
            pad_token_id=own.pad_token_id if own.pad_token_id is not None else self._loaded.tokenizer.pad_token_id,
        )
        with torch.inference_mode():
            output = model.generate(
                **self._inputs,
                generation_config=config,
                streamer=self._streamer,
                stopping_criteria=StoppingCriteriaList([self._should_stop]),
            )
        written = output[0][self._inputs["input_ids"].shape[-1] :]
        self._cut = len(written) >= limit and int(written[-1]) not in _ids(own.eos_token_id)

    def _should_stop(self, input_ids: Any, scores: Any, **_: Any) -> Any:
        import torch

        ending = self._stop.is_set() or self._ended.is_set()
        return torch.full((input_ids.shape[0],), ending, dtype=torch.bool, device=input_ids.device)


@lru_cache(maxsize=1)
def load_model(name: str) -> LoadedModel:
    """Load tokenizer and model; the last one is kept. A failure is not kept: mending the folder is enough.

    :param name: a folder, a folder under `models/`, or a hub name that is already in the local cache.
    :raises ModelError: there is no such model, it is incomplete or damaged, has no safetensors weights or no
        chat template, or needs code of its own.
    """
    if not name:
        raise ModelError("no generative model is set; name a model folder in answer.model")
    folder = _folder(name)
    if folder is not None:
        _check_files(folder)
    elif name.startswith((".", "/", "~")) or name.count("/") > 1:
        raise ModelError(f"model folder '{name}' does not exist; set answer.model to an existing one")
    tokenizer, model = _load(str(folder or name), name)
    if not getattr(tokenizer, "chat_template", None):
        raise ModelError(
            f"model '{name}' has no chat template, so it is no chat model; use one tuned to follow instructions"
        )
    return LoadedModel(tokenizer, model.eval(), threading.Lock())


def _load(place: str, name: str) -> tuple[Any, Any]:
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    device = "cuda" if torch.cuda.is_available() else "cpu"
    common: dict[str, Any] = {"local_files_only": True, "trust_remote_code": False}
    causal: Any = AutoModelForCausalLM
    try:
        tokenizer = AutoTokenizer.from_pretrained(place, **common)
        model, report = causal.from_pretrained(
            place, use_safetensors=True, dtype="auto", output_loading_info=True, **common
        )
        missing = sorted(report["missing_keys"])
        if missing:
            raise ModelError(
                f"model '{name}' is incomplete: {len(missing)} weights are missing, first '{missing[0]}'; copy it again"
            )
        return tokenizer, model.to(device)
    except ModelError:
        raise
    except Exception as error:  # transformers, tokenizers, safetensors and torch each raise their own
        if _folder(name) is None and isinstance(error, OSError):
            raise ModelError(
                f"model '{name}' is neither a folder nor in the local Hugging Face cache, and Jinwen downloads "
                f"nothing; fetch it with 'hf download {name}' or set answer.model to a folder"
            ) from error
        raise ModelError(f"model '{name}' cannot be loaded: {one_line(error)}") from error


def _folder(name: str) -> Path | None:
    candidates = (Path(name).expanduser(), MODELS_DIR / name) if name else ()
    return next((path for path in candidates if path.is_dir()), None)


def _check_files(folder: Path) -> None:
    """The two mistakes that transformers explains worst."""
    if not (folder / "config.json").is_file():
        raise ModelError(f"'{folder}' holds no config.json, so it is no model folder; name one that transformers saved")
    if not any(folder.glob("*.safetensors")):
        other = sorted(path.name for path in folder.iterdir() if path.suffix in {".bin", ".pt", ".pth", ".gguf"})
        found = f" (found {other[0]})" if other else ""
        raise ModelError(
            f"'{folder}' holds no .safetensors weights{found}; other formats are not loaded: convert the model"
        )


def _ids(token_ids: int | list[int] | None) -> list[int]:
    if token_ids is None:
        return []
    return token_ids if isinstance(token_ids, list) else [token_ids]
