"""Ask an endpoint and see what it answers."""

from __future__ import annotations

import json
from typing import Any

import panel_material_ui as pmui
import param
from markupsafe import Markup

from workbench.ui import format as fmt
from workbench.ui.components.bars import meter
from workbench.ui.components.markup import html, show
from workbench.ui.components.states import ErrorState
from workbench.ui.components.working_button import WorkingButton
from workbench.ui.view import View


class TryIt(View):
    """Ask for one input, as the model's example shows it, and show the answer with its confidence."""

    endpoint = param.String("", doc="Name of the endpoint.")
    example = param.Parameter(None, doc="One input it can answer: a row or a text.")

    def build(self) -> list[Any]:
        """Return the inputs, the button and the place of the answer."""
        self._inputs = _inputs(self.example)
        self._answer, self._error = html(""), pmui.Column(margin=0, sizing_mode="stretch_width")
        self._button = WorkingButton(label="Ask", icon="send", variant="contained", margin=0, css_classes=["ask"])
        self._button.on_click(self._ask)
        return [*self._inputs.values(), self._button, self._answer, self._error]

    def _entered(self) -> Any:
        values = {name: widget.value for name, widget in self._inputs.items()}
        return values if isinstance(self.example, dict) else values[""]

    def _ask(self, event: Any) -> None:
        self._button.loading = True
        self._error.objects = []
        try:
            found = self.ws.endpoints.invocations(self.endpoint, inputs=[self._entered()])
        except Exception as error:  # noqa: BLE001  what the endpoint refuses belongs below its inputs
            show(self._answer, "")
            self._error.objects = [ErrorState(error)]
        else:
            show(self._answer, _answer(found, self.endpoint))
        finally:
            self._button.loading = False


def _inputs(example: Any) -> dict[str, Any]:
    if isinstance(example, dict):
        return {name: _field(fmt.words(name), value) for name, value in example.items()}
    return {"": _field("Input", example)}


def _field(label: str, value: Any) -> Any:
    text = value if isinstance(value, str) else "" if value is None else json.dumps(value)
    return pmui.TextAreaInput(label=label, value=text, rows=1, auto_grow=True, max_rows=8, margin=0, sizing_mode="stretch_width")


def _answer(found: Any, endpoint: str) -> Markup:
    lines = []
    for told, request in zip(found.predictions, found.request_ids, strict=True):
        lines.append(
            Markup(
                '<div class="answer" style="display:flex;gap:16px;align-items:center;flex-wrap:wrap;padding:8px 0">'
                '<b style="font-size:18px">{}</b>{}<span class="faint small">version {} · request {}</span></div>'
            ).format(
                told.value if isinstance(told.value, str) else json.dumps(told.value),
                meter(fmt.of_hundred(told.confidence), fmt.percent(told.confidence)),
                found.model_version,
                fmt.short_id(request, href=f"./monitor?endpoint={endpoint}&request={request}"),
            )
        )
    return Markup("").join(lines)
