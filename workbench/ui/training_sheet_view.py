"""One training sheet: what it was made from, how far it is, and its pairs."""

from __future__ import annotations

from typing import Any

import panel_material_ui as pmui
import param
from markupsafe import Markup

from workbench.domain.generate import Export, ExportedFile
from workbench.ui import format as fmt
from workbench.ui.components.actions import ActionBar, run_on
from workbench.ui.components.fields import fields_of_operation
from workbench.ui.components.form_dialog import FormDialog
from workbench.ui.components.forms import ParameterForm
from workbench.ui.components.markup import html, show
from workbench.ui.components.pair_markup import CSS, item_markup, over
from workbench.ui.components.rows import PreviewTable
from workbench.ui.job import JobView
from workbench.ui.pair_quality import PairQualityFace
from workbench.ui.reassemble import ReassembleView
from workbench.ui.review_history import ReviewHistory
from workbench.ui.sheet_forms import titled
from workbench.ui.url import page_href
from workbench.ui.view import View

EDITABLE = ("name", "overlap", "guidelines")
PAIR_TITLES = {"row_index": "#", "item_ref": "Item", "response_source": "Source"}
PAIR_WORDS = {
    "item_ref": item_markup, "status": fmt.chip, "response_source": fmt.choice,
    "simulated": lambda made_up: fmt.simulated() if made_up else "",
}  # fmt: skip


class TrainingSheetView(View):
    """Show one training sheet with its actions."""

    training_sheet_id = param.String("", doc="Training sheet shown.")

    def build(self) -> list[Any]:
        """Return head, actions, eligibility and the first pairs."""
        self.made: Any = None
        self.head = html("", css=CSS)
        self.dialog = FormDialog(width="md")
        wanted = {"dialog": "create", "training_sheet_id": self.training_sheet_id}
        links = {"review": f"./label?sheet={self.training_sheet_id}", "train": page_href("train", wanted)}
        links["generate"] = f"./generate?face=made&answers={self.training_sheet_id}"
        forms = {"update": self._edit, "export": self._export, "reassemble": self._reassemble}
        self.actions = ActionBar(toasts=self.toasts, size="small", first="review", links=links, handlers=forms, undo=self._undo)
        top = self.live(self.ws.training_sheets.get, self._drawn, height=160, training_sheet_id=self.training_sheet_id)
        fit = self.live(self.ws.review.eligibility, self._fits, height=80, training_sheet_id=self.training_sheet_id)
        shown = {"titled": pair_title, "worded": PAIR_WORDS, "training_sheet_id": self.training_sheet_id}
        pairs = PreviewTable(self, self.ws.training_sheets.preview, **shown)
        steps = ReviewHistory(self.ws, frame=self, training_sheet_id=self.training_sheet_id)
        self.quality = PairQualityFace(self, self.training_sheet_id)
        quality = [html(over("Quality"), css=CSS), *self.quality.parts]
        title = html(over("History"), css=CSS)
        return [top, pmui.Column(fit, margin=0, sizing_mode="stretch_width"), pairs, *quality, title, steps, self.dialog]

    def _drawn(self, made: Any) -> Any:
        self.made = made
        show(self.head, head_markup(made))
        self.actions.update(made.actions, run_on(self.ws, made))
        return [self.head, self.actions]

    def _fits(self, found: Any) -> Any:
        reasons = fmt.facts((reason.label, fmt.integer(reason.count)) for reason in found.reasons)
        words = Markup('{}<div class="text" style="margin-bottom:8px">{}</div>{}')
        return html(words.format(over("Trainable"), found.summary, reasons if found.reasons else ""), css=CSS)

    def _edit(self) -> None:
        form = ParameterForm(
            titled(self.ws.training_sheets.update, EDITABLE),
            lambda values: self.ws.training_sheets.update(self.training_sheet_id, version=self.made.version, **values),
            values={name: getattr(self.made, name) for name in EDITABLE},
            done=lambda made: self.dialog.close(),
        )
        self.dialog.open("Edit the training sheet", form)

    def _reassemble(self) -> None:
        # Made once a browser is there: it waits for a signal of its own.
        view = ReassembleView(self.ws, training_sheet_id=self.training_sheet_id, done=self._reassembled)
        self.dialog.open("Re-assemble the training sheet", view)

    def _reassembled(self, found: Any) -> None:
        self.dialog.close()
        back = (lambda: self.ws.review.undo(self.training_sheet_id, batch_id=found.batch_id)) if found.batch_id else None
        self.toasts.say(found.summary, undo=back)

    def _export(self) -> None:
        form = ParameterForm(
            fields_of_operation(self.ws.training_sheets.export),
            lambda values: self.ws.training_sheets.export(self.training_sheet_id, wait=None, **values),
            label="Export",
            done=self._exported,
            columns=2,
        )
        self.dialog.open("Export the training sheet", form)

    def _exported(self, export: Any) -> None:
        if hasattr(export, "progress_percent"):
            self.dialog.open(export.name, JobView(self.ws, job_id=export.id, on_result=self._landed))
            return
        lines = Markup("").join(
            Markup('<dt><a href=".{}" download>{}</a></dt><dd>{}, {} <span class="mono faint">{}</span></dd>').format(
                file.url, file.name, fmt.plural(file.rows, "row"), fmt.size(file.size), fmt.short_id(file.sha256)
            )
            for file in export.files
        )
        self.dialog.open("Exported", html(Markup('<dl class="facts">{}</dl>').format(lines)))

    def _landed(self, result: dict[str, Any]) -> None:
        self._exported(Export(files=[ExportedFile(**file) for file in result["files"]], manifest=result["manifest"]))

    def _undo(self, name: str, result: Any) -> Any:
        return (lambda: self.ws.training_sheets.restore(self.training_sheet_id)) if name == "delete" else None


