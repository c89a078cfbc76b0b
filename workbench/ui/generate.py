"""Generate: templates, and the training sheets made with them."""

from __future__ import annotations

from typing import Any

import panel_material_ui as pmui
import param
from markupsafe import Markup

from workbench.domain.generate import TEMPLATE_STATUSES, TRAINING_SHEET_STATUSES, Template, TrainingSheet
from workbench.domain.label import PAIR_STATUSES
from workbench.ui import format as fmt
from workbench.ui.components.chips import WRAPPING, FilterChips, bind_chips, chip_group, search_field
from workbench.ui.components.columns import Column, columns
from workbench.ui.components.drawer import DetailDrawer
from workbench.ui.components.form_dialog import FormDialog
from workbench.ui.components.record_choice import RecordChoice
from workbench.ui.components.states import empty_state
from workbench.ui.components.table import DataTable
from workbench.ui.components.tie import tie
from workbench.ui.generation import GenerationView
from workbench.ui.job import JobView
from workbench.ui.sheet_forms import assemble_form, sheet_choices
from workbench.ui.template_view import NEW, TemplateView
from workbench.ui.theme import MIDDLE
from workbench.ui.training_sheet_view import TrainingSheetView, counted
from workbench.ui.url import page_href
from workbench.ui.view import View

FACES = {"Templates": "templates", "Training sheets": "made"}
WIDE = 760
WIDER = 1080
NO_SHEETS = "There are no sheets yet. A training sheet is made from the rows of one."
IMPORT = page_href("data", {"dialog": "import"})


