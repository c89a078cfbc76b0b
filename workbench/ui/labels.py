"""What is known about the items of a sheet: the labels there are, and one of them with all it ever said."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import panel_material_ui as pmui
import param
from markupsafe import Markup

from workbench.domain.item import item_name
from workbench.domain.labels import CanonicalLabel
from workbench.errors import NotFound
from workbench.ui import format as fmt
from workbench.ui.components.actions import ActionBar, run_on
from workbench.ui.components.cards import card, stack
from workbench.ui.components.chips import WRAPPING, FilterChips, bind_chips, chip_group, search_field
from workbench.ui.components.columns import Column, column, columns
from workbench.ui.components.fields import Field, fields_of_operation
from workbench.ui.components.form_dialog import FormDialog
from workbench.ui.components.forms import ParameterForm
from workbench.ui.components.markup import html, show
from workbench.ui.components.pair_markup import CSS, SHOWN_CHARS, item_markup
from workbench.ui.components.states import empty_state
from workbench.ui.components.table import DataTable
from workbench.ui.label_grid import excerpt
from workbench.ui.theme import MIDDLE, WIDE_FACTS
from workbench.ui.url import page_href
from workbench.ui.view import View

PAGE = 10
VERSIONS = 20
USES = ("allowed_uses", "prohibited_uses")
STATED = ("label", "confidence", "notes", *USES)
TITLES = {
    "item_ref": "Item", "label_type": "Kind", "reuse_count": "Reused", "labeled_by": "By", "labeled_at": "When",
    "allowed_uses": "Only for these uses", "prohibited_uses": "Not for these uses",
}  # fmt: skip
KINDS: dict[str, Any] = {"item_ref": {"kind": "text"}, "label": {"rows": 2}, "notes": {"rows": 1}}
HINTS = {"allowed_uses": "None chosen: for all.", "prohibited_uses": "Whatever else is chosen."}
GONE = "This label is not known any more: it was deleted, or nobody approves what it said."
# The words on a button stay in one line; what does not fit beside the search goes below.
TOOLS_SX = {**MIDDLE, "gap": 2, "flexWrap": "wrap", "& .new": {"flex": "0 0 auto", "width": "auto !important", "ml": "auto"}}
TEXT_CSS = f"""{CSS}{WIDE_FACTS}
.said {{ font-size: 15px; line-height: 1.55; white-space: pre-wrap; overflow-wrap: anywhere; unicode-bidi: plaintext; }}
"""


class KnownLabelsView(View):
    """List the labels of a sheet; an open one takes the place of the list."""

    sheet_id = param.String("", doc="Sheet whose items the labels are about.")
    search = param.String("", doc="Words that the label or its item contains.")
    label_type = param.String("", doc="Kind of truth; empty: all kinds.")
    label = param.String("", doc="Label that is open; empty: the list.")

    def build(self) -> list[Any]:
        """Return the sentence on all of them, the filters and the list."""
        self.dialog = FormDialog()
        self.kinds: list[str] = []
        self.limits: str | None = None
        self.words = html("")
        self.actions = ActionBar(toasts=self.toasts, size="small", handlers={"create": self._new})
        self.actions.layout.param.update(sizing_mode=None, css_classes=["new"])
        self.chips = FilterChips(groups=[], styles=WRAPPING, visible=False)
        bind_chips(self.chips, self, ["label_type"])
        head = self.live(self.ws.labels.stats, self._counted, height=24, sheet_id=self.sheet_id)
        self.table = DataTable(
            self, self.ws.labels.list, _columns(), page_size=PAGE, of={"sheet_id": self.sheet_id}, filters=self._filters(),
            on_open=lambda chosen: self.param.update(label=chosen), empty=_nothing,
        )  # fmt: skip
        tools = [search_field(self, label="Search labels and items"), self.chips, self.actions]
        self.listed = [head, pmui.Row(*tools, margin=0, sizing_mode="stretch_width", sx=TOOLS_SX), self.table]
        self.param.watch(lambda *events: self.table.param.update(filters=self._filters()), ["search", "label_type"])
        self.back = pmui.Button(label="All labels", icon="arrow_back", variant="text", size="small", margin=0, css_classes=["back"])
        self.back.on_click(lambda event: self.param.update(label=""))
        self.opened: KnownLabelView | None = None
        self.place = stack()
        self.param.watch(self._turn, "label")
        self._turn()
        return [self.place, self.dialog]

    def close(self) -> None:
        """Release the live queries, those of the open label too."""
        super().close()
        if self._layout is not None and self.opened is not None:
            self.opened.close()

    def _filters(self) -> dict[str, str]:
        return {"search": self.search, "label_type": self.label_type}

    def _turn(self, *events: Any) -> None:
        """Show the list, or the label that is open."""
        if self.opened is not None:
            self.opened.close()
            self.opened = None
        if self.label:
            self.opened = KnownLabelView(self.ws, label_id=self.label, on_deleted=self._deleted)
        self.place.objects = self.listed if self.opened is None else [self.back, self.opened]

    def _counted(self, stats: Any) -> Any:
        show(self.words, Markup('<span class="faint">{}</span>').format(stats.summary))
        self.actions.update(stats.actions)
        self.limits = next((action.reason for action in stats.actions if action.enabled), None)
        self.kinds = list(stats.by_label_type)
        # Where all are of one kind there is nothing to choose.
        self.chips.param.update(
            groups=[chip_group("label_type", "Kind", self.kinds, counts=stats.by_label_type, told=str)], visible=bool(self.kinds[1:])
        )
        return self.words

    def _new(self) -> None:
        usual = {"label_type": self.label_type or next(iter(self.kinds), "response")}
        self.form = ParameterForm(
            _fields(self.ws.labels.create, ("item_ref", "label_type", *STATED)),
            lambda values: self.ws.labels.create(self.sheet_id, **values),
            label="Keep",
            done=self._made,
            values=usual,
        )
        self.dialog.open("New label", *_noted(self.limits), self.form)

    def _made(self, label: Any) -> None:
        self.dialog.close()
        self.toasts.say(f"Kept the label of {item_name(label.item_ref)}.")

    def _deleted(self, label: Any) -> None:
        self.label = ""
        self.toasts.say(f"Deleted the label of {item_name(label.item_ref)}.")


class KnownLabelView(View):
    """Show one label with its versions and its actions."""

    label_id = param.String("", doc="Label shown.")
    on_deleted = param.Callable(None, allow_None=True, doc="Called with the label once it was deleted here.")

    def build(self) -> list[Any]:
        """Return what it says, its actions and its versions."""
        self.known: Any = None
        self.dialog = FormDialog()
        self.head, self.log = html("", css=TEXT_CSS), html("", css=CSS)
        self.actions = ActionBar(toasts=self.toasts, first="update", size="small", handlers={"update": self._edit})
        self.top = self.live(self.ws.labels.get, self._drawn, height=120, label_id=self.label_id)
        versions = self.live(self.ws.labels.versions, self._told, height=80, label_id=self.label_id, page_size=VERSIONS)
        self.pager = pmui.Pagination(count=1, value=0, size="small", margin=0, visible=False)
        self.pager.param.watch(lambda event: versions.ask(page=fmt.page_of(event.new)), "value")
        self.past = card("Versions", versions, self.pager, name="versions")
        self.top.refuse, versions.refuse = self._missing, self._forgotten
        self.gone = pmui.Column(empty_state(GONE), margin=0, sizing_mode="stretch_width", visible=False)
        return [self.gone, self.top, self.past, self.dialog]

    def _drawn(self, label: Any) -> Any:
        self.known, self.gone.visible = label, False
        show(self.head, _head(label))
        self.actions.update(label.actions, self._perform)
        return [self.head, self.actions]

    def _told(self, versions: Any) -> Any:
        self.past.visible = True
        pages = fmt.page_count(versions.total, VERSIONS)
        self.pager.param.update(count=pages, visible=pages > 1)
        show(self.log, _log(versions))
        return self.log

    def _missing(self, error: BaseException) -> bool:
        """Say that nothing is known any more; what was said before stays in sight as long as it is kept."""
        self.gone.visible = isinstance(error, NotFound)
        return self.gone.visible

    def _forgotten(self, error: BaseException) -> bool:
        self.past.visible = not isinstance(error, NotFound)
        return not self.past.visible

    def _perform(self, name: str) -> Any:
        result = run_on(self.ws, self.known)(name)
        if name == "delete" and self.on_deleted is not None:
            self.on_deleted(self.known)
        return result

    def _edit(self) -> None:
        known = self.known
        given = {name: _value(known, name) for name in STATED}

        def save(values: dict[str, Any]) -> Any:
            changed = {name: value for name, value in values.items() if value != given[name]}
            return self.ws.labels.update(known.id, version=known.version, **changed) if changed else known

        self.form = ParameterForm(_fields(self.ws.labels.update, STATED), save, done=self._saved, values=given)
        limits = next((action.reason for action in known.actions if action.name == "update"), None)
        self.dialog.open("Edit the label", *_noted(limits), self.form)

    def _saved(self, label: Any) -> None:
        self.dialog.close()
        self.toasts.say(f"Saved the label of {item_name(label.item_ref)}.")


def _columns() -> tuple[Column, ...]:
    said = column(CanonicalLabel, "label", show=excerpt)
    item = column(CanonicalLabel, "item_ref", title=TITLES["item_ref"], show=item_markup)
    return columns(CanonicalLabel, item, "label_type", said, "confidence", "reuse_count", "labeled_by", "labeled_at", titles=TITLES)


def _nothing() -> Any:
    words = "What is approved in a review becomes known here, and is taken over whenever its item comes up again."
    return empty_state(words, action="Go to Label", href="./label")


def _fields(call: Callable[..., Any], names: tuple[str, ...]) -> list[Field]:
    found = {field.name: field for field in fields_of_operation(call, only=names)}
    return [replace(found[name], **KINDS.get(name, {}), title=TITLES.get(name, ""), doc=HINTS.get(name, found[name].doc)) for name in names]


def _value(label: Any, name: str) -> Any:
    value = getattr(label, name)
    return list(value or ()) if name in USES else value


def _noted(words: str | None) -> list[Any]:
    return [html(Markup('<div class="faint small text">{}</div>').format(words))] if words else []


def _head(label: Any) -> Markup:
    """Return what a label says of which item, how sure it is and what it may be used for."""
    sample = fmt.tone_chip(fmt.tone_of("neutral"), "sample data") if label.sample else ""
    title = Markup('<div style="display:flex;gap:8px;align-items:center;flex-wrap:wrap"><span class="title">{}</span>{}</div>')
    last = Markup(", last {}").format(fmt.moment(label.last_used_at)) if label.last_used_at else ""
    facts = fmt.facts(
        [
            ("Kind", label.label_type),
            ("Confidence", fmt.choice(label.confidence)),
            ("Notes", fmt.text(label.notes, reason="None were written.")),
            ("Only for", _uses(label.allowed_uses, "It may be used for everything.")),
            ("Not for", _uses(label.prohibited_uses, "It is barred from nothing.")),
            ("Taken over by", Markup("{}{}").format(fmt.plural(label.reuse_count, "pair"), last)),
            ("Said", Markup("{} by {}").format(fmt.moment(label.labeled_at), label.labeled_by or fmt.DASH)),
        ]
    )
    said = Markup('<div class="said" style="margin:8px 0 16px">{}</div>').format(fmt.clipped(label.label, SHOWN_CHARS))
    return Markup('{}{}<div class="wide">{}</div>').format(title.format(item_markup(label.item_ref), sample), said, facts)


def _uses(uses: Any, reason: str) -> Markup:
    return Markup(", ").join(fmt.choice(use) for use in uses or ()) or fmt.unknown(reason)


def _log(versions: Any) -> Markup:
    """Return all that was ever the truth on an item, the newest first."""
    return Markup('<ul class="log">{}</ul>').format(Markup("").join(_version(one) for one in versions))


def _version(version: Any) -> Markup:
    pair = page_href("label", {"pair": f"{version.training_sheet_id}.{version.row_index}"})
    how = fmt.link("by approving a pair", pair) if version.training_sheet_id else "by hand"
    gone = fmt.chip("archived", "taken back") if version.retracted else ""
    step = Markup('<div class="step"><span><b>{}</b> {} <span class="faint">{}</span></span>{}</div>').format(
        version.labeled_by or fmt.DASH, how, fmt.moment(version.labeled_at), gone
    )
    said = Markup("<s>{}</s>" if version.retracted else "{}").format(fmt.clipped(version.label, SHOWN_CHARS))
    return Markup('<li>{}<div class="diff">{}</div></li>').format(step, said)
