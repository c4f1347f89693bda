"""One question asked of several things (甲厂和乙厂，谁的产量更高？) -> the question asked of each of them."""

from __future__ import annotations

import re
from dataclasses import dataclass

from rag.answering.question_type import has_asking
from rag.answering.reader_text import fold_keep
from rag.tokens import detect_language

Span = tuple[int, int]


_SEVERAL = re.compile(
    r"各(?!地|界|类|种|级|位|项|区|县|市|省|国|族|方|行|单位|部门|有关|个|大|处|校|乡|镇|社)|分别|比一比|相比|对比|差多少"
    r"|(?:哪|谁).{0,8}(?:更|[最较]?先|得[多少高快早])"
    r"|这[两三四五几](?!年|天|月)"
    r"|(?:两|三|四|几)(?:家|个|份|条|次|批|位|场|项)[^?？]*(?:哪|什么|谁)|哪[两三四五六七八九十](?:家|个|所|位|场|项)[^?？]*一"
    r"|\brespectively\b|\bboth\b|(?<!\bfor )(?<!\bper )\beach\b(?! year| day| month)"
    r"|\bcompared?\b|\bwhich\b.*\b(?:more|[a-z]+er)\b.*\bor\b"
    r"|\bwhich\b.*\bmore\b|\bwhich (?:two|three|four|five)\b"
)


def asks_several(question: str) -> bool:
    """Whether `question` compares things or asks the same of each of several."""
    return _SEVERAL.search(fold_keep(question)) is not None


_NOT_ASKING = re.compile(
    r"[这那近前后头好]几|十几|几乎|不(?:懂|知道?|会|清楚|明白)(?:怎么|什么|如何|哪里)|无论|不管|任何"
)
"""Asking words that ask nothing: 这几年, 不懂怎么用."""


def asks(text: str, language: str) -> bool:
    """Whether `text` holds a word that asks, other than one that asks nothing."""
    return has_asking(_NOT_ASKING.sub("", text), language)


@dataclass(frozen=True, slots=True)
class Variant:
    """A question about several things, asked of one of them."""

    name: str
    """The thing, as the question calls it."""
    question: str


_ORDINAL = r"第[〇零一二三四五六七八九十百\d]+[一-鿿]"
_ORDINAL_PAIR = re.compile(rf"({_ORDINAL})(?:和|与|跟|、)({_ORDINAL})")
_THING = r"[^,，、和与跟及的?？：:]{2,20}"
_JOIN = r"(?:(?<![共温总饱缓])和(?![平谐解睦])|(?<![参给赋])与(?!会)|跟(?![踪随进])|以及)"
_NAMES_ZH = re.compile(
    rf"(?:^|[,，：:])\s*((?:[^,，、和与跟?？：:]{{2,20}}、)*[^,，、和与跟?？：:]{{2,24}}){_JOIN}({_THING}?)"
    r"(?=的|[,，]|谁|哪|各|比|相比|两|分别|都)"
)
_OWNED_ZH = re.compile(
    rf"(?:^|[,，：:])\s*([^,，、和与跟?？：:的]{{2,12}}的[^,，、和与跟?？：:的]{{2,12}}){_JOIN}"
    r"([^,，、和与跟?？：:的]{2,12}的[^,，、和与跟?？：:的]{2,12}?)(?=[,，]|谁|哪|各|比|相比|两|分别|都)"
)
_WHOLE_ZH = re.compile(
    r"^(?:[^,，：:]{2,20}[,，：:])?([^,，、和跟?？：:的]{4,24})(?:和|跟|以及)([^,，、和跟?？：:的]{4,24})[,，]\s*(?=分别|各|谁|哪|两|都)"
)
"""Two names before a comma, which may hold a 与 themselves."""
_NAME_PAIR_EN = re.compile(r"(?:,|:|between|\bof)\s+([^,?]{2,60}?) (?:or|and) ([^,?]{2,60}?)(?=[?,]|$)", re.IGNORECASE)
_PROPER_EN = r"(?:[Tt]he )?(?:[A-Z0-9][\w'’-]*)(?: (?:of |the )?[A-Z0-9][\w'’-]*)*"
_PROPER_PAIR_EN = re.compile(rf"\b({_PROPER_EN}) (?:or|and) ({_PROPER_EN})")
_PREPOSITION = re.compile(r"(in|on|at|by|during|for|from|before|after)\b", re.IGNORECASE)
_DAYS = re.compile(r"(?P<month>\d{1,2}月)(?P<days>\d{1,2}[日号](?:[、和,，]\d{1,2}[日号])+)")


