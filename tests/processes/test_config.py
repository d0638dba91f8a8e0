"""What `[process.NAME]` may hold."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from antiphon.errors import SettingsError
from antiphon.services.logs.config import LogConfig
from antiphon.services.processes.config import ProcessConfig, check_dependencies


def config(**fields: Any) -> ProcessConfig:
    return ProcessConfig.model_validate({"command": ["true"], **fields})


def test_other_ways_to_write_a_value() -> None:
    assert config(stop_signal="int").stop_signal == "SIGINT"
    assert config(stop_signal=9).stop_signal == "SIGKILL"
    assert config(line_limit_bytes="off").line_limit_bytes == 0
    assert config().autostart is False
    assert config().restart == "never"


@pytest.mark.parametrize(
    "wrong",
    [
        {"command": []},
        {"command": "true"},
        {"command": ["a\0b"]},
        {"comand": ["true"]},
        {"env": {"A=B": "x"}},
        {"env": {"": "x"}},
        {"port": 0},
        {"port": 70000},
        {"url": "file:///etc/passwd"},
        {"restart": "sometimes"},
        {"stop_signal": "SIGSTOP"},
        {"stop_signal": 4711},
        {"grace_s": -1},
        {"depends_on": ["../x"]},
        {"depends_on": ["a:b"]},
        {"line_limit_bytes": "none"},
    ],
)
def test_what_is_wrong_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        config(**wrong)


def test_dependencies_exist_and_do_not_run_in_circles() -> None:
    check_dependencies({"a": config(depends_on=["b", "c"]), "b": config(depends_on=["c"]), "c": config()})
    with pytest.raises(SettingsError, match=r"process\.a\.depends_on names 'x'"):
        check_dependencies({"a": config(depends_on=["x"])})
    with pytest.raises(SettingsError, match=r"circle: a -> b -> a|circle: b -> a -> b"):
        check_dependencies({"a": config(depends_on=["b"]), "b": config(depends_on=["a"])})


@pytest.mark.parametrize("model", [ProcessConfig, LogConfig])
def test_each_setting_is_described(model: type[ProcessConfig] | type[LogConfig]) -> None:
    for name, field in model.model_fields.items():
        assert field.description, name
        if name.endswith("_bytes"):
            assert "byte" in field.description
        if name.endswith("_s"):
            assert "econd" in field.description or "signal" in field.description
