"""One pair as it was at an earlier version, read from the log and brought back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from workbench.errors import ValidationError
from workbench.services import canonical
from workbench.services.decisions import DETAILS, FACTS, LOG_BATCH, MEASURED, SOURCE, STATE, TEXTS, Scope, log_one, reworded, run
from workbench.store import Database

DOING = "bringing it back"
KEPT = (*(name for name in STATE if name != "last_batch"), "decided_batch", *FACTS)


@dataclass(frozen=True)
class Restored:
    """Name the batch that brought a pair back (none: it was like that already), and the version it has now.

    `kept` are the uses that it was not barred from then, and is now by the tags of its sheet.
    """

    batch_id: str | None
    pair_version: int
    kept: int


def at_version(db: Database, row: dict[str, Any], version: int) -> dict[str, Any]:
    """Return a row of `pair_rows` as it was at a version, or say which versions there are."""
    later = _later(db, row, version)
    past = dict(row, version=version)
    for kind, names in (("before", STATE), *((f"{kind}_before", names) for kind, names in DETAILS.items())):
        known = next((entry[kind] for entry in later if entry[kind] is not None), None)
        if known is not None:
            past |= {name: known[name] for name in names}
    changed = next((e for e in later if e["texts_before"] and reworded(e["texts_before"], e["texts_after"])), None)
    if changed is not None:
        past |= changed["measured_before"] or dict.fromkeys(MEASURED)
    return past | ({"decided_batch": later[0]["decided_before"]} if later else {})


def life(db: Database, training_sheet_id: str, row_index: int) -> range:
    """Return the versions of a pair that the log tells of, the present one last; what stood at its place before is another pair."""
    row = db.row(
        "select max(pair_version) as newest, min(pair_version) as oldest, "
        "max(pair_version) filter (where before.status is null) as born, "
        "max(pair_version) filter (where after.status is null) + 1 as freed from decision_log "
        # A vote is logged too, and makes no version.
        "where training_sheet_id = ? and row_index = ? and before.last_batch is distinct from after.last_batch",
        [training_sheet_id, row_index],
    )
    if row is None or row["newest"] is None:
        return range(1, 1)
    return range(max(row["born"] or 0, row["freed"] or 0) or max(row["oldest"] - 1, 1), row["newest"] + 1)


def _later(db: Database, row: dict[str, Any], version: int) -> list[dict[str, Any]]:
    """Return what was decided on a pair after it had reached a version, the oldest first."""
    place = [row["training_sheet_id"], row["row_index"]]
    known = life(db, *place)
    first = known.start if known else row["version"]
    if not first <= version <= row["version"]:
        raise ValidationError.field(
            "version", f"there is no version {version} of this pair; it has {first} to {row['version']}", version
        )
    return db.rows(
        "select batch, before, decided_before, facts_before, texts_before, texts_after, source_before, measured_before from decisions "
        "where training_sheet_id = ? and row_index = ? and pair_version > ? order by id",
        [*place, version],
    )


def restore(db: Database, scope: Scope, row: dict[str, Any], version: int, *, batch_id: str) -> Restored:
    """Bring a pair back to a version and log it, unless it is like that already."""
    undone = [entry["batch"] for entry in _later(db, row, version)]
    past = at_version(db, row, version)
    kept = row["prohibited_mask"] & ~past["prohibited_mask"] & scope.barred
    past["prohibited_mask"] |= scope.barred
    if all(past[name] == row[name] for name in (*KEPT, *TEXTS, *SOURCE)):
        return Restored(None, row["version"], kept)
    number = db.execute("select nextval('batch_numbers')")[0][0]
    past |= {"last_batch": number, "version": row["version"] + 1}
    known = scope.__dict__ | {"batch": number, "batch_id": batch_id, "action": "restore", "rows": 1, "of_batch": None}
    run(db, LOG_BATCH, known)
    log_one(db, scope, "restore", row, past, DETAILS)
    columns = [*STATE, "decided_batch", *FACTS, *TEXTS, *SOURCE, *(MEASURED if reworded(row, past) else ()), "version"]
    db.execute(
        f"update pair_rows set {', '.join(f'{name} = ?' for name in columns)}, updated_at = ? "
        "where training_sheet_id = ? and row_index = ?",
        [*(past[name] for name in columns), scope.now, scope.training_sheet_id, row["row_index"]],
    )
    _settle_labels(db, scope, number, row, past, undone)
    return Restored(batch_id, past["version"], kept)


def _settle_labels(db: Database, scope: Scope, number: int, row: dict[str, Any], past: dict[str, Any], undone: list[int]) -> None:
    """Take back what later approvals of the pair had stated, and state what it says now."""
    if row["canonical_label_id"] is not None:
        canonical.retract_of_pair(db, scope, row["canonical_label_id"], row["row_index"], undone, by=number)
    if past["status"] == "labeled" and past["canonical_label_id"] is not None:
        only = f"training_sheet_id = $training_sheet_id and row_index = {int(row['row_index'])}"
        canonical.record(db, scope, number, only)
    canonical.follow_batch(db, scope, number)
