"""An index opened for use: its articles, search, ingestion, and the assistant over it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING

from rag.answering import Answerer
from rag.assistant import Assistant
from rag.config import AnswerSettings, RetrievalSettings, Settings
from rag.encoder import Encoder, StaticEncoder, load_encoder
from rag.expansion import QueryExpander
from rag.fusion import FittedFusion, read_fusion
from rag.lexicon import LEXICON_FILE, load_lexicon
from rag.reranker import Reranker
from rag.retriever import Retriever
from rag.store import LocalStore
from rag.suggestions import example_questions
from rag.types import Article, Filters, Hit

if TYPE_CHECKING:
    from rag.ingest import IngestProgress, IngestReport
    from rag.reader import Reader
    from rag.understanding import Understander


class Library:
    """One index and everything that is done with it."""

    def __init__(self, index_dir: Path, settings: Settings, *, create: bool = False, rebuild: bool = False) -> None:
        """Open the index in `index_dir`; with `create`, make it when there is none.

        With `rebuild` it may be of another encoder or other passage settings: it is about to be built anew.

        :raises IndexMissingError: there is none and `create` is off.
        :raises IndexMismatchError: it was built by another encoder or with other passage settings.
        """
        self.index_dir = index_dir
        self.settings = settings
        self.encoder: Encoder = load_encoder(settings.encoder)
        self.store = LocalStore.open(
            index_dir, create=create, encoder=self.encoder, passages=settings.passages, rebuild=rebuild
        )

    def __enter__(self) -> Library:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Release the index."""
        self.store.close()

    @cached_property
    def retriever(self) -> Retriever:
        """Hybrid retrieval over the index."""
        return self.retriever_for(self.settings.retrieval)

    def retriever_for(self, settings: RetrievalSettings) -> Retriever:
        """The same with other settings."""
        return Retriever(self.store, self.encoder, settings, self._fusion, self._expander, self._reranker)

    @cached_property
    def _fusion(self) -> FittedFusion | None:
        folder = getattr(self.encoder, "folder", None)
        return read_fusion(folder) if folder else None

    @cached_property
    def _reranker(self) -> Reranker | None:
        return Reranker.read(self.encoder) if isinstance(self.encoder, StaticEncoder) and self._fusion else None

    @cached_property
    def _expander(self) -> QueryExpander | None:
        return QueryExpander(load_lexicon(LEXICON_FILE)) if LEXICON_FILE.is_file() else None

    @cached_property
    def _reader(self) -> Reader:
        from rag.reader import load_reader

        return load_reader()

    @cached_property
    def understander(self) -> Understander:
        """Understands what is typed."""
        from rag.understanding import Understander

        return Understander(self._reader)

    @cached_property
    def assistant(self) -> Assistant:
        """Question answering over the index."""
        return self.assistant_for(self.retriever, self.settings.answer)

    def assistant_for(self, retriever: Retriever, settings: AnswerSettings) -> Assistant:
        """The same with another retriever and other settings."""
        return Assistant(
            retriever, self.make_answerer, settings, self.understander, self.example_questions, self._expander
        )

    def make_answerer(self, settings: AnswerSettings) -> Answerer:
        """The answerer that `settings` ask for; the extractive one stands behind every other."""
        from rag.answering.extractive import ExtractiveAnswerer

        extractive = ExtractiveAnswerer(self._reader, settings)
        if settings.mode == "extractive":
            return extractive
        from rag.answering.generative import GenerativeAnswerer, load_generator

        return GenerativeAnswerer(load_generator(settings), settings, fallback=extractive)

    @property
    def fingerprint(self) -> str:
        """Changes when the articles, the passages or the encoder do."""
        return self.store.fingerprint

    def articles(self) -> list[Article]:
        """All articles, by file and position."""
        return self.store.articles()

    def article(self, article_id: str) -> Article | None:
        """The article with this id, or None."""
        return self.store.article(article_id)

    def sources(self) -> list[str]:
        """Names of the accounts, newspapers and sites, sorted."""
        return sorted({article.source for article in self.articles() if article.source})

    def search(self, query: str, k: int = 20, filters: Filters | None = None) -> list[Hit]:
        """The `k` best passages for `query`."""
        return self.retriever.retrieve(query, k=k, filters=filters or Filters())

    def ingest(
        self,
        paths: Sequence[Path],
        *,
        progress: Callable[[IngestProgress], None] | None = None,
        stop: threading.Event | None = None,
        rebuild: bool = False,
        remove_missing: bool = False,
        allow_loss: bool = False,
    ) -> IngestReport:
        """Read files and folders into the index; see `rag.ingest.ingest`."""
        from rag.ingest import ingest

        return ingest(
            self.store,
            paths,
            self.encoder,
            self.settings,
            progress=progress,
            stop=stop,
            rebuild=rebuild,
            remove_missing=remove_missing,
            allow_loss=allow_loss,
        )

    def remove_article(self, article_id: str) -> None:
        """Take one article out of the index; its file stays where it is."""
        self.store.remove_article(article_id)

    def forget_file(self, file: str) -> None:
        """Drop what is left of an ingested file, so that it is read anew when it comes again."""
        for record in self.store.files():
            if record.path == file:
                self.store.remove_file(record.identity)

    def example_questions(self, language: str) -> list[str]:
        """Three questions that this library can answer, in `zh` or `en`."""
        return example_questions(self.articles(), language)
