"""Re-assembly: what a changed sheet or template means for the pairs, counted first, then done as one step."""

from __future__ import annotations

import datetime as dt
import threading
from collections import OrderedDict
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from workbench.contract import Field, Page, PageNumber, PageSize, command, query
from workbench.domain.generate import PromptPlan, ReassembledPair, Reassembly, TemplateSnapshot, TrainingSheet
from workbench.domain.wording import grouped
from workbench.errors import Conflict, NotFound, ValidationError
from workbench.services import reassembled, reassembling, templating
from workbench.services.decisions import Scope
from workbench.services.rendering import check_template, require_valid
from workbench.services.service import Service
from workbench.services.sheet_rows import row_condition
from workbench.services.tag_limits import barred_by
from workbench.services.templates import Plan, TemplateId
from workbench.store.conditions import explained_condition

REASSEMBLERS = frozenset({"admin", "data_steward", "trainer"})
PREVIEW_MINUTES = 15
KEPT_PREVIEWS = 20
PreviewOnly = Annotated[bool, Field(description="Only say what would change, and freeze the set.")]
PreviewId = Annotated[str | None, Field(description="Frozen set of a preview, in place of a template.")]
InWay = Annotated[
    Literal["prompt_changed", "response_changed", "source_changed", "stale", "rerendered", "removed", "added"] | None,
    Field(description="Only pairs that change in this way, as they are counted; none: all."),
]


@dataclass(frozen=True)
class Frozen:
    """Keep what a preview counted: the template, the state of the sheet and the versions of the pairs."""

    training_sheet_id: str
    plan: TemplateSnapshot
    before: str | None
    sheet_version: int
    pairs: reassembled.Found
    expires_at: dt.datetime


