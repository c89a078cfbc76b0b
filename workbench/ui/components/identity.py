"""Let a visitor of an open workspace say once who they are."""

from __future__ import annotations

from typing import Any

import panel_material_ui as pmui
from panel.custom import JSComponent

from workbench.ui.theme import MIDDLE

COOKIE = "workbench_user"


class Identity(JSComponent):
    """Keep a name in the browser's cookie and load the page again under it."""

    _esm = """
export function render({model}) {
  model.on("msg:custom", ({cookie, name}) => {
    document.cookie = `${cookie}=${encodeURIComponent(name)}; path=/; max-age=31536000; SameSite=Strict`
    window.location.reload()
  })
}
"""

    def __init__(self, **params: Any) -> None:
        super().__init__(width=0, height=0, margin=0, sizing_mode="fixed", styles={"position": "absolute"}, **params)

    def keep(self, name: str) -> None:
        """Take a name from now on."""
        self._send_msg({"cookie": COOKIE, "name": name})


def name_button() -> tuple[Any, Any]:
    """Return what shows the visitor's name and asks for another, and the button that carries the name."""
    identity = Identity()
    dialog = pmui.Dialog(title="Who are you?", width_option="xs", show_close_button=True, close_on_click=True)
    button = pmui.Button(
        label="", icon="person", size="small", variant="text", color="default", margin=0, css_classes=["visitor"],
        description="Say who you are",
    )  # fmt: skip

    def ask(event: Any) -> None:
        # Few ask for it, so the form is not part of what every page has to draw first.
        if not dialog.objects:
            dialog.objects = [_form(identity)]
        dialog.open = True

    button.on_click(ask)
    return pmui.Row(button, dialog, identity, margin=0), button


def _form(identity: Identity) -> Any:
    field = pmui.TextInput(
        label="Your name", placeholder="Decisions are logged under it", size="small", margin=0, sizing_mode="stretch_width"
    )
    save = pmui.Button(label="Keep", size="small", variant="contained", margin=0, css_classes=["keep-name"])

    def keep(event: Any) -> None:
        if field.value_input.strip():
            identity.keep(field.value_input.strip())

    save.on_click(keep)
    field.param.watch(keep, "enter_pressed")
    return pmui.Row(field, save, sx={**MIDDLE, "gap": 1}, sizing_mode="stretch_width")
