"""What a model answered pair by pair: the costliest first, what it confuses, and the way to review them."""

from __future__ import annotations

from typing import Any

import panel_material_ui as pmui
import param
from markupsafe import Markup

from workbench.ui import format as fmt
from workbench.ui.components.bars import meter
from workbench.ui.components.cards import line, stack
from workbench.ui.components.columns import Column
from workbench.ui.components.markup import html, show
from workbench.ui.components.states import empty_state
from workbench.ui.components.table import DataTable
from workbench.ui.view import View

EXCERPT = 160  # a cell is one line: what nobody can see there need not travel
NONE = "The model gave no probability."
CONFUSED_CSS = """
table { border-collapse: collapse; width: 100%; font-size: 13px; }
td, th { padding: 4px 12px 4px 0; text-align: left; overflow-wrap: anywhere; }
th { font-size: 12px; color: var(--mui-palette-text-secondary, #566272); }
td.bar { width: 190px; }
"""


class PredictionsView(View):
    """Show what the model of a training job answered, in the training itself or in an evaluation."""

    job_id = param.String("", doc="The training job.")
    asked_in = param.String("", doc="Job that asked the model; the training itself when empty.")
    wrong = param.Boolean(False, doc="True to show only what was answered wrongly.")

    def build(self) -> list[Any]:
        """Return summary, mistakes and the list."""
        self._summary, self._confused, self._review = html(""), html("", css=CONFUSED_CSS), stack()
        self._select = pmui.Select(
            options={"Held out in the training": self.job_id}, value=self.job_id, label="Asked in", size="small", width=300, margin=0,
            css_classes=["asked-in"],
        )  # fmt: skip
        wrong = pmui.Checkbox(label="Only wrong answers", value=self.wrong, size="small", margin=0, css_classes=["only-wrong"])
        wrong.link(self, value="wrong", bidirectional=True)
        self._table = DataTable(
            self, self.ws.training.predictions, prediction_columns(), key="pair_id", page_size=10, filters=self._filters(),
            empty=lambda: empty_state("No pair was asked about yet. An evaluation asks the model once it is trained."),
        )  # fmt: skip
        told = self.live(self.ws.training.confusions, self._draw, height=60, job_id=self._asking())
        self.watch(self.ws.jobs.list, self._offer, parent_id=self.job_id, kind="evaluate", status="succeeded", page_size=50)
        self._select.param.watch(lambda event: self.param.update(asked_in=event.new), "value")
        self.param.watch(lambda event: told.ask(job_id=self._asking()), "asked_in")
        self.param.watch(lambda *events: self._table.param.update(filters=self._filters()), ["asked_in", "wrong"])
        self._whole = stack(self._summary, self._confused)
        return [line(self._select, wrong, gap=2), told, self._review, self._table]

    def _asking(self) -> str:
        return self.asked_in or self.job_id

    def _filters(self) -> dict[str, Any]:
        return {"job_id": self._asking(), **({"wrong": True} if self.wrong else {})}

    def _offer(self, page: Any) -> None:
        found = {"Held out in the training": self.job_id, **{_asked(job): job.id for job in page}}
        if found != self._select.options:
            self._select.options = found

    def _draw(self, found: Any) -> Any:
        words = Markup("{} answered rightly, {} wrongly; mean loss {}.")
        loss = fmt.number(found.mean_loss, reason=NONE)
        told = words.format(fmt.of(found.correct, found.total), fmt.integer(found.wrong), loss)
        show(self._summary, told if found.total else "")
        show(self._confused, _confusions(found))
        self._review.objects = [
            pmui.Button(
                label=f"Review these {fmt.integer(found.pairs)} next in {found.name}", icon="rate_review", variant="outlined", size="small",
                margin=0, href=f".{found.href}", css_classes=["review-next"],
            )
            for found in map(_Review, found.review)
        ]  # fmt: skip
        return self._whole


class _Review:
    """One training sheet whose pairs were asked about."""

    def __init__(self, told: dict[str, Any]) -> None:
        self.name, self.href, self.pairs = told["name"], told["href"], told["pairs"]


def prediction_columns() -> tuple[Column, ...]:
    """Return the columns of a list of predictions."""
    return (
        Column("correct", "", _verdict, whole=True, width="90px"),
        Column("loss", "Loss", lambda value: fmt.number(value, reason=NONE), align="right", sortable=True),
        Column("confidence", "Sure", lambda value: fmt.percent(value, reason=NONE), align="right", sortable=True),
        Column("truth", "Response", _excerpt),
        Column("prediction", "Answered", _excerpt),
        Column("prompt", "Prompt", _prompt, whole=True),
    )


def _excerpt(text: str | None) -> Markup:
    return fmt.text((text or "")[:EXCERPT], reason="Empty.")


def _verdict(row: Any) -> Markup:
    hover = "The response was changed since the model was asked." if row["changed"] else ""
    return fmt.flag(row["correct"], "right" if row["correct"] else "wrong", hover=hover)


def _prompt(row: Any) -> Markup:
    if row["prompt"] is None:
        return fmt.unknown("The pair is gone.")
    return Markup('<a href=".{}" title="Open the pair in Label">{}</a>').format(row["href"], _excerpt(row["prompt"]))


def _confusions(found: Any) -> Markup:
    if not found.confusions:
        return Markup("")
    rows = Markup("").join(
        Markup('<tr><td>{}</td><td>{}</td><td class="bar">{}</td></tr>').format(
            _excerpt(one.truth), _excerpt(one.prediction), meter(one.of_largest, fmt.integer(one.count))
        )
        for one in found.confusions
    )
    head = '<tr><th>Response</th><th>Answered instead</th><th title="Share of all mistakes">Pairs</th></tr>'
    return Markup("<table>{}{}</table>").format(Markup(head), rows)


def _asked(job: Any) -> str:
    return f"{job.name} ({job.id})"
