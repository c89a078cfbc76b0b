"""Templates: how a row becomes a prompt, kept in versions."""

from __future__ import annotations

import builtins
from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import AfterValidator

from workbench.contract import UNSET, Deleted, Field, Page, PageNumber, PageSize, command, query
from workbench.domain.blank import told
from workbench.domain.data import Finding, Validation
from workbench.domain.generate import (
    ARCHIVE,
    PUBLISH,
    TEMPLATE_LIFECYCLE,
    LabelClass,
    PlanCheck,
    PromptPlan,
    PromptPreview,
    ResponseField,
    Template,
    TemplateSnapshot,
    next_minor,
    snapshot_of,
)
from workbench.domain.plain import plain
from workbench.domain.prompt import placeholders
from workbench.domain.record import Action
from workbench.errors import Conflict, ValidationError
from workbench.services.prompt_preview import check_plan, preview_prompts
from workbench.services.rendering import (
    check_template,
    doubtful,
    plan_faults,
    plan_warnings,
    require_valid,
    text_faults,
    unfilled,
)
from workbench.services.service import Service
from workbench.store.tables import Records

WRITERS = frozenset({"admin", "data_steward"})

TemplateName = Annotated[
    str, Field(min_length=1, max_length=200, description="Name."), AfterValidator(told), AfterValidator(plain)
]
PromptText = Annotated[str, Field(min_length=1, max_length=100_000, description="Text with {{column}} placeholders.")]
SystemText = Annotated[str | None, Field(max_length=100_000, description="Instruction before every prompt.")]
Mode = Annotated[Literal["existing_column", "ai_generated", "manual_labeling"], Field(description="Where answers come from.")]
ResponseColumn = Annotated[str | None, Field(description="Column with the answers.")]
ResponseFields = Annotated[list[ResponseField], Field(description="Fields of a structured answer.")]
ModelName = Annotated[str | None, Field(description="Model that writes answers.")]
LabelClasses = Annotated[list[LabelClass], Field(description="Closed set of answers.")]
ColumnMapping = Annotated[dict[str, str], Field(description="Column by placeholder, where the names differ.")]
SheetId = Annotated[str, Field(description="Sheet to render.")]
TemplateId = Annotated[str | None, Field(description="Stored template; none: the given one or the sheet's own.")]
Plan = Annotated[TemplateSnapshot | None, Field(description="Template that is not stored, in place of template_id.")]
Temperature = Annotated[float, Field(ge=0, le=2, description="Randomness of written answers.")]
MaxTokens = Annotated[int, Field(ge=1, le=32000, description="Longest written answer.")]
LabelType = Annotated[
    str, Field(min_length=1, max_length=100, description="Kind of truth the answers are."), AfterValidator(plain)
]
FewShot = Annotated[int, Field(ge=0, le=10, description="Approved examples put before a prompt.")]
Words = Annotated[str, Field(max_length=1000, description="What it is for.")]


