"""Pairs rendered anew after their sheet or template changed: what differs is found in SQL, counted, then done.

What holds for each pair that came from a row:
- Its prompt follows the row and the template, unless a person rewrote it: that text stays.
- A response taken from a column follows the column until somebody edits it; an approved pair never loses its response.
- An approval of which the prompt or the response changed becomes stale; every other decision stands.
- A pair whose row is gone, or no longer chosen by the filter, stays and is flagged with that reason, unless rejected.
- Rows that the filter chooses now become pairs at the end. A sample stays as it was drawn: it gets no new rows.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from workbench.domain.data import Sheet
from workbench.domain.generate import TemplateSnapshot, TrainingSheet
from workbench.services import assembling, canonical, templating, votes
from workbench.services.decisions import (
    DETAILS,
    FACTS,
    LOG,
    LOG_BATCH,
    LOG_DETAILS,
    SOURCE,
    STATE,
    TEXTS,
    Scope,
    held,
    outdated,
    run,
    struct,
)
from workbench.services.rendering import item_ref_sql, prompt_sql, response_sql
from workbench.services.sheet_rows import relation_of
from workbench.store import Database
from workbench.store.transaction import Transaction

GONE = "Its row is no longer in the sheet."
LEFT = "Its row no longer matches the filter."
SAMPLE_STALE = 3
SAMPLE = 6
OF_PERSONS = "('undo', 'redo', 'restore', 'reassemble', 'generate')"


@dataclass(frozen=True)
class Rendering:
    """Name a training sheet, its sheet, the template to render with and the condition that chooses rows.

    `only_rows` and `only_pairs` are conditions that narrow what is looked at to a few.
    """

    made: TrainingSheet
    sheet: Sheet
    plan: TemplateSnapshot
    chosen: str
    only_rows: str = "true"
    only_pairs: str = "true"

    @property
    def rows(self) -> str:
        """Return SQL for the rows of the sheet, rendered."""
        return (
            f"select _row as source_index, {item_ref_sql(self.sheet)} as item_ref, {prompt_sql(self.plan, self.sheet.columns)} "
            f"as prompt, {response_sql(self.plan, self.sheet.columns)} as response, "
            f"coalesce(({self.chosen}), false) as chosen from {relation_of(self.sheet)} where {self.only_rows}"
        )

    @property
    def key(self) -> str:
        """Return the column by which a pair finds its row: the item's name, if the sheet has names."""
        return "item_ref" if self.sheet.item_id_column else "source_index"

    @property
    def follows(self) -> str:
        """Return SQL that is true for pairs `p` whose response follows the column."""
        if self.plan.response_source_mode != "existing_column":
            return "false"
        return "(p.response_source in ('imported', 'empty') and not (p.status = 'labeled' and r.blank))"


def find(tx: Transaction, rendering: Rendering) -> dict[str, Any]:
    """Fill `_redone` with the pairs that would change and `_picks` with the rows that would join; return the counts."""
    sheet = {"sheet": rendering.made.id}
    tx.execute(f"create or replace temp table _candidates as {candidates_sql(rendering)}", sheet)
    tx.execute(f"create or replace temp table _redone as {changes_sql(rendering)}", sheet)
    _find_newcomers(tx, rendering)
    counts = recount(tx)
    total = tx.execute("select count(*) from pair_rows where training_sheet_id = ?", [rendering.made.id])[0][0]
    added = tx.execute("select count(*) from _picks")[0][0]
    tx.execute("delete from _redone where not differs")
    return counts | {"matched": total, "unchanged": total - counts["changed"], "added": added}


def recount(tx: Transaction | Database) -> dict[str, int]:
    """Return how many pairs in `_redone` change in which way."""
    return dict(zip(WAYS, tx.execute(_COUNT_SQL)[0], strict=True))


def forget(tx: Transaction) -> None:
    """Drop what `find` left behind."""
    for name in ("_candidates", "_redone", "_picks"):
        tx.execute(f"drop table {name}")


def candidates_sql(rendering: Rendering) -> str:
    """Return SQL for the pairs that may change; compared by hash first, so that only what differs is read in full."""
    return (
        "select p.row_index, r.source_index as fresh_index, case when r.source_index is null then 'gone' "
        f"when not r.chosen then 'left' end as lost, coalesce({rendering.follows}, false) as follows "
        "from (select row_index, source_index, item_ref, hash(prompt) as prompt, hash(response) as response, response_source, "
        "status, source_snapshot is not null as outdated from pair_rows "
        f"where training_sheet_id = $sheet and source_index is not null and {rendering.only_pairs}) p "
        "left join (select source_index, item_ref, hash(prompt) as prompt, hash(response) as response, response = '' as blank, "
        f"chosen from ({rendering.rows})) r on r.{rendering.key} = p.{rendering.key} "
        "where case when r.source_index is null or not r.chosen then p.status in ('unlabeled', 'labeled') "
        "else p.outdated or r.source_index <> p.source_index or r.prompt <> p.prompt "
        f"or ({rendering.follows} and r.response <> p.response) end"
    )


