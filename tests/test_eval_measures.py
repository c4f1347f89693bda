"""Measures against examples worked by hand; the arithmetic stands beside each."""

from __future__ import annotations

import math

import pytest

from eval import bootstrap, measures
from eval.matching import find_span, fold, holds, overlaps
from eval.question import Question
from eval.refusal import risk_coverage
from eval.results import QuestionResult, Retrieved
from eval.retrieval import evaluate, retrieval_values


def question(**fields: object) -> Question:
    base: dict[str, object] = {"id": "q", "text": "?", "lang": "zh", "type": "fact", "answers": ("23件",)}
    return Question(**{**base, **fields})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("answer", "gold", "expected"),
    [
        ("目前已办结23件。", "23件", True),
        ("目前已办结123件。", "23件", False),  # runs on to the left
        ("编号230", "23", False),  # runs on to the right
        ("123件，后来23件", "23件", True),  # the second place is a whole number
        ("共２３ 件", "23件", True),  # full width and a space
        ("12,345人", "12345人", True),  # thousands comma
        ("It was AI.", "ai", True),
        ("He said so.", "ai", False),  # short Latin words stand alone
        ("the domain", "AI", False),
        ("Tianjin University", "university", True),
        ("", "x", False),
        ("x", "  ", False),
    ],
)
def test_holds(answer: str, gold: str, expected: bool) -> None:
    assert holds(answer, gold) is expected


def test_correct_needs_one_answer_or_all_entries() -> None:
    one = question(answers=("23件", "二十三件"))
    assert measures.correct(one, "办结二十三件。[1]")
    every = question(type="multi", answers=("望圆", "16个"), match="all", aliases=(("望圆",), ("16个", "十六个")))
    assert measures.correct(every, "望圆销往十六个国家。")
    assert not measures.correct(every, "望圆销往很多国家。")
    assert not measures.correct(question(answers=()), "anything")


@pytest.mark.parametrize(("type_", "limit"), [("fact", 200), ("temporal", 240), ("multi", 500), ("own", 300)])
def test_the_length_limit_counts_no_markers(type_: str, limit: int) -> None:
    q = question(type=type_)
    assert measures.correct(q, "23件" + "。" * (limit - 3) + "[1][12]")
    assert not measures.correct(q, "23件" + "。" * (limit - 2))
    assert measures.holds_gold(q, "23件" + "。" * limit)


def test_f1_and_exact_match() -> None:
    # said 天津港 (3 characters), gold 天津 (2): shared 2, P = 2/3, R = 2/2, F1 = 2 * 2/3 / (2/3 + 1) = 0.8
    assert measures.answer_f1(question(answers=("天津",)), "天津港[1]") == pytest.approx(0.8)
    # English: "the island ferry" -> island, ferry; gold "ferry boats": shared 1, P = 1/2, R = 1/2, F1 = 1/2
    assert measures.answer_f1(question(answers=("ferry boats",)), "The island ferry.") == pytest.approx(0.5)
    # multiset: said 1 1 2, gold 1 2 2 as characters 一一二 / 一二二: shared 一 once and 二 once = 2, P = R = 2/3
    assert measures.answer_f1(question(answers=("一二二",)), "一一二") == pytest.approx(2 / 3)
    assert measures.answer_f1(question(answers=("天津", "天津港")), "天津港") == 1.0
    assert measures.exact_match(question(answers=("410米",)), "４１０ 米。[1]") == 1.0
    assert measures.exact_match(question(answers=("410米",)), "长410米。") == 0.0
    assert measures.units("港 handled 2,100万箱 in 3.5 days") == [
        "港",
        "handled",
        "2100",
        "万",
        "箱",
        "in",
        "3.5",
        "days",
    ]


def test_overlap_of_quotes() -> None:
    evidence = "目前已办结23件,阶段性办结19件"
    assert overlaps("我市目前已办结 23 件，阶段性办结19件。", evidence)  # holds it
    assert overlaps("已办结23件", evidence)  # is held by it
    assert overlaps("截至今日目前已办结23件阶段性办法", evidence)  # shares 目前已办结23件阶段性办, 12 characters
    assert not overlaps("截至今日目前已办结23件阶段性工作", evidence)  # shares 11
    assert not overlaps("23件", evidence)  # too short to say anything


def test_citation_precision_and_recall() -> None:
    q = question(evidence=("泊位长410米可靠泊20万吨级货轮",))
    assert measures.is_right_citation("泊位长410米可靠泊20万吨级货轮", "x", q, frozenset())
    assert measures.is_right_citation("滨城港三号泊位昨天启用", "报/1", q, frozenset({"报/1"}))
    assert not measures.is_right_citation("滨城港三号泊位昨天启用", "报/1", q, frozenset({"报/2"}))
    assert measures.citation_precision([True, False, True, True]) == 0.75
    assert measures.citation_precision([]) == 0.0
    # two quotes of evidence, one of them cited
    assert measures.citation_recall(["市图书馆开放到十点"], ["市图书馆开放到十点", "自习座位增加"]) == 0.5


