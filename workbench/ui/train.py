"""Train: start jobs that learn from pairs, and follow them."""

from __future__ import annotations

from typing import Any

import panel_material_ui as pmui
import param
from markupsafe import Markup

from workbench.domain.train import TrainingJob
from workbench.ui import format as fmt
from workbench.ui.compare import CompareView
from workbench.ui.components.bars import meter
from workbench.ui.components.cards import line, stack
from workbench.ui.components.chips import FilterChips, bind_chips, chip_group, search_field
from workbench.ui.components.columns import Column, column, columns
from workbench.ui.components.jobs_bar import JobsBar
from workbench.ui.components.progress import waits
from workbench.ui.components.states import empty_state
from workbench.ui.components.table import DataTable
from workbench.ui.components.tie import tie
from workbench.ui.studies import StudyList
from workbench.ui.study import StudyView
from workbench.ui.study_form import StudyForm
from workbench.ui.train_form import TrainForm
from workbench.ui.training_job import TrainingJobView
from workbench.ui.view import View

STATUS = TrainingJob.param["status"]
FILTERS = ("status", "search", "training_sheet_id")
TABS = ("jobs", "studies")


class TrainView(View):
    """List the training jobs or the studies, open one, or make another."""

    url = ("tab", "job", "study", "compare", "dialog", "like", "status", "search", "page", "training_sheet_id")

    tab = param.Selector(default="jobs", objects=list(TABS), doc="List that is shown.")
    compare = param.String("", doc="Ids of the jobs that are compared, separated by commas.")
    like = param.String("", doc="Id of the job whose settings the form begins with.")
    job = param.String("", doc="Id of the job that is open.")
    study = param.String("", doc="Id of the study that is open.")
    dialog = param.String("", doc="Form that is open: create, retry or study.")
    status = param.String("", doc="Only jobs in this state.")
    search = param.String("", doc="Part of the name.")
    page = param.Integer(1, bounds=(1, None), doc="Page of the list.")
    training_sheet_id = param.String("", doc="Only jobs that learned from this training sheet.")

    def build(self) -> list[Any]:
        """Return the place for the list, a job or the form."""
        self._area, self.shown = stack(), None
        names = {fmt.words(name): name for name in TABS}
        self._tabs = pmui.RadioButtonGroup(options=names, value=self.tab, size="small", margin=0, css_classes=["lists"])
        tie(self._tabs, self, value="tab")
        self.param.watch(self._show, ["tab", "job", "study", "dialog", "compare"])
        self._show()
        return [self._area]

    def primary(self) -> Any:
        """Return the button that opens the form."""
        button = pmui.Button(label="New training job", icon="add", variant="contained", margin=0, css_classes=["new-training"])
        button.on_click(lambda event: self.param.update(dialog="create", job="", study="", compare="", like=""))
        return button

    def _show(self, *events: Any) -> None:
        if self.shown is not None:
            self.shown.close()
        self.shown = self._detail() or (TrainingJobs if self.tab == TABS[0] else StudyList)(self.ws, parent=self)
        below = self.job or self.study or self.dialog or self.compare
        self._area.objects = [self._back() if below else line(self._tabs), self.shown]

    def _detail(self) -> View | None:
        """Return what is open, or None."""
        if self.job:
            return TrainingJobView(self.ws, job_id=self.job, on_made=self._open, on_like=self._like)
        if self.study:
            return StudyView(self.ws, study_id=self.study, on_made=self._open, on_again=self._open_study)
        if self.dialog == "study":
            return StudyForm(self.ws, training_sheet_id=self.training_sheet_id, on_made=self._open_study)
        if self.dialog:
            sheet = self.training_sheet_id
            return TrainForm(self.ws, training_sheet_id=sheet, like=self.like, way=self.dialog, on_made=self._open)
        return CompareView(self.ws, ids=self.compare) if self.compare else None

    def _back(self) -> Any:
        label = "Back to the study" if self.job and self.study else "All jobs and studies"
        button = pmui.Button(label=label, icon="arrow_back", variant="text", size="small", margin=0)
        closed = {"job": "", "dialog": "", "compare": "", "like": ""}
        button.on_click(lambda event: self.param.update(**closed, **({} if self.job else {"study": ""})))
        return line(button)

    def _like(self, job_id: str, way: str) -> None:
        self.param.update(like=job_id, dialog=way, job="")

    def _open(self, job_id: str) -> None:
        self.param.update(job=job_id, dialog="", like="")

    def _open_study(self, study_id: str) -> None:
        self.param.update(tab=TABS[1], study=study_id, job="", dialog="")


class TrainingJobs(View):
    """List the training jobs; what is open and filtered belongs to the page."""

    parent = param.Parameter(doc="The page, which holds the filters.")

    def build(self) -> list[Any]:
        """Return filters and table."""
        page = self.parent
        chips = bind_chips(FilterChips(groups=[chip_group("status", "Status", STATUS.objects)]), page, ["status"])
        table = DataTable(
            self, self.ws.training.list, job_columns(), on_open=self._open, empty=self._nothing, page_size=25,
            filters=self._narrowed(), selectable=True,
        )  # fmt: skip
        tie(table, page, "page")
        table.param.watch(lambda event: page.param.update(sentence=str(fmt.plural(event.new, "training job"))), "total")
        page.param.watch(lambda *events: table.param.update(filters=self._narrowed()), [*FILTERS])
        bar = JobsBar(self, table, on_compare=lambda ids: page.param.update(compare=",".join(ids)))
        return [line(search_field(page, label="Search by name"), chips, gap=2), bar, table]

    def _open(self, job_id: str) -> None:
        self.parent.param.update(job=job_id, dialog="")

    def _narrowed(self) -> dict[str, Any]:
        return {name: getattr(self.parent, name) for name in FILTERS}

    def _nothing(self) -> Any:
        return empty_state(
            "A training job makes a model version from the approved pairs of a training sheet. None was made yet.",
            action="New training job",
            on_click=lambda event: self.parent.param.update(dialog="create"),
        )


def job_columns() -> tuple[Column, ...]:
    """Return the columns of a list of training jobs."""
    return (
        Column("model_name", "Job", _named, whole=True, sortable=True),
        *columns(TrainingJob, "status"),
        Column("progress_percent", "Progress", _progress, whole=True, sortable=True),
        column(TrainingJob, "base_model", title="Base model"),
        Column("total_pairs", "Pairs", _pairs, align="right", whole=True, sortable=True, doc=TrainingJob.param.total_pairs.doc),
        Column("val_accuracy", "Held-out accuracy", _accuracy, align="right", whole=True, sortable=True),
        column(TrainingJob, "duration_seconds", title="Took"),
        column(TrainingJob, "created_at", title="Created"),
    )


def _named(row: Any) -> Markup:
    shape = Markup('<b>{}</b> <span class="faint">{}</span> {}')
    return shape.format(row["model_name"], row["training_sheet_name"], fmt.labels(row["labels"]))


def _progress(row: Any) -> Markup:
    words = Markup("{} left").format(fmt.duration(row["eta_seconds"])) if row.get("eta_seconds") is not None else None
    place = row.get("queue_position")
    return (
        meter(row["progress_percent"], words) if place is None else Markup('<span class="faint">{}</span>').format(waits(place))
    )


def _pairs(row: Any) -> Markup:
    return fmt.integer(row["total_pairs"])


def _accuracy(row: Any) -> Markup:
    metrics = row.get("metrics") or {}
    value = metrics.get("val_accuracy") if isinstance(metrics, dict) else metrics.val_accuracy
    return fmt.percent(value, reason="Not measured yet.")
