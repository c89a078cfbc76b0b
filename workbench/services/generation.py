"""Answers written by a provider: what it would take, asked for in a job, and what came of each pair."""

from __future__ import annotations

from typing import Annotated, Literal

from workbench.contract import Field, Page, PageNumber, PageSize, command, query
from workbench.domain.generate import TrainingSheet
from workbench.domain.jobs import Job
from workbench.domain.providers import GeneratedAnswer, GenerationEstimate
from workbench.errors import NotEligible, NotFound, ValidationError
from workbench.services import generation_turn
from workbench.services.generation_plan import Wish, ask_of, counted, estimated, ranges
from workbench.services.jobs import TimeLimit
from workbench.services.providers import Target
from workbench.services.service import Service
from workbench.store.tables import Records

MAKERS = frozenset({"admin", "data_steward", "trainer"})
SHOWN = 10

ProviderName = Annotated[str, Field(max_length=100, description="What writes the answers; `simulated` makes them up.")]
ModelName = Annotated[str | None, Field(max_length=200, description="Model; none: the template's, else the provider's.")]
RowIndices = Annotated[list[int] | None, Field(description="Only these pairs.")]
FailedIn = Annotated[str | None, Field(description="Only the pairs that this earlier job asked about in vain.")]
Overwrite = Annotated[bool, Field(description="Answer again what has an answer.")]
Force = Annotated[bool, Field(description="Even what people wrote or decided on, and canonical labels.")]


