"""Reading the rows of one sheet."""

from __future__ import annotations

from typing import Any

import pyarrow as pa

from workbench.config import Settings
from workbench.contract.codec import with_total
from workbench.domain.data import Preview, Sheet, SheetColumn
from workbench.errors import ValidationError, did_you_mean
from workbench.store import Database
from workbench.store.conditions import typed_condition
from workbench.store.sql_check import where_predicate
from workbench.store.transaction import quoted


def rows_table(sheet_id: str) -> str:
    """Return the quoted name of the table that keeps the rows of a sheet."""
    return quoted(f"rows_{sheet_id}")


def index_name(sheet: Sheet) -> str:
    """Return the name under which people see the row index: `_row` where a column took the other."""
    return "_row" if any(column.name.lower() == "row_index" for column in sheet.columns) else "row_index"


def relation_of(sheet: Sheet) -> str:
    """Return the rows of a sheet with their index, as people see them, for a FROM clause."""
    shown = "" if index_name(sheet) == "_row" else ", _row as row_index"
    return f"(select *{shown} from {rows_table(sheet.id)})"


def row_condition(sheet: Sheet, where: str | None, *, field: str) -> str:
    """Return a checked condition over the rows of a sheet."""
    return where_predicate(where, [index_name(sheet), *(c.name for c in sheet.columns)], field=field) if where else "true"


class SheetRows:
    """Read the rows of one sheet: some columns, some rows, in their order."""

    def __init__(self, db: Database, sheet: Sheet, settings: Settings) -> None:
        self.db = db
        self.settings = settings
        self.sheet = sheet
        self.relation = relation_of(sheet)

    def preview(self, *, limit: int, offset: int, columns: list[str] | None, filter: str | None, search: str) -> Preview:
        """Return a few rows with the number of all that match."""
        chosen = self.chosen(columns)
        condition, params = self.condition(filter, search)
        listed = ", ".join(["_row", *(quoted(c.name) for c in chosen)])
        with self.db.read(), typed_condition(self.db, filter, seconds=self.settings.filter_seconds, field="filter"):
            total = self.db.value(f"select count(*) from {self.relation} where {condition}", params)
            cut = self._cut(condition, limit, offset)
            found = self.db.tuples(f"select {listed} from {self.relation} where {condition}{cut}", params)
        names = [index_name(self.sheet), *(c.name for c in chosen)]
        rows = [dict(zip(names, row, strict=True)) for row in found]
        return Preview(columns=chosen, rows=rows, total=total, limit=limit, offset=offset)

    def table(self, *, columns: list[str] | None, filter: str | None, limit: int | None, offset: int) -> pa.Table:
        """Return rows as an Arrow table that knows the number of all that match."""
        condition, params = self.condition(filter, "")
        listed = ", ".join(quoted(c.name) for c in self.chosen(columns))
        sql = f"select {listed} from {self.relation} where {condition}{self._cut(condition, limit, offset)}"
        limit_of = {"seconds": self.settings.sql_seconds, "setting": "WORKBENCH_SQL_SECONDS"}
        with self.db.read(), typed_condition(self.db, filter, field="filter", **limit_of):
            total = self.db.value(f"select count(*) from {self.relation} where {condition}", params)
            return with_total(self.db.arrow(sql, params), total)

    def _cut(self, condition: str, limit: int | None, offset: int) -> str:
        """Return the end of a query for some rows in their order; a file is in order and numbered without gaps."""
        if not self.sheet.external:
            return f" order by _row{f' limit {limit}' if limit is not None else ''} offset {offset}"
        if condition == "true":
            return f" and _row >= {offset}" + (f" and _row < {offset + limit}" if limit is not None else "")
        return f"{f' limit {limit}' if limit is not None else ''} offset {offset}"

    def chosen(self, columns: list[str] | None) -> list[SheetColumn]:
        """Return the wished columns, or name those that do not exist."""
        known = {column.name: column for column in self.sheet.columns}
        unknown = [name for name in columns or () if name not in known]
        if unknown:
            faults = [{"field": "columns", "message": f"No column {n!r}.{did_you_mean(n, known)}", "value": n} for n in unknown]
            raise ValidationError.of(faults)
        return [known[name] for name in columns] if columns else list(self.sheet.columns)

    def condition(self, filter: str | None, search: str) -> tuple[str, list[Any]]:
        """Return a checked SQL condition with its parameters."""
        parts: list[str] = [row_condition(self.sheet, filter, field="filter")]
        params: list[Any] = []
        if search:
            cells = " || chr(31) || ".join(f"coalesce(cast({quoted(c.name)} as varchar), '')" for c in self.sheet.columns)
            parts.append(f"contains(lower({cells}), lower(?))")
            params.append(search)
        return " and ".join(parts), params
