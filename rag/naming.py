"""Names that an earlier message holds, for a question that means one of them: 他, 该集团, 这两台, she."""

from __future__ import annotations

import re
from typing import Final

from rag.answering.facts import SURNAMES
from rag.answering.question_type import AnswerType, profile
from rag.answering.reader_spans import typed_spans
from rag.answering.reader_text import fold_keep
from rag.numerals import whole_number
from rag.tokens import is_chinese

_LONGEST_NAME: Final = 30

LATIN_NAME = re.compile(r"\b[A-Z][\w.&'-]*(?:\s+(?:of\s+|the\s+)?[A-Z][\w.&'-]*)*")
_ORGANISATION = re.compile(
    r"[一-鿿A-Za-z0-9]{2,16}?(?:股份有限公司|有限责任公司|有限公司|集团|公司|科技|大学|学院|医院|中心|联盟|联合体|"
    r"研究院|研究所|委员会|园区|项目|工程|高铁|铁路|号线|大桥|机场|码头|开发区|新区|行动方案|平台|论坛|大会)"
)
_QUOTED = re.compile(r"[“《「『]([^”》」』]{2,30})[”》」』]")
_ORDINAL = re.compile(r"第[一二三四五六七八九十\d]{1,4}[批届期次号轮]")
_LEADING = re.compile(
    r"^(?:此次|目前|近日|昨[日天]|今[日天年]|据悉|其中|[，,、]|由|在|与|和|的|是|为|被|从|对|以及|已|成为)+"
)
_WITHIN = re.compile(r"^.*(?:由|与|向|被|赴|来自)(?=[一-鿿A-Za-z0-9]{3})")


def proper_names(text: str) -> list[str]:
    """Names in `text`, in order: quoted titles, organisations, ordinals such as 第二十批, Latin names."""
    found: list[tuple[int, str]] = []
    for pattern in (_QUOTED, _ORGANISATION, _ORDINAL, LATIN_NAME):
        for match in pattern.finditer(text):
            name = _LEADING.sub("", match.group(match.lastindex or 0)).strip()
            if len(name) >= 2:
                found.append((match.start(), name))
    return list(dict.fromkeys(name for _, name in sorted(found)))


def named_like(reply: str, noun: str) -> str:
    """The first name of `reply` that ends in `noun` (该集团: 云帆集团); empty when there is none."""
    found = (_WITHIN.sub("", name) for name in proper_names(reply))
    return next((name for name in found if name.endswith(noun) and name != noun), "")


_TERSE = re.compile(r"(?:答案)?(?:[^，,。；;“《]{0,16}?(?:是|叫做?|名为|称为)|由|为)(?P<name>[^，,。；;、]+)")
_CLAUSE_END = re.compile(r"[，,。；;]|$")
_BRACKETS_BEHIND = re.compile(r"[（(][^（）()]*[）)]$")
_ONLY_WHEN = re.compile(r"(?:昨[天日]|今[天日]|近日|日前|目前|据悉|(?:\d{4}年)?\d{1,2}月(?:\d{1,2}日)?|[由，,、\s])*")
"""What may stand before a name with which a reply begins."""
_DOING = re.compile(r"(?:负责)?[一-鿿]{2}的$")
"""What stands behind the name in 是云帆集团承建的."""


def answered(reply: str, kind: AnswerType) -> tuple[str, bool]:
    """The name that `reply` gives where a `kind` of name was asked for, and whether that is sure.

    It is sure where the reply says nothing but the name (是云帆集团。) or begins with it.
    """
    if not is_chinese(reply):
        name = _english_name(reply)
        return name, bool(name) and reply.startswith(name)
    terse = _TERSE.match(reply)
    if terse and reply[: terse.start("name")].count("的") < 2:
        name = _plain(terse["name"])
        if name and (kind is not AnswerType.ORGANISATION or not re.match(r"[一二两三\d]", name)):
            return name, True
    found = [(reply.find(name), name) for name in _of_kind(reply, kind)]
    if not found:
        return "", False
    place, name = found[0]
    return name, _ONLY_WHEN.fullmatch(reply[:place].strip("“《「")) is not None


def _plain(name: str) -> str:
    """`name` without brackets, marks, what it does (承建的) and where it is (东丽区的)."""
    name = _DOING.sub("", _BRACKETS_BEHIND.sub("", name.strip()).strip())
    name = name.rpartition("的")[2].strip(" “”《》「」\"'")
    return name if 2 <= len(name) <= _LONGEST_NAME else ""


