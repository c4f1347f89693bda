"""What an article must hold before it can answer: the question's years, ordinals and kind of figure.

A near miss shares every word with the question but another year, batch or kind of amount; these rules see it
where word overlap cannot.
"""

from __future__ import annotations

import re

from rag.answering.question_type import MEASURE_UNITS, AnswerType, QuestionProfile, ordinals
from rag.answering.reader_spans import has_unit, typed_spans
from rag.answering.reader_text import fold_keep
from rag.numerals import whole_number
from rag.tokens import is_chinese
from rag.types import Article

_COMMON_ORDINALS = range(1, 4)
"""The first, the second, the third are often said without their number."""


def meets_constraints(question: QuestionProfile, article: Article) -> bool:
    """Whether `article` can answer at all."""
    text = fold_keep(f"{article.title}\n{article.text}")
    return (
        _has_years(question, article, text)
        and _has_ordinals(question, text)
        and _has_designations(question, text)
        and _has_measure(question, text)
    )


def is_about_another(question: QuestionProfile, article: Article, sentence: str) -> bool:
    """Whether a sentence names another line, district, land or batch than the question, and not the question's own.

    Another year as well, unless a day is asked for.
    """
    text = fold_keep(f"{article.title}\n{sentence}")
    for find in (_lines, _areas, _lands):
        asked = find(question.text)
        held = find(text)
        if asked and held and not asked & held:
            return True
    return _of_another_ordinal(question.text, text) or _of_another_year(question, article, sentence)


def _lands(text: str) -> set[str]:
    return set(_LAND.findall(text))


def _of_another_ordinal(question: str, text: str) -> bool:
    """Whether `text` counts what the question counts (第三届) and only with other ordinals."""
    held: dict[str, set[int | None]] = {}
    for number, unit in _COUNTED.findall(text):
        held.setdefault(unit, set()).add(whole_number(number))
    asked = [(whole_number(number), unit) for number, unit in _COUNTED.findall(question)]
    return any(unit in held and number not in held[unit] for number, unit in asked)


def _of_another_year(question: QuestionProfile, article: Article, sentence: str) -> bool:
    """Whether a sentence tells of other years than the question names, in figures or as 去年."""
    if not question.years or AnswerType.DATE in question.types:
        return False
    told = set(_YEAR.findall(sentence))
    if article.date is not None:
        told |= {str(article.date.year + shift) for word, shift in _YEAR_WORDS.items() if word in sentence}
    return bool(told) and not told & set(question.years)


def _lines(text: str) -> set[str]:
    """Metro lines by number, as Chinese writes them: 7号线, also for Line 7."""
    english = {f"{m[1]}号线" for m in _LINE_EN.finditer(text)}
    return set(_NUMBERED.findall(text)) | english


def _areas(text: str) -> set[str]:
    return {name for name in _AREA.findall(text) if not _COMMON_AREA.search(name)}


def _has_years(question: QuestionProfile, article: Article, text: str) -> bool:
    """One of the question's years is printed in the article, is its own, or is meant by 去年 or 明年."""
    if not question.years or any(year in text for year in question.years):
        return True
    if article.date is None:
        return False
    words = {0: "", -1: "去年|上年|last year", 1: "明年|next year"}
    apart = [int(year) - article.date.year for year in question.years]
    return any(gap in words and re.search(words[gap], text) is not None for gap in apart)


_LAND = re.compile(
    "美国|英国|法国|德国|俄罗斯|日本|韩国|朝鲜|印度尼西亚|印度|巴基斯坦|孟加拉国|缅甸|泰国|越南|老挝|柬埔寨|马来西亚|新加坡|菲律宾|印尼|澳大利亚"
    "|新西兰|加拿大|墨西哥|巴西|阿根廷|智利|秘鲁|哥伦比亚|委内瑞拉|古巴|意大利|西班牙|葡萄牙|荷兰|比利时|瑞士|瑞典|挪威|芬兰|丹麦|波兰|捷克|匈牙利|奥地利"
    "|希腊|土耳其|乌克兰|白俄罗斯|哈萨克斯坦|乌兹别克斯坦|吉尔吉斯斯坦|塔吉克斯坦|土库曼斯坦|伊朗|伊拉克|沙特|阿联酋|卡塔尔|以色列|埃及|南非|尼日利亚"
    "|肯尼亚|埃塞俄比亚|坦桑尼亚|博茨瓦纳|摩洛哥|阿尔及利亚|刚果|加纳|蒙古国|斯里兰卡|尼泊尔"
)
_COUNTED = re.compile(r"第([〇零一二三四五六七八九十百\d]+)([届批次期号轮季])")
_YEAR = re.compile(r"(?<!\d)((?:19|20)\d{2})(?=年)")
_YEAR_WORDS = {"前年": -2, "去年": -1, "今年": 0, "明年": 1}
_NUMBERED = re.compile(r"[a-z]?\d+号线")
_LINE_EN = re.compile(r"\blines? (\d+)\b")
_AREA = re.compile(r"[一-鿿]{2}[区县](?!域|别|级|委|政)")
_COMMON_AREA = re.compile(
    r"[社园小地街校城山景灾郊市各全院库矿林牧厂战辖湾海港新老本该两这那此保税发验览乐动产居住业务公理核心缓冲试示范控色片带能险观活机车息候]区|[各全本该两]县|哪个?[区县]|[个些的][区县]"
)


def _has_designations(question: QuestionProfile, text: str) -> bool:
    """Lines, buildings and districts that the question names by number or name (7号线, 静海区)."""
    lines, areas = _lines(question.text), _areas(question.text)
    return not (lines or areas) or bool(lines & _lines(text)) or any(name in text for name in areas)


def _has_ordinals(question: QuestionProfile, text: str) -> bool:
    wanted = [n for n in question.ordinals if n not in _COMMON_ORDINALS]
    held = ordinals(text) if wanted else ()
    # 二十届四中全会 and 12th stand for 第二十届 and 第十二 as well.
    return not wanted or any(n in held or f"{_in_chinese(n)}届" in text for n in wanted)


def _has_measure(question: QuestionProfile, text: str) -> bool:
    """A question for money, an area, a share … needs such a figure somewhere in the article."""
    if AnswerType.NUMBER not in question.types or question.units not in MEASURE_UNITS or not is_chinese(text):
        return True
    figures = [text[a:b] for a, b in typed_spans(text, AnswerType.NUMBER)]
    return any(has_unit(figure, question.units) and figure not in question.text for figure in figures)


def _in_chinese(value: int) -> str:
    """Up to 99 in Chinese numerals; a larger one as it is."""
    digits = "零一二三四五六七八九"
    if value > 99:
        return str(value)
    tens, ones = divmod(value, 10)
    return (("" if tens == 1 else digits[tens]) + "十" if tens else "") + (digits[ones] if ones or not tens else "")