class Generating(Service):
    """Let providers answer the pairs of training sheets."""

    answers_kept: Records[GeneratedAnswer]

    @command("POST", "/assemblies/{training_sheet_id}/generate", roles=MAKERS, status=202, label="Generate answers")
    def generate(
        self,
        training_sheet_id: str,
        provider: ProviderName,
        *,
        model: ModelName = None,
        row_indices: RowIndices = None,
        failed_in: FailedIn = None,
        overwrite_existing: Overwrite = False,
        force: Force = False,
        timeout_seconds: TimeLimit = None,
    ) -> Job:
        """Let a provider answer the pairs without a response, in a job; the answers wait for review.

        A stopped job keeps its answers. One that failed or was cancelled changes no pair, but its answers are
        remembered: a retry asks only about the rest. Refused while another one of the same training sheet has not ended.
        """
        found, target, wish = self._wished(training_sheet_id, provider, model, row_indices, failed_in, overwrite_existing, force)
        generation_turn.refuse_second(self.db, found.id)
        rows = counted(self.db, found.id, wish)
        if not rows:
            raise NotEligible(_nothing(found, wish), excluded={"answered": found.total_rows})
        spec = {
            "training_sheet_id": found.id,
            "provider": target.config.name,
            "model": target.model,
            "rows": wish.values(),
            "ask": ask_of(self.db, found, target),
        }
        name = f"Answers for {found.name}"
        more = {"created_by": self.actor, "sample": found.sample, "timeout_seconds": timeout_seconds}
        job = self.app.engine.submit("generate", name=name, spec=spec, **more)
        return self.app.jobs.shown(job)

    @query("POST", "/assemblies/{training_sheet_id}/estimate", topics=("training_sheets", "pairs", "providers", "jobs"))
    def estimate(
        self,
        training_sheet_id: str,
        provider: ProviderName,
        *,
        model: ModelName = None,
        row_indices: RowIndices = None,
        failed_in: FailedIn = None,
        overwrite_existing: Overwrite = False,
        force: Force = False,
    ) -> GenerationEstimate:
        """Tell what a generation would ask, read, write and cost; nothing is asked."""
        found, target, wish = self._wished(training_sheet_id, provider, model, row_indices, failed_in, overwrite_existing, force)
        expected, start = estimated(self.db, found, target, wish), generation_turn.start(self.db, found.id)
        if start.enabled and not expected.rows:
            start = start.with_(enabled=False, reason=_nothing(found, wish))
        return expected.with_(actions=[start])

    @query("GET", "/assemblies/{training_sheet_id}/answers", key="answers", topics=("training_sheets", "pairs", "jobs"))
    def answers(
        self,
        training_sheet_id: str,
        *,
        job_id: Annotated[str | None, Field(description="Only what this job asked.")] = None,
        outcome: Annotated[Literal["good", "flagged", "failed"] | None, Field(description="Only answers of this sort.")] = None,
        page: PageNumber = 1,
        page_size: PageSize = 50,
    ) -> Page[GeneratedAnswer]:
        """List what providers said about pairs, with tokens, cost and faults; the newest job first."""
        self.live(training_sheet_id)  # type: ignore[attr-defined]
        where, params = ["training_sheet_id = ?"], [training_sheet_id]
        for column, value in (("job_id", job_id), ("outcome", outcome)):
            if value is not None:
                where.append(f"{column} = ?")
                params.append(value)
        order = "(select created_at from jobs where jobs.id = job_id) desc, job_id, row_index"
        return self.answers_kept.page(" and ".join(where), params, order=order, page=page, page_size=page_size)

    @query("GET", "/assemblies/{training_sheet_id}/generations", key="jobs", topics=("jobs",))
    def generations(self, training_sheet_id: str, *, page: PageNumber = 1, page_size: PageSize = 50) -> Page[Job]:
        """List the jobs that asked providers about a training sheet, the newest first."""
        self.live(training_sheet_id)  # type: ignore[attr-defined]
        where = "kind = 'generate' and spec ->> 'training_sheet_id' = ?"
        order = "created_at desc, id desc"
        found = self.app.jobs.records.page(where, [training_sheet_id], order=order, page=page, page_size=page_size)
        found.rows = self.app.jobs.presented(found.rows)
        return found

    def _wished(
        self,
        training_sheet_id: str,
        provider: str,
        model: str | None,
        row_indices: list[int] | None,
        failed_in: str | None,
        overwrite: bool,
        force: bool,
    ) -> tuple[TrainingSheet, Target, Wish]:
        found: TrainingSheet = self.ready(training_sheet_id)  # type: ignore[attr-defined]
        target = self.app.providers.target(provider, model, found.template.model if found.template else None)
        if row_indices is not None:
            _refuse_unknown(found, row_indices)
        if failed_in is not None:
            self._refuse_other_job(found, failed_in)
        kept = None if row_indices is None else ranges(row_indices)
        return found, target, Wish(rows=kept, failed_in=failed_in, overwrite=overwrite, force=force)

    def _refuse_other_job(self, found: TrainingSheet, job_id: str) -> None:
        job = self.app.jobs.records.find(id=job_id)
        if job is None or job.kind != "generate" or job.spec.get("training_sheet_id") != found.id:
            raise NotFound(f"No generation job {job_id!r} of {found.name}.", kind="job", id=job_id)


def _refuse_unknown(found: TrainingSheet, row_indices: list[int]) -> None:
    unknown = sorted({row for row in row_indices if not 0 <= row < found.total_rows})
    if unknown:
        shown = ", ".join(map(str, unknown[:SHOWN])) + (f" and {len(unknown) - SHOWN} more" if len(unknown) > SHOWN else "")
        rows = f"{found.name} has the rows 0 to {found.total_rows - 1}" if found.total_rows else f"{found.name} has no rows"
        raise ValidationError.field("row_indices", f"name no pair: {shown}; {rows}", unknown[:SHOWN])
    if not row_indices:
        raise ValidationError.field("row_indices", "is empty; name rows, or leave it out to take every pair without an answer")


def _nothing(found: TrainingSheet, wish: Wish) -> str:
    if wish.failed_in is not None:
        return "No pair that failed in that job is without an answer any more."
    if wish.overwrite and not wish.force:
        return "There is no pair to answer: what people wrote or decided on is left alone. Wish for that too (force)."
    return f"There is no pair without an answer in {found.name}. Wish for answered ones to be asked about again (overwrite_existing)."
