"""One sheet: what it is, its rows, what its columns hold and what was made from it."""

from __future__ import annotations

from typing import Any

import panel_material_ui as pmui
import param
from markupsafe import Markup

from workbench.domain.generate import TrainingSheet
from workbench.ui import format as fmt
from workbench.ui.components.actions import ActionBar, run_on
from workbench.ui.components.cards import card
from workbench.ui.components.columns import Column, columns
from workbench.ui.components.form_dialog import FormDialog
from workbench.ui.components.lineage import LineageGraph
from workbench.ui.components.markup import html, show
from workbench.ui.components.profile import CSS as PROFILE_CSS
from workbench.ui.components.profile import columns_markup
from workbench.ui.components.rows import PreviewTable
from workbench.ui.components.states import empty_state
from workbench.ui.components.table import DataTable
from workbench.ui.components.tie import tie
from workbench.ui.job import JobView
from workbench.ui.labels import KnownLabelsView
from workbench.ui.sheet_forms import TIGHTENED, ReplaceForm, assemble_form, attach_form, edit_form, row_form
from workbench.ui.sheet_quality import SheetQualityFace
from workbench.ui.theme import PHONE, WIDE_FACTS
from workbench.ui.url import page_href
from workbench.ui.view import View

ROOMY = {"minWidth": "min(552px, 80vw)"}
FACES = {"Rows": "rows", "Columns": "columns", "Quality": "quality", "Labels": "labels", "Training sheets": "made"}
MADE = Column(
    "name", "Name", lambda row: fmt.link(row["name"], page_href("generate", {"face": "made", "made": row["id"]})), whole=True
)
# All of them in one line, also where it is narrow.
FACES_SX = {PHONE: {"& .MuiToggleButton-root": {"px": "7px"}}}


