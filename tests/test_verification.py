"""What a written sentence is found to be when it is checked against the passages it cites."""

from __future__ import annotations

import datetime as dt

import pytest
from generation_support import AS_OF, LIBRARY, PIER, TEA

from rag.answering.facts import Evidence, find_facts, squeeze
from rag.answering.verification import (
    PARTIAL_COVERAGE,
    SUPPORTED_COVERAGE,
    check_sentence,
    check_uncited,
    content_tokens,
    coverage,
)
from rag.pinyin import is_pinyin, spelled_in_pinyin
from rag.types import Support

PIER_EVIDENCE = Evidence(f"东岸码头投用\n海湾日报\n{PIER}", dt.date(2025, 3, 3), AS_OF)
TEA_EVIDENCE = Evidence(f"春茶开采\n海湾日报\n{TEA}", dt.date(2025, 4, 2), AS_OF)
LIBRARY_EVIDENCE = Evidence(f"A library by the sea\nGulf Letter\n{LIBRARY}", dt.date(2025, 5, 6), AS_OF)


def facts(sentence: str) -> list[tuple[str, str]]:
    return [(fact.kind.value, fact.text) for fact in find_facts(sentence)]


def problems(sentence: str, *cited: Evidence) -> tuple[str, ...]:
    return check_sentence(sentence, cited or (PIER_EVIDENCE,)).problems


def test_facts_of_a_chinese_sentence() -> None:
    assert facts("2025年3月2日，教授李明说“东岸”用DeepSeek完成1.21亿吨，见《码头报告》，一个月60多个。") == [
        ("date", "2025年3月2日"),
        ("number", "1.21亿吨"),
        ("number", "60多个"),
        ("quote", "东岸"),
        ("quote", "码头报告"),
        ("name", "DeepSeek"),
        ("name", "李明"),
    ]


def test_facts_of_an_english_sentence() -> None:
    sentence = (
        'However, Lin Yizhou of Gulf Group told the "Letter" on 5 May 2025 that line Z4 carried 3 million people.'
    )
    assert facts(sentence) == [
        ("date", "5 May 2025"),
        ("number", "3 million people"),
        ("quote", "Letter"),
        ("name", "Lin Yizhou"),
        ("name", "Gulf Group"),
        ("name", "Letter"),
        ("name", "Z4"),
    ]


@pytest.mark.parametrize(
    "sentence",
    ["Sales went up.", "The price is one thing.", "这是一家公司。", "第一，要做好。", "On Monday it rained."],
)
def test_ordinary_words_are_no_facts(sentence: str) -> None:
    assert facts(sentence) == []


@pytest.mark.parametrize(
    "sentence",
    [
        "吞吐能力为1.21亿吨。", "吞吐能力为12100万吨。", "吞吐能力为121,000,000吨。", "Capacity: 121 million tonnes.",
        "能力约1.2亿吨。", "比老港区多30%。", "投资4000000000元。", "投资40亿元。",
    ],
)  # fmt: skip
def test_a_number_in_another_form_is_the_same_number(sentence: str) -> None:
    assert problems(sentence) == ()


@pytest.mark.parametrize(
    ("sentence", "wrong"),
    [
        ("吞吐能力为12.1亿吨。", ("12.1亿吨",)),
        ("吞吐能力为1.2亿吨。", ("1.2亿吨",)),
        ("能力约1.3亿吨。", ("1.3亿吨",)),
        ("吞吐能力为1.21亿元。", ("1.21亿元",)),
        ("比老港区多出三倍，投资50亿元。", ("三倍", "50亿元")),
        ("Capacity: 121 thousand tonnes.", ("121 thousand tonnes",)),
        ("投资40亿元，又投资41亿元、41亿元。", ("41亿元",)),
    ],
)
def test_a_wrong_number_or_unit_is_a_problem(sentence: str, wrong: tuple[str, ...]) -> None:
    assert problems(sentence) == wrong


@pytest.mark.parametrize(
    "sentence",
    ["3月2日投用。", "2025年3月2日投用。", "2025年3月投用。", "2025年投用。", "It opened on March 2, 2025.",
     "It opened in 2025.", "二期2026年开工。", "2025年3月3日的报道。", "二期明年开工。"],
)  # fmt: skip
def test_dates_resolve_against_the_article(sentence: str) -> None:
    assert problems(sentence) == ()


@pytest.mark.parametrize(
    ("sentence", "wrong"),
    [
        ("3月5日投用。", ("3月5日",)),
        ("2024年3月2日投用。", ("2024年3月2日",)),
        ("2027年开工。", ("2027年",)),
        ("It opened on March 4, 2025.", ("March 4, 2025",)),
    ],
)
def test_a_wrong_date_is_a_problem(sentence: str, wrong: tuple[str, ...]) -> None:
    assert problems(sentence) == wrong


def test_relative_days_of_the_article_hold_absolute_ones() -> None:
    assert problems("春茶于2025年4月1日开采。", TEA_EVIDENCE) == ()
    assert problems("春茶于2025年4月3日开采。", TEA_EVIDENCE) == ("2025年4月3日",)


