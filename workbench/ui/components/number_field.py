"""A number to enter that may also be missing: blank then, never 0."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import panel_material_ui as pmui
import param
from bokeh.models.formatters import CustomJSTickFormatter
from panel.custom import JSComponent

# The component's own formats write 0 where nothing was entered.
_TEXT = 'return tick == null ? "" : tick.toLocaleString("en-US", {maximumFractionDigits: 10}).replaceAll(",", "\\u202f")'


class TypedNumber(JSComponent):
    """Tell what is typed into the field that this belongs to, with every key."""

    _esm = (Path(__file__).parent / "number_field.js").read_text()


class _Entry(param.Parameterized):
    """Tell the browser that a number is missing, for which Panel would send the default, and hear of it while it is typed."""

    typed = param.Number(None, allow_None=True, doc="The number in the field while it is being typed.")

    def __init__(self, **params: Any) -> None:
        told = {
            "format": CustomJSTickFormatter(code=_TEXT),
            "placeholder": "",
            "attached": [TypedNumber(margin=0, width=0, height=0)],
        }
        super().__init__(**{**told, **params})

    def _get_model(self, *args: Any, **kwargs: Any) -> Any:
        model = super()._get_model(*args, **kwargs)  # type: ignore[misc]
        if self.value is None:  # type: ignore[attr-defined]
            model.data.value = None
        return model

    def _process_events(self, events: dict[str, Any]) -> None:
        """Take what is typed for the value as if the browser had said so: said back, it would write over what comes next."""
        super()._process_events({"value": events["typed"], **events} if "typed" in events else events)  # type: ignore[misc]


class WholeNumber(_Entry, pmui.IntInput):
    """Enter a whole number, or none."""


class AnyNumber(_Entry, pmui.FloatInput):
    """Enter a number, or none."""
