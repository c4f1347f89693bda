"""Odd arguments, settings and batches: each ends with an answer or with one line, never with a traceback."""

import io
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from rag import cli
from rag.cli import main
from rag.config import load_settings
from rag.errors import SettingsError, StoreError
from rag.locking import WriterLock

BRIDGE = "云州大桥昨日通车\n\n云州大桥全长3.2公里，总投资18.6亿元，由云帆建设集团承建。市民可以步行过桥。\n"
BAD_BYTES = os.fsdecode(b"\xff\xfe")
HALF = "\ud83d"
LONG = "x" * 5_000
DEEP = "[" * 100_000


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("articles")
    (folder / "2026-01-18-bridge.txt").write_text(BRIDGE, "utf-8")
    target = tmp_path_factory.mktemp("index")
    assert main(["index", "--index", str(target), str(folder)]) == 0
    return target


def run(capsys: pytest.CaptureFixture[str], *argv: object) -> tuple[int, str, str]:
    try:
        status = main([str(arg) for arg in argv])
    except SystemExit as exit_:
        status = int(exit_.code or 0)
    captured = capsys.readouterr()
    return status, captured.out, captured.err


def is_one_line(errors: str) -> bool:
    return errors.startswith("jinwen: ") and errors.count("\n") == 1 and len(errors) < 6_000


TEXTS = [BAD_BYTES, HALF, "a\0b", f"大桥{BAD_BYTES}多长"]
PATHS = [LONG, "x/" * 2_500, "a\0b", BAD_BYTES, HALF]


@pytest.mark.parametrize("text", TEXTS, ids=ascii)
@pytest.mark.parametrize(
    "argv",
    [
        ["ask"], ["search"], ["ask", "大桥", "--source"], ["search", "大桥", "--source"], ["ask", "大桥", "--as-of"],
        ["ask", "大桥", "--from"], ["ask", "大桥", "--set"], ["explain", "大桥", "--expect"],
        ["explain", "--expect", "x"],
        ["index", "x", "--encoding"], ["index", "x", "--encoder"], ["index", "x", "--date"], ["eval"],
    ],
    ids=" ".join,
)  # fmt: skip
def test_text_that_is_not_text(argv: list[str], text: str, index: Path, capsys: pytest.CaptureFixture[str]) -> None:
    status, out, errors = run(capsys, *argv, text, "--index", index)
    assert (status, out) == (1, "")
    assert is_one_line(errors), errors


