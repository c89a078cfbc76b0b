"""Forms that make and change sheets, each over one operation."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import PurePath
from typing import Any

import panel as pn
import panel_material_ui as pmui

from workbench.ui import format as fmt
from workbench.ui.components.fields import Field, fields_of_operation
from workbench.ui.components.forms import ParameterForm
from workbench.ui.components.upload import Upload

Done = Callable[[Any], None]
ENDINGS = ".csv,.tsv,.txt,.parquet,.json,.jsonl,.ndjson,.xlsx"
HINT = "CSV, TSV, Parquet, JSON, JSON lines or Excel"


class ImportForm(pn.viewable.Viewer):
    """Import a file as a new sheet; `started` gets the job that imports a large one."""

    def __init__(self, ws: Any, done: Done, started: Done | None = None) -> None:
        super().__init__()
        self._ws = ws
        self._done = done
        self._started = started or done
        only = ("name", "description", "item_id_column", "tags", "data_classification")
        self.upload = Upload(
            path="/sheets", accept=ENDINGS, hint=HINT, on_chosen=self._named, on_done=self._imported, on_error=self._refused
        )
        self.form = ParameterForm(fields_of_operation(ws.sheets.create, only=only), self.upload.send, label="Import")
        self._layout = pmui.Column(self.upload, self.form, margin=0, sizing_mode="stretch_width", sx={"gap": 2})

    def _named(self, filename: str) -> None:
        field = self.form.input("name")
        field.value = field.value or PurePath(filename).stem

    def _imported(self, answer: dict[str, Any]) -> None:
        self.form.show_error(None)
        if "progress_percent" in answer:
            self._started(self._ws.jobs.get(answer["id"]))
        else:
            self._done(self._ws.sheets.get(answer["id"]))

    def _refused(self, error: Exception) -> None:
        self.form.show_error(error)

    def __panel__(self) -> pn.viewable.Viewable:
        return self._layout


def edit_form(ws: Any, sheet: Any, done: Done) -> ParameterForm:
    """Return the form that changes what is said about a sheet."""
    only = ("name", "description", "item_id_column", "tags", "data_classification")
    fields = fields_of_operation(ws.sheets.update, only=only)
    given = {name: getattr(sheet, name) for name in only}
    columns = {column.name: column.name for column in sheet.columns}
    return ParameterForm(
        fields,
        lambda values: ws.sheets.update(sheet.id, version=sheet.version, **values),
        done=done,
        values=given,
        choices={"item_id_column": {"The row number": None, **columns}},
    )


def attach_form(ws: Any, sheet: Any, done: Done) -> ParameterForm:
    """Return the form that makes a template the usual one of a sheet."""
    return ParameterForm(
        titled(ws.sheets.attach_template, ("template_id",)),
        lambda values: ws.sheets.attach_template(sheet.id, **values),
        label="Attach",
        done=done,
        choices={"template_id": template_choices(ws)},
        values={"template_id": sheet.template_id},
    )


def assemble_form(ws: Any, sheet: Any, done: Done, *, template_id: str | None = None) -> ParameterForm:
    """Return the form that makes a training sheet from a sheet."""
    only = ("name", "template_id", "sample", "sample_size", "stratify_by", "seed", "filter", "guidelines")
    columns = {"The response column": None} | {column.name: column.name for column in sheet.columns}
    return ParameterForm(
        titled(ws.training_sheets.assemble, only),
        lambda values: ws.training_sheets.assemble(sheet.id, **values),
        label="Make the training sheet",
        done=done,
        choices={"template_id": template_choices(ws), "stratify_by": columns},
        values={"template_id": template_id or sheet.template_id},
        columns=2,
    )


def titled(call: Any, names: Sequence[str]) -> list[Field]:
    """Return the fields of an operation in the order of their names, titles without `id`."""
    found = {field.name: field for field in fields_of_operation(call, only=names)}
    return [replace(found[name], title=fmt.words(name.removesuffix("_id"))) for name in names if name in found]


def template_choices(ws: Any) -> dict[str, str]:
    """Return the templates by name and version."""
    return {f"{template.name} {template.semver}": template.id for template in ws.templates.list(page_size=200)}


def sheet_choices(ws: Any) -> dict[str, str]:
    """Return the sheets by name."""
    return {sheet.name: sheet.id for sheet in ws.sheets.list(page_size=200)}
