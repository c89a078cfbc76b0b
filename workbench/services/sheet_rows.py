"""Reading the rows of one sheet."""

from __future__ import annotations

from typing import Any

import pyarrow as pa

from workbench.domain.data import Preview, Sheet, SheetColumn
from workbench.errors import ValidationError, did_you_mean
from workbench.services.predicates import checked_predicate
from workbench.store import Database
from workbench.store.transaction import quoted


def rows_table(sheet_id: str) -> str:
    """Return the quoted name of the table that keeps the rows of a sheet."""
    return quoted(f"rows_{sheet_id}")


class SheetRows:
    """Read the rows of one sheet: some columns, some rows, in their order."""

    def __init__(self, db: Database, sheet: Sheet) -> None:
        self.db = db
        self.sheet = sheet
        self.table_name = rows_table(sheet.id)

    def preview(self, *, limit: int, offset: int, columns: list[str] | None, where: str | None, search: str) -> Preview:
        """Return a few rows with the number of all that match."""
        chosen = self.chosen(columns)
        condition, params = self.condition(where, search)
        listed = ", ".join(["_row", *(quoted(c.name) for c in chosen)])
        with self.db.read():
            total = self.db.value(f"select count(*) from {self.table_name} where {condition}", params)
            found = self.db.tuples(
                f"select {listed} from {self.table_name} where {condition} order by _row limit {limit} offset {offset}", params
            )
        index = "row_index" if all(c.name.lower() != "row_index" for c in chosen) else "_row"
        names = [index, *(c.name for c in chosen)]
        rows = [dict(zip(names, row, strict=True)) for row in found]
        return Preview(columns=chosen, rows=rows, total=total, limit=limit, offset=offset)

    def table(self, *, columns: list[str] | None, where: str | None, limit: int | None, offset: int) -> pa.Table:
        """Return rows as an Arrow table."""
        condition, params = self.condition(where, "")
        listed = ", ".join(quoted(c.name) for c in self.chosen(columns))
        cut = f" limit {limit}" if limit is not None else ""
        return self.db.arrow(
            f"select {listed} from {self.table_name} where {condition} order by _row{cut} offset {offset}", params
        )

    def chosen(self, columns: list[str] | None) -> list[SheetColumn]:
        """Return the wished columns, or name those that do not exist."""
        known = {column.name: column for column in self.sheet.columns}
        unknown = [name for name in columns or () if name not in known]
        if unknown:
            faults = [{"field": "columns", "message": f"No column {n!r}.{did_you_mean(n, known)}", "value": n} for n in unknown]
            raise ValidationError.of(faults)
        return [known[name] for name in columns] if columns else list(self.sheet.columns)

    def condition(self, where: str | None, search: str) -> tuple[str, list[Any]]:
        """Return a checked SQL condition with its parameters."""
        parts, params = ["true"], []
        if where:
            parts.append(f"({checked_predicate(self.db, where, self.table_name, field='where')})")
        if search:
            cells = " || chr(31) || ".join(f"coalesce(cast({quoted(c.name)} as varchar), '')" for c in self.sheet.columns)
            parts.append(f"contains(lower({cells}), lower(?))")
            params.append(search)
        return " and ".join(parts), params
