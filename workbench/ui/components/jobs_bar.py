"""What may be done with the chosen jobs of a list, and what became of it job by job."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import panel as pn
import panel_material_ui as pmui
from markupsafe import Markup

from workbench.ui import format as fmt
from workbench.ui.components.cards import line, stack
from workbench.ui.components.markup import html, show
from workbench.ui.components.states import ErrorState
from workbench.ui.components.table import DataTable
from workbench.ui.theme import CARD_SX, SUCCESS, WARNING
from workbench.ui.view import View

ACTIONS = {
    "bulk_cancel": "Cancel these jobs and discard their work? Those that have ended stay as they are.",
    "bulk_retry": "Make a new job like each of these? Only jobs that failed or were cancelled can be repeated.",
}


class JobsBar(pn.viewable.Viewer):
    """Offer to compare, cancel or retry the jobs chosen in a table."""

    def __init__(self, view: View, table: DataTable, *, on_compare: Callable[[list[str]], None] | None = None) -> None:
        super().__init__()
        self._view, self._table = view, table
        self._words = html("", sizing_mode=None)
        self._outcome = stack()
        self._dialog = pmui.Dialog(width_option="xs", close_on_click=True)
        buttons = [self._button(name) for name in ACTIONS]
        if on_compare is not None:
            compare = pmui.Button(
                label="Compare", icon="stacked_line_chart", variant="contained", size="small", margin=0,
                css_classes=["compare-jobs"], on_click=lambda event: on_compare(list(table.selected)),
            )  # fmt: skip
            buttons = [compare, *buttons]
        clear = pmui.Button(label="Choose none", variant="text", size="small", margin=0)
        clear.on_click(lambda event: table.param.update(selected=[]))
        self._bar = line(self._words, *buttons, clear)
        self._bar.sx = {**self._bar.sx, **CARD_SX, "bgcolor": "background.paper", "p": 1, "pl": 2}
        self._layout = stack(self._bar, self._outcome, self._dialog, gap=1)
        table.param.watch(lambda event: self._chosen(), "selected")
        self._chosen()

    def _button(self, name: str) -> Any:
        label = getattr(self._view.ws.jobs, name).operation.label
        color = "error" if name == "bulk_cancel" else "primary"
        button = pmui.Button(label=label, variant="outlined", color=color, size="small", margin=0, css_classes=[name])
        button.on_click(lambda event: self._ask(name, label))
        return button

    def _chosen(self) -> None:
        found = self._table.selected
        self._bar.visible = bool(found)
        self._layout.visible = bool(found or self._outcome.objects)
        show(self._words, Markup("<b>{}</b>").format(fmt.plural(len(found), "job chosen", "jobs chosen")))

    def _ask(self, name: str, label: str) -> None:
        def yes(event: Any) -> None:
            self._dialog.open = False
            self._run(name)

        def no(event: Any) -> None:
            self._dialog.open = False

        confirm = pmui.Button(label=label, variant="contained", color="error", on_click=yes, css_classes=["confirm"])
        keep = pmui.Button(label="Keep as it is", variant="text", on_click=no)
        self._dialog.title = label
        answers = pmui.Row(keep, confirm, sx={"justifyContent": "flex-end", "gap": 1}, sizing_mode="stretch_width")
        self._dialog.objects = [html(ACTIONS[name]), answers]
        self._dialog.open = True

    def _run(self, name: str) -> None:
        try:
            told = getattr(self._view.ws.jobs, name)(list(self._table.selected))
        except Exception as error:  # noqa: BLE001  whatever went wrong belongs where the button is
            self._outcome.objects = [ErrorState(error)]
            self._layout.visible = True
            return
        away = pmui.Button(label="Close", variant="text", size="small", margin=0, css_classes=["close-outcome"])
        away.on_click(lambda event: self._tidy())
        self._outcome.objects = [html(_told(told)), line(away)]
        self._table.selected = []

    def _tidy(self) -> None:
        self._outcome.objects = []
        self._chosen()

    def __panel__(self) -> pn.viewable.Viewable:
        return self._layout


def _told(told: Any) -> Markup:
    """Return what became of each job."""
    head = Markup('<div style="padding-bottom:8px"><b>{}</b>: {} done, {} refused</div>').format(
        fmt.words(told.action), fmt.integer(told.done), fmt.integer(told.refused)
    )
    return Markup("{}{}").format(head, Markup("").join(_line(one) for one in told.outcomes))


def _line(one: Any) -> Markup:
    chip = fmt.tone_chip(SUCCESS if one.done else WARNING, "done" if one.done else "refused")
    made = Markup(" new job {}").format(fmt.short_id(one.made_id)) if one.made_id else ""
    return Markup('<div style="padding:2px 0">{} {} {} <span class="faint">{}{}</span></div>').format(
        chip, one.job_name or one.job_id, fmt.chip(one.status), one.message, made
    )
