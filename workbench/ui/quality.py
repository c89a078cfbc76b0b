"""What the newest scan found and how the signals spread, with the way to scan again: the same for rows and for pairs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import panel_material_ui as pmui
from markupsafe import Markup

from workbench.ui import format as fmt
from workbench.ui.components.actions import ActionBar
from workbench.ui.components.grid import Grid
from workbench.ui.components.markup import html, show
from workbench.ui.components.profile import CSS as PLOT_CSS
from workbench.ui.components.progress import ProgressPanel
from workbench.ui.url import page_href
from workbench.ui.view import View

CSS = PLOT_CSS + ".plots .columns { margin-top: 8px; }"
EXAMPLE = '<div class="cut faint small" style="max-width:272px" title="{1}">{0} {2} · {1}</div>'


class QualityFace:
    """Draw the quality of what consists of rows, or of pairs, inside the view of it.

    `quality` is asked with `about`; `run` does what an action is named for. A finding is opened where `on_open` is given.
    """

    one = "row"

    def __init__(
        self, view: View, quality: Any, run: dict[str, Callable[[], Any]], *, on_open: Callable[[str], None] | None = None, **about: Any
    ) -> None:
        self._run = run
        self.actions = ActionBar(toasts=view.toasts, first="scan", size="small")
        self._progress = ProgressPanel()
        self._going = pmui.Column(self._progress, margin=0, sizing_mode="stretch_width", visible=False)
        self._head, self.plots = html(""), html("", css=CSS)
        self.found = Grid(columns=_heads(self.one), on_sort=lambda name: None, on_open=on_open)
        self.top = view.live(quality, self.draw, height=240, **about)

    def draw(self, quality: Any) -> list[Any]:
        """Show what a scan found, or how far it is."""
        show(self._head, _head(quality))
        self._going.visible = quality.running is not None
        if quality.running is not None:
            self._progress.update(quality.running)
        self.found.rows = [{"id": one.name, "cells": [str(cell) for cell in self._cells(one)]} for one in quality.findings]
        self.found.visible = bool(quality.findings)
        show(self.plots, Markup('<div class="plots"><div class="columns">{}</div></div>').format(_plots(quality.plots)))
        self.actions.update(quality.actions, lambda name: self._run[name]())
        return [self._head, self._going, self.actions, self.found]

    def label(self, finding: Any) -> Markup:
        """Return the words of a finding."""
        return fmt.escape(finding.label)

    def _cells(self, finding: Any) -> tuple[Any, ...]:
        examples = Markup("").join(
            Markup(EXAMPLE).format(self.one, one.text, fmt.integer(one.row_index)) for one in finding.examples[:1]
        )
        return (self.label(finding), fmt.integer(finding.count), fmt.percent(finding.share), examples)


def _heads(one: str) -> list[dict[str, Any]]:
    return [
        {"name": name, "title": title, "align": align, "doc": doc, "width": width, "sortable": False}
        for name, title, align, width, doc in (
            ("found", "Found", "left", "", f"What the scan looked for. Click to see the {one}s."),
            ("count", f"{one.capitalize()}s", "right", "64px", f"The {one}s it was found in."),
            ("share", "Share", "right", "72px", f"Part of the scanned {one}s."),
            ("example", "For example", "left", "272px", f"The first of the {one}s."),
        )
    ]


def _head(quality: Any) -> Markup:
    chip = fmt.chip(quality.scan_status) if quality.scan_status and quality.running is None else ""
    job = fmt.link("Scanned", page_href("jobs", {"job": quality.job_id})) if quality.job_id else ""
    scanned = fmt.moment(quality.scanned_at) if quality.scanned_at else ""
    when = Markup('<span class="faint small">{} {}</span>').format(job, scanned)
    line = '<div style="display:flex;gap:8px;align-items:center;flex-wrap:wrap">{} <span>{}</span> {}</div>{}'
    advice = (
        Markup('<div class="text small" style="margin-top:6px">{}</div>').format(quality.suggestion)
        if quality.suggested_tags
        else ""
    )
    return Markup(line).format(chip, quality.summary, when, advice)


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
