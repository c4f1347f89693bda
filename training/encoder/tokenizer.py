"""Builds the tokenizer: folded characters, whole frequent words of both languages, pieces for the rest.

A Unigram model whose pieces and probabilities are counted, not learned: Chinese words as jieba cuts them
(`rjieba`), English words between spaces, and for rarer English words the pieces of a BPE and the syllables
of pinyin. Its Viterbi path is then the most probable cut into known words, which is what jieba does too.
Everything lives in `tokenizer.json`; no code of ours is needed to read it.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from tokenizers import Regex, Tokenizer, models, normalizers, pre_tokenizers, trainers

from training.encoder.charsmap import compile_charsmap, folding_table

UNKNOWN = "[UNK]"
_HAN_RUN = re.compile(r"[㐀-䶿一-鿿]+")
_WORD = re.compile(r"[^\W\d_㐀-䶿一-鿿]+")
_NUMBER = re.compile(r"\d+")
_KEPT = r"\p{Han}+|\p{Nd}+|[\p{L}&&[^\p{Han}]]+"


@dataclass(frozen=True, slots=True)
class VocabularySettings:
    """Shares of the vocabulary."""

    size: int = 24_000
    longest_word: int = 3
    """In Chinese characters; longer words are counted as the words inside them."""
    english_share: float = 0.40
    bpe_pieces: int = 3_000
    numbers: int = 1_500
    min_character_count: int = 3


def counts(chinese: Iterable[str], english: Iterable[str], longest_word: int) -> tuple[Counter[str], ...]:
    """Counts of Chinese words, Chinese characters, English words and numbers in already folded texts."""
    import rjieba

    words: Counter[str] = Counter()
    characters: Counter[str] = Counter()
    latin: Counter[str] = Counter()
    numbers: Counter[str] = Counter()
    for text in chinese:
        characters.update(text)
        numbers.update(_NUMBER.findall(text))
        for run in _HAN_RUN.findall(text):
            for word in rjieba.cut(run, False):
                words.update([word] if len(word) <= longest_word else rjieba.cut_for_search(word, False))
    for text in english:
        latin.update(_WORD.findall(text))
        numbers.update(_NUMBER.findall(text))
    words = Counter({w: n for w, n in words.items() if 2 <= len(w) <= longest_word})
    characters = Counter({c: n for c, n in characters.items() if _HAN_RUN.match(c)})
    return words, characters, latin, Counter({n: k for n, k in numbers.items() if len(n) <= 4})


def build(chinese: Iterable[str], english: Iterable[str], settings: VocabularySettings) -> Tokenizer:
    """Tokenizer counted on raw `chinese` and `english` texts.

    Deterministic: ties are broken by the piece itself.
    """
    folding = normalizers.Precompiled(compile_charsmap(folding_table()))
    words, characters, latin, numbers = counts(
        map(folding.normalize_str, chinese), map(folding.normalize_str, english), settings.longest_word
    )
    pieces = {c: n for c, n in characters.items() if n >= settings.min_character_count}
    pieces |= dict.fromkeys(map(str, range(100)), 1) | dict.fromkeys("0123456789", 1)
    pieces |= _top(numbers, settings.numbers)
    known = _top(latin, int(settings.size * settings.english_share))
    inner = _subwords(Counter({w: n for w, n in latin.items() if w not in known}), settings.bpe_pieces)
    pieces |= inner | known
    pieces |= _top(words, settings.size - 1 - len(pieces))
    return _tokenizer(pieces, folding)


def _top(counter: Counter[str], size: int) -> dict[str, int]:
    return dict(sorted(counter.items(), key=lambda item: (-item[1], item[0]))[:size])


def _subwords(rare: Counter[str], size: int) -> dict[str, int]:
    """Pieces for words outside the vocabulary with how often they are used: BPE pieces, pinyin syllables."""
    from pypinyin.contrib.tone_convert import to_normal
    from pypinyin.phrases_dict import phrases_dict

    bpe = Tokenizer(models.BPE())
    trainer = trainers.BpeTrainer(vocab_size=size, show_progress=False)
    bpe.train_from_iterator((word for word in sorted(rare) for _ in range(min(rare[word], 20))), trainer)
    used: Counter[str] = Counter(dict.fromkeys(bpe.get_vocab(), 1))
    for word, count in rare.items():
        for token in bpe.encode(word).tokens:
            used[token] += count
    toned = {s for phrase in phrases_dict.values() for options in phrase for s in options}
    syllables = set(map(to_normal, toned))
    used.update(dict.fromkeys(sorted(s for s in syllables if s.isascii() and s.isalpha()), 3))
    return dict(used)


def _tokenizer(pieces: dict[str, int], folding: normalizers.Normalizer) -> Tokenizer:
    total = sum(pieces.values())
    scored = sorted(((p, math.log(n / total)) for p, n in pieces.items()), key=lambda item: (-item[1], item[0]))
    tokenizer = Tokenizer(models.Unigram([(UNKNOWN, 0.0), *scored], unk_id=0, byte_fallback=False))
    tokenizer.normalizer = folding
    tokenizer.pre_tokenizer = pre_tokenizers.Split(Regex(_KEPT), behavior="removed", invert=True)
    return tokenizer
