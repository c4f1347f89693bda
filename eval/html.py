"""The frame of every HTML page of the evaluation: one file, no script, no outside request."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

_STYLE = """
:root{color-scheme:light dark;--ink:#1c2024;--soft:#5b636b;--line:#d5dae0;--ground:#fff;--panel:#f5f7f9;
--bar:#2f6fb2;--good:#1a7f4b;--bad:#b3261e;--mark:#ffe9a8}
@media (prefers-color-scheme:dark){:root{--ink:#e8eaed;--soft:#a7afb8;--line:#3a4149;--ground:#15181b;
--panel:#1e2226;--bar:#6ba6e3;--good:#63c793;--bad:#f2877f;--mark:#5c4a10}}
*{box-sizing:border-box}
body{margin:0 auto;max-width:76rem;padding:1.5rem;background:var(--ground);color:var(--ink);
font:16px/1.55 system-ui,"PingFang SC","Noto Sans CJK SC","Microsoft YaHei",sans-serif}
h1{font-size:1.5rem;margin:0}h2{font-size:1.15rem;margin:2.2rem 0 .6rem}h3{font-size:1rem;margin:1.2rem 0 .3rem}
p{margin:.3rem 0}.soft{color:var(--soft)}.scroll{overflow-x:auto}
table{border-collapse:collapse;font-size:.875rem}
th,td{padding:.25rem .6rem;border-bottom:1px solid var(--line);text-align:right;white-space:nowrap}
th:first-child,td:first-child,th.text{text-align:left}td.text{white-space:normal;text-align:left}
.figures{display:flex;flex-wrap:wrap;gap:.8rem;margin:1rem 0}
.figure{background:var(--panel);border:1px solid var(--line);border-radius:.5rem;padding:.6rem 1rem;min-width:9rem}
.figure b{display:block;font-size:1.5rem}
details{border:1px solid var(--line);border-radius:.5rem;margin:.4rem 0;padding:.4rem .8rem;background:var(--panel)}
summary{cursor:pointer}ol{margin:.3rem 0;padding-left:1.6rem}li{margin:.3rem 0}
blockquote{margin:.3rem 0;padding-left:.8rem;border-left:3px solid var(--line)}
.tag{font-size:.8rem;border:1px solid var(--line);border-radius:1rem;padding:0 .5rem;white-space:nowrap}
.good{color:var(--good)}.bad{color:var(--bad)}mark{background:var(--mark);color:inherit}
.pair{display:grid;grid-template-columns:1fr 1fr;gap:1rem}
@media (max-width:40rem){.pair{grid-template-columns:1fr}}
svg{max-width:100%;height:auto;font-size:12px}svg text{fill:var(--ink)}
.bar{fill:var(--bar)}.whisker{stroke:var(--ink);fill:none}.line{stroke:var(--bar);stroke-width:2;fill:none}
.dot{fill:var(--bar)}.grid{stroke:var(--line);fill:none}
"""


def document(title: str, body: Sequence[str]) -> str:
    """A page of our style around the markup `body`; `title` is plain text."""
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        # The policy forbids every request, whatever an article's text may hold.
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n"
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{escape(title)}</title>\n<style>{_STYLE}</style>\n</head>\n<body>\n"
        + "\n".join(body)
        + "\n</body>\n</html>\n"
    )
