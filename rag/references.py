"""How a question stands to what was said before, and which of its words stand for something said."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum
from typing import Final

from rag.naming import LATIN_NAME, proper_names
from rag.tokens import is_chinese


class Reference(Enum):
    """How a question stands to what was said before."""

    NONE = "none"
    """It names its own subject."""
    CLEAR = "clear"
    """A pronoun or another referring word says so."""
    SHORT = "short"
    """It is too short to tell: it may leave its subject out."""
    OPEN = "open"
    """It is longer, and holds no name by which to tell."""


class Stands(Enum):
    """What a referring word stands for."""

    PERSON = "person"
    THING = "thing"
    THINGS = "things"
    """They, some of them: what was counted or listed, else the thing."""
    SEVERAL = "several"
    """A stated number of names: 这两台."""
    NAMED = "named"
    """The name that ends in a noun: 该集团."""
    TALK = "talk"
    """The subject of the talk, without a word that could be replaced by it."""
    WITHIN = "within"
    """A place in what was counted or listed, else in the thing: 里面."""


@dataclass(frozen=True, slots=True)
class Mention:
    """A referring word of a question."""

    start: int
    end: int
    stands: Stands
    detail: str = ""
    """The number of SEVERAL, the noun of NAMED."""
    owns: bool = False
    """Whether it means something of that thing (其, its)."""
    points: bool = False
    """Whether it may as well point to the news of the day (这场雪, this year's fair)."""


_SHORT_ZH, _SHORT_EN = 14, 6
"""Longest question, in characters and in words, that may leave its subject out."""
_EARLY_ZH: Final = 5
"""A pronoun before this offset has nothing in the question to refer to."""

_LINK_ZH = re.compile(
    r"^(?:(?:那么|然后|接着|此外|另外(?![一两几])|以及|还有(?!多|几|哪|什|谁|没)|那(?![里儿个些时边家条项次位座所批款种届场部份组台辆艘架套只件]|[天年月](?=[的在是有，,晚上下开发去来]))))+[，,\s]*"
)
_LINK_EN = re.compile(r"^(?:(?:and|but|so|then|also)\b[,\s]*)+", re.IGNORECASE)

_MEASURE = "个家条项次些位座所批款种届场部份组台辆艘架套处类支只件张首名轮期"
_NOUN = (
    r"(?:公司|集团|企业|单位|机构|学校|大学|医院|项目|工程|活动|大会|论坛|比赛|赛事|展览|平台|产品|系统|技术|计划|方案|地方|设备|机器人"
    r"|大桥|桥梁|道路|线路|铁路|列车|园区|中心|城市|国家|部门|团队|人员|人|事|奖|书|店|厂|船|桥|路|线|馆|楼|车|片)"
)
_BEGINS = r"(?:(?<=^)|(?<=[，,、\s在从对和跟与把给由比向到了]))"
_HEADLESS = r"(?=[的在是有到从又还也都共一总现今去目前分各被由将会能花用占比持什何几多哪谁怎最]|$)"
_ZH: tuple[tuple[re.Pattern[str], Stands], ...] = (
    (re.compile(r"[它他她]们(?=当中|之中|中间|里面|里|中)"), Stands.THINGS),
    (re.compile(r"(?<![其授生士师长记任总员])[他她](?!们|国|人|山|乡|日)"), Stands.PERSON),
    (re.compile(r"(?<![授生士师长记任总员])[它他她]们"), Stands.THINGS),
    (re.compile(r"它"), Stands.THING),
    (re.compile(rf"{_BEGINS}其(?!他|它|中|实|余|次|间)"), Stands.THING),
    (re.compile(rf"{_BEGINS}[这那](?P<detail>[两三四五六七八九十]|\d+)[{_MEASURE}]"), Stands.SEVERAL),
    (re.compile(rf"{_BEGINS}这?(?P<detail>[两二])者"), Stands.SEVERAL),
    (re.compile(rf"{_BEGINS}该(?P<detail>[一-鿿]{{2}})"), Stands.NAMED),
    (re.compile(rf"{_BEGINS}[这那](?:[{_MEASURE}])?(?P<detail>公司|集团|企业|大学|医院|学校|中心|平台)"), Stands.NAMED),
    (re.compile(rf"{_BEGINS}[这那该此](?:一)?[{_MEASURE}](?:{_NOUN}|{_HEADLESS})"), Stands.THING),
    (re.compile(rf"{_BEGINS}[这此]{_NOUN}"), Stands.THING),
    (re.compile(rf"{_BEGINS}(?:(?:这|那|这其|那其)?(?=里面|当中|之中))"), Stands.WITHIN),
    (
        re.compile(rf"{_BEGINS}(?:其中|其余|剩下|余下|另外?[一两几]|双方|两者|前者|后者|上述|会上|当天|当时|届时)"),
        Stands.TALK,
    ),
    (re.compile(rf"{_BEGINS}[这那此该](?!么|样|[两三四五六七八九十几]*[天年月周])[一-鿿]"), Stands.TALK),
    (re.compile(r"(?:刚才|前面)(?:说|提)|自己|这里|那里|当地|本[届次]|[^，,]呢[？?。]?$"), Stands.TALK),
)  # fmt: skip
_EN: tuple[tuple[re.Pattern[str], Stands], ...] = (
    (re.compile(r"\b(?:of (?:them|these|those))\b", re.I), Stands.THINGS),
    (re.compile(r"\b(?:his|her)\b(?=\s[a-z])", re.I), Stands.PERSON),
    (re.compile(r"\b(?:he|she|him|her)\b", re.I), Stands.PERSON),
    (re.compile(r"\b(?:its)\b", re.I), Stands.THING),
    (re.compile(r"\bit\b(?!\s(?:takes?|took)\b.*\bto\b)", re.I), Stands.THING),
    (re.compile(r"\b(?:their)\b", re.I), Stands.THINGS),
    (re.compile(r"\b(?:they|them)\b", re.I), Stands.THINGS),
    (
        re.compile(
            r"\b(?:that|this)\s+(?:one|company|project|line|plan|event|figure|number|year|day|case|person|place|group)\b"
            r"|^(?:that|this)\b|\b(?:those|these|there|the former|the latter|the same|the others?|the rest)\b",
            re.I,
        ),
        Stands.TALK,
    ),
    (re.compile(r"^(?:what about|how about)\b", re.I), Stands.TALK),
)
_POINTS = re.compile(r"[这那此本该]|(?:that|this|those|these|there)\b", re.I)
_OWN_EN = re.compile(r"(?:the|an?)\s+\w[^,]*,", re.I)
"""A thing that the question names before it asks: the café, when will it open."""
_POSSESSIVE = frozenset(["its", "their", "his", "her"])


def without_link(question: str) -> str:
    """`question` without the word that links it to what was said before (那, and)."""
    link = (_LINK_ZH if is_chinese(question) else _LINK_EN).match(question.strip())
    rest = question.strip()[link.end() :] if link else question.strip()
    return rest[:1].upper() + rest[1:] if rest and rest[0].isascii() else rest


def mention(question: str) -> Mention | None:
    """The word of `question` that stands for something said before; None where there is none.

    A pronoun that comes late in a long question (“那家老单位搬来天津，它多少年了”) means something named in
    the question itself.
    """
    chinese = is_chinese(question)
    for pattern, stands in _ZH if chinese else _EN:
        match = pattern.search(question)
        if match and (_reaches_back_zh if chinese else _reaches_back_en)(question, match.start()):
            detail = match["detail"] if "detail" in pattern.groupindex else ""
            owns = match.group() == "其" or (match.group().lower() in _POSSESSIVE and _owned(question, match.end()))
            points = _POINTS.match(match.group()) is not None
            return Mention(match.start(), match.end(), stands, detail, owns, points)
    return None


def _owned(question: str, end: int) -> bool:
    return re.match(r"\s[a-z]", question[end:]) is not None


def _reaches_back_zh(question: str, start: int) -> bool:
    return start < _EARLY_ZH or len(question) <= _SHORT_ZH


def _reaches_back_en(question: str, start: int) -> bool:
    before = " ".join(question[:start].split()[1:])
    own = LATIN_NAME.search(before) or _OWN_EN.match(question[:start])
    return len(question.split()) <= 2 * _SHORT_EN and not own


def refers_back(question: str) -> Reference:
    """Whether `question` needs what was said before to be understood."""
    text = without_link(question)
    found = mention(text)
    if found:
        return Reference.SHORT if found.points and not _is_short(text) else Reference.CLEAR
    linked = len(text) < len(question.strip())
    if is_chinese(text):
        if proper_names(text):
            return Reference.OPEN if linked else Reference.NONE
        return Reference.SHORT if linked or _is_short(text) else Reference.OPEN
    if LATIN_NAME.search(" ".join(text.split()[1:])):
        return Reference.OPEN if linked else Reference.NONE
    return Reference.SHORT if linked or _is_short(text) else Reference.OPEN


def _is_short(text: str) -> bool:
    return len(text) <= _SHORT_ZH if is_chinese(text) else len(text.split()) <= _SHORT_EN
