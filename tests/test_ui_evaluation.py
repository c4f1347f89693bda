"""The evaluation tab without a browser: runs, question sets, routes, markup."""

from __future__ import annotations

import dataclasses
import datetime as dt
import gzip
import json
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from eval_fakes import HARBOUR, ToyAssistant, ToyLibrary
from fastapi import FastAPI
from fastapi.testclient import TestClient
from generation_support import ModelServer, send_events
from ui_support import BRIDGE, HOSTILE, LIBRARY, FakeLibrary, answered, refused

from eval import runner
from eval.causes import Cause
from eval.compare import Change, compare
from eval.explain import Step, explain
from eval.question import TYPES, Problem, Question
from eval.question_set import make_question_set, read_question_set
from eval.runs import RunError, open_run
from eval.summary import MEASURES
from rag.config import JudgeSettings, Settings
from rag.errors import QuestionSetError
from rag.library import Library
from ui import render_comparison, render_failures, render_sets
from ui import render_evaluation as render
from ui.contents import Contents
from ui.conversations import Exchange
from ui.evaluation_routes import add_routes
from ui.evaluation_runs import Choices, Job, RunDesk
from ui.evaluation_sets import MINE, SHIPPED, BadDateError, Draft, QuestionSets
from ui.strings import LANGUAGES, STRINGS

HARMFUL = '<img src=x onerror="hacked()">\n\n![x](http://evil.example/x.png)'
SET = make_question_set(
    "harbour",
    [
        Question("a", "三号泊位长多少米？", "zh", "fact", ("410米",), evidence=("泊位长410米",)),
        Question("b", f"自习座位有多少个？{HARMFUL}", "zh", "fact", ("860个",), evidence=("自习座位增加到860个",)),
        Question("c", "机场什么时候启用？", "zh", "unanswerable"),
    ],
)
RIGHT = ToyAssistant({"三号泊位长多少米？": (HARBOUR, "泊位长410米，可靠泊20万吨级货轮。", 0.9)})
DRAFT = Draft("大桥全长多少米？", "fact", "1260米\n", "any", "大桥全长1260米", "")


def wait(desk: RunDesk) -> Job:
    deadline = time.monotonic() + 20
    while desk.running:
        assert time.monotonic() < deadline
        time.sleep(0.01)
    assert desk.job is not None
    return desk.job


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Library]:
    folder = tmp_path_factory.mktemp("evaluation")
    source = folder / "港.txt"
    source.write_text(HARBOUR.text.replace("\n", "\n\n"), "utf-8")
    with Library(folder / "index", Settings(), create=True) as opened:
        opened.ingest([source])
        yield opened


class FakeSettings:
    """A library whose settings name a judge."""

    def __init__(self, library: Library, judge: JudgeSettings) -> None:
        self._library = library
        self.settings = dataclasses.replace(library.settings, judge=judge)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._library, name)


@pytest.fixture
def sets(tmp_path: Path) -> QuestionSets:
    fake: Any = FakeLibrary(tmp_path)
    return QuestionSets(fake, Contents(fake))


# ---- runs


def test_an_interrupted_run_is_offered_and_resumed_with_the_same_figures(library: Library, tmp_path: Path) -> None:
    desk, stop = RunDesk(library, tmp_path), threading.Event()
    assert desk.interrupted() is None
    runner.run(
        SET, library, library.assistant, tmp_path / "half", name="half",
        progress=lambda step: stop.set(), stop=stop,
    )  # fmt: skip
    left = desk.interrupted()
    assert left is not None
    assert (left.folder.name, [r.id for r in left.results()]) == ("half", ["a"])
    assert desk.resume("half")
    job = wait(desk)
    assert (job.state, job.folder, job.error) == ("finished", "half", "")
    assert desk.interrupted() is None

    settings = library.settings
    assert desk.start(SET, Choices("extractive", settings.answer.strictness, settings.retrieval.top_k), "whole")
    assert wait(desk).folder == "whole"
    half, whole = desk.finished("half"), desk.finished("whole")
    assert half.metrics.groups == whole.metrics.groups
    assert [change.change for change in compare(half.run, whole.run).pairs] == [Change.SAME] * 3


