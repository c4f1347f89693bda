"""Collections of others -> articles and a question set.

SQuAD JSON (SQuAD 1.1 and 2.0, CMRC 2018, DRCD, XQuAD): each paragraph is an article.
RGB JSON lines (Chen et al., AAAI 2024): see `eval.rgb`.
BEIR folder (Thakur et al., NeurIPS 2021): corpus.jsonl, queries.jsonl, qrels/<split>.tsv; no answers.
Files may be gzipped.
"""

from __future__ import annotations

import csv
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

from eval.collection import Collection, file_stem, json_lines, open_text
from eval.question import UNANSWERABLE, GoldArticle, Question
from eval.question_set import QuestionSet, make_question_set
from eval.rgb import read_rgb
from rag.errors import QuestionSetError
from rag.sentences import sentence_spans
from rag.tokens import detect_language
from rag.types import Article

_TITLE_CHARS = 30


def read_collection(path: Path) -> Collection:
    """The collection at `path`: a BEIR folder, or a SQuAD or RGB file, told apart by content.

    :raises QuestionSetError: it is none of these, or cannot be read.
    """
    if path.is_dir():
        return read_beir(path)
    head = open_text(path)[:4096].lstrip()
    first_line = head.partition("\n")[0]
    if '"positive"' in first_line and '"query"' in first_line:
        return read_rgb(path)
    return read_squad(path)


def read_squad(path: Path) -> Collection:
    """A SQuAD JSON file. Evidence is the sentence (or sentences) of the context that hold the answer.

    :raises QuestionSetError: it is not one.
    """
    name = file_stem(path)
    articles: list[Article] = []
    questions: list[Question] = []
    try:
        data = json.loads(open_text(path))["data"]
        paragraphs = [(str(entry.get("title") or ""), p) for entry in data for p in entry["paragraphs"]]
        for number, (title, paragraph) in enumerate(paragraphs, 1):
            text = paragraph["context"]
            article = Article(f"{name}#{number}", title.replace("_", " ") or text[:_TITLE_CHARS], text, path.name)
            articles.append(article)
            questions += [_squad_question(article, entry) for entry in paragraph["qas"]]
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise QuestionSetError(f"{path} is not SQuAD JSON ({error!r}); expected data > paragraphs > qas") from error
    return Collection(tuple(articles), make_question_set(name, questions))


def read_beir(folder: Path, split: str = "test") -> Collection:
    """A BEIR folder. There are no answers, so only retrieval and refusal can be measured; relevance is binary.

    :raises QuestionSetError: a file is missing or is not what BEIR says.
    """
    qrels = _beir_qrels(folder, split)
    articles: list[Article] = []
    questions: list[Question] = []
    try:
        for record in json_lines(_existing(folder / "corpus.jsonl")):
            title = str(record.get("title") or "")
            articles.append(Article(str(record["_id"]), title, str(record["text"]), "corpus.jsonl"))
        for record in json_lines(_existing(folder / "queries.jsonl")):
            relevant = qrels.get(str(record["_id"]), [])
            if relevant:
                text = str(record["text"])
                gold = tuple(GoldArticle(id=article_id) for article_id in relevant)
                questions.append(Question(str(record["_id"]), text, detect_language(text), "fact", articles=gold))
    except (ValueError, KeyError, TypeError) as error:
        raise QuestionSetError(f"{folder} is not a BEIR folder ({error!r}); expected _id, title, text") from error
    return Collection(tuple(articles), make_question_set(folder.name, questions))


def write_collection(collection: Collection, folder: Path) -> None:
    """Write a collection as files that `jinwen index` and `jinwen eval` read.

    `folder` gets questions.jsonl and articles/, one text file per article.
    """
    from eval.question_set import write_question_set

    (folder / "articles").mkdir(parents=True, exist_ok=True)
    for number, article in enumerate(collection.articles, 1):
        (folder / "articles" / f"{number:06d}.txt").write_text(f"{article.title}\n\n{article.text}\n", "utf-8")
    write_question_set(folder / "questions.jsonl", without_ids(collection))


def without_ids(collection: Collection) -> QuestionSet:
    """The questions of a collection for articles that get new ids when they are indexed.

    Gold articles are known by their titles and the evidence only.
    """
    titles = {article.id: article.title for article in collection.articles}
    questions: list[Question] = []
    for question in collection.question_set.questions:
        named = dict.fromkeys(titles.get(gold.id, gold.title) for gold in question.articles)
        questions.append(replace(question, articles=tuple(GoldArticle(title=title) for title in named if title)))
    return make_question_set(collection.question_set.name, questions)


def _squad_question(article: Article, entry: dict[str, Any]) -> Question:
    found = entry.get("answers") or []
    answers = tuple(dict.fromkeys(str(a["text"]).strip() for a in found if str(a["text"]).strip()))
    text = str(entry["question"]).strip()
    evidence = dict.fromkeys(_sentences_around(article.text, str(a["text"]), int(a["answer_start"])) for a in found)
    unanswerable = bool(entry.get("is_impossible")) or not answers
    return Question(
        id=str(entry["id"]),
        text=text,
        lang=detect_language(text),
        type=UNANSWERABLE if unanswerable else "fact",
        answers=() if unanswerable else answers,
        evidence=() if unanswerable else tuple(quote for quote in evidence if quote),
        articles=() if unanswerable else (GoldArticle(article.file, article.id, article.title),),
    )


def _sentences_around(text: str, answer: str, start: int) -> str:
    """The sentences that `answer` reaches into; its first place where the offset is wrong (CMRC has such)."""
    if text[start : start + len(answer)] != answer:
        start = text.find(answer)
    if start < 0:
        return ""
    touched = [(s, e) for s, e in sentence_spans(text) if s < start + len(answer) and e > start]
    return text[touched[0][0] : touched[-1][1]] if touched else ""


def _beir_qrels(folder: Path, split: str) -> dict[str, list[str]]:
    path = folder / "qrels" / f"{split}.tsv"
    if not path.is_file():
        found = ", ".join(sorted(p.stem for p in (folder / "qrels").glob("*.tsv"))) or "none"
        raise QuestionSetError(f"{path} does not exist; a BEIR folder has qrels/{split}.tsv (splits here: {found})")
    qrels: dict[str, list[str]] = {}
    for number, row in enumerate(csv.reader(open_text(path).splitlines(), delimiter="\t"), 1):
        if number == 1 and row and not row[-1].strip().lstrip("-").isdigit():
            continue  # the header
        if len(row) != 3 or not row[2].strip().lstrip("-").isdigit():
            raise QuestionSetError(f"{path} line {number}: expected query-id, corpus-id, score; got {row}")
        if int(row[2]) > 0:
            qrels.setdefault(row[0], []).append(row[1])
    return qrels


def _existing(path: Path) -> Path:
    if not path.is_file():
        raise QuestionSetError(f"{path} does not exist; a BEIR folder has corpus.jsonl, queries.jsonl and qrels/")
    return path
