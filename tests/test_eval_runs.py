"""Runs: from questions to figures and reports, resuming, managing, the gate."""

from __future__ import annotations

import csv
import io
import json
import re
import threading
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pytest
from eval_fakes import FERRY, HARBOUR, LIBRARY, ToyAssistant, ToyLibrary

from eval import gate, runs
from eval.causes import Cause
from eval.fingerprints import model_fingerprints
from eval.question_set import QuestionSet, parse_questions
from eval.report import failures, markdown, table
from eval.runner import Progress, run
from eval.runs import RunError
from rag.config import AnswerSettings

QUESTIONS = [
    {"id": "right", "question": "三号泊位有多长？", "type": "fact", "answers": ["410米"],
     "evidence": ["泊位长410米"], "articles": [{"id": "1"}]},
    {"id": "wrong", "question": "图书馆自习座位增加到多少？", "type": "fact", "answers": ["860个"],
     "evidence": ["自习座位增加到860个"], "articles": [{"id": "2"}]},
    {"id": "refused", "question": "How many passengers?", "type": "fact", "answers": ["240"],
     "evidence": ["It carries 240 passengers"]},
    {"id": "absent", "question": "泊位 花了多少钱？", "type": "fact", "answers": ["3亿元"],
     "evidence": ["总投资3亿元"]},
    {"id": "no", "question": "馆长的妻子是谁？", "type": "unanswerable", "answers": []},
    {"id": "invented", "question": "谁当选市长？", "type": "unanswerable", "answers": []},
]  # fmt: skip
SAYS = {
    "三号泊位有多长？": (HARBOUR, "泊位长410米，可靠泊20万吨级货轮。", 0.9),
    "图书馆自习座位增加到多少？": (LIBRARY, "市图书馆从四月起每天开放到晚上十点。", 0.6),
    "泊位 花了多少钱？": (FERRY, "It carries 240 passengers and 30 cars.", 0.3),
    "谁当选市长？": (LIBRARY, "馆长沈竹说，自习座位增加到860个。", 0.2),
}


def questions() -> QuestionSet:
    return parse_questions([json.dumps(q) for q in QUESTIONS], "toy")


def test_a_run_by_hand(tmp_path: Path) -> None:
    progress: list[Progress] = []
    done = run(questions(), ToyLibrary(), ToyAssistant(SAYS), tmp_path / "r", name="first", progress=progress.append)
    overall = done.metrics().overall
    # answerable: right (correct), wrong, refused, absent                      -> correct 1/4, false refusal 1/4
    assert (overall["correct"].mean, overall["correct"].count) == (0.25, 4)
    assert overall["correct_cited"].mean == 0.25
    assert overall["false_refusal"].mean == 0.25
    # unanswerable: one refused, one answered
    assert (overall["refusal"].mean, overall["refusal"].count) == (0.5, 2)
    # citations of the three answers: right (evidence), right (gold article), wrong -> (1 + 1 + 0) / 3
    assert overall["citation_precision"].mean == pytest.approx(2 / 3)
    # evidence quoted: 1 of 1, 0 of 1, 0 of 1
    assert overall["citation_recall"].mean == pytest.approx(1 / 3)
    assert overall["verbatim"].mean == 1.0
    # evidence found at ranks 1, 1, 1, never (总投资 is nowhere): R@1 = RR = 3/4
    assert overall["evidence R@1"].mean == 0.75
    assert overall["evidence RR"].mean == 0.75
    assert overall["article R@5"].mean == 0.75
    assert [(g.kind, g.name, g.questions) for g in done.metrics().groups] == [
        ("overall", "all", 6), ("type", "fact", 4), ("type", "unanswerable", 2), ("lang", "en", 1), ("lang", "zh", 5),
    ]  # fmt: skip
    # by confidence: .9 right, .6 wrong, .3 wrong, .2 wrong of six questions
    assert [round(p.coverage * 6) for p in done.metrics().risk_coverage.points] == [1, 2, 3, 4]
    assert [p.risk for p in done.metrics().risk_coverage.points] == pytest.approx([0, 1 / 2, 2 / 3, 3 / 4], abs=1e-6)
    assert [(p.done, p.correct) for p in progress] == [(1, 1), (2, 1), (3, 1), (4, 1), (5, 2), (6, 2)]
    assert {f.result.id: f.cause for f in failures(done, done.results())} == {
        "wrong": Cause.WRONG_SENTENCE,
        "refused": Cause.REFUSED,
        "absent": Cause.NOT_INGESTED,
        "invented": Cause.ANSWERED_UNANSWERABLE,
    }


