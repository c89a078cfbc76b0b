"""A generation job seen from its owner: prompts handed out, answers kept and taken over as one step to undo."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from workbench.domain.generate import TrainingSheet
from workbench.domain.jobs import Job
from workbench.engine.generation import ANSWERS, PROMPTS
from workbench.services import canonical, decisions, votes
from workbench.services.generation_plan import Wish, candidates
from workbench.services.tag_limits import barred_by
from workbench.store.scratch import streamed, text_literal

if TYPE_CHECKING:
    from workbench.services.application import Application

ENTRY = "workbench.engine.generation:generate"
WANTED = "wanted.parquet"
BATCH_ROWS = 20_000
SHOWN_ERRORS = 100
# Answers of an earlier attempt of the same job are there already, with what they cost.
_DOUBLES = """
delete from generated_answers where job_id = ? and origin = 'earlier' and row_index in (
    select row_index from generated_answers where job_id = ? and origin <> 'earlier')
"""
_FAILED = "job_id = ? and outcome = 'failed'"
_SPENT = (
    "coalesce(sum(tokens_in), 0)::bigint as tokens_in, coalesce(sum(tokens_out), 0)::bigint as tokens_out, "
    "case when count(*) filter (outcome <> 'failed' and cost is null) = 0 then coalesce(sum(cost), 0) end as cost"
)
# What failed in an earlier attempt was paid for as well: the answer that came later bears it.
_BEAR = """
update generated_answers g set tries = g.tries + f.tries,
    tokens_in = list_sum([g.tokens_in, f.tokens_in]), tokens_out = list_sum([g.tokens_out, f.tokens_out]),
    cost = case when g.outcome = 'failed' or g.cost is not null then list_sum([g.cost, f.cost]) end
