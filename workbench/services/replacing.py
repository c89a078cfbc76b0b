"""Put a new version of the whole source in the place of a sheet's rows, item by item."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from workbench.domain.data import CellChange, Replacement, Sheet, SheetColumn
from workbench.domain.wording import grouped
from workbench.services import importing
from workbench.services.editing import keep_sources, snapshot_sql
from workbench.services.importing import Loaded, Source
from workbench.services.rendering import item_ref_sql, literal
from workbench.services.sheet_rows import rows_table
from workbench.store import Database
from workbench.store.transaction import quoted

SHOWN_EXAMPLES = 20


@dataclass(frozen=True)
class Staged:
    """Hold the new rows, in a table that nobody sees, beside what they change."""

    sheet: Sheet
    loaded: Loaded
    found: Replacement

    @property
    def table(self) -> str:
        """Return the table of the new rows."""
        return rows_table(self.sheet.id)


def stage(db: Database, sheet: Sheet, source: Source) -> Staged:
    """Load the new version beside the old one and compare them; an item keeps its row index."""
    loaded_id, staged_id = db.clock.new_id("sheet"), db.clock.new_id("sheet")
    try:
        loaded = importing.load(db, loaded_id, source, sheet.item_id_column)
        fresh = sheet.with_(id=staged_id, columns=loaded.columns, item_count=loaded.item_count)
        with db.load() as tx:
            tx.execute(f"create table {rows_table(staged_id)} as {_numbered_sql(sheet, fresh, loaded_id)}")
            digest = importing.content_hash(tx, rows_table(staged_id), loaded.columns)
        found = _compared(db, sheet, fresh)
    except BaseException:
        importing.drop_rows(db, staged_id)
        raise
    finally:
        importing.drop_rows(db, loaded_id)
    return Staged(fresh, Loaded(loaded.columns, loaded.item_count, digest), found)


def _numbered_sql(sheet: Sheet, fresh: Sheet, loaded_id: str) -> str:
    """Return SQL for the new rows: known items under their index, new ones behind all that ever were."""
    listed = ", ".join(f"n.{quoted(c.name)}" for c in fresh.columns)
    ever = (
        f"select coalesce(max(_row), -1) + 1 from (select _row from {rows_table(sheet.id)} union all select source_index "
        f"from pair_rows where training_sheet_id in (select id from training_sheets where sheet_id = {literal(sheet.id)}))"
    )
    joined = (
        f"select o._row as _known, n.* from (select {item_ref_sql(fresh)} as _wb_ref, * from {rows_table(loaded_id)}) n "
        f"left join (select {item_ref_sql(sheet)} as _wb_ref, _row from {rows_table(sheet.id)}) o on o._wb_ref = n._wb_ref"
    )
    number = f"coalesce(n._known, ({ever}) + row_number() over (partition by n._known is null order by n._row) - 1)"
    return f"select {number} as _row, {listed} from ({joined}) n order by 1"


def _cells(one: Sheet, other: Sheet) -> list[tuple[str, str, str]]:
    """Return each column with SQL for its cell as text, as it was (o) and as it becomes (n)."""
    names = list(dict.fromkeys([*(c.name for c in one.columns), *(c.name for c in other.columns)]))
    return [(name, _text(one.columns, "o", name), _text(other.columns, "n", name)) for name in names]


def _text(columns: Iterable[SheetColumn], alias: str, name: str) -> str:
    known = any(column.name == name for column in columns)
    return f"cast({alias}.{quoted(name)} as varchar)" if known else "null"


def _differences(sheet: Sheet, fresh: Sheet) -> tuple[str, str]:
    """Return SQL for both versions side by side, and for whether a row differs."""
    joined = f"{rows_table(sheet.id)} o full join {rows_table(fresh.id)} n on n._row = o._row"
    differ = " or ".join(f"{was} is distinct from {becomes}" for _, was, becomes in _cells(sheet, fresh))
    return joined, f"({differ})"


def _touched_sql(sheet: Sheet, fresh: Sheet) -> str:
    """Return SQL for the indices of the rows that change or go."""
    joined, differ = _differences(sheet, fresh)
    return f"select o._row from {joined} where o._row is not null and (n._row is null or {differ})"


def _compared(db: Database, sheet: Sheet, fresh: Sheet) -> Replacement:
    joined, differ = _differences(sheet, fresh)
    counts = db.row(
        f"select count(*) filter (where o._row is null) as added, count(*) filter (where n._row is null) as removed, "
        f"count(*) filter (where o._row is not null and n._row is not null and {differ}) as changed from {joined}"
    )
    assert counts is not None
    before, after = ({c.name: c.dtype for c in one.columns} for one in (sheet, fresh))
    pairs = db.value(
        "select count(*) from pair_rows where training_sheet_id in (select id from training_sheets where sheet_id = ?) "
        f"and source_index in ({_touched_sql(sheet, fresh)})",
        [sheet.id],
    )
    unchanged = fresh.item_count - counts["added"] - counts["changed"]
    columns = {
        "added": [name for name in after if name not in before],
        "removed": [name for name in before if name not in after],
        "retyped": [name for name in after if name in before and after[name] != before[name]],
    }
    return Replacement(
        id=sheet.id,
        unchanged=unchanged,
        total=fresh.item_count,
        **{f"columns_{what}": names for what, names in columns.items()},
        pairs_affected=pairs,
        examples=_examples(db, sheet, fresh),
        summary=_summary(counts | {"unchanged": unchanged}, columns, pairs),
        version=sheet.version,
        **counts,
    )


def _summary(counts: dict[str, int], columns: dict[str, list[str]], pairs: int) -> str:
    told = ", ".join(f"{grouped(counts[name])} {name}" for name in ("added", "changed", "removed", "unchanged"))
    differing = "; ".join(f"{', '.join(names)} {what}" for what, names in columns.items() if names)
    differing = f" Columns: {differing}." if differing else ""
    concerned = f" {grouped(pairs)} pair(s) were made from rows that change or go; they keep the row as it was." if pairs else ""
    return f"Rows: {told}.{differing}{concerned}"


def _examples(db: Database, sheet: Sheet, fresh: Sheet) -> list[CellChange]:
    """Return the first differences, one cell each."""
    joined, differ = _differences(sheet, fresh)
    cells = _cells(sheet, fresh)
    texts = ", ".join(f"left({was}, 300), left({becomes}, 300)" for _, was, becomes in cells)
    names = ", ".join(f"cast({one} as varchar)" for one in (_reference(sheet, "o"), _reference(fresh, "n")))
    found = db.tuples(
        f"select o._row, n._row, coalesce({names}), {texts} from {joined} where o._row is null or n._row is null or {differ} "
        f"order by coalesce(o._row, n._row) limit {SHOWN_EXAMPLES}"
    )
    changes: list[CellChange] = []
    for was_at, is_at, reference, *values in found:
        shared = {"row_index": was_at, "item_ref": reference or ""}
        if was_at is None or is_at is None:
            changes.append(CellChange(change="added" if was_at is None else "removed", **shared))
            continue
        pairs = zip(cells, values[::2], values[1::2], strict=True)
        changes += [CellChange(column=c[0], before=was, after=new, **shared) for c, was, new in pairs if was != new]
    return changes[:SHOWN_EXAMPLES]


def _reference(sheet: Sheet, alias: str) -> str:
    return f"{alias}.{quoted(sheet.item_id_column) if sheet.item_id_column else '_row'}"


def publish(db: Database, sheet: Sheet, staged: Staged) -> None:
    """Take the new rows for the old ones, in the current transaction; pairs keep what they were made from."""
    touched = _touched_sql(sheet, staged.sheet)
    keep_sources(db, sheet, touched)
    _log(db, sheet, staged)
    db.execute(f"drop view if exists {quoted('sheet_' + sheet.slug)}")
    db.execute(f"drop table {rows_table(sheet.id)}")
    db.execute(f"alter table {staged.table} rename to {rows_table(sheet.id)}")
    importing.create_view(db, sheet.with_(columns=staged.loaded.columns))


def _log(db: Database, sheet: Sheet, staged: Staged) -> None:
    joined, differ = _differences(sheet, staged.sheet)
    facts: list[Any] = [sheet.id, sheet.version + 1, db.actor_of(), db.clock.now()]
    names = ", ".join(f"cast({one} as varchar)" for one in (_reference(sheet, "o"), _reference(staged.sheet, "n")))
    db.execute(
        f"insert into row_changes select ?, ?, coalesce(o._row, n._row), coalesce({names}), "
        "case when o._row is null then 'added' when n._row is null then 'removed' else 'changed' end, "
        f"case when o._row is not null then {snapshot_sql(sheet, 'o.')} end, ?, ? "
        f"from {joined} where o._row is null or n._row is null or {differ}",
        facts,
    )
