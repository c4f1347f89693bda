"""The command line over a small library, in one process, with the shipped models."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from rag.cli import build_parser, main, read_settings
from rag.terminal import printable_lines

BRIDGE = "云州大桥昨日通车\n\n云州大桥全长3.2公里，总投资18.6亿元，由云帆建设集团承建。市民可以步行过桥。\n"
LIBRARY = "云州市图书馆新馆开放\n\n新馆位于临江区，建筑面积5.4万平方米，藏书210万册。开馆首日接待读者1.3万人次。\n"


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("articles")
    (folder / "2026-01-18-bridge.txt").write_text(BRIDGE, "utf-8")
    (folder / "2026-01-19-library.txt").write_text(LIBRARY, "utf-8")
    (folder / "picture.txt").write_bytes(b"\x89PNG\r\n\x1a\n\x00\x00\x00")
    target = tmp_path_factory.mktemp("index")
    assert main(["index", "--index", str(target), str(folder)]) == 0
    return target


def run(capsys: pytest.CaptureFixture[str], *argv: object) -> tuple[int, list[str], str]:
    status = main([str(arg) for arg in argv])
    captured = capsys.readouterr()
    return status, captured.out.splitlines(), captured.err


def test_articles(index: Path, capsys: pytest.CaptureFixture[str]) -> None:
    status, lines, _ = run(capsys, "articles", "--index", index, "--json")
    articles = [json.loads(line) for line in lines]
    assert status == 0
    assert [(a["id"], a["title"], a["date"]) for a in articles] == [
        ("2026-01-18-bridge.txt#1", "云州大桥昨日通车", "2026-01-18"),
        ("2026-01-19-library.txt#1", "云州市图书馆新馆开放", "2026-01-19"),
    ]
    assert set(articles[0]) >= {"id", "title", "source", "date", "url", "byline", "kind", "file", "spans", "chars"}


def test_a_second_run_changes_nothing(index: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = json.loads(run(capsys, "articles", "--index", index, "--json")[1][0])["file"]
    status, lines, _ = run(capsys, "index", "--index", index, Path(folder).parent, "--json")
    report = json.loads(lines[0])
    assert status == 0
    assert len(report["unchanged"]) == 2
    assert report["added"] == report["changed"] == []
    assert [problem["file"].endswith("picture.txt") for problem in report["skipped"]] == [True]


def test_search_shows_both_legs(index: Path, capsys: pytest.CaptureFixture[str]) -> None:
    status, lines, _ = run(capsys, "search", "--index", index, "大桥总投资", "-k", "2", "--json")
    hit = json.loads(lines[0])
    assert status == 0
    assert (hit["rank"], hit["article_id"]) == (1, "2026-01-18-bridge.txt#1")
    assert hit["lexical_rank"] == 1
    assert hit["dense_rank"] in (1, 2)
    assert hit["text"] in BRIDGE


def test_ask_quotes_and_cites(index: Path, capsys: pytest.CaptureFixture[str]) -> None:
    status, lines, _ = run(capsys, "ask", "--index", index, "云州大桥总投资多少亿元？", "--json")
    answer = json.loads(lines[0])
    assert status == 0
    assert not answer["refused"]
    assert "18.6亿元" in answer["answer"]
    assert answer["answer"].endswith("[1]")
    citation = answer["citations"][0]
    assert BRIDGE[citation["start"] : citation["end"]] == citation["quote"]
    assert set(citation) >= {"marker", "article_id", "title", "source", "date", "url", "file", "quote", "start", "end"}


def test_ask_for_people(index: Path, capsys: pytest.CaptureFixture[str]) -> None:
    status, lines, _ = run(capsys, "ask", "--index", index, "云州大桥全长多少公里？")
    assert status == 0
    assert "3.2公里" in lines[0]
    assert "云州大桥昨日通车" in lines[1]


def test_filters(index: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = run(capsys, "search", "--index", index, "云州", "--from", "2026-01-19", "--json")[1]
    assert {json.loads(line)["article_id"] for line in found} == {"2026-01-19-library.txt#1"}


def test_batches_keep_order_and_go_on_after_a_bad_question(
    index: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    batch = tmp_path / "batch.jsonl"
    questions = [("b", "新馆藏书多少万册？"), ("a", "？"), ("c", "大桥由谁承建？")]
    batch.write_text("".join(json.dumps({"id": i, "question": q}) + "\n" for i, q in questions), "utf-8")
    status, lines, errors = run(capsys, "ask", "--index", index, "--batch", batch, "--json")
    answers = [json.loads(line) for line in lines]
    assert status == 0
    assert [a["id"] for a in answers] == ["b", "a", "c"]
    assert answers[1]["refused"]
    assert "question a" in errors
    _, lines, _ = run(capsys, "search", "--index", index, "--batch", batch, "--json", "-k", "1")
    assert [(json.loads(line)["id"], len(json.loads(line)["hits"])) for line in lines] == [("b", 1), ("a", 0), ("c", 1)]


@pytest.mark.parametrize(
    ("argv", "words"),
    [
        (["ask", "x", "--index", "nowhere"], "nowhere"),
        (["ask"], "QUESTION"),
        (["ask", "--as-of", "18.1.", "x"], "18.1."),
        (["index"], "PATH"),
        (["search", "x", "--set", "topk=3"], "SECTION.KEY=VALUE"),
        (["search", "x", "--set", "retrieval.topk=3"], "top_k"),
        (["ask", "x", "--config", "none.toml"], "none.toml"),
    ],
)
def test_a_user_error_is_one_line(argv: list[str], words: str, capsys: pytest.CaptureFixture[str]) -> None:
    status, lines, errors = run(capsys, *argv)
    assert (status, lines) == (1, [])
    assert words in errors
    assert errors.count("\n") == 1


def test_set_holds_where_no_flag_is_given() -> None:
    args = build_parser().parse_args(["ask", "x", "--set", "answer.mode=generative"])
    assert read_settings(args, answer__mode=args.mode).answer.mode == "generative"
    assert read_settings(args, answer__mode="extractive").answer.mode == "extractive"


def test_wrong_usage_exits_with_2() -> None:
    with pytest.raises(SystemExit) as exit_:
        main(["ask", "--no-such-flag"])
    assert exit_.value.code == 2


def test_doctor_finds_nothing_wrong(index: Path, capsys: pytest.CaptureFixture[str]) -> None:
    status, lines, _ = run(capsys, "doctor", "--index", index, "--json")
    findings = {json.loads(line)["check"]: json.loads(line) for line in lines}
    assert status == 0, lines
    assert findings["index"]["detail"].endswith("2 articles, 2 passages")


def test_doctor_names_a_missing_index(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    status, lines, _ = run(capsys, "doctor", "--index", tmp_path / "none")
    assert status == 1
    assert any(line.startswith("FAIL  index") for line in lines)


def test_asking_starts_without_torch(index: Path) -> None:
    program = (
        "import sys\nfrom rag.cli import main\n"
        f"main(['ask', '--index', {str(index)!r}, '大桥总投资多少？'])\n"
        "assert not {'torch', 'gradio', 'transformers', 'sentence_transformers'} & set(sys.modules), sys.modules.keys()"
    )
    subprocess.run([sys.executable, "-c", program], check=True, capture_output=True)


def test_a_closed_pipe_is_no_error(index: Path) -> None:
    command = f"{sys.executable} -m rag.cli articles --index {index} --json | head -n 0"
    run_ = subprocess.run(["bash", "-o", "pipefail", "-c", command], capture_output=True, text=True)
    assert run_.stderr == ""


def test_nothing_stored_reaches_the_terminal_raw() -> None:
    assert printable_lines("a\x1b[31m\u202eb　c\r\nd") == "a\\x1b[31m\\u202eb　c\\r\nd"
