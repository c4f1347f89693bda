"""A chat model behind an OpenAI-compatible server (vLLM, llama.cpp, Ollama, …), through the openai client."""

from __future__ import annotations

import math
import os
import queue
import threading
import time
from collections.abc import Iterator, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from rag.answering.generator import LengthLimitReached, Message, Pieces, one_line
from rag.config import AnswerSettings
from rag.errors import ModelServerError

if TYPE_CHECKING:
    import openai

MAX_RETRIES = 2
"""Further tries after a connection error, 408, 409, 429 or 5xx, with the client's growing pauses."""
CONNECT_SECONDS = 5.0
_LOOPBACK = {"localhost", "127.0.0.1", "::1"}
_POLL_SECONDS = 0.05
_BROKE_OFF = "broke off in the middle of its answer; see the server's own log"


class ServerGenerator:
    """Asks a server's chat completions; see `Generator`.

    The key comes from the environment variable OPENAI_API_KEY and from nowhere else; servers that need none
    get a dummy. Redirects are not followed, so the key and the articles go to no address but the one set.
    """

    def __init__(self, settings: AnswerSettings, *, max_retries: int = MAX_RETRIES, section: str = "answer") -> None:
        """`section` is where the user set the model and the server, for messages that say what to change."""
        self._settings = settings
        self._max_retries = max_retries
        self.section = section

    @property
    def name(self) -> str:
        """The server's name for the model."""
        return self._settings.model

    def context_limit(self) -> int | None:
        """The protocol has no way to ask; `answer.context_tokens` must be what the server was started with."""
        return None

    def count_tokens(self, messages: Sequence[Message]) -> int:
        """An estimate from above, because the protocol has no way to ask: see `estimate_tokens`."""
        return sum(estimate_tokens(message.content) + 16 for message in messages)

    def generate(self, messages: Sequence[Message], stop: threading.Event) -> Pieces:
        """Pieces as the server sends them; more than `answer.timeout_s` seconds without one is an error."""
        exchange = _Exchange(self, messages)
        try:
            yield from exchange.pieces(stop, self._settings.timeout_s)
        finally:
            exchange.end()

    def open_stream(self, messages: Sequence[Message]) -> Any:
        """The server's stream of chunks; errors are those of the openai client."""
        return self._client.chat.completions.create(
            model=self._settings.model,
            messages=[{"role": m.role, "content": m.content} for m in messages],  # type: ignore[misc]
            max_tokens=self._settings.max_new_tokens,
            temperature=0.0,
            stream=True,
        )

    def explain(self, error: BaseException, *, broke_off: bool = False) -> ModelServerError:
        """One line for any failure of an exchange: what happened, and what to do.

        `broke_off` says that the answer had begun.
        """
        if isinstance(error, ModelServerError):
            return error
        return self.failure(_cause(error, self._settings, broke_off, self.section))

    def failure(self, what: str) -> ModelServerError:
        """The error that the server did `what`."""
        return ModelServerError(f"model server {self.address} {what}")

    @property
    def address(self) -> str:
        """The server's address without user name, password or query."""
        url = urlsplit(self._settings.base_url)
        return f"{url.scheme}://{url.hostname or ''}{f':{url.port}' if url.port else ''}{url.path}"

    @cached_property
    def _client(self) -> openai.OpenAI:
        import openai

        url = urlsplit(self._settings.base_url)
        if url.scheme not in {"http", "https"} or not url.hostname:
            raise ModelServerError(
                f"{self.section}.base_url is '{self._settings.base_url}'; expected an address such as http://127.0.0.1:8080/v1"
            )
        if not self._settings.model:
            raise ModelServerError(
                f"no generative model is set; put the server's name for the model in {self.section}.model"
            )
        timeout = openai.Timeout(self._settings.timeout_s, connect=min(CONNECT_SECONDS, self._settings.timeout_s))
        return openai.OpenAI(
            base_url=self._settings.base_url,
            api_key=os.environ.get("OPENAI_API_KEY") or "none",
            max_retries=self._max_retries,
            timeout=timeout,
            http_client=openai.DefaultHttpxClient(
                follow_redirects=False,
                timeout=timeout,
                trust_env=url.hostname not in _LOOPBACK,  # a proxy cannot reach this machine's loopback
            ),
        )


