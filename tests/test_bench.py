"""The benchmark: what is read, measured and shown."""

from __future__ import annotations

import gzip
import json
import os
import re
from html.parser import HTMLParser
from itertools import islice
from pathlib import Path

import pytest
from library_toys import TopicEncoder

from eval import bench, plots
from eval.bench_child import ChildError, environment, in_child, one_core
from eval.bench_corpus import full_passages, mixed_texts, queries_of, read_texts, write_files
from eval.bench_quality import public_quality
from eval.bench_report import markdown, page
from eval.bench_results import (
    AnswerFigures,
    Bench,
    EncodeSpeed,
    IndexFigures,
    Machine,
    Quality,
    QueryFigures,
    Scale,
    Spread,
    peak_rss_mb,
    to_json,
)
from eval.bench_scale import index_files, spread, time_queries
from eval.bench_speed import measure_speeds
from eval.public_retrieval import RetrievalTask, read_tasks, read_test_distractors
from rag.config import MODELS_DIR, PassageSettings, Settings
from rag.errors import QuestionSetError, SettingsError, StoreError
from rag.library import Library
from rag.store import LocalStore

needs_model = pytest.mark.skipif(
    not (MODELS_DIR / "jinwen-static" / "modules.json").is_file(), reason="the shipped model is not there"
)


def write_gz(path: Path, text: str) -> None:
    path.write_bytes(gzip.compress(text.encode()))


def squad(*paragraphs: tuple[str, list[str]]) -> str:
    entries = [
        {"context": context, "qas": [{"id": f"{n}-{i}", "question": q, "answers": [{"text": context[:2],
         "answer_start": 0}]} for i, q in enumerate(questions)]}
        for n, (context, questions) in enumerate(paragraphs)
    ]  # fmt: skip
    return json.dumps({"data": [{"title": "t", "paragraphs": entries}]}, ensure_ascii=False)


class TestPublicSets:
    def test_tasks_of_two_folders(self, tmp_path: Path) -> None:
        first, second = tmp_path / "a", tmp_path / "b"
        first.mkdir(), second.mkdir()
        write_gz(first / "xquad.zh.json.gz", squad(("港口很大。", ["港口大吗？"]), ("茶很香。", ["茶呢？", "香吗？"])))
        write_gz(second / "xquad.en.json.gz", squad(("Big port.", ["Port?"]), ("Good tea.", ["Tea?", "Good?"])))
        tasks = {task.name: task for task in read_tasks([first, second])}
        assert list(tasks) == ["XQuAD zh→zh", "XQuAD en→zh", "XQuAD zh→en (240)"]
        assert tasks["XQuAD en→zh"] == RetrievalTask(
            "XQuAD en→zh", ("Port?", "Tea?", "Good?"), (0, 1, 1), ("港口很大。", "茶很香。"), True
        )
        assert tasks["XQuAD zh→en (240)"].texts == ("Big port.", "Good tea.")
        assert tasks["XQuAD zh→en (240)"].distracted is False

    def test_aligned_lines(self, tmp_path: Path) -> None:
        for name, lines in (("eng", "one\ntwo\n"), ("zho-CN", "一\n二\n"), ("zho-TW", "壹\n")):
            write_gz(tmp_path / f"ntrex.{name}.txt.gz", lines)
        tasks = {task.name: task for task in read_tasks([tmp_path])}
        assert (tasks["NTREX zho-CN→eng"].queries, tasks["NTREX zho-CN→eng"].gold) == (("一", "二"), (0, 1))
        assert tasks["NTREX eng→zho-CN"].texts == ("一", "二")

    def test_files_that_do_not_belong_together(self, tmp_path: Path) -> None:
        write_gz(tmp_path / "ntrex.eng.txt.gz", "one\ntwo\n")
        write_gz(tmp_path / "ntrex.zho-CN.txt.gz", "一\n")
        with pytest.raises(QuestionSetError, match="not aligned"):
            read_tasks([tmp_path])

    def test_no_set_says_what_was_expected(self, tmp_path: Path) -> None:
        with pytest.raises(QuestionSetError, match=r"no public test set in .*xquad\.zh\.json\.gz"):
            read_tasks([tmp_path])

    def test_distractors_are_cut_from_the_last_6000_articles(self, tmp_path: Path) -> None:
        texts = ["训练" * 300, "最后" * 225, *["短"] * 5_999]
        write_gz(tmp_path / "news", "\n".join(json.dumps({"text": text}) for text in texts))
        assert read_test_distractors(tmp_path / "news", 4) == ["最后" * 200, "最后" * 25, "短", "短"]


