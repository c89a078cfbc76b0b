"""Forms made from fields; every fault of the input is shown where it is."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import panel as pn
import panel_material_ui as pmui
from markupsafe import Markup

from workbench.errors import Conflict, ValidationError
from workbench.ui import format as fmt
from workbench.ui.components.fields import Field
from workbench.ui.components.markup import html, show
from workbench.ui.components.number_field import AnyNumber, WholeNumber
from workbench.ui.components.record_choice import RecordChoice, Sought
from workbench.ui.components.states import ErrorState
from workbench.ui.components.working_button import WorkingButton
from workbench.ui.theme import ERROR

# What a select shows as "–": the component cannot show None.
NOTHING = "__nothing__"


class ParameterForm(pn.viewable.Viewer):
    """Ask for values and submit them; `submit(values)` is a facade call with keywords filled in.

    Only what was entered is sent, so the service's own defaults hold. `choices` offers values that
    only the moment knows, such as the sheets there are: field name -> {label: value}. With `apart` the
    button, `submit_line`, is placed by the caller.
    """

    def __init__(
        self,
        fields: Sequence[Field],
        submit: Callable[[dict[str, Any]], Any],
        *,
        label: str = "Save",
        done: Callable[[Any], None] | None = None,
        choices: Mapping[str, Mapping[str, Any]] | None = None,
        values: Mapping[str, Any] | None = None,
        columns: int = 1,
        apart: bool = False,
    ) -> None:
        super().__init__()
        self._submit, self._done = submit, done
        self._inputs = {f.name: _Input(f, (choices or {}).get(f.name), (values or {}).get(f.name, f.default)) for f in fields}
        self._error = pmui.Column(margin=0, sizing_mode="stretch_width")
        self.button = WorkingButton(label=label, variant="contained", margin=0, css_classes=["submit"])
        self.button.on_click(self._clicked)
        boxes = [i.box for i in self._inputs.values()]
        area = {
            "display": "grid",
            "gridTemplateColumns": f"repeat({columns}, minmax(0, 1fr))",
            "gap": "16px 16px",
            "alignItems": "start",
        }
        grid = pmui.Column(*boxes, margin=0, sizing_mode="stretch_width", sx=area)
        self._reason = html("", visible=False)
        self.submit_line = pmui.Column(
            self._error, self.button, self._reason, margin=0, sizing_mode="stretch_width", sx={"gap": 2}
        )
        below = [] if apart else [self.submit_line]
        self._layout = pmui.Column(grid, *below, margin=0, sizing_mode="stretch_width", sx={"gap": 2})

    def input(self, name: str) -> Any:
        """Return the widget of a field, to watch what is entered."""
        return self._inputs[name].widget

    def box(self, name: str) -> Any:
        """Return the widget of a field with its note, to show or hide them."""
        return self._inputs[name].box

    def offer(self, name: str, choices: Mapping[str, Any]) -> None:
        """Offer other choices for a field."""
        self._inputs[name].offer(choices)

    def values(self) -> dict[str, Any]:
        """Return what was entered; raise ValidationError where it cannot be read."""
        faults, found = [], {}
        for name, each in self._inputs.items():
            try:
                given, value = each.read()
            except ValueError as error:
                faults.append({"field": name, "message": str(error), "value": each.widget.value})
            else:
                found |= {name: value} if given else {}
        if faults:
            raise ValidationError.of(faults)
        return found

    def allow(self, action: Any) -> None:
        """Let the button do what the service says may be done; why not stands below it."""
        self.button.disabled = not action.enabled
        show(self._reason, Markup('<span class="faint small" role="status">{}</span>').format(action.reason or ""))
        self._reason.visible = bool(action.reason)

    def show_error(self, error: BaseException | None) -> None:
        """Show an error: its faulty fields at their inputs, the rest below the form."""
        fields = getattr(error, "context", {}).get("fields", []) if error is not None else []
        messages = {str(f["field"]).split(".")[0].split("[")[0]: f["message"] for f in fields} or self._taken(error)
        placed = [each.label for name, each in self._inputs.items() if name in messages]
        for name, each in self._inputs.items():
            each.complain(messages.pop(name, None))
        if error is None:
            self._error.objects = []
        elif messages or not placed:
            self._error.objects = [ErrorState(error)]
        else:
            # The button may be far below the field that was refused.
            told = Markup('<div class="small ink-{}" role="status">Not done yet: look at {}.</div>')
            self._error.objects = [html(told.format(ERROR.name, ", ".join(placed)))]

    def _taken(self, error: BaseException | None) -> dict[str, str]:
        """Return the one field that a conflict is about, such as a name that is taken."""
        if not isinstance(error, Conflict):
            return {}
        mine = [name for name in error.context or {} if name in self._inputs]
        return dict.fromkeys(mine[:1], error.message)

    def _clicked(self, event: Any) -> None:
        self.button.loading = True
        try:
            result = self._submit(self.values())
        except Exception as error:  # noqa: BLE001  whatever is wrong with the input belongs next to it
            self.show_error(error)
        else:
            self.show_error(None)
            if self._done is not None:
                self._done(result)
        finally:
            self.button.loading = False

    def __panel__(self) -> pn.viewable.Viewable:
        return self._layout


class _Input:
    """One field's widget with its note below."""

    def __init__(self, field: Field, choices: Mapping[str, Any] | None, value: Any) -> None:
        self.field = field
        self.label = field.title or fmt.words(field.name)
        self.widget = _widget(field, choices, value)
        self._begun_with = value
        self._note = html("", css=".note { font-size: 12px; line-height: 1.4; padding: 4px 2px 0; }")
        self.box = pmui.Column(
            self.widget, self._note, margin=0, sizing_mode="stretch_width", css_classes=[f"field-{field.name}"]
        )
        self.complain(None)

    def offer(self, choices: Mapping[str, Any]) -> None:
        self.widget.options = dict(choices)
        if self.widget.value not in choices.values():
            self.widget.value = next(iter(choices.values()), None)

    def complain(self, message: str | None) -> None:
        if "error_state" in self.widget.param:
            self.widget.error_state = message is not None
        if message is not None:
            show(self._note, Markup('<div class="note ink-{}" role="alert">{}</div>').format(ERROR.name, message))
        else:
            show(self._note, Markup('<div class="note faint">{}</div>').format(_hint(self.field)))

    def read(self) -> tuple[bool, Any]:
        """Return whether something was entered, and what."""
        value, kind = self.widget.value, self.field.kind
        value = None if value == NOTHING else value
        if value is None or (isinstance(value, str) and not value.strip() and kind != "choice"):
            # What was there and is emptied is taken away; what was never there is not sent.
            return self.field.nullable and self._begun_with not in (None, ""), None
        if kind == "json":
            return True, json.loads(value)
        if kind == "several" and not value:
            return self.field.nullable and bool(self._begun_with), None
        if kind == "words" and isinstance(value, str):
            return True, [word.strip() for word in value.split(",") if word.strip()]
        return True, value


