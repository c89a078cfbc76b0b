"""Prompts rendered set-wise: a template becomes one SQL expression over the columns of a sheet."""

from __future__ import annotations

from collections.abc import Mapping

from workbench.domain.blank import is_blank
from workbench.domain.data import Finding, Sheet, SheetColumn, Validation
from workbench.domain.generate import PromptPlan
from workbench.domain.prompt import columns_used, missing_columns, parse, placeholders
from workbench.domain.wording import grouped
from workbench.errors import ValidationError, did_you_mean
from workbench.services.profiling import kind_of
from workbench.store.transaction import quoted


def literal(text: str) -> str:
    """Return an SQL string literal."""
    return "'" + text.replace("'", "''") + "'"


def text_of(column: SheetColumn) -> str:
    """Return SQL for a cell as it stands in a prompt; nothing for null."""
    name = quoted(column.name)
    value = f"to_json({name})" if kind_of(column.dtype) == "nested" and _is_composite(column.dtype) else name
    return f"coalesce(cast({value} as varchar), '')"


def _is_composite(dtype: str) -> bool:
    return dtype.endswith("]") or dtype.startswith(("STRUCT", "MAP", "UNION"))


def prompt_sql(plan: PromptPlan, columns: tuple[SheetColumn, ...]) -> str:
    """Return SQL that renders the prompt; what a cell holds is never expanded again."""
    known = {column.name: column for column in columns}
    used = columns_used(plan.prompt_template, plan.column_mapping)
    parts = [
        literal(piece.text) if piece.placeholder is None else text_of(known[used[piece.placeholder]])
        for piece in parse(plan.prompt_template)
    ]
    return " || ".join(parts) or "''"


def response_sql(plan: PromptPlan, columns: tuple[SheetColumn, ...]) -> str:
    """Return SQL for the response that comes with a row."""
    if plan.response_source_mode != "existing_column":
        return "''"
    return text_of(next(column for column in columns if column.name == plan.response_column))


def item_ref_sql(sheet: Sheet) -> str:
    """Return SQL for the name of the item a row is about."""
    return f"cast({quoted(sheet.item_id_column) if sheet.item_id_column else '_row'} as varchar)"


def plan_faults(plan: PromptPlan) -> list[Finding]:
    """Return what is wrong with a plan whatever the sheet."""
    found = [*text_faults(plan), *doubtful(plan)]
    if plan.response_source_mode == "existing_column" and not plan.response_column:
        message = "is missing; with answers from an existing column say which one"
        found.append(Finding(field="response_column", message=message))
    return found


def unfilled(instruction: str | None) -> str:
    """Return what becomes of the placeholders in a system instruction, nothing where there is none."""
    names = ", ".join(f"{{{{{name}}}}}" for name in placeholders(instruction or ""))
    return f"is the same for all rows: {names} stays as it stands. Fill in columns in the prompt template" if names else ""


def plan_warnings(plan: PromptPlan) -> list[Finding]:
    """Return what a plan may not mean, whatever the sheet."""
    told = {"prompt_template": _unfilled_braces(plan.prompt_template), "system_instruction": unfilled(plan.system_instruction)}
    return [Finding(level="warning", field=field, message=message) for field, message in told.items() if message]


def _unfilled_braces(prompt: str) -> str:
    """Return what is odd about a prompt that stays the same, or keeps braces; nothing where all is well."""
    pieces = parse(prompt)
    if any(brace in piece.text for piece in pieces if piece.placeholder is None for brace in ("{{", "}}")):
        return "has braces that stay as they stand. A placeholder is written {{column}}"
    if not is_blank(prompt) and len(pieces) == 1 and pieces[0].placeholder is None:
        return "has no {{column}} placeholder: every row gets the same prompt"
    return ""


def text_faults(plan: PromptPlan) -> list[Finding]:
    """Return what is wrong with the text of a prompt."""
    found = []
    if is_blank(plan.prompt_template):
        found.append(Finding(field="prompt_template", message="is empty; write a text with {{column}} placeholders"))
    if "" in placeholders(plan.prompt_template):
        found.append(Finding(field="prompt_template", message="has a placeholder without a name"))
    return found


def doubtful(plan: PromptPlan) -> list[Finding]:
    """Return what would leave a reviewer or a model in doubt: empty or equal names, keys for two classes, a truth of no kind."""
    named = {
        "label_classes": ("name", [one.name for one in plan.label_classes]),
        "response_schema": ("name", [one.name for one in plan.response_schema]),
    }
    keys = [one.hotkey.casefold() for one in plan.label_classes if one.hotkey]
    found = [
        Finding(field=field, message="holds an entry without a name")
        for field, (_, names) in named.items()
        if any(not name.strip() for name in names)
    ]
    for field, word, words in (*((f, w, n) for f, (w, n) in named.items()), ("label_classes", "hotkey", keys)):
        double = sorted({one for one in words if words.count(one) > 1})
        found += [Finding(field=field, message=f"has the {word} {', '.join(map(repr, double))} twice")] if double else []
    if not plan.label_type:
        found.append(Finding(field="label_type", message="is empty; name the kind of truth the answers are"))
    return found


def check_template(plan: PromptPlan, sheet: Sheet, gaps: Mapping[str, int] | None = None) -> Validation:
    """Compare a plan with the columns of a sheet; `gaps` counts rows without a value."""
    names = [column.name for column in sheet.columns]
    found = plan_faults(plan)
    missing = missing_columns(plan.prompt_template, plan.column_mapping, names)
    for name in missing:
        column = (plan.column_mapping or {}).get(name, name)
        stands = "stands for no column" if column == name else f"stands for {column!r}, which is no column"
        message = f"{{{{{name}}}}} {stands}.{did_you_mean(column, names)} Available: {', '.join(names)}"
        found.append(Finding(field="prompt_template", message=message))
    if plan.response_column and plan.response_column not in names:
        hint = did_you_mean(plan.response_column, names)
        found.append(
            Finding(field="response_column", message=f"No column {plan.response_column!r}.{hint} Available: {', '.join(names)}")
        )
    found += plan_warnings(plan)
    found += _warnings(plan, set(names) - set(missing), gaps or {}, sheet.item_count)
    valid = all(finding.level != "error" for finding in found)
    return Validation(valid=valid, findings=found, missing=missing, available=names)


def _warnings(plan: PromptPlan, names: set[str], gaps: Mapping[str, int], total: int) -> list[Finding]:
    used = {column for column in columns_used(plan.prompt_template, plan.column_mapping).values() if column in names}
    if plan.response_column in names:
        used.add(str(plan.response_column))
    return [
        Finding(level="warning", field=name, message=f"{grouped(gaps[name])} of {grouped(total)} rows have no value in {name}")
        for name in sorted(used)
        if gaps.get(name)
    ]


def require_valid(checked: Validation) -> None:
    """Raise ValidationError with every error of a check."""
    faults = [f for f in checked.findings if f.level == "error"]
    if faults:
        error = ValidationError.of([{"field": f.field, "message": f.message, "value": None} for f in faults])
        error.context |= {"missing": list(checked.missing), "available": list(checked.available)}
        raise error
