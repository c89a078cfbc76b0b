"""One page of what a re-assembly would change: only the pairs of the page are rendered."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from workbench.domain.wording import word_diff
from workbench.services.reassembling import SHOWN, WAYS, Rendering, candidates_sql, changes_sql
from workbench.services.rendering import item_ref_sql, literal
from workbench.store import Database
from workbench.store.transaction import Transaction

WORDS = {"gone": "flagged: its row is gone", "left": "flagged: the filter no longer chooses its row"}
SINCE = "changed since this preview: stays as it is"
JOINS = "joins at the end"
_BITS = {way: 1 << bit for bit, way in enumerate(WAYS)}


@dataclasses.dataclass(frozen=True)
class Found:
    """Keep which pairs would change, in which ways, and which rows would join."""

    changed: pa.Table
    added: pa.Table

    def narrowed(self, way: str | None) -> Found:
        """Return those that change in one way, or all."""
        if way is None:
            return self
        if way == "added":
            return Found(self.changed.slice(0, 0), self.added)
        bits = pc.bit_wise_and(self.changed["ways"], pa.scalar(_BITS[way], pa.uint8()))
        return Found(self.changed.filter(pc.greater(bits, 0)), self.added.slice(0, 0))

    @property
    def total(self) -> int:
        """Return how many pairs there are."""
        return self.changed.num_rows + self.added.num_rows

    def part(self, first: int, size: int) -> Found:
        """Return some of the pairs, from a place on; those that join come last."""
        changed = self.changed.slice(first, size)
        return Found(changed, self.added.slice(max(first - self.changed.num_rows, 0), size - changed.num_rows))


def keep(tx: Transaction) -> Found:
    """Return what `reassembling.find` has found, without the texts."""
    ways = " + ".join(f"{_BITS[way]} * ({condition})::integer" for way, condition in WAYS.items())
    changed = tx.cursor.sql(f"select row_index, version, ({ways})::utinyint as ways from _redone order by row_index")
    added = tx.cursor.sql("select _wb_index as row_index, _wb_pick as source_index from _picks order by 1")
    return Found(changed.to_arrow_table(), added.to_arrow_table())


def shown(db: Database, rendering: Rendering, found: Found) -> list[dict[str, Any]]:
    """Return what would become of a few pairs, with the words that change."""
    changed = _changed(db, rendering, found.changed.to_pylist()) if found.changed else []
    return [*changed, *(_added(db, rendering, found.added.to_pylist()) if found.added else [])]


def _changed(db: Database, rendering: Rendering, wanted: list[dict[str, Any]]) -> list[dict[str, Any]]:
    these = f"row_index in ({_listed(pair['row_index'] for pair in wanted)})"
    facts = f"select row_index, item_ref, status, version, {rendering.key} as key from pair_rows where training_sheet_id = ? and {these}"
    present = {row["row_index"]: row for row in db.rows(facts, [rendering.made.id])}
    keys = _listed(row["key"] for row in present.values() if row["key"] is not None)
    narrow = dataclasses.replace(rendering, only_pairs=these, only_rows=f"{_key_sql(rendering)} in ({keys})" if keys else "false")
    sql = f"with _candidates as ({candidates_sql(narrow)}) select {SHOWN} from ({changes_sql(narrow)}) where differs"
    fresh = {row[0]: row for row in db.tuples(sql, {"sheet": rendering.made.id})}
    told = []
    for pair in wanted:
        index = pair["row_index"]
        here = present.get(index) or {"item_ref": "", "status": "", "version": None}
        stands = here["version"] == pair["version"] and index in fresh
        told.append(told_of(fresh[index]) if stands else _plain(index, here["item_ref"], here["status"], SINCE))
    return told


def _added(db: Database, rendering: Rendering, wanted: list[dict[str, Any]]) -> list[dict[str, Any]]:
    narrow = dataclasses.replace(rendering, only_rows=f"_row in ({_listed(pair['source_index'] for pair in wanted)})")
    rows = {row[0]: row[1:] for row in db.tuples(f"select source_index, item_ref, prompt, response from ({narrow.rows})")}
    told = []
    for pair in wanted:
        item_ref, prompt, response = rows[pair["source_index"]]
        diffs = {"prompt_diff": word_diff("", prompt), "response_diff": word_diff("", response)}
        told.append(_plain(pair["row_index"], item_ref, "", JOINS) | diffs)
    return told


def told_of(row: tuple[Any, ...]) -> dict[str, Any]:
    """Return what becomes of one pair, in words, with the words that change; `row` has the columns of `SHOWN`."""
    row_index, item_ref, status, stale, lost, other_prompt, other_response, old_prompt, prompt, old_response, response = row
    label = WORDS.get(lost) or (
        "approval goes stale" if stale else "rendered anew" if other_prompt or other_response else "source row"
    )
    return _plain(row_index, item_ref, status, label) | {
        "prompt_diff": word_diff(old_prompt, prompt) if other_prompt else (),
        "response_diff": word_diff(old_response, response) if other_response else (),
    }


def _plain(row_index: int, item_ref: str, status: str, label: str) -> dict[str, Any]:
    return {
        "row_index": row_index, "item_ref": item_ref, "status": status, "label": label, "prompt_diff": (), "response_diff": (),
    }  # fmt: skip


def _key_sql(rendering: Rendering) -> str:
    return item_ref_sql(rendering.sheet) if rendering.key == "item_ref" else "_row"


def _listed(values: Iterable[Any]) -> str:
    return ", ".join(literal(value) if isinstance(value, str) else str(int(value)) for value in values)
