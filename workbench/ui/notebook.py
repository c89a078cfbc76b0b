"""What a notebook needs to show live views without a network."""

from __future__ import annotations

import base64
from typing import Any

import panel as pn
import panel.reactive
from panel.io.resources import CDN_DIST, DIST_DIR

from workbench.ui.notebook_bundle import font_faces, loader, share_bundle


def prepare(ipython: Any) -> None:
    """Load Panel into the notebook with everything inline, and keep it from asking a CDN later."""
    with ipython.builtin_trap:  # Panel looks for IPython's mark, which is there only while a cell runs
        pn.extension(inline=True)
        ipython.display_pub.publish({"application/javascript": loader()})
        ipython.display_pub.publish({"text/html": f"<style>{font_faces()}</style>"})
    keep_stylesheets_at_home()
    share_bundle()


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
