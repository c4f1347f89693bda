"""One question that asks several things -> questions that each ask one thing and stand alone.

Two shapes are known: questions joined by a mark, a comma or "and" (它多长？何时通车？), and one question asked of
several things (甲厂和乙厂，谁的产量更高？), which is asked of each of them without its comparing words.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from rag.answering.question_type import AnswerType, has_asking, profile
from rag.answering.reader_text import fold_keep
from rag.followup import complete
from rag.tokens import detect_language

Span = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Part:
    """One of the things that a question asks."""

    question: str
    """Stands alone."""
    name: str = ""
    """The thing it is asked of, as the question calls it; empty unless one question is asked of several things."""
    goes_on: bool = False
    """Whether it asks more about the subject of the part before it."""


_MOST_PARTS = 4
_EMPTY_ZH = re.compile(r"[各是又分别都有为的了和,，？?\s]")
"""What says nothing beside an asking word (各是多少)."""


def parts(question: str) -> tuple[Part, ...]:
    """What `question` asks, thing by thing and in order; empty when it asks one thing.

    >>> [part.question for part in parts("青石大桥有多长？何时通车？")]
    ['青石大桥有多长', '青石大桥 何时通车']
    """
    asked_of = variants(question)
    if asked_of:
        return tuple(Part(variant.question, variant.name) for variant in asked_of[:_MOST_PARTS])
    pieces = question_parts(question)
    if len(pieces) < 2 or not all(map(_says_something, pieces)):
        return ()
    return tuple(_standing_alone(pieces)[:_MOST_PARTS])


def _says_something(piece: str) -> bool:
    """Whether a piece holds more than its asking words."""
    text = fold_keep(piece)
    for start, end in reversed(profile(piece).asking):
        text = text[:start] + text[end:]
    return len(_EMPTY_ZH.sub("", text)) > 1


def _standing_alone(pieces: tuple[str, ...]) -> list[Part]:
    """Pieces with what the first one says for all: its lead (那场雪，…), or its topic where they name nothing."""
    announced, own = _announced(pieces[0])
    lead = _lead(own)
    alone = [Part(f"{announced}，{own}" if announced else own)]
    for piece in pieces[1:]:
        bare = piece.strip(" ,，？?")
        goes_on = _lacks_subject(bare)
        own_subject = _lead(bare) or _takes_up(lead, bare)
        shared = "，".join(filter(None, (announced, "" if own_subject else lead)))
        full = f"{shared}，{bare}" if shared else complete(bare, own) if goes_on else bare
        alone.append(Part(full, goes_on=goes_on and full != bare))
    return alone


def _takes_up(lead: str, piece: str) -> bool:
    """Whether a piece begins with a word of the lead: of 甲村的桥和乙村的路，… 乙村修了几条 means the second."""
    return _JOINS_TWO.search(lead) is not None and piece[:2] in lead and not _lacks_subject(piece)


_JOINS_TWO = re.compile(r"[一-鿿”」](?:和|与|跟|以及)[一-鿿“「]")
_COLON = re.compile(r"[：:](?!\d)")
_COUNTED = re.compile(r"(?:的|里|先后|那|这)*[两三四五六几]\D{1,7}$")
_POLITE = re.compile(r"(?:请问|请|麻烦)|(?:^|[,，])[^,，]{0,6}(?:帮我|想|分清|问|告诉|知道|了解|说说)[^,，]*$")


def _announced(piece: str) -> tuple[str, str]:
    """What a piece says before a colon about all questions, and the rest; 城西的两件事：… tells only 城西.

    Words that only introduce (帮我分清：) are dropped, so that they do not weigh in the search.
    """
    colon = _COLON.search(piece)
    if colon is None or has_asking(piece[: colon.start()], detect_language(piece)):
        return "", piece
    said = _POLITE.sub("", piece[: colon.start()])
    return _COUNTED.sub("", said).strip(" ,，"), piece[colon.end() :].strip()


_NO_SUBJECT_ZH = re.compile(
    r"(?:[又还并也而则再]|后来|最后|目前|现在|当时|一共|总共|共|大概|大约|预计|计划|最终)*"
    r"(?:[它他她其这那该比]|同比|环比|[今去明前]年|(?:19|20)\d\d年|办结|何时|什么|哪|谁|几|多[少长高大久远重深宽快]|怎|为何"
    r"|[有在由于从向是叫将要会能可设占每]|第[一二三四五]|全[长程部]|总[投面共]"
    r"|平均|开[通工业馆园放始]|建[成设]|完工|竣工|通车|投[资用入运]|启用|启动|覆盖|面积|票价|[起首末]班|成立|创[办立]|负责|参[加与展]|吸引)"
)


def _lacks_subject(piece: str) -> bool:
    """Whether a piece begins with what is said of something, not with the thing itself."""
    return detect_language(piece) == "en" or _NO_SUBJECT_ZH.match(piece) is not None


_LEAD_END = re.compile(r"[,，](?=[^,，]*$)")


def _lead(piece: str) -> str:
    """What stands before the asking clause of a piece: the occasion or subject of all questions."""
    cuts = [m.start() for m in _LEAD_END.finditer(piece)]
    language = detect_language(piece)
    for cut in reversed(cuts):
        if language == "zh" and not _asks(piece[:cut], language):
            return piece[:cut].strip()
    return ""


_SEVERAL = re.compile(
    r"各(?!地|界|类|种|级|位|项|区|县|市|省|国|族|方|行|单位|部门|有关|个|大|处|校|乡|镇|社)|分别|比一比|相比|对比|差多少"
    r"|(?:哪|谁).{0,8}(?:更|[最较]?先|得[多少高快早])"
    r"|这[两三四五几](?!年|天|月)"
    r"|(?:两|三|四|几)(?:家|个|份|条|次|批|位|场|项)[^?？]*(?:哪|什么|谁)|哪[两三四五六七八九十](?:家|个|所|位|场|项)[^?？]*一"
    r"|\brespectively\b|\bboth\b|(?<!\bfor )(?<!\bper )\beach\b(?! year| day| month)"
    r"|\bcompared?\b|\bwhich\b.*\b(?:more|[a-z]+er)\b.*\bor\b"
    r"|\bwhich\b.*\bmore\b|\bwhich (?:two|three|four|five)\b"
)
_LIST = re.compile(
    r"哪些|哪(?:[几两三四五六七八九十]|[2-9]|1\d)(?!天|年|月|日|岁)|有哪(?!一|个|条|家|位)|都有(?:什么|谁)"
    r"|\b(?:which|what) (?:two|three|four|five|six|seven|eight|several)\b"
    r"|\b(?:which|what)(?: kinds of| types of)? (?!(?:does|is|was|has|this|its|his|us|series|species|news)\b)"
    r"[a-z]+(?<![siu])s\b"
)


def asks_several(question: str) -> bool:
    """Whether `question` compares things or asks the same of each of several."""
    return _SEVERAL.search(fold_keep(question)) is not None


def names_list(question: str) -> bool:
    """Whether `question` asks for things by a word such as 哪些, 哪几, which three: it wants one list."""
    return _LIST.search(fold_keep(question)) is not None


def asks_list(question: str) -> bool:
    """Whether the answer to `question` is a list."""
    text = fold_keep(question)
    is_list = detect_language(question) == "zh" and AnswerType.LIST in profile(text).types
    return is_list or names_list(question)


_PART_END = re.compile(r"[？?；;]+")
_AND_EN = re.compile(r",?\s+and\s+(?=(?:(?:on|in|at|by|from|to)\s+)?(?:how|what|when|where|who|which|why|whose)\b)")
_AND_ZH = re.compile(r"[,，](?=[^,，、？?]*(?:多少|几|谁|哪|什么|啥|何时|何|多[长高大久远]))")


def question_parts(question: str) -> tuple[str, ...]:
    """The questions inside one question, in order, each asking something; `(question,)` when it is one.

    >>> question_parts("When did it open, and how long is it?")
    ('When did it open', 'how long is it')
    """
    language = detect_language(question)
    pieces = [question]
    for cut in (_PART_END, _AND_ZH if language == "zh" else _AND_EN):
        pieces = [piece for whole in pieces for piece in _split_asking(whole, cut, language)]
    return tuple(pieces) if len(pieces) > 1 else (question,)


_NOT_ASKING = re.compile(
    r"[这那近前后头好]几|十几|几乎|不(?:懂|知道?|会|清楚|明白)(?:怎么|什么|如何|哪里)|无论|不管|任何"
)
"""Asking words that ask nothing: 这几年, 不懂怎么用."""


def _asks(text: str, language: str) -> bool:
    return has_asking(_NOT_ASKING.sub("", text), language)


def _split_asking(text: str, cut: re.Pattern[str], language: str) -> list[str]:
    """`text` cut where `cut` matches; a piece that asks nothing stays with the one after it."""
    pieces: list[str] = []
    pending = ""
    begin = 0
    for match in [*cut.finditer(text), None]:
        piece = text[begin : match.start() if match else len(text)].strip()
        begin = match.end() if match else begin
        if not piece:
            continue
        pending = f"{pending}，{piece}" if pending else piece
        if _asks(pending, language):
            pieces.append(pending)
            pending = ""
    if pending and pieces:
        pieces[-1] += f"，{pending}"
    return pieces or [text]


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
    if match is None or detect_language(question) != "zh" or not _asks(match["asking"], "zh"):
        return ()
    things = (match["first"].strip("，, "), match["second"].strip("，, "))
    if any(_asks(thing, "zh") for thing in things):
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