def test_why_an_interrupted_run_cannot_go_on(library: Library, tmp_path: Path) -> None:
    stop = threading.Event()
    runner.run(
        SET, library, library.assistant, tmp_path / "half", name="half",
        progress=lambda step: stop.set(), stop=stop,
    )  # fmt: skip
    left = RunDesk(library, tmp_path).interrupted()
    assert left is not None
    assert RunDesk(library, tmp_path).changes(left) == []
    other: Any = FakeSettings(library, JudgeSettings(model="another judge changes nothing"))
    desk = RunDesk(other, tmp_path)
    assert desk.changes(left) == []
    other.fingerprint = "another"
    assert [line.split()[0] for line in desk.changes(left)] == ["index"]
    assert desk.resume("half")
    assert "holds an unfinished run of something else (index " in wait(desk).error


def test_the_judge_of_the_settings_is_asked_after_the_run(library: Library, tmp_path: Path) -> None:
    def reply(handler: Any, body: dict[str, object]) -> None:
        send_events(handler, "unsupported\n原文没有说。")

    choices = Choices("extractive", "balanced", 10, judge=True)
    with ModelServer(reply).running() as server:
        named: Any = FakeSettings(library, JudgeSettings(model="m", base_url=server.url))
        desk = RunDesk(named, tmp_path)
        assert desk.start(SET, choices, "judged")
        job = wait(desk)
        assert (job.state, job.unjudged, job.judge_error) == ("finished", 0, "")
        assert job.judging == (len(server.requests), len(server.requests)) != (0, 0)
    found = desk.finished("judged")
    assert "judged_unsupported" in found.metrics.overall
    shown = render_failures.failed(found, "", "zh")
    assert ("引文不支持" in shown) == any(f.result.verdict for f in found.failures)
    nobody: Any = FakeSettings(library, JudgeSettings())
    desk = RunDesk(nobody, tmp_path)
    assert desk.start(SET, choices, "unjudged")
    assert (wait(desk).state, wait(desk).judge_error.partition(";")[0]) == ("finished", "no judge is named")


def test_choices_become_the_settings_of_the_run(library: Library, tmp_path: Path) -> None:
    desk = RunDesk(library, tmp_path)
    assert desk.start(SET, Choices("extractive", "strict", 3), "")
    run = desk.find(wait(desk).folder)
    assert run.info.settings["answer"]["strictness"] == "strict"
    assert run.info.settings["retrieval"]["top_k"] == 3
    assert {r.read for r in run.results()} == {3}
    assert library.settings.retrieval.top_k != 3
    desk.rename(run.folder.name, "strict one")
    assert desk.find(run.folder.name).info.name == "strict one"
    with pytest.raises(RunError, match="needs a name"):
        desk.rename(run.folder.name, " ")
    desk.delete(run.folder.name)
    with pytest.raises(RunError, match="there is no run"):
        desk.find(run.folder.name)