def test_alce_by_words() -> None:
    quote, other = "泊位长410米。", "图书馆开放到十点。"
    # Sentence 1 is backed by its one citation. Sentence 2 has two citations, of which the second is not needed.
    # Sentence 3 has no citation. Sentence 4 names a number that its quote does not hold.
    sentences = [
        ("泊位长410米", [quote]),
        ("图书馆开放到十点", [other, quote]),
        ("天气很好", []),
        ("泊位长420米", [quote]),
    ]
    assert measures.sentence_recall(sentences) == 2 / 4
    # citations: 1 (needed) + 2 (one needed) + 0 + 1 (sentence not backed) = 4, needed 2
    assert measures.sentence_precision(sentences) == 2 / 4
    # 泊位410米图书馆 is 7 units; the first quote alone holds 4 of them, the second 3, together all: both are needed.
    halves = ["泊位410米。", "图书馆开放。"]
    assert not measures.supports(halves[:1], "泊位410米，图书馆")
    assert not measures.supports(halves[1:], "泊位410米，图书馆")
    assert measures.supports(halves, "泊位410米，图书馆")
    assert measures.sentence_precision([("泊位410米，图书馆", halves)]) == 1.0
    assert measures.sentence_recall([]) == 0.0


def test_find_span_ignores_width_and_space() -> None:
    text = "长４１０\n米，可靠泊"
    assert find_span(text, "410米") == (1, 6)
    assert text[1:6] == "４１０\n米"
    assert find_span(text, "400米") is None
    assert find_span(text, " ，") is None
    assert fold("Ａ B，c\u200b、1,000") == "abc1000"


def test_retrieval_by_hand() -> None:
    # q1: needs a and b; found b first, a third.      R@1 = 1/2, R@5 = 2/2, RR = 1/1
    #     nDCG@10 = (1/log2 2 + 1/log2 4) / (1/log2 2 + 1/log2 3) = 1.5 / 1.63093 = 0.91972
    # q2: needs c; found at rank 6.                   R@1 = 0, R@5 = 0, RR = 1/6, nDCG@10 = 1/log2 7 = 0.35621
    # q3: needs d; nothing was retrieved.             all 0, and it is there
    found = evaluate(
        {"q1": ["a", "b"], "q2": ["c"], "q3": ["d"]},
        {"q1": ["b", "x", "a"], "q2": ["x1", "x2", "x3", "x4", "x5", "c"], "q3": []},
    )
    assert list(found) == ["q1", "q2", "q3"]
    assert found["q1"] == pytest.approx({"R@1": 0.5, "R@5": 1.0, "RR": 1.0, "nDCG@10": 1.5 / (1 + 1 / math.log2(3))})
    assert found["q2"] == pytest.approx({"R@1": 0.0, "R@5": 0.0, "RR": 1 / 6, "nDCG@10": 1 / math.log2(7)})
    assert found["q3"] == {"R@1": 0.0, "R@5": 0.0, "RR": 0.0, "nDCG@10": 0.0}


def result(name: str, **fields: object) -> QuestionResult:
    base: dict[str, object] = {
        "id": name, "type": "fact", "lang": "zh", "question": "?", "answerable": True, "gold_answers": ("x",),
        "evidence": (), "evidence_groups": (), "gold_articles": (), "missing_evidence": 0,
        "searched": "?", "retrieved": (), "read": 2, "answer": "x", "refused": False, "confidence": 0.5,
        "mode": "extractive", "model": "", "citations": (), "values": {"correct": 1.0},
    }  # fmt: skip
    return QuestionResult(**{**base, **fields})  # type: ignore[arg-type]


def hit(rank: int, articles: tuple[int, ...] = (), evidence: tuple[int, ...] = ()) -> Retrieved:
    return Retrieved(rank, 1.0 / rank, f"a{rank}", "t", 0, 1, "x", articles=articles, evidence=evidence)


def test_hits_count_once_and_grouped_evidence_is_one_thing() -> None:
    # One gold article, found at ranks 2 and 3: the second passage of it adds nothing.  RR = 1/2, R@1 = 0, R@5 = 1
    # Three quotes, the first two held by one passage: two things.  Rank 2 finds the group, rank 3 the third quote.
    #   R@1 = 0, R@5 = 2/2, RR = 1/2
    one = result(
        "one",
        gold_articles=(("a2",),),
        evidence=("e0", "e1", "e2"),
        evidence_groups=(0, 0, 2),
        retrieved=(hit(1), hit(2, (0,), (0, 1)), hit(3, (0,), (2,))),
    )
    lost = result("lost", gold_articles=(("x",), ()), evidence=("e",), evidence_groups=(0,))
    unanswerable = result("none", answerable=False)
    values = retrieval_values([one, lost, unanswerable])
    assert list(values) == ["one", "lost"]
    assert {k: values["one"][k] for k in ("article R@1", "article R@5", "article RR")} == pytest.approx(
        {"article R@1": 0.0, "article R@5": 1.0, "article RR": 0.5}
    )
    assert {k: values["one"][k] for k in ("evidence R@1", "evidence R@5", "evidence RR")} == pytest.approx(
        {"evidence R@1": 0.0, "evidence R@5": 1.0, "evidence RR": 0.5}
    )
    assert set(values["lost"].values()) == {0.0}


