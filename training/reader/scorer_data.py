"""Examples for the sentence scorer: a question, five windows of its hits, and which tokens answer.

usage: python -m training.reader.scorer_data TRAINING_DIR OUT_DIR [--only PART …]

Every part is written to OUT_DIR/PART.npz and skipped when it is there. `human`: the questions of DRCD and CMRC trial;
`newsN`: news sentences asked for a span that another sentence repeats; `pairsN`: English questions made from
translations; `cases`: near misses made from all of these (`refusal_data`), searched with the product's own retriever.
Half an hour on two cores, half of it for `cases`.
"""

from __future__ import annotations

import argparse
import dataclasses
import random
import tempfile
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Final

import numpy as np

from rag.answering.reader import READER_NAME, load_own_encoder
from rag.answering.sentence_scorer import LONGEST_QUESTION, LONGEST_TITLE
from rag.answering.word_match import WordMatcher
from rag.config import MODELS_DIR, EncoderSettings
from rag.encoder import StaticEncoder, load_encoder
from rag.lexicon import LEXICON_FILE, load_lexicon
from rag.sentences import sentence_spans
from rag.types import Article, Hit
from training.reader.data import Gold, Item, Paraphraser, Pool, cloze_items, parallel_items, read_news, read_squad
from training.reader.refusal_data import Shelf, cases, english_items, gather_names, without
from training.reader.scorer import FIELDS, SCORER_FOLDS
from training.reader.scorer_network import TITLE
from training.reader.train import HUMAN, KINDS, hash_fold

SEED = 20261120
WINDOWS: Final = 5
LONGEST_WINDOW: Final = 230
PARAPHRASED: Final = {"cloze": 0.3, "crosslingual": 0.0}
PARAPHRASED_HUMAN: Final = 0.35
UNANSWERED: Final = 0.2
"""Share of the questions of a pool that are shown without the passages that answer."""
BOTH: Final = 0.3
"""Share of those that are shown with them as well."""
NEWS_PARTS: Final = (0, 5_000, 10_000, 26_000, 31_000, 36_000)
NEWS_OF_PART: Final = 5_000
PAIR_PARTS: Final = (0, 30_000, 106_000, 136_000)
PAIRS_OF_PART: Final = 30_000
MOST_ITEMS: Final = 12_000


class Writer:
    """Collects examples as flat arrays."""

    def __init__(self, encoder: StaticEncoder) -> None:
        self._encoder = encoder
        self._columns: dict[str, list[int]] = {name: [] for name in FIELDS}

    def add(self, item: Item, question: str, hits: Sequence[Hit], gold: Sequence[Gold]) -> None:
        """One example; `gold` is empty when the hits do not answer."""
        (asked,) = self._encoder.token_ids([question])
        if len(asked) < 2 or not hits:
            return
        to = self._columns
        to["questions"] += asked[:LONGEST_QUESTION].tolist()
        to["question_lengths"].append(min(len(asked), LONGEST_QUESTION))
        for hit in hits:
            self._window(hit, gold)
        to["windows"].append(len(hits))
        to["kinds"].append(KINDS.index(item.kind))
        to["folds"].append(hash_fold(item.group))
        whole_sentence = item.kind == "crosslingual" and not item.answer
        to["literal"].append(not whole_sentence)

    def _window(self, hit: Hit, gold: Sequence[Gold]) -> None:
        text, passage = hit.article.text, hit.passage
        tokenizer = self._encoder.tokenizer
        title = tokenizer.encode(hit.article.title, add_special_tokens=False).ids[:LONGEST_TITLE]
        ids, numbers, right = list(title), [TITLE] * len(title), [False] * len(title)
        spans = [(start, end) for article, start, end in gold if article == hit.article.id]
        for number, (start, end) in enumerate(sentence_spans(text, passage.start, passage.end)):
            encoding = tokenizer.encode(text[start:end], add_special_tokens=False)
            ids += encoding.ids
            numbers += [number] * len(encoding.ids)
            right += [any(start + a < e and s < start + b for s, e in spans) for a, b in encoding.offsets]
        to = self._columns
        to["tokens"] += ids[:LONGEST_WINDOW]
        to["sentences"] += numbers[:LONGEST_WINDOW]
        to["answers"] += right[:LONGEST_WINDOW]
        to["window_lengths"].append(min(len(ids), LONGEST_WINDOW))
        to["ranks"].append(hit.rank)

    def save(self, file: Path) -> None:
        """Write the columns that `training.reader.scorer.Examples` reads."""
        kinds = {"answers": bool, "literal": bool, "sentences": np.int16, "ranks": np.int16}
        arrays = {name: np.array(values, kinds.get(name, np.int32)) for name, values in self._columns.items()}
        np.savez(file, **arrays)
        print(f"{file.name}: {len(arrays['kinds'])} examples, {len(arrays['tokens'])} tokens", flush=True)


