"""A button that shows that its work is under way, and is free again when it is done."""

from __future__ import annotations

from typing import Any

import panel_material_ui as pmui


class WorkingButton(pmui.Button):
    """Turn while `loading`; only Python says when.

    The browser hands `loading` back a moment after it has drawn it: after quick work that would be the
    last word, and the button would turn for ever.
    """

    def _process_events(self, events: dict[str, Any]) -> None:
        told = {name: value for name, value in events.items() if name != "loading"}
        if told != events:
            self.param.trigger("loading")
        super()._process_events(told)
