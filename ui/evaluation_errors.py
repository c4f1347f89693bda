"""What went wrong in an evaluation, told in the language of the page. Pure text.

eval says it in English, one clear line an error. Here stand the same lines in Chinese, found by their English
wording; tests/test_ui_evaluation_errors.py brings about each error and sees that it is found.
"""

from __future__ import annotations

import re

from ui.strings import STRINGS, Language, text

_CHINESE = tuple(
    (re.compile(pattern, re.DOTALL), said)
    for pattern, said in (
        # runs
        (r"there is no run (.+) any more; choose another", "没有“{0}”这次运行了，请另选一次。"),
        (
            r"run (.+) is not finished; start it again with .+ to go on",
            "“{0}”没有运行完，还没有结果；可在左边继续运行。",
        ),
        (
            r"(.+) is damaged \(.+\); delete it and start the run again to rebuild it",
            "结果文件 {0} 已损坏；删除它，再运行一次。",
        ),
        (r"(\S+) cannot be read as a run: .+", "{0} 读不出来，不是一次运行的记录。"),
        (r"a run needs a name of at least one character", "名称不能为空。"),
        (
            r"a run is under way; stop it before deleting an unfinished one",
            "运行正在进行；先停止，再删除没有运行完的。",
        ),
        (r"run folder (.+) cannot be written: (.+); name another with --out", "结果写不进 {0}：{1}"),
        (
            r"run (.+) was made by another version \(.+\); start a new one",
            "“{0}”是别的版本做的，不能接着运行；请重新运行。",
        ),
        (r"(.+) already holds the finished run .+; name another folder or use --replace", "{0} 里已有一次完成的运行。"),
        (
            r".+ holds an unfinished run of something else \((.+)\); name another folder or use --replace",
            "不能接着运行，因为此后有变化（{0}）；请重新运行。",
        ),
        (
            r"runs '(.+)' and '(.+)' share no question; compare runs of one question set",
            "“{0}”与“{1}”没有相同的问题；请比较同一个问题集的两次运行。",
        ),
        # the judge
        (r"no judge is named; .+", "没有指定评判的模型；请设置 judge.model 和 judge.base_url。"),
        (
            r"model server (\S+) cannot be reached \(.+\); start it or set (\S+)",
            "连不上模型服务 {0}；请启动它，或改设置 {1}。",
        ),
        (
            r"model server (\S+) sent nothing for (\S+) s; raise (\S+) or .+",
            "模型服务 {0} 过了 {1} 秒没有回应；请调大 {2}，或换小些的模型。",
        ),
        (
            r"model server (\S+) refused the key \(\d+\); .+",
            "模型服务 {0} 不认密钥；请把对的密钥放进环境变量 OPENAI_API_KEY。",
        ),
        (
            r"model server (\S+) knows no model '(.*)' at .+; check (\S+) and (\S+)",
            "模型服务 {0} 没有模型“{1}”；请查 {2} 和 {3}。",
        ),
        (r"model server (\S+) is busy or .+", "模型服务 {0} 正忙，或额度已用完；请稍后再试。"),
        (
            r"model server (\S+) redirects elsewhere .+; set (\S+) to .+",
            "模型服务 {0} 转去了别处，没有跟去；请把 {1} 设为最终的地址。",
        ),
        (
            r"model server (\S+) failed with an internal error \((\d+)\); .+",
            "模型服务 {0} 内部出错（{1}），详情见它的日志。",
        ),
        (
            r"model server (\S+) broke off in the middle of its answer; .+",
            "模型服务 {0} 答到一半断了，详情见它的日志。",
        ),
        (
            r"model server (\S+) answers with .+ instead of an event stream; check (\S+), .+",
            "{0} 不是模型服务；请查 {1}，它通常以 /v1 结尾。",
        ),
        (
            r"model server (\S+) (?:reports an error|sent what is no chat answer|refused the request).*",
            "模型服务 {0} 出错，详情见它的日志。",
        ),
        # question sets
        (r"there is no question set '(.+)'; choose another", "没有“{0}”这个问题集，请另选一个。"),
        (r"question set (.+) does not exist; .+", "问题集 {0} 不存在。"),
        (r"question set (.+) cannot be read: (.+)", "问题集 {0} 读不出来：{1}"),
        (
            r"question set (\S+) holds no question; .+?; line (\d+).*",
            "{0} 里没有一道题：每行应是一个 JSON 对象；第 {1} 行就读不出来。",
        ),
        (
            r"question set (\S+) holds no question; .+",
            "{0} 里没有一道题：每行应是一个 JSON 对象，题目写在 question 里。",
        ),
        (r"question set (.+) cannot be written: (.+)", "问题集 {0} 写不进去：{1}"),
        (r"the set cannot be saved in (.+): (.+)", "问题集存不进 {0}：{1}"),
        (r"a question needs an id and a text; fill in both", "请填上问题。"),
        (r"(.+) holds no question '(.+)'; nothing was removed", "{0} 里没有“{1}”这一题，什么也没删。"),
        # files of others
        (r"(.+) is not SQuAD JSON \(.+\); .+", "{0} 不是 SQuAD 格式：应有 data、paragraphs、qas 三层。"),
        (
            r"(.+) is not RGB JSON lines \(.+\); .+",
            "{0} 不是 RGB 格式：每行应有 id、query、answer、positive、negative。",
        ),
        (r"(.+) is not a BEIR folder \(.+\); .+", "{0} 不是 BEIR 格式：每行应有 _id、title、text。"),
        (
            r"(.+) does not exist; a BEIR folder has .+",
            "{0} 里缺文件：BEIR 应有 corpus.jsonl、queries.jsonl 和 qrels/test.tsv。",
        ),
        (
            r"(.+) line (\d+): expected query-id, corpus-id, score; got .+",
            "{0} 第 {1} 行不对：应是三列，问题号、文章号、分数。",
        ),
        (r"(.+) is no zip file that can be read: .+", "{0} 不是能读的 zip 文件。"),
        (
            r"(.+) unpacks to more than (\d+) MB; .+",
            "{0} 解开后超过 {1} MB，请只打包这三样：corpus.jsonl、queries.jsonl、qrels。",
        ),
        (r"(.+) cannot be read: (.+)", "{0} 读不出来：{1}"),
    )
)
_PARTS = (
    (re.compile(r"question set .+ → .+"), "问题集", "question set"),
    (re.compile(r"index .+ → .+"), "文库", "library"),
    (re.compile(r"encoder .+ → .+"), "编码模型", "encoder"),
    (re.compile(r"model (\S+) .+ → .+"), "模型 {0}", "model {0}"),
    (re.compile(r"code .+ → .+"), "程序", "program"),
    (re.compile(r"(\w+\.\w+) (.+) → (.+)"), "设置 {0}：{1} → {2}", "setting {0}: {1} → {2}"),
)
"""What may differ between a run and its continuation."""
_ON_THE_PAGE = {
    "answer.mode": ("ev_mode", "mode_"),
    "answer.strictness": ("ev_strictness", "ev_"),
    "retrieval.top_k": ("ev_top_k", "?"),
}
"""Setting -> key of its name, and what the keys of its choices begin with."""
_CIRCUMSTANCES = tuple(
    (re.compile(pattern), said)
    for pattern, said in (
        (r"(\w+\.\w+) (.+) → (.+)", "设置 {0}：{1} → {2}"),
        (r"model (\S+) (.+) → (.+)", "模型 {0}：{1} → {2}"),
        (r"code (.+) → (.+)", "程序：{0} → {1}"),
        (r"question set (.+) → (.+)", "问题集：{0} → {1}"),
        (r"index \S+ \((\d+) articles\) → \S+ \((\d+) articles\)", "文库：{0} 篇 → {1} 篇，内容不同"),
        (r"encoder (.+) → (.+)", "编码模型：{0} → {1}"),
        (r"answers by (.+) → (.+)", "作答者：{0} → {1}"),
        (r"judged by (.+) → (.+)", "评判者：{0} → {1}"),
    )
)
"""What may be different about two runs."""
_SYSTEM = {
    "No space left on device": "磁盘已满",
    "Permission denied": "没有权限",
    "Read-only file system": "磁盘只读",
    "No such file or directory": "文件不存在",
    "Is a directory": "这是文件夹",
    "File name too long": "文件名太长",
}
_BOTH = re.compile(r".+（(.+)）", re.DOTALL)
"""Some errors of the engine say it in both languages."""