class GenerateView(View):
    """List templates and training sheets; each opens at the side."""

    url = ("face", "search", "status", "template", "made", "answers")

    face = param.Selector(default="templates", objects=list(FACES.values()), doc="Templates or training sheets.")
    search = param.String("", doc="Words to be contained.")
    status = param.String("", doc="State shown; empty: all.")
    template = param.String("", doc="Template that is open; `new` for a fresh one.")
    made = param.String("", doc="Training sheet that is open.")
    answers = param.String("", doc="Training sheet whose answers are asked for.")

    def build(self) -> list[Any]:
        """Return the choice of face, filters, both tables and the drawers."""
        self.dialog = FormDialog()
        choice = pmui.RadioButtonGroup(options=FACES, size="small", margin=0)
        tie(choice, self, value="face")
        self.chips = bind_chips(FilterChips(styles=WRAPPING), self, ["status"])
        self.tables = {"templates": self._templates(), "made": self._made()}
        new = pmui.Button(
            label="Make a training sheet", icon="playlist_add", variant="outlined", margin=0, css_classes=["assemble"]
        )
        new.on_click(self._assemble)
        bar = pmui.Row(
            choice, search_field(self), self.chips, new, margin=0, sizing_mode="stretch_width",
            sx={**MIDDLE, "gap": 2, "flexWrap": "wrap"},
        )  # fmt: skip
        for table in self.tables.values():
            table.param.watch(self._counted, "total")
        self.boxes = {
            name: pmui.Column(table, margin=0, sizing_mode="stretch_width", visible=False) for name, table in self.tables.items()
        }
        self.param.watch(self._turn, "face")
        self.param.watch(self._filter, ["search", "status"])
        self._turn()
        drawers = [
            DetailDrawer(self, self._template, name="template", width=WIDER),
            DetailDrawer(self, lambda chosen: TrainingSheetView(self.ws, training_sheet_id=chosen), name="made", width=WIDE),
            DetailDrawer(self, lambda chosen: GenerationView(self.ws, training_sheet_id=chosen), name="answers", width=WIDER),
        ]
        return [bar, *self.boxes.values(), *drawers, self.dialog]

    def primary(self) -> Any:
        """Return the way to write a template."""
        return pmui.Button(
            label="New template", icon="add", variant="contained", margin=0, css_classes=["new-template"],
            on_click=lambda event: self.param.update(template=NEW),
        )  # fmt: skip

    def _templates(self) -> DataTable:
        shown = columns(
            Template, "name", "semver", "status", "response_source_mode",
            Column("placeholders", "Placeholders", _listed, doc="Names between braces."),
            "created_at", "created_by",
            titles={"semver": "Version", "response_source_mode": "Answers from", "created_at": "Made", "created_by": "By"},
        )  # fmt: skip
        return DataTable(
            self,
            self.ws.templates.list,
            shown,
            on_open=lambda chosen: self.param.update(template=chosen),
            filters=self._filters(),
            empty=lambda: empty_state(
                "No templates yet. A template turns each row into a prompt.",
                action="New template",
                on_click=lambda event: self.param.update(template=NEW),
            ),
        )

    def _made(self) -> DataTable:
        counts = [
            Column("counts", fmt.words(word), counted(word), align="right", doc=f"Pairs that are {word}.")
            for word in PAIR_STATUSES
        ]
        shown = columns(
            TrainingSheet, "name", "sheet_name", "status", "total_rows", *counts, "created_at",
            titles={"sheet_name": "Sheet", "total_rows": "Pairs", "created_at": "Made"},
        )  # fmt: skip
        return DataTable(
            self,
            self.ws.training_sheets.list,
            shown,
            on_open=lambda chosen: self.param.update(made=chosen),
            filters=self._filters(),
            empty=lambda: empty_state(
                "No training sheets yet. One is made from a sheet and a template.",
                action="Make a training sheet",
                on_click=self._assemble,
            ),
        )

    def _counted(self, *events: Any) -> None:
        totals = (fmt.plural(self.tables["templates"].total, "template"), fmt.plural(self.tables["made"].total, "training sheet"))
        self.sentence = str(Markup(" · ").join(totals))

    def _filters(self) -> dict[str, str]:
        return {"search": self.search, "status": self.status}

    def _turn(self, *events: Any) -> None:
        words = TEMPLATE_STATUSES if self.face == "templates" else [*TRAINING_SHEET_STATUSES, "deleted"]
        if events:
            self.status = ""
        self.chips.groups = [chip_group("status", "Status", words)]
        for name, box in self.boxes.items():
            box.visible = name == self.face

    def _filter(self, *events: Any) -> None:
        self.tables[self.face].filters = self._filters()

    def _template(self, template_id: str) -> TemplateView:
        view = TemplateView(self.ws, template_id=template_id)
        view.param.watch(lambda event: self.param.update(template=event.new), "template_id")
        return view

    def _assemble(self, event: Any = None) -> None:
        sheets = sheet_choices(self.ws)
        if not sheets:
            self.dialog.open("Make a training sheet", empty_state(NO_SHEETS, action="Import a table", href=IMPORT))
            return
        chosen = RecordChoice(
            sheets,
            also={"Choose a sheet": ""},
            value="",
            label="Sheet",
            size="small",
            margin=0,
            sizing_mode="stretch_width",
        )
        place = pmui.Column(margin=0, sizing_mode="stretch_width")

        def pick(event: Any) -> None:
            place.objects = [assemble_form(self.ws, self.ws.sheets.get(event.new), self._assembled)] if event.new else []

        chosen.param.watch(pick, "value")
        self.dialog.open("Make a training sheet", chosen, place)

    def _assembled(self, made: Any) -> None:
        if hasattr(made, "progress_percent"):
            self.dialog.open(made.name, JobView(self.ws, job_id=made.id, on_result=self._landed))
            return
        self.dialog.close()
        self.toasts.say(f"Made {made.name}.")
        self.param.update(face="made", made=made.id)

    def _landed(self, result: dict[str, Any]) -> None:
        self._assembled(self.ws.training_sheets.get(result["training_sheet_id"]))


def _listed(names: Any) -> Any:
    return ", ".join(names or ()) or fmt.unknown("None.")
