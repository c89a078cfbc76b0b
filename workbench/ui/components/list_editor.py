"""A short list of small things, each on one line: added, changed and taken away."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import panel as pn
import panel_material_ui as pmui

from workbench.ui import format as fmt
from workbench.ui.components.fields import Field
from workbench.ui.components.markup import html, span

WIDTHS = {"flag": "110px", "choice": "130px", "color": "64px", "key": "80px"}


class ListEditor(pn.viewable.Viewer):
    """Edit a list of dicts with the given fields; `changed` is called after every change.

    Beside the kinds of a form a field may be a `color` or a `key`. A line whose first field is empty is left out.
    """

    def __init__(
        self, title: str, fields: Sequence[Field], *, add: str, hint: str = "", changed: Callable[[], None] | None = None
    ) -> None:
        super().__init__()
        self._fields = tuple(fields)
        self._changed = changed
        self._lines: list[tuple[Any, dict[str, Any]]] = []
        self._box = pmui.Column(margin=0, sizing_mode="stretch_width", sx={"gap": 1})
        button = pmui.Button(label=add, icon="add", variant="text", size="small", margin=0, css_classes=["add-line"])
        button.on_click(lambda event: self._add({}))
        head = html(span(title, "title"))
        note = [html(span(hint, "faint small"))] if hint else []
        self._layout = pmui.Column(head, *note, self._box, button, margin=0, sizing_mode="stretch_width", sx={"gap": 1})

    @property
    def value(self) -> list[dict[str, Any]]:
        """Return the lines as dicts; what is empty is left out."""
        first = self._fields[0].name
        found = [{f.name: _read(f, widgets[f.name]) for f in self._fields} for _, widgets in self._lines]
        return [{name: value for name, value in line.items() if value is not None} for line in found if line[first]]

    def show(self, values: Sequence[Mapping[str, Any]]) -> None:
        """Show these lines in place of those there are."""
        self._lines = [self._line(value) for value in values]
        self._place()

    def _add(self, value: Mapping[str, Any]) -> None:
        self._lines.append(self._line(value))
        self._place()

    def _line(self, value: Mapping[str, Any]) -> tuple[Any, dict[str, Any]]:
        widgets = {field.name: _widget(field, value.get(field.name, field.default)) for field in self._fields}
        for widget in widgets.values():
            widget.param.watch(lambda event: self._tell(), "value")
        away = pmui.IconButton(icon="close", size="small", margin=0, description="Take away", css_classes=["take-away"])
        widths = " ".join(WIDTHS.get(field.kind, "minmax(0, 1fr)") for field in self._fields)
        grid = {"display": "grid", "gridTemplateColumns": f"{widths} 40px", "gap": 1, "alignItems": "center"}
        row = pmui.Column(*widgets.values(), away, margin=0, sizing_mode="stretch_width", sx=grid, css_classes=["line"])
        away.on_click(lambda event: self._remove(row))
        return row, widgets

    def _remove(self, row: Any) -> None:
        self._lines = [line for line in self._lines if line[0] is not row]
        self._place()
        self._tell()

    def _place(self) -> None:
        self._box.objects = [row for row, _ in self._lines]

    def _tell(self) -> None:
        if self._changed is not None:
            self._changed()

    def __panel__(self) -> pn.viewable.Viewable:
        return self._layout


def _widget(field: Field, value: Any) -> Any:
    shape = {"label": field.title or fmt.words(field.name), "margin": 0, "size": "small", "sizing_mode": "stretch_width"}
    if field.kind == "flag":
        return pmui.Checkbox(value=bool(value), **{**shape, "sizing_mode": None})
    if field.kind == "choice":
        return pmui.Select(options={fmt.words(word): word for word in field.choices}, value=value or field.choices[0], **shape)
    if field.kind == "color":
        return pmui.ColorPicker(value=value, margin=0, label="", width=56, height=38)
    text = ", ".join(value) if isinstance(value, (list, tuple)) else value or ""
    return pmui.TextInput(value=str(text), **shape)


def _read(field: Field, widget: Any) -> Any:
    value = widget.value
    if field.kind == "words":
        return [word.strip() for word in (value or "").split(",") if word.strip()]
    return value.strip() or None if isinstance(value, str) else value
