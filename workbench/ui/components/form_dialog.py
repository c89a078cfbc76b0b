"""Ask for more in a dialog, for actions that need input."""

from __future__ import annotations

from typing import Any

import panel as pn
import panel_material_ui as pmui

from workbench.ui.components.escape import EscapeKey


class FormDialog(pn.viewable.Viewer):
    """Show one form at a time over the page."""

    def __init__(self, *, width: str = "sm", **params: Any) -> None:
        super().__init__(**params)
        self.dialog = pmui.Dialog(width_option=width, close_on_click=True, show_close_button=True, css_classes=["form-dialog"])

    def open(self, title: str, *content: Any) -> None:
        """Show content under a title."""
        place = pmui.Column(*content, EscapeKey(self.close), margin=0, sizing_mode="stretch_width", sx={"gap": 2, "pt": 1})
        self.dialog.param.update(title=title, objects=[place], open=True)

    def close(self) -> None:
        """Hide the dialog."""
        self.dialog.open = False

    def __panel__(self) -> pn.viewable.Viewable:
        return self.dialog