def test_more_causes(tmp_path: Path) -> None:
    lines = [
        {"id": "far", "question": "座位 座位", "type": "fact", "answers": ["410米"], "evidence": ["泊位长410米"]},
        {"id": "unread", "question": "泊位长吗", "type": "fact", "answers": ["410米"], "evidence": ["泊位长410米"]},
        {"id": "long", "question": "泊位多长", "type": "fact", "answers": ["泊位"], "evidence": ["泊位长410米"]},
        {
            "id": "uncited",
            "question": "Ferry cars?",
            "type": "fact",
            "answers": ["30 cars"],
            "evidence": ["泊位长410米"],
        },
        {"id": "broken", "question": "泊位坏了？", "type": "fact", "answers": ["x"], "evidence": ["泊位长410米"]},
    ]
    padded = replace(HARBOUR, id="报/9", text=HARBOUR.text + "又" * 250)
    says = {
        "座位 座位": (LIBRARY, "馆长沈竹说，自习座位增加到860个。", 0.5),
        "泊位长吗": (LIBRARY, "市图书馆从四月起每天开放到晚上十点。", 0.5),
        "泊位多长": (padded, padded.text, 0.5),
        "Ferry cars?": (FERRY, "It carries 240 passengers and 30 cars.", 0.5),
    }
    asked = ToyAssistant(says, fail_on="泊位坏了？")
    done = run(parse_questions([json.dumps(q) for q in lines], "toy"), ToyLibrary(), asked, tmp_path / "r")
    assert {f.result.id: f.cause for f in failures(done, done.results())} == {
        "far": Cause.NOT_RETRIEVED,
        "unread": Cause.NOT_READ,
        "long": Cause.TOO_LONG,
        "uncited": Cause.NOT_CITED,
        "broken": Cause.ERROR,
    }
    assert done.metrics().errors == 1
    assert "the model is gone; name another" in (done.folder / "report.html").read_text("utf-8")


def test_an_interrupted_run_goes_on_and_gives_the_same_figures(tmp_path: Path) -> None:
    whole = run(questions(), ToyLibrary(), ToyAssistant(SAYS), tmp_path / "whole")
    stop = threading.Event()
    first = ToyAssistant(SAYS)
    part = run(
        questions(), ToyLibrary(), first, tmp_path / "part", stop=stop,
        progress=lambda p: stop.set() if p.done == 2 else None,
    )  # fmt: skip
    assert not part.finished
    with pytest.raises(RunError, match="is not finished"):
        part.metrics()
    # The power fails in the middle of a line.
    results = part.folder / "results.jsonl"
    results.write_text(results.read_text("utf-8")[:-40], "utf-8")
    second = ToyAssistant(SAYS)
    resumed = run(questions(), ToyLibrary(), second, tmp_path / "part")
    assert first.asked == [q["question"] for q in QUESTIONS[:2]]
    assert second.asked == [q["question"] for q in QUESTIONS[1:]]
    assert resumed.metrics().groups == whole.metrics().groups
    assert resumed.metrics().risk_coverage == whole.metrics().risk_coverage
    assert [r.id for r in resumed.results()] == [q["id"] for q in QUESTIONS]


def test_results_survive_characters_that_look_like_line_ends(tmp_path: Path) -> None:
    odd = "泊位\u2028有\x85多长\u2029？"
    toy = parse_questions([json.dumps({"id": "odd", "question": odd, "type": "fact", "answers": ["410米"]})], "toy")
    done = run(toy, ToyLibrary(), ToyAssistant({odd: SAYS["三号泊位有多长？"]}), tmp_path / "r")
    assert [(r.question, r.correct) for r in done.results()] == [(odd, True)]


