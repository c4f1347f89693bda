"""Errors of an evaluation in Chinese: each one is brought about, so that a changed wording is noticed."""

from __future__ import annotations

import json
import re
import threading
import time
import zipfile
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import pytest
from eval_fakes import ToyAssistant, ToyLibrary
from generation_support import ModelServer, send, send_events
from ui_support import FakeLibrary

from eval.compare import compare
from eval.editing import put_question, remove_question
from eval.formats import read_beir, read_squad
from eval.importing import import_questions
from eval.judge import load_judge
from eval.question import Question
from eval.question_fields import read_line
from eval.question_set import make_question_set, read_question_set
from eval.rgb import read_rgb
from eval.runner import run
from eval.runs import create_run, describe, open_run, setting_differences
from rag.answering.generator import Message
from rag.answering.server_model import ServerGenerator
from rag.assistant import check_question
from rag.config import AnswerSettings, JudgeSettings, RetrievalSettings, Settings
from rag.errors import JinwenError
from ui.contents import Contents
from ui.evaluation_errors import circumstance, differences, told, wrong_value
from ui.evaluation_runs import RunDesk, settings_of
from ui.evaluation_sets import QuestionSets

SET = make_question_set("港", [Question("a", "三号泊位多长？", "zh", "fact", ("410米",))])
OTHER = make_question_set("塔", [Question("b", "灯塔多高？", "zh", "fact", ("21米",))])


def desk(folder: Path) -> RunDesk:
    library: Any = ToyLibrary()
    return RunDesk(library, folder)


def unfinished(folder: Path, library: ToyLibrary | None = None) -> Path:
    create_run(folder, describe(SET, library or ToyLibrary(), "半"), SET)
    return folder


def written(path: Path, content: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content, "utf-8")
    return path


def sets(folder: Path) -> QuestionSets:
    library: Any = FakeLibrary(folder)
    return QuestionSets(library, Contents(library))


def damaged(folder: Path) -> Path:
    run(SET, ToyLibrary(), ToyAssistant({}), folder / "x")
    written(folder / "x/metrics.json", "{}")
    return folder


def compared(folder: Path) -> None:
    compare(*(run(s, ToyLibrary(), ToyAssistant({}), folder / s.name, name=s.name) for s in (SET, OTHER)))


def old_settings(folder: Path) -> None:
    info = json.loads((unfinished(folder / "x") / "run.json").read_text("utf-8"))
    info["settings"]["retrieval"]["gone"] = 1
    written(folder / "x/run.json", json.dumps(info))
    settings_of(open_run(folder / "x"))


def under_way(folder: Path) -> None:
    from ui.evaluation_runs import Job

    found = desk(folder)
    found.job = Job("港", 1)
    found.delete(unfinished(folder / "x").name)


BEIR = {"corpus.jsonl": '{"_id": "1", "text": "x"}', "queries.jsonl": '{"_id": "q", "text": "y"}'}


def beir(folder: Path, qrels: str, **other: str) -> None:
    for name, content in {**BEIR, "qrels/test.tsv": qrels, **other}.items():
        written(folder / name, content)
    read_beir(folder)


