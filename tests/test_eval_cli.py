"""`jinwen eval` and `jinwen explain` over a small library, with the shipped models."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from rag.cli import main

BRIDGE = "云州大桥昨日通车\n\n云州大桥全长3.2公里，总投资18.6亿元。2026年1月17日，首批车辆驶过桥面。\n"
LIBRARY = "云州市图书馆新馆开放\n\n新馆位于临江区，建筑面积5.4万平方米，藏书210万册。馆长梁思远说，周一闭馆。\n"
ARTICLES = {"2026-01-18-bridge.txt": BRIDGE, "2026-01-19-library.txt": LIBRARY}
QUESTIONS = [
    {"id": "cost", "question": "云州大桥总投资多少亿元？", "type": "fact", "answers": ["18.6亿元"],
     "evidence": ["总投资18.6亿元"], "articles": [{"file": "2026-01-18-bridge.txt"}]},
    {"id": "books", "question": "云州市图书馆新馆藏书多少册？", "type": "fact", "answers": ["210万册"],
     "evidence": ["藏书210万册"]},
    {"id": "lost", "question": "云州机场去年旅客有多少人？", "type": "fact", "answers": ["900万人"],
     "evidence": ["旅客900万人"]},
]  # fmt: skip


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("articles")
    for name, text in ARTICLES.items():
        (folder / name).write_text(text, "utf-8")
    target = tmp_path_factory.mktemp("index")
    assert main(["index", "--index", str(target), str(folder)]) == 0
    return target


@pytest.fixture
def questions(tmp_path: Path) -> Path:
    path = tmp_path / "toy.jsonl"
    path.write_text("\n".join([*(json.dumps(q) for q in QUESTIONS), "{"]), "utf-8")
    return path


def run(capsys: pytest.CaptureFixture[str], *argv: object) -> tuple[int, list[str], list[str]]:
    status = main([str(arg) for arg in argv])
    captured = capsys.readouterr()
    return status, captured.out.splitlines(), captured.err.splitlines()


def test_run_compare_and_gate(index: Path, questions: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "first"
    status, lines, errors = run(capsys, "eval", "--index", index, questions, "--out", out, "--name", "first")
    assert status == 0
    assert errors[0].startswith("toy: line 4: is not JSON")
    assert lines[0].split()[:3] == ["n", "art", "R@1"]
    assert lines[1].split()[:2] == ["all", "3"]
    assert sorted(p.name for p in out.iterdir()) == [
        "metrics.json", "questions.jsonl", "report.html", "report.md", "results.csv", "results.jsonl", "run.json",
    ]  # fmt: skip
    metrics = json.loads((out / "metrics.json").read_text("utf-8"))
    # `cost` and `books` can be found; the evidence of `lost` is nowhere.
    assert metrics["groups"][0]["measures"]["evidence R@5"]["mean"] == pytest.approx(2 / 3, abs=1e-6)

    status, _, errors = run(capsys, "eval", "--index", index, questions, "--out", out)
    assert (status, len(errors)) == (1, 2)
    assert "already holds the finished run 'first'; name another folder or use --replace" in errors[-1]

    status, _, errors = run(
        capsys, "eval", "--index", index, "--out", tmp_path / "second", questions,
        "--set", "answer.strictness=generous", "--fail-under", "evidence R@5=.9", "--no-worse-than", out,
    )  # fmt: skip
    assert status == 1
    assert errors[-1] == "gate: evidence R@5 is 0.667, below the 0.900 required"

    status, lines, _ = run(capsys, "eval", "compare", out, tmp_path / "second")
    assert status == 0
    assert lines[2] == "different: answer.strictness balanced → generous"
    status, lines, _ = run(capsys, "eval", "compare", "--json", out, tmp_path / "second")
    assert [q["id"] for q in json.loads(lines[0])["questions"]] == ["cost", "books", "lost"]


def test_list_show_rename_delete(
    index: Path, questions: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    runs = tmp_path / "runs"
    assert run(capsys, "eval", "--index", index, questions, "--runs", runs, "--name", "a b", "-n", 2)[0] == 0
    status, lines, _ = run(capsys, "eval", "list", "--runs", runs, "--json")
    found = json.loads(lines[0])
    assert (status, found["name"], found["questions"], found["finished"]) == (0, "a b", 2, True)
    assert run(capsys, "eval", "rename", "--runs", runs, "a b", "base")[0] == 0
    status, lines, _ = run(capsys, "eval", "show", "base", "--runs", runs, "--json")
    assert json.loads(lines[0])["run"]["name"] == "base"
    assert run(capsys, "eval", "delete", "latest", "--runs", runs)[0] == 0
    assert list(runs.iterdir()) == []
    assert run(capsys, "eval", "show", "base", "--runs", runs)[2] == [
        "jinwen: there is no run 'base'; expected a run's name or folder (newest: none yet)"
    ]


def test_validate(index: Path, questions: Path, capsys: pytest.CaptureFixture[str]) -> None:
    status, lines, errors = run(capsys, "eval", "validate", "--index", index, questions)
    assert status == 1
    assert lines == [
        "line 3 (lost): evidence “旅客900万人” stands in none of the articles; quote it verbatim or index them",
        "line 4: is not JSON (Expecting property name enclosed in double quotes at column 2); left out",
    ]
    assert errors == ["3 questions, 2 problems"]


def test_questions_of_a_foreign_format(index: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    asked = {"id": "s", "question": "云州大桥全长多少公里？", "answers": [{"text": "3.2公里", "answer_start": 6}]}
    paragraph = {"context": "云州大桥全长3.2公里，总投资18.6亿元。", "qas": [asked]}
    squad = {"data": [{"title": "桥", "paragraphs": [paragraph]}]}
    path = tmp_path / "bridge.json"
    path.write_text(json.dumps(squad), "utf-8")
    status, lines, errors = run(capsys, "eval", "--index", index, path, "--out", tmp_path / "run")
    assert (status, lines[1].split()[:2]) == (0, ["all", "1"])
    assert errors[0] == (
        f"{path}: its 1 articles are not read, only its questions; `jinwen eval convert {path} --out DIR` unpacks both"
    )
    status, lines, errors = run(capsys, "eval", "validate", "--index", index, path)
    assert (status, lines) == (0, [])


def test_draft_from_index_and_from_files(index: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    status, lines, _ = run(capsys, "eval", "draft", "--index", index, "-n", 3)
    assert status == 0
    assert [json.loads(line)["draft"] for line in lines] == [True, True, True]
    (tmp_path / "a.txt").write_text(ARTICLES["2026-01-18-bridge.txt"], "utf-8")
    out = tmp_path / "drafts.jsonl"
    status, _, errors = run(capsys, "eval", "draft", tmp_path / "a.txt", "-n", 9, "--out", out)
    assert status == 0
    assert errors[-1].endswith("from 1 articles; reword and check each before use")
    assert json.loads(out.read_text("utf-8").splitlines()[0])["articles"][0]["id"] == "a.txt#1"
    assert run(capsys, "eval", "draft", tmp_path / "a.txt", "--out", out)[0] == 1


def test_explain(index: Path, capsys: pytest.CaptureFixture[str]) -> None:
    status, lines, _ = run(
        capsys, "explain", "--index", index, "云州大桥总投资多少亿元？", "--expect", "总投资18.6亿元", "--json"
    )
    found = json.loads(lines[0])
    assert (status, found["step"], found["article_id"]) == (0, "found and cited", "2026-01-18-bridge.txt#1")
    status, lines, _ = run(
        capsys, "explain", "--index", index, "云州大桥总投资多少？", "--expect", "总投资18.6亿元", "--to", "2026-01-01"
    )
    assert lines[0] == "filtered out: its article (no source, 2026-01-18) does not pass the filters"


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["compare", "a"], "got 1 more words, expected: jinwen eval compare A B"),
        (["none.jsonl"], "question set none.jsonl does not exist; give a JSONL file, one question a line"),
        (["public", "drcd"], "where does the set lie? jinwen eval public NAME --data DIR"),
        (["convert", "x"], "where to? jinwen eval convert SOURCE --out DIR"),
        (["a.jsonl", "b.jsonl"], "got 1 more words, expected: jinwen eval QUESTIONS"),
    ],
)
def test_user_errors_are_one_line(words: list[str], message: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(capsys, "eval", *words) == (1, [], [f"jinwen: {message}"])


def test_building_the_command_line_imports_nothing_heavy() -> None:
    code = "import sys, rag.cli; rag.cli.build_parser(); print(*sorted({m.split('.')[0] for m in sys.modules}))"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert "eval" in loaded
    assert not {"numpy", "pandas", "ir_measures", "torch", "faiss", "gradio"} & set(loaded)
