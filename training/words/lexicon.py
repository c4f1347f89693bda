"""Learn what words mean and weigh: term weights from news, an English-Chinese word table from parallel sentences.

usage: python -m training.words.lexicon NEWS.jsonl.gz PARALLEL.jsonl.gz OUT.safetensors

Term weights are inverse document frequencies over news sentences. The word table is IBM model 1 (Brown et al.,
Computational Linguistics 1993), English word -> Chinese character or bigram, six rounds of expectation
maximisation, kept where it holds in both directions. About three minutes and 5 GB on one core.
"""

from __future__ import annotations

import argparse
import collections
import gzip
import json
import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from rag.lexicon import Lexicon, save_lexicon, stem
from training.words.text import fold_keep, terms

NEWS_HELD_OUT = 6_000
"""The last lines of the news file are distractors of tests and are not read."""
NEWS_ARTICLES = 16_000
MOST_TERMS = 120_000
LONGEST_ZH = 130
LONGEST_EN = 55
SAME_ENGLISH = 2
"""Most Chinese versions used of one English sentence."""
ROUNDS = 6
MOST_TRANSLATIONS = 12
_WORD = re.compile(r"[a-z]+")
_SENTENCE = re.compile(r"[^。！？!?\n]+")

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]


def news_counts(file: Path, articles: int) -> tuple[collections.Counter[str], int]:
    """Sentences that hold each term, and the number of sentences."""
    with gzip.open(file, "rt", encoding="utf-8") as lines:
        texts = [json.loads(line)["text"] for line in lines][:-NEWS_HELD_OUT][:articles]
    counts: collections.Counter[str] = collections.Counter()
    sentences = 0
    for text in texts:
        for sentence in _SENTENCE.findall(fold_keep(text.partition("正文：")[2] or text)):
            counts.update({_term_key(t.text) for t in terms(sentence)})
            sentences += 1
    return counts, sentences


def _term_key(term: str) -> str:
    return stem(term) if term[0].isascii() and term[0].isalpha() else term


def term_weights(counts: collections.Counter[str], sentences: int) -> dict[str, float]:
    """Inverse document frequencies of the commonest terms; numbers are left out, they all count as rare."""
    kept = [(term, n) for term, n in counts.most_common() if not term[0].isdigit()][:MOST_TERMS]
    return {term: math.log((sentences + 1) / (n + 0.5)) for term, n in kept if n > 1}


def read_pairs(file: Path, words: collections.Counter[str]) -> Iterator[tuple[list[str], list[str]]]:
    """Stems of the English side and terms of the Chinese side that occur in the news."""
    seen: collections.Counter[str] = collections.Counter()
    with gzip.open(file, "rt", encoding="utf-8") as lines:
        for line in lines:
            pair = json.loads(line)
            if len(pair["zh"]) > LONGEST_ZH or seen[pair["en"]] >= SAME_ENGLISH:
                continue
            seen[pair["en"]] += 1
            english = [stem(w) for w in _WORD.findall(pair["en"].lower().replace("'s", ""))]
            chinese = [t.text for t in terms(fold_keep(pair["zh"])) if not t.text[0].isascii()]
            chinese = [t for t in chinese if len(t) == 1 or words[t] >= 40]
            if english and chinese and len(english) <= LONGEST_EN:
                yield english, chinese


@dataclass(frozen=True)
class Alignment:
    """Word pairs with their probabilities; all arrays are aligned."""

    english: list[str]
    chinese: list[str]
    e: Ints
    f: Ints
    forward: Floats
    """p(Chinese term | English word)."""
    backward: Floats
    """p(English word | Chinese term)."""
    count: Floats
    """Expected number of times that the two were aligned."""


