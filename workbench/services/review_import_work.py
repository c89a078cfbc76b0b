"""Bringing reviews in beyond the size of a call: a process of its own reads the records, the owner keeps what they tell."""

from __future__ import annotations

from dataclasses import asdict, fields
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from workbench.contract import current
from workbench.contract.codec import encode
from workbench.domain.jobs import Job
from workbench.engine import reviews
from workbench.services.answering import answered
from workbench.services.review_keeping import ReviewKeeping, Wish, checked_plan, found
from workbench.services.review_sources import ReviewSource

if TYPE_CHECKING:
    from workbench.services.application import Application

KIND = "import"
# What the spec of a job calls these: it tells an import of reviews from one of rows.
REVIEWS = "reviews"


class ReviewImportWork:
    """Give records to a job and keep what comes back; imports of rows are jobs of the same kind."""

    def __init__(self, app: Application) -> None:
        self.app = app
        self.db = app.db
        self.keeping = ReviewKeeping(app)

    def submit(self, wish: Wish, source: ReviewSource, asked: dict[str, Any], *, preview: bool) -> Job:
        """Queue the reading of records; `asked` tells the reader what to look for."""
        job_id = self.app.clock.new_id("job")
        with self.app.engine.giving(job_id) as folder:
            spec = {**asdict(wish), REVIEWS: asked, "preview": preview, "from": source.give(folder), "once": True}
            name = f"{'Look into' if preview else 'Bring in'} {wish.name or wish.title}"
            told = {"id": job_id, "created_by": current().actor}
            with self.db.write():
                return answered(self.app.jobs.shown(self.app.engine.submit(KIND, name=name, spec=spec, **told)))

    def prepare(self, job: Job, folder: Path) -> dict[str, Any]:
        """Say where the records are and what to look for in them."""
        return {"given": str(self.app.engine.given(job.id)), "from": job.spec["from"], REVIEWS: job.spec[REVIEWS]}

    def receive(self, job: Job, folder: Path, result: dict[str, Any]) -> dict[str, Any]:
        """Load rows and pairs to where nobody sees them yet."""
        wish, (reading, told) = _wish(job), reviews.told_by(folder, result)
        if job.spec["preview"]:
            checked_plan(reading, wish.prompt_template)
            return {}
        self.keeping.drop(wish)
        return {"hidden": self.keeping.load(wish, reading, told, partial(self.app.engine.ledger.receiving, job))}

    def finish(self, job: Job, folder: Path, result: dict[str, Any]) -> dict[str, Any]:
        """Publish what was loaded, with its decisions."""
        wish, (reading, told) = _wish(job), reviews.told_by(folder, result)
        if job.spec["preview"]:
            return encode(found(self.keeping.free_name(wish), reading))
        return encode(self.keeping.publish(wish, reading, told, result["hidden"]))

    def ended(self, job: Job) -> None:
        """Drop what was loaded: nobody will see it."""
        self.keeping.drop(_wish(job))


def _wish(job: Job) -> Wish:
    return Wish(**{one.name: job.spec[one.name] for one in fields(Wish)})
