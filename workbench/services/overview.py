"""Home: the loop as a funnel, what runs, what happened, what to do next."""

from __future__ import annotations

import datetime as dt
from typing import Any

from workbench.contract import query
from workbench.domain.improve import Activity, FunnelStep, Overview
from workbench.domain.wording import grouped
from workbench.services.service import Service

_STEPS = (
    ("rows", "Rows", "data"),
    ("pairs", "Pairs", "label"),
    ("reviewed", "Reviewed", "label"),
    ("eligible", "Eligible", "train"),
    ("jobs", "Training jobs", "train"),
    ("models", "Models", "models"),
    ("endpoints", "Live endpoints", "deploy"),
    ("requests", "Requests", "monitor"),
    ("feedback", "Feedback", "monitor"),
)
_COUNTS = """
with live_pairs as (
    select p.*, e.excluded_by from pair_rows p
    join training_sheets t on t.id = p.training_sheet_id and t.deleted_at is null
    join pair_eligibility e on e.training_sheet_id = p.training_sheet_id and e.row_index = p.row_index
)
select 'rows' as name, coalesce(sum(item_count), 0)::bigint as total,
    coalesce(sum(item_count) filter (where created_at > $since), 0)::bigint as recent
from sheets where deleted_at is null
union all
select 'pairs', count(*), count(*) filter (where created_at > $since) from live_pairs
union all
select 'reviewed', count(*) filter (where status in ('labeled', 'rejected')),
    count(*) filter (where status in ('labeled', 'rejected') and coalesce(labeled_at, updated_at) > $since) from live_pairs
union all
select 'eligible', count(*) filter (where excluded_by is null),
    count(*) filter (where excluded_by is null and coalesce(labeled_at, updated_at) > $since) from live_pairs
union all
select 'flagged', count(*) filter (where status = 'flagged'), 0 from live_pairs
union all
select 'to_review', count(*) filter (where status = 'unlabeled' or stale), 0 from live_pairs
union all
select 'jobs', count(*), count(*) filter (where created_at > $since) from jobs anti join trial_details using (id)
where kind = 'train'
union all
select 'failed_jobs', count(*), 0 from jobs anti join trial_details using (id) where status = 'failed' and completed_at > $since
union all
select 'models', count(*), count(*) filter (where created_at > $since) from models where status <> 'archived'
union all
select 'endpoints', count(*), count(*) filter (where created_at > $since) from endpoints where status = 'serving'
union all
select 'requests', count(*), count(*) filter (where logged_at > $since) from requests
union all
select 'feedback', count(*), count(*) filter (where created_at > $since) from feedback
union all
select 'corrections', count(*) filter (where corrected is not null and pair_id is null), 0 from feedback
union all
select 'sample', (count(*) filter (where sample))::bigint, 0 from sheets where deleted_at is null
"""
_MODELS = """
select id, name, version, status, last_tested_at from models
where status in ('development', 'staging') order by created_at desc, id limit 1
"""
_WAITING = """
select status, first(training_sheet_id order by number desc, training_sheet_id) as training_sheet_id from (
    select case p.status when 'flagged' then 'flagged' else 'to_review' end as status, training_sheet_id, count(*) as number
    from pair_rows p join training_sheets t on t.id = training_sheet_id and t.deleted_at is null and t.status = 'ready'
    where p.status in ('flagged', 'unlabeled') or p.stale group by all
) group by status
"""
_RUNNING = """
select id, kind, name, status, progress_percent, message from jobs anti join trial_details using (id)
where status in ('pending', 'queued', 'running') order by started_at desc nulls last, created_at desc, id limit 10
"""
_RECENT = """
select * from (
    select max(logged_at) as logged_at, actor, 'review' as what, action as verb, sum(row_count)::bigint as number,
        s.name as thing, training_sheet_id as id
    from batches join training_sheets s on s.id = training_sheet_id
    group by actor, action, s.name, training_sheet_id, date_trunc('hour', logged_at), row_count = 1
    union all
    select completed_at, created_by, 'job', status, null, name, id from jobs anti join trial_details using (id)
    where completed_at is not null
    union all
    select logged_at, actor, 'model', action, null, model_name || ' ' || model_version, model_version_id from stage_history
    where endpoint is null and action in ('register', 'promote', 'deploy', 'rollback', 'archive', 'restore')
    union all
    select created_at, created_by, 'sheet', 'import', item_count, name, id from sheets where deleted_at is null
    union all
    select created_at, created_by, 'training_sheet', 'assemble', total_rows, name, id from training_sheets where deleted_at is null
    union all
    select max(created_at), author, 'feedback', 'give', count(*), endpoint, endpoint from feedback
    group by author, endpoint, date_trunc('hour', created_at)
) order by logged_at desc nulls last, what desc, id desc, verb, actor, number limit 12
"""
_PAGES = {
    "review": ("label", "sheet"),
    "job": ("jobs", "job"),
    "model": ("models", "model"),
    "sheet": ("data", "sheet"),
    "training_sheet": ("label", "sheet"),
    "feedback": ("monitor", "endpoint"),
}
_VERBS = {
    "register": "registered",
    "promote": "promoted {thing} to staging",
    "deploy": "deployed {thing}",
    "rollback": "rolled back to {thing}",
    "archive": "archived {thing}",
    "restore": "restored {thing}",
}
_REVIEWED = {
    "approve": "approved",
    "reject": "rejected",
    "flag": "flagged",
    "edit": "edited",
    "reset": "reset",
    "rights": "changed the rights of",
    "vote": "voted on",
    "adjudicate": "adjudicated",
    "settle": "settled",
}
_TOPICS = (
    "sheets",
    "training_sheets",
    "review",
    "pairs",
    "jobs",
    "training",
    "models",
    "endpoints",
    "requests",
    "feedback",
)


