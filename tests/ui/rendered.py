"""Views without a browser: started as if one had attached, and everything they would send to it."""

from __future__ import annotations

import html
import re
import time
from collections.abc import Callable, Iterator
from typing import Any

from workbench.ui.view import View

# Properties that hold code, style or identity, never words for people.
SILENT = {
    "esm", "bundle", "css_bundle", "importmap", "stylesheets", "css_classes", "styles", "sx", "tags", "name", "class_name", "code",
    "theme_config", "esm_constants", "url", "events", "subscribed_events", "js_event_callbacks", "js_property_callbacks",
}  # fmt: skip
TAG = re.compile(r"<[^>]*>")


def started(view: View) -> View:
    """Build a view and tell it that a browser has attached."""
    view.__panel__()
    view.ready._handle_msg("ready")
    return view


def texts(view: View) -> str:
    """Return all words a browser would be sent, tags stripped."""
    root = view.__panel__().get_root()
    found = [word for model in root.references() for word in _words(model.properties_with_values(include_defaults=False))]
    return "\n".join(" ".join(html.unescape(TAG.sub(" ", html.unescape(word))).split()) for word in found)


def _words(value: Any, name: str = "") -> Iterator[str]:
    if name in SILENT:
        return
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for key, part in value.items():
            yield from _words(part, str(key))
    elif isinstance(value, (list, tuple)):
        for part in value:
            yield from _words(part)


def shows(view: View, *wanted: str, seconds: float = 60) -> str:
    """Return the words of a view once it shows all of `wanted`; fail after a while."""
    found = ""

    def complete() -> bool:
        nonlocal found
        found = texts(view)
        return all(one in found for one in wanted)

    assert eventually(complete, seconds), f"missing {[one for one in wanted if one not in found]} in:\n{found}"
    return found


def eventually(check: Callable[[], Any], seconds: float = 60) -> Any:
    """Return the first truthy answer of a check, or its last one."""
    until = time.monotonic() + seconds
    while True:
        begun = time.monotonic()
        if (result := check()) or time.monotonic() > until:
            return result
        # To look is work as well: what is waited for gets most of the machine.
        time.sleep(min(max(0.02, 3 * (time.monotonic() - begun)), 0.3))
