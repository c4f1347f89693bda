"""Generated answers: the answerer, a real tiny model from disk, a real server on the loopback."""

from __future__ import annotations

import json
import shutil
import socket
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from generation_support import (
    ModelServer,
    PlainFallback,
    ScriptedGenerator,
    hits,
    question,
    save_tiny_model,
    send,
    send_events,
)

from rag.answering import generative, local_model
from rag.answering.generative import GenerativeAnswerer, load_generator
from rag.answering.generator import LengthLimitReached, Message
from rag.answering.local_model import LocalGenerator, load_model
from rag.answering.refusal import REFUSAL, refuse
from rag.answering.server_model import ServerGenerator, estimate_tokens
from rag.config import AnswerSettings
from rag.errors import ModelError, ModelServerError
from rag.types import Answer, Support

SETTINGS = AnswerSettings(mode="generative", max_new_tokens=64, context_tokens=8192)


@pytest.fixture(autouse=True)
def every_piece_is_a_snapshot(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(generative, "SNAPSHOT_SECONDS", 0.0)


def answers(generator, asked=None, found=None, settings=SETTINGS) -> list[Answer]:
    answerer = GenerativeAnswerer(generator, settings, PlainFallback())
    return list(answerer.stream(asked or question(), hits() if found is None else found))


def final(*pieces: str, **more) -> Answer:
    return answers(ScriptedGenerator(*pieces), **more)[-1]


# The answerer


class RefusingFallback:
    """Finds nothing that supports an answer."""

    def stream(self, question, hits):
        yield replace(refuse(question, hits, mode="extractive", model="reader"), confidence=0.01)


@pytest.mark.parametrize(("ask_model", "asked"), [("supported", 0), ("always", 1)])
def test_the_model_is_not_asked_what_the_reader_finds_unsupported(ask_model: str, asked: int) -> None:
    generator = ScriptedGenerator("年吞吐能力达到1.21亿吨[1]。")
    settings = replace(SETTINGS, ask_model=ask_model)
    [*_, answer] = GenerativeAnswerer(generator, settings, RefusingFallback()).stream(question(), hits())
    assert (len(generator.prompts), answer.refused) == (asked, asked == 0)
    assert (answer.mode, answer.model) == ("generative", "scripted" if asked else "reader")
    if not asked:
        assert answer.answer == REFUSAL["zh"]
        assert answer.notices == ("文章里没有足以支持回答的句子，因此没有让模型作答。",)
        assert [near.article_id for near in answer.nearest] == ["海湾日报/1", "海湾日报/2", "海湾日报/3"]


def test_the_reader_itself_keeps_an_unsupported_question_from_the_model() -> None:
    from reader_fakes import WordReader

    from rag.answering.extractive import ExtractiveAnswerer

    generator = ScriptedGenerator("码头年吞吐能力达到1.21亿吨[1]。")
    answerer = GenerativeAnswerer(generator, SETTINGS, ExtractiveAnswerer(WordReader(), SETTINGS))
    [*_, answered] = answerer.stream(question(), hits())
    [*_, unsupported] = answerer.stream(question("火星基地的面积有多大？"), hits())
    assert (answered.refused, unsupported.refused, len(generator.prompts)) == (False, True, 1)


def test_an_answer_is_checked_sentence_by_sentence() -> None:
    answer = final("年吞吐能力达到1.21亿吨[1]。", "头采茶每斤卖到800元[2]。", "大雪封山。")
    assert (answer.final, answer.refused, answer.mode, answer.model) == (True, False, "generative", "scripted")
    assert answer.answer == "年吞吐能力达到1.21亿吨。[1] 头采茶每斤卖到800元。[2] 大雪封山。"
    assert [(s.text, s.markers, s.support, s.problems) for s in answer.sentences] == [
        ("年吞吐能力达到1.21亿吨。", (1,), Support.QUOTED, ()),
        ("头采茶每斤卖到800元。", (2,), Support.PARTIAL, ("800元",)),
        ("大雪封山。", (), Support.UNSUPPORTED, ()),
    ]
    assert [c.quote for c in answer.citations] == [
        "码头年吞吐能力达到1.21亿吨，比老港区多出三成。",
        "头采茶每斤卖到900元，已订出60多个批次。",
    ]
    assert answer.confidence == pytest.approx((1.0 + 0.4 + 0.0) / 3, abs=1e-3)
    assert answer.notices == ()
    assert answer.timings.answer > 0


def test_snapshots_grow_and_are_not_final() -> None:
    stream = answers(ScriptedGenerator("<thi", "nk>嗯</think>码头", "投用[", "1]。春茶", "开采[2]。"))
    assert [a.answer for a in stream] == [
        "码头",
        "码头投用",
        "码头投用。[1] 春茶",
        "码头投用。[1] 春茶开采。[2]",
        "码头投用。[1] 春茶开采。[2]",
    ]  # noqa: E501
    assert [a.final for a in stream] == [False] * 4 + [True]
    assert [a.sentences for a in stream[:-1]] == [()] * 4
    assert [c.article_id for c in stream[2].citations] == ["海湾日报/1"]


def test_snapshots_are_throttled(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(generative, "SNAPSHOT_SECONDS", 60.0)
    assert len(answers(ScriptedGenerator(*"码头投用[1]。"))) == 1


def test_invented_citations_are_dropped_and_told() -> None:
    answer = final("码头投用[1][7]。春茶开采[0]。")
    assert [c.article_id for c in answer.citations] == ["海湾日报/1"]
    assert answer.notices == ("模型标注了不存在的来源编号（[7][0]），已删去。",)


def test_an_answer_without_citations_says_so() -> None:
    answer = final("The pier opened.", asked=question("When?", "en"))
    assert answer.notices == ("The model cited no source; check this answer yourself.",)
    assert answer.citations == ()


def test_without_hits_the_model_is_not_called() -> None:
    generator = ScriptedGenerator("码头投用[1]。")
    (answer,) = answers(generator, found=[])
    assert (answer.refused, answer.answer, answer.final) == (True, REFUSAL["zh"], True)
    assert generator.prompts == []


@pytest.mark.parametrize("language", ["zh", "en"])
@pytest.mark.parametrize("form", ["{}", "{}[1]", "<think>x</think>{}\n但是码头投用[1]。"])
def test_a_refusal_of_the_model_is_a_refusal(language: str, form: str) -> None:
    answer = final(form.format(REFUSAL[language]), asked=question("谁？", language))
    assert (answer.refused, answer.answer, answer.citations, answer.sentences) == (True, REFUSAL[language], (), ())
    assert [near.article_id for near in answer.nearest] == ["海湾日报/1", "海湾日报/2", "海湾日报/3"]
    assert answer.notices == ()


def test_a_refusal_of_one_part_leaves_the_other_answered() -> None:
    answer = final(f"码头3月2日投用[1]。{REFUSAL['zh']}")
    assert not answer.refused
    assert [c.marker for c in answer.citations] == [1]


def test_refuse_offers_each_article_once_at_most_three() -> None:
    found = hits()
    more = [*found[:1], *found, replace(found[0], article=replace(found[0].article, id="x/9"))]
    refusal = refuse(question(), more, mode="extractive", model="reader")
    assert [near.article_id for near in refusal.nearest] == ["海湾日报/1", "海湾日报/2", "海湾日报/3"]
    assert (refusal.nearest[0].text, refusal.nearest[0].start) == (found[0].passage.text, 0)
    assert (refusal.mode, refusal.model, refusal.citations) == ("extractive", "reader", ())


def test_only_max_sources_passages_are_given_best_first() -> None:
    generator = ScriptedGenerator("码头投用[1][3]。")
    answer = answers(generator, settings=replace(SETTINGS, max_sources=2))[-1]
    assert "春茶开采" in generator.prompts[0]
    assert "public library" not in generator.prompts[0]
    assert answer.notices == ("模型标注了不存在的来源编号（[3]），已删去。",)


def test_what_finds_no_room_is_told_and_cannot_be_cited() -> None:
    generator = ScriptedGenerator("码头投用[1]。图书馆[3]。")
    whole = generator.count_tokens([Message("user", answers_prompt(generator))])
    settings = replace(SETTINGS, context_tokens=whole - 200 + SETTINGS.max_new_tokens)
    answer = answers(generator, settings=settings)[-1]
    assert answer.notices == (
        "模型的上下文放不下全部内容，排在最后的 1 个段落没有交给它。",
        "模型标注了不存在的来源编号（[3]），已删去。",
    )
    assert len(generator.prompts[-1]) <= whole - 200


def answers_prompt(generator: ScriptedGenerator) -> str:
    answers(generator)
    return generator.prompts.pop()


def test_the_models_own_limit_counts_when_it_is_smaller() -> None:
    (answer,) = answers(ScriptedGenerator("码头投用[1]。", limit=100))
    assert answer.mode == "extractive"
    assert "raise answer.context_tokens" in answer.notices[0]


@pytest.mark.parametrize(
    ("language", "opening"), [("zh", "生成模型没有给出回答（"), ("en", "The model gave no answer (")]
)
def test_a_failing_model_is_replaced_by_the_fallback_and_told(language: str, opening: str) -> None:
    generator = ScriptedGenerator("码头", error="the model broke; mend it")
    *snapshots, answer = answers(generator, asked=question("何时？", language))
    assert [s.answer for s in snapshots] == ["码头"]
    assert (answer.mode, answer.answer, answer.final) == ("extractive", "摘录", True)
    assert answer.notices[0].startswith(opening + "the model broke; mend it")
    assert answer.notices[1] == "own notice"


@pytest.mark.parametrize("pieces", [(), ("<think>only", " reasoning"), ("[1]",), ("  \n",)])
def test_an_empty_answer_is_a_failure(pieces: tuple[str, ...]) -> None:
    (answer,) = [a for a in answers(ScriptedGenerator(*pieces)) if a.final]
    assert answer.mode == "extractive"
    assert "wrote no answer" in answer.notices[0]


def test_a_cut_answer_loses_its_unfinished_sentence_and_says_so() -> None:
    answer = answers(ScriptedGenerator("码头3月2日投用[1]。", "总投资4", cut=True))[-1]
    assert answer.answer == "码头3月2日投用。[1]"
    assert answer.notices == ("回答达到 64 个词元的上限，到此为止。",)
    only = answers(ScriptedGenerator("总投资40亿元[1]，", cut=True))[-1]
    assert only.answer == "总投资40亿元，[1]"


def test_a_slow_answer_ends_at_the_time_limit() -> None:
    class Slow(ScriptedGenerator):
        def generate(self, messages, stop):
            for piece in super().generate(messages, stop):
                yield piece
                time.sleep(0.03)

    generator = Slow("码头3月2日投用[1]。", "总投资40亿元[1]。", "二期", "明年", "开工。" * 100)
    answer = answers(generator, settings=replace(SETTINGS, timeout_s=0.05))[-1]
    assert answer.answer.startswith("码头3月2日投用。[1]")
    assert answer.notices == ("回答超过 0.05 秒的时限，到此为止。",)


def test_closing_the_stream_ends_the_generator() -> None:
    generator = ScriptedGenerator(*"码头投用。")
    stream = GenerativeAnswerer(generator, SETTINGS, PlainFallback()).stream(question(), hits())
    next(stream)
    stream.close()
    assert generator.closed == 1


# A real model from disk

CHAT = [Message("user", "东岸码头的年吞吐能力是多少？")]


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("models") / "tiny"
    save_tiny_model(folder)
    return folder


@pytest.fixture
def copy(tiny: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(tiny, tmp_path / "copy"))


@pytest.fixture(autouse=True)
def forget_models() -> Iterator[None]:
    yield
    load_model.cache_clear()


def local(folder: Path, **settings) -> LocalGenerator:
    generator = load_generator(replace(SETTINGS, model=str(folder), **settings))
    assert isinstance(generator, LocalGenerator)
    return generator


def written(generator, stop: threading.Event | None = None) -> tuple[str, bool]:
    """All that it writes, and whether it was cut."""
    text = ""
    try:
        for piece in generator.generate(CHAT, stop or threading.Event()):
            text += piece
    except LengthLimitReached:
        return text, True
    return text, False


@pytest.mark.model
def test_a_local_model_streams_what_greedy_decoding_gives(tiny: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse_network(*args: object, **kwargs: object) -> None:
        raise AssertionError("a local model asked for the network")

    monkeypatch.setattr(socket, "getaddrinfo", refuse_network)
    monkeypatch.setattr(socket.socket, "connect", refuse_network)
    generator = local(tiny, max_new_tokens=12)
    assert generator.name == "tiny"
    assert generator.context_limit() == 2048
    loaded = load_model(str(tiny))
    inputs = loaded.tokenizer.apply_chat_template(
        [{"role": "user", "content": CHAT[0].content}], add_generation_prompt=True, return_tensors="pt"
    )
    ids = inputs["input_ids"]
    assert generator.count_tokens(CHAT) == ids.shape[1]
    output = loaded.model.generate(**inputs, max_new_tokens=12, do_sample=False)[0][ids.shape[1] :]
    assert written(generator) == (loaded.tokenizer.decode(output, skip_special_tokens=True), True)


@pytest.mark.model
def test_a_local_model_that_ends_by_itself_is_not_cut(copy: Path) -> None:
    full, _ = written(local(copy, max_new_tokens=12))
    loaded = load_model(str(copy))
    first = loaded.tokenizer(full, add_special_tokens=False)["input_ids"][0]
    load_model.cache_clear()
    config = json.loads((copy / "generation_config.json").read_text())
    (copy / "generation_config.json").write_text(json.dumps({**config, "eos_token_id": [first, 2]}))
    text, cut = written(local(copy, max_new_tokens=12))
    assert not cut
    assert full.startswith(text)
    assert len(text) < len(full)


@pytest.mark.model
def test_a_local_model_stops_when_told(tiny: Path) -> None:
    generator = local(tiny, max_new_tokens=1500)
    stop = threading.Event()
    pieces = []
    started = time.monotonic()
    for piece in generator.generate(CHAT, stop):
        pieces.append(piece)
        stop.set()
    assert pieces
    assert len("".join(pieces)) < 400
    assert time.monotonic() - started < 5
    assert not load_model(str(tiny)).busy.locked()


@pytest.mark.model
def test_closing_a_local_stream_ends_its_thread(tiny: Path) -> None:
    stream = local(tiny, max_new_tokens=1500).generate(CHAT, threading.Event())
    next(stream)
    assert "jinwen-generate" in {thread.name for thread in threading.enumerate()}
    stream.close()
    assert "jinwen-generate" not in {thread.name for thread in threading.enumerate()}
    assert not load_model(str(tiny)).busy.locked()


@pytest.mark.model
def test_an_exception_in_the_writing_thread_reaches_the_consumer(tiny: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    generator = local(tiny)

    def fail(**_: object) -> None:
        raise RuntimeError("out of\nmemory")

    monkeypatch.setattr(load_model(str(tiny)).model, "generate", fail)
    with pytest.raises(ModelError, match="the model failed while writing: out of memory"):
        written(generator)


@pytest.mark.model
def test_a_local_model_that_writes_nothing_is_given_up(tiny: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    released = threading.Event()
    monkeypatch.setattr(load_model(str(tiny)).model, "generate", lambda **_: released.wait(5))
    with pytest.raises(ModelError, match=r"wrote nothing for 0\.1 s"):
        written(local(tiny, timeout_s=0.1))
    released.set()


@pytest.mark.model
def test_one_answer_at_a_time_and_the_waiting_one_can_be_stopped(tiny: Path) -> None:
    first = local(tiny, max_new_tokens=1500).generate(CHAT, threading.Event())
    next(first)
    stop = threading.Event()
    threading.Timer(0.2, stop.set).start()
    assert written(local(tiny), stop) == ("", False)
    first.close()
    assert written(local(tiny, max_new_tokens=3))[1] is True


@pytest.mark.model
def test_templates_that_open_the_reasoning_are_noticed(copy: Path) -> None:
    template = (copy / "chat_template.jinja").read_text()
    (copy / "chat_template.jinja").write_text(template + "<think>\n")
    text, _ = written(local(copy, max_new_tokens=3))
    assert text.startswith("<think>")


@pytest.mark.model
def test_the_whole_path_with_a_real_model(tiny: Path) -> None:
    settings = replace(SETTINGS, model=str(tiny), max_new_tokens=24, context_tokens=1600)
    *snapshots, answer = GenerativeAnswerer(load_generator(settings), settings, PlainFallback()).stream(
        question(), hits()
    )
    assert (answer.mode, answer.model, answer.final) == ("generative", "tiny", True)
    assert snapshots
    assert all(not snapshot.final for snapshot in snapshots)
    assert "回答达到 24 个词元的上限，到此为止。" in answer.notices
    assert "".join(s.text for s in answer.sentences)


@pytest.mark.model
@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda f: (f / "config.json").unlink(), "holds no config.json"),
        (lambda f: (f / "model.safetensors").rename(f / "pytorch_model.bin"), r"\(found pytorch_model\.bin\).*convert"),
        (lambda f: truncate(f / "model.safetensors"), "cannot be loaded"),
        (lambda f: (f / "tokenizer.json").write_text("{"), "cannot be loaded"),
        (lambda f: (f / "chat_template.jinja").unlink(), "has no chat template"),
        (lambda f: drop_weights(f), r"is incomplete: 1 weights are missing, first 'model\.norm\.weight'"),
        (lambda f: ask_for_code(f), "cannot be loaded"),
    ],
    ids=["no config", "pickle only", "truncated", "broken tokenizer", "no template", "weights missing", "remote code"],
)  # fmt: skip
def test_a_broken_model_is_one_clear_line(copy: Path, damage, message: str) -> None:
    damage(copy)
    with pytest.raises(ModelError, match=message) as caught:
        load_model(str(copy))
    assert "\n" not in str(caught.value)
    assert not (copy / "code_ran").exists()


def truncate(file: Path) -> None:
    file.write_bytes(file.read_bytes()[:-500])


def drop_weights(folder: Path) -> None:
    from safetensors.torch import load_file, save_file

    weights = load_file(folder / "model.safetensors")
    del weights["model.norm.weight"]
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})


