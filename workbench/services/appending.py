"""Pairs that join a training sheet later."""

from __future__ import annotations

import json
from typing import Any

from workbench.domain.generate import TrainingSheet
from workbench.domain.item import ADDED, REQUEST
from workbench.services.pairs import pair_id
from workbench.store import Database


def append(
    db: Database,
    made: TrainingSheet,
    *,
    prompt: str,
    response: str,
    source_data: dict[str, Any] | None,
    request_id: str | None,
    model_version_id: str | None,
    original_response: str | None,
    item_ref: str | None,
    barred: int,
) -> int:
    """Add one unlabeled pair written by a person at the end of a training sheet and return its row index."""
    now = db.clock.now()
    with db.write():
        index, shared = db.tuples(
            "select max(row_index) + 1, bit_and(prohibited_mask) from pair_rows where training_sheet_id = ?", [made.id]
        )[0]
        index = index or 0
        # A place that was in use before goes on counting, so that a version never means two texts.
        used = "select coalesce(max(pair_version), 0) from decision_log where training_sheet_id = ? and row_index = ?"
        version = 1 + db.tuples(used, [made.id, index])[0][0]
        row = {
            "training_sheet_id": made.id,
            "row_index": index,
            "item_ref": item_ref or (f"{REQUEST}{request_id}" if request_id else f"{ADDED}{index}"),
            "prompt": prompt,
            "response": response,
            "original_response": original_response,
            "response_source": "human_labeled" if response else "empty",
            "status": "unlabeled",
            "stale": False,
            # What holds for every row of the sheet holds for a newcomer too.
            "prohibited_mask": (shared or 0) | barred,
            "source_snapshot": json.dumps(source_data, ensure_ascii=False, default=str) if source_data else None,
            "request_id": request_id,
            "model_version_id": model_version_id,
            "sample": made.sample,
            "created_at": now,
            "updated_at": now,
            "version": version,
            "last_batch": 0,
        }
        db.execute(f"insert into pair_rows ({', '.join(row)}) values ({', '.join('?' * len(row))})", list(row.values()))
        db.execute(
            "update training_sheets set total_rows = ?, updated_at = ?, version = version + 1 where id = ?",
            [index + 1, now, made.id],
        )
        db.emit("pairs", pair_id(made.id, index), version, "created")
        db.emit("training_sheets", made.id, made.version + 1)
    return index
