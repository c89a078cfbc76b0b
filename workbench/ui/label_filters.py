"""Which pairs: the filters of a queue, all of them part of the address."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from typing import Any

import panel as pn
import panel_material_ui as pmui
from markupsafe import Markup

from workbench.domain.label import PAIR_STATUSES, USES
from workbench.domain.quality import SIGNALS
from workbench.ui import format as fmt
from workbench.ui.components.active_filters import ActiveFilters
from workbench.ui.components.chips import FilterChips, bind_chips, chip_group, search_field
from workbench.ui.components.markup import html, show
from workbench.ui.components.tie import tie
from workbench.ui.theme import MIDDLE
from workbench.ui.view import View

QUEUES = ("to_review", *PAIR_STATUSES, "stale", "disputed")
# Argument of the queue -> how a filter that holds reads.
CHIPPED = {
    "search": "text ~ {}", "reviewer": "reviewer = {}", "item_ref": "item = {}", "use": "may be used for {}",
    "updated_since": "changed since {}", "updated_until": "changed before {}", "signals": "signals {}", "where": "where {}",
}  # fmt: skip
FILTERS = ("status", "response_source", *CHIPPED)
PLAIN = {"response_source": "Source", "reviewer": "Reviewer"}
NAMES = (*FILTERS, "pattern", "order", "descending")
HINTS = {"item_ref": "", "updated_since": "2026-01-31", "updated_until": "2026-01-31T14:05", "signals": "concern:0.5.. pii:1.."}
TITLES = {
    "item_ref": "Item", "updated_since": "Changed since (UTC)", "updated_until": "Changed before (UTC)",
    "signals": "Signals by name:low..high", "use": "May be used for", "where": "SQL condition over the pair and its source row",
}  # fmt: skip


def _moment(text: str) -> Any:
    """Return a time; what is none goes to the service, which says so."""
    try:
        return dt.datetime.fromisoformat(text.removesuffix("Z"))
    except ValueError:
        return text


# How the text of a field becomes the argument.
READ: dict[str, Callable[[str], Any]] = {
    "updated_since": _moment, "updated_until": _moment, "signals": lambda text: text.replace(",", " ").split()
}  # fmt: skip
WRITTEN: dict[str, Callable[[Any], str]] = {
    "updated_since": lambda moment: moment.isoformat(), "updated_until": lambda moment: moment.isoformat(), "signals": " ".join,
}  # fmt: skip


class QueueFilters(pn.viewable.Viewer):
    """Offer the filters of a queue; `view` holds what is chosen in parameters of the same names."""

    def __init__(self, view: View, call: Callable[..., Any]) -> None:
        super().__init__()
        self._view = view
        self.chips = FilterChips(groups=[chip_group("status", "Queue", QUEUES)], apart=True)
        bind_chips(self.chips, view, ["status", *PLAIN, "signals"])
        self.active = ActiveFilters(lambda name: view.param.update(**{name: ""}))
        self.searching = search_field(view, label="Search prompts and answers")
        self.fields: dict[str, Any] = {}
        self._refused = html("")
        self._panel = pmui.Column(margin=0, sizing_mode="stretch_width", visible=False)
        self.more = pmui.Button(
            label="More filters", icon="tune", variant="text", size="small", margin=0, css_classes=["more-filters"]
        )
        self.more.on_click(self._toggle)
        orders = {str(fmt.choice(word)): word for word in choices_of(call, "order")}
        self._order = pmui.Select(options=orders, label="Order", size="small", width=150, margin=0)
        tie(self._order, view, value="order")
        self._line = {**MIDDLE, "gap": 1, "flexWrap": "wrap"}
        view.param.watch(self._tell, list(NAMES))
        self._tell()

    def tools(self, *more: Any) -> Any:
        """Return the line of tools with others behind it."""
        return pmui.Row(self.searching, self._order, self.more, *more, margin=0, sizing_mode="stretch_width", sx=self._line)

    def __panel__(self) -> pn.viewable.Viewable:
        return pmui.Column(
            self.chips, self.active, self._panel, self._refused, margin=0, sizing_mode="stretch_width", sx={"gap": 1}
        )

    def offer(self, found: Any) -> None:
        """Offer the values that occur, with their counts."""
        facets = {facet.name: {v.value: v.count for v in facet.values} for facet in found.facets}
        groups = [chip_group("status", "Queue", QUEUES, counts=facets.get("status", {}))]
        for name, label in PLAIN.items():
            counts = facets.get(name, {})
            if counts:
                groups.append(chip_group(name, label, list(counts), counts=counts))
        self.chips.groups = groups + [_signalled(facet) for facet in found.facets if facet.name in SIGNALS and facet.values]

    def arguments(self) -> dict[str, Any]:
        """Return what to ask the queue for."""
        return arguments_of({name: getattr(self._view, name) for name in NAMES})

    def lift(self) -> None:
        """Take back every filter, so that all pairs are in the queue."""
        self._view.param.update(dict.fromkeys(FILTERS, ""))

    def untouched(self) -> bool:
        """Return whether the queue is the one that is there when nothing was chosen."""
        return all(getattr(self._view, name) == self._view.param[name].default for name in NAMES)

    def refuse(self, error: Exception) -> bool:
        """Say at its field what is wrong with a filter; return whether the error is about one."""
        told = {one["field"]: one["message"] for one in (getattr(error, "context", None) or {}).get("fields", ())}
        told = {("search" if name == "regex" else name): words for name, words in told.items()}
        mine = {name: words for name, words in told.items() if name in CHIPPED}
        if any(name in TITLES for name in mine):
            self._open()
        for name, field in {"search": self.searching, **self.fields}.items():
            field.error_state = name in mine
        line = Markup('<div class="small ink-error text" role="alert">{}: {}</div>')
        titles = {**TITLES, "search": "Search"}
        show(
            self._refused, Markup("").join(line.format(titles.get(name, fmt.words(name)), words) for name, words in mine.items())
        )
        return bool(mine)

    def accept(self) -> None:
        """Take back what was said of the filters."""
        show(self._refused, "")
        for field in (self.searching, *self.fields.values()):
            field.error_state = False

    def _tell(self, *events: Any) -> None:
        held = {name: getattr(self._view, name) for name in CHIPPED}
        words = {**CHIPPED, "search": "matches {}"} if self._view.pattern else CHIPPED
        self.active.filters = [{"name": name, "label": words[name].format(value)} for name, value in held.items() if value]
        self.active.visible = bool(self.active.filters)

    def _toggle(self, event: Any = None) -> None:
        if self._panel.visible:
            self._panel.visible = False
        else:
            self._open()

    def _open(self) -> None:
        # Few open it, so it is not part of what every page has to draw first.
        if not self._panel.objects:
            self._panel.objects = [self._fields()]
        self._panel.visible = True

    def _fields(self) -> Any:
        for name, hint in HINTS.items():
            self.fields[name] = pmui.TextInput(
                label=TITLES[name], placeholder=hint, size="small", width=190, margin=0, css_classes=[f"filter-{name}"]
            )
            tie(self.fields[name], self._view, value=name)
        where = pmui.TextInput(
            label=TITLES["where"], placeholder="signal_length > 200 and topic = 'billing'", size="small", margin=0,
            sizing_mode="stretch_width", css_classes=["filter-where"],
        )  # fmt: skip
        tie(where, self._view, value="where")
        self.fields["where"] = where
        use = pmui.Select(
            options={"any use": "", **{str(fmt.choice(u)): u for u in USES}}, label=TITLES["use"], size="small", width=150
        )
        tie(use, self._view, value="use")
        switches = [self._switch("pattern", "Search is a regular expression"), self._switch("descending", "Reverse the order")]
        first = pmui.Row(
            *[self.fields[name] for name in HINTS], use, *switches, margin=0, sizing_mode="stretch_width", sx=self._line
        )
        return pmui.Column(first, where, margin=0, sizing_mode="stretch_width", sx={"gap": 2, "py": 1})

    def _switch(self, name: str, label: str) -> Any:
        switch = pmui.Switch(label=label, size="small", margin=0, css_classes=[f"filter-{name}"])
        tie(switch, self._view, value=name)
        return switch


def arguments_of(chosen: Mapping[str, Any]) -> dict[str, Any]:
    """Return what to ask the queue for, from what is chosen in the fields."""
    given = {name: chosen[name] for name in (*FILTERS, "order", "descending")}
    if chosen["pattern"] and chosen["search"]:
        given |= {"search": "", "regex": chosen["search"]}
    given = {name: value for name, value in given.items() if value} | {"status": chosen["status"] or "all"}
    return given | {name: read(given[name]) for name, read in READ.items() if name in given}


def chosen_in(place: Any) -> dict[str, Any]:
    """Return what is chosen in the fields where a queue was left; what has no field is left out."""
    kept = place.filter
    told = {name: WRITTEN.get(name, str)(value) if (value := getattr(kept, name)) else "" for name in FILTERS}
    told |= {"status": kept.status if kept.status in QUEUES else "", "search": kept.search or kept.regex or ""}
    return {**told, "pattern": bool(kept.regex), "order": place.order, "descending": place.descending}


def _signalled(facet: Any) -> dict[str, Any]:
    """Return what a scan found as chips, each of which is a condition on the signal."""
    options = [
        {"value": f"{facet.name}:{one.value}", "label": one.label, "count": Markup(fmt.integer(one.count)).striptags()}
        for one in facet.values
    ]
    return {"name": "signals", "label": facet.label, "options": options}


def choices_of(call: Any, name: str) -> tuple[str, ...]:
    """Return the words that an argument of an operation takes."""
    return next((fmt.choices_of(a.annotation) for a in call.operation.arguments if a.name == name), ())
