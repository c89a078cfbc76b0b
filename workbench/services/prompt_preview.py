"""Prompts rendered for a look, stored nowhere."""

from __future__ import annotations

from collections.abc import Collection

from workbench.domain.data import Sheet, Validation
from workbench.domain.generate import PlanCheck, PlanPiece, PreviewedPrompt, PromptPlan, PromptPreview
from workbench.domain.prompt import columns_used, parse
from workbench.domain.wording import grouped
from workbench.services.rendering import (
    check_template,
    item_ref_sql,
    plan_faults,
    plan_warnings,
    prompt_sql,
    response_sql,
    text_of,
)
from workbench.services.sheet_rows import rows_table
from workbench.store import Database


def preview_prompts(db: Database, sheet: Sheet, plan: PromptPlan, *, limit: int, offset: int) -> PromptPreview:
    """Render a few rows of a sheet, with the pieces each prompt is made of."""
    used = list(dict.fromkeys(columns_used(plan.prompt_template, plan.column_mapping).values()))
    known = {column.name: column for column in sheet.columns}
    cells = "".join(f", {text_of(known[name])}" for name in used)
    found = db.tuples(
        f"select _row, {item_ref_sql(sheet)}, {prompt_sql(plan, sheet.columns)}, {response_sql(plan, sheet.columns)}{cells} "
        f"from {rows_table(sheet.id)} order by _row limit {limit} offset {offset}"
    )
    rows = [
        PreviewedPrompt(
            row_index=row[0],
            item_ref=row[1] or "",
            prompt=row[2],
            response=row[3],
            segments=_pieces(plan, dict(zip(used, row[4:], strict=True))),
        )
        for row in found
    ]
    return PromptPreview(rows=rows, total=sheet.item_count, limit=limit, offset=offset)


def check_plan(
    db: Database, plan: PromptPlan, sheet: Sheet | None, *, limit: int, entered: Collection[str] | None = None
) -> PlanCheck:
    """Check a plan by itself or on a sheet, and render the first rows when it holds no error.

    With `entered`, what other fields lack is still to be filled in and no fault yet.
    """
    names = [column.name for column in sheet.columns] if sheet else []
    checked = check_template(plan, sheet) if sheet else Validation(findings=[*plan_faults(plan), *plan_warnings(plan)])
    errors = [finding.field for finding in checked.findings if finding.level == "error"]
    valid = not errors
    pending = entered is not None and not valid and not set(errors) & set(entered)
    findings = [finding for finding in checked.findings if entered is None or finding.field in entered]
    used = columns_used(plan.prompt_template, plan.column_mapping)
    pieces = [
        PlanPiece(
            text=p.text, placeholder=p.placeholder, column=used.get(p.placeholder), known=_known(p.placeholder, used, names)
        )
        for p in parse(plan.prompt_template)
    ]
    rows = preview_prompts(db, sheet, plan, limit=limit, offset=0).rows if sheet and valid else ()
    return PlanCheck(
        valid=valid,
        pending=pending,
        summary=_still(errors) if pending else _summary(valid, sheet, len(used), list(checked.missing)),
        pieces=pieces,
        findings=findings,
        missing=checked.missing,
        available=names,
        rows=rows,
        total=sheet.item_count if sheet else None,
    )


def _known(placeholder: str | None, used: dict[str, str], names: list[str]) -> bool:
    return placeholder is None or not names or used.get(placeholder) in names


def _still(fields: list[str]) -> str:
    return f"Still to fill in: {', '.join(field.replace('_', ' ') for field in dict.fromkeys(fields))}."


def _summary(valid: bool, sheet: Sheet | None, placeholders: int, missing: list[str]) -> str:
    if missing:
        return f"No column for {', '.join(missing)}."
    if not valid:
        return "Something is missing before it can be used."
    words = f"{placeholders} placeholder{'' if placeholders == 1 else 's'}"
    return f"Fits {sheet.name}: {words}, {grouped(sheet.item_count)} rows." if sheet else f"{words}; choose a sheet to try it on."


def _pieces(plan: PromptPlan, cells: dict[str, str]) -> list[dict[str, str | None]]:
    columns = columns_used(plan.prompt_template, plan.column_mapping)
    return [
        {"text": piece.text, "column": None}
        if piece.placeholder is None
        else {"text": cells[columns[piece.placeholder]], "column": columns[piece.placeholder]}
        for piece in parse(plan.prompt_template)
    ]