def test_risk_coverage_by_hand() -> None:
    # Four questions can be judged; one is refused. Answers by confidence: .9 right, .8 wrong and .8 right (together).
    #   after .9: coverage 1/4, risk 0;  after .8: coverage 3/4, risk 1/3
    #   area = (1 * 0 + 2 * 1/3) / 3 = 2/9
    curve = risk_coverage(
        [
            result("a", confidence=0.8, values={"correct": 0.0}),
            result("b", confidence=0.9),
            result("c", confidence=0.8),
            result("d", confidence=0.99, refused=True, answerable=False, values={"refusal": 1.0}),
            result("unjudged", values={}),
        ]
    )
    assert [(p.confidence, p.coverage, p.risk) for p in curve.points] == [(0.9, 0.25, 0.0), (0.8, 0.75, 1 / 3)]
    assert curve.area == pytest.approx(2 / 9)
    assert risk_coverage([]).points == ()


def test_intervals_hold_the_mean_and_shrink_with_more_questions() -> None:
    few = bootstrap.mean_interval([1.0, 0.0] * 10)
    many = bootstrap.mean_interval([1.0, 0.0] * 1000)
    assert (few.mean, few.count) == (0.5, 20)
    # Normal theory: 1.96 * sqrt(.25 / 20) = .219 and 1.96 * sqrt(.25 / 2000) = .0219.
    assert few.high - few.mean == pytest.approx(0.219, abs=0.05)
    assert many.high - many.mean == pytest.approx(0.0219, abs=0.005)
    assert bootstrap.mean_interval([1.0, 0.0] * 10) == few
    assert bootstrap.mean_interval([0.3, 0.3]) == bootstrap.Interval(0.3, 0.3, 0.3, 2)
    with pytest.raises(ValueError, match="at least one"):
        bootstrap.mean_interval([])


def test_permutation_test_by_hand() -> None:
    # Differences 1, 1, 1: of 2^3 flips only +++ and --- are as far from 0: p = 2/8. Zeros change nothing.
    assert bootstrap.permutation_p([1.0, 1.0, 0.0, 1.0]) == 0.25
    # 1, 1, -1: sum 1; |sum| >= 1 for every flip (sums are 3 or 1): p = 1
    assert bootstrap.permutation_p([1.0, 1.0, -1.0]) == 1.0
    assert bootstrap.permutation_p([0.0, 0.0]) == 1.0
    # 20 equal signs, drawn: exact p = 2 / 2^20, so almost surely no draw of 10,000 reaches it: p = 1/10,001
    assert bootstrap.permutation_p([1.0] * 20) == pytest.approx(1 / 10_001)


def test_paired_test() -> None:
    test = bootstrap.paired_test([0, 0, 1, 0], [1, 0, 1, 1])
    assert (test.first, test.second, test.difference, test.count) == (0.25, 0.75, 0.5, 4)
    # two questions differ, the same way: p = 2/4
    assert test.p_value == 0.5
    assert test.low <= 0.5 <= test.high
    with pytest.raises(ValueError, match="align: 1 against 2"):
        bootstrap.paired_test([1], [1, 0])


def test_holm_by_hand() -> None:
    # sorted .01 .03 .04: .01 * 3 = .03; .03 * 2 = .06; .04 * 1 = .04, raised to .06
    assert bootstrap.holm([0.01, 0.04, 0.03]) == pytest.approx([0.03, 0.06, 0.06])
    assert bootstrap.holm([0.5, 0.9]) == [1.0, 1.0]
    assert bootstrap.holm([]) == []


def test_what_cannot_be_significant_costs_the_others_nothing() -> None:
    base = [0.0] * 20
    clear = bootstrap.paired_test(base, [1.0] * 8 + [0.0] * 12)  # p = 2 / 2^8
    weak = bootstrap.paired_test(base, [1.0] * 6 + [-1.0] * 2 + [0.0] * 12)
    few = bootstrap.paired_test(base, [1.0] * 5 + [0.0] * 15)  # p = 2 / 2^5, as small as five can make it
    none = bootstrap.paired_test(base, base)
    assert [t.least_p for t in (clear, weak, few, none)] == [2 / 2**8, 2 / 2**8, 2 / 2**5, 1.0]
    corrected = bootstrap.holm_of_tests([none, clear, few, weak, none])
    assert corrected == pytest.approx([1.0, 2 * 2 / 2**8, 2 / 2**5, weak.p_value, 1.0])
    assert bootstrap.holm_of_tests([]) == []
