import time

import pytest

from rag.sentences import clause_spans, sentence_spans
from rag.tokens import detect_language, fold, tokenize


def test_chinese_runs_become_bigrams_and_the_rest_words() -> None:
    assert tokenize("云州港 Port 2026年，data-set 99.22亿 Min'er") == [
        "云州", "州港", "port", "2026", "年", "data", "set", "99.22", "亿", "min'er",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("written", "searched"),
    [
        ("ＡＩ　２０２６", "ai 2026"),
        ("臺灣學術", "台湾学术"),
        ("冷҈冷҈", "冷冷"),
        ("soft\u00adware", "software"),
        ("Ｇ８８５９", "g8859"),
    ],
)
def test_width_script_marks_and_case_are_folded(written: str, searched: str) -> None:
    assert tokenize(written) == tokenize(searched)


def test_a_flood_of_combining_marks_takes_no_time() -> None:
    started = time.perf_counter()
    fold("a" + "\u0301\u0323" * 50_000)
    assert time.perf_counter() - started < 1


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("云州的 AI 园区有几家企业？", "zh"),
        ("iPhone 17 Pro Max 价格", "zh"),
        ("Who opened the 云州 bridge yesterday?", "en"),
        ("How many?", "en"),
        ("", "en"),
    ],
)
def test_detect_language(text: str, language: str) -> None:
    assert detect_language(text) == language


def sentences(text: str) -> list[str]:
    return [text[start:end] for start, end in sentence_spans(text)]


def test_sentences_of_both_languages() -> None:
    text = "他说：“很好。”她答：“好。”Mr. Lee went to the U.S. in 2025. It cost 3.14 million. OK! 第二行\n没有句号"
    assert sentences(text) == [
        "他说：“很好。”", "她答：“好。”", "Mr. Lee went to the U.S. in 2025.", "It cost 3.14 million.", "OK!", "第二行",
        "没有句号",
    ]  # fmt: skip


def test_sentences_within_a_span_keep_absolute_offsets() -> None:
    text = "甲。乙。丙。"
    assert sentence_spans(text, 2, 4) == [(2, 4)]


def test_clauses_do_not_cut_numbers() -> None:
    text = "共1,000家，其中：甲3,5家；乙8:30开门"
    assert [text[a:b] for a, b in clause_spans(text)] == ["共1,000家，", "其中：", "甲3,5家；", "乙8:30开门"]