def test_a_folder_is_not_silently_reused(tmp_path: Path) -> None:
    folder = tmp_path / "r"
    stop = threading.Event()
    stop.set()
    run(questions(), ToyLibrary(), ToyAssistant(SAYS), folder, stop=stop)
    settings = replace(ToyLibrary().settings, answer=AnswerSettings(strictness="strict"))
    with pytest.raises(RunError, match=r"something else \(answer.strictness balanced → strict\)"):
        run(questions(), ToyLibrary(settings=settings), ToyAssistant(SAYS), folder)
    with pytest.raises(RunError, match=r"index index-1 → index-2"):
        run(questions(), ToyLibrary(fingerprint="index-2"), ToyAssistant(SAYS), folder)
    run(questions(), ToyLibrary(), ToyAssistant(SAYS), folder)
    with pytest.raises(RunError, match="already holds the finished run"):
        run(questions(), ToyLibrary(), ToyAssistant(SAYS), folder)
    again = run(questions(), ToyLibrary(), ToyAssistant({}), folder, replace_run=True)
    assert again.metrics().overall["false_refusal"].mean == 1.0


def test_runs_are_listed_named_and_deleted(tmp_path: Path) -> None:
    a = run(questions(), ToyLibrary(), ToyAssistant(SAYS), name="base line", runs_dir=tmp_path)
    b = run(questions(), ToyLibrary(), ToyAssistant(SAYS), name="base line", runs_dir=tmp_path)
    assert (a.folder.name, b.folder.name) == ("base-line", "base-line-2")
    (tmp_path / "other").mkdir()
    assert {r.folder for r in runs.list_runs(tmp_path)} == {a.folder, b.folder}
    with pytest.raises(RunError, match="2 runs are called 'base line'"):
        runs.find_run("base line", tmp_path)
    assert runs.rename_run(b, "better").info.name == "better"
    assert runs.find_run("better", tmp_path).folder == b.folder
    assert runs.find_run(str(a.folder), tmp_path / "nowhere").info.name == "base line"
    with pytest.raises(RunError, match="there is no run 'best'; expected a run's name or folder"):
        runs.find_run("best", tmp_path)
    (a.folder / "notes.txt").write_text("mine")
    runs.delete_run(a)
    runs.delete_run(b)
    assert [p.name for p in a.folder.iterdir()] == ["notes.txt"]
    assert not b.folder.exists()


