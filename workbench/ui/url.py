"""Keep a view's state in the query string, so that every view has an address."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl, urlencode

import panel as pn
import param


def query_of(search: str) -> dict[str, str]:
    """Return the parts of a query string such as `?status=running&page=2`."""
    return dict(parse_qsl(search.removeprefix("?"), keep_blank_values=True))


def search_of(query: dict[str, str]) -> str:
    """Return the query string of its parts."""
    return f"?{urlencode(query)}" if query else ""


def page_href(page: str, query: Mapping[str, Any] | None = None) -> str:
    """Return the address of a page in a given state, relative to where the pages are."""
    return f"./{page}{search_of({name: str(value) for name, value in (query or {}).items()})}"


def page_location() -> Any:
    """Return what stands for the address bar, or None outside a page."""
    try:
        return pn.state.location
    except AttributeError:  # a session made again for a returning socket has no page request; the page reloads itself
        return None


def page_origin() -> str | None:
    """Return the address this page is served from, such as `http://127.0.0.1:5006`, or None outside a page."""
    location = page_location()
    if location is None or not location.hostname:
        return None
    port = f":{location.port}" if location.port else ""
    return f"{location.protocol}//{location.hostname}{port}"


class UrlState:
    """Tie parameters to the query string in both directions; defaults stay out of it."""

    def __init__(self, view: param.Parameterized, names: tuple[str, ...], location: Any = None) -> None:
        self.view = view
        self.names = names
        self.location = location if location is not None else page_location()
        if self.location is None or not names:
            return
        self._take()
        self.location.param.watch(self._take, "search")
        view.param.watch(self._give, list(names))

    def _take(self, event: Any = None) -> None:
        query = query_of(self.location.search)
        defaults = {name: self.view.param[name].default for name in self.names}
        self.view.param.update(**{name: _parsed(self.view.param[name], query.get(name), defaults[name]) for name in self.names})

    def _give(self, *events: Any) -> None:
        query = {k: v for k, v in query_of(self.location.search).items() if k not in self.names}
        for name in self.names:
            value = getattr(self.view, name)
            if value != self.view.param[name].default:
                query[name] = value if isinstance(value, str) else json.dumps(value)
        search = search_of(query)
        if search != self.location.search:
            self.location.search = search


def _parsed(parameter: param.Parameter, raw: str | None, default: Any) -> Any:
    """Return the value of a query part; what does not fit the parameter counts as not given."""
    if raw is None:
        return default
    try:
        value = raw if isinstance(parameter, (param.String, param.Selector)) else json.loads(raw)
        parameter._validate(value)
    except ValueError:
        return default
    return value