class TemplateService(Service):
    """Write prompt templates, try them on rows and keep their versions."""

    namespace = "templates"

    def __init__(self, app: Any) -> None:
        super().__init__(app)
        self.records = Records(self.db, Template)

    @query("GET", "/templates", key="templates")
    def list(
        self,
        *,
        search: Annotated[str, Field(max_length=200, description="Part of the name or the text.")] = "",
        status: Literal["draft", "published", "archived"] | None = None,
        page: PageNumber = 1,
        page_size: PageSize = 50,
    ) -> Page[Template]:
        """List the templates, the newest first."""
        where, params = ["true"], []
        if status:
            where.append("status = ?")
            params.append(status)
        if search:
            where.append("contains(lower(name || ' ' || prompt_template), lower(?))")
            params.append(search)
        found = self.records.page(" and ".join(where), params, page=page, page_size=page_size)
        found.rows = [self._present(row) for row in found.rows]
        return found

    @command("POST", "/templates", roles=WRITERS, status=201, label="New template", further="faults_of")
    def create(
        self,
        name: TemplateName,
        prompt_template: PromptText,
        *,
        system_instruction: SystemText = None,
        response_source_mode: Mode = "existing_column",
        response_column: ResponseColumn = None,
        response_schema: ResponseFields = (),  # type: ignore[assignment]
        model: ModelName = None,
        temperature: Temperature = 0.7,
        max_tokens: MaxTokens = 1024,
        label_type: LabelType = "response",
        label_classes: LabelClasses = (),  # type: ignore[assignment]
        column_mapping: ColumnMapping = UNSET,
        few_shot_count: FewShot = 0,
        description: Words = "",
        sample: Annotated[bool, Field(description="Mark the template as sample data.")] = False,
    ) -> Template:
        """Write a draft template, version 1.0.0."""
        if self.records.exists(name=name):
            raise Conflict(
                f"There is a template named {name!r} already. Choose another name or make a new version of it.", name=name
            )
        template = Template(
            id=self.clock.new_id("template"),
            name=name,
            prompt_template=prompt_template,
            system_instruction=system_instruction,
            response_source_mode=response_source_mode,
            response_column=response_column,
            response_schema=response_schema,
            model=model,
            temperature=temperature,
            max_tokens=max_tokens,
            label_type=label_type,
            label_classes=label_classes,
            column_mapping=column_mapping or {},
            few_shot_count=few_shot_count,
            description=description,
            sample=sample,
            created_by=self.actor,
        )
        refuse_plan(template)
        return self._record(self.records.insert(template))

    @query("GET", "/templates/{template_id}")
    def get(self, template_id: str) -> Template:
        """Return one template."""
        return self._record(self.records.get(template_id))

    @query("GET", "/templates/{template_id}/versions", key="templates")
    def versions(self, template_id: str, *, page: PageNumber = 1, page_size: PageSize = 50) -> Page[Template]:
        """List all versions of a template, the newest first."""
        family, newest = [self.records.get(template_id).name], "string_split(semver, '.')::integer[] desc"
        found = self.records.page("name = ?", family, order=newest, page=page, page_size=page_size)
        found.rows = [self._present(row) for row in found.rows]
        return found

    @command("PUT", "/templates/{template_id}", roles=WRITERS, label="Edit", further="faults_of")
    def update(
        self,
        template_id: str,
        *,
        name: TemplateName = UNSET,
        prompt_template: PromptText = UNSET,
        system_instruction: SystemText = UNSET,
        response_source_mode: Mode = UNSET,
        response_column: ResponseColumn = UNSET,
        response_schema: ResponseFields = UNSET,
        model: ModelName = UNSET,
        temperature: Temperature = UNSET,
        max_tokens: MaxTokens = UNSET,
        label_type: LabelType = UNSET,
        label_classes: LabelClasses = UNSET,
        column_mapping: ColumnMapping = UNSET,
        few_shot_count: FewShot = UNSET,
        description: Words = UNSET,
        revision: Annotated[int | None, Field(description="Revision you have seen; refused when it is outdated.")] = None,
    ) -> Template:
        """Change a draft template."""
        given = {k: v for k, v in locals().items() if k not in ("self", "template_id", "revision") and v is not UNSET}
        template = self.records.get(template_id)
        TEMPLATE_LIFECYCLE.require("update", template.status)
        self._refuse_name(template, given.get("name", template.name))
        refuse_plan(template.with_(**given))
        return self._record(self.records.update(template_id, revision, **given) if given else template)

    @command("DELETE", "/templates/{template_id}", roles=WRITERS, label="Delete", confirm="Delete this template?")
    def delete(self, template_id: str) -> Deleted:
        """Remove a template that is not published; training sheets keep their copy of it."""
        TEMPLATE_LIFECYCLE.require("delete", self.records.get(template_id).status)
        self.records.delete(template_id)
        return Deleted(id=template_id)

    @command("POST", "/templates/{template_id}/publish", roles=WRITERS, label="Publish", confirm=PUBLISH)
    def publish(self, template_id: str) -> Template:
        """Declare a template final: from now on it does not change. It has to be complete."""
        require_plan(self.records.get(template_id))
        return self._move("publish", template_id)

    @command("POST", "/templates/{template_id}/archive", roles=WRITERS, label="Archive", confirm=ARCHIVE)
    def archive(self, template_id: str) -> Template:
        """Put a template aside."""
        return self._move("archive", template_id)

    @command("POST", "/templates/{template_id}/version", roles=WRITERS, status=201, label="New version")
    def version(self, template_id: str) -> Template:
        """Copy a published template to a draft with the next minor version."""
        template = self.records.get(template_id)
        TEMPLATE_LIFECYCLE.require("version", template.status)
        family = self.db.tuples("select semver from templates where name = ?", [template.name])
        newest = max((row[0] for row in family), key=_numbers)
        fresh = {"version": 1, "created_at": None, "updated_at": None, "created_by": self.actor, "status": "draft"}
        copy = template.with_(id=self.clock.new_id("template"), semver=next_minor(newest), parent_id=template.id, **fresh)
        return self._record(self.records.insert(copy))

    @command("POST", "/templates/{template_id}/validate", roles=WRITERS, label="Check")
    def validate(
        self, template_id: str, *, sheet_id: Annotated[str | None, Field(description="Sheet to check it against.")] = None
    ) -> Validation:
        """Check a template by itself or against a sheet; nothing is changed."""
        template = self.records.get(template_id)
        if sheet_id:
            return check_template(template, self.app.sheets.live(sheet_id))
        found = plan_faults(template)
        return Validation(valid=not found, findings=[*found, *plan_warnings(template)])

    @query("POST", "/templates/preview", topics=("templates", "sheets"))
    def preview(
        self,
        sheet_id: SheetId,
        *,
        template_id: TemplateId = None,
        template: Plan = None,
        limit: Annotated[int, Field(ge=1, le=100, description="Most rows to render.")] = 5,
        offset: Annotated[int, Field(ge=0, description="Rows to skip.")] = 0,
    ) -> PromptPreview:
        """Render the first rows of a sheet with a stored or a not yet stored template; nothing is kept."""
        sheet = self.app.sheets.live(sheet_id)
        plan = self.chosen(template, template_id, sheet.template_id)
        require_valid(check_template(plan, sheet))
        return preview_prompts(self.db, sheet, plan, limit=limit, offset=offset)

    @query("POST", "/templates/check", topics=("templates", "sheets"))
    def check(
        self,
        template: Annotated[TemplateSnapshot, Field(description="The plan, as far as it is written.")],
        *,
        sheet_id: Annotated[str | None, Field(description="Sheet to try it on; none: only the text is checked.")] = None,
        limit: Annotated[int, Field(ge=1, le=100, description="Most rows to render.")] = 3,
        entered: Annotated[
            builtins.list[str] | None, Field(max_length=100, description="Fields entered so far, others are not at fault yet; none: all.")
        ] = None,
    ) -> PlanCheck:
        """Check a plan that may not be stored yet and render the first rows of a sheet with it."""
        return check_plan(self.db, template, self.app.sheets.live(sheet_id) if sheet_id else None, limit=limit, entered=entered)

    def faults_of(self, given: Mapping[str, Any]) -> builtins.list[dict[str, Any]]:
        """Return what is wrong with those fields of a template that could be read."""
        known = {name: given[name] for name in PromptPlan.own_fields() if given.get(name, UNSET) is not UNSET}
        plan = PromptPlan(**known)
        found = [*text_faults(plan), *doubtful(plan)]
        return [{"field": f.field, "message": f.message, "value": None} for f in found if f.field in known]

    def snapshot(self, template_id: str) -> TemplateSnapshot:
        """Return a stored template, frozen."""
        return snapshot_of(self.records.get(template_id))

    def chosen(self, template: TemplateSnapshot | None, template_id: str | None, usual: str | None = None) -> TemplateSnapshot:
        """Return the given plan or the template named, else the usual one, frozen."""
        if template is not None and template_id:
            message = "goes with no template of its own; name a stored template or give one, not both"
            raise ValidationError.field("template_id", message, template_id)
        if template is not None:
            return template.with_(template_id=None, template_version=None)
        named = template_id or usual
        if named is None:
            raise ValidationError.field("template_id", "is missing; name a template, give one, or attach one to the sheet")
        if not template_id and not self.records.exists(id=named):
            raise ValidationError.field(
                "template_id", "is missing: the attached template is deleted; attach or name another", named
            )
        return self.snapshot(named)

    def _refuse_name(self, template: Template, name: str) -> None:
        """Keep versions together: a name belongs to one family, and a later version keeps the family's name."""
        if name == template.name:
            return
        if template.parent_id is not None:
            raise Conflict(f"This is a version of {template.name!r}, so it keeps that name.", name=name)
        if self.records.exists(name=name):
            raise Conflict(f"There is a template named {name!r} already. Choose another name.", name=name)

    def _move(self, action: str, template_id: str) -> Template:
        template = self.records.get(template_id)
        target = TEMPLATE_LIFECYCLE.require(action, template.status)
        return self._record(self.records.update(template_id, status=target))

    def _record(self, template: Template) -> Template:
        return Template(**self._present(template.values()))

    def _present(self, row: dict[str, Any]) -> dict[str, Any]:
        actions = [_warned(action, row) for action in TEMPLATE_LIFECYCLE.actions(row, roles=self.roles)]
        return row | {"actions": actions, "placeholders": placeholders(row["prompt_template"])}


def refuse_plan(plan: PromptPlan) -> None:
    """Raise ValidationError with everything that is wrong with a draft; which column answers may come later."""
    found: list[Finding] = [*text_faults(plan), *doubtful(plan)]
    require_valid(Validation(valid=not found, findings=found))


def require_plan(plan: PromptPlan) -> None:
    """Raise ValidationError with everything that a plan lacks, or that is wrong with it whatever the sheet."""
    found = plan_faults(plan)
    require_valid(Validation(valid=not found, findings=found))


def _warned(action: Action, row: dict[str, Any]) -> Action:
    """Let whoever publishes a template confirm what a check warns of: afterwards it cannot be mended."""
    left = unfilled(row["system_instruction"])
    if action.name != "publish" or not action.enabled or not left:
        return action
    return action.with_(confirm=f"{action.confirm} Its system instruction {left}.")


def _numbers(semver: str) -> tuple[int, ...]:
    return tuple(int(part) for part in semver.split("."))
