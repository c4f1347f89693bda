"""What a sentence states that can be looked up: numbers, dates, quoted words, names."""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from functools import cached_property

from rag.dates import DateMention, find_dates
from rag.numbers import Number, find_numbers, same_amount
from rag.pinyin import is_pinyin, spelled_in_pinyin
from rag.tokens import fold, is_chinese


class FactKind(StrEnum):
    """What is looked up."""

    NUMBER = "number"
    DATE = "date"
    QUOTE = "quote"
    NAME = "name"


@dataclass(frozen=True, slots=True)
class Fact:
    """One thing to look up, as written."""

    kind: FactKind
    text: str
    number: Number | None = None
    literal: bool = True
    """Whether it must stand in a text as written; an English name may stand in a Chinese text in Chinese."""


_ANY_DAY = dt.date(2000, 1, 1)
_QUOTED = re.compile(r"“([^“”\n]{2,})”|「([^「」\n]{2,})」|『([^『』\n]{2,})』|《([^《》\n]{2,})》|\"([^\"\n]{2,})\"")
_LATIN = re.compile(r"(?<![A-Za-z0-9])(?=[A-Za-z0-9]*[A-Z])[A-Za-z][A-Za-z0-9]*(?:[-.&'’/][A-Za-z0-9]+)*")
_CAPITALISED = re.compile(r"(?<![A-Za-z0-9])[A-Z][\w'’-]*(?: [A-Z][\w'’-]*)*")
_CAPITALISED_WORDS = (  # for another reason than being a name
    "a an the this that these those it its he she they his her their we our i you in on at by for from to of with as "
    "and or but if when while after before since until during under over about according although because both each "
    "however more most no not one some such there then thus all also another any many several other what which who "
    "how where why chinese english monday tuesday wednesday thursday friday saturday sunday"
)
_NO_NAMES = frozenset(_CAPITALISED_WORDS.split())
_ROLE = (
    r"(?:书记|主任|市长|区长|局长|院长|校长|会长|主席|总裁|董事长|总经理|经理|负责人|教授|院士|专家"
    r"|记者|研究员|教练|医生)"
)
SURNAMES = (  # without those that often begin a verb or preposition (向, 关于, 包括, 曾任)
    "赵钱孙李周吴郑王冯陈褚卫蒋沈韩杨朱秦许何吕施张孔曹严华金魏陶姜谢邹章苏潘葛范彭郎鲁韦马苗俞袁柳鲍史唐费薛雷贺倪汤滕罗毕郝邬"
    "傅皮齐康伍余顾孟黄穆萧尹姚邵汪祁毛米贝臧戴宋庞熊纪舒屈祝董梁杜阮蓝闵季贾娄江童颜郭梅盛林刁钟徐邱骆夏蔡田樊胡凌霍虞柯"
    "卢莫丁邓郁杭洪崔吉龚程邢裴陆荣翁荀甄曲封储靳焦侯宓仲宁仇栾甘厉武刘景詹叶黎蒲赖卓乔谭姬冉雍桑桂牛边燕尚庄晏柴瞿"
    "阎慕茹习艾鱼戈廖衡耿寇聂晁勾敖辛饶岳"
)
_PERSON = re.compile(rf"{_ROLE}(?!马上|许多|何时|何地|江苏|严格|宁波)([{SURNAMES}][一-鿿])")


def find_facts(sentence: str) -> list[Fact]:
    """Facts of `sentence`: dates, numbers, quotes, names, each in order of appearance.

    Chinese names are found only where a mark shows them: in quotes or title marks, or after an office
    (书记, 教授, …), then their first two characters. 一 and one are not looked up.
    """
    dates = [(m.start, m.end) for m in find_dates(sentence, _ANY_DAY)]
    numbers = find_numbers(sentence)
    facts = [Fact(FactKind.DATE, sentence[start:end]) for start, end in dates]
    facts += [
        Fact(FactKind.NUMBER, sentence[n.start : n.end], n) for n in numbers if not (n.spelled and n.value in {0, 1})
    ]
    facts += [Fact(FactKind.QUOTE, next(g for g in m.groups() if g)) for m in _QUOTED.finditer(sentence)]
    bare = _blank(sentence, dates + [(n.start, n.end) for n in numbers])
    if is_chinese(sentence):
        names = [m.group() for m in _LATIN.finditer(bare)] + [m.group(1) for m in _PERSON.finditer(bare)]
        return facts + [Fact(FactKind.NAME, name) for name in names]
    return facts + [Fact(FactKind.NAME, n, literal=bool(re.search(r"\d", n))) for n in _english_names(bare)]


