"""The form for usage rights, of one pair or of many."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import panel as pn
import panel_material_ui as pmui
from markupsafe import Markup

from workbench.domain.label import USES
from workbench.ui import format as fmt
from workbench.ui.components.markup import html
from workbench.ui.components.states import ErrorState

TITLES = {
    "allowed_uses": "Only for these uses (none chosen: for all)",
    "prohibited_uses": "Not for these uses, whatever else is chosen",
}


# A word that breaks in two makes one button taller than its neighbors.
UNBROKEN = {"& button": {"whiteSpace": "nowrap", "px": 1.5}}


class RightsForm(pn.viewable.Viewer):
    """Choose uses; `save(values)` gets what was changed from the start, `note` says what stays whatever is chosen."""

    def __init__(
        self,
        save: Callable[[dict[str, Any]], Any],
        given: Mapping[str, Any] | None = None,
        *,
        label: str = "Save",
        note: str | None = None,
    ) -> None:
        super().__init__()
        self._save = save
        options = {str(fmt.choice(use)): use for use in USES}
        self.choices = {
            name: pmui.CheckButtonGroup(
                options=options, value=list((given or {}).get(name) or ()), size="small", margin=0, sx=UNBROKEN
            )
            for name in TITLES
        }
        self._before = {name: list(box.value) for name, box in self.choices.items()}
        self._trouble = pmui.Column(margin=0, sizing_mode="stretch_width")
        self.button = pmui.Button(label=label, variant="contained", margin=0, css_classes=["submit"])
        self.button.on_click(self._clicked)
        parts = [part for name, box in self.choices.items() for part in (html(_line(TITLES[name])), box)]
        if note:
            parts.append(html(_line(note)))
        self._layout = pmui.Column(*parts, self._trouble, self.button, margin=0, sizing_mode="stretch_width", sx={"gap": 1})

    def values(self) -> dict[str, Any]:
        """Return the rights that differ from those at the start; no use chosen means no limit."""
        return {name: list(box.value) or None for name, box in self.choices.items() if list(box.value) != self._before[name]}

    def _clicked(self, event: Any) -> None:
        try:
            self._save(self.values())
        except Exception as error:  # noqa: BLE001  what is wrong with the choice belongs beside it
            self._trouble.objects = [ErrorState(error)]

    def __panel__(self) -> pn.viewable.Viewable:
        return self._layout


def _line(text: str) -> Markup:
    return Markup('<div class="faint small">{}</div>').format(text)
