"""Data: the sheets there are, one of them in detail, and the way to bring in more."""

from __future__ import annotations

from typing import Any

import panel_material_ui as pmui
import param

from workbench.contract.answers import from_wire
from workbench.domain.data import SHEET_STATUSES, Sheet
from workbench.ui import format as fmt
from workbench.ui.components.chips import WRAPPING, FilterChips, bind_chips, chip_group, search_field
from workbench.ui.components.columns import Column, columns
from workbench.ui.components.drawer import DetailDrawer
from workbench.ui.components.form_dialog import FormDialog
from workbench.ui.components.states import empty_state
from workbench.ui.components.table import DataTable
from workbench.ui.components.tie import tie
from workbench.ui.job import JobView
from workbench.ui.review_import import REVIEWS, ReviewImportForm, brought_in, way_in
from workbench.ui.sheet_forms import ImportForm
from workbench.ui.sheet_view import FACES, SheetView
from workbench.ui.theme import MIDDLE
from workbench.ui.view import View

DETAIL_WIDTH = 760
IMPORT = "import"


class DataView(View):
    """List the sheets; one of them opens at the side."""

    url = ("search", "status", "sort", "descending", "page", "sheet", "face", "label", "dialog")

    search = param.String("", doc="Words a sheet has to contain.")
    status = param.String("", doc="State shown; empty: all but the deleted ones.")
    sort = param.String("created_at", doc="Column the sheets are ordered by.")
    descending = param.Boolean(True, doc="True when the order is reversed.")
    page = param.Integer(1, bounds=(1, None), doc="Page shown, from 1.")
    sheet = param.String("", doc="Sheet that is open.")
    face = param.Selector(default="rows", objects=list(FACES.values()), doc="Part of the open sheet that is shown.")
    label = param.String("", doc="Label of the open sheet that is open.")
    dialog = param.String("", doc="Form that is open: import or reviews.")

    def build(self) -> list[Any]:
        """Return filters, table and the places for detail and import."""
        self.asking = FormDialog()
        self.asking.dialog.param.watch(self._closed, "open")
        self.param.watch(self._ask, "dialog")
        self._ask()
        groups = [chip_group("status", "Status", [*SHEET_STATUSES, "deleted"])]
        chips = bind_chips(FilterChips(groups=groups, styles=WRAPPING), self, ["status"])
        self.table = DataTable(
            self,
            self.ws.sheets.list,
            _columns(),
            on_open=self._open,
            empty=self._nothing,
            filters=self._filters(),
        )
        tie(self.table, self, "page", "sort", "descending")
        self.table.param.watch(self._counted, "total")
        self.param.watch(self._filter, ["search", "status"])
        detail = DetailDrawer(self, self._detail, name="sheet", width=DETAIL_WIDTH)
        bar = pmui.Row(
            search_field(self, label="Search sheets"),
            chips,
            way_in(self.ws, on_click=self._bring_in),
            margin=0,
            sizing_mode="stretch_width",
            sx={**MIDDLE, "gap": 2, "flexWrap": "wrap"},
        )
        return [bar, self.table, detail, self.asking]

    def primary(self) -> Any:
        """Return the way to bring in rows."""
        return pmui.Button(
            label="Import a file", icon="upload", variant="contained", margin=0, on_click=self._import, css_classes=["import"]
        )

    def _filters(self) -> dict[str, str]:
        return {"search": self.search, "status": self.status}

    def _filter(self, *events: Any) -> None:
        self.table.filters = self._filters()

    def _counted(self, event: Any) -> None:
        self.sentence = str(fmt.plural(event.new, "sheet"))

    def _open(self, sheet_id: str) -> None:
        self.param.update(sheet=sheet_id, label="")

    def _detail(self, sheet_id: str) -> SheetView:
        view = SheetView(self.ws, sheet_id=sheet_id)
        tie(view, self, "face", "label")
        return view

    def _import(self, event: Any = None) -> None:
        self.dialog = IMPORT

    def _bring_in(self, event: Any = None) -> None:
        self.dialog = REVIEWS

    def _ask(self, *events: Any) -> None:
        """Open the form that the address names."""
        if self.dialog == REVIEWS:
            label = self.ws.training_sheets.import_reviews.operation.label
            self.asking.open(label, ReviewImportForm(self.ws, self._brought_in, self._bringing))
        if self.dialog == IMPORT:
            self.asking.open("Import a file", ImportForm(self.ws, self._imported, self._started))
        if not self.dialog:
            self.asking.close()

    def _closed(self, event: Any) -> None:
        if not event.new:
            self.dialog = ""

    def _imported(self, sheet: Any) -> None:
        self.asking.close()
        self.toasts.say(f"Imported {sheet.name}.")
        self._open(sheet.id)

    def _brought_in(self, found: Any) -> None:
        self.asking.open(f"Brought in {found.name}", *brought_in(found))

    def _bringing(self, job: Any) -> None:
        made = self.ws.training_sheets.import_reviews.operation
        self.asking.open(job.name, JobView(self.ws, job_id=job.id, on_result=lambda told: self._brought_in(from_wire(made, told))))

    def _started(self, job: Any) -> None:
        self.asking.open(job.name, JobView(self.ws, job_id=job.id, on_result=self._landed))

    def _landed(self, result: dict[str, Any]) -> None:
        self._imported(self.ws.sheets.get(result["sheet_id"]))

    def _nothing(self) -> Any:
        words = "No sheets yet. A sheet is a table of the rows you want to learn from."
        return empty_state(words, action="Import a file", on_click=self._import)


def _columns() -> tuple[Column, ...]:
    return columns(
        Sheet,
        "name",
        "status",
        "item_count",
        "column_count",
        "data_classification",
        Column("tags", "Tags", lambda tags: ", ".join(tags or ()) or fmt.unknown("No tags."), doc="Free words."),
        "created_at",
        "created_by",
        titles={
            "item_count": "Rows",
            "column_count": "Columns",
            "data_classification": "Classification",
            "created_at": "Imported",
            "created_by": "By",
        },
    )
