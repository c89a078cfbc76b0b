"""Live views of workspaces and records in notebook cells."""

from __future__ import annotations

from typing import Any

import panel_material_ui as pmui

from workbench.client.workspace import Workspace
from workbench.contract import Page
from workbench.domain.data import Sheet
from workbench.domain.generate import Template, TrainingSheet
from workbench.domain.jobs import Job
from workbench.domain.labels import CanonicalLabel
from workbench.domain.models import ModelVersion
from workbench.domain.record import Record
from workbench.domain.serving import Endpoint, RequestLog
from workbench.domain.studies import Study
from workbench.domain.train import TrainingJob
from workbench.ui.endpoint import EndpointView
from workbench.ui.home import HomeView
from workbench.ui.job import JobView
from workbench.ui.label_review import ReviewView
from workbench.ui.labels import KnownLabelView
from workbench.ui.model import ModelView
from workbench.ui.notebook import prepare
from workbench.ui.record_view import PageView, RecordView
from workbench.ui.request import RequestView
from workbench.ui.sheet_view import SheetView
from workbench.ui.study import StudyView
from workbench.ui.template_view import TemplateView
from workbench.ui.training_job import TrainingJobView
from workbench.ui.view import View

CELL_HEIGHT = 640
LOAD = "%load_ext workbench"
# Record class -> its view, the view's argument, and the field of the record that goes there.
VIEWS: dict[type[Record], tuple[type[View], str, str]] = {
    Sheet: (SheetView, "sheet_id", "id"),
    Template: (TemplateView, "template_id", "id"),
    TrainingSheet: (ReviewView, "sheet", "id"),
    CanonicalLabel: (KnownLabelView, "label_id", "id"),
    Study: (StudyView, "study_id", "id"),
    TrainingJob: (TrainingJobView, "job_id", "id"),
    Job: (JobView, "job_id", "id"),
    ModelVersion: (ModelView, "model_id", "id"),
    Endpoint: (EndpointView, "endpoint", "name"),
    RequestLog: (RequestView, "request_id", "id"),
}


def view_of(thing: Any) -> View:
    """Return the view that shows a workspace, a record or a page of records."""
    if isinstance(thing, Workspace):
        return HomeView(thing)
    if isinstance(thing, Page):
        return PageView(None, page=thing)
    ws = bound_workspace(thing)
    for kind in type(thing).__mro__:
        if kind in VIEWS and ws is not None:
            view, argument, field = VIEWS[kind]
            return view(ws, **{argument: getattr(thing, field)})
    return RecordView(ws, record=thing)


def bound_workspace(record: Record) -> Any | None:
    """Return the workspace a record came from, or None."""
    try:
        return record.workspace
    except RuntimeError:
        return None


def cell(thing: Any) -> pmui.Column:
    """Return what a notebook cell shows: the view in the width of the cell, at a height that fits."""
    return pmui.Column(
        view_of(thing), margin=0, sizing_mode="stretch_width", max_height=CELL_HEIGHT, scroll="y-auto", sx={"p": 1}
    )


def mimebundle(thing: Any, include: Any = None, exclude: Any = None) -> Any:
    """Return the live view of a thing beside its one-line text."""
    bundle = cell(thing)._repr_mimebundle_(include, exclude)
    data, metadata = bundle if isinstance(bundle, tuple) else (bundle, {})
    return {**data, "text/plain": repr(thing)}, metadata


def load_again(ipython: Any, result: Any, first: int) -> None:
    """Give a reloaded browser page its scripts back: IPython skips an extension it has loaded already.

    The event also comes for the cell number `first`, which is loading the extension and has its scripts.
    """
    if LOAD in (result.info.raw_cell or "") and ipython.execution_count != first:
        prepare(ipython)


def register(ipython: Any) -> None:
    """Show live views in this kernel; a plain terminal keeps its one-line texts."""
    if getattr(ipython, "kernel", None) is None:
        return
    prepare(ipython)
    first = ipython.execution_count
    ipython.events.register("post_run_cell", lambda result: load_again(ipython, result, first))
    formatter = ipython.display_formatter.mimebundle_formatter
    for kind in (Workspace, Page, Record):
        formatter.for_type(kind, mimebundle)
