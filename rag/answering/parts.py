"""One question that asks several things -> questions that each ask one thing and stand alone.

Two shapes are known: questions joined by a mark, a comma or "and" (它多长？何时通车？), and one question asked of
several things (甲厂和乙厂，谁的产量更高？), which is asked of each of them without its comparing words.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from rag.answering.question_type import AnswerType, has_asking, profile
from rag.answering.reader_text import fold_keep
from rag.answering.variants import asks, variants
from rag.followup import complete
from rag.tokens import detect_language


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
        if language == "zh" and not asks(piece[:cut], language):
            return piece[:cut].strip()
    return ""


_LIST = re.compile(
    r"哪些|哪(?:[几两三四五六七八九十]|[2-9]|1\d)(?!天|年|月|日|岁)|有哪(?!一|个|条|家|位)|都有(?:什么|谁)"
    r"|\b(?:which|what) (?:two|three|four|five|six|seven|eight|several)\b"
    r"|\b(?:which|what)(?: kinds of| types of)? (?!(?:does|is|was|has|this|its|his|us|series|species|news)\b)"
    r"[a-z]+(?<![siu])s\b"
)


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
        if asks(pending, language):
            pieces.append(pending)
            pending = ""
    if pending and pieces:
        pieces[-1] += f"，{pending}"
    return pieces or [text]
