"""The errors that a user can cause, as one tree.

    JinwenError                 base: the message is one clear line
    ├── SettingsError           a setting is unknown, of the wrong type or out of range
    ├── SourceError             a file cannot be read as articles
    │   └── UnfinishedError     its reading was cut off; the next try may succeed
    ├── StoreError
    │   ├── IndexMissingError   there is no index at this place
    │   ├── IndexLockedError    another process is writing to it
    │   ├── IndexDamagedError   the database of an index cannot be read
    │   ├── IndexOutdatedError  the index has an older format and was opened for reading only
    │   ├── BackupError         a backup cannot be made or is not one
    │   └── IndexMismatchError  the index was built by another encoder or other passage settings
    ├── ModelError              a model is missing, broken or cannot be used
    │   └── ModelServerError    an OpenAI-compatible server does not answer as one
    ├── PromptError             a prompt file is missing or names unknown variables
    └── QuestionSetError        a question set cannot be read

Each message says what came, what was expected and what to do.
"""


class JinwenError(Exception):
    """Base of all errors that a user can cause; `str(error)` is one line to show."""


class SettingsError(JinwenError):
    """A setting is unknown, of the wrong type or out of range."""


class SourceError(JinwenError):
    """A file cannot be read as articles."""


class UnfinishedError(SourceError):
    """The reading of a file was cut off (time, a crash, a failing disk); the next try may succeed."""


class StoreError(JinwenError):
    """Base of errors of an index on disk."""


class IndexMissingError(StoreError):
    """There is no index at this place."""


class IndexLockedError(StoreError):
    """Another process is writing to the index."""


class IndexDamagedError(StoreError):
    """The database of an index cannot be read."""


class IndexOutdatedError(StoreError):
    """The index has an older format, which is migrated where it can be written, and was opened for reading only."""


class IndexMismatchError(StoreError):
    """The index was built by another encoder or with other passage settings."""


class BackupError(StoreError):
    """A backup cannot be made, or what should be restored is not an undamaged one."""


class ModelError(JinwenError):
    """A model is missing, broken or cannot be used."""


class ModelServerError(ModelError):
    """An OpenAI-compatible server cannot be reached or does not answer as one."""


class PromptError(JinwenError):
    """A prompt file is missing or names unknown variables."""


class QuestionSetError(JinwenError):
    """A question set cannot be read."""
