"""What a library reports about a subject, without a language model: overviews, courses of events, the newest days.

Each function takes a `Question` and a `Retriever` and returns an ordinary `Answer` of verbatim, cited sentences:

- `overview`: which articles belong to the subject, and the main points of their stories;
- `timeline`: dated entries in order, and the row of a figure that changed;
- `latest`: the newest days of the library, for a question without a subject.

None of them decides whether a question wants this; the caller does.
"""

from rag.overview.latest import latest
from rag.overview.summary import overview
from rag.overview.timeline import timeline

__all__ = ["latest", "overview", "timeline"]