def ask_for_code(folder: Path) -> None:
    config = json.loads((folder / "config.json").read_text())
    own = {"auto_map": {"AutoConfig": "own.Own", "AutoModelForCausalLM": "own.Own"}, "model_type": "own"}
    (folder / "config.json").write_text(json.dumps({**config, **own}))
    (folder / "own.py").write_text(f"open({str(folder / 'code_ran')!r}, 'w')")


@pytest.mark.model
@pytest.mark.parametrize(
    ("model", "message"),
    [
        ("", "no generative model is set"),
        ("./nowhere", "model folder './nowhere' does not exist"),
        (
            "nobody/no-such-model",
            "neither a folder nor in the local Hugging Face cache.*hf download nobody/no-such-model",
        ),
    ],
)
def test_a_missing_model_is_one_clear_line(
    model: str, message: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ModelError, match=message):
        load_model(model)


def test_a_missing_model_ends_in_the_fallback() -> None:
    settings = replace(SETTINGS, model="./nowhere")
    (answer,) = answers(load_generator(settings), settings=settings)
    assert answer.mode == "extractive"
    assert answer.notices[0].startswith("生成模型没有给出回答（model folder './nowhere' does not exist")


def test_a_model_under_the_models_folder_is_found_by_name(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    monkeypatch.setattr(local_model, "MODELS_DIR", tmp_path)
    with pytest.raises(ModelError, match="mine' holds no config.json"):
        load_model("mine")


# An OpenAI-compatible server


def server_settings(url: str, **more) -> AnswerSettings:
    return replace(SETTINGS, **{"backend": "openai", "model": "m", "base_url": url, "timeout_s": 5.0, **more})


def ask_server(reply, *, retries: int = 0, **settings) -> tuple[str, bool, ModelServer]:
    with ModelServer(reply).running() as server:
        generator = ServerGenerator(server_settings(server.url, **settings), max_retries=retries)
        text, cut = written(generator)
        return text, cut, server


def test_a_server_streams_and_is_asked_for_a_greedy_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-secret")
    text, cut, server = ask_server(lambda handler, body: send_events(handler, "码头", "投用[1]。"))
    assert (text, cut) == ("码头投用[1]。", False)
    assert server.requests == [
        {
            "path": "/v1/chat/completions",
            "messages": [{"role": "user", "content": CHAT[0].content}],
            "model": "m",
            "max_tokens": 64,
            "stream": True,
            "temperature": 0.0,
        }
    ]
    assert server.headers[0]["authorization"] == "Bearer sk-secret"


def test_a_server_without_a_key_gets_a_dummy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    _, _, server = ask_server(lambda handler, body: send_events(handler, "x"))
    assert server.headers[0]["authorization"] == "Bearer none"


def test_a_proxy_of_the_environment_is_not_used_on_the_loopback(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    assert ask_server(lambda handler, body: send_events(handler, "x"))[0] == "x"


def test_an_answer_cut_by_the_server_is_known_as_cut() -> None:
    assert ask_server(lambda handler, body: send_events(handler, "x", finish="length"))[:2] == ("x", True)


def test_the_whole_path_with_a_server() -> None:
    reply = lambda handler, body: send_events(handler, "<think>嗯", "</think>投资40亿元", "[1]。")  # noqa: E731
    with ModelServer(reply).running() as server:
        settings = server_settings(server.url)
        answer = answers(load_generator(settings), settings=settings)[-1]
    assert (answer.mode, answer.model, answer.answer) == ("generative", "m", "投资40亿元。[1]")
    assert answer.citations[0].quote == "工程总投资40亿元，由海湾建设集团承建。"
    assert "东岸码头投用" in str(server.requests[0]["messages"])


def says(status: int, body: str = "", **headers: str):
    return lambda handler, request: send(handler, status, body, **headers)


def broken_stream(handler, body) -> None:
    handler.send_response(200)
    handler.send_header("content-type", "text/event-stream")
    handler.send_header("content-length", "100000")
    handler.end_headers()
    handler.wfile.write(b'data: {"choices": [{"index": 0, "delta": {"content": "x"}}]}\n\n')


def bad_events(handler, body) -> None:
    handler.send_response(200)
    handler.send_header("content-type", "text/event-stream")
    handler.end_headers()
    handler.wfile.write(b"data: {no json\n\n")


def error_event(handler, body) -> None:
    handler.send_response(200)
    handler.send_header("content-type", "text/event-stream")
    handler.end_headers()
    handler.wfile.write(b'data: {"error": {"message": "out of\\nmemory"}}\n\n')


@pytest.mark.parametrize(
    ("reply", "message"),
    [
        (says(401, '{"error": {"message": "Incorrect key sk-secret"}}'), r"refused the key \(401\).*OPENAI_API_KEY"),
        (says(403), r"refused the key \(403\)"),
        (says(404, '{"error": {"message": "no model"}}'), r"knows no model 'm' at this address \(404\)"),
        (says(400, '{"error": {"message": "context length is 2048"}}'), r"\(400\): .*context length is 2048"),
        (says(429), r"is busy or its quota is used up \(429\)"),
        (says(500), r"failed with an internal error \(500\)"),
        (says(302, location="http://169.254.169.254/"), r"redirects elsewhere \(302\), which is not followed"),
        (says(200, "<html>hello</html>", content_type="text/html"), "answers with text/html instead of an event"),
        (says(200, '{"choices": []}'), "answers with application/json instead of an event stream.*/v1"),
        (lambda h, b: send_events(h, "x", finish=None, done=False), "broke off in the middle"),
        (lambda h, b: send_events(h, "x", finish=None), "broke off in the middle"),
        (broken_stream, "broke off in the middle"),
        (bad_events, "sent what is no chat answer"),
        (error_event, "reports an error: out of memory"),
    ],
    ids=["401", "403", "404", "400", "429", "500", "302", "html", "no stream", "cut", "no finish", "cut body",
         "no json", "error event"],
)  # fmt: skip
def test_a_failing_server_is_one_clear_line(reply, message: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-secret")
    with pytest.raises(ModelServerError, match=message) as caught:
        ask_server(reply)
    assert str(caught.value).startswith("model server http://127.0.0.1:")
    assert "\n" not in str(caught.value)
    assert "sk-secret" not in str(caught.value)


def test_a_server_that_falls_silent_is_given_up() -> None:
    started = time.monotonic()
    with pytest.raises(ModelServerError, match=r"sent nothing for 0\.3 s; raise answer\.timeout_s"):
        ask_server(lambda handler, body: send_events(handler, "x", "y", pause_s=1.0), timeout_s=0.3)
    assert time.monotonic() - started < 3


def test_comments_do_not_count_as_an_answer() -> None:
    def keep_alive(handler, body) -> None:
        handler.send_response(200)
        handler.send_header("content-type", "text/event-stream")
        handler.end_headers()
        for _ in range(40):
            handler.wfile.write(b": still here\n\n")
            handler.wfile.flush()
            time.sleep(0.05)

    with pytest.raises(ModelServerError, match="sent nothing for"):
        ask_server(keep_alive, timeout_s=0.3)


def test_stop_is_heard_while_the_server_is_silent() -> None:
    stop = threading.Event()
    with ModelServer(lambda handler, body: send_events(handler, "x", "y", pause_s=2.0)).running() as server:
        generator = ServerGenerator(server_settings(server.url))
        threading.Timer(0.2, stop.set).start()
        started = time.monotonic()
        assert written(generator, stop) == ("x", False)
        assert time.monotonic() - started < 1


def test_errors_that_may_pass_are_tried_again_a_bounded_number_of_times() -> None:
    def busy_once(handler, body, seen=[]) -> None:  # noqa: B006 - counts the calls
        seen.append(body)
        if len(seen) == 1:
            send(handler, 503)
        else:
            send_events(handler, "x")

    text, _, server = ask_server(busy_once, retries=2)
    assert (text, len(server.requests)) == ("x", 2)
    with ModelServer(lambda handler, body: send(handler, 500, retry_after="0.01")).running() as server:
        with pytest.raises(ModelServerError, match="500"):
            written(load_generator(server_settings(server.url)))
        assert len(server.requests) == 3


def test_no_server_at_all_ends_in_the_fallback() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"http://user:pass@127.0.0.1:{free.getsockname()[1]}/v1"
    settings = server_settings(url)
    (answer,) = answers(ServerGenerator(settings, max_retries=0), settings=settings)
    assert answer.mode == "extractive"
    assert "cannot be reached" in answer.notices[0]
    assert "user:pass" not in answer.notices[0]


@pytest.mark.parametrize(
    ("settings", "message"),
    [({"base_url": "localhost:8080"}, "expected an address such as"),
     ({"base_url": "file:///etc"}, "expected an address"), ({"model": ""}, "no generative model is set")],
)  # fmt: skip
def test_settings_that_name_no_server_or_model(settings: dict[str, str], message: str) -> None:
    with pytest.raises(ModelServerError, match=message):
        written(ServerGenerator(server_settings("http://127.0.0.1:9/v1", **settings)))


def test_the_estimate_of_tokens_is_from_above() -> None:
    assert estimate_tokens("") == 0
    assert estimate_tokens("码头投用") == 6
    assert estimate_tokens("The pier opened.") == 6
    generator = ServerGenerator(server_settings("http://127.0.0.1:9/v1"))
    assert generator.count_tokens([Message("user", "码头投用")]) == 22
    assert generator.context_limit() is None
