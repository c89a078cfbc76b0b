"""Show formatted text."""

from __future__ import annotations

from typing import Any

import panel as pn
from markupsafe import Markup, escape

from workbench.ui import format as fmt
from workbench.ui.theme import MARKUP_CSS

# Names no longer than the first are shown whole; of others the end stays in sight.
SHORT, TAIL = 24, 12


def middle_cut(name: str) -> Markup:
    """Return a name whose middle gives way where there is no room: names that begin alike differ at their end."""
    if not name[SHORT:]:
        return Markup('<span title="{0}">{0}</span>').format(fmt.marked(name))
    shape = Markup('<span class="middle" title="{}"><span>{}</span><span>{}</span></span>')
    return shape.format(fmt.marked(name), fmt.marked(name[:-TAIL]), fmt.marked(name[-TAIL:]))


def html(fragment: Any = "", *, css: str = "", **layout: Any) -> pn.pane.HTML:
    """Return a pane that shows a `Markup` as it is and anything else escaped."""
    layout = {"sizing_mode": "stretch_width", "margin": 0, **layout}
    return pn.pane.HTML(str(escape(fragment)), stylesheets=[MARKUP_CSS, css] if css else [MARKUP_CSS], **layout)


def show(pane: pn.pane.HTML, fragment: Any) -> None:
    """Put another fragment into a pane, without a message to the browser when nothing changed."""
    markup = str(escape(fragment))
    if pane.object != markup:
        pane.object = markup


def retold(old: Any, new: Any) -> Any:
    """Return what shows `new`: the old pane with other words where both are fragments of one style, else `new` itself."""
    if old is new or not (type(old) is type(new) is pn.pane.HTML) or old.stylesheets != new.stylesheets:
        return new
    show(old, Markup(new.object))
    return old


def span(fragment: Any, css_class: str) -> Markup:
    """Return the fragment in a classed span."""
    return Markup('<span class="{}">{}</span>').format(css_class, fragment)
