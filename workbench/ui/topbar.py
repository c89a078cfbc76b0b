"""The bar over every page, and the line below it."""

from __future__ import annotations

from typing import Any

import panel_material_ui as pmui
import param
from markupsafe import Markup

from workbench.ui import format as fmt
from workbench.ui.components.connection import Connection
from workbench.ui.components.identity import name_button
from workbench.ui.components.markup import html, show
from workbench.ui.components.palette import GENERAL, Palette, PaletteButton
from workbench.ui.components.running_jobs import RunningJobs
from workbench.ui.theme import MIDDLE
from workbench.ui.url import page_href
from workbench.ui.view import View

_BRAND = Markup(
    '<span style="display:flex;align-items:center;gap:10px;height:32px;white-space:nowrap">'
    '<img src="./favicon.ico" width="24" height="24" alt=""><b class="brand">Workbench</b><span class="faint">{}</span></span>'
)

# On a phone the mark and the workspace's name do; the rest of the bar needs the room.
_NARROW = "@media (max-width: 600px) { .brand { display: none; } }"


class TopBar(View):
    """Show the workspace, the way to anything, the running jobs with progress and cancel, and who is at work."""

    gap = 0

    page_keys = param.Parameter((), doc="Keys of the page below.")

    def build(self) -> list[Any]:
        """Return the bar with places for what comes later."""
        self.name_pane = html(_BRAND.format(""), sizing_mode=None, height=32, css=_NARROW)
        keys = [list(pair) for pair in {**dict(self.page_keys), **dict(GENERAL)}.items()]
        self.palette = Palette(self._find, keys=keys)
        visitor, self.user_button = name_button()
        self.running = RunningJobs(self.ws, self.toasts)
        self.watch(self.ws.system.info, self._named)
        if hasattr(self.ws, "jobs"):
            self.watch(self.ws.jobs.list, self.running.update, status="running")
        row = pmui.Row(
            self.name_pane,
            PaletteButton(styles={"margin": "0 auto"}),
            self.running,
            visitor,
            self.palette,
            margin=0,
            sizing_mode="stretch_width",
            sx={**MIDDLE, "gap": 2},
        )
        return [row]

    def _find(self, words: str) -> tuple[list[dict[str, Any]], str]:
        """Return what is called so, with the addresses; never fall silent."""
        try:
            found = self.ws.system.search(q=words)
        except Exception as error:  # what went wrong belongs where the answer would be
            return [], str(error)
        items = [
            {
                "label": one.label,
                "name": one.name,
                "detail": fmt.choice(one.detail).striptags(),
                "href": page_href(one.page, one.query),
            }
            for one in found
        ]
        words = "Nothing is called so." if not items else Markup(fmt.of(len(items), found.total)).striptags()
        return items, words

    def _named(self, info: Any) -> None:
        show(self.name_pane, _BRAND.format(info.name))
        self.user_button.label = info.user


class Footer(View):
    """Say whether the page is live, and which release runs."""

    gap = 0

    def build(self) -> list[Any]:
        """Return the line."""
        self.version = html("", sizing_mode=None)
        self.watch(self.ws.system.info, self._named)
        return [pmui.Row(Connection(), self.version, margin=0, sx={**MIDDLE, "gap": 2, "opacity": 0.9})]

    def _named(self, info: Any) -> None:
        show(self.version, Markup('<span class="faint small">Version {}</span>').format(info.program_version))
