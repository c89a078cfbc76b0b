"""The quality of a sheet: what the newest scan found, how the signals spread, and the rows behind it."""

from __future__ import annotations

from typing import Any

import panel_material_ui as pmui
from markupsafe import Markup

from workbench.ui import format as fmt
from workbench.ui.components.actions import ActionBar
from workbench.ui.components.grid import Grid
from workbench.ui.components.markup import html, show
from workbench.ui.components.profile import CSS as PLOT_CSS
from workbench.ui.components.progress import ProgressPanel
from workbench.ui.components.rows import PreviewTable
from workbench.ui.theme import MIDDLE
from workbench.ui.url import page_href
from workbench.ui.view import View

CSS = PLOT_CSS + ".plots .columns { margin-top: 8px; }"
EXAMPLE = '<div class="cut faint small" style="max-width:272px" title="{1}">row {0} · {1}</div>'
HEADS = [
    {"name": name, "title": title, "align": align, "doc": doc, "width": width, "sortable": False}
    for name, title, align, width, doc in (
        ("found", "Found", "left", "", "What the scan looked for. Click a line to see its rows."),
        ("rows", "Rows", "right", "64px", "Rows it was found in."),
        ("share", "Share", "right", "72px", "Part of the scanned rows."),
        ("example", "For example", "left", "272px", "The first of the rows."),
    )
]
ALL = "All scanned rows, the most worth a look first"


class SheetQualityFace:
    """Draw the quality of one sheet inside its view."""

    def __init__(self, view: View, sheet_id: str) -> None:
        self._ws, self._sheet_id = view.ws, sheet_id
        self._signals: dict[str, list[str]] = {}
        self._labels: dict[str, str] = {}
        self._suggested: tuple[str, ...] = ()
        self._actions = ActionBar(toasts=view.toasts, first="scan", size="small")
        self._progress = ProgressPanel()
        self._going = pmui.Column(self._progress, margin=0, sizing_mode="stretch_width", visible=False)
        self._head, self._plots = html(""), html("", css=CSS)
        self._found = Grid(columns=HEADS, on_sort=lambda name: None, on_open=self._narrow)
        self._title = html(_title(ALL))
        self._every = pmui.Button(label="Show all", size="small", variant="text", margin=0, visible=False)
        self._every.on_click(lambda event: self._narrow(""))
        self._rows = PreviewTable(view, view.ws.sheets.quality_rows, size=5, sheet_id=sheet_id, order="concern", descending=True)
        line = pmui.Row(self._title, self._every, margin=0, sizing_mode="stretch_width", sx={**MIDDLE, "minHeight": 32})
        self._behind = pmui.Column(line, self._rows, margin=0, sizing_mode="stretch_width", sx={"gap": 0}, visible=False)
        self._run = {"scan": self._scan, "tag": self._tag}
        top = view.live(view.ws.sheets.quality, self._draw, height=240, sheet_id=sheet_id)
        self.parts = [top, self._behind, self._plots]

    def _draw(self, quality: Any) -> list[Any]:
        show(self._head, _head(quality))
        self._going.visible = quality.running is not None
        if quality.running is not None:
            self._progress.update(quality.running)
        self._signals = {one.name: list(one.signals) for one in quality.findings}
        self._labels = {one.name: one.label for one in quality.findings}
        self._found.rows = [{"id": one.name, "cells": _cells(one)} for one in quality.findings]
        self._found.visible = bool(quality.findings)
        show(self._plots, Markup('<div class="plots"><div class="columns">{}</div></div>').format(_plots(quality.plots)))
        self._suggested = quality.suggested_tags
        self._actions.update(quality.actions, lambda name: self._run[name]())
        self._behind.visible = bool(quality.scanned)
        self._rows.part.refresh()
        return [self._head, self._going, self._actions, self._found]

    def _scan(self) -> Any:
        return self._ws.sheets.scan(self._sheet_id)

    def _tag(self) -> Any:
        """Add the tags that the scan suggests to those there are."""
        sheet = self._ws.sheets.get(self._sheet_id)
        return self._ws.sheets.update(sheet.id, tags=[*sheet.tags, *self._suggested], version=sheet.version)

    def _narrow(self, name: str) -> None:
        """Show the rows behind a finding; without a name, all of them."""
        self._found.open_id = name
        self._every.visible = bool(name)
        show(self._title, _title(f"Rows behind: {self._labels[name]}" if name else ALL))
        self._rows.pager.value = 0
        self._rows.part.ask(signals=self._signals.get(name), offset=0)


def _title(words: str) -> Markup:
    return Markup("<b>{}</b>").format(words)


def _head(quality: Any) -> Markup:
    chip = fmt.chip(quality.scan_status) if quality.scan_status and quality.running is None else ""
    job = fmt.link("Scanned", page_href("jobs", {"job": quality.job_id})) if quality.job_id else ""
    when = Markup('<span class="faint small">{} {}</span>').format(
        job, fmt.moment(quality.scanned_at, reason="No scan succeeded yet.")
    )
    line = '<div style="display:flex;gap:8px;align-items:center;flex-wrap:wrap">{} <span>{}</span> {}</div>{}'
    advice = (
        Markup('<div class="text small" style="margin-top:6px">{}</div>').format(quality.suggestion)
        if quality.suggested_tags
        else ""
    )
    return Markup(line).format(chip, quality.summary, when, advice)


def _cells(finding: Any) -> list[str]:
    examples = Markup("").join(Markup(EXAMPLE).format(fmt.integer(one.row_index), one.text) for one in finding.examples[:1])
    return [str(cell) for cell in (fmt.escape(finding.label), fmt.integer(finding.count), fmt.percent(finding.share), examples)]


def _plots(plots: Any) -> Markup:
    return Markup("").join(_plot(one) for one in plots)


def _plot(plot: Any) -> Markup:
    bars = Markup("").join(
        Markup('<i style="--h:{}" title="{}: {}"></i>').format(bar.height, bar.label, bar.count) for bar in plot.bars
    )
    ends = [bar.label for bar in (*plot.bars[:1], *plot.bars[-1:])]
    words = Markup("").join(Markup("<span>{}</span>").format(word) for word in ends)
    return Markup(
        '<div class="column"><div class="head"><b>{}</b></div><div class="bars">{}</div><div class="ends faint small">{}</div></div>'
    ).format(plot.label, bars, words)