class Maker:
    """Makes the parts."""

    def __init__(self, training: Path) -> None:
        encoder = load_encoder(EncoderSettings())
        if not isinstance(encoder, StaticEncoder):
            raise SystemExit("the default encoder is not a static model")
        self._encoder = encoder
        self._training = training

    def part(self, name: str) -> Writer:
        """The examples of one part."""
        rng = random.Random(f"{SEED}-{name}")
        writer = Writer(self._encoder)
        if name == "cases":
            self._cases(writer, rng)
        elif name.startswith("pairs"):
            begin = int(name.removeprefix("pairs"))
            pairs, items = self._pairs(begin, begin + PAIRS_OF_PART, rng, MOST_ITEMS)
            self._from_pool(writer, [*pairs, *self._news(23_000, 24_000)], items, rng)
        elif name.startswith("news"):
            begin = int(name.removeprefix("news"))
            news = self._news(begin, begin + NEWS_OF_PART)
            self._from_pool(writer, news, cloze_items(news, rng, MOST_ITEMS), rng)
        else:
            articles, items = self._human()
            self._from_pool(writer, [*articles, *self._news(21_000, 23_000)], items, rng)
        return writer

    def _news(self, begin: int, end: int) -> list[Article]:
        return read_news(self._training / "news_zh.jsonl.gz", begin, end)

    def _pairs(self, begin: int, end: int, rng: random.Random, most: int) -> tuple[list[Article], list[Item]]:
        return parallel_items(self._training / "parallel_zh_en.jsonl.gz", begin, end, rng, most)

    def _human(self) -> tuple[list[Article], list[Item]]:
        """Articles and questions, grouped by title as the judge's are."""
        articles, items = [], []
        for kind in HUMAN:
            new, asked = read_squad(self._training / f"{kind}.json.gz", kind)
            titles = {article.id: article.title for article in new}
            articles += new
            items += [dataclasses.replace(item, group=titles[item.gold[0][0]]) for item in asked]
        return articles, items

    def _from_pool(self, writer: Writer, articles: Sequence[Article], items: list[Item], rng: random.Random) -> None:
        """Each question with a passage that answers among others that were found, or with others only."""
        pool = Pool(articles, self._encoder)
        paraphrase = Paraphraser(self._encoder, rng)
        rng.shuffle(items)
        for item in items:
            reworded = rng.random() < PARAPHRASED.get(item.kind, PARAPHRASED_HUMAN)
            question = paraphrase(item.question) if reworded else item.question
            found = pool.search(question)
            if item.kind == "crosslingual":
                found = pool.insert(found, item.gold[0], rng)
            shown, gold = without(found[:10], item.gold, item.hidden)
            having = [hit for hit in shown if _holds_any(hit, gold)]
            says = item.answer if len(item.answer) > 1 else "\0"
            rest = [hit for hit in shown if hit not in having and says not in hit.passage.text]
            if rng.random() < UNANSWERED:
                writer.add(item, question, rng.sample(rest, min(WINDOWS, len(rest))), ())
                if rng.random() >= BOTH:
                    continue
            if having:
                writer.add(item, question, _among(having[0], rest, rng), gold)

    def _cases(self, writer: Writer, rng: random.Random) -> None:
        """Near misses of human questions of the folds that are trained on, of news and of English questions."""
        articles, human = self._human()
        away = set(rng.sample(sorted({a.title for a in articles}), 100))
        human = [item for item in human if item.group not in away]
        items = [item for item in human if hash_fold(item.group) < SCORER_FOLDS][::2]
        news = self._news(26_000, 29_000)
        clozes = cloze_items(news, rng, 700)
        pairs, english = [], []
        for begin, end in ((60_000, 65_000), (136_000, 140_000)):
            new, made = self._pairs(begin, end, rng, 600)
            pairs, english = [*pairs, *new], [*english, *made]
        new, made = english_items(self._training / "parallel_zh_en.jsonl.gz", 65_000, 68_000, rng)
        pairs, english = [*pairs, *new], [*english, *made[:500]]
        own = load_own_encoder(MODELS_DIR / READER_NAME)
        matcher = WordMatcher(load_lexicon(LEXICON_FILE), own)
        names = gather_names(
            self._news(30_000, 30_600), [a for a in articles if a.title in away], [*human, *english], matcher
        )
        paraphrase = Paraphraser(own, rng)
        asked = [
            dataclasses.replace(i, question=paraphrase(i.question)) if rng.random() < PARAPHRASED_HUMAN else i
            for i in items
        ]
        with tempfile.TemporaryDirectory() as folder:
            kept = [a for a in articles if a.title not in away]
            shelf = Shelf(Path(folder) / "shelf", [*kept, *news, *pairs], self._encoder.name)
            for case in cases(shelf, [*asked, *clozes, *english], names, matcher, rng):
                having = [hit for hit in case.hits if _holds_any(hit, case.gold)]
                if case.gold and not having:
                    continue
                rest = [hit for hit in case.hits if hit not in having]
                first = having[0] if having else rest[0]
                others = rest if having else rest[1:7]
                short = bool(case.gold) and case.gold[0][2] - case.gold[0][1] < 12
                item = Item(case.question, (), "span" if short else "", case.kind, group=case.group)
                writer.add(item, case.question, _among(first, others, rng), case.gold)
            shelf.library.close()


def _among(hit: Hit, others: Sequence[Hit], rng: random.Random) -> list[Hit]:
    """`hit` and some of `others`, in any order."""
    chosen = [hit, *rng.sample(list(others), min(WINDOWS - 1, len(others)))]
    rng.shuffle(chosen)
    return chosen


def _holds_any(hit: Hit, gold: Iterable[Gold]) -> bool:
    passage = hit.passage
    return any(passage.article_id == i and passage.start < end and start < passage.end for i, start, end in gold)


def main() -> None:
    """Read the arguments, make the parts that are missing."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("training", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--only", nargs="+", help="names of parts")
    options = parser.parse_args()
    news = [f"news{begin}" for begin in NEWS_PARTS]
    pairs = [f"pairs{begin}" for begin in PAIR_PARTS]
    options.out.mkdir(parents=True, exist_ok=True)
    maker = Maker(options.training)
    for name in options.only or ["human", *news, *pairs, "cases"]:
        file = options.out / f"{name}.npz"
        if not file.exists():
            maker.part(name).save(file)


if __name__ == "__main__":
    main()
