"""The chat page.

Importing any module of this package first makes Gradio's environment safe: settings such as
GRADIO_SHARE, GRADIO_SERVER_NAME or GRADIO_ALLOWED_PATHS would weaken the page behind our back, and
analytics are switched on unless told otherwise before `import gradio`.
"""

from __future__ import annotations

import os


def harden_environment() -> None:
    """Drop every GRADIO_* setting and switch analytics off; call before gradio is imported."""
    for name in [name for name in os.environ if name.startswith("GRADIO_")]:
        del os.environ[name]
    os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"


harden_environment()
