"""The quality of a sheet: what the newest scan found, and the rows behind it."""

from __future__ import annotations

from typing import Any

import panel_material_ui as pmui
from markupsafe import Markup

from workbench.ui.components.markup import html, show
from workbench.ui.components.rows import PreviewTable
from workbench.ui.quality import QualityFace
from workbench.ui.theme import MIDDLE
from workbench.ui.view import View

ALL = "All scanned rows, the most worth a look first"


class SheetQualityFace(QualityFace):
    """Draw the quality of one sheet inside its view."""

    def __init__(self, view: View, sheet_id: str) -> None:
        self._ws, self._sheet_id = view.ws, sheet_id
        self._signals: dict[str, list[str]] = {}
        self._labels: dict[str, str] = {}
        self._suggested: tuple[str, ...] = ()
        self._title = html(_title(ALL))
        self._every = pmui.Button(label="Show all", size="small", variant="text", margin=0, visible=False)
        self._every.on_click(lambda event: self._narrow(""))
        super().__init__(
            view, view.ws.sheets.quality, {"scan": self._scan, "tag": self._tag}, on_open=self._narrow, sheet_id=sheet_id
        )
        self._rows = PreviewTable(view, view.ws.sheets.quality_rows, size=5, sheet_id=sheet_id, order="concern", descending=True)
        line = pmui.Row(self._title, self._every, margin=0, sizing_mode="stretch_width", sx={**MIDDLE, "minHeight": 32})
        self._behind = pmui.Column(line, self._rows, margin=0, sizing_mode="stretch_width", sx={"gap": 0}, visible=False)
        self.parts = [self.top, self._behind, self.plots]

    def draw(self, quality: Any) -> list[Any]:
        """Show what a scan found, and the rows behind it."""
        self._signals = {one.name: list(one.signals) for one in quality.findings}
        self._labels = {one.name: one.label for one in quality.findings}
        self._suggested = quality.suggested_tags
        drawn = super().draw(quality)
        self._behind.visible = bool(quality.scanned)
        self._rows.part.refresh()
        return drawn

    def _scan(self) -> Any:
        return self._ws.sheets.scan(self._sheet_id)

    def _tag(self) -> Any:
        """Add the tags that the scan suggests to those there are."""
        sheet = self._ws.sheets.get(self._sheet_id)
        return self._ws.sheets.update(sheet.id, tags=[*sheet.tags, *self._suggested], version=sheet.version)

    def _narrow(self, name: str) -> None:
        """Show the rows behind a finding; without a name, all of them."""
        self.found.open_id = name
        self._every.visible = bool(name)
        show(self._title, _title(f"Rows behind: {self._labels[name]}" if name else ALL))
        self._rows.pager.value = 0
        self._rows.part.ask(signals=self._signals.get(name), offset=0)


def _title(words: str) -> Markup:
    return Markup("<b>{}</b>").format(words)