def changes_sql(rendering: Rendering) -> str:
    """Return SQL for what becomes of the pairs in `_candidates`."""
    new = {
        "prompt": "case when c.lost is null and not c.by_hand then r.prompt else p.prompt end",
        "response": "case when c.lost is null and c.follows then r.response else p.response end",
        "source_index": "case when c.lost is null then r.source_index else p.source_index end",
        "source_snapshot": "case when c.lost is not null then p.source_snapshot end",
    }
    listed = ", ".join(f"{sql} as {name}" for name, sql in new.items())
    by_hand = (
        "exists (select 1 from decisions d where d.training_sheet_id = $sheet and d.row_index = c.row_index "
        f"and d.action not in {OF_PERSONS} and d.texts_after.prompt is distinct from d.texts_before.prompt "
        "and d.texts_after.prompt = q.prompt)"
    )
    return (
        "with marked as (select c.*, "
        f"{by_hand} as by_hand from _candidates c join pair_rows q on q.training_sheet_id = $sheet and q.row_index = c.row_index), "
        f"rendered as (select p.row_index, p.version, p.status, p.stale as was_stale, c.lost, c.by_hand, {listed}, "
        "p.prompt as old_prompt, p.response as old_response, p.source_index as old_index, p.source_snapshot as old_snapshot, "
        "p.response_source as old_source, p.item_ref, p.canonical_label_id "
        "from marked c join pair_rows p on p.training_sheet_id = $sheet and p.row_index = c.row_index "
        f"left join ({rendering.rows}) r on r.source_index = c.fresh_index) "
        "select *, prompt <> old_prompt as other_prompt, response <> old_response as other_response, "
        "source_index is distinct from old_index or source_snapshot is distinct from old_snapshot as other_source, "
        "other_prompt or other_response or other_source or lost is not null as differs, "
        "status = 'labeled' and lost is null and (other_prompt or other_response) as goes_stale, "
        "case when other_response then case when response = '' then 'empty' else 'imported' end else old_source end "
        "as response_source from rendered"
    )


def _find_newcomers(tx: Transaction, rendering: Rendering) -> None:
    wanted = "chosen" if rendering.made.sampling == "all" else "false"
    tx.execute(
        "create or replace temp table _picks as select r.source_index as _wb_pick, "
        "(select coalesce(max(row_index), -1) from pair_rows where training_sheet_id = $sheet) "
        "+ row_number() over (order by r.source_index) as _wb_index "
        f"from (select source_index, item_ref from ({rendering.rows}) where {wanted}) r anti join "
        "(select source_index, item_ref from pair_rows where training_sheet_id = $sheet and source_index is not null) p "
        f"on p.{rendering.key} = r.{rendering.key}",
        {"sheet": rendering.made.id},
    )


# The ways in which a pair may change, as conditions on `_redone`.
WAYS = {
    "changed": "differs",
    "prompt_changed": "other_prompt",
    "response_changed": "other_response",
    "source_changed": "lost is null and differs and not other_prompt and not other_response",
    "stale": "goes_stale and not was_stale",
    "rerendered": "lost is null and not goes_stale and other_prompt",
    "removed": "lost is not null",
    "kept_edited": "by_hand and lost is null",
}
_COUNT_SQL = f"select {', '.join(f'count(*) filter (where {condition})' for condition in WAYS.values())} from _redone"
SHOWN = (
    "row_index, item_ref, status, goes_stale, lost, other_prompt, other_response, old_prompt, prompt, old_response, response"
)


def sample(tx: Transaction, seed: str) -> list[tuple[Any, ...]]:
    """Return a random few of the pairs that would change, some of them approvals that go stale."""
    return tx.execute(
        f"select {SHOWN} from (select *, md5($seed || row_index) as dice from _redone) "
        f"qualify row_number() over (partition by goes_stale order by dice) <= {SAMPLE_STALE} or not goes_stale "
        f"order by goes_stale desc, dice limit {SAMPLE}",
        {"seed": seed},
    )


def leave_unfrozen(tx: Transaction) -> int:
    """Drop what is not in `_frozen` as it was then; return how many of its pairs changed since."""
    tx.execute("delete from _redone where row_index not in (select f.row_index from _frozen f where f.version = _redone.version)")
    return tx.execute("select count(*) from _frozen where row_index not in (select row_index from _redone)")[0][0]