class _Exchange:
    """One request in a thread of its own, so that a silent server can neither hold up `stop` nor the deadline."""

    def __init__(self, server: ServerGenerator, messages: Sequence[Message]) -> None:
        self._server = server
        self._messages = messages
        self._queue: queue.SimpleQueue[str | BaseException | None] = queue.SimpleQueue()
        self._stream: Any = None
        self._ended = threading.Event()

    def pieces(self, stop: threading.Event, patience_s: float) -> Iterator[str]:
        """Start the thread and pass on what it reads, its exceptions included."""
        threading.Thread(target=self._work, name="jinwen-model-server", daemon=True).start()
        last = time.monotonic()
        while not stop.is_set():
            try:
                item = self._queue.get(timeout=_POLL_SECONDS)
            except queue.Empty:
                if time.monotonic() - last > patience_s:
                    raise self._server.explain(TimeoutError()) from None
                continue
            if item is None:
                return
            if isinstance(item, LengthLimitReached):
                raise item
            if isinstance(item, BaseException):
                raise self._server.explain(item, broke_off=self._stream is not None) from item
            last = time.monotonic()
            yield item

    def end(self) -> None:
        """Hang up; the thread then ends by itself."""
        self._ended.set()
        if self._stream is not None:
            self._stream.close()

    def _work(self) -> None:
        try:
            self._read()
            self._queue.put(None)
        except BaseException as error:  # handed to the consumer, who would wait for the deadline otherwise
            self._queue.put(error)

    def _read(self) -> None:
        self._stream = self._server.open_stream(self._messages)
        if self._ended.is_set():
            self._stream.close()
            return
        content_type = self._stream.response.headers.get("content-type", "")
        if "event-stream" not in content_type:
            raise self._server.failure(
                f"answers with {content_type.partition(';')[0] or 'no content type'} instead of an event stream; "
                f"check {self._server.section}.base_url, which usually ends in /v1"
            )
        finish = None
        for chunk in self._stream:
            if self._ended.is_set():
                return
            for choice in chunk.choices[:1]:
                if choice.delta.content:
                    self._queue.put(choice.delta.content)
                finish = choice.finish_reason or finish
        if finish is None:
            raise self._server.failure(_BROKE_OFF)
        if finish == "length":
            raise LengthLimitReached


def estimate_tokens(text: str) -> int:
    """Tokens of `text` at most, for tokenizers that know Chinese.

    One per three ASCII characters and one per two bytes of UTF-8 beyond ASCII. Chinese runs at 0.6 to 1.3
    tokens a character in current models and is counted as 1.5, English at four characters a token. A server
    with an older tokenizer can need more; it then refuses the request, which is reported.
    """
    ascii_count = sum(character.isascii() for character in text)
    return math.ceil(ascii_count / 3 + (len(text.encode("utf-8", "replace")) - ascii_count) / 2)


def _cause(error: BaseException, settings: AnswerSettings, broke_off: bool, section: str) -> str:
    import openai

    if isinstance(error, TimeoutError | openai.APITimeoutError):
        return f"sent nothing for {settings.timeout_s:g} s; raise {section}.timeout_s or use a smaller model"
    if isinstance(error, openai.APIStatusError):
        return _status_cause(error.status_code, error, settings, section)
    if isinstance(error, openai.APIConnectionError):
        unreachable = f"cannot be reached ({one_line(error.__cause__ or error)}); start it or set {section}.base_url"
        return _BROKE_OFF if broke_off else unreachable
    if isinstance(error, openai.APIError):
        return f"reports an error: {one_line(error)}"
    return f"sent what is no chat answer ({one_line(error)}); see the server's own log"


def _status_cause(status: int, error: Exception, settings: AnswerSettings, section: str) -> str:
    if status in {401, 403}:
        return f"refused the key ({status}); put the right one in the environment variable OPENAI_API_KEY"
    if status == 404:
        return f"knows no model '{settings.model}' at this address (404); check {section}.model and {section}.base_url"
    if status == 429:
        return "is busy or its quota is used up (429); try again later"
    if 300 <= status < 400:
        return f"redirects elsewhere ({status}), which is not followed; set {section}.base_url to the final address"
    if status >= 500:
        return f"failed with an internal error ({status}); see the server's own log"
    return f"refused the request ({status}): {one_line(error)}"