CASES: list[tuple[str, Callable[[Path], Any], str]] = [
    ("gone", lambda t: desk(t).find("旧"), r"没有“'旧'”这次运行了|没有“旧”这次运行了"),
    ("not finished", lambda t: desk(t).finished(unfinished(t / "x").name), "“半”没有运行完，还没有结果"),
    ("damaged", lambda t: desk(damaged(t)).finished("x"), r"结果文件 .+metrics\.json 已损坏"),
    (
        "no run at all",
        lambda t: open_run(written(t / "x/run.json", "[]").parent),
        r".+run\.json 读不出来，不是一次运行",
    ),
    ("no name", lambda t: desk(t).rename(unfinished(t / "x").name, " "), "名称不能为空"),
    ("under way", under_way, "运行正在进行；先停止"),
    ("other version", old_settings, "“半”是别的版本做的"),
    ("not writable", lambda t: unfinished(written(t / "file", "") / "x"), "结果写不进 .+file/x：.+"),
    ("no shared question", compared, "“港”与“塔”没有相同的问题"),
    (
        "finished",
        lambda t: [run(SET, ToyLibrary(), ToyAssistant({}), t / "x") for _ in range(2)],
        ".+ 里已有一次完成的运行",
    ),
    (
        "changed",
        lambda t: run(SET, ToyLibrary(fingerprint="index-2"), ToyAssistant({}), unfinished(t / "x")),
        "不能接着运行，因为此后有变化（文库）；请重新运行。",
    ),
    ("no set", lambda t: sets(t).path("甲.jsonl"), "没有“甲.jsonl”这个问题集"),
    ("no file", lambda t: read_question_set(t / "x.jsonl"), r"问题集 .+x\.jsonl 不存在。"),
    ("a folder", lambda t: read_question_set(t), "问题集 .+ 读不出来：这是文件夹"),
    (
        "broken set",
        lambda t: read_question_set(written(t / "x.jsonl", "{")),
        r".+x\.jsonl 里没有一道题：.+第 1 行就读不出来",
    ),
    (
        "empty set",
        lambda t: read_question_set(written(t / "x.jsonl", "\n")),
        r".+x\.jsonl 里没有一道题：.+ question 里",
    ),
    ("not saved", lambda t: put_question(written(t / "f", "") / "x", SET.questions[0]), "问题集 .+ 写不进去：.+"),
    ("no text", lambda t: put_question(t / "x", Question("", "", "zh", "fact")), "请填上问题。"),
    ("not there", lambda t: remove_question(t / "x.jsonl", "a"), r"x\.jsonl 里没有“a”这一题"),
    ("no SQuAD", lambda t: read_squad(written(t / "x.json", "{}")), r".+x\.json 不是 SQuAD 格式"),
    ("no RGB", lambda t: read_rgb(written(t / "x.json", "{}")), r".+x\.json 不是 RGB 格式"),
    ("no BEIR", lambda t: beir(t / "b", "q\t1\t1", **{"corpus.jsonl": "{}"}), "/.+ 不是 BEIR 格式"),
    ("BEIR without qrels", lambda t: read_beir(t), r".+test\.tsv 里缺文件"),
    ("an empty zip", lambda t: import_zip(t, {}), r"x\.zip/qrels/test\.tsv 里缺文件"),
    ("odd qrels", lambda t: beir(t / "b", "q\t1\t1\nq 1 1"), r".+test\.tsv 第 2 行不对：应是三列"),
    ("no zip", lambda t: import_questions(written(t / "x.zip", "zip")), r".+x\.zip 不是能读的 zip"),
    ("no JSON lines at all", lambda t: import_questions(t / "none.json"), r"问题集 .+none\.json 不存在。"),
    ("too long a question", lambda t: check_question("字" * 3000), "问题过长，最多 2000 字"),
]


