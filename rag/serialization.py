"""Types -> the JSON objects of the command line (contracts in docs/contracts.md)."""

from __future__ import annotations

from typing import Any

from rag.types import Answer, Article, Citation, Hit, NearArticle

JsonObject = dict[str, Any]


def article_to_json(article: Article) -> JsonObject:
    """An article as `jinwen articles --json` prints it."""
    return {
        "id": article.id,
        "title": article.title,
        "source": article.source,
        "date": _date(article),
        "url": article.url,
        "byline": article.byline,
        "subtitle": article.subtitle,
        "kind": article.kind.value,
        "file": article.file,
        "spans": [list(span) for span in article.spans],
        "chars": len(article.text),
    }


def hit_to_json(hit: Hit) -> JsonObject:
    """A hit as `jinwen search --json` prints it."""
    return {
        "rank": hit.rank,
        "score": round(hit.score, 6),
        "article_id": hit.article.id,
        "title": hit.article.display_title,
        "source": hit.article.source,
        "date": _date(hit.article),
        "start": hit.passage.start,
        "end": hit.passage.end,
        "text": hit.passage.text,
        "dense_rank": hit.dense_rank,
        "dense_score": None if hit.dense_score is None else round(hit.dense_score, 4),
        "lexical_rank": hit.lexical_rank,
        "lexical_score": None if hit.lexical_score is None else round(hit.lexical_score, 4),
    }


def answer_to_json(answer: Answer, question_id: str | None = None) -> JsonObject:
    """An answer as `jinwen ask --json` prints it."""
    head = {} if question_id is None else {"id": question_id}
    return head | {
        "question": answer.question,
        "answer": answer.answer,
        "refused": answer.refused,
        "mode": answer.mode,
        "model": answer.model,
        "language": answer.language,
        "confidence": round(answer.confidence, 4),
        "searched": answer.searched,
        "citations": [_citation(citation) for citation in answer.citations],
        "sentences": [
            {
                "text": sentence.text,
                "markers": list(sentence.markers),
                "support": sentence.support.value,
                "emphasis": [list(span) for span in sentence.emphasis],
                "problems": list(sentence.problems),
                "before": sentence.before,
                "after": sentence.after,
                "derived": sentence.derived,
                "apart": sentence.apart,
            }
            for sentence in answer.sentences
        ],
        "nearest": [_near(near) for near in answer.nearest],
        "notices": list(answer.notices),
        "timings_ms": {"retrieve": round(answer.timings.retrieve, 1), "answer": round(answer.timings.answer, 1)},
    }


def _citation(citation: Citation) -> JsonObject:
    return {
        "marker": citation.marker,
        **_origin(citation),
        "quote": citation.quote,
        "start": citation.start,
        "end": citation.end,
    }


def _near(near: NearArticle) -> JsonObject:
    return {**_origin(near), "text": near.text, "start": near.start, "end": near.end}


def _origin(item: Citation | NearArticle) -> JsonObject:
    return {
        "article_id": item.article_id,
        "title": item.title,
        "source": item.source,
        "date": _date(item),
        "url": item.url,
        "file": item.file,
    }


def _date(item: Article | Citation | NearArticle) -> str | None:
    return item.date.isoformat() if item.date else None
