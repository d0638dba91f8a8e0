"""The wheel's build hook: put the dashboard into the package before it is packed.

Node.js comes from PyPI into the build environment where the machine has none. Editable installs (`make`) leave the
dashboard to the Makefile.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

sys.path.insert(0, str(Path(__file__).parent / "scripts"))

import dashboard
import node


class DashboardHook(BuildHookInterface):
    """Builds `src/antiphon/static` from `web/` and `clients/typescript/`."""

    PLUGIN_NAME = "custom"

    def dependencies(self) -> list[str]:
        if dashboard.is_built(Path(self.root)) or node.machine_has_node():
            return []
        return [node.REQUIREMENT]

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        if version != "editable":
            dashboard.build(Path(self.root))