class ToyLibrary(Library):
    """A library of the toy encoder."""

    def __init__(self, index_dir: Path) -> None:
        self.settings = Settings()
        self.encoder = TopicEncoder()
        self.store = LocalStore.open(index_dir, create=True, encoder=self.encoder, passages=self.settings.passages)


class TestQuality:
    TASK = RetrievalTask(
        "toy", ("which ship", "大桥有多长", "雪"), (0, 1, 2), ("港里有船", "大桥全长七里", "雪夜"), True
    )

    def figures(self, distractors: list[str], **options: object) -> dict[str, tuple[float, float]]:
        found = public_quality([self.TASK], distractors, ToyLibrary, **options)
        return {q.leg: (round(q.r1, 3), round(q.r5, 3)) for q in found}

    def test_each_leg_by_hand(self) -> None:
        # BM25 has no word of the English query, and finds no bigram for 雪 in 雪夜.
        # Dense: the tea distractor shares no topic with any query.
        assert self.figures(["茶山", "茶山"]) == {
            "BM25": (0.333, 0.333), "dense": (1.0, 1.0), "hybrid": (1.0, 1.0)
        }  # fmt: skip

    def test_a_tie_with_a_distractor_is_lost(self) -> None:
        assert self.figures(["雪山"])["dense"] == (0.667, 1.0)

    def test_other_encoders_need_no_second_bm25(self) -> None:
        assert list(self.figures(["茶山"], with_lexical=False)) == ["dense", "hybrid"]

    def test_some_queries_evenly_spread(self) -> None:
        found = list(public_quality([self.TASK], [], ToyLibrary, most_queries=1))
        assert [(q.leg, q.encoder, q.queries, q.r1) for q in found] == [
            ("BM25", "", 1, 0.0), ("dense", "topics", 1, 1.0), ("hybrid", "topics", 1, 1.0)
        ]  # fmt: skip

    def test_texts_of_one_task_do_not_stay_for_the_next(self) -> None:
        other = RetrievalTask("other", ("雪",), (0,), ("雪雪雪",), True)
        found = list(public_quality([self.TASK, other], ["茶山"], ToyLibrary))
        # 雪夜 of the first task has the same vector and a lower id; it would win the tie.
        assert [(q.task, q.r1) for q in found if q.leg == "dense"] == [("toy", 1.0), ("other", 1.0)]