_WRONG_VALUE = re.compile(r"(?P<field>\w+) is (?P<value>.+); expected (?P<expected>.+); (?P<done>.+)", re.DOTALL)
_EXPECTED = {
    "a text": "文字",
    "texts": "文字",
    "a list of texts": "文字的列表",
    "a list of lists of texts": "文字列表的列表",
    "true or false": " true 或 false",
    "zh or en": " zh 或 en",
    "any or all": " any 或 all",
    "a date like 2026-01-31": "日期，如 2026-01-31",
    "a list of objects with file, id or title": "列表，各项含 file、id 或 title",
    "objects with file, id or title": "含 file、id 或 title 的对象",
    '["user" or "assistant", text]': '["user" 或 "assistant", 文字]',
}
_DONE = {
    "read as a list of one": "当作只有一项的列表",
    "read as empty": "当作空的",
    "read as an id": "当作编号",
    "read as ": "当作 ",
    "this entry is ignored": "这一项不算",
    "this turn is ignored": "这一句不算",
    "ignored": "不算",
}
"""What was expected of a value of a question set, and what was done with it."""


def wrong_value(message: str, language: Language) -> str:
    """A problem of a question set with one of its values; any other message stays as it is."""
    odd = _WRONG_VALUE.fullmatch(message)
    if odd is None or language != "zh":
        return message
    expected, done = _EXPECTED.get(odd["expected"], odd["expected"]), odd["done"]
    done = next((said + done.removeprefix(was) for was, said in _DONE.items() if done.startswith(was)), done)
    return f"{odd['field']} 是 {odd['value']}；应为{expected}；{done}"


