"""Keyboard commands for a view: every press once, in order, never while somebody types."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import param
from panel.custom import Child, JSComponent
from panel.io.state import set_curdoc

from workbench.ui.components.ready import session_document
from workbench.ui.theme import PRIMARY


class KeyCatcher(JSComponent):
    """Wrap a view and send it the keys it asked for.

    Keys are named `a`, `Shift+a`, `Escape`, `Ctrl+Enter`. `on_key(key, n)` is called for one press after the
    other on one thread; `n` counts the presses of a browser page, so that a repeat can be told. In a
    notebook keys act only while the view is armed: a click inside arms it, a click elsewhere disarms.
    """

    content = Child(doc="The view that the keys are for.")
    keys = param.List([], item_type=str, doc="Keys taken while nobody types.")
    typing_keys = param.List([], item_type=str, doc="Keys taken also while somebody types, such as Escape.")
    served = param.Boolean(False, doc="True in a page of its own, where keys always act.")
    armed = param.Boolean(False, doc="True while keys act in a notebook.")

    _esm = (Path(__file__).parent / "keys.js").read_text()
    _stylesheets = [
        f"""
.box {{ outline: none; width: 100%; }}
.box.notebook {{ border-radius: 10px; padding: 8px; box-sizing: border-box; transition: box-shadow .12s; }}
.box.armed {{ box-shadow: 0 0 0 2px var(--mui-palette-primary-main, {PRIMARY}); }}
"""
    ]

    def __init__(self, content: Any, on_key: Callable[[str, int], None], **params: Any) -> None:
        self._document = session_document()
        served = self._document is not None
        super().__init__(**{"content": content, "served": served, "margin": 0, "sizing_mode": "stretch_width", **params})
        self._on_key = on_key
        self._pressed: queue.Queue[tuple[str, int] | None] = queue.Queue()
        self._early: dict[int, str] = {}
        self._due = 1
        self._guard = threading.Lock()
        self._consumer: threading.Thread | None = None

    def _handle_msg(self, data: Any) -> None:
        """Put presses into their order: messages are handled on several threads at once."""
        key, number = str(data["key"]), int(data["n"])
        with self._guard:
            if number == 1 and self._due > 1:  # a browser page that has just been drawn counts from one
                self._early, self._due = {}, 1
            self._early[number] = key
            while self._due in self._early:
                self._pressed.put((self._early.pop(self._due), self._due))
                self._due += 1
            if self._consumer is None:
                self._consumer = threading.Thread(target=self._consume, daemon=True)
                self._consumer.start()

    def _consume(self) -> None:
        while (pressed := self._pressed.get()) is not None:
            with set_curdoc(self._document):
                self._on_key(*pressed)

    def close(self) -> None:
        """Stop listening; presses still waiting are worked off first."""
        self._pressed.put(None)