class TestCorpus:
    SAMPLE = ("渔港今天开市，装卸货物350吨，渔民说收成很好。", "山里下了一夜大雪，公路关闭三小时。")

    def test_mixed_text_is_the_same_each_time_and_never_repeats_a_sentence(self) -> None:
        first, again = (list(islice(mixed_texts(self.SAMPLE), 3)) for _ in range(2))
        assert first == again
        sentences = [sentence for text in first for sentence in text.split("。") if sentence]
        assert len(sentences) == len(set(sentences)) > 30
        assert all(len(text) >= 900 for text in first)

    def test_about_as_many_passages_as_asked_for(self, tmp_path: Path) -> None:
        kept = write_files(mixed_texts(self.SAMPLE), tmp_path, 60, PassageSettings(size=100))
        lines = [line for file in sorted(tmp_path.iterdir()) for line in file.read_text("utf-8").splitlines()]
        assert 3 <= len(lines) <= 8
        assert kept == [json.loads(lines[0])["text"]]
        assert [json.loads(line)["id"] for line in lines] == [str(n) for n in range(len(lines))]

    def test_all_texts_of_the_news_file(self, tmp_path: Path) -> None:
        write_gz(tmp_path / "news_zh.jsonl.gz", "\n".join(json.dumps({"text": f"第{n}条。"}) for n in range(1_001)))
        out = tmp_path / "out"
        out.mkdir()
        write_files(read_texts([tmp_path], list), out, None, PassageSettings())
        assert [len(file.read_text("utf-8").splitlines()) for file in sorted(out.iterdir())] == [1_000, 1]

    def test_queries_come_from_the_middle_of_texts(self) -> None:
        assert (
            queries_of(["开头不算数呀。中间的词句甲，中间的词句乙，结尾。"] * 4, 2) == ["中间的词句甲中间的词句乙"] * 2
        )

    def test_passages_of_exactly_400_characters(self) -> None:
        assert full_passages(["甲" * 399, "乙" * 801], 9) == ["乙" * 400, "乙" * 400]


class TestMeasuring:
    def test_spread_in_milliseconds(self) -> None:
        assert spread([0.001 * n for n in range(101)]) == Spread(pytest.approx(50.0), pytest.approx(95.0))

    def test_a_child_gives_its_result_or_raises(self, tmp_path: Path) -> None:
        with environment({"JINWEN_BENCH_TEST": "seen"}):
            assert in_child(os.getenv, "JINWEN_BENCH_TEST") == "seen"
        assert "JINWEN_BENCH_TEST" not in os.environ
        with pytest.raises(StoreError, match="there is no index"):
            in_child(time_queries, tmp_path, "jinwen-static", ["一"])
        with pytest.raises(ChildError, match="the process that ran _exit was killed"):
            in_child(os._exit, 3)

    @pytest.mark.skipif(not hasattr(os, "sched_getaffinity"), reason="this system cannot pin a process")
    def test_one_core_for_a_while(self) -> None:
        before = os.sched_getaffinity(0)
        with one_core():
            assert len(os.sched_getaffinity(0)) == 1
        assert os.sched_getaffinity(0) == before

    @needs_model
    def test_encoding_speed_of_the_shipped_model(self) -> None:
        (speed,) = measure_speeds([("shipped", "jinwen-static")], ["渔港今天开市" * 66] * 300, rounds=1)
        assert speed.encoder == "shipped"
        assert 0 < speed.disk_mb <= 40
        assert speed.passages_per_s > 0
        assert speed.wall_passages_per_s > 0

    @needs_model
    def test_index_and_query_figures(self, tmp_path: Path) -> None:
        source = tmp_path / "articles"
        source.mkdir()
        write_files(mixed_texts(TestCorpus.SAMPLE), source, 40, PassageSettings())
        built = index_files(tmp_path / "index", source, "jinwen-static")
        assert 36 <= built.passages <= 48
        assert built.articles < built.passages
        assert built.seconds > 0
        assert built.cpu_s > 0
        assert 0 < built.disk_mb < 5
        asked = time_queries(tmp_path / "index", "jinwen-static", ["渔港开市", "大雪公路"])
        assert asked.queries == 2
        assert asked.open_s > 0
        for step in (asked.encode, asked.dense, asked.lexical, asked.fused, asked.fused_cpu):
            assert 0 < step.p50 <= step.p95

    @pytest.mark.skipif(not Path("/proc/self/status").is_file(), reason="this system does not say")
    def test_peak_memory_grows_with_what_is_held(self) -> None:
        before = peak_rss_mb()
        held = bytearray(b"x") * (64 << 20)
        assert peak_rss_mb() > 60
        assert peak_rss_mb() >= before
        assert len(held) == 64 << 20


def quality(leg: str, r1: float, encoder: str = "small<b>") -> Quality:
    return Quality("toy", leg, "" if leg == "BM25" else encoder, 1190, r1, r1 - 0.05, r1 + 0.05, r1 + 0.1, 0.0, 1.0)