def commit(db: Database, scope: Scope, rendering: Rendering, *, batch_id: str) -> int:
    """Change what `_redone` and `_picks` say, with its log, and return the number of pairs."""
    number = db.execute("select nextval('batch_numbers')")[0][0]
    changed, added = db.execute("select (select count(*) from _redone), (select count(*) from _picks)")[0]
    known = scope.__dict__ | {"batch": number, "batch_id": batch_id, "action": "reassemble", "rows": changed + added}
    run(db, LOG_BATCH, known | {"of_batch": None})
    if changed:
        for sql in (_LOG_CHANGES, _LOG_DETAILS, _CHANGE):
            run(db, sql, known)
        changes = "select row_index from _redone where other_prompt or other_response or lost is not null"
        votes.end_round(db, scope, rendering.made.overlap, batch_id, changes)
        canonical.follow_batch(db, scope, number)
    templating.keep(db, number, rendering.made, rendering.plan)
    if added:
        _append(db, scope, rendering, known)
    return changed + added


def _append(db: Database, scope: Scope, rendering: Rendering, known: dict[str, Any]) -> None:
    first = db.execute("select min(_wb_index) from _picks")[0][0]
    made = rendering.made.with_(created_at=scope.now, template=rendering.plan)
    assembling.render_picks(db, rendering.sheet, made)
    # A number that was in use before goes on counting, so that a version never means two texts.
    run(
        db,
        "update pair_rows set last_batch = $batch, version = 1 + coalesce((select max(d.pair_version) from decision_log d "
        "where d.training_sheet_id = $training_sheet_id and d.row_index = pair_rows.row_index), 0) "
        "where training_sheet_id = $training_sheet_id and row_index >= $first",
        known | {"first": first},
    )
    run(db, _LOG_ADDED, known | {"first": first})
    run(db, _LOG_ADDED_DETAILS, known | {"first": first})
    assembling.count_reuse(db, made, first)
    templating.count_rows(db, scope)


_ABSENT = struct(STATE, dict.fromkeys(STATE, "null"))
_LOST = f"case n.lost when 'gone' then '{GONE}' when 'left' then '{LEFT}' "
_NEW = {
    "status": "case when n.lost is null then p.status else 'flagged' end",
    "flag_reason": f"{_LOST} else p.flag_reason end",
    "stale": "n.lost is null and (p.stale or n.goes_stale)",
    "response_source": "n.response_source",
    "labeled_by": "case when n.lost is null then p.labeled_by end",
    "labeled_at": "case when n.lost is null then p.labeled_at end",
    "last_batch": "$batch",
    # An approval that goes stale is still that of who gave it; a flag for a row that is gone is nobody's.
    "decided_batch": "case when n.lost is null then p.decided_batch end",
}
_HERE = {name: f"p.{name}" for name in (*STATE, *FACTS, *TEXTS, *SOURCE)}
_FRESH = _HERE | _NEW | {name: f"n.{name}" for name in ("prompt", "response", "source_index", "source_snapshot")}
_ABOUT = {
    "facts": "n.response_source <> p.response_source",
    "texts": "n.other_prompt or n.other_response",
    "source": "n.other_source",
}
_REDONE = "from pair_rows p join _redone n on n.row_index = p.row_index where p.training_sheet_id = $training_sheet_id"
_LOG_CHANGES = (
    f"{LOG} $batch, $training_sheet_id, p.row_index, $action, $actor, $now, p.version + 1, "
    f"{struct(STATE, _HERE)}, {struct(STATE, _FRESH)}, p.decided_batch, {_NEW['decided_batch']} {_REDONE} order by p.row_index"
)
_LOG_DETAILS = (
    f"{LOG_DETAILS} select $batch, p.row_index, "
    + ", ".join(
        f"case when {_ABOUT[kind]} then {struct(names, side)} end" for kind, names in DETAILS.items() for side in (_HERE, _FRESH)
    )
    + f", case when {_ABOUT['texts']} then {held('p.')} end, null {_REDONE} and ({' or '.join(_ABOUT.values())}) order by p.row_index"
)
_CHANGED_COLUMNS = (*_NEW, "prompt", "response", "source_index", "source_snapshot")
_CHANGE = (
    "update pair_rows as p set "
    + ", ".join(f"{name} = {sql}" for name, sql in ({n: _FRESH[n] for n in _CHANGED_COLUMNS} | outdated(_FRESH, "p.")).items())
    + ", version = p.version + 1, updated_at = $now from _redone n "
    "where p.training_sheet_id = $training_sheet_id and p.row_index = n.row_index"
)
_ADDED = "from pair_rows where training_sheet_id = $training_sheet_id and row_index >= $first order by row_index"
_LOG_ADDED = (
    f"{LOG} $batch, $training_sheet_id, row_index, $action, $actor, $now, version, {_ABSENT}, {struct(STATE)}, null, decided_batch "
    f"{_ADDED}"
)
_LOG_ADDED_DETAILS = (
    f"{LOG_DETAILS} select $batch, row_index, {', '.join(f'null, {struct(names)}' for names in DETAILS.values())}, null, null {_ADDED}"
)
