"""The reader: a cross-encoder that says which passages, sentences and words answer a question."""

from rag.reader.reader import PassageReading, Reader, Reading, SentenceReading, load_reader

__all__ = ["PassageReading", "Reader", "Reading", "SentenceReading", "load_reader"]