def scale(size: str, passages: int, seconds: float) -> Scale:
    step, cpu = Spread(1.25, 3.5), Spread(0.5, 0.7)
    index = IndexFigures(250, passages, seconds, cpu_s=1.5, peak_rss_mb=188.0, disk_mb=2.5)
    query = QueryFigures(300, 0.5, encode=step, dense=step, lexical=step, fused=step, fused_cpu=cpu, peak_rss_mb=150.0)
    return Scale(size, index, query)


def full_bench() -> Bench:
    return Bench(
        created="2026-01-02T03:04:05+00:00",
        code="c0de",
        models={"small": "f00d"},
        options={"sizes": "1000"},
        machine=Machine("CPU & Co", 2, 23.5, "3.11.9", {"numpy": "2"}, 0.5, 1.5),
        quality=[
            quality("BM25", 0.8),
            quality("dense", 0.7),
            quality("hybrid", 0.85),
            quality("dense", 0.6, "other"),
            quality("hybrid", 0.75, "other"),
        ],
        speeds=[
            EncodeSpeed("small<b>", 256, 25.04, 0.081, 6000.4, 5900.0),
            EncodeSpeed("base", 384, 87.4, 0.1, 20.0, 19.0),
        ],
        baseline="base",
        scales=[scale("1000", 1004, 2.0), scale("all", 4000, 8.0)],
        answers=AnswerFigures(84, Spread(1.0, 2.0), Spread(3.0, 4.0), Spread(5.0, 9.0), 1.5, 0.75),
        notes=["Something was left out."],
    )


class TestReport:
    def test_tables(self) -> None:
        rows = [re.sub(r"\s+", " ", line) for line in markdown(full_bench()).splitlines()]
        assert "| toy | small<b> | 1,190 | 0.800 | 0.700 | 0.850 | 0.900 | 0.800 | 0.950 |" in rows
        assert "| toy | other | 1,190 | 0.800 | 0.600 | 0.750 | 0.900 | 0.700 | 0.850 |" in rows
        assert "| small<b> | 256 | 25.0 | 0.08 | 6,000 | 300.0 |" in rows
        assert "| base | 384 | 87.4 | 0.10 | 20.0 | 1.0 |" in rows
        fours = " | ".join(["1.2 / 3.5"] * 4)
        assert f"| 1,004 | 250 | 2.0 | 1.5 | 188 | 2.5 | 0.50 | 150 | {fours} | 0.5 / 0.7 |" in rows
        assert "| whole question ms | 5.0 / 9.0 |" in rows
        assert "Note: Something was left out." in rows

    def test_parts_that_were_not_measured_are_left_out(self) -> None:
        bare = Bench("2026", "c0de", {}, {}, full_bench().machine)
        assert markdown(bare).startswith("2026; CPU & Co, 2 cores, 23.5 GB")
        assert "<table>" in page(bare)

    def test_the_page_is_whole_and_needs_nothing_else(self) -> None:
        html = page(full_bench())
        open_tags: list[str] = []
        headings: list[str] = []

        class Reader(HTMLParser):
            def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
                if tag not in ("meta", "path", "rect", "circle"):
                    open_tags.append(tag)
                assert not {"src", "href", "onload"} & {name for name, _ in attrs}

            def handle_endtag(self, tag: str) -> None:
                if tag not in ("path", "rect", "circle"):
                    assert open_tags.pop() == tag

            def handle_data(self, data: str) -> None:
                if open_tags and open_tags[-1] == "h2":
                    headings.append(data)

        Reader().feed(html)
        assert open_tags == []
        assert headings == ["Retrieval quality", "Encoding on one core", "Size", "Answers", "Settings and versions"]
        assert html.count("<svg") == 5
        assert "small<b>" not in html
        cards = re.findall(r'class="figure">([^<]*)<b>([^<]*)</b><span class="soft">([^<]*)<', html)
        assert cards == [
            ("Right text first, toy", "0.850", "hybrid, n=1190"),
            ("Passages encoded a second, one core", "6,000", "300 × base"),
            ("Time to index", "8 s", "250 articles, 4,000 passages, 188 MB"),
            ("A query over them", "1 ms", "95 % under 4 ms"),
            ("An answer", "5 ms", "95 % under 9 ms"),
        ]

    def test_json_says_the_ratios(self) -> None:
        record = json.loads(to_json(full_bench()))
        assert [speed["ratio"] for speed in record["speeds"]] == [pytest.approx(300.02), 1.0]
        assert record["scales"][1]["query"]["fused"] == {"p50": 1.25, "p95": 3.5}
        assert record["quality"][0]["leg"] == "BM25"

    def test_lines_run_through_their_points(self) -> None:
        svg = plots.lines("t", {"low": [(0, 0), (1000, 50)], "high": [(0, 0), (1000, 100)]}, "x", "y")
        # The plot is 420 x 200 at (56, 10); the axes end at 1000 and 100.
        assert 'd="M56.0 210.0 L476.0 10.0"/>' in svg
        assert 'd="M56.0 210.0 L476.0 110.0" stroke-dasharray="6 4"/>' in svg
        assert 'y="114.0">low<' in svg

    def test_names_of_lines_do_not_cover_each_other(self) -> None:
        svg = plots.lines("t", {name: [(1000, y)] for name, y in (("a", 1), ("b", 2), ("c", 100))}, "x", "y")
        # a at 200 - 1 % of 200, b would be 2 higher and is moved 14 above it.
        assert re.findall(r'y="([\d.]+)">([abc])<', svg) == [("212.0", "a"), ("198.0", "b"), ("14.0", "c")]

    def test_the_largest_magnitude_fills_the_plot(self) -> None:
        svg = plots.magnitudes("t", [("a", 50.0, "50/s"), ("b", 25.0, "25/s")])
        assert re.findall(r'class="bar" x="200" y="\d+" width="([\d.]+)"', svg) == ["320.0", "160.0"]


