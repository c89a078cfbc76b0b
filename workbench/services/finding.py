"""Find anything by its name or id, for whoever knows what it is called and not where it is."""

from __future__ import annotations

from typing import Any

from workbench.contract import Page
from workbench.domain.item import item_name
from workbench.domain.system import Found
from workbench.store import Database

# Kind -> (table, id, name, what else tells it apart, page and key of the address).
KINDS = {
    "sheet": ("(select * from sheets where deleted_at is null)", "id", "name", "status", "data", "sheet"),
    "training_sheet": ("(select * from training_sheets where deleted_at is null)", "id", "name", "status", "label", "sheet"),
    "template": ("templates", "id", "name", "status", "generate", "template"),
    "job": ("jobs", "id", "name", "status", "jobs", "job"),
    "model": ("models", "id", "name || ' ' || version", "status", "models", "model"),
    "endpoint": ("endpoints", "name", "name", "status", "deploy", "endpoint"),
}
# What begins with the words comes first, then what contains them, the newest first.
_ONE = (
    "select '{kind}' as kind, {id} as id, {name} as name, null as item_ref, {detail} as detail, '{page}' as page, '{key}' as key, "
    "case when lower({id}) = $q or lower({name}) = $q then 0 when starts_with(lower({name}), $q) then 1 else 2 end as rank, "
    "created_at from {table} where contains(lower({name}), $q) or starts_with(lower({id}), $q) or lower({id}) = $q"
)
_PAIRS = (
    "select 'pair' as kind, p.training_sheet_id || '.' || p.row_index as id, t.name, p.item_ref, "
    "p.status as detail, 'label' as page, 'pair' as key, 3 as rank, p.created_at "
    "from pair_rows p join training_sheets t on t.id = p.training_sheet_id where t.deleted_at is null and {where}"
)


def find(db: Database, words: str, page: int, size: int) -> Page[Found]:
    """Return what is called so, the best match first."""
    wanted = words.strip().lower()
    parts = [
        _ONE.format(kind=kind, table=table, id=ident, name=name, detail=detail, page=path, key=key)
        for kind, (table, ident, name, detail, path, key) in KINDS.items()
    ]
    values: dict[str, Any] = {"q": wanted}
    sheet, _, row = wanted.rpartition(".")
    by_id = sheet and row.isdecimal() and len(row) < 18
    if by_id:
        values |= {"sheet": sheet, "row": int(row)}
    parts.append(_PAIRS.format(where="p.training_sheet_id = $sheet and p.row_index = $row" if by_id else "p.item_ref = $exact"))
    values |= {} if by_id else {"exact": words.strip()}
    relation = " union all ".join(parts)
    with db.read():
        rows = db.rows(
            f"select kind, id, name, item_ref, detail, page, key, count(*) over () as total from ({relation}) "
            f"order by rank, created_at desc nulls last, kind, id limit {size} offset {(page - 1) * size}",
            values,
        )
    total = rows[0]["total"] if rows else 0
    found = [_presented(row) for row in rows]
    return Page(Found, found, total=total, page=page, page_size=size)


def _presented(row: dict[str, Any]) -> dict[str, Any]:
    label = row["kind"].replace("_", " ")
    query = {row["key"]: row["id"]}
    told = row["name"] if row["item_ref"] is None else f"{item_name(row['item_ref'])} of {row['name']}"
    return {name: row[name] for name in ("id", "detail", "page")} | {"name": told, "label": label, "query": query}