@pytest.mark.parametrize(
    ("sentence", "wrong"),
    [
        ("林一舟说“二期工程将于明年开工”。", ()),
        ("林一舟说“二期工程已经开工”。", ("二期工程已经开工",)),
        ("据《海湾日报》报道。", ()),
        ("据《山城晚报》报道。", ("山城晚报",)),
        ("项目经理林一舟说。", ()),
        ("项目经理周明说。", ("周明",)),
        ("采用DeepSeek调度。", ("DeepSeek",)),
        ("Lin Yizhou manages it.", ()),
        ("It is managed by Yizhou Lin.", ()),
        ("It is managed by Zhang Wei.", ("Zhang Wei",)),
        ("It was built by Gulf Construction Group.", ()),  # a translated name cannot be told
        ("The line is Z4.", ("Z4",)),
    ],
)
def test_quotations_and_names(sentence: str, wrong: tuple[str, ...]) -> None:
    assert problems(sentence) == wrong


def test_english_names_in_an_english_passage() -> None:
    assert problems("Mayor Ada Quill opened it.", LIBRARY_EVIDENCE) == ()
    assert problems("It was opened by Mayor Bea Quill.", LIBRARY_EVIDENCE) == ("Mayor Bea Quill",)
    assert problems('She called it the "first public library".', LIBRARY_EVIDENCE) == ()
    assert problems('She called it "a second home".', LIBRARY_EVIDENCE) == ("a second home",)


def test_a_fact_may_stand_in_any_of_the_cited_passages() -> None:
    sentence = "码头投资40亿元，茶每斤900元。"
    assert problems(sentence, PIER_EVIDENCE, TEA_EVIDENCE) == ()
    assert problems(sentence, PIER_EVIDENCE) == ("900元",)


@pytest.mark.parametrize(
    ("sentence", "support"),
    [
        ("工程总投资40亿元，由海湾建设集团承建。", Support.QUOTED),
        ("工程总投资４０亿元,由海湾建设集团承建", Support.QUOTED),
        ("工程由海湾建设集团承建，总投资40亿元。", Support.SUPPORTED),
        ("工程由海湾建设集团承建，总投资50亿元。", Support.PARTIAL),
        ("码头的年吞吐能力十分可观，令人惊叹。", Support.PARTIAL),
        ("大雪封山，道路不通。", Support.UNSUPPORTED),
        ("", Support.UNSUPPORTED),
    ],
)
def test_support_of_a_sentence(sentence: str, support: Support) -> None:
    assert check_sentence(sentence, [PIER_EVIDENCE]).support is support


def test_support_across_languages_is_at_most_partial() -> None:
    assert check_sentence("The pier handles 121 million tonnes.", [PIER_EVIDENCE]).support is Support.PARTIAL
    assert check_sentence("The pier handles 122 million tonnes.", [PIER_EVIDENCE]).support is Support.UNSUPPORTED
    assert check_sentence("The pier is fine.", [PIER_EVIDENCE]).support is Support.UNSUPPORTED


def test_an_uncited_sentence_is_at_most_partial() -> None:
    sentence = "工程总投资40亿元，由海湾建设集团承建。"
    assert check_uncited(sentence, [TEA_EVIDENCE, PIER_EVIDENCE]).support is Support.PARTIAL
    assert check_uncited("大雪封山。", [TEA_EVIDENCE, PIER_EVIDENCE]).support is Support.UNSUPPORTED
    assert check_uncited("投资41亿元。", [TEA_EVIDENCE, PIER_EVIDENCE]).problems == ("41亿元",)


def test_a_sentence_that_cites_nothing_real_is_unsupported() -> None:
    check = check_sentence("投资40亿元。", [])
    assert (check.support, check.problems) == (Support.UNSUPPORTED, ("40亿元",))


def test_coverage_counts_content_tokens() -> None:
    assert content_tokens("码头的投资和the pier") == {"码头", "头的", "的投", "投资", "资和", "pier"}
    assert coverage("码头搬迁", [PIER_EVIDENCE]) == pytest.approx(1 / 3)
    assert coverage("码头搬迁", [TEA_EVIDENCE]) == 0.0
    assert coverage("的了", [PIER_EVIDENCE]) == 0.0
    assert 0 < PARTIAL_COVERAGE < SUPPORTED_COVERAGE < 1


def test_squeeze_folds_width_script_and_punctuation() -> None:
    assert squeeze("「臺灣」 ＡＢ-１２。") == "台湾ab12"


@pytest.mark.parametrize(
    ("spelling", "text", "found"),
    [
        ("linyizhou", "项目经理林一舟介绍", True),
        ("zengwei", "曾伟", True),
        ("cengwei", "曾伟", True),
        ("lvbu", "吕布", True),
        ("lyubu", "吕布", True),
        ("yizho", "林一舟", False),
        ("linzhou", "林一舟", False),
        ("", "林一舟", False),
    ],
)
def test_names_spelled_in_pinyin(spelling: str, text: str, found: bool) -> None:
    assert spelled_in_pinyin(spelling, text) is found


def test_what_reads_as_pinyin() -> None:
    words = ["zhang", "yizhou", "lyu", "group", "university", "e", ""]
    assert [is_pinyin(word) for word in words] == [True, True, True, False, False, False, False]