def told(error: Exception | str, language: Language) -> str:
    """One line for an error, in the language of the page; what has no Chinese wording is led in and quoted."""
    message = str(error)
    if language != "zh":
        return message
    for pattern, said in _CHINESE:
        match = pattern.fullmatch(message)
        if match:
            return said.format(*map(_part, match.groups()))
    both = _BOTH.fullmatch(message)
    return both[1] if both else f"出错了，原话是：{message}"


def differences(found: list[str], language: Language) -> str:
    """What changed since a run was interrupted, as one text."""
    return ("；" if language == "zh" else "; ").join(_difference(line, language) for line in found)


def circumstance(found: str, language: Language) -> str:
    """One thing that was different about two runs; settings of the page by the names that they have there."""
    setting = re.fullmatch(r"(answer\.mode|answer\.strictness|retrieval\.top_k) (.+) → (.+)", found)
    if setting:
        key, prefix = _ON_THE_PAGE[setting[1]]
        first, second = (_choice(value, prefix, language) for value in setting.groups()[1:])
        return f"{text(language, key)}{'：' if language == 'zh' else ': '}{first} → {second}"
    if language != "zh":
        return found
    for pattern, said in _CIRCUMSTANCES:
        match = pattern.fullmatch(found)
        if match:
            return said.format(*match.groups())
    return found


def _choice(value: str, prefix: str, language: Language) -> str:
    key = f"{prefix}{value}"
    return text(language, key) if key in STRINGS[language] else value


def _part(found: str) -> str:
    if " → " in found:
        return differences(found.split("; "), "zh")
    return next((said for known, said in _SYSTEM.items() if found.endswith(known)), found)


def _difference(found: str, language: Language) -> str:
    for pattern, chinese, english in _PARTS:
        match = pattern.fullmatch(found)
        if match:
            return (chinese if language == "zh" else english).format(*match.groups())
    return found
