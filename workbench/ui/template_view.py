"""One template: written, checked against a sheet and tried on its first rows while you type."""

from __future__ import annotations

from functools import partial
from typing import Any

import panel_material_ui as pmui
import param
from markupsafe import Markup

from workbench.domain.generate import ResponseField, Template
from workbench.ui import format as fmt
from workbench.ui.components.actions import ActionBar, run_on
from workbench.ui.components.cards import card, stack
from workbench.ui.components.columns import Column, columns
from workbench.ui.components.fields import Field, fields_of_operation
from workbench.ui.components.forms import ParameterForm
from workbench.ui.components.list_editor import ListEditor
from workbench.ui.components.markup import html, show
from workbench.ui.components.pair_markup import CSS as PAIR_CSS
from workbench.ui.components.plan_markup import CSS, check_markup
from workbench.ui.components.record_choice import RecordChoice, Sought
from workbench.ui.components.table import DataTable
from workbench.ui.theme import PLACEHOLDER
from workbench.ui.view import View

FIELDS = (
    "name", "prompt_template", "response_source_mode", "response_column", "system_instruction", "description", "label_type",
    "model", "temperature", "max_tokens", "few_shot_count",
)  # fmt: skip
CLASSES = (
    Field("name", "text", title="Answer"),
    Field("color", "color", title="Color", default="#2f6fd0"),
    Field("hotkey", "key", title="Key"),
)
RESPONSE_FIELDS = (
    Field("name", "text", title="Field"),
    Field("type", "choice", title="Type", choices=tuple(ResponseField.param.type.objects), default="string"),
    Field("required", "flag", title="Required", default=True),
    Field("options", "words", title="Allowed, with commas"),
)
DOT = "display:inline-block;width:10px;height:10px;border-radius:5px;margin-right:4px;"
PLAN = ("prompt_template", "response_source_mode", "response_column", "system_instruction")
TYPED = ("prompt_template", "system_instruction")
NEW = "new"
# What the template makes of the rows stays in sight while the long form beside it scrolls.
BESIDE = {"gap": 2, "position": {"md": "sticky"}, "top": 16}
COLUMNS = {"xs": "minmax(0, 1fr)", "md": "minmax(0, 1fr) minmax(0, 1fr)"}


