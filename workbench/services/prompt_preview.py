"""Prompts rendered for a look, stored nowhere."""

from __future__ import annotations

from workbench.domain.data import Sheet
from workbench.domain.generate import PreviewedPrompt, PromptPlan, PromptPreview
from workbench.domain.prompt import columns_used, parse
from workbench.services.rendering import item_ref_sql, prompt_sql, response_sql, text_of
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


def _pieces(plan: PromptPlan, cells: dict[str, str]) -> list[dict[str, str | None]]:
    columns = columns_used(plan.prompt_template, plan.column_mapping)
    return [
        {"text": piece.text, "column": None}
        if piece.placeholder is None
        else {"text": cells[columns[piece.placeholder]], "column": columns[piece.placeholder]}
        for piece in parse(plan.prompt_template)
    ]
