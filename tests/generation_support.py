"""What the tests of generated answers share: invented hits, a scripted model, a tiny real one, a real server."""

from __future__ import annotations

import datetime as dt
import json
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from rag.answering.generator import LengthLimitReached, Message, Pieces
from rag.errors import ModelError
from rag.types import Answer, Article, Hit, Passage, Question

AS_OF = dt.date(2026, 1, 20)

PIER = (
    "东岸码头一期工程3月2日投用。码头年吞吐能力达到1.21亿吨，比老港区多出三成。"
    "工程总投资40亿元，由海湾建设集团承建。项目经理林一舟介绍，二期工程将于明年开工。"
)
TEA = "青石山春茶昨日开采。茶农说，今年的茶比往年早十天。头采茶每斤卖到900元，已订出60多个批次。"
LIBRARY = (
    "The town opened its first public library on 5 May 2025. It holds 20,000 books. "
    "Mayor Ada Quill said the building cost 3 million dollars."
)


def article(number: int, text: str, title: str, date: dt.date | None) -> Article:
    return Article(
        id=f"海湾日报/{number}", title=title, text=text, file="gulf.json", source="海湾日报", date=date,
        url=f"https://example.org/{number}",
    )  # fmt: skip


def hit_of(story: Article, rank: int = 1, start: int = 0, end: int | None = None) -> Hit:
    stop = len(story.text) if end is None else end
    return Hit(rank, 1 / rank, Passage(story.id, start, stop, story.text[start:stop]), story)


def hits() -> list[Hit]:
    """A pier, tea and a library, in this order."""
    stories = [
        article(1, PIER, "东岸码头投用", dt.date(2025, 3, 3)),
        article(2, TEA, "春茶开采", dt.date(2025, 4, 2)),
        article(3, LIBRARY, "A library by the sea", dt.date(2025, 5, 6)),
    ]
    return [hit_of(story, rank) for rank, story in enumerate(stories, start=1)]


def question(text: str = "东岸码头的年吞吐能力是多少？", language: str = "zh") -> Question:
    return Question(text=text, standalone=text, language=language, as_of=AS_OF)


class ScriptedGenerator:
    """Writes given pieces; one token is one character of the prompt."""

    name = "scripted"

    def __init__(self, *pieces: str, limit: int | None = None, cut: bool = False, error: str = "") -> None:
        self.pieces = pieces
        self.limit = limit
        self.cut = cut
        self.error = error
        self.prompts: list[str] = []
        self.closed = 0

    def context_limit(self) -> int | None:
        return self.limit

    def count_tokens(self, messages: Sequence[Message]) -> int:
        return sum(len(message.content) for message in messages)

    def generate(self, messages: Sequence[Message], stop: threading.Event) -> Pieces:
        self.prompts.append("\n".join(message.content for message in messages))
        try:
            yield from self.pieces
            if self.error:
                raise ModelError(self.error)
            if self.cut:
                raise LengthLimitReached
        finally:
            self.closed += 1


class PlainFallback:
    """Answers with its name, so that a test sees who answered."""

    def stream(self, question: Question, hits: Sequence[Hit]) -> Iterator[Answer]:
        yield Answer(
            question=question.text, answer="摘录", refused=False, mode="extractive", language=question.language,
            notices=("own notice",),
        )  # fmt: skip


CHAT_TEMPLATE = (
    "{% for m in messages %}<|im_start|>{{ m['role'] }}\n{{ m['content'] }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)


def save_tiny_model(folder: Path, *, chat_template: str | None = CHAT_TEMPLATE, positions: int = 2048) -> None:
    """A two-layer Llama with random weights and a byte-level BPE tokenizer trained on this module's texts."""
    import torch
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

    bpe = Tokenizer(models.BPE())
    bpe.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    bpe.decoder = decoders.ByteLevel()
    special = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"]
    trainer = trainers.BpeTrainer(
        vocab_size=600,
        special_tokens=special,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    bpe.train_from_iterator([PIER, TEA, LIBRARY], trainer)
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=bpe, eos_token="<|im_end|>", pad_token="<|endoftext|>")
    if chat_template:
        tokenizer.chat_template = chat_template
    torch.manual_seed(7)
    config = LlamaConfig(
        vocab_size=len(tokenizer), hidden_size=32, intermediate_size=64, num_hidden_layers=2, num_attention_heads=2,
        num_key_value_heads=2, max_position_embeddings=positions, bos_token_id=None,
        eos_token_id=tokenizer.eos_token_id, pad_token_id=tokenizer.pad_token_id,
    )  # fmt: skip
    LlamaForCausalLM(config).save_pretrained(folder)
    tokenizer.save_pretrained(folder)


class ModelServer:
    """A real HTTP server on the loopback; `reply` answers every POST and may misbehave."""

    def __init__(self, reply: Callable[[BaseHTTPRequestHandler, dict[str, object]], None]) -> None:
        self.requests: list[dict[str, object]] = []
        self.headers: list[dict[str, str]] = []
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:  # noqa: N802 - the name that http.server calls
                body = json.loads(self.rfile.read(int(self.headers["content-length"])))
                outer.requests.append({"path": self.path, **body})
                outer.headers.append({k.lower(): v for k, v in self.headers.items()})
                try:
                    reply(self, body)
                except OSError:
                    self.close_connection = True  # the client hung up

            def log_message(self, *args: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}/v1"

    @contextmanager
    def running(self) -> Iterator[ModelServer]:
        thread = threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        try:
            yield self
        finally:
            self._server.shutdown()
            self._server.server_close()
            thread.join()


def send(handler: BaseHTTPRequestHandler, status: int, body: str = "", **headers: str) -> None:
    """A complete reply; `content_type` defaults to JSON."""
    data = body.encode()
    handler.send_response(status)
    for name, value in {"content_type": "application/json", **headers}.items():
        handler.send_header(name.replace("_", "-"), value)
    handler.send_header("content-length", str(len(data)))
    handler.end_headers()
    handler.wfile.write(data)


def send_events(
    handler: BaseHTTPRequestHandler, *pieces: str, finish: str | None = "stop", pause_s: float = 0.0, done: bool = True
) -> None:
    """Chat completion chunks as server-sent events; the connection's end ends the stream."""
    handler.send_response(200)
    handler.send_header("content-type", "text/event-stream; charset=utf-8")
    handler.end_headers()
    for piece in pieces:
        _event(handler, {"content": piece}, None)
        time.sleep(pause_s)
    if finish:
        _event(handler, {}, finish)
    if done:
        handler.wfile.write(b"data: [DONE]\n\n")


def _event(handler: BaseHTTPRequestHandler, delta: dict[str, str], finish: str | None) -> None:
    choice = {"index": 0, "delta": delta, "finish_reason": finish}
    chunk = {"id": "1", "object": "chat.completion.chunk", "created": 1, "model": "m", "choices": [choice]}
    handler.wfile.write(f"data: {json.dumps(chunk)}\n\n".encode())
    handler.wfile.flush()