class TemplateView(View):
    """Show a template with its actions; write it when it may be written."""

    template_id = param.String("", doc="Template shown; `new` for one that is not stored yet.")
    editing = param.Boolean(False, doc="True while the form is open.")

    def build(self) -> list[Any]:
        """Return head, form and the preview beside it."""
        self.template: Any = None
        self.mapping: dict[str, str] = {}
        self.form: ParameterForm | None = None
        self.asked: list[str] = []
        # Whoever begins has made no mistake yet: a field is judged once somebody was there, all of them on saving.
        self.entered: list[str] = []
        self.saving = False
        self.head = html("")
        self.actions = ActionBar(
            toasts=self.toasts, size="small", first="update", handlers={"update": self._edit, "version": self._version}
        )
        self.lists = {
            "label_classes": ListEditor(
                "Closed set of answers", CLASSES, add="Add an answer", hint="Reviewers choose among these, models must too."
            ),
            "response_schema": ListEditor(
                "Fields of a structured answer",
                RESPONSE_FIELDS,
                add="Add a field",
                hint="With fields, the answer is a JSON object.",
            ),
        }
        self.versions = stack()
        self.writing = pmui.Column(margin=0, sizing_mode="stretch_width", sx={"gap": 2})
        self.outcome = html("", css=f"{CSS}{PAIR_CSS}")
        self.holes = pmui.Column(margin=0, sizing_mode="stretch_width", sx={"gap": 1})
        self.offered = Sought(self.ws.sheets)
        self.tried = RecordChoice(
            self.offered, also={"No sheet": ""}, value="", label="Try it on", size="small", margin=0, sizing_mode="stretch_width"
        )
        self.tried.param.watch(self._check, "value")
        self.checking = self.watch(self.ws.templates.check, self._checked, template=_plan({}), entered=[])
        self.watch(self.ws.sheets.list, self._sheets, page_size=50)
        if self.template_id == NEW:
            show(self.head, Markup('<div class="title">New template</div>'))
            self._edit()
        else:
            self.watch(self.ws.templates.get, self._drawn, template_id=self.template_id)
            table = DataTable(self, self.ws.templates.versions, _version_columns(), filters={"template_id": self.template_id},
                              on_open=lambda chosen: self.param.update(template_id=chosen), open_id=self.template_id)  # fmt: skip
            self.versions.objects = [card("Versions", table, name="versions")]
        left = pmui.Column(
            self.head, self.actions, self.writing, self.versions, margin=0, sizing_mode="stretch_width", sx={"gap": 2}
        )
        beside = pmui.Column(self.tried, self.holes, self.outcome, margin=0, sizing_mode="stretch_width", sx=BESIDE)
        grid = {"display": "grid", "gridTemplateColumns": COLUMNS, "gap": 3, "alignItems": "start"}
        return [pmui.Column(left, beside, margin=0, sizing_mode="stretch_width", sx=grid)]

    def _drawn(self, template: Any) -> None:
        self.template = template
        self.mapping = self.mapping or dict(template.column_mapping or {})
        show(self.head, head_markup(template))
        self.actions.update(template.actions, run_on(self.ws, template))
        self._check()

    def _edit(self) -> None:
        if self.form is not None:
            return
        call = self.ws.templates.create if self.template is None else self.ws.templates.update
        fields = [field for name in FIELDS for field in fields_of_operation(call, only=(name,))]
        given = {name: getattr(self.template, name) for name in FIELDS} if self.template is not None else {}
        label = "Create" if self.template is None else "Save"
        self.form = ParameterForm(fields, self._save, label=label, done=self._saved, values=given, apart=True)
        for name in PLAN:
            self.form.input(name).param.watch(partial(self._enter, name), "value_input" if name in TYPED else "value")
        for name, editor in self.lists.items():
            editor.show([one.values() for one in getattr(self.template, name)] if self.template is not None else [])
        # The button that saves stands below everything it saves.
        self.writing.objects = [self.form, *self.lists.values(), self.form.submit_line]
        self.editing = True

    def _save(self, values: dict[str, Any]) -> Any:
        self.saving = True
        self._check()
        further = {name: editor.value for name, editor in self.lists.items()}
        if self.template is None:
            mapping = {"column_mapping": self.mapping} if self.mapping else {}
            return self.ws.templates.create(**values, **further, **mapping)
        further["column_mapping"] = self.mapping
        return self.ws.templates.update(self.template_id, revision=self.template.version, **values, **further)

    def _saved(self, template: Any) -> None:
        self.toasts.say(f"Saved {template.name} {template.semver}.")
        if self.template is None:
            self.template_id = template.id
        else:
            self.writing.objects, self.form, self.editing = [], None, False

    def _version(self) -> None:
        self.template_id = self.ws.templates.version(self.template_id).id

    def _typed(self) -> dict[str, Any]:
        if self.form is None:
            return {name: getattr(self.template, name) for name in PLAN} if self.template is not None else {}
        return {name: _entered(self.form.input(name), name) for name in PLAN}

    def _enter(self, name: str, event: Any) -> None:
        self.entered = list(dict.fromkeys([*self.entered, name]))
        self._check()

    def _check(self, *events: Any) -> None:
        asked = {"sheet_id": self.tried.value} if self.tried.value else {}
        if self.template is None and not self.saving:
            asked["entered"] = self.entered
        self.checking.replace(template=_plan(self._typed() | {"column_mapping": self.mapping}), **asked)

    def _checked(self, check: Any) -> None:
        show(self.outcome, check_markup(check))
        lost = [name for name in check.missing if check.available]
        if self.form is None:
            return
        there = {piece.placeholder for piece in check.pieces}
        unsolved = [name for name in dict.fromkeys([*self.mapping, *lost]) if name in there and check.available]
        if unsolved != self.asked:
            self.asked = unsolved
            self.holes.objects = [self._hole(name, check.available) for name in unsolved]

    def _hole(self, name: str, available: Any) -> Any:
        options = {"Choose a column": ""} | {column: column for column in available}
        select = pmui.Select(
            label=f"{name} stands for",
            options=options,
            value=self._mapped(name, available),
            size="small",
            margin=0,
            sizing_mode="stretch_width",
        )
        select.param.watch(lambda event: self._map(name, event.new), "value")
        return select

    def _mapped(self, name: str, available: Any) -> str:
        column = self.mapping.get(name, "")
        return column if column in available else ""

    def _map(self, name: str, column: str) -> None:
        others = {known: chosen for known, chosen in self.mapping.items() if known != name}
        self.mapping = {**others, name: column} if column else others
        self._check()

    def _sheets(self, page: Any) -> None:
        self.offered.take(page)
        self.tried.offer()
        attached = [sheet.id for sheet in page if sheet.template_id == self.template_id]
        first = next(iter([*attached, *(sheet.id for sheet in page)]), "")
        self.tried.value = self.tried.value or first


