"""Character folding as a SentencePiece `precompiled_charsmap`, so that it lives in `tokenizer.json`.

The folding is the one of lexical search (`rag.tokens.fold`: width, case, Chinese script) plus accents of
Latin letters. The format is a double-array trie (darts-clone) over UTF-8 keys whose values are offsets
into a block of NUL-terminated replacements; the `Precompiled` normalizer of Hugging Face tokenizers reads it.
"""

from __future__ import annotations

import re
import struct
import sys
import unicodedata
from collections.abc import Mapping

from rag.tokens import fold

_DROPPED = re.compile(r"[̀-ͯ҃-҉᪰-᫿᷀-᷿⃐-⃿︀-️︠-︯]")
_UNMAPPED = re.compile(r"[가-힣ﭐ-﷿ﹰ-﻾\ud800-\udfff\ue000-\uf8ff]")
_HAS_LEAF = 1 << 8
_LEAF = 1 << 31
_OPEN_UNITS = 16 * 256
"""Only the last blocks are searched for room, as darts-clone does: a little space for much time."""


def folding_table() -> dict[str, str]:
    """Every character that folding changes, with what it becomes (possibly nothing)."""
    table: dict[str, str] = {}
    for code in range(0x21, min(0x30000, sys.maxunicode)):
        char = chr(code)
        if _UNMAPPED.match(char) or unicodedata.category(char) == "Cn":
            continue
        folded = _without_accents(fold(char))
        if folded != char and (folded or _DROPPED.match(char) or unicodedata.category(char) == "Cf"):
            table[char] = folded
    return table


def compile_charsmap(table: Mapping[str, str]) -> bytes:
    """Binary charsmap of `table`: trie size (uint32, little endian), trie, replacements."""
    values: dict[bytes, int] = {}
    block = bytearray()
    offsets: dict[str, int] = {}
    for char, replacement in sorted(table.items()):
        if replacement not in offsets:
            offsets[replacement] = len(block)
            block += replacement.encode() + b"\0"
        values[char.encode()] = offsets[replacement]
    units = _double_array(values)
    trie = struct.pack(f"<{len(units)}I", *units)
    return struct.pack("<I", len(trie)) + trie + bytes(block)


def _without_accents(text: str) -> str:
    return "".join(
        unicodedata.normalize("NFKD", char)[0] if "LATIN" in unicodedata.name(char, "") else char for char in text
    )


_Trie = dict[int, "_Trie | int"]


def _trie(values: Mapping[bytes, int]) -> _Trie:
    root: _Trie = {}
    for key, value in values.items():
        node = root
        for byte in key:
            child = node.setdefault(byte, {})
            assert isinstance(child, dict)
            node = child
        node[0] = value
    return root


def _double_array(values: Mapping[bytes, int]) -> list[int]:
    """Units of a darts-clone trie: a child by byte `c` stands at `base ^ c`, the value of a key at `base`."""
    units = [0] * 256
    used = [False] * 256
    used[0] = True
    bases: set[int] = set()
    start = 1
    queue: list[tuple[_Trie, int]] = [(_trie(values), 0)]
    while queue:
        node, position = queue.pop(0)
        start = max(start, len(used) - _OPEN_UNITS)
        while start < len(used) and used[start]:
            start += 1
        base = _free_base(sorted(node), used, bases, start, units)
        bases.add(base)
        units[position] |= (base ^ position) << 10
        for byte, child in node.items():
            used[base ^ byte] = True
            if isinstance(child, int):
                units[position] |= _HAS_LEAF
                units[base] = _LEAF | child
            else:
                units[base ^ byte] = byte
                queue.append((child, base ^ byte))
    return units


def _free_base(labels: list[int], used: list[bool], bases: set[int], start: int, units: list[int]) -> int:
    """First base whose places for `labels` are all free; grows the array by blocks of 256.

    Two nodes never share a base: the reader checks labels only, and would step into the other's children.
    """
    position = start
    while True:
        if position >= len(used):
            units.extend([0] * 256)
            used.extend([False] * 256)
        base = position ^ labels[0]
        if base > 0 and base not in bases and all(not used[base ^ label] for label in labels):
            return base
        position += 1
