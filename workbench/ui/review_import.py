"""Bring in what was reviewed in another tool: look at what would come in, then take it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import panel as pn
import panel_material_ui as pmui
from markupsafe import Markup

from workbench.contract import answers
from workbench.domain.jobs import Job
from workbench.errors import WorkbenchError
from workbench.ui import format as fmt
from workbench.ui.components.forms import ParameterForm
from workbench.ui.components.markup import html, show
from workbench.ui.components.upload import Upload
from workbench.ui.components.working_button import WorkingButton
from workbench.ui.sheet_forms import blamed_on_file, titled
from workbench.ui.theme import MIDDLE

# Name of the form in the address of the Data page.
REVIEWS = "reviews"
ENDINGS = ".json,.jsonl,.ndjson,.csv,.tsv,.parquet,.arrow,.xlsx,.gz,.zst"
HINT = "An export of Label Studio (JSON) or Argilla, chats, preferences, or a table of prompts and responses"
# What a dialog leaves for its content; without it the form would be as wide as what it shows just now.
WIDTH = 552
ON_SERVER = ("source", "split")
PLACES = {"Upload a file": "upload", "Read from a path": "path"}
OTHERWISE = '<div class="faint small" style="margin:8px 0">Without a place of their own; the rows keep them as they were:</div>'


class ReviewImportForm(pn.viewable.Viewer):
    """Ask for a file, or a path on the server, and say what would come in before it does.

    `started` gets the job that brings in a large one.
    """

    def __init__(self, ws: Any, done: Callable[[Any], None], started: Callable[[Any], None] | None = None) -> None:
        super().__init__()
        self._call, self._done, self._started = ws.training_sheets.import_reviews, done, started or done
        self.place = pmui.RadioButtonGroup(options=PLACES, value="upload", size="small", margin=0)
        self.upload = Upload(
            path="/assemblies/import-reviews", accept=ENDINGS, hint=HINT,
            on_chosen=self._chosen, on_done=self._answered, on_started=self._told, on_error=self._refused,
        )  # fmt: skip
        self.fault = html("")
        self.sending = pmui.Column(self.upload, self.fault, margin=0, sizing_mode="stretch_width")
        self.form = self._form()
        self.asking = pmui.Column(self.form, margin=0, sizing_mode="stretch_width")
        self.found = html("", visible=False)
        self.question = pmui.Select(label="Question", size="small", margin=0, sizing_mode="stretch_width", visible=False)
        self.take = WorkingButton(label=self._call.operation.label, variant="contained", margin=0, css_classes=["take"], visible=False)
        self.back = pmui.Button(label="Back", variant="text", margin=0, css_classes=["back"], visible=False, on_click=self._hide)
        self.question.param.watch(self._asked, "value")
        self.place.param.watch(self._placed, "value")
        self.take.on_click(self._taken)
        ways = pmui.Row(self.take, self.back, margin=0, sx={**MIDDLE, "gap": 2})
        self._layout = pmui.Column(
            self.place, self.sending, self.asking, self.question, self.found, ways,
            margin=0, sizing_mode="stretch_width", sx={"gap": 2, "width": WIDTH, "maxWidth": "100%"},
        )  # fmt: skip
        self._placed()

    def _form(self) -> ParameterForm:
        path, split, *rest = titled(self._call, ("source", "split", "name", "format", "encoding"))
        path = replace(path, kind="text", title="Path", doc="File, or folder of a saved data set, on the machine of the server")
        return ParameterForm([path, split, *rest], self._look, label="Look into it", columns=2)

    def _placed(self, *events: Any) -> None:
        """Show where the records are asked for."""
        sent = self.place.value == "upload"
        self.sending.visible = sent
        for name in ON_SERVER:
            self.form.box(name).visible = not sent
        self._chosen()

    def _chosen(self, filename: str = "") -> None:
        """Forget what was found in another file."""
        show(self.fault, "")
        self.form.show_error(None)
        self.question.param.update(options=[], value=None)
        self._hide()

    def _hide(self, *events: Any) -> None:
        """Ask for the records again."""
        self._turn(found=False)

    def _turn(self, *, found: bool) -> None:
        """Show what is asked for, or what was found."""
        for part in (self.place, self.asking):
            part.visible = not found
        for part in (self.found, self.take, self.back):
            part.visible = found
        self.question.visible = found and bool(self.question.options)

    def _look(self, values: dict[str, Any]) -> None:
        self._ask(values, preview=True)

    def _asked(self, event: Any) -> None:
        if event.new and event.old and self.take.visible:
            self._try(preview=True)

    def _taken(self, event: Any) -> None:
        self._try()

    def _try(self, **more: Any) -> None:
        self.take.loading = True
        try:
            self._ask(self.form.values(), **more)
        except WorkbenchError as error:
            self._refused(error)
        finally:
            self.take.loading = False

    def _ask(self, values: dict[str, Any], **more: Any) -> None:
        """Ask the service; an upload answers later."""
        asked = {"question": self.question.value} if self.question.value else {}
        if self.place.value == "upload":
            self.upload.send({**{name: value for name, value in values.items() if name not in ON_SERVER}, **asked, **more})
        else:
            self._told(self._call(**{**values, **asked, **more}, wait=None))

    def _answered(self, answer: dict[str, Any]) -> None:
        self._told(answers.from_wire(self._call.operation, answer))

    def _told(self, found: Any) -> None:
        """Show what would come in, or hand over what came in, or the job that brings it in."""
        show(self.fault, "")
        self.form.show_error(None)
        if isinstance(found, Job):
            self._started(found)
            return
        if not found.preview:
            self._done(found)
            return
        show(self.found, found_markup(found))
        if found.other_questions and not self.question.options:
            self.question.param.update(options=[found.question, *found.other_questions], value=found.question)
        self._turn(found=True)

    def _refused(self, error: Exception) -> None:
        self._hide()
        self.form.show_error(blamed_on_file(self.fault, error) if self.place.value == "upload" else error)

    def __panel__(self) -> pn.viewable.Viewable:
        return self._layout


def found_markup(found: Any) -> Markup:
    """Return what comes in: its format, its pairs by state, and what has no place."""
    states = Markup(" ").join(
        Markup("{} {}").format(fmt.chip(status), fmt.integer(count)) for status, count in found.statuses.items()
    )
    facts = [("Name", found.name), ("Written as", fmt.words(found.format)), ("Status", states)]
    if found.question:
        facts.append(("Responses", Markup("the answers to {}").format(found.question)))
    left = fmt.facts((one.what, fmt.integer(one.count)) for one in found.unplaced)
    return Markup('<div class="text" role="status" style="margin-bottom:8px">{}</div>{}{}').format(
        found.summary, fmt.facts(facts), Markup("{}{}").format(Markup(OTHERWISE), left) if found.unplaced else ""
    )


def brought_in(found: Any) -> list[Any]:
    """Return what came in, with the ways to it."""
    review = pmui.Button(label="Review them", href=f"./label?sheet={found.id}", variant="contained", margin=0, css_classes=["review"])
    sheet = pmui.Button(label="Open the sheet", href=f"./data?sheet={found.sheet_id}", variant="outlined", margin=0)
    return [html(found_markup(found)), pmui.Row(review, sheet, margin=0, sx={**MIDDLE, "gap": 2})]


def way_in(ws: Any, **how: Any) -> pmui.Button:
    """Return the button that opens the form: `on_click`, or `href` from another page."""
    label = ws.training_sheets.import_reviews.operation.label
    return pmui.Button(label=label, icon="move_to_inbox", variant="outlined", margin=0, css_classes=["bring-in"], **how)