def _entered(widget: Any, name: str) -> Any:
    return widget.value_input if name in TYPED else widget.value


def _plan(values: dict[str, Any]) -> dict[str, Any]:
    """Return an unsaved plan; what is not entered is left out."""
    return {name: value for name, value in values.items() if value} | {"prompt_template": values.get("prompt_template") or ""}


def head_markup(template: Any) -> Markup:
    """Return name, version, state and origin of a template."""
    line = '<div style="display:flex;gap:8px;align-items:center;margin-bottom:8px"><span class="title">{} {}</span>{}</div>{}'
    facts = fmt.facts(
        [
            ("Answers", fmt.choice(template.response_source_mode)),
            ("Response column", fmt.text(template.response_column, reason="The answers do not come from a column.")),
            ("Kind of truth", template.label_type),
            ("Closed set", _classes(template.label_classes)),
            ("Fields of the answer", _fields(template.response_schema)),
            ("Model", fmt.text(template.model, reason="The provider's own is used.")),
            ("Temperature", fmt.plain(template.temperature)),
            ("Most tokens", fmt.integer(template.max_tokens)),
            ("Examples", fmt.integer(template.few_shot_count)),
            ("System instruction", fmt.text(template.system_instruction, reason="None is given.")),
            ("Description", fmt.text(template.description, reason="None is given.")),
            ("Made", Markup("{} by {}").format(fmt.moment(template.created_at), template.created_by or fmt.DASH)),
        ]
    )
    return Markup(line).format(template.name, template.semver, fmt.chip(template.status), facts)


def _classes(classes: Any) -> Markup:
    dot = Markup('<span style="white-space:nowrap"><span style="{}background:{}"></span>{}{}</span>')
    key = Markup(' <span class="mono faint">{}</span>')
    shown = (dot.format(DOT, one.color or PLACEHOLDER, one.name, key.format(one.hotkey) if one.hotkey else "") for one in classes)
    return Markup(" · ").join(shown) or fmt.unknown("Any answer is allowed.")


def _fields(fields: Any) -> Markup:
    shown = (
        Markup('{} <span class="faint">{}{}</span>').format(one.name, one.type, "" if one.required else ", may be left out")
        for one in fields
    )
    return Markup(" · ").join(shown) or fmt.unknown("The answer is plain text.")


def _version_columns() -> tuple[Column, ...]:
    return columns(
        Template, "semver", "status", "created_at", "created_by",
        titles={"semver": "Version", "created_at": "Made", "created_by": "By"},
    )  # fmt: skip
