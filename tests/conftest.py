"""Shared fixtures: a toy encoder and a small invented library (see library_toys)."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from library_toys import TopicEncoder, fill, make_articles

from rag.config import PassageSettings, Settings
from rag.store import LocalStore
from rag.types import Article


@pytest.fixture
def articles() -> list[Article]:
    return make_articles()


@pytest.fixture
def encoder() -> TopicEncoder:
    return TopicEncoder()


@pytest.fixture
def settings() -> Settings:
    return Settings(passages=PassageSettings(size=60, overlap=1))


@pytest.fixture
def empty_store(tmp_path: Path, encoder: TopicEncoder, settings: Settings) -> Iterator[LocalStore]:
    with LocalStore.open(tmp_path / "index", create=True, encoder=encoder, passages=settings.passages) as store:
        yield store


@pytest.fixture
def store(empty_store: LocalStore, articles: list[Article], encoder: TopicEncoder, settings: Settings) -> LocalStore:
    """The invented library, stored."""
    fill(empty_store, articles, encoder, settings)
    return empty_store
