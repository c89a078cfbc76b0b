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

# Of many pairs nobody sees what each is limited to: to choose nothing leaves that as it is, and to lift it is a wish of its own.
OF_MANY = {
    "allowed_uses": "Only for these uses (none chosen: as it is)",
    "prohibited_uses": "Not for these uses, whatever else is chosen (none chosen: as it is)",
}
LIFTS = {
    "allowed_uses": "Lift what they are limited to: for all uses",
    "prohibited_uses": "Lift what they are barred from, but for what the tags of the sheet prohibit",
}
# A word that breaks in two makes one button taller than its neighbors.
UNBROKEN = {"& button": {"whiteSpace": "nowrap", "px": 1.5}}


class RightsForm(pn.viewable.Viewer):
    """Choose uses; `save(values)` gets what was changed from the start, `note` says what stays whatever is chosen.

    Without what is `given` the form is about many pairs, whose limits can be set or lifted.
    """

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
        lifted = LIFTS if given is None else {}
        self.lifts = {name: pmui.Checkbox(label=words, size="small", margin=0, css_classes=["lift"]) for name, words in lifted.items()}
        self._before = {name: list(box.value) for name, box in self.choices.items()}
        self._trouble = pmui.Column(margin=0, sizing_mode="stretch_width")
        self.button = pmui.Button(label=label, variant="contained", margin=0, css_classes=["submit"])
        self.button.on_click(self._clicked)
        titles = TITLES if given is not None else OF_MANY
        rows = ((html(_line(titles[name])), box, self.lifts.get(name)) for name, box in self.choices.items())
        parts = [part for row in rows for part in row if part is not None]
        if note:
            parts.append(html(_line(note)))
        self._layout = pmui.Column(*parts, self._trouble, self.button, margin=0, sizing_mode="stretch_width", sx={"gap": 1})

    def values(self) -> dict[str, Any]:
        """Return the rights that differ from those at the start; no use chosen means no limit."""
        lifted = {name: None for name, box in self.lifts.items() if box.value}
        changed = {name: list(box.value) for name, box in self.choices.items() if list(box.value) != self._before[name]}
        return lifted | {name: uses or None for name, uses in changed.items()}

    def _clicked(self, event: Any) -> None:
        try:
            self._save(self.values())
        except Exception as error:  # noqa: BLE001  what is wrong with the choice belongs beside it
            self._trouble.objects = [ErrorState(error)]

    def __panel__(self) -> pn.viewable.Viewable:
        return self._layout


def _line(text: str) -> Markup:
    return Markup('<div class="faint small">{}</div>').format(text)
