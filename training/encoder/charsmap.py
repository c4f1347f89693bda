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
from collections import deque
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
    array = _Units()
    queue: deque[tuple[_Trie, int]] = deque([(_trie(values), 0)])
    while queue:
        node, position = queue.popleft()
        base = array.take(sorted(node))
        array.units[position] |= (base ^ position) << 10
        for byte, child in node.items():
            if isinstance(child, int):
                array.units[position] |= _HAS_LEAF
                array.units[base] = _LEAF | child
            else:
                array.units[base ^ byte] = byte
                queue.append((child, base ^ byte))
    return array.units


class _Units:
    """Places of a double array, handed out first fit.

    Two nodes never share a base: the reader checks labels only, and would step into the other's children.
    """

    def __init__(self) -> None:
        self.units: list[int] = []
        self._used: list[bool] = []
        self._bases: set[int] = {0}
        self._first_leaf = 1
        self._grow(1)
        self._used[0] = True

    def take(self, labels: list[int]) -> int:
        """A base whose places for `labels` are all free; they are taken."""
        leaf = labels == [0]
        position = self._first_leaf if leaf else max(1, len(self.units) - _OPEN_UNITS)
        while not self._fits(position ^ labels[0], labels):
            position += 1
            self._grow(position)
        if leaf:
            self._first_leaf = position
        base = position ^ labels[0]
        self._bases.add(base)
        for label in labels:
            self._used[base ^ label] = True
        return base

    def _fits(self, base: int, labels: list[int]) -> bool:
        return base not in self._bases and not any(self._used[base ^ label] for label in labels)

    def _grow(self, position: int) -> None:
        if position >= len(self.units):
            self.units.extend([0] * 256)
            self._used.extend([False] * 256)