def _of_kind(reply: str, kind: AnswerType) -> list[str]:
    folded = fold_keep(reply)
    names = [reply[start:end].strip("“”《》「」") for start, end in typed_spans(folded, kind)]
    return [name for name in (_WITHIN.sub("", _LEADING.sub("", name)) for name in names) if len(name) > 1]


_TITLE = r"(?:教授|先生|女士|医生|老师|师傅|院士|博士|主任|经理|队长|书记|局长|院长|校长)"
_TITLED = re.compile(rf"(?<![一-鿿])[{SURNAMES}]{_TITLE}|(?<=[才员家者人者的长授])[{SURNAMES}]{_TITLE}")
_FOREIGN = re.compile(r"[一-鿿]{2,6}(?:·[一-鿿]{1,8})+")
_OFFICE = re.compile(
    rf"{_TITLE}|(?:市长|区长|部长|会长|主席|总裁|董事长|总经理|负责人|创始人|设计师|工程师|教练|专家|研究员|馆长|站长)"
)


def person(reply: str, question: str = "") -> str:
    """The person that `reply` names, above all where `question` asked who; empty when there is none."""
    if not is_chinese(reply):
        return _english_name(reply)
    asked = AnswerType.PERSON in profile(question).types if question else False
    if asked:
        name, sure = answered(reply, AnswerType.PERSON)
        if sure and 2 <= len(name) <= 12 and not _OFFICE.fullmatch(name):
            return _without_office(name)
    found = [m.group() for pattern in (_TITLED, _FOREIGN) for m in pattern.finditer(reply)]
    spans = typed_spans(fold_keep(reply), AnswerType.PERSON)
    found += [reply[a:b] for a, b in spans if reply[a] in SURNAMES or "·" in reply[a:b]]
    people = [name for name in found if not _NO_PERSON.search(name)]
    return min(people, key=reply.find, default="")


_NO_PERSON = re.compile(r"^程师|[正在将已的是说了]")
"""What the rules for names take for one: 程师正 of 工程师正测试."""


def _without_office(name: str) -> str:
    """林晓舟 for 总工程师林晓舟."""
    offices = list(_OFFICE.finditer(name))
    return name[offices[-1].end() :] if offices and len(name) - offices[-1].end() >= 2 else name


_MARKED = re.compile(r"[“《「『][^”》」』]{2,30}[”》」』]")
_JOINED = re.compile(r"、|和|与|及|以及")


def several(reply: str, count: str) -> str:
    """The names of `reply` when it gives `count` (两, 三, 3) of them, joined; empty otherwise.

    >>> several("有“青舟”和“白帆”。", "两")
    '“青舟”和“白帆”'
    """
    wanted = 2 if count in "两双" else whole_number(count)
    marked: list[str] = list(dict.fromkeys(_MARKED.findall(reply)))
    if len(marked) == wanted and wanted > 1:
        return "、".join(marked[:-1]) + "和" + marked[-1]
    clause = reply[: next(m.start() for m in _CLAUSE_END.finditer(reply))]
    terse = _TERSE.match(clause)
    listed: str = clause[terse.start("name") :] if terse else clause
    items = [item for item in _JOINED.split(listed) if item]
    return listed if len(items) == wanted and all(2 <= len(item) <= 20 for item in items) else ""


_CAPITALISED = (  # for another reason than being a name
    "january february march april may june july august september october november december monday tuesday wednesday "
    "thursday friday saturday sunday first more direct all no not but if after before while since what which who whom "
    "whose when where why how many much did does do is are was were has have had the a an of in on at to for by and or "
    "with from as that this there it its he she they his their her him any some about"
)
_NO_NAMES = frozenset(_CAPITALISED.split())


def _english_name(reply: str) -> str:
    """The first name of two words or more, else the first name."""
    names = [name for m in LATIN_NAME.finditer(reply) if (name := _bare(m.group())).lower() not in _NO_NAMES and name]
    return next((name for name in names if " " in name), names[0] if names else "")


def _bare(name: str) -> str:
    """`name` without the function word that begins its sentence."""
    words = name.removesuffix("'s").rstrip(".").split()
    while words and words[0].lower() in _NO_NAMES:
        words = words[1:]
    return " ".join(words)