def head_markup(made: Any) -> Markup:
    """Return name, state, origin and counts of a training sheet."""
    line = '<div style="display:flex;gap:8px;align-items:center;flex-wrap:wrap;margin-bottom:8px"><span class="title">{}</span>{}{}</div>{}'
    plan = made.template
    facts = fmt.facts(
        [
            ("Sheet", fmt.link(made.sheet_name, f"./data?sheet={made.sheet_id}")),
            ("Template", Markup("{} {}").format(plan.name or "unsaved", plan.template_version or "") if plan else fmt.unknown()),
            ("Pairs", fmt.integer(made.total_rows)),
            ("Status", _counts(made.counts.get("status", {}))),
            ("Answers", _counts(made.counts.get("response_source", {}))),
            ("Rows chosen", _chosen(made)),
            ("Made", Markup("{} by {}").format(fmt.moment(made.created_at), made.created_by or fmt.DASH)),
            ("Failed because", made.error_summary) if made.error_summary else ("Reviewers per pair", fmt.integer(made.overlap)),
        ]
    )
    sample = fmt.tone_chip(fmt.tone_of("neutral"), "sample data") if made.sample else ""
    return Markup(line).format(made.name, fmt.chip(made.status), sample, facts)


def _chosen(made: Any) -> Markup:
    """Return which rows were taken: all, or a sample, of those that match."""
    size = fmt.integer(made.sample_size)
    sample = Markup("a {} sample of {}").format(fmt.choice(made.sampling), size) if made.sample_size else Markup("every row")
    return Markup('{} with <span class="mono">{}</span>').format(sample, made.filter) if made.filter else sample


def pair_title(name: str) -> str:
    """Return the head of a column of pairs."""
    return PAIR_TITLES.get(name) or fmt.words(name)


def _counts(counts: dict[str, int]) -> Markup:
    return Markup(" · ").join(
        Markup("{} {}").format(fmt.integer(count), fmt.choice(word)) for word, count in counts.items() if count
    )


def counted(word: str) -> Any:
    """Return the way to show one review state's count in a table of training sheets."""
    return lambda counts: fmt.integer((counts or {}).get("status", {}).get(word))