class TestCommand:
    @pytest.mark.parametrize("sizes", ["", "0", "10,x", "all"])
    def test_bad_sizes(self, sizes: str) -> None:
        with pytest.raises(SettingsError, match="expected numbers of passages"):
            bench.parse_options(["--sizes", sizes or ","])

    def test_full_goes_to_all_news_where_there_are_any(self, tmp_path: Path) -> None:
        assert bench.parse_options(["--full"]).sizes == ("1000", "10000", "50000", "150000")
        (tmp_path / "training").mkdir()
        write_gz(tmp_path / "training" / "news_zh.jsonl.gz", "")
        options = bench.parse_options(["--full", "--data", str(tmp_path), "--encoder", "x", "--encoder", "x"])
        assert options.sizes[-2:] == ("150000", "all")
        assert options.encoders == ("jinwen-static", "x")
        assert options.most_queries is None

    def test_an_empty_data_folder_is_one_clear_line(self, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        assert bench.main(["--only", "quality", "--data", str(tmp_path), "--out", str(tmp_path / "out")]) == 1
        assert capsys.readouterr().err.startswith("bench: no public test set in")

    @needs_model
    def test_quality_of_the_sample_library(self, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        assert bench.main(["--only", "quality", "--out", str(tmp_path)]) == 0
        record = json.loads((tmp_path / "bench.json").read_text("utf-8"))
        found = {(q["task"], q["leg"]): q for q in record["quality"]}
        assert list(found) == [
            (f"questions: {lang}", leg) for leg in ("BM25", "dense", "hybrid") for lang in ("zh", "en")
        ]
        assert all(0.3 < q["r1"] <= q["r5"] <= 1 for q in found.values())
        assert found["questions: en", "dense"]["r5"] > found["questions: en", "BM25"]["r5"]
        assert "### Retrieval quality" in capsys.readouterr().out
        assert (tmp_path / "bench.html").read_text("utf-8").startswith("<!doctype html>")