class Reassembling(Service):
    """Hold the re-assembly of training sheets."""

    def __init__(self, app: Any) -> None:
        super().__init__(app)
        self._frozen: OrderedDict[str, Frozen] = OrderedDict()
        self._guard = threading.Lock()

    def ready(self, training_sheet_id: str) -> TrainingSheet:
        """Return a training sheet whose pairs are all there."""
        raise NotImplementedError

    @command(
        "POST",
        "/assemblies/{training_sheet_id}/reassemble",
        roles=REASSEMBLERS,
        transaction=False,
        label="Re-assemble",
    )
    def reassemble(
        self,
        training_sheet_id: str,
        *,
        template_id: TemplateId = None,
        template: Plan = None,
        preview: PreviewOnly = False,
        preview_id: PreviewId = None,
    ) -> Reassembly:
        """Render the pairs anew after their sheet changed, or through another template; a preview freezes the set first.

        Approvals whose prompt changed become stale and return to the queue; all others stand. One step that can be undone.
        """
        _refuse_mixed(template_id, template, preview, preview_id)
        if preview:
            return self._preview(training_sheet_id, template_id, template)
        with self.db.write() as tx:
            frozen = self._found(preview_id, training_sheet_id) if preview_id else None
            rendering = self._rendering(training_sheet_id, template_id, template, frozen)
            if frozen is not None:
                self._refuse_moved(frozen, rendering)
            with explained_condition(rendering.made.filter, field="filter"):
                counts = reassembling.find(tx, rendering)
            left = self._narrow(tx, frozen)
            return self._commit(rendering, counts, left)

    @query("GET", "/assemblies/{training_sheet_id}/reassemblies/{preview_id}", key="pairs", topics=())
    def reassembled_pairs(
        self,
        training_sheet_id: str,
        preview_id: str,
        *,
        only: InWay = None,
        page: PageNumber = 1,
        page_size: PageSize = 50,
    ) -> Page[ReassembledPair]:
        """List the pairs that a previewed re-assembly would change, in their order, with the words that change."""
        frozen = self._found(preview_id, training_sheet_id)
        with self.db.read():
            rendering = self._rendering(training_sheet_id, None, None, frozen)
            self._refuse_moved(frozen, rendering)
            found = frozen.pairs.narrowed(only)
            with explained_condition(rendering.made.filter, field="filter"):
                shown = reassembled.shown(self.db, rendering, found.part((page - 1) * page_size, page_size))
        return Page(ReassembledPair, shown, total=found.total, page=page, page_size=page_size)

    def _rendering(
        self, training_sheet_id: str, template_id: str | None, template: Any, frozen: Frozen | None
    ) -> reassembling.Rendering:
        made = self.ready(training_sheet_id)
        sheet = self.app.sheets.live(made.sheet_id)
        if frozen is not None:
            plan = frozen.plan
        elif template_id or template is not None:
            plan = self.app.templates.chosen(template, template_id)
        else:
            plan = made.template
        if plan is None:
            raise ValidationError.field("template_id", "is missing; this training sheet has no template of its own")
        require_valid(check_template(plan, sheet))
        return reassembling.Rendering(made, sheet, plan, row_condition(sheet, made.filter, field="filter"))

    def _preview(self, training_sheet_id: str, template_id: str | None, template: Any) -> Reassembly:
        rendering = self._rendering(training_sheet_id, template_id, template, None)
        made, preview_id = rendering.made, self.clock.new_id("preview")
        # On a cursor of its own, so that nobody waits for a count.
        with self.db.load() as tx, explained_condition(made.filter, field="filter"):
            counts = reassembling.find(tx, rendering)
            pairs = reassembled.keep(tx)
            picked = [ReassembledPair(**reassembled.told_of(row)) for row in reassembling.sample(tx, preview_id)]
            reassembling.forget(tx)
        expires_at = self.clock.now() + dt.timedelta(minutes=PREVIEW_MINUTES)
        frozen = Frozen(made.id, rendering.plan, templating.stored(made.template), rendering.sheet.version, pairs, expires_at)
        with self._guard:
            self._frozen[preview_id] = frozen
            while len(self._frozen) > KEPT_PREVIEWS:
                self._frozen.popitem(last=False)
        told = _told(rendering, counts)
        return Reassembly(
            **counts,
            **told,
            preview_id=preview_id,
            expires_at=expires_at,
            sample=picked,
            summary=_summary(counts, told, "would "),
        )

    def _found(self, preview_id: str, training_sheet_id: str) -> Frozen:
        with self._guard:
            found = self._frozen.get(preview_id)
        if found is None or found.training_sheet_id != training_sheet_id or found.expires_at <= self.clock.now():
            raise NotFound(f"The preview {preview_id!r} has expired. Make a new one.", kind="preview", id=preview_id)
        return found

    def _refuse_moved(self, frozen: Frozen, rendering: reassembling.Rendering) -> None:
        if frozen.sheet_version != rendering.sheet.version or frozen.before != templating.stored(rendering.made.template):
            raise Conflict(
                "The sheet or the template changed after this preview. Make a new one.",
                yours=frozen.sheet_version,
                current_version=rendering.sheet.version,
            )

    def _narrow(self, tx: Any, frozen: Frozen | None) -> int:
        if frozen is None:
            return 0
        tx.execute("create or replace temp table _frozen (row_index bigint, version bigint)")
        tx.insert_arrow("_frozen", frozen.pairs.changed.select(["row_index", "version"]))
        return reassembling.leave_unfrozen(tx)

    def _commit(self, rendering: reassembling.Rendering, counts: dict[str, int], left: int) -> Reassembly:
        told = _told(rendering, counts)
        if left:
            counts = counts | reassembling.recount(self.db)
        skipped = {"changed_since": left} if left else {}
        if not counts["changed"] and not counts["added"] and not told["template_changes"]:
            return Reassembly(**counts, **told, skipped=skipped, summary="Every pair is up to date.")
        made, batch_id = rendering.made, self.clock.new_id("batch")
        label_type = rendering.plan.label_type
        scope = Scope(made.id, made.sheet_id, label_type, self.actor, self.clock.now(), barred_by(rendering.sheet))
        reassembling.commit(self.db, scope, rendering, batch_id=batch_id)
        self.db.emit("pairs", made.id, None, "bulk")
        return Reassembly(**counts, **told, skipped=skipped, batch_id=batch_id, summary=_summary(counts, told, ""))


def _told(rendering: reassembling.Rendering, counts: dict[str, int]) -> dict[str, Any]:
    before, after = rendering.made.template, rendering.plan
    names = [name for name in PromptPlan.own_fields() if before is None or getattr(before, name) != getattr(after, name)]
    return {
        "template_changes": names,
        "template_before": _named(before),
        "template_after": _named(after),
    }


def _named(plan: TemplateSnapshot | None) -> str:
    return " ".join(part for part in (plan.name or "unsaved", plan.template_version) if part) if plan else ""


def _summary(counts: dict[str, int], told: dict[str, Any], mood: str) -> str:
    parts = [
        (counts["stale"], f"{mood}go back to review" if mood else "went back to review"),
        (counts["rerendered"], f"{mood}be rendered anew" if mood else "rendered anew"),
        (counts["removed"], f"{mood}be flagged, as their rows are gone" if mood else "flagged, as their rows are gone"),
        (counts["added"], f"{mood}be added" if mood else "added"),
    ]
    said = [f"{grouped(number)} {words}" for number, words in parts if number]
    if told["template_changes"] and not said:
        said = ["the template changes, no pair does"]
    rest = f"{grouped(counts['unchanged'])} of {grouped(counts['matched'])} pairs stay as they are"
    return f"{'; '.join([*said, rest])}."


def _refuse_mixed(template_id: str | None, template: Any, preview: bool, preview_id: str | None) -> None:
    if template_id and template is not None:
        raise ValidationError.field("template", "does not go with template_id; leave one of them out")
    if preview_id and (preview or template_id or template is not None):
        raise ValidationError.field("preview_id", "stands alone: it names the template and the set it was made for", preview_id)
