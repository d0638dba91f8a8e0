"""The words by which BettaFish's agents are understood: they stand in the log lines of its three engines."""

from __future__ import annotations

from typing import Final

FIRST: Final = ("FirstSummaryNode", "正在生成首次段落总结")
"""In a line of a node that begins: a session starts."""

TARGETS: Final = (*FIRST, "ReflectionSummaryNode", "nodes.summary_node", "正在生成反思总结")
"""In a line of a node whose output is a speech."""

FAULTS: Final = ("JSON解析失败", "JSON修复失败", "Traceback", 'File "')
"""In a line that is never a speech, whatever else it has."""

OUTPUT: Final = "清理后的输出: "
"""Before the cleaned output of a node, usually JSON."""

PROGRESS: Final = (
    "JSON解析失败",
    "JSON修复失败",
    "直接使用清理后的文本",
    "JSON解析成功",
    "成功生成",
    "已更新段落",
    "正在生成",
    "开始处理",
    "处理完成",
    "已读取HOST发言",
    "读取HOST发言失败",
    "未找到HOST发言",
    "调试输出",
    "信息记录",
)
"""In a line that only says how far a node is."""

LABELS: Final = ("首次总结: ", "反思总结: ", OUTPUT)
"""At the beginning of a line's text, before what was said."""

LATEST: Final = ("updated_paragraph_latest_state", "paragraph_latest_state")
"""Keys of an output whose value is the speech, the better one first."""

BANNER: Final = "=== ForumEngine"
STARTED: Final = "=== ForumEngine 监控开始 - {time} ==="
SESSION: Final = "=== 搜索会话ID: {session} ==="
ENDED: Final = "=== ForumEngine 论坛结束 - {time} ==="
"""What SYSTEM says when a session begins and ends; agents and pages know them by their shape."""
