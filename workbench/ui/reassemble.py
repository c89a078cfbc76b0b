"""Re-assembly of a training sheet: what it would change, then the change, with the way back."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import panel_material_ui as pmui
import param
from markupsafe import Markup

from workbench.errors import WorkbenchError
from workbench.ui import format as fmt
from workbench.ui.components import pair_markup
from workbench.ui.components.figures import word_diff
from workbench.ui.components.markup import html, show
from workbench.ui.components.states import ErrorState, skeleton
from workbench.ui.theme import MIDDLE
from workbench.ui.view import Part, View

OWN = "As it was made"
ALL = "All that change"
PAGE = 6
# What is counted, and listed pair by pair.
WAYS = {
    "stale": "Approvals that go back to review",
    "rerendered": "Prompts rendered anew",
    "response_changed": "Responses that follow their column",
    "source_changed": "Only the source row changed",
    "added": "Rows that join at the end",
    "removed": "Pairs flagged, their row is gone",
}
CSS = f"""{pair_markup.CSS}
.changed {{ border: 1px solid var(--mui-palette-divider, #dfe5ec); border-radius: 8px; padding: 10px 12px; margin-bottom: 8px; }}
.changed .head {{ display: flex; gap: 8px; align-items: center; flex-wrap: wrap; margin-bottom: 6px; }}
.changed .small {{ margin-top: 6px; }}
"""


class ReassembleView(View):
    """Count what rendering the pairs anew would change, show each of them, and do it."""

    training_sheet_id = param.String("", doc="Training sheet to render anew.")
    preview_id = param.String("", doc="What was counted last; empty: nothing yet.")
    only = param.String("", doc="Way of changing that is listed; empty for all.")
    page = param.Integer(1, bounds=(1, None), doc="Page of the list, from 1.")

    def __init__(self, ws: Any, *, done: Callable[[Any], None] | None = None, **arguments: Any) -> None:
        self._done = done
        self._found: Part | None = None
        super().__init__(ws, **arguments)

    def build(self) -> list[Any]:
        """Return the choice of a template, the outcome and the button that commits it."""
        self.template = pmui.Select(
            options={OWN: ""}, value="", label="Template", size="small", margin=0, sizing_mode="stretch_width"
        )
        self.template.param.watch(lambda event: self.ask(), "value")
        self.way = pmui.Select(options={ALL: ""}, value="", label="Which pairs", size="small", margin=0, width=280)
        self.pager = pmui.Pagination(count=1, value=0, size="small", margin=0, visible=False)
        self.count, self.pairs = html("", sizing_mode="stretch_width"), html("", css=CSS)
        self.way.param.watch(lambda event: self.param.update(only=event.new, page=1), "value")
        self.pager.param.watch(lambda event: self.param.update(page=fmt.page_of(event.new)), "value")
        self.param.watch(self._turn, ["preview_id", "only", "page"])
        self.outcome = pmui.Column(skeleton(160), margin=0, sizing_mode="stretch_width", sx={"gap": 2})
        self.button = pmui.Button(
            label="Re-assemble", variant="contained", margin=0, disabled=True, css_classes=["commit"], on_click=self._commit
        )
        words = "Prompts are rendered from the rows as they are now. Approvals whose prompt changes go back to review."
        templates = self.watch(self.ws.templates.list, self._offer, page_size=100)
        return [html(words), self.template, templates.box, self.outcome, self.button]

    def start(self) -> None:
        """Count as soon as a browser has attached."""
        super().start()
        self.run(self.ask)

    def _offer(self, page: Any) -> None:
        stored = {f"{template.name} {template.semver}": template.id for template in page}
        self.template.options = {OWN: ""} | stored

    def ask(self) -> None:
        """Ask what would change and show it."""
        self.button.disabled = True
        chosen = {"template_id": self.template.value} if self.template.value else {}
        try:
            found = self.ws.training_sheets.reassemble(self.training_sheet_id, preview=True, **chosen)
        except WorkbenchError as error:
            self.outcome.objects = [ErrorState(error, retry=self.ask)]
            return
        listed = self._listed(found)
        self.outcome.objects = [html(counts_markup(found), css=CSS), *([listed] if found.changed or found.added else [])]
        self.button.disabled = not (found.changed or found.added or found.template_changes)

    def _listed(self, found: Any) -> pmui.Column:
        """Return the list of what this preview would change, from its first page on."""
        if self._found is None:
            self._found = self.live(self.ws.training_sheets.reassembled_pairs, self._drawn)
        self.param.update(preview_id=found.preview_id, only="", page=1)
        counted = {words: name for name, words in WAYS.items() if getattr(found, name)}
        self.way.param.update(options={ALL: ""} | counted, value="")
        head = pmui.Row(self.way, self.count, margin=0, sizing_mode="stretch_width", sx={**MIDDLE, "gap": 1})
        return pmui.Column(head, self._found.box, margin=0, sizing_mode="stretch_width", sx={"gap": 1})

    def _turn(self, *events: Any) -> None:
        assert self._found is not None
        here = {"training_sheet_id": self.training_sheet_id, "preview_id": self.preview_id}
        self._found.ask(**here, only=self.only or None, page=self.page, page_size=PAGE)

    def _drawn(self, page: Any) -> list[Any]:
        show(self.count, Markup('<span class="faint small">{}</span>').format(fmt.plural(page.total, "pair")))
        show(self.pairs, Markup("").join(_changed(pair) for pair in page))
        pages = fmt.page_count(page.total, PAGE)
        self.pager.param.update(count=pages, visible=pages > 1, value=fmt.pager_value(self.page, pages))
        return [self.pairs, self.pager]

    def _commit(self, event: Any) -> None:
        try:
            found = self.ws.training_sheets.reassemble(self.training_sheet_id, preview_id=self.preview_id)
        except WorkbenchError as error:
            self.outcome.objects = [ErrorState(error, retry=self.ask)]
            return
        self.button.disabled = True
        if self._done is not None:
            self._done(found)


def counts_markup(found: Any) -> Markup:
    """Return the counts of a re-assembly as label and value."""
    lines = [
        *((words, fmt.integer(getattr(found, name))) for name, words in WAYS.items()),
        ("Prompts a person rewrote, kept", fmt.integer(found.kept_edited)),
        ("Unchanged", fmt.of(found.unchanged, found.matched)),
    ]
    if found.template_changes:
        lines.append(
            ("Template", Markup("{}: {}").format(found.template_after, ", ".join(map(fmt.words, found.template_changes))))
        )
    return Markup('<div class="text" style="margin-bottom:8px">{}</div>{}').format(found.summary, fmt.facts(lines))


def _changed(pair: Any) -> Markup:
    response = word_diff(pair.response_diff)
    answer = Markup('<div class="small faint">Response</div><div class="diff">{}</div>').format(response) if response else ""
    return Markup('<div class="changed"><div class="head">{}<span class="small">{}</span><span class="faint small">item {}</span></div>'
                  '<div class="diff">{}</div>{}</div>').format(
        fmt.chip(pair.status) if pair.status else "", pair.label, pair.item_ref, word_diff(pair.prompt_diff), answer
    )  # fmt: skip
