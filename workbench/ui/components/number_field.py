"""A number to enter that may also be missing: blank then, never 0."""

from __future__ import annotations

from typing import Any

import panel_material_ui as pmui
from bokeh.models.formatters import CustomJSTickFormatter

# The component's own formats write 0 where nothing was entered.
_TEXT = 'return tick == null ? "" : tick.toLocaleString("en-US", {maximumFractionDigits: 10}).replaceAll(",", "\\u2009")'


class _Blank:
    """Tell the browser that a number is missing; Panel would send the default instead."""

    def __init__(self, **params: Any) -> None:
        super().__init__(**{"format": CustomJSTickFormatter(code=_TEXT), "placeholder": "", **params})

    def _get_model(self, *args: Any, **kwargs: Any) -> Any:
        model = super()._get_model(*args, **kwargs)  # type: ignore[misc]
        if self.value is None:  # type: ignore[attr-defined]
            model.data.value = None
        return model


class WholeNumber(_Blank, pmui.IntInput):
    """Enter a whole number, or none."""


class AnyNumber(_Blank, pmui.FloatInput):
    """Enter a number, or none."""
