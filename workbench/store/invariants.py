"""What must always hold between the tables, in SQL: a query finds the offenders, none means sound."""

from __future__ import annotations

from dataclasses import dataclass

_SHOWN = 5
_RESTORE = "Restore the newest backup and repeat what was done since."


@dataclass(frozen=True, slots=True)
class Check:
    """Hold one invariant: `sql` returns a sentence per offender; it is skipped while one of `tables` is missing."""

    name: str
    tables: tuple[str, ...]
    sql: str
    remedy: str = _RESTORE


def reference(table: str, column: str, target: str, key: str = "id") -> Check:
    """Return the check that a column only names rows that exist."""
    sql = f"""
        select '{table} has ' || count(*) || ' rows whose {column} ' || child.{column} || ' is not in {target}'
        from {table} child anti join {target} parent on child.{column} = parent.{key}
        where child.{column} is not null group by child.{column} order by child.{column} limit {_SHOWN}
    """
    return Check("references", (table, target), sql)


REFERENCES: tuple[tuple[str, ...], ...] = (
    ("training_sheets", "sheet_id", "sheets"),
    ("pair_rows", "training_sheet_id", "training_sheets"),
    ("pair_rows", "decided_batch", "batches", "number"),
    ("batches", "training_sheet_id", "training_sheets"),
    ("decision_log", "training_sheet_id", "training_sheets"),
    ("decision_log", "batch", "batches", "number"),
    ("decision_details", "batch", "batches", "number"),
    ("votes", "training_sheet_id", "training_sheets"),
    ("votes", "batch", "batches", "number"),
    ("gold", "training_sheet_id", "training_sheets"),
    ("bookmarks", "training_sheet_id", "training_sheets"),
    ("job_events", "job_id", "jobs"),
    ("metrics", "job_id", "jobs"),
    ("job_pairs", "job_id", "jobs"),
    ("generated_answers", "job_id", "jobs"),
    ("generated_answers", "training_sheet_id", "training_sheets"),
    ("training_details", "id", "jobs"),
    ("study_details", "id", "jobs"),
    ("trial_details", "id", "training_details"),
    ("trial_details", "study_id", "study_details"),
    ("stage_history", "model_version_id", "models"),
    ("test_runs", "model_version_id", "models"),
    ("endpoints", "model_version_id", "models"),
)

CHECKS: tuple[Check, ...] = (
    Check(
        "pairs",
        ("training_sheets", "pair_rows"),
        f"""
        select 'training sheet ' || s.id || ' says ' || s.total_rows || ' pairs and has ' || count(p.row_index)
        from training_sheets s left join pair_rows p on p.training_sheet_id = s.id
        where s.status = 'ready' and s.deleted_at is null
        group by s.id, s.total_rows having count(p.row_index) <> s.total_rows order by s.id limit {_SHOWN}
        """,
    ),
    Check(
        "pairs",
        ("pair_rows",),
        f"""
        select 'training sheet ' || training_sheet_id || ' numbers its pairs with gaps or twice'
        from pair_rows group by training_sheet_id
        having count(distinct row_index) <> count(*) or max(row_index) <> count(*) - 1 or min(row_index) <> 0
        order by training_sheet_id limit {_SHOWN}
        """,
    ),
    Check(
        "pairs",
        ("pair_rows",),
        f"""
        select 'pair ' || training_sheet_id || '.' || row_index || ' is unlabeled and has the verdict of batch ' || decided_batch
        from pair_rows where status = 'unlabeled' and decided_batch is not null order by 1 limit {_SHOWN}
        """,
    ),
    Check(
        "decisions",
        ("batches", "decision_log"),
        f"""
        select 'batch ' || b.id || ' says ' || b.row_count || ' decisions and has ' || count(d.id)
        from batches b left join decision_log d on d.batch = b.number
        group by b.id, b.row_count having count(d.id) <> b.row_count order by b.id limit {_SHOWN}
        """,
    ),
    Check(
        "decisions",
        ("decision_log",),
        f"""
        select 'batch ' || batch || ' decides ' || count(*) || ' times on pair ' || row_index || ' of ' || min(training_sheet_id)
        from decision_log group by batch, row_index having count(*) > 1 order by batch, row_index limit {_SHOWN}
        """,
    ),
    Check(
        "decisions",
        ("decision_log", "decision_details"),
        f"""
        select 'batch ' || t.batch || ' has details of pair ' || t.row_index || ' and no decision on it'
        from decision_details t anti join decision_log d on d.batch = t.batch and d.row_index = t.row_index
        order by t.batch, t.row_index limit {_SHOWN}
        """,
    ),
    Check(
        "votes",
        ("pair_rows", "votes"),
        f"""
        select 'pair ' || p.training_sheet_id || '.' || p.row_index || ' counts ' || p.votes || ' votes and has ' || coalesce(t.votes, 0)
        from pair_rows p left join vote_tally t on t.training_sheet_id = p.training_sheet_id and t.row_index = p.row_index
        where p.votes <> coalesce(t.votes, 0) or p.dissent <> coalesce(t.dissent, 0) order by 1 limit {_SHOWN}
        """,
    ),
    Check(
        "votes",
        ("pair_rows",),
        f"""
        select 'pair ' || training_sheet_id || '.' || row_index || ' is disputed and ' || status
        from pair_rows where disputed and status <> 'unlabeled' and not stale order by 1 limit {_SHOWN}
        """,
        "Reset it with the role admin or data_steward; that ends its votes.",
    ),
    Check(
        "jobs",
        ("jobs",),
        f"""
        select 'job ' || id || ' is ' || status || ' without a time of completion'
        from jobs where status in ('succeeded', 'failed', 'cancelled') and completed_at is null
        order by id limit {_SHOWN}
        """,
    ),
    Check(
        "jobs",
        ("jobs", "job_events"),
        f"""
        select 'job ' || j.id || ' counts ' || j.event_seq || ' events and has ' || count(e.seq)
        from jobs j left join job_events e on e.job_id = j.id
        group by j.id, j.event_seq having count(e.seq) <> j.event_seq or coalesce(max(e.seq), 0) <> j.event_seq
        order by j.id limit {_SHOWN}
        """,
    ),
    Check(
        "models",
        ("models",),
        f"""
        select count(*) || ' versions of model ' || name || ' are in production at once'
        from models where status = 'production' group by name having count(*) > 1 order by name limit {_SHOWN}
        """,
        "Demote all but one of them.",
    ),
)