def test_one_run_at_a_time_and_errors_are_kept(
    library: Library, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk, go = RunDesk(library, tmp_path), threading.Event()

    def block(*args: Any, **kwargs: Any) -> None:
        go.wait(10)
        raise RunError("no space left")

    monkeypatch.setattr(runner, "run", block)
    choices = Choices("extractive", "balanced", 10)
    assert desk.start(SET, choices, "")
    assert not desk.start(SET, choices, "")
    go.set()
    assert (wait(desk).state, wait(desk).error) == ("failed", "no space left")


# ---- question sets


def test_a_chat_turn_becomes_a_question_once(sets: QuestionSets) -> None:
    answer = answered("大桥全长多少米？", BRIDGE, "大桥全长1260米，双向六车道，两侧各设三米宽的步道。", "1260米")
    first = sets.keep([Exchange(answer.question, answer)], liked=True)
    assert first is not None
    question, before = first
    assert (question.id, question.answers, before) == ("q1", ("1260米",), False)
    assert question.evidence == ("大桥全长1260米，双向六车道，两侧各设三米宽的步道。",)
    assert question.articles[0].id == BRIDGE.id
    assert question.as_of == dt.date.today()
    again = sets.keep([Exchange(answer.question, answer)], liked=False)
    assert again is not None
    assert (again[0].id, again[1]) == ("q1", True)
    near = refused("明天天气？", BRIDGE)
    second = sets.keep([Exchange(answer.question, answer), Exchange("明天天气？", near)], liked=True)
    assert second is not None
    assert (second[0].id, second[0].type, second[0].history) == ("q2", "unanswerable", ())
    assert sets.keep([Exchange("慢", None, "stopped")], liked=True) is None
    assert [q.id for q in sets.read(MINE).questions] == ["q1", "q2"]


def test_an_answer_not_liked_leaves_the_right_answer_open(sets: QuestionSets) -> None:
    answer = answered("通车？", BRIDGE, "大桥于2026年1月18日正式通车", "1月18日", searched="青榆大桥 通车？")
    earlier = answered("大桥全长？", BRIDGE, "大桥全长1260米")
    kept = sets.keep([Exchange("大桥全长？", earlier), Exchange("通车？", answer)], liked=False)
    assert kept is not None
    question, _ = kept
    assert (question.answers, question.extra) == ((), {"rating": "down"})
    assert [turn.role for turn in question.history] == ["user", "assistant"]
    assert question.type == "followup"
    assert [p.message for p in sets.check(question)] == ["has no answers; its answer cannot be judged"]


def test_saving_finds_the_articles_that_hold_the_evidence(sets: QuestionSets) -> None:
    name, question = sets.save("", "", dataclasses.replace(DRAFT, evidence="大桥全长1260米\n\n It holds 120 seats "))
    assert (name, question.id) == (MINE, "q1")
    assert question.evidence == ("大桥全长1260米", "It holds 120 seats")
    assert [article.id for article in question.articles] == [BRIDGE.id, LIBRARY.id]
    assert sets.check(question) == []
    _, changed = sets.save(MINE, "q1", dataclasses.replace(DRAFT, evidence="大桥全长九千米", as_of="2026/1/31"))
    assert (changed.id, changed.as_of) == ("q1", dt.date(2026, 1, 31))
    (problem,) = sets.check(changed)
    assert render_sets.problem_text(problem, "en") == (
        "evidence stands in no article, quote it verbatim: “大桥全长九千米”"
    )
    with pytest.raises(BadDateError):
        sets.save(MINE, "q1", dataclasses.replace(DRAFT, as_of="soon"))
    with pytest.raises(QuestionSetError):
        sets.save(MINE, "q1", dataclasses.replace(DRAFT, text=" "))
    sets.remove(MINE, "q1")
    assert sets.read(MINE).questions == ()


def test_the_sample_set_is_offered_with_its_articles_and_never_written(tmp_path: Path) -> None:
    sample = dataclasses.replace(BRIDGE, file="somewhere/wechat-export.txt")
    fake: Any = FakeLibrary(tmp_path, [sample])
    sets = QuestionSets(fake, Contents(fake))
    assert sets.names() == [SHIPPED]
    before = sets.path(SHIPPED).read_bytes()
    first = sets.read(SHIPPED).questions[0]
    name, saved = sets.save(SHIPPED, first.id, DRAFT)
    assert (name, saved.id) == (MINE, "q1")
    sets.delete(SHIPPED)
    sets.remove(SHIPPED, first.id)
    assert sets.path(SHIPPED).read_bytes() == before
    assert sets.names() == [SHIPPED, MINE]


def test_imports_overwrite_nothing_and_names_lead_nowhere_else(sets: QuestionSets, tmp_path: Path) -> None:
    assert sets.names() == []
    file = tmp_path / "mine" / "a b.jsonl"
    file.parent.mkdir()
    file.write_text('{"id": "x", "question": "大桥全长多少米？", "answers": "1260米"}\nnot json\n', "utf-8")
    name, imported = sets.add_file(file)
    found = imported.question_set
    assert (name, len(found.questions)) == ("a b.jsonl", 1)
    assert sets.add_file(file)[0] == "a b-2.jsonl"
    assert [(p.line, p.message.partition(";")[0]) for p in sorted(sets.problems(found), key=lambda p: p.line)] == [
        (1, 'answers is "1260米"'), (1, "has no type"), (1, "has neither evidence nor articles"),
        (2, "is not JSON (Expecting value at column 1)"),
    ]  # fmt: skip
    report = render_sets.imported("a b", imported, sets.problems(found), "en")
    assert "Imported “a b”: 1 questions, 4 problems (line first)." in report
    assert "<li>1 x: no type, read as fact</li>" in report
    assert "<li>2: not JSON, this line was left out: Expecting value at column 1</li>" in report
    exported = read_question_set(sets.path(name))
    assert exported.problems[-1].raw == "not json"
    with pytest.raises(QuestionSetError):
        sets.add_file(tmp_path / "none.jsonl")
    for wrong in ("../mine/a b.jsonl", str(file), SHIPPED):
        with pytest.raises(QuestionSetError, match="there is no question set"):
            sets.path(wrong)
    assert sets.draft(3)[0] == "drafts.jsonl"
    assert {bool(q.extra["draft"]) for q in sets.read("drafts.jsonl").questions} == {True}
    sets.delete(name)
    assert sets.names() == ["a b-2.jsonl", "drafts.jsonl"]


def test_a_collection_of_others_says_that_its_articles_stay_behind(sets: QuestionSets, tmp_path: Path) -> None:
    record = {
        "id": 1,
        "query": "大桥全长多少米？",
        "answer": "1260米",
        "positive": ["大桥全长1260米。", "另一座全长9米。"],
    }
    file = tmp_path / "rgb.jsonl.gz"
    file.write_bytes(gzip.compress(json.dumps({**record, "negative": ["港口扩建。"]}).encode()))
    name, imported = sets.add_file(file)
    assert (name, imported.articles, [q.answers for q in sets.read(name).questions]) == ("rgb.jsonl", 3, [("1260米",)])
    shown = render_sets.imported("rgb", imported, sets.problems(imported.question_set), "zh")
    assert "已导入“rgb”：1 题。文件自带的 3 篇文章没有加入文库" in shown
    assert "<li>" not in shown


# ---- routes


def test_reports_and_sets_are_served_by_name_only(tmp_path: Path) -> None:
    toy = ToyLibrary()
    runner.run(SET, toy, RIGHT, tmp_path / "runs" / "one", name="one")
    fake: Any = FakeLibrary(tmp_path / "index")
    QuestionSets(fake, Contents(fake)).save("", "", DRAFT)
    app = FastAPI()
    add_routes(app, fake, tmp_path / "runs")
    client = TestClient(app)
    shown = client.get("/jinwen/run", params={"folder": "one", "file": "report.html"})
    assert shown.headers["content-type"] == "text/html; charset=utf-8"
    assert "content-disposition" not in shown.headers
    assert "<img" not in shown.text
    saved = client.get("/jinwen/run", params={"folder": "one", "file": "results.csv", "save": "1"})
    assert saved.headers["content-disposition"] == "attachment; filename*=UTF-8''one-results.csv"
    trec = client.get("/jinwen/run", params={"folder": "one", "file": "run.trec", "save": "1"})
    assert trec.text.splitlines()[0].split() == ["a", "Q0", HARBOUR.id, "1", "1", "one"]
    qrels = client.get("/jinwen/run", params={"folder": "one", "file": "qrels.trec", "save": "1"})
    assert qrels.text.splitlines()[0].split() == ["a", "0", HARBOUR.id, "1"]
    ragas = client.get("/jinwen/run", params={"folder": "one", "file": "ragas.jsonl", "save": "1"})
    assert json.loads(ragas.text.splitlines()[0])["user_input"] == "三号泊位长多少米？"
    questions = client.get("/jinwen/questions", params={"name": MINE})
    assert json.loads(questions.text)["question"] == DRAFT.text
    for folder, file in [("one", "run.json"), ("..", "report.html"), ("one", "../one/report.html"), ("", "report.md")]:
        assert client.get("/jinwen/run", params={"folder": folder, "file": file}).status_code == 404
    assert client.get("/jinwen/questions", params={"name": "../conversations.sqlite3"}).status_code == 404


# ---- markup


@pytest.mark.parametrize("language", LANGUAGES)
def test_results_and_comparisons_are_one_escaped_block(tmp_path: Path, language: Any) -> None:
    toy: Any = ToyLibrary()
    says = {SET.questions[1].text: (HARBOUR, "泊位长410米，可靠泊20万吨级货轮。", 0.5)}
    one = runner.run(SET, toy, RIGHT, tmp_path / "one", name=HARMFUL)
    runner.run(SET, toy, ToyAssistant({**RIGHT.says, **says}), tmp_path / "two", name="two")
    desk = RunDesk(toy, tmp_path)
    found = desk.finished("two")
    shown = [
        render.run_list(desk.runs(), "one", language),
        render.result(desk.finished("one"), language),
        render_failures.failed(found, "", language),
        render_comparison.comparison(compare(one, open_run(tmp_path / "two")), language),
        render_sets.question_list(SET, MINE, "b", language),
        render_sets.about(dataclasses.replace(SET.questions[0], articles=()), language),
        render_sets.validation(SET, [Problem(1, HARMFUL, HARMFUL)], language),
    ]
    for markup in shown:
        assert "<img" not in markup
        assert "\n" not in markup
    assert "&lt;img src=x" in shown[0] and "&lt;img src=x" in shown[2] and "&lt;img src=x" in shown[4]
    assert "50.0" in shown[1]
    assert render_failures.failed(found, Cause.ERROR.value, language).count("<details") == 0
    assert [value for _, value in render_failures.causes(found.failures, language)][0] == ""


@pytest.mark.parametrize("language", LANGUAGES)
def test_an_explanation_is_told_in_the_language_of_the_page(library: Library, language: Any) -> None:
    found = explain(library, "三号泊位长多少米？", "泊位长410米")
    markup = render_comparison.explanation(found, 3, language)
    assert found.step is Step.NOWHERE
    assert {"zh": "找到了，并且引用了", "en": "Found and cited"}[language] in markup
    lost = dataclasses.replace(
        found, step=Step.CUT_OFF, expected=HARMFUL, verbatim=False, shared_words=(HARMFUL,),
        remedies=("retrieval.depth=9 and retrieval.top_k=12", "retrieval.top_k=12: rank 12, read",
                  "answer.strictness=generous: cited", "a question closer to the passage: read alone, it is cited"),
    )  # fmt: skip
    told = render_comparison.explanation(lost, 3, language)
    assert "<img" not in told and "\n" not in told
    expected = {
        "zh": ["<code>retrieval.depth=9</code> 并且 <code>retrieval.top_k=12</code>",
               "<code>retrieval.top_k=12</code>: 排第 12，读得到", "<code>answer.strictness=generous</code>: 得到引用"],
        "en": ["<code>retrieval.depth=9</code> and <code>retrieval.top_k=12</code>",
               "<code>retrieval.top_k=12</code>: rank 12, read", "<code>answer.strictness=generous</code>: cited"],
    }[language]  # fmt: skip
    for line in expected:
        assert line in told
    for step in Step:
        assert render_comparison.reason(dataclasses.replace(found, step=step), 3, language)


@pytest.mark.parametrize("language", LANGUAGES)
def test_everything_that_eval_names_has_a_name_here(language: Any) -> None:
    assert all(render_failures.cause_name(cause, language) for cause in Cause)
    assert all(f"ev_type_{name}" in STRINGS[language] for name in TYPES)
    assert all(f"ev_change_{change.value}" in STRINGS[language] for change in Change)
    named = [render.measure_name(measure, language) for measure in MEASURES]
    assert len(set(named)) == len(MEASURES)
    assert render.type_name("my own", language) == "my own"
    assert HOSTILE.id not in STRINGS[language]
