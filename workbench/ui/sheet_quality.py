"""The quality of a sheet: what the newest scan found, how the signals spread, and the rows behind it."""

from __future__ import annotations

from typing import Any

import panel_material_ui as pmui
from markupsafe import Markup

from workbench.ui import format as fmt
from workbench.ui.components.actions import ActionBar
from workbench.ui.components.markup import html, show
from workbench.ui.components.profile import CSS as PLOT_CSS
from workbench.ui.components.rows import PreviewTable
from workbench.ui.url import page_href
from workbench.ui.view import View

CSS = (
    PLOT_CSS
    + """
.found { width: 100%; border-collapse: collapse; margin: 8px 0 16px; table-layout: fixed; }
.found td { padding: 6px 8px; border-top: 1px solid var(--mui-palette-divider, #dfe5ec); vertical-align: top; }
.found .num { text-align: right; white-space: nowrap; width: 64px; }
.found .what { width: 208px; }
"""
)
EVERY = {"All scanned rows": ""}


class SheetQualityFace:
    """Draw the quality of one sheet inside its view."""

    def __init__(self, view: View, sheet_id: str) -> None:
        self._ws, self._sheet_id = view.ws, sheet_id
        self._actions = ActionBar(toasts=view.toasts, first="scan", size="small")
        self._head, self._found, self._plots = html(""), html("", css=CSS), html("", css=CSS)
        self._choice = pmui.Select(options=EVERY, label="Rows behind", size="small", width=280, margin=0, css_classes=["behind"])
        self._choice.param.watch(self._narrow, "value")
        self._rows = PreviewTable(view, view.ws.sheets.quality_rows, sheet_id=sheet_id, order="concern", descending=True)
        self._behind = pmui.Column(
            self._choice, self._rows, margin=0, sizing_mode="stretch_width", sx={"gap": 1, "mt": 1}, visible=False
        )
        self.parts = [view.live(view.ws.sheets.quality, self._draw, height=240, sheet_id=sheet_id), self._behind]

    def _draw(self, quality: Any) -> list[Any]:
        show(self._head, _head(quality))
        show(self._found, _findings(quality))
        show(self._plots, Markup('<div class="columns">{}</div>').format(Markup("").join(_plot(one) for one in quality.plots)))
        self._actions.update(quality.actions, lambda name: self._ws.sheets.scan(self._sheet_id))
        self._choice.options = EVERY | {one.label: ";".join(one.signals) for one in quality.findings}
        self._behind.visible = bool(quality.scanned)
        self._rows.part.refresh()
        return [self._head, self._actions, self._found, self._plots]

    def _narrow(self, event: Any) -> None:
        self._rows.pager.value = 0
        self._rows.part.ask(signals=event.new.split(";") if event.new else [], offset=0)


def _head(quality: Any) -> Markup:
    chip = fmt.chip(quality.scan_status) if quality.scan_status else ""
    job = fmt.link("the scan", page_href("jobs", {"job": quality.job_id})) if quality.job_id else ""
    when = Markup('<span class="faint small">{} {}</span>').format(
        job, fmt.moment(quality.scanned_at, reason="No scan succeeded yet.")
    )
    line = '<div style="display:flex;gap:8px;align-items:center;flex-wrap:wrap">{} <span>{}</span> {}</div>{}'
    tags = ", ".join(quality.suggested_tags)
    advice = (
        Markup('<div class="text small" style="margin-top:6px">{} <b>{}</b></div>').format(quality.suggestion, tags)
        if tags
        else ""
    )
    return Markup(line).format(chip, quality.summary, when, advice)


def _findings(quality: Any) -> Markup:
    row = '<tr><td class="what">{}</td><td class="num">{}</td><td class="num">{}</td><td class="faint small">{}</td></tr>'
    rows = Markup("").join(
        Markup(row).format(one.label, fmt.integer(one.count), fmt.percent(one.share), _examples(one.examples))
        for one in quality.findings
    )
    return Markup('<table class="found">{}</table>').format(rows) if rows else Markup("")


def _examples(examples: Any) -> Markup:
    return Markup("").join(
        Markup('<div class="cut" title="{1}">{0} · {1}</div>').format(fmt.integer(one.row_index), one.text)
        for one in examples[:1]
    )


def _plot(plot: Any) -> Markup:
    bars = Markup("").join(
        Markup('<i style="--h:{}" title="{}: {}"></i>').format(bar.height, bar.label, bar.count) for bar in plot.bars
    )
    ends = [bar.label for bar in (*plot.bars[:1], *plot.bars[-1:])]
    words = Markup("").join(Markup("<span>{}</span>").format(word) for word in ends)
    return Markup(
        '<div class="column"><div class="head"><b>{}</b></div><div class="bars">{}</div><div class="ends faint small">{}</div></div>'
    ).format(plot.label, bars, words)
