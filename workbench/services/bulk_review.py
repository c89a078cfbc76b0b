"""Actions on many pairs, each one step that can be undone."""

from __future__ import annotations

from typing import Any

from workbench.contract import UNSET, command
from workbench.domain.data import Sheet
from workbench.domain.generate import TrainingSheet
from workbench.domain.label import BulkOutcome
from workbench.services import bulk, decisions
from workbench.services.review_arguments import REVIEWERS, Barred, Filter, PreviewId, PreviewOnly, Reason, Rows, Uses
from workbench.services.service import Service


class BulkReview(Service):
    """Hold the bulk actions of the review."""

    def __init__(self, app: Any) -> None:
        super().__init__(app)
        self.previews = bulk.Previews()

    def place(self, training_sheet_id: str) -> tuple[TrainingSheet, Sheet]:
        """Return a ready training sheet with the sheet it came from."""
        raise NotImplementedError

    def scope(self, made: TrainingSheet) -> decisions.Scope:
        """Return who acts on which training sheet now."""
        raise NotImplementedError

    def _bulk(self, training_sheet_id: str, wish: bulk.Wish) -> BulkOutcome:
        made, sheet = self.place(training_sheet_id)
        return bulk.run(self, made, sheet, wish)

    @command("POST", "/assemblies/{training_sheet_id}/rows/bulk-approve", roles=REVIEWERS, label="Approve all")
    def bulk_approve(
        self,
        training_sheet_id: str,
        *,
        row_indices: Rows = None,
        filter: Filter = None,
        preview: PreviewOnly = False,
        preview_id: PreviewId = None,
    ) -> BulkOutcome:
        """Approve many pairs as one step that can be undone; a preview freezes the set first."""
        return self._bulk(training_sheet_id, bulk.Wish("approve", row_indices, filter, preview, preview_id))

    @command("POST", "/assemblies/{training_sheet_id}/rows/bulk-reject", roles=REVIEWERS, label="Reject all")
    def bulk_reject(
        self,
        training_sheet_id: str,
        *,
        row_indices: Rows = None,
        filter: Filter = None,
        flag_reason: Reason = UNSET,
        preview: PreviewOnly = False,
        preview_id: PreviewId = None,
    ) -> BulkOutcome:
        """Reject many pairs as one step that can be undone."""
        given = {"flag_reason": flag_reason}
        return self._bulk(training_sheet_id, bulk.Wish("reject", row_indices, filter, preview, preview_id, given))

    @command("POST", "/assemblies/{training_sheet_id}/rows/bulk-flag", roles=REVIEWERS, label="Flag all")
    def bulk_flag(
        self,
        training_sheet_id: str,
        *,
        row_indices: Rows = None,
        filter: Filter = None,
        flag_reason: Reason = UNSET,
        preview: PreviewOnly = False,
        preview_id: PreviewId = None,
    ) -> BulkOutcome:
        """Flag many pairs as one step that can be undone."""
        given = {"flag_reason": flag_reason}
        return self._bulk(training_sheet_id, bulk.Wish("flag", row_indices, filter, preview, preview_id, given))

    @command("POST", "/assemblies/{training_sheet_id}/rows/bulk-reset", roles=REVIEWERS, label="Reset all")
    def bulk_reset(
        self,
        training_sheet_id: str,
        *,
        row_indices: Rows = None,
        filter: Filter = None,
        preview: PreviewOnly = False,
        preview_id: PreviewId = None,
    ) -> BulkOutcome:
        """Take many pairs back to unlabeled as one step that can be undone."""
        return self._bulk(training_sheet_id, bulk.Wish("reset", row_indices, filter, preview, preview_id))

    @command("POST", "/assemblies/{training_sheet_id}/rows/bulk-rights", roles=REVIEWERS, label="Change usage rights")
    def bulk_rights(
        self,
        training_sheet_id: str,
        *,
        row_indices: Rows = None,
        filter: Filter = None,
        allowed_uses: Uses = UNSET,
        prohibited_uses: Barred = UNSET,
        preview: PreviewOnly = False,
        preview_id: PreviewId = None,
    ) -> BulkOutcome:
        """Change the usage rights of many pairs as one step that can be undone."""
        rights = {"allowed_uses": allowed_uses, "prohibited_uses": prohibited_uses}
        return self._bulk(training_sheet_id, bulk.Wish("rights", row_indices, filter, preview, preview_id, rights))
