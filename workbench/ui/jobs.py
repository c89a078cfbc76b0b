"""Jobs: every long piece of work, and what became of it."""

from __future__ import annotations

from typing import Any

import panel_material_ui as pmui
import param
from markupsafe import Markup

from workbench.domain.jobs import KINDS, STATUSES, Job
from workbench.ui import format as fmt
from workbench.ui.compare import CompareView
from workbench.ui.components.cards import line, stack
from workbench.ui.components.chips import FilterChips, bind_chips, chip_group, search_field
from workbench.ui.components.columns import Column, column, columns
from workbench.ui.components.drawer import DetailDrawer
from workbench.ui.components.jobs_bar import JobsBar
from workbench.ui.components.states import empty_state
from workbench.ui.components.table import DataTable
from workbench.ui.components.tie import tie
from workbench.ui.job import JobView
from workbench.ui.theme import MIDDLE
from workbench.ui.view import View

FILTERS = ("kind", "status", "search", "label")


class JobsView(View):
    """List the jobs; one opens at the right, several side by side."""

    url = ("job", "compare", "kind", "status", "search", "label", "page")

    job = param.String("", doc="Id of the job that is open.")
    compare = param.String("", doc="Ids of the runs that are compared, separated by commas.")
    kind = param.String("", doc="Only jobs of this kind.")
    status = param.String("", doc="Only jobs in this state.")
    search = param.String("", doc="Part of the name.")
    label = param.String("", doc="Only jobs with this label: name, or name=value.")
    page = param.Integer(1, bounds=(1, None), doc="Page of the list.")

    def build(self) -> list[Any]:
        """Return filters, list and the place for one job."""
        chips = FilterChips(groups=[chip_group("status", "Status", STATUSES)])
        bind_chips(chips, self, ["status"])
        area = {**MIDDLE, "gap": 2, "flexWrap": "wrap"}
        filters = pmui.Row(
            search_field(self, label="Search by name"), self._kinds(), search_field(self, "label", label="Label, or name=value"),
            chips, margin=0, sizing_mode="stretch_width", sx=area,
        )  # fmt: skip
        table = DataTable(
            self,
            self.ws.jobs.list,
            job_columns(),
            on_open=lambda found: self.param.update(job=found),
            empty=_nothing,
            page=self.page,
            page_size=25,
            filters=self._narrowed(),
            open_id=self.job,
            selectable=True,
        )
        self.param.watch(lambda *events: table.param.update(filters=self._narrowed()), [*FILTERS])
        tie(table, self, "page", open_id="job")
        self.detail = DetailDrawer(self, self._detail, name="job", width=640)
        self.bar = JobsBar(self, table, on_compare=lambda ids: self.param.update(compare=",".join(ids), job=""))
        self._list, self._area, self.compared = stack(filters, self.bar, table), stack(), None
        self.param.watch(self._show, "compare")
        self._show()
        return [self._area, self.detail]

    def _show(self, *events: Any) -> None:
        if self.compared is not None:
            self.compared.close()
        self.compared = CompareView(self.ws, ids=self.compare) if self.compare else None
        self._area.objects = [self._back(), self.compared] if self.compared is not None else [self._list]

    def _back(self) -> Any:
        button = pmui.Button(label="All jobs", icon="arrow_back", variant="text", size="small", margin=0)
        button.on_click(lambda event: self.param.update(compare=""))
        return line(button)

    def _kinds(self) -> Any:
        options = {"All kinds": "", **{fmt.words(kind): kind for kind in KINDS}}
        field = pmui.Select(options=options, value=self.kind, size="small", width=160, margin=0, css_classes=["kind"])
        tie(field, self, value="kind")
        return field

    def _narrowed(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in FILTERS}

    def _detail(self, job_id: str) -> JobView:
        return JobView(self.ws, job_id=job_id, on_made=lambda found: self.param.update(job=found))


def job_columns() -> tuple[Column, ...]:
    """Return the columns of a list of jobs."""
    return (
        Column("name", "Job", _named, whole=True, sortable=True),
        *columns(Job, "status"),
        column(Job, "progress_percent"),
        Column("message", "Latest", fmt.text, doc=Job.param.message.doc),
        column(Job, "duration_seconds", title="Took"),
        column(Job, "created_at"),
        column(Job, "created_by", title="By"),
    )


def _named(row: Any) -> Markup:
    shape = Markup('<b>{}</b> <span class="faint">{}</span> {}')
    return shape.format(row["name"], fmt.choice(row["kind"]), fmt.labels(row["labels"]))


def _nothing() -> Any:
    return empty_state("No job was made yet. Imports, generation, training and tests show up here while they run.")