def import_zip(folder: Path, members: dict[str, str]) -> None:
    with zipfile.ZipFile(folder / "x.zip", "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    import_questions(folder / "x.zip")


@pytest.mark.parametrize(("cause", "chinese"), [case[1:] for case in CASES], ids=[case[0] for case in CASES])
def test_every_error_is_told_in_chinese(tmp_path: Path, cause: Callable[[Path], Any], chinese: str) -> None:
    with pytest.raises(JinwenError) as caught:
        cause(tmp_path)
    assert re.match(chinese, told(caught.value, "zh")), told(caught.value, "zh")
    assert told(caught.value, "en") == str(caught.value)


def by_status(status: int, **headers: str) -> Callable[[BaseHTTPRequestHandler, dict[str, object]], None]:
    return lambda handler, body: send(handler, status, **headers)


@pytest.mark.parametrize(
    ("reply", "chinese"),
    [
        (by_status(401), "不认密钥"),
        (by_status(404), "没有模型“m”；请查 judge.model 和 judge.base_url"),
        (by_status(429), "正忙"),
        (by_status(302, location="/"), "请把 judge.base_url 设为最终的地址"),
        (by_status(500), "内部出错（500）"),
        (by_status(400), "出错，详情见它的日志"),
        (by_status(200, content_type="text/html"), "不是模型服务；请查 judge.base_url"),
        (lambda handler, body: send_events(handler, "corr", finish=None, done=False), "答到一半断了"),
    ],
)
def test_a_judge_that_fails_is_told_in_chinese(reply: Any, chinese: str) -> None:
    with ModelServer(reply).running() as server, pytest.raises(JinwenError) as caught:
        asked_of(server.url)
    assert re.search(chinese, told(caught.value, "zh")), str(caught.value)


def test_a_judge_that_says_nothing_is_told_in_chinese() -> None:
    import openai  # noqa: F401  (so that the patience is not spent on importing it)

    with ModelServer(lambda handler, body: time.sleep(2)).running() as server, pytest.raises(JinwenError) as caught:
        asked_of(server.url, timeout_s=0.5)
    assert re.search("过了 0.5 秒没有回应；请调大 judge.timeout_s", told(caught.value, "zh"))


def test_a_judge_that_is_not_there_or_not_named_is_told_in_chinese() -> None:
    with ModelServer(by_status(200)).running() as server:
        url = server.url
    with pytest.raises(JinwenError) as caught:
        asked_of(url)
    assert told(caught.value, "zh") == f"连不上模型服务 {url}；请启动它，或改设置 judge.base_url。"
    with pytest.raises(JinwenError) as caught:
        load_judge(JudgeSettings())
    assert told(caught.value, "zh").startswith("没有指定评判的模型")


def asked_of(url: str, timeout_s: float = 10.0) -> None:
    settings = AnswerSettings(model="m", base_url=url, timeout_s=timeout_s)
    generator = ServerGenerator(settings, max_retries=0, section="judge")
    list(generator.generate([Message("user", "?")], threading.Event()))


def test_what_has_no_chinese_wording_is_led_in_and_quoted() -> None:
    assert told(JinwenError("the engine says so"), "zh") == "出错了，原话是：the engine says so"


def test_what_changed_since_a_run_was_interrupted(tmp_path: Path) -> None:
    left = open_run(unfinished(tmp_path / "x")).info
    now = describe(OTHER, ToyLibrary(fingerprint="index-2"), "")
    found = left.differences(now)
    assert differences(found, "zh") == "问题集；文库"
    assert differences(found, "en") == "question set; library"
    assert differences(["retrieval.top_k 2 → 3", "model reader ab → cd", "code 12 → 34", "encoder a → b"], "zh") == (
        "设置 retrieval.top_k：2 → 3；模型 reader；程序；编码模型"
    )


def test_what_was_different_about_two_runs() -> None:
    answer = AnswerSettings(mode="generative", strictness="strict")
    other = Settings(answer=answer, retrieval=RetrievalSettings(top_k=3))
    first = describe(SET, ToyLibrary(settings=Settings()), "")
    found = setting_differences(first, describe(SET, ToyLibrary(settings=other), ""))
    assert [circumstance(line, "zh") for line in found] == [
        "作答方式：原文摘句 → 模型撰写", "拒答松紧：适中 → 从严", "读几段：10 → 3",
    ]  # fmt: skip
    assert circumstance(found[1], "en") == "Refuses: balanced → readily"
    others = {
        "retrieval.depth 100 → 50": "设置 retrieval.depth：100 → 50",
        "model reader ab → cd": "模型 reader：ab → cd",
        "index ab (3 articles) → cd (4 articles)": "文库：3 篇 → 4 篇，内容不同",
        "numpy 1 → 2": "numpy 1 → 2",
    }
    assert {line: circumstance(line, "zh") for line in others} == others


@pytest.mark.parametrize(
    ("record", "chinese"),
    [
        ({"answers": "x"}, 'answers 是 "x"；应为文字的列表；当作只有一项的列表'),
        ({"lang": "fr"}, 'lang 是 "fr"；应为 zh 或 en；当作 zh'),
        ({"as_of": "gestern"}, 'as_of 是 "gestern"；应为日期，如 2026-01-31；不算'),
        ({"articles": ["x"]}, 'articles 是 "x"；应为含 file、id 或 title 的对象；当作编号'),
        ({"history": [["x"]]}, 'history 是 ["x"]；应为["user" 或 "assistant", 文字]；这一句不算'),
        ({"any_article": 1}, "any_article 是 1；应为 true 或 false；当作 false"),
    ],
)
def test_wrong_values_of_a_set(record: dict[str, Any], chinese: str) -> None:
    whole = {"id": "a", "question": "塔多高？", "type": "fact", "answers": ["1"], **record}
    _, problems = read_line(1, json.dumps(whole))
    assert wrong_value(problems[0].message, "zh") == chinese
    assert wrong_value(problems[0].message, "en") == problems[0].message
