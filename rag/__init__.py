"""Jinwen's engine: news articles in, answers whose every sentence cites its source out.

Importing this package is light (no torch, gradio or faiss); parts load where they are used.
"""

from rag.types import Answer, Article, Citation, Filters, Hit, Passage, Question, Turn

__version__ = "0.1.0"

__all__ = ["Answer", "Article", "Citation", "Filters", "Hit", "Passage", "Question", "Turn", "__version__"]