from _failed f where g.job_id = ? and g.row_index = f.row_index
"""
_NOT_ASKED_AGAIN = """
insert into generated_answers select * from _failed
where row_index not in (select row_index from generated_answers where job_id = ?)
"""
TARGET = "training_sheet_id = $training_sheet_id and row_index in (select row_index from _answers)"
LINE = {
    "row_index": "BIGINT",
    "response": "VARCHAR",
    "fault": "VARCHAR",
    "confidence": "DOUBLE",
    "finish_reason": "VARCHAR",
    "tokens_in": "BIGINT",
    "tokens_out": "BIGINT",
    "cost": "DOUBLE",
    "tries": "BIGINT",
    "seconds": "DOUBLE",
}


class GenerationWork:
    """Hand prompts to a generation job and take over its answers."""

    def __init__(self, app: Application) -> None:
        self.app = app
        self.db = app.db

    def register(self) -> None:
        """Tell the engine how the jobs run."""
        told = {"prepare": self.prepare, "finish": self.finish, "ended": self.ended, "again": self.ended}
        self.app.engine.register("generate", entry=ENTRY, **told)

    def prepare(self, job: Job, folder: Path) -> dict[str, Any]:
        """Write the prompts as they are now, with the versions of their pairs, and leave out what is known."""
        made = self.app.training_sheets.ready(job.spec["training_sheet_id"])
        ask = job.spec["ask"]
        target = self.app.providers.target(job.spec["provider"], job.spec["model"])
        sql, params = candidates(made, Wish(**job.spec["rows"]), target, ask, self._earlier(job))
        total, wanted = self._hand_out(sql, params, folder)
        config = target.config
        return {
            "access": target.access.__dict__,
            "package": str(target.package) if target.package else None,
            "request": ask,
            "requests_per_minute": config.requests_per_minute,
            "pace": str(self.app.engine.artifacts / "pace" / config.name),
            "concurrency": config.concurrency,
            "price_in": config.price_in,
            "price_out": config.price_out,
            "total": total,
            "known": wanted - total,
            "spent": self.db.rows(f"select {_SPENT} from generated_answers where job_id = ?", [job.id])[0],
        }

    def _earlier(self, job: Job) -> list[str]:
        """Return the jobs that this one tries again, those that they tried again, and itself after a first attempt."""
        sql = (
            "with recursive chain as (select ?::varchar as id union "
            "select parent_id from jobs join chain using (id) where parent_id is not null) select id from chain where id <> ? or ?"
        )
        return [row[0] for row in self.db.tuples(sql, [job.id, job.id, job.attempt > 1])]

    def _hand_out(self, sql: str, params: list[Any], folder: Path) -> tuple[int, int]:
        """Write all pairs wished for and the prompts to ask about; return how many there are of each."""
        total = wanted = 0
        ordered = f"select * from ({sql}) order by row_index"
        with self.db.stream(ordered, params, batch_rows=BATCH_ROWS) as reader:
            kept = pa.schema([field for field in reader.schema if field.name not in ("prompt", "item_ref")])
            asked = pa.schema([reader.schema.field(name) for name in ("row_index", "item_ref", "prompt")])
            with pq.ParquetWriter(folder / WANTED, kept) as all_pairs, pq.ParquetWriter(folder / PROMPTS, asked) as prompts:
                for batch in reader:
                    table = pa.Table.from_batches([batch])
                    open_ = pc.and_(pc.is_null(table["origin"]), pc.equal(table["row_index"], table["asked_row"]))
                    to_ask = table.filter(open_).select(asked.names)
                    all_pairs.write_table(table.select(kept.names))
                    prompts.write_table(to_ask)
                    total += to_ask.num_rows
                    wanted += table.num_rows
        return total, wanted

    def finish(self, job: Job, folder: Path, result: dict[str, Any]) -> dict[str, Any]:
        """Keep every answer, and take it over where the pair is still as it was asked about."""
        made = self.app.training_sheets.live(job.spec["training_sheet_id"])
        self._keep(job, folder, simulated=bool(result["simulated"]), all_pairs=True)
        told = self._told(job)
        taken, batch_id = self._take_over(job, made, folder)
        answered = told["generated_count"]
        return {
            **told,
            "simulated": bool(result["simulated"]),
            "training_sheet_id": made.id,
            "provider": job.spec["provider"],
            "model": job.spec["model"],
            "taken_over": taken,
            "changed_since": answered - taken,
            "batch_id": batch_id,
        }

    def ended(self, job: Job) -> None:
        """Remember the answers of an attempt that came to nothing: they were paid for. No pair changes."""
        folder = self.app.engine.folder(job.id, job.attempt)
        if (folder / ANSWERS).exists() and (folder / WANTED).exists():
            self._keep(job, folder, simulated=job.spec["provider"] == "simulated", all_pairs=False)

    def _keep(self, job: Job, folder: Path, *, simulated: bool, all_pairs: bool) -> None:
        facts = {
            "job_id": text_literal(job.id),
            "training_sheet_id": text_literal(job.spec["training_sheet_id"]),
            "provider": text_literal(job.spec["provider"]),
            "model": text_literal(job.spec["model"]) if job.spec["model"] else "null::varchar",
            "simulated": str(simulated).lower(),
            "reusable": str(job.spec["ask"]["temperature"] == 0).lower(),
        }
        if job.attempt > 1:
            self.db.execute(f"create or replace temp table _failed as select * from generated_answers where {_FAILED}", [job.id])
            self.db.execute(f"delete from generated_answers where {_FAILED}", [job.id])
        self.db.insert_arrow("generated_answers", streamed(_kept_sql(folder, facts, all_pairs=all_pairs)))
        if job.attempt > 1:
            self.db.execute(_DOUBLES, [job.id, job.id])
            self.db.execute(_BEAR, [job.id])
            self.db.execute(_NOT_ASKED_AGAIN, [job.id])

    def _told(self, job: Job) -> dict[str, Any]:
        """Return counts, sums and the first failures of a job."""
        found = self.db.rows(
            "select count(*) filter (outcome <> 'failed') as generated_count, count(*) filter (outcome = 'failed') as failed_count, "
            "count(*) filter (outcome = 'flagged') as flagged_count, count(*) filter (origin = 'cache') as cached_count, "
            "count(*) filter (origin = 'earlier') as resumed_count, coalesce(sum(tries), 0)::bigint as requests, "
            f"{_SPENT} from generated_answers where job_id = ?",
            [job.id],
        )[0]
        errors = self.db.rows(
            "select row_index, fault as error from generated_answers where job_id = ? and outcome = 'failed' "
            f"order by row_index limit {SHOWN_ERRORS}",
            [job.id],
        )
        return {**found, "errors": errors}

    def _take_over(self, job: Job, made: TrainingSheet, folder: Path) -> tuple[int, str | None]:
        db = self.db
        db.execute("create or replace temp table _asked (row_index bigint, version bigint)")
        db.insert_arrow("_asked", streamed(f"select row_index, version from read_parquet({text_literal(str(folder / WANTED))})"))
        db.execute(
            "create or replace temp table _answers as select g.row_index, g.response, g.fault, g.confidence, g.simulated "
            "from generated_answers g join _asked using (row_index) "
            "join pair_rows p on p.training_sheet_id = g.training_sheet_id and p.row_index = g.row_index and p.version = _asked.version "
            "where g.job_id = ? and g.outcome <> 'failed'",
            [job.id],
        )
        taken = db.value("select count(*) from _answers")
        if not taken:
            return 0, None
        batch_id = self.app.clock.new_id("batch")
        label_type = made.template.label_type if made.template else "response"
        barred = barred_by(self.app.sheets.records.get(made.sheet_id))
        scope = decisions.Scope(made.id, made.sheet_id, label_type, job.created_by, self.app.clock.now(), barred)
        number = decisions.apply(db, scope, _CHANGE, TARGET, {}, batch_id=batch_id, rows=taken)
        canonical.follow_batch(db, scope, number)
        self._end_votes(scope, made, number)
        db.emit("pairs", made.id, None, "bulk")
        return taken, batch_id

    def _end_votes(self, scope: decisions.Scope, made: TrainingSheet, batch: int) -> None:
        """End the votes on pairs that have another answer now: they were cast on the one before."""
        if votes.exist(self.db, made.id):
            rows = "select row_index from _answers"
            votes.end(self.db, scope, batch, rows)
            votes.recount(self.db, made.id, made.overlap, rows)


def _of(column: str) -> str:
    return f"(select a.{column} from _answers a where a.row_index = pair_rows.row_index)"


_CHANGE = decisions.Change(
    "generate",
    {
        "response": _of("response"),
        "original_response": "null",
        "response_source": "'ai_generated'",
        "confidence": _of("confidence"),
        "simulated": _of("simulated"),
        "status": f"case when {_of('fault')} is null then 'unlabeled' else 'flagged' end",
        "flag_reason": _of("fault"),
        # Nobody has judged what was just written.
        "decided_batch": "null",
        "stale": "false",
        "labeled_by": "null",
        "labeled_at": "null",
        "verified_by": "null",
        "verified_at": "null",
    },
)


def _kept_sql(folder: Path, facts: dict[str, str], *, all_pairs: bool) -> str:
    """Return SQL for the rows to keep: every pair with its answer, or only those that were asked about and answered."""
    columns = ", ".join(f"{name}: '{kind}'" for name, kind in LINE.items())
    said = f"read_json({text_literal(str(folder / ANSWERS))}, format = 'newline_delimited', ignore_errors = true, columns = {{{columns}}})"
    asked = "w.origin is null and w.row_index = w.asked_row"
    which = "w.origin is not null or s.row_index is not null" if all_pairs else f"{asked} and s.row_index is not null"
    spent = ", ".join(f"case when {asked} then s.{name} else 0 end as {name}" for name in ("tokens_in", "tokens_out", "cost"))
    told = ", ".join(f"{sql} as {name}" for name, sql in facts.items() if name != "reusable")
    return f"""
        select {told}, w.row_index, w.key,
            coalesce(w.origin, case when w.row_index = w.asked_row then 'asked' else 'cache' end) as origin,
            coalesce(w.response, s.response) as response,
            case when w.origin is null then s.fault else w.fault end as fault,
            case when coalesce(w.response, s.response) is null then 'failed'
                when (case when w.origin is null then s.fault else w.fault end) is not null then 'flagged' else 'good' end as outcome,
            coalesce(w.confidence, s.confidence) as confidence,
            coalesce(w.finish_reason, s.finish_reason) as finish_reason, {spent},
            case when {asked} then coalesce(s.tries, 0) else 0 end as tries,
            {facts["reusable"]} and coalesce(w.response, s.response) is not null
                and (case when w.origin is null then s.fault else w.fault end) is null as reusable,
            make_timestamp(cast(coalesce(s.seconds, epoch(now())) * 1000000 as bigint)) as logged_at
        from read_parquet({text_literal(str(folder / WANTED))}) w
        left join {said} s on s.row_index = w.asked_row and w.origin is null
        where {which} order by w.row_index
    """
