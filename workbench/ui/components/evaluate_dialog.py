"""Ask on which pairs a trained model is to be evaluated."""

from __future__ import annotations

from typing import Any

import panel as pn
import panel_material_ui as pmui

from workbench.ui.components.form_dialog import FormDialog
from workbench.ui.components.record_choice import RecordChoice, Sought
from workbench.ui.components.states import ErrorState
from workbench.ui.view import Part, View

SIDES = {"Pairs held out in the training": "held_out", "Pairs it learned from": "train", "Both": "all"}


class EvaluateDialog(pn.viewable.Viewer):
    """Start an evaluation on the job's own pairs or on another training sheet."""

    def __init__(self, view: View, job_id: str) -> None:
        super().__init__()
        self._view, self._job_id = view, job_id
        self._dialog = FormDialog(width="xs")
        shape = {"margin": 0, "size": "small", "sizing_mode": "stretch_width"}
        self._sheets = Sought(view.ws.training_sheets, lambda sheet: f"Approved pairs of {sheet.name}", status="ready")
        self._pairs = RecordChoice(self._sheets, also=SIDES, value="held_out", label="Pairs", css_classes=["pairs"], **shape)
        self._trouble = pmui.Column(margin=0, sizing_mode="stretch_width")
        self._start = pmui.Button(label="Evaluate", variant="contained", margin=0, css_classes=["start-evaluation"])
        self._start.on_click(lambda event: self._run())
        self._known: Part | None = None

    def open(self) -> None:
        """Show the dialog; which training sheets there are is asked the first time."""
        if self._known is None:
            self._known = self._view.watch(self._view.ws.training_sheets.list, self._offer, status="ready", page_size=50)
            self._known.start()
        self._trouble.objects = []
        self._dialog.open("Evaluate", self._pairs, self._trouble, self._start)

    def _offer(self, page: Any) -> None:
        self._sheets.take(page)
        self._pairs.offer()

    def _run(self) -> None:
        chosen = self._pairs.value
        asked = {"side": chosen} if chosen in SIDES.values() else {"training_sheet_id": chosen}
        try:
            self._view.ws.training.evaluate(self._job_id, **asked)
        except Exception as error:  # noqa: BLE001  what is wrong belongs next to the choice
            self._trouble.objects = [ErrorState(error)]
            return
        self._dialog.close()
        self._view.toasts.say("The evaluation was started; its answers appear below once it is done.")

    def __panel__(self) -> pn.viewable.Viewable:
        return self._dialog.dialog
