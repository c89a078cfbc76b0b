"""The quality of the pairs of a training sheet: what the newest scan found, each finding with its queue on the Label page."""

from __future__ import annotations

from typing import Any

from markupsafe import Markup

from workbench.ui import format as fmt
from workbench.ui.quality import QualityFace
from workbench.ui.url import page_href
from workbench.ui.view import View


class PairQualityFace(QualityFace):
    """Draw the quality of the pairs of one training sheet inside its view."""

    one = "pair"

    def __init__(self, view: View, training_sheet_id: str) -> None:
        self._made = training_sheet_id
        run = {"scan": lambda: view.ws.training_sheets.scan(training_sheet_id)}
        super().__init__(view, view.ws.training_sheets.quality, run, training_sheet_id=training_sheet_id)
        self.parts = [self.top, self.plots]

    def label(self, finding: Any) -> Markup:
        """Return the words of a finding, which lead to the pairs behind it."""
        queue = {"sheet": self._made, "status": "all", "signals": " ".join(finding.signals), "order": "concern", "descending": "true"}
        queue |= {"where": finding.where} if finding.where else {}
        return fmt.link(finding.label, page_href("label", queue))
