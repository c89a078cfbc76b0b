"""Which settings a study searches, within which bounds, and what the others are fixed at."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import panel as pn
import panel_material_ui as pmui
from markupsafe import Markup

from workbench.errors import ValidationError
from workbench.ui import format as fmt
from workbench.ui.components.markup import html, show
from workbench.ui.components.number_field import AnyNumber, WholeNumber

SPACE, FIXED = "search_space", "training_config"
NUMBERS = {"integer": WholeNumber, "number": AnyNumber}
GRID = {
    "display": "grid",
    "gap": 1,
    "alignItems": "center",
    "gridTemplateColumns": "minmax(120px, 1fr) repeat(2, minmax(0, 1fr))",
}
NOTE_CSS = ".note { font-size: 12px; line-height: 1.4; padding: 2px; }"


class SpaceEditor(pn.viewable.Viewer):
    """Offer every setting of a trainer: searched within bounds, or fixed; faults are shown at their setting."""

    def __init__(
        self, settings: Sequence[Mapping[str, Any]], suggested: Mapping[str, Any], *, changed: Callable[[], None] | None = None
    ) -> None:
        super().__init__()
        self._lines = {told["name"]: _Line(told, suggested.get(told["name"]), changed) for told in settings}
        boxes = [line.box for line in self._lines.values()]
        self._layout = pmui.Column(*boxes, margin=0, sizing_mode="stretch_width", sx={"gap": 1.5})

    def line(self, name: str) -> Any:
        """Return what belongs to one setting, to fill it in."""
        return self._lines[name]

    def values(self) -> dict[str, Any]:
        """Return the space and the fixed settings; raise ValidationError where something cannot be read."""
        space, fixed, faults = {}, {}, []
        for name, line in self._lines.items():
            try:
                if line.searched.value:
                    space[name] = line.entry()
                elif line.is_set():
                    fixed[name] = line.fixed.value
            except ValueError as error:
                faults.append({"field": f"{SPACE}.{name}", "message": str(error), "value": line.choices.value})
        if faults:
            raise ValidationError.of(faults)
        return {SPACE: space, FIXED: fixed}

    def show_faults(self, faults: Sequence[Mapping[str, Any]]) -> None:
        """Show faults at their settings; without one, take earlier ones away."""
        words: dict[str, list[str]] = {}
        for fault in faults:
            group, _, rest = str(fault["field"]).partition(".")
            name, _, part = rest.partition(".")
            if group in (SPACE, FIXED) and name in self._lines:
                words.setdefault(name, []).append(" ".join(word for word in (part, fault["message"]) if word))
        for name, line in self._lines.items():
            line.complain("; ".join(words.get(name, [])))

    def __panel__(self) -> pn.viewable.Viewable:
        return self._layout


class _Line:
    """One setting: a mark whether it is searched, its bounds or choices, and its value where it is not."""

    def __init__(self, told: Mapping[str, Any], entry: Mapping[str, Any] | None, changed: Callable[[], None] | None) -> None:
        self._told = told
        self._listed = told["type"] not in NUMBERS or (entry is not None and entry["type"] == "choice")
        self.searched = pmui.Checkbox(label=fmt.words(told["name"]), value=entry is not None, margin=0, size="small")
        low, high = told.get("bounds") or (None, None)
        start = entry or {}
        kind = NUMBERS.get(told["type"], AnyNumber)
        self.low = kind(label="From", value=start.get("low", low), **_SHAPE)
        self.high = kind(label="To", value=start.get("high", high), **_SHAPE)
        self.choices = pmui.TextInput(label="One of", value=_joined(start.get("choices") or told.get("choices")), **_SHAPE)
        self.fixed = _fixed(told)
        self._note = html("", css=NOTE_CSS)
        row = pmui.Column(
            self.searched, self.low, self.high, self.choices, self.fixed, margin=0, sizing_mode="stretch_width", sx=GRID
        )
        self.box = pmui.Column(row, self._note, margin=0, sizing_mode="stretch_width", css_classes=[f"setting-{told['name']}"])
        self.searched.param.watch(lambda event: self._face(), "value")
        for widget in (self.searched, self.low, self.high, self.choices, self.fixed):
            widget.param.watch(lambda event: changed() if changed is not None else None, "value")
        self._face()
        self.complain("")

    def _face(self) -> None:
        on = self.searched.value
        self.low.visible = self.high.visible = on and not self._listed
        self.choices.visible, self.fixed.visible = on and self._listed, not on

    def entry(self) -> dict[str, Any]:
        """Return the bounds or choices as entered."""
        if not self._listed:
            return {"low": self.low.value, "high": self.high.value}
        words = [word.strip() for word in self.choices.value.split(",") if word.strip()]
        if self._told["type"] not in NUMBERS:
            return {"choices": words}
        try:
            return {"choices": [json.loads(word) for word in words]}
        except ValueError:
            raise ValueError("takes numbers with commas between them") from None

    def is_set(self) -> bool:
        """Return whether the value differs from the setting's default."""
        return self.fixed.value not in (None, "") and self.fixed.value != self._told.get("default")

    def complain(self, words: str) -> None:
        """Show what is wrong, or else what the setting is for."""
        doc = str(self._told.get("doc") or "")
        line = (
            Markup('<div class="note ink-error" role="alert">{}</div>') if words else Markup('<div class="note faint">{}</div>')
        )
        show(self._note, line.format(words or doc))


_SHAPE = {"margin": 0, "size": "small", "sizing_mode": "stretch_width"}


def _fixed(told: Mapping[str, Any]) -> Any:
    value, kind = told.get("default"), told["type"]
    if kind == "selector":
        return pmui.Select(label="Fixed at", options=list(told.get("choices") or []), value=value, **_SHAPE)
    if kind == "boolean":
        return pmui.Checkbox(label="On", value=bool(value), margin=0)
    if kind in NUMBERS:
        return NUMBERS[kind](label="Fixed at", value=value, **_SHAPE)
    return pmui.TextInput(label="Fixed at", value=str(value or ""), **_SHAPE)


def _joined(values: Sequence[Any] | None) -> str:
    return ", ".join(str(value) for value in values or ())
