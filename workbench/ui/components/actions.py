"""Buttons for what the service says may be done."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import panel as pn
import panel_material_ui as pmui

from workbench.ui.components.markup import html
from workbench.ui.components.states import ErrorState
from workbench.ui.components.working_button import WorkingButton
from workbench.ui.theme import PHONE

Run = Callable[[str], Any]
# What only starts here: it is done when its job is.
BEGUN = frozenset({"scan", "retry", "resume"})
# On a phone a thumb has to hit it.
THUMB = {PHONE: {"minHeight": "44px"}}


class ActionBar(pn.viewable.Viewer):
    """Draw exactly the actions a record came with and run the chosen one.

    `run(name)` performs an action; `handlers` take over actions that need more input, such as a form,
    and `links` make an action a link to another page; `hints` are the keys that do the same.
    `undo(name, result)` returns the way back, or None. A failure is shown below the buttons.
    """

    def __init__(
        self,
        actions: Sequence[Any] = (),
        run: Run | None = None,
        *,
        toasts: Any = None,
        handlers: Mapping[str, Callable[[], Any]] | None = None,
        links: Mapping[str, str] | None = None,
        undo: Callable[[str, Any], Callable[[], None] | None] | None = None,
        first: str | None = None,
        size: str = "medium",
        hints: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__()
        self._hints = dict(hints or {})
        self._run = run
        self._toasts = toasts
        self._handlers = dict(handlers or {})
        self._links = dict(links or {})
        self._undo = undo
        self._first = first
        self._size = size
        self._shown: tuple[Any, ...] = ()
        self._buttons = pmui.Row(margin=0, sx={"gap": 1, "flexWrap": "wrap"})
        self._error = pmui.Column(margin=(8, 0, 0, 0), sizing_mode="stretch_width", visible=False)
        self._dialog = pmui.Dialog(width_option="xs", close_on_click=True)
        self.layout = pmui.Column(self._buttons, self._error, self._dialog, margin=0, sizing_mode="stretch_width")
        self.update(actions)

    def handle(self, handlers: Mapping[str, Callable[[], Any]]) -> None:
        """Take over more actions, also of buttons already there."""
        self._handlers |= dict(handlers)

    def update(self, actions: Sequence[Any], run: Run | None = None) -> None:
        """Show other actions; buttons are left alone when nothing changed."""
        self._run = run or self._run
        facts = tuple((a.name, a.label, a.enabled, a.reason, a.confirm) for a in actions)
        if facts == self._shown:
            return
        self._shown = facts
        self._buttons.objects = [self._button(action) for action in actions]

    def _button(self, action: Any) -> Any:
        link = {"href": self._links[action.name]} if action.enabled and action.name in self._links else {}
        button = WorkingButton(
            label=action.label,
            disabled=not action.enabled,
            description=action.reason or self._hint(action),
            variant="contained" if action.enabled and action.name == self._first else "outlined",
            color="error" if action.confirm else "primary",
            size=self._size,
            margin=0,
            css_classes=[f"action-{action.name}"],
            sx=THUMB,
            **link,
        )
        if link:
            return button
        button.on_click(lambda event: self._asked(action, button))
        if action.enabled or not action.reason:
            return button
        # A disabled button swallows the pointer, so the reason hangs on what is around it.
        button.description = None
        return pmui.Tooltip(button, title=action.reason, arrow=True, margin=0)

    def _hint(self, action: Any) -> str | None:
        key = self._hints.get(action.name)
        return f"{action.label} ({key})" if key else None

    def _asked(self, action: Any, button: Any) -> None:
        if not action.confirm:
            self._perform(action, button)
            return
        self._dialog.title = action.label
        self._dialog.objects = [html(action.confirm), self._answers(action, button)]
        self._dialog.open = True

    def _answers(self, action: Any, button: Any) -> Any:
        def yes(event: Any) -> None:
            self._dialog.open = False
            self._perform(action, button)

        def no(event: Any) -> None:
            self._dialog.open = False

        confirm = pmui.Button(label=action.label, color="error", variant="contained", on_click=yes, css_classes=["confirm"])
        keep = pmui.Button(label="Keep as it is", variant="text", on_click=no)
        return pmui.Row(keep, confirm, sx={"justifyContent": "flex-end", "gap": 1}, sizing_mode="stretch_width")

    def _perform(self, action: Any, button: Any) -> None:
        handler = self._handlers.get(action.name)
        if handler is not None:
            handler()
            return
        self._error.param.update(objects=[], visible=False)
        button.loading = True
        try:
            result = self._run(action.name) if self._run else None
        except Exception as error:  # noqa: BLE001  whatever went wrong belongs where the button is
            self._error.param.update(objects=[ErrorState(error)], visible=True)
            return
        finally:
            button.loading = False
        if self._toasts is not None:
            how = "has begun" if action.name in BEGUN else "done"
            self._toasts.say(f"{action.label}: {how}.", undo=self._undo(action.name, result) if self._undo else None)

    def __panel__(self) -> pn.viewable.Viewable:
        return self.layout


def run_on(ws: Any, record: Any) -> Run:
    """Return the way to run a record's actions by name."""

    def run(name: str) -> Any:
        method = ws.record_method(record, name)
        if method is None:
            raise LookupError(f"A {record.kind} has no action {name!r}.")
        return method()

    return run