class _Page(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: set[str] = set()
        self.attributes: list[tuple[str, str | None]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes += attrs
        if tag not in {"meta", "br"}:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def test_the_page_is_well_formed_and_asks_nobody(tmp_path: Path) -> None:
    nasty = "<script>alert(1)</script><img src=https://x.example/a.png onerror=alert(1)>泊位"
    lines = [json.dumps({"id": nasty, "question": nasty, "type": nasty, "answers": [nasty], "evidence": [nasty]})]
    done = run(parse_questions(lines, nasty), ToyLibrary(), ToyAssistant({}), tmp_path / "r", name=nasty)
    text = (done.folder / "report.html").read_text("utf-8")
    page = _Page()
    page.feed(text)
    assert page.open == []
    assert not page.tags & {"script", "img", "link", "iframe", "object", "embed", "a"}
    assert not [name for name, _ in page.attributes if name in {"src", "href", "onerror"} or name.startswith("on")]
    assert not re.search(r"url\(|@import", text)
    assert "default-src &#x27;none&#x27;" in text or "default-src 'none'" in text


def test_the_page_shows_where_the_evidence_stood(tmp_path: Path) -> None:
    done = run(questions(), ToyLibrary(), ToyAssistant(SAYS), tmp_path / "r")
    text = (done.folder / "report.html").read_text("utf-8")
    assert "馆长沈竹说，<mark>自习座位增加到860个</mark>。" in text
    assert ": evidence at rank 1" in text


def test_table_markdown_and_csv(tmp_path: Path) -> None:
    done = run(questions(), ToyLibrary(), ToyAssistant(SAYS), tmp_path / "r", name="a|b")
    rows = [line.split() for line in table(done.metrics()).splitlines()]
    assert rows[0][0] == "n"
    assert rows[1][:2] == ["all", "6"]
    assert rows[3][0] == "unanswerable"
    assert rows[3][-2:] == ["0.500", "-"]
    text = markdown(done, done.results(), done.metrics(), failures(done, done.results()))
    assert text.startswith("# a\\|b\n")
    assert "| wrong | 图书馆自习座位增加到多少？ | wrong sentence | 860个 |" in text
    written = (done.folder / "results.csv").read_bytes().decode("utf-8")
    assert written.startswith("\ufeff")
    cells = list(csv.DictReader(io.StringIO(written.removeprefix("\ufeff"))))
    assert [c["id"] for c in cells] == [q["id"] for q in QUESTIONS]
    assert cells[1]["cause"] == "wrong sentence"
    assert cells[0]["correct"] == "1.0000"
    assert cells[4]["correct"] == ""


def test_the_gate(tmp_path: Path) -> None:
    done = run(questions(), ToyLibrary(), ToyAssistant(SAYS), tmp_path / "r")
    floors = gate.parse_floors(["correct=.25,refusal=0.6", "false_refusal=0.1"])
    assert gate.below_floors(done.metrics(), floors) == [
        "refusal is 0.500, below the 0.600 required",
        "false_refusal is 0.250, above the 0.100 allowed",
    ]
    with pytest.raises(gate.GateError, match="unknown measure 'korrekt'"):
        gate.parse_floors(["korrekt=.8"])
    with pytest.raises(gate.GateError, match="expected MEASURE=SHARE"):
        gate.parse_floors(["correct=80"])


def test_no_worse_than_sees_only_what_is_significant(tmp_path: Path) -> None:
    lines = [
        json.dumps({"id": f"q{n}", "question": f"三号泊位有多长？{n}", "type": "fact", "answers": ["410米"],
                    "evidence": ["泊位长410米"]})
        for n in range(8)
    ]  # fmt: skip
    toy = parse_questions(lines, "toy")
    good = {q.text: SAYS["三号泊位有多长？"] for q in toy.questions}
    one_less = dict(list(good.items())[1:])
    base = run(toy, ToyLibrary(), ToyAssistant(good), tmp_path / "base").results()
    slightly = run(toy, ToyLibrary(), ToyAssistant(one_less), tmp_path / "slightly").results()
    nothing = run(toy, ToyLibrary(), ToyAssistant({}), tmp_path / "nothing").results()
    # One of eight fell: p = 2/2 = 1. All eight fell: p = 2/2^8 = .008.
    assert gate.worse_than(slightly, base, "base") == []
    assert gate.worse_than(nothing, base, "base") == [
        "correct went from 1.000 (base) to 0.000 on 8 shared questions (p = 0.008)",
        "correct_cited went from 1.000 (base) to 0.000 on 8 shared questions (p = 0.008)",
        "false_refusal went from 0.000 (base) to 1.000 on 8 shared questions (p = 0.008)",
    ]
    assert gate.worse_than(base, nothing, "nothing") == []


def test_models_and_code_are_told_apart_by_content(tmp_path: Path) -> None:
    model = tmp_path / "models" / "m"
    model.mkdir(parents=True)
    (model / "weights.bin").write_bytes(b"1")
    (model / "README.md").write_text("one")
    before = model_fingerprints(tmp_path / "models")
    (model / "README.md").write_text("two")
    assert model_fingerprints(tmp_path / "models") == before
    (model / "weights.bin").write_bytes(b"2")
    after = model_fingerprints(tmp_path / "models")
    assert list(after) == ["m"]
    assert after != before
    assert model_fingerprints(tmp_path / "none") == {}
    a = run(questions(), ToyLibrary(), ToyAssistant(SAYS), tmp_path / "a").info
    b = replace(a, models={"m": "aaaaaaaaaa"}, code="ffffffffff")
    assert runs.model_differences(replace(a, models={}, code="0000000000"), b) == [
        "model m - → aaaaaaaa",
        "code 00000000 → ffffffff",
    ]
    assert a.differences(a) == []
