"""Home: where the loop stands."""

from __future__ import annotations

from typing import Any

from workbench.ui import format as fmt
from workbench.ui.components.markup import html
from workbench.ui.view import View


class HomeView(View):
    """Show the loop, what runs, and what comes next."""

    def build(self) -> list[Any]:
        """Return the parts of the page."""
        return [self.live(self.ws.system.info, self._draw)]

    def _draw(self, info: Any) -> Any:
        return html(fmt.facts([("Workspace", info.name), ("Version", info.program_version), ("User", info.user)]))
