"""Forms that make and change sheets, each over one operation."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import PurePath
from typing import Any

import panel as pn
import panel_material_ui as pmui
from markupsafe import Markup

from workbench.domain.jobs import Job
from workbench.domain.plain import made_plain
from workbench.errors import ValidationError
from workbench.ui import format as fmt
from workbench.ui.components.fields import Field, fields_of_operation
from workbench.ui.components.forms import ParameterForm
from workbench.ui.components.markup import SHORT, html, show
from workbench.ui.components.record_choice import Sought
from workbench.ui.components.upload import Upload

DIFFERENCES = """
.differences { border-collapse: collapse; width: 100%; font-size: 13px; }
.differences th, .differences td { text-align: left; vertical-align: top; padding: 6px 12px 6px 0; }
.differences th:nth-child(-n+3), .differences td:nth-child(-n+3) { white-space: nowrap; }
.differences th { font-size: 12px; }
.differences td { border-top: 1px solid var(--mui-palette-divider, #dfe5ec); overflow-wrap: break-word; max-width: 280px; }
"""
DTYPES = {"VARCHAR": "text", "BIGINT": "whole number", "DOUBLE": "number", "BOOLEAN": "true or false", "TIMESTAMP": "time"}
TITLES = {"overlap": "Reviewers per pair"}
# An operation's own words also speak of what a form does not ask for.
HINTS = {
    "template_id": "What turns each row into a prompt",
    "filter": "SQL condition over the columns, such as length(question) > 20; empty: every row",
}
Done = Callable[[Any], None]
FILE = frozenset({"source", "file"})
ENDINGS = ".csv,.tsv,.tab,.txt,.parquet,.pq,.json,.jsonl,.ndjson,.xlsx,.xlsm,.arrow,.feather,.gz,.zst"
HINT = "CSV, TSV, Parquet, JSON, JSON lines, Excel or Arrow, also packed as .gz or .zst"


class ImportForm(pn.viewable.Viewer):
    """Import a file as a new sheet; `started` gets the job that imports a large one."""

    def __init__(self, ws: Any, done: Done, started: Done | None = None) -> None:
        super().__init__()
        self._ws = ws
        self._done = done
        self._started = started or done
        only = ("name", "description", "item_id_column", "encoding", "worksheet", "tags", "data_classification")
        self.upload = Upload(
            path="/sheets", accept=ENDINGS, hint=HINT,
            on_chosen=self._named, on_done=self._imported, on_started=self._queued, on_error=self._refused,
        )  # fmt: skip
        self.form = ParameterForm(titled(ws.sheets.create, only), self.upload.send, label="Import", columns=2)
        self.fault = html("")
        self._layout = pmui.Column(self.upload, self.fault, self.form, margin=0, sizing_mode="stretch_width", sx={"gap": 2})

    def _named(self, filename: str) -> None:
        show(self.fault, "")
        field = self.form.input("name")
        field.value = field.value or made_plain(PurePath(filename).stem)

    def _imported(self, answer: dict[str, Any]) -> None:
        self.form.show_error(None)
        self._done(self._ws.sheets.get(answer["id"]))

    def _queued(self, job: Job) -> None:
        self.form.show_error(None)
        self._started(self._ws.jobs.get(job.id))

    def _refused(self, error: Exception) -> None:
        self.form.show_error(blamed_on_file(self.fault, error))

    def __panel__(self) -> pn.viewable.Viewable:
        return self._layout


def blamed_on_file(place: Any, error: Exception) -> Exception | None:
    """Show at the file what is wrong with it; return what is left to be told of the other fields."""
    faults = (getattr(error, "context", None) or {}).get("fields", [])
    told = Markup("").join(Markup("<div>{}</div>").format(one["message"]) for one in faults if one["field"] in FILE)
    show(place, Markup('<div class="small ink-error text" role="alert">{}</div>').format(told) if told else "")
    rest = [one for one in faults if one["field"] not in FILE]
    return error if not told else ValidationError.of(rest) if rest else None


class ReplaceForm(pn.viewable.Viewer):
    """Send a new version of a sheet's source: first to see what would change, then to take it."""

    def __init__(self, ws: Any, sheet: Any, done: Done) -> None:
        super().__init__()
        self._done = done
        self.upload = Upload(
            path=f"/sheets/{sheet.id}/replace",
            accept=ENDINGS,
            hint=HINT,
            on_chosen=self._chosen,
            on_done=self._answered,
            on_error=self._refused,
        )
        fields = titled(ws.sheets.replace, ("encoding", "worksheet"))
        self.form = ParameterForm(fields, self._compare, label="Compare", columns=2)
        self.fault = html("")
        self.found = pmui.Column(margin=0, sizing_mode="stretch_width", sx={"gap": 1})
        self.take = pmui.Button(
            label="Replace the rows", variant="contained", color="warning", margin=0, visible=False, css_classes=["replace"]
        )
        self.take.on_click(lambda event: self.upload.send(self.form.values()))
        self._layout = pmui.Column(
            self.upload, self.fault, self.form, self.found, self.take, margin=0, sizing_mode="stretch_width", sx={"gap": 2}
        )

    def _chosen(self, filename: str) -> None:
        self.take.visible = False
        self.found.objects = []
        show(self.fault, "")

    def _compare(self, values: dict[str, Any]) -> None:
        self.upload.send({**values, "preview": True})

    def _answered(self, answer: dict[str, Any]) -> None:
        self.form.show_error(None)
        if not answer["preview"]:
            self._done(answer)
            return
        show(self.fault, "")
        self.found.objects = [html(difference_markup(answer), css=DIFFERENCES)]
        self.take.visible = True

    def _refused(self, error: Exception) -> None:
        self.take.visible = False
        self.form.show_error(blamed_on_file(self.fault, error))

    def __panel__(self) -> pn.viewable.Viewable:
        return self._layout


def difference_markup(found: dict[str, Any]) -> Markup:
    """Return what a new version of the rows would change, with the first differences."""
    facts = [
        (fmt.words(name), ", ".join(found[name]))
        for name in ("columns_added", "columns_removed", "columns_retyped")
        if found[name]
    ]
    lines = [
        Markup("<tr><td>{}</td><td>{}</td><td>{}</td><td>{}</td><td>{}</td></tr>").format(
            one["item_ref"], fmt.words(one["change"]), one["column"] or fmt.DASH, fmt.cell(one["before"]), fmt.cell(one["after"])
        )
        for one in found["examples"]
    ]
    head = Markup("<tr><th>Item</th><th>Change</th><th>Column</th><th>Before</th><th>After</th></tr>") if lines else Markup("")
    table = Markup('<div style="max-height:240px;overflow:auto"><table class="differences">{}{}</table></div>').format(
        head, Markup("").join(lines)
    )
    return Markup('<div class="text" role="status">{}</div>{}{}').format(found["summary"], fmt.facts(facts), table)


def _noted(column: Any) -> str:
    """Return what a cell holds, below a long name all of it: above its field there is room for the beginning alone."""
    kind = DTYPES.get(column.dtype, column.dtype.lower())
    return f"{column.name}, {kind}" if column.name[SHORT:] else kind


def row_form(ws: Any, sheet: Any, row: dict[str, Any], done: Done) -> ParameterForm:
    """Return the form that changes cells of a row, as a preview shows it: its index, then its cells."""
    index, was = next(iter(row.values())), {column.name: fmt.written(row.get(column.name)) for column in sheet.columns}
    fields = [
        Field(column.name, "long", doc=_noted(column), title=column.name, rows=1)
        for column in sheet.columns
    ]
    form: ParameterForm

    def save(values: dict[str, Any]) -> Any:
        entered = {name: form.input(name).value for name in was}
        changed = {name: text for name, text in entered.items() if text != was[name]}
        if not changed:
            return None
        try:
            return ws.sheets.update_row(sheet.id, index, changed, seen={name: row[name] for name in changed})
        except ValidationError as error:
            faults = error.context.get("fields", [])
            raise ValidationError.of([{**fault, "field": fault["field"].removeprefix("values.")} for fault in faults]) from error

    form = ParameterForm(fields, save, label="Save", done=done, values=was)
    return form


EDITED = ("name", "description", "item_id_column", "tags", "data_classification")
TIGHTENED = ("tags", "data_classification")


def edit_form(ws: Any, sheet: Any, done: Done, only: tuple[str, ...] = EDITED) -> ParameterForm:
    """Return the form that changes what is said about a sheet, or `only` some of it."""
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
    only = ("name", "template_id", "sample", "sample_size", "stratify_by", "seed", "filter", "overlap", "guidelines")
    columns = {"The response column": None} | {column.name: column.name for column in sheet.columns}
    fields = [replace(field, doc=HINTS.get(field.name, field.doc)) for field in titled(ws.training_sheets.assemble, only)]
    return ParameterForm(
        fields,
        lambda values: ws.training_sheets.assemble(sheet.id, wait=None, **values),
        label="Make the training sheet",
        done=done,
        choices={"template_id": template_choices(ws), "stratify_by": columns},
        values={"template_id": template_id or sheet.template_id, "sample": "all"},
        columns=2,
    )


def titled(call: Any, names: Sequence[str]) -> list[Field]:
    """Return the fields of an operation in the order of their names, titles without `id`."""
    found = {field.name: field for field in fields_of_operation(call, only=names)}
    return [replace(found[name], title=TITLES.get(name) or fmt.words(name.removesuffix("_id"))) for name in names if name in found]


def template_choices(ws: Any) -> Sought:
    """Return the templates by name and version."""
    return Sought(ws.templates, lambda template: f"{template.name} {template.semver}").take(ws.templates.list())


def sheet_choices(ws: Any) -> Sought:
    """Return the sheets by name."""
    return Sought(ws.sheets).take(ws.sheets.list())
