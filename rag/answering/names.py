"""Names in an English question that stand in none of the articles found: what they are asked about is not there.

Only names that can be recognised in Chinese too count, by the table of word translations or by pinyin; of any other
name nobody knows how an article would write it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from rag.expansion import QueryExpander, spelled
from rag.lexicon import stem
from rag.tokens import fold, is_chinese

_WORD = re.compile(r"[A-Za-z]+(?:-[A-Za-z]+)*")
_PHRASE = re.compile(r"[A-Z][\w'’-]*(?: (?:(?:of|the|and|for) )?[A-Z][\w'’-]*)*")
_SHORTEST = 4
_SHORTEST_SPELLED = 6
_SURE = 0.5
"""Least weight of a translation, in (0, 1], for which its absence or presence says something."""
_NO_NAMES = frozenset(
    ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday", "january", "february", "march"]
    + ["april", "june", "july", "august", "september", "october", "november", "december"]
    + ["china", "chinese", "english", "british", "american"]
)


def absent_names(question: str, texts: Sequence[str], expander: QueryExpander) -> tuple[str, ...]:
    """The capitalised words of an English question, but its first, that none of `texts` holds in any form.

    Of several such words in a row (the Bureau of Fisheries) one that is held stands for all, unless they are spelled
    in pinyin: what a body is called has many translations.
    """
    if is_chinese(question):
        return ()
    words = list(_WORD.finditer(question))[1:]
    named = {match.group(): forms for match in words if (forms := _forms(match.group(), expander))}
    if not named:
        return ()
    whole = fold("\n".join(dict.fromkeys(texts)))
    latin = {stem(word) for word in re.findall(r"[a-z]+", whole)}
    missing = {
        name
        for name, forms in named.items()
        if stem(name.lower()) not in latin and not any(form in whole for form in forms)
    }
    held = named.keys() - missing
    absent = [
        name
        for phrase in _PHRASE.findall(question)
        for name in _WORD.findall(phrase)
        if name in missing and (spelled(name) or not held.intersection(_WORD.findall(phrase)))
    ]
    return tuple(dict.fromkeys(absent))


def _forms(name: str, expander: QueryExpander) -> tuple[str, ...]:
    """How Chinese text may write `name`; empty for what is no name or cannot be known."""
    plain = len(name) >= _SHORTEST and name[0].isupper() and name[1:].islower() and name.lower() not in _NO_NAMES
    if not plain:
        return ()
    sounded = spelled(name)
    if sounded:  # a short one (Luan: luan, lu-an) says too little
        return tuple(sounded) if len(name) >= _SHORTEST_SPELLED else ()
    translated = expander.translations(name)
    best = max(translated, key=lambda form: translated[form], default="")
    # Names are never translated by a single character; port, island, ring are.
    return tuple(form for form, weight in translated.items() if weight >= _SURE) if len(best) > 1 else ()