def align(pairs: list[tuple[list[str], list[str]]]) -> Alignment:
    """IBM model 1 with an empty English word, over sets of terms."""
    e_count = collections.Counter(w for english, _ in pairs for w in set(english))
    f_count = collections.Counter(t for _, chinese in pairs for t in set(chinese))
    english = ["", *sorted(w for w, n in e_count.items() if n >= 3)]
    chinese = sorted(t for t, n in f_count.items() if n >= 4)
    codes, rows, n_rows = _cooccurrences(pairs, english, chinese)
    unique, inverse = np.unique(codes, return_inverse=True)
    inverse = inverse.astype(np.int32)
    e, f = unique // len(chinese), unique % len(chinese)
    forward = np.ones(len(unique)) / np.bincount(e, minlength=len(english))[e]
    count = forward
    for _ in range(ROUNDS):
        weight = forward[inverse]
        weight /= np.bincount(rows, weight, minlength=n_rows)[rows]
        count = np.bincount(inverse, weight, minlength=len(unique))
        forward = count / np.maximum(np.bincount(e, count, minlength=len(english))[e], 1e-12)
    backward = count / np.maximum(np.bincount(f, count, minlength=len(chinese))[f], 1e-12)
    return Alignment(english, chinese, e, f, forward, backward, count)


def _cooccurrences(
    pairs: list[tuple[list[str], list[str]]], english: list[str], chinese: list[str]
) -> tuple[Ints, npt.NDArray[np.int32], int]:
    """Code of every (word, term) of a pair, the row of its term, and the number of rows."""
    e_id = {w: i for i, w in enumerate(english)}
    f_id = {t: i for i, t in enumerate(chinese)}
    codes: list[Ints] = []
    rows: list[npt.NDArray[np.int32]] = []
    row = 0
    for words, chinese_terms in pairs:
        a = np.array([0, *sorted({e_id[w] for w in words if w in e_id})], dtype=np.int64)
        b = np.array(sorted({f_id[t] for t in chinese_terms if t in f_id}), dtype=np.int64)
        codes.append((b[:, None] + a[None, :] * len(chinese)).ravel())
        rows.append(np.repeat(np.arange(row, row + len(b), dtype=np.int32), len(a)))
        row += len(b)
    return np.concatenate(codes), np.concatenate(rows), row


def translations(table: Alignment) -> dict[str, list[tuple[str, float]]]:
    """English word -> Chinese terms with worth `sqrt(p(f|e) p(e|f))`, divided by the best of the word."""
    keep = (table.forward > 0.01) & (table.backward > 0.01) & (table.count > 1.5) & (table.e > 0)
    found: dict[str, list[tuple[str, float]]] = collections.defaultdict(list)
    both = np.sqrt(table.forward * table.backward)
    for i in np.flatnonzero(keep):
        found[table.english[table.e[i]]].append((table.chinese[table.f[i]], float(both[i])))
    result: dict[str, list[tuple[str, float]]] = {}
    for word, options in found.items():
        options.sort(key=lambda option: -option[1])
        best = options[0][1]
        kept = [(term, round(worth / best, 3)) for term, worth in options[:MOST_TRANSLATIONS] if worth > 0.1 * best]
        if best > 0.05:
            result[word] = kept
    return result


def main() -> None:
    """Read the arguments, learn, write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("news", type=Path)
    parser.add_argument("parallel", type=Path)
    parser.add_argument("out", type=Path)
    options = parser.parse_args()
    counts, sentences = news_counts(options.news, NEWS_ARTICLES)
    print(f"{sentences} news sentences, {len(counts)} terms", flush=True)
    pairs = list(read_pairs(options.parallel, counts))
    english = collections.Counter(w for words, _ in pairs for w in set(words))
    weights = term_weights(counts, sentences)
    scale = math.log(sentences / len(pairs))
    weights |= {w: math.log((len(pairs) + 1) / (n + 0.5)) + max(scale, 0) for w, n in english.items() if n >= 3}
    print(f"{len(pairs)} sentence pairs", flush=True)
    table = translations(align(pairs))
    options.out.parent.mkdir(parents=True, exist_ok=True)
    save_lexicon(Lexicon(weights, table), options.out)
    print(f"{len(weights)} weights, {len(table)} words translated, {options.out.stat().st_size} bytes")


if __name__ == "__main__":
    main()
