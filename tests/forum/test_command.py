"""`antiphon forum`, as people use it; and what settings are refused."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from pathlib import Path

import pytest
from tests.live.real_server import RealServer
from tests.live.workspace import serving

from antiphon.errors import SettingsError
from antiphon.server.settings import load
from antiphon.services.forum import ForumConfig

OLD = "[10:00:00] [INSIGHT] 一 发言\n[10:00:01] [HOST] two\\nlines\n"


def command(server: RealServer, *arguments: str, text: str = "") -> subprocess.CompletedProcess[str]:
    environ = {**os.environ, "ANTIPHON_URL": server.url, "NO_COLOR": "1"}
    program = [sys.executable, "-m", "antiphon", "forum", *arguments]
    return subprocess.run(program, input=text, capture_output=True, text=True, env=environ, timeout=60, check=False)


async def test_talking_from_the_command_line(tmp_path: Path) -> None:
    (tmp_path / "old.log").write_text(OLD, "utf-8")
    async with serving(tmp_path, {"forum": {"enabled": True, "threshold": 1}}) as server:

        async def run(*arguments: str, text: str = "") -> subprocess.CompletedProcess[str]:
            return await asyncio.to_thread(command, server, *arguments, text=text)

        assert (await run("host", "--threshold", "9")).stderr == "antiphon: the host speaks after 9 speeches\n"
        assert (await run("post", "Hello")).returncode == 0
        assert (await run("post", "--as", "query", "-", text="from a file")).returncode == 0
        assert (await run("mute", "MEDIA")).stderr == "antiphon: MEDIA is muted\n"
        shown = (await run("--no-follow")).stdout
        assert "local: Hello\n" in shown
        assert "Query Engine: from a file\n" in shown
        assert (await run("replay", str(tmp_path / "old.log"))).returncode == 0
        replayed = (await run("--name", "old", "--no-follow")).stdout
        assert replayed == "10:00:00 Insight Engine: 一 发言\n10:00:01 Forum Host: two\nlines\n"
        missing = await run("--name", "nothing")
        assert missing.returncode == 1
        assert "no forum" in missing.stderr


def settings(tmp_path: Path, text: str) -> ForumConfig:
    path = tmp_path / "antiphon.toml"
    path.write_text(text)
    return load(path, {}, {}).settings.forum


def test_when_there_is_a_forum() -> None:
    assert not ForumConfig().is_on(["web"])
    assert ForumConfig().is_on(["web", "media"])
    assert not ForumConfig().is_on(["media", "forum"])
    assert ForumConfig(enabled=True).is_on([])
    assert not ForumConfig(enabled=False).is_on(["media"])


def test_the_file_counts_from_the_settings(tmp_path: Path) -> None:
    assert settings(tmp_path, '[forum]\nfile = "logs/forum.log"\n').file == tmp_path / "logs" / "forum.log"


@pytest.mark.parametrize(
    "text",
    [
        '[forum]\nenabled = true\n[log.forum]\npath = "x"\n',
        '[forum]\nenabled = true\napps = ["host"]\n',
        "[forum]\nthreshold = 0\n",
        "[forum]\napps = []\n",
        '[forum]\ngrammar = "other"\n',
    ],
)
def test_settings_that_are_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(SettingsError):
        settings(tmp_path, text)