class SheetView(View):
    """Show one sheet with its actions."""

    sheet_id = param.String("", doc="Sheet shown.")
    face = param.Selector(
        default="rows", objects=list(FACES.values()), doc="Part shown: rows, columns, quality, labels or what was made."
    )
    label = param.String("", doc="Label that is open; empty: the list of them.")

    def build(self) -> list[Any]:
        """Return head, actions and the chosen part."""
        self.head = html("", css=WIDE_FACTS)
        self.dialog = FormDialog()
        self.sheet: Any = None
        forms = {"update": self._edit, "attach_template": self._attach, "assemble": self._assemble}
        forms |= {"tighten": self._tighten, "replace": self._replace, "update_row": self._point}
        self.actions = ActionBar(toasts=self.toasts, first="assemble", size="small", undo=self._undo, handlers=forms)
        top = self.live(self.ws.sheets.get, self._drawn, height=88, sheet_id=self.sheet_id)
        self.choice = pmui.RadioButtonGroup(options=FACES, size="small", margin=0, sx=FACES_SX)
        tie(self.choice, self, value="face")
        self.place = pmui.Column(margin=0, sizing_mode="stretch_width", sx={"gap": 1})
        quality = SheetQualityFace(self, self.sheet_id).parts
        labels = KnownLabelsView(self.ws, frame=self, sheet_id=self.sheet_id)
        tie(labels, self, "label")
        self.faces = {
            "rows": self._rows(), "columns": self._columns(), "quality": quality, "labels": [labels], "made": self._made(),
        }  # fmt: skip
        self.param.watch(self._turn, "face")
        self._turn()
        return [top, self.choice, self.place, self.dialog]

    def _turn(self, *events: Any) -> None:
        self.place.objects = self.faces[self.face]

    def _rows(self) -> list[Any]:
        rows = PreviewTable(self, self.ws.sheets.preview, sheet_id=self.sheet_id, on_open=self._open_row)
        search = pmui.TextInput(placeholder="Search in all cells", size="small", margin=0, width=280)
        search.param.watch(lambda event: rows.search(event.new), "value")
        return [search, rows]

    def _columns(self) -> list[Any]:
        def draw(profile: Any) -> Any:
            note = Markup('<div class="faint small" style="margin-bottom:8px">{} repeat an earlier row in every column.</div>')
            repeats = note.format(fmt.plural(profile.duplicate_rows, "row"))
            return html(Markup("{}{}").format(repeats, columns_markup(profile)), css=PROFILE_CSS)

        return [self.live(self.ws.sheets.profile, draw, height=240, sheet_id=self.sheet_id)]

    def _made(self) -> list[Any]:
        table = DataTable(
            self,
            self.ws.training_sheets.list,
            columns(TrainingSheet, MADE, "status", "total_rows", "created_at", "created_by"),
            of={"sheet_id": self.sheet_id},
            page_size=10,
            empty=lambda: empty_state("Nothing was made from this sheet yet."),
        )
        graph = LineageGraph()

        def draw(lineage: Any) -> Any:
            graph.update(lineage)
            return graph

        lineage = self.live(self.ws.lineage.get, draw, height=120, kind="sheet", id=self.sheet_id)
        return [table, card("What came of it", lineage, name="lineage")]

    def _drawn(self, sheet: Any) -> Any:
        self.sentence = str(Markup("{} {}").format(fmt.chip(sheet.status), fmt.plural(sheet.item_count, "row")))
        show(self.head, head_markup(sheet))
        self.sheet = sheet
        self.actions.update(sheet.actions, run_on(self.ws, sheet))
        return [self.head, self.actions]

    def _edit(self) -> None:
        self.dialog.open("Edit the sheet", edit_form(self.ws, self.sheet, self._saved))

    def _tighten(self) -> None:
        words = "Tags may be added, and the classification be raised: uses that a tag prohibits are prohibited on all pairs made so far."
        form = edit_form(self.ws, self.sheet, self._saved, TIGHTENED)
        self.dialog.open("Add tags", pmui.Column(html(fmt.escape(words)), form, margin=0, sizing_mode="stretch_width", sx={"gap": 2}))

    def _attach(self) -> None:
        self.dialog.open("Attach a template", attach_form(self.ws, self.sheet, self._saved))

    def _assemble(self) -> None:
        self.dialog.open("Make a training sheet", assemble_form(self.ws, self.sheet, self._made_one))

    def _replace(self) -> None:
        self.dialog.open("Replace the rows", ReplaceForm(self.ws, self.sheet, self._replaced))

    def _replaced(self, found: dict[str, Any]) -> None:
        self.dialog.close()
        self.toasts.say(found["summary"])

    def _point(self) -> None:
        self.face = "rows"
        self.toasts.say("Click the row to change.")

    def _open_row(self, row: dict[str, Any]) -> None:
        """Show the cells of a row in full, in a form where the service allows to change them."""
        index = next(iter(row.values()))
        if next((action.enabled for action in self.sheet.actions if action.name == "update_row"), False):
            form = row_form(self.ws, self.sheet, row, self._changed)
            self.dialog.open(f"Row {fmt.integer(index)}", pmui.Column(form, margin=0, sx=ROOMY))
        else:
            cells = [(fmt.marked(column.name), fmt.cell(row.get(column.name))) for column in self.sheet.columns]
            self.dialog.open(f"Row {fmt.integer(index)}", html(fmt.facts(cells)))

    def _changed(self, row: Any) -> None:
        self.dialog.close()
        if row is None:
            return

        def back() -> None:
            self.ws.sheets.update_row(row.sheet_id, row.row_index, row.before)

        self.toasts.say(f"Changed row {fmt.integer(row.row_index)}.", undo=back)

    def _saved(self, sheet: Any) -> None:
        self.dialog.close()
        self.toasts.say(f"Saved {sheet.name}.")

    def _made_one(self, made: Any) -> None:
        if hasattr(made, "progress_percent"):
            self.dialog.open(made.name, JobView(self.ws, job_id=made.id, on_result=self._landed))
            return
        link = fmt.link("Review it", f"./label?sheet={made.id}")
        words = Markup("Made {} with {}. {}").format(made.name, fmt.plural(made.total_rows, "pair"), link)
        self.dialog.open("Made", html(words))
        self.face = "made"

    def _landed(self, result: dict[str, Any]) -> None:
        self._made_one(self.ws.training_sheets.get(result["training_sheet_id"]))

    def _undo(self, name: str, result: Any) -> Any:
        return (lambda: self.ws.sheets.restore(self.sheet_id)) if name == "delete" else None


def head_markup(sheet: Any) -> Markup:
    """Return name, state and origin of a sheet."""
    title = Markup(
        '<div style="display:flex;gap:8px;align-items:center;flex-wrap:wrap"><span class="title">{}</span>{}{}</div>'
    ).format(sheet.name, fmt.chip(sheet.status), _sample(sheet))
    place = " (read in place)" if sheet.external else ""
    origin = Markup("{} {}").format(sheet.source_type, sheet.source) if sheet.source else "Rows given directly"
    facts = fmt.facts(
        [
            ("Rows", fmt.integer(sheet.item_count)),
            ("Columns", fmt.integer(sheet.column_count)),
            ("Items named by", sheet.item_id_column or fmt.unknown("The row number names each item.")),
            ("Source", Markup("{}{}").format(origin, place)),
            ("Classification", sheet.data_classification),
            ("Tags", ", ".join(sheet.tags) or fmt.unknown("No tags.")),
            ("Barred from", ", ".join(sheet.usage_limits) or fmt.unknown("The tags prohibit nothing.")),
            ("Imported", Markup("{} by {}").format(fmt.moment(sheet.created_at), sheet.created_by or fmt.DASH)),
        ]
    )
    words = (
        Markup('<div class="text" style="margin:4px 0 12px">{}</div>').format(sheet.description)
        if sheet.description
        else Markup('<div style="height:8px"></div>')
    )
    return Markup('{}{}<div class="wide">{}</div>').format(title, words, facts)


def _sample(sheet: Any) -> Markup:
    return fmt.tone_chip(fmt.tone_of("neutral"), "sample data") if sheet.sample else Markup("")