def _blank(text: str, spans: list[tuple[int, int]]) -> str:
    for start, end in spans:
        text = text[:start] + "\n" * (end - start) + text[end:]
    return text


def _english_names(sentence: str) -> list[str]:
    names = []
    for match in _CAPITALISED.finditer(sentence):
        words = match.group().split(" ")
        while words and words[0].lower() in _NO_NAMES:
            del words[0]
        while words and words[-1].lower() in _NO_NAMES:
            del words[-1]
        opens = not sentence[: match.start()].strip(" \n-*•“\"'(")
        if not words or (opens and len(words) == 1 and not re.search(r"\d|[A-Z].*[A-Z]", words[0])):
            continue  # a single capitalised word that opens the sentence may be any word
        names.append(" ".join(words))
    return names


class Evidence:
    """A text in which facts are looked up, with the day on which it appeared."""

    def __init__(self, text: str, date: dt.date | None, as_of: dt.date) -> None:
        """`date` resolves words such as 昨日 and days without a year; `as_of` does where it is None."""
        self.text = text
        self._date = date
        self._anchor = date or as_of

    def holds(self, fact: Fact) -> bool:
        """Whether the text states `fact`, or `fact` is of a kind that cannot be told.

        That is a quotation or a name in another language than the text, unless the name is written in pinyin.
        """
        if fact.kind is FactKind.DATE:
            return self._holds_date(fact.text)
        if fact.number is not None:
            return self._holds_number(fact.number, fact.text)
        if fact.kind is FactKind.QUOTE:
            return squeeze(fact.text) in self.squeezed or is_chinese(fact.text) != self.is_chinese
        return self._holds_name(fact)

    @cached_property
    def squeezed(self) -> str:
        """The text for verbatim comparison."""
        return squeeze(self.text)

    @cached_property
    def is_chinese(self) -> bool:
        """Whether the text is Chinese."""
        return is_chinese(self.text)

    @cached_property
    def _numbers(self) -> list[Number]:
        return find_numbers(self.text)

    @cached_property
    def _dates(self) -> list[DateMention]:
        return find_dates(self.text, self._anchor)

    def _holds_date(self, words: str) -> bool:
        """A day, month or year is held by a mention of the same or of a day within it, and by the article's own."""
        days = [(mention.first, mention.last) for mention in self._dates]
        days += [(self._date, self._date)] if self._date else []
        return all(
            any(mention.first <= first and last <= mention.last for first, last in days)
            for mention in find_dates(words, self._anchor)
        )

    def _holds_number(self, number: Number, words: str) -> bool:
        if any(same_amount(number, other) for other in self._numbers):
            return True
        if number.bound in {"about", "nearly"} and any(_rounds_to(other, number) for other in self._numbers):
            return True
        # A bare figure may be part of a date or a code in the text.
        return not number.unit and bool(re.search(rf"(?<![\d.]){re.escape(words)}(?!\d|\.\d)", self.text))

    def _holds_name(self, fact: Fact) -> bool:
        if squeeze(fact.text) in self.squeezed:
            return True
        words = [re.sub(r"['’]s?\Z", "", word) for word in re.split(r"[ -]", fact.text)]
        words = [word for word in words if word.lower() not in _NO_NAMES]
        if fact.literal or not self.is_chinese:
            return all(squeeze(word) in self.squeezed for word in words)
        letters = [re.sub(r"[^a-z]", "", fold(word)) for word in words]
        if spelled_in_pinyin("".join(letters), self.text) or spelled_in_pinyin("".join(letters[::-1]), self.text):
            return True
        # Only what reads as a full name in pinyin can be told to be missing from a Chinese text.
        return not (len(words) > 1 and all(is_pinyin(word) for word in letters))


def squeeze(text: str) -> str:
    """`text` folded, without white space and punctuation."""
    return re.sub(r"[\W_]+", "", fold(text))


def _rounds_to(exact: Number, rounded: Number) -> bool:
    """Whether `rounded` is `exact` with fewer digits, as in about 120 million for 1.213亿."""
    if exact.unit and rounded.unit and exact.unit != rounded.unit:
        return False
    place = Decimal(1).scaleb(int(rounded.value.normalize().as_tuple().exponent))
    return bool(rounded.value) and (exact.value / place).to_integral_value() * place == rounded.value