def variants(question: str) -> tuple[Variant, ...]:
    """The question asked of each of the things that it puts side by side; empty when it puts none.

    >>> [v.question for v in variants("甲厂和乙厂，谁的产量更高？")]
    ['甲厂，产量多少？', '乙厂，产量多少？']
    """
    days = _DAYS.search(question)
    if days:
        each = [days["month"] + day for day in re.findall(r"\d{1,2}[日号]", days["days"])]
        return tuple(Variant(day, _put(question, days.span(), day)) for day in each)
    behind = _listed_behind(question)
    if behind or not asks_several(question):
        return behind
    return _chinese_variants(question) if detect_language(question) == "zh" else _english_variants(question)


_EACH_ONE = re.compile(
    r"[两三四几](?P<unit>[家个份条次批位场项座种本])(?P<thing>[^,，]*)[,，]"
    r"(?P<kinds>一(?P=unit)[^,，、]+(?:[,，、]一(?P=unit)[^,，、？?]+)+)[,，]?"
)


_THINGS_BEHIND = re.compile(
    r"^(?P<asking>[^：:？?]+)[：:](?P<first>[^？?]{3,40}?)(?:[,，、;；]?(?:还有|以及|和)|[;；])(?P<second>[^？?]{3,40})[？?。]?$"
)
_HOW_MANY_THINGS = re.compile(r"(?:先后|这|那)?[两二三四几][个场次件家份条位项座]")


def _listed_behind(question: str) -> tuple[Variant, ...]:
    """这两场活动在哪里办的：甲，还有乙？ asked of each of the two things behind the colon."""
    match = _THINGS_BEHIND.search(question)
    if match is None or detect_language(question) != "zh" or not asks(match["asking"], "zh"):
        return ()
    things = (match["first"].strip("，, "), match["second"].strip("，, "))
    if any(asks(thing, "zh") for thing in things):
        return ()
    asked = _BY_TURNS_ZH.sub("", _HOW_MANY_THINGS.sub("", match["asking"]))
    return tuple(Variant(thing, f"{thing}，{asked}？") for thing in things)


def _one_by_one(question: str) -> tuple[Variant, ...]:
    """两份文件，一份管甲、一份管乙，…: the question asked of each; 一份 says of which."""
    match = _EACH_ONE.search(question)
    if match is None:
        return ()
    kinds = [re.sub(rf"^一{match['unit']}", "", kind) for kind in re.split("[,，、]", match["kinds"])]
    rest = _BY_TURNS_ZH.sub("", question[match.end() :]).strip("，,？? ")
    one = f"{question[: match.start()]}一{match['unit']}{match['thing']}"
    return tuple(Variant("", "，".join(filter(None, (one, kind, rest))) + "？") for kind in kinds)


def _chinese_variants(question: str) -> tuple[Variant, ...]:
    by_one = _one_by_one(question)
    if by_one:
        return by_one
    pair = _ORDINAL_PAIR.search(question)
    if pair:
        names, span = [pair[1], pair[2]], pair.span()
    else:
        pair = _WHOLE_ZH.search(question) or _OWNED_ZH.search(question) or _NAMES_ZH.search(question)
        if not pair:
            return ()
        last = _without_place(pair[2], pair[1])
        *others, first = pair[1].split("、")
        first = _without_lead(first, last) if not others and "的" not in last else first
        names = [*others, first, last]
        span = (pair.end(1) - len("、".join([*others, first])), pair.start(2) + len(last))
    return tuple(Variant(name, _one_only_zh(_put(question, span, name))) for name in names)


