"""Readers and understanders of the tests: what they think is said, nothing is loaded."""

import re
from types import SimpleNamespace

from rag.answering.decision import FEATURES
from rag.reader import PassageReading, Reading, SentenceReading
from rag.sentences import sentence_spans
from rag.tokens import tokenize
from rag.types import Intent
from rag.understanding import Understanding

NOTHING = -6.0
CALIBRATION = {
    "ranking": {"sentence": 1.0, "passage": 0.5, "answer": 0.2, "retrieval": 0.1},
    "answer": dict.fromkeys(FEATURES, 0.0) | {"sentence": 0.5, "passage": 0.5},
    "bias": 0.0,
    "bars": {"strict": 0.7, "balanced": 0.5, "generous": 0.3},
}


class ScriptedReader:
    """Gives each sentence the logit of the first word of `says` that it holds, and marks that word as the answer."""

    name = "scripted"

    def __init__(self, says):
        self.says = says
        self.weights = SimpleNamespace(calibration=CALIBRATION)
        self.asked = []

    def read(self, question, hits, seconds=None):
        self.asked.append(question)
        return Reading(tuple(self._passage(question, hit) for hit in hits))

    def _passage(self, question, hit):
        sentences = []
        for start, end in sentence_spans(hit.article.text, hit.passage.start, hit.passage.end):
            logit, answer = self._of(question, hit.article.text, start, end)
            sentences.append(SentenceReading(start, end, logit, answer, 4 * logit))
        return PassageReading(hit, max((s.logit for s in sentences), default=NOTHING), tuple(sentences))

    def _of(self, question, text, start, end):
        for words, logit in self.says.items():
            at = text.find(words, start, end)
            if at >= 0:
                return logit, (at, at + len(words))
        return NOTHING, (start, end)


class WordReader(ScriptedReader):
    """Believes in sentences that share words with the question, above all those with a figure."""

    name = "words"

    def __init__(self):
        super().__init__({})

    def _of(self, question, text, start, end):
        asked = set(tokenize(question))
        shared = len(asked & set(tokenize(text[start:end]))) / max(1, len(asked))
        figure = re.compile(r"\d+[^\W\d]?").search(text, start, end)
        logit = 12 * shared - 3 + (0.5 if figure else 0)
        return logit, figure.span() if figure else (start, end)


class FakeUnderstander:
    """Takes every text for a question that stands alone, unless it is told otherwise."""

    def __init__(self, *, several=(), goes_on=(), intents=None):
        self._several, self._goes_on, self._intents = several, goes_on, intents or {}

    def understand(self, text):
        return Understanding(self._intents.get(text, Intent.ANSWER), text in self._several)

    def goes_on(self, question, said):
        return question in self._goes_on