def _hint(field: Field) -> str:
    bounds = [f"from {fmt.plain(field.minimum)}" if field.minimum is not None else ""]
    bounds.append(f"to {fmt.plain(field.maximum)}" if field.maximum is not None else "")
    limits = " ".join(part for part in bounds if part)
    said = field.doc.rstrip(".").replace("`", "")
    repeated = said.lower() == (field.title or fmt.words(field.name)).lower()
    return ", ".join(part for part in ("" if repeated else said, limits) if part)


def _widget(field: Field, choices: Mapping[str, Any] | None, value: Any) -> Any:
    label = f"{field.title or fmt.words(field.name)}{' *' if field.required else ''}"
    shape = {"label": label, "margin": 0, "sizing_mode": "stretch_width", "size": "small"}
    if isinstance(choices, Sought):
        also = {} if field.required or value is not None else {fmt.DASH: NOTHING}
        return RecordChoice(choices, also=also, value=value or next(iter([*also.values(), *choices.values()]), None), **shape)
    if choices is not None or field.kind == "choice":
        options = dict(choices) if choices is not None else {fmt.words(str(c)): c for c in field.choices}
        options = options if field.required or value is not None else {fmt.DASH: NOTHING, **options}
        return pmui.Select(
            options=options, value=value if value in options.values() else next(iter(options.values()), None), **shape
        )
    if field.kind == "several":
        options = {fmt.words(word): word for word in field.choices}
        return pmui.CheckBoxGroup(options=options, value=list(value or ()), inline=True, **shape)
    if field.kind == "flag":
        return pmui.Checkbox(value=bool(value), **{**shape, "sizing_mode": None})
    if field.kind in ("integer", "number"):
        kind = WholeNumber if field.kind == "integer" else AnyNumber
        step = {} if field.kind == "integer" else {"step": 0.01}
        return kind(value=value, **shape, **step)
    if field.kind in ("long", "json"):
        text = json.dumps(value) if field.kind == "json" and value is not None else value or ""
        return pmui.TextAreaInput(
            value=text, rows=field.rows, auto_grow=True, max_rows=12, **{k: v for k, v in shape.items() if k != "size"}
        )
    text = ", ".join(value) if isinstance(value, (list, tuple)) else value or ""
    return pmui.TextInput(value=str(text), **shape)