def _english_variants(question: str) -> tuple[Variant, ...]:
    pair = _NAME_PAIR_EN.search(question) or _PROPER_PAIR_EN.search(question)
    if not pair:
        return ()
    first, second = pair[1].strip(), pair[2].strip()
    begin = pair.start(1)
    preposition = _PREPOSITION.match(second)
    shared = re.search(rf"\b{preposition[1]} ", first, re.IGNORECASE) if preposition else None
    if shared:  # the harbour in May or in June
        begin, first = begin + shared.start(), first[shared.start() :]
    return tuple(Variant(name, _one_only_en(_put(question, (begin, pair.end(2)), name))) for name in (first, second))


_WHICH_ZH = re.compile(
    r"谁家?的?|哪(?:一|两)?(?:[个家批份条座种边次位项所区年天])?(?=[^,，？?]*(?:更|多|早|晚|高|长|大|快|先|贵))"
)
_COMPARATIVE_ZH = re.compile(
    r"(?:得|要)?更?(?P<how>多|少|高|低|大|小|长|短|贵|便宜|快|重|远|早|晚|先)(?:一些|一点|些)?(?=[,，？?。]|$)"
    r"|[最更较]?先(?=[一-鿿]{1,4}$)"
)
_BY_TURNS_ZH = re.compile(
    r"各自?(?!地|界|类|种|级|位|项)|分别|比一比|相比|对比一?下?|(?<=的)[两三四几](?:个|家|份|条|次|批|位|场|项)"
)
_WHEN_ZH = frozenset("早晚先")


def _one_only_zh(question: str) -> str:
    """`question` about one thing without what compares: 谁的产量更高 is 产量多少."""
    bare = _BY_TURNS_ZH.sub("", question)
    clauses = re.split(r"(?<=[,，])", bare.rstrip("？?"))
    plain: list[str] = []
    for clause in clauses:
        compared = _COMPARATIVE_ZH.search(clause) if _WHICH_ZH.search(clause) else None
        if compared is None:
            plain.append(clause)
            continue
        how = "什么时候" if compared["how"] is None or compared["how"] in _WHEN_ZH else "多少"
        before = _WHICH_ZH.sub("", clause)[: -len(clause[compared.start() :])]
        plain.append(before + how + clause[compared.end() :])
    return "".join(plain) + "？"


_COMPARATIVES_EN = {
    "longer": "how long", "taller": "how tall", "higher": "how high", "deeper": "how deep", "wider": "how wide",
    "larger": "how large", "bigger": "how large", "more": "how many", "fewer": "how many", "less": "how much",
    "earlier": "when", "later": "when", "sooner": "when", "first": "when", "older": "when", "newer": "when",
    "faster": "how fast", "heavier": "how heavy", "cheaper": "how much does it cost", "smaller": "how large",
}  # fmt: skip
_COMPARED_EN = re.compile(rf"\b(?:which|who)\b(?P<what>[^?]*?)\b(?P<how>{'|'.join(_COMPARATIVES_EN)})\b", re.IGNORECASE)
_BY_TURNS_EN = re.compile(r"\b(?:both|each|respectively|compared?(?: with| to)?)\b,?", re.IGNORECASE)


def _one_only_en(question: str) -> str:
    """`question` about one thing without what compares: which is longer is how long is."""
    plain = _COMPARED_EN.sub(lambda m: f"{_COMPARATIVES_EN[m['how'].lower()]}{m['what'].rstrip()}", question, count=1)
    return " ".join(_BY_TURNS_EN.sub("", plain).split())


def _without_lead(first: str, second: str) -> str:
    """The end of `first` that is built like `second` (8月底 of …在8月底 before 11月底), or what follows a 的."""
    dated = re.search(r"\d+[^\d]+$", first) if second[0].isdigit() else None
    if dated and dated.group()[-1] == second[-1]:
        return dated.group()
    return first.rpartition("的")[2] or first


def _without_place(last: str, others: str) -> str:
    """乙区 of 甲区和乙区在会上…: where or when something is said belongs to all the things."""
    cut = re.search(r"(?<=..)(?:在|于|到|从)", last)
    return last[: cut.start()] if cut and not re.search("[在于到从]", others) else last


def _put(text: str, span: Span, name: str) -> str:
    return text[: span[0]] + name + text[span[1] :]