class HomeService(Service):
    """Tell where the loop stands."""

    namespace = "home"

    @query("GET", "/home/overview", topics=_TOPICS)
    def overview(self) -> Overview:
        """Return the funnel with counts, changes and next actions, running jobs and what happened last."""
        now = self.clock.now()
        with self.db.read():
            counts = {r["name"]: r for r in self.db.rows(_COUNTS, {"since": now - dt.timedelta(days=1)})}
            model = self.db.row(_MODELS)
            waiting = {r["status"]: {"sheet": r["training_sheet_id"]} for r in self.db.rows(_WAITING)}
            running = self.db.rows(_RUNNING)
            recent = self.db.rows(_RECENT)
        totals = {name: row["total"] for name, row in counts.items()}
        actions = _next_actions(totals, model, waiting)
        return Overview(
            sentence=_sentence(totals, len(running)),
            empty=totals["rows"] == 0 and totals["models"] == 0,
            sample=totals["sample"] > 0,
            steps=[_step(name, label, page, counts[name], actions.get(name)) for name, label, page in _STEPS],
            running_jobs=running,
            recent=[_activity(row) for row in recent],
            as_of=now,
        )


def _step(name: str, label: str, page: str, row: dict[str, Any], action: tuple[str, str, dict[str, str]] | None) -> FunnelStep:
    words, next_page, next_query = action or (None, None, {})
    return FunnelStep(
        name=name,
        label=label,
        count=row["total"],
        change=row["recent"],
        page=page,
        next_action=words,
        next_page=next_page,
        next_query=next_query,
    )


def _next_actions(
    n: dict[str, int], model: dict[str, Any] | None, waiting: dict[str, dict[str, str]]
) -> dict[str, tuple[str, str, dict[str, str]]]:
    """Return the one thing to do next for each step that has one: words, page, state of the page."""
    found: dict[str, tuple[str, str, dict[str, str]]] = {}
    if n["rows"] == 0:
        found["rows"] = ("Import a table", "data", {"dialog": "import"})
    elif n["pairs"] == 0:
        found["pairs"] = ("Make a training sheet", "generate", {})
    if n["flagged"]:
        found["reviewed"] = (
            f"{_many(n['flagged'], 'flagged pair')} {_waits(n['flagged'])} for you",
            "label",
            {**waiting.get("flagged", {}), "status": "flagged"},
        )
    elif n["to_review"]:
        words = f"{_many(n['to_review'], 'pair')} {_waits(n['to_review'])} for review"
        found["reviewed"] = (words, "label", {**waiting.get("to_review", {}), "status": "to_review"})
    if n["eligible"] >= 10 and n["jobs"] == 0:
        found["eligible"] = (f"Train on {_many(n['eligible'], 'eligible pair')}", "train", {"dialog": "create"})
    if n["failed_jobs"]:
        found["jobs"] = (f"{_many(n['failed_jobs'], 'failed job')} to look at", "jobs", {"status": "failed"})
    if model:
        verb = "Test" if model["last_tested_at"] is None else "Promote" if model["status"] == "development" else "Deploy"
        found["models"] = (f"{verb} {model['name']} {model['version']}", "models", {"model": model["id"]})
    if n["endpoints"] and not n["requests"]:
        found["requests"] = ("Send a first request", "deploy", {})
    if n["corrections"]:
        words = f"{_many(n['corrections'], 'correction')} can go back to review"
        found["feedback"] = (words, "monitor", {"tab": "feedback", "converted": "false"})
    return found


def _sentence(n: dict[str, int], running: int) -> str:
    if n["rows"] == 0 and n["models"] == 0:
        return "Nothing here yet: import a table, or make the sample workspace."
    parts = [
        f"{grouped(n['eligible'])} of {_many(n['pairs'], 'pair')} may be trained on",
        f"{_many(n['endpoints'], 'endpoint')} live",
    ]
    if running:
        parts.append(f"{_many(running, 'job')} under way")
    return ", ".join(parts) + "."


def _activity(row: dict[str, Any]) -> Activity:
    page, key = _PAGES[row["what"]]
    query = {key: row["id"]}
    return Activity(logged_at=row["logged_at"], actor=row["actor"] or "", text=_words(row), page=page, query=query)


def _words(row: dict[str, Any]) -> str:
    thing, number, verb = row["thing"], row["number"], row["verb"]
    if row["what"] == "review":
        return f"{_REVIEWED.get(verb, verb)} {_many(number, 'pair')} of {thing}"
    if row["what"] == "job":
        return f"{thing} {verb}"
    if row["what"] == "model":
        words = _VERBS[verb]
        return words.format(thing=thing) if "{" in words else f"{words} {thing}"
    if row["what"] == "sheet":
        return f"imported {thing}, {_many(number, 'row')}"
    if row["what"] == "training_sheet":
        return f"made the training sheet {thing}, {_many(number, 'pair')}"
    return f"judged {_many(number, 'answer')} of {thing}"


def _many(count: int, noun: str) -> str:
    return f"{grouped(count)} {noun}{'' if count == 1 else 's'}"


def _waits(count: int) -> str:
    return "waits" if count == 1 else "wait"
