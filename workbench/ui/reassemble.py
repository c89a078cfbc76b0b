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
from workbench.ui.components.markup import html
from workbench.ui.components.pair_markup import over
from workbench.ui.components.states import ErrorState, skeleton
from workbench.ui.view import View

OWN = "As it was made"
CSS = f"""{pair_markup.CSS}
.changed {{ border: 1px solid var(--mui-palette-divider, #dfe5ec); border-radius: 8px; padding: 10px 12px; margin-bottom: 8px; }}
.changed .head {{ display: flex; gap: 8px; align-items: center; flex-wrap: wrap; margin-bottom: 6px; }}
.changed .small {{ margin-top: 6px; }}
"""


class ReassembleView(View):
    """Count what rendering the pairs anew would change, show some of them, and do it."""

    training_sheet_id = param.String("", doc="Training sheet to render anew.")

    def __init__(self, ws: Any, *, done: Callable[[Any], None] | None = None, **arguments: Any) -> None:
        self._done = done
        self._preview_id: str | None = None
        super().__init__(ws, **arguments)

    def build(self) -> list[Any]:
        """Return the choice of a template, the outcome and the button that commits it."""
        self.template = pmui.Select(
            options={OWN: ""}, value="", label="Template", size="small", margin=0, sizing_mode="stretch_width"
        )
        self.template.param.watch(lambda event: self.ask(), "value")
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
        self._preview_id = found.preview_id
        self.outcome.objects = [html(counts_markup(found), css=CSS), html(sample_markup(found.sample), css=CSS)]
        self.button.disabled = not (found.changed or found.added or found.template_changes)

    def _commit(self, event: Any) -> None:
        try:
            found = self.ws.training_sheets.reassemble(self.training_sheet_id, preview_id=self._preview_id)
        except WorkbenchError as error:
            self.outcome.objects = [ErrorState(error, retry=self.ask)]
            return
        self.button.disabled = True
        if self._done is not None:
            self._done(found)


def counts_markup(found: Any) -> Markup:
    """Return the counts of a re-assembly as label and value."""
    lines = [
        ("Approvals that go back to review", fmt.integer(found.stale)),
        ("Prompts rendered anew", fmt.integer(found.rerendered)),
        ("Responses that follow their column", fmt.integer(found.response_changed)),
        ("Only the source row changed", fmt.integer(found.source_changed)),
        ("Rows that join at the end", fmt.integer(found.added)),
        ("Pairs flagged, their row is gone", fmt.integer(found.removed)),
        ("Prompts a person rewrote, kept", fmt.integer(found.kept_edited)),
        ("Unchanged", fmt.of(found.unchanged, found.matched)),
    ]
    if found.template_changes:
        lines.append(
            ("Template", Markup("{}: {}").format(found.template_after, ", ".join(map(fmt.words, found.template_changes))))
        )
    return Markup('<div class="text" style="margin-bottom:8px">{}</div>{}').format(found.summary, fmt.facts(lines))


def sample_markup(pairs: Any) -> Markup:
    """Return a few pairs with the words that change."""
    shown = Markup("").join(_changed(pair) for pair in pairs)
    return Markup("{}{}").format(over("A random few"), shown) if shown else Markup("")


def _changed(pair: Any) -> Markup:
    response = word_diff(pair.response_diff)
    answer = Markup('<div class="small faint">Response</div><div class="diff">{}</div>').format(response) if response else ""
    return Markup('<div class="changed"><div class="head">{}<span class="small">{}</span><span class="faint small">item {}</span></div>'
                  '<div class="diff">{}</div>{}</div>').format(
        fmt.chip(pair.status), pair.label, pair.item_ref, word_diff(pair.prompt_diff), answer
    )  # fmt: skip
