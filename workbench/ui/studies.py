"""Studies in a list, as a part of the Train page."""

from __future__ import annotations

from typing import Any

import panel_material_ui as pmui
import param
from markupsafe import Markup

from workbench.domain.studies import Study
from workbench.ui import format as fmt
from workbench.ui.components.bars import meter
from workbench.ui.components.cards import line
from workbench.ui.components.chips import FilterChips, bind_chips, chip_group, search_field
from workbench.ui.components.columns import Column, column, columns
from workbench.ui.components.states import empty_state
from workbench.ui.components.table import DataTable
from workbench.ui.components.tie import tie
from workbench.ui.view import View

STATUS = Study.param["status"]
FILTERS = ("status", "search", "training_sheet_id")


class StudyList(View):
    """List the studies; what is open and filtered belongs to the page."""

    parent = param.Parameter(doc="The page, which holds the filters.")

    def build(self) -> list[Any]:
        """Return filters, the button for another study, and the table."""
        page = self.parent
        chips = bind_chips(FilterChips(groups=[chip_group("status", "Status", STATUS.objects)]), page, ["status"])
        table = DataTable(
            self, self.ws.studies.list, study_columns(), on_open=lambda id: page.param.update(study=id), empty=self._nothing,
            page_size=25, filters=self._narrowed(),
        )  # fmt: skip
        tie(table, page, "page")
        told = lambda event: page.param.update(sentence=str(fmt.plural(event.new, "study", "studies")))  # noqa: E731
        table.param.watch(told, "total")
        page.param.watch(lambda *events: table.param.update(filters=self._narrowed()), [*FILTERS])
        button = pmui.Button(label="New study", icon="add", variant="outlined", margin=0, css_classes=["new-study"])
        button.on_click(lambda event: page.param.update(dialog="study"))
        return [line(search_field(page, label="Search by name"), chips, button, gap=2), table]

    def _narrowed(self) -> dict[str, Any]:
        return {name: getattr(self.parent, name) for name in FILTERS}

    def _nothing(self) -> Any:
        return empty_state(
            "A study trains with different settings and finds the best ones. None was made yet.",
            action="New study",
            on_click=lambda event: self.parent.param.update(dialog="study"),
        )


def study_columns() -> tuple[Column, ...]:
    """Return the columns of a list of studies."""
    return (
        Column("model_name", "Study", _named, whole=True, sortable=True),
        *columns(Study, "status"),
        Column("progress_percent", "Progress", _progress, whole=True, sortable=True),
        column(Study, "base_model", title="Base model"),
        Column("metric", "Goes by", fmt.words),
        Column("best_value", "Best so far", _best, whole=True, align="right", sortable=True),
        Column("trials", "Trials", _trials, whole=True, align="right"),
        column(Study, "duration_seconds", title="Took"),
        column(Study, "created_at", title="Created"),
    )


def _named(row: Any) -> Markup:
    return Markup('<b>{}</b> <span class="faint">{}</span>').format(row["model_name"], row["training_sheet_name"])


def _progress(row: Any) -> Markup:
    return meter(row["progress_percent"])


def _best(row: Any) -> Markup:
    return fmt.number(row["best_value"], 4, reason="No trial has succeeded yet.")


def _trials(row: Any) -> Markup:
    return fmt.of(row["trials_made"], row["n_trials"])
