"""What a notebook needs to show live views without a network."""

from __future__ import annotations

import base64
import concurrent.futures
import contextvars
import functools
import logging
import sys
import threading
from collections.abc import Callable
from typing import Any

import panel as pn
import panel.io.notebook
import panel.reactive
from panel.io.resources import CDN_DIST, DIST_DIR
from panel.viewable import Renderable

from workbench.ui.notebook_bundle import font_faces, loader, share_bundle

_HAND = "workbench-draw"
_sending = threading.RLock()
_hand: concurrent.futures.ThreadPoolExecutor | None = None


def draw(task: Callable[[], Any]) -> None:
    """Change what a cell shows, one task after the other: cells have no session to queue in.

    In a notebook one thread does it all and lasts: what a thread that ends sends last may stay in the kernel.
    """
    if _hand is None:
        task()
    else:
        _hand.submit(_safely, task)


def in_turn(task: Callable[[], Any]) -> None:
    """Run a task where cells are drawn, and wait for it; what it raises reaches the caller."""
    if _hand is None or threading.current_thread().name.startswith(_HAND):
        task()
    else:
        _hand.submit(contextvars.copy_context().run, task).result()


def _safely(task: Callable[[], Any]) -> None:
    try:
        task()
    except Exception:
        logging.getLogger(__name__).exception("a cell could not be drawn")


def prepare(ipython: Any) -> None:
    """Load Panel into the notebook with everything inline, and keep it from asking a CDN later."""
    with ipython.builtin_trap:  # Panel looks for IPython's mark, which is there only while a cell runs
        pn.extension(inline=True)
        ipython.display_pub.publish({"application/javascript": loader()})
        ipython.display_pub.publish({"text/html": f"<style>{font_faces()}</style>"})
    keep_stylesheets_at_home()
    share_bundle()
    keep_messages_in_order()
    hear_in_order()
    global _hand  # noqa: PLW0603 - one per kernel
    _hand = _hand or concurrent.futures.ThreadPoolExecutor(max_workers=1, thread_name_prefix=_HAND)


def keep_messages_in_order() -> None:
    """Let one thread at a time send to the browser: else one message names what another, still unsent, defines."""
    original = panel.io.notebook.push
    if getattr(original, "in_order", False):
        return

    @functools.wraps(original)
    def push(*args: Any, **kwargs: Any) -> None:
        with _sending:
            original(*args, **kwargs)

    push.in_order = True  # type: ignore[attr-defined]
    # HoloViews, too, has taken a copy of the name.
    for module in list(sys.modules.values()):
        if vars(module).get("push") is original:
            module.push = push  # type: ignore[attr-defined]


def hear_in_order() -> None:
    """Let what a browser did in one go happen in its order: Panel presses a button before it fills the field that was left for it.

    It happens on the thread that draws: Panel drops what was drawn, but not sent, while it hears.
    """
    original = Renderable._on_msg
    if getattr(original, "in_order", False):
        return

    @functools.wraps(original)
    def on_msg(self: Any, ref: str, manager: Any, message: dict[str, Any]) -> None:
        for part in parted(message):
            in_turn(functools.partial(original, self, ref, manager, part))

    on_msg.in_order = True  # type: ignore[attr-defined]
    Renderable._on_msg = on_msg


def parted(message: dict[str, Any]) -> list[dict[str, Any]]:
    """Return a message of a browser in parts that hold either changes or calls, in the order in which they happened."""
    content = message.get("content", {})
    runs: list[list[Any]] = []
    before = None
    for event in content.get("events", ()):
        calls = event["kind"] == "MessageSent"
        if calls is not before:
            runs.append([])
        runs[-1].append(event)
        before = calls
    return [{**message, "header": {**message["header"]}, "content": {**content, "events": run}} for run in runs]


def keep_stylesheets_at_home() -> None:
    """Turn stylesheets that Panel would fetch from its CDN after the first render into data URLs.

    `inline=True` covers the first render only: each later component would ask the network again.
    """
    original = panel.reactive.patch_stylesheet
    if getattr(original, "at_home", False):
        return

    def patch_stylesheet(stylesheet: Any, dist_url: str) -> None:
        original(stylesheet, dist_url)
        if is_loose(stylesheet):
            stylesheet.url = data_url(stylesheet.url) or stylesheet.url

    patch_stylesheet.at_home = True  # type: ignore[attr-defined]
    panel.reactive.patch_stylesheet = patch_stylesheet


def is_loose(stylesheet: Any) -> bool:
    """Return whether a stylesheet belongs to no document yet; one that does may not change."""
    return getattr(stylesheet, "document", None) is None and str(getattr(stylesheet, "url", "")).startswith(CDN_DIST)


def data_url(url: str) -> str | None:
    """Return the content of Panel's own file for a CDN address, or None where there is no such file."""
    path = DIST_DIR.joinpath(url.removeprefix(CDN_DIST).partition("?")[0])
    if not path.is_file():
        return None
    return "data:text/css;base64," + base64.b64encode(path.read_bytes()).decode()