@pytest.mark.parametrize("path", PATHS, ids=lambda path: ascii(path)[:12])
@pytest.mark.parametrize(
    "argv",
    [
        ["ask", "大桥", "--index"], ["index", "x", "--index"], ["doctor", "--index"], ["ask", "大桥", "--config"],
        ["ask", "--batch"], ["search", "--batch"], ["index"], ["index", "--rebuild"], ["articles", "--index"],
    ],
    ids=" ".join,
)  # fmt: skip
def test_paths_that_cannot_exist(
    argv: list[str], path: str, index: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:  # fmt: skip
    monkeypatch.chdir(tmp_path)
    more = [] if "--index" in argv else ["--index", index]
    status, out, errors = run(capsys, *argv, path, *more)
    assert status == 1
    if argv[0] != "doctor":
        assert out == ""
        assert is_one_line(errors), errors


@pytest.mark.parametrize("count", ["0", "-1", "²", "1e3", "9" * 30, "9" * 5_000, "nan", "x", str(2**31)])
def test_counts_that_are_none(count: str, index: Path, capsys: pytest.CaptureFixture[str]) -> None:
    status, out, errors = run(capsys, "search", "大桥", "-k", count, "--index", index)
    assert (status, out) == (2, "")
    assert "Traceback" not in errors


def test_a_count_may_be_large(index: Path, capsys: pytest.CaptureFixture[str]) -> None:
    status, out, _ = run(capsys, "search", "大桥", "-k", 2**31 - 1, "--index", index, "--json")
    assert status == 0
    assert json.loads(out.splitlines()[0])["rank"] == 1


@pytest.mark.parametrize("as_of", ["0001-01-01", "9999-12-31", "2026-02-30", "today", "2026", ""])
def test_a_day_on_which_nobody_asks(as_of: str, index: Path, capsys: pytest.CaptureFixture[str]) -> None:
    status, out, errors = run(capsys, "ask", "昨天", "--as-of", as_of, "--index", index)
    assert (status, out) == (1, "")
    assert is_one_line(errors)


@pytest.mark.parametrize("as_of", ["1000-01-01", "8999-12-31"])
@pytest.mark.parametrize("when", ["昨天", "明天", "上个月", "明年", "next week", "last year", "今天"])
def test_the_ends_of_time(as_of: str, when: str, index: Path, capsys: pytest.CaptureFixture[str]) -> None:
    status, _, errors = run(capsys, "ask", f"{when}云州大桥通车了吗？", "--as-of", as_of, "--index", index)
    assert (status, errors) == (0, "")


# -- settings --------------------------------------------------------------------------------------------------

SETTINGS = {
    "nested": b"[answer]\nmodel = " + b"[" * 5_000 + b"]" * 5_000,
    "nested tables": b"[answer." + b".".join([b"a"] * 3_000) + b"]\nx = 1",
    "table for text": b"[answer]\nmodel = {a = 1}\n",
    "list for text": b"[encoder]\nname = ['a']\n",
    "huge whole number": b"[retrieval]\ntop_k = " + b"9" * 40,
    "endless whole number": b"[retrieval]\ntop_k = " + b"9" * 5_000,
    "huge number": b"[answer]\ntimeout_s = " + b"9" * 400,
    "inf": b"[answer]\ntimeout_s = inf\n",
    "nan": b"[sources]\nmax_file_mb = nan\n",
    "inf for whole": b"[passages]\nsize = inf\n",
    "NUL": b'[encoder]\nname = "a\\u0000b"\n',
    "NUL byte": b'[encoder]\nname = "a\0b"\n',
    "bad bytes": b'[encoder]\nname = "\xff"\n',
    "utf-16": '[encoder]\nname = "x"\n'.encode("utf-16"),
    "open bracket": b'[answer]\nbase_url = "http://[::1"\n',
    "port too high": b'[answer]\nbase_url = "http://127.0.0.1:99999/v1"\n',
    "port no number": b'[judge]\nbase_url = "http://127.0.0.1:abc"\n',
    "no host": b'[judge]\nbase_url = "http:///v1"\n',
    "page port too high": b"[ui]\nport = 65536\n",
    "key on two lines": b'[encoder]\n"a\\nb" = 1\n',
}


@pytest.mark.parametrize("name", SETTINGS)
def test_settings_that_are_none(name: str, tmp_path: Path, index: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "jinwen.toml").write_bytes(SETTINGS[name])
    status, out, errors = run(capsys, "ask", "大桥", "--index", index, "--config", tmp_path / "jinwen.toml")
    assert (status, out) == (1, "")
    assert is_one_line(errors), errors
    assert len(errors) < 600


@pytest.mark.parametrize("value", [BAD_BYTES, "9" * 5_000, "inf", "nan", "-inf", "1e999"])
def test_an_environment_that_is_none(value: str) -> None:
    for name in ("JINWEN_ANSWER_TIMEOUT_S", "JINWEN_RETRIEVAL_TOP_K", "JINWEN_UI_PORT"):
        with pytest.raises(SettingsError):
            load_settings(environ={name: value})
    with pytest.raises(SettingsError):
        load_settings(environ={"JINWEN_ENCODER_NAME": BAD_BYTES})


def test_settings_may_begin_with_a_byte_order_mark(tmp_path: Path) -> None:
    file = tmp_path / "jinwen.toml"
    file.write_bytes(b"\xef\xbb\xbf[retrieval]\ntop_k = 3\n")
    assert load_settings(file, environ={}).retrieval.top_k == 3
    file.write_bytes(b"[sources]\ndate = 2026-01-18\n")
    assert load_settings(file, environ={}).sources.date == "2026-01-18"


# -- batches ---------------------------------------------------------------------------------------------------

LINES = [
    (b"\xff\xfe", None, "not valid UTF-8 at byte 1"),
    (b'{"id": "s", "question": "\\ud83d?"}', "s", "question holds half of a surrogate pair"),
    (b'{"id": "h", "question": "x", "history": [["user", "\\udc00"]]}', "h", "history holds half"),
    (b'{"id": "\\ud83d", "question": "x"}', None, "id holds half"),
    (DEEP.encode(), None, "nested too deeply"),
    (b'{"id": "n", "question": ' + b"9" * 5_000 + b"}", None, "not JSON"),
    (b'{"id": "b", "question": "x", "history": [[' + b'"a",' * 900 + b'"a"]]}', "b", "history is"),
    (b"[1]", None, "expected an object"),
    (b'{"id": [1]}', None, "expected an object"),
]


@pytest.mark.parametrize("command", ["ask", "search"])
@pytest.mark.parametrize("source", ["file", "stdin"])
def test_one_bad_line_does_not_lose_the_batch(
    command: str, source: str, index: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    good = '{"id": "good", "question": "云州大桥总投资多少亿元？"}'.encode()
    data = b"\n".join([good, *(line for line, _, _ in LINES), good])
    (tmp_path / "batch.jsonl").write_bytes(data)
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(data), "utf-8"))
    batch = "-" if source == "stdin" else tmp_path / "batch.jsonl"
    status, out, errors = run(capsys, command, "--batch", batch, "--json", "--index", index)
    answers = [json.loads(line) for line in out.splitlines()]
    assert status == 1
    assert [answer["id"] for answer in answers] == ["good", *(ident for _, ident, _ in LINES), "good"]
    for number, (answer, (_, _, cause)) in enumerate(zip(answers[1:-1], LINES, strict=True), 2):
        assert cause in answer["error"]
        assert f"line {number}: " in errors
    assert errors.count("\n") == len(LINES)
    for answer in (answers[0], answers[-1]):
        assert "18.6亿元" in (answer["answer"] if command == "ask" else answer["hits"][0]["text"])


# -- the world -------------------------------------------------------------------------------------------------


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="no /dev/full")
def test_a_full_disk_does_not_break_the_lock(tmp_path: Path) -> None:
    (tmp_path / "write.lock").symlink_to("/dev/full")
    with WriterLock(tmp_path / "write.lock").hold():
        pass


def test_a_lock_that_cannot_be_had_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import fcntl

    def failing(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(fcntl, "flock", failing)
    with (
        pytest.raises(StoreError, match=r"No space left on device\); free some space"),
        WriterLock(tmp_path / "write.lock").hold(),
    ):
        pass


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="no /dev/full")
def test_output_that_cannot_be_written_is_told(index: Path) -> None:
    command = f"{sys.executable} -m rag.cli articles --index {index} > /dev/full"
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True)
    assert done.returncode == 1
    assert is_one_line(done.stderr), done.stderr


def test_a_failure_of_the_world_is_one_line(
    index: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for error, words in [(OSError(5, "Input/output error", "a\nb"), "a b: Input/output"), (MemoryError(), "memory")]:
        monkeypatch.setattr(cli, "open_library", lambda *_, raised=error, **__: (_ for _ in ()).throw(raised))
        status, _, errors = run(capsys, "ask", "大桥", "--index", index)
        assert status == 1
        assert is_one_line(errors)
        assert words in errors
