"""Settings: their models, where they are read from, and how they are shown."""

from antiphon.server.settings.load import load
from antiphon.server.settings.loaded import Loaded
from antiphon.server.settings.model import (
    LimitSettings,
    RunnableSettings,
    ServerSettings,
    Settings,
    StorageSettings,
    UserSettings,
)
from antiphon.server.settings.origins import Origin
from antiphon.server.settings.policy import policy_of
from antiphon.server.settings.render import Row, rows
from antiphon.server.settings.retention import RetentionRule

__all__ = [
    "LimitSettings",
    "Loaded",
    "Origin",
    "RetentionRule",
    "Row",
    "RunnableSettings",
    "ServerSettings",
    "Settings",
    "StorageSettings",
    "UserSettings",
    "load",
    "policy_of",
    "rows",
]
