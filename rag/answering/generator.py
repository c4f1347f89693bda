"""What a language model is to the rest of Jinwen: messages in, pieces of text out."""

from __future__ import annotations

import threading
from collections.abc import Generator as GeneratorIterator
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from rag.config import AnswerSettings

Pieces = GeneratorIterator[str, None, None]
"""Pieces of text; `close()` ends the work behind them."""


@dataclass(frozen=True, slots=True)
class Message:
    """One message of a chat."""

    role: str
    """`system`, `user` or `assistant`."""
    content: str


class LengthLimitReached(Exception):  # noqa: N818 - a way to end, not an error
    """Raised after the last piece when a model stopped at `max_new_tokens` and not by itself."""


class Generator(Protocol):
    """A chat model. It is loaded (or its server first called) when it is first used, and then kept."""

    @property
    def name(self) -> str:
        """What the user calls the model."""

    def context_limit(self) -> int | None:
        """Tokens that prompt and answer may take together, None when the model does not say.

        :raises ModelError: the model cannot be loaded.
        """

    def count_tokens(self, messages: Sequence[Message]) -> int:
        """Tokens that `messages` take with their chat template; at least that many where it is an estimate.

        :raises ModelError: the model cannot be loaded.
        """

    def generate(self, messages: Sequence[Message], stop: threading.Event) -> Pieces:
        """Pieces of the answer as they are written, reasoning between think tags included.

        Ends soon after `stop` is set. Closing the iterator ends the work behind it too.

        :raises ModelError: the model cannot be loaded or used, or fails on the way.
        :raises LengthLimitReached: after the last piece, when the answer was cut at `max_new_tokens`.
        """


def load_generator(settings: AnswerSettings) -> Generator:
    """The generator that `settings` name. Quick: what is missing or broken shows when it is first used."""
    if settings.backend == "openai":
        from rag.answering.server_model import ServerGenerator

        return ServerGenerator(settings)
    from rag.answering.local_model import LocalGenerator

    return LocalGenerator(settings)


def one_line(error: BaseException) -> str:
    """The message of a foreign error as one line, short enough to show."""
    text = " ".join(str(error).split()) or type(error).__name__
    return text if len(text) <= 200 else text[:199] + "…"
