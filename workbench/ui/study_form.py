"""The form that starts a study: what to learn from, which settings to search and how long."""

from __future__ import annotations

from typing import Any

import param
from markupsafe import Markup

from workbench.errors import ValidationError
from workbench.ui import format as fmt
from workbench.ui.components.asked import Asked
from workbench.ui.components.bars import PARTS_CSS
from workbench.ui.components.cards import card, columns_of, stack
from workbench.ui.components.fields import Field, fields_of_operation
from workbench.ui.components.forms import ParameterForm
from workbench.ui.components.markup import html, show
from workbench.ui.components.record_choice import Sought
from workbench.ui.components.space_editor import FIXED, SpaceEditor
from workbench.ui.components.states import empty_state
from workbench.ui.train_form import described, eligible, recommended, sheets_to_learn_from, suggested, worded
from workbench.ui.view import View

ASKED = (
    "training_sheet_id", "model_name", "base_model", "metric", "n_trials", "parallel", "train_val_split",
    "pruning", "seed", "timeout_seconds",
)  # fmt: skip
TITLES = {
    "training_sheet_id": "Training sheet", "base_model": "Base model", "metric": "Figure to go by", "n_trials": "Trials",
    "parallel": "At the same time", "train_val_split": "Share to learn from",
    "pruning": "End early what falls behind", "timeout_seconds": "Time limit in seconds",
}  # fmt: skip
ONE_TRIAL = "One trial with the fixed settings would take about this; the others stand at their defaults."


class StudyForm(View):
    """Ask for a study; eligibility and the time of one trial follow what is entered."""

    training_sheet_id = param.String("", doc="Training sheet chosen at first.")
    on_made = param.Callable(None, allow_None=True, doc="Called with the id of the study made.")

    def build(self) -> list[Any]:
        """Return the form, and beside it what is searched."""
        self._sheets: Sought | None = None
        self._bases: dict[str, Any] = {}
        self._form: ParameterForm | None = None
        self._editor: SpaceEditor | None = None
        self._place, self._space = stack(), stack()
        self._eligible, self._told, self._advice = html("", css=PARTS_CSS), html(""), html("")
        self._estimate = Asked(self, self.ws.training.estimate, self._draw_estimate)
        self._eligibility = Asked(self, self.ws.review.eligibility, self._draw_eligibility)
        self.watch(self.ws.training_sheets.list, self._take_sheets, page_size=50)
        self.watch(self.ws.training.base_models, self._take_bases)
        aside = stack(
            card("Settings to search", self._space, name="space"),
            card("Eligible pairs", self._eligible, self._eligibility, name="eligibility"),
            card("One trial", self._told, self._advice, self._estimate, name="estimate"),
        )
        form = card("New study", self._place, name="form")
        return [columns_of(form, aside, widths="minmax(0, 1fr) minmax(0, 1fr)")]

    def _take_sheets(self, page: Any) -> None:
        self._sheets = (self._sheets or sheets_to_learn_from(self.ws)).take(page)
        self._make()

    def _take_bases(self, page: Any) -> None:
        self._bases = {base.name: base for base in page}
        self._make()

    def _make(self) -> None:
        """Build the form once sheets and base models are known; later ones are only offered."""
        if not self._bases or self._sheets is None:
            return
        if not self._sheets:
            self._place.objects = [empty_state("There is no training sheet to learn from.", action="Make one", href="./generate")]
        elif self._form is None:
            self._rebuild({"training_sheet_id": self.training_sheet_id or next(iter(self._sheets.values()))})

    def _rebuild(self, values: dict[str, Any]) -> None:
        """Ask anew for the chosen base model, keeping what was entered."""
        base = self._bases.get(values.get("base_model", "")) or suggested(self._bases.values())
        measures = {fmt.words(name): name for name in base.measures}
        bases = {worded(b): name for name, b in self._bases.items()}
        self._form = ParameterForm(
            [_titled(f) for f in fields_of_operation(self.ws.studies.create, only=ASKED)],
            self._submit,
            label="Start the study",
            done=self._made,
            choices={"training_sheet_id": self._sheets, "base_model": bases, "metric": measures},
            values={"metric": next(iter(base.measures)), **values, "base_model": base.name},
            columns=2,
        )
        self._editor = SpaceEditor(base.config, base.search_space, changed=self._ask)
        self._form.input("base_model").param.watch(self._base_changed, "value")
        for name in ("training_sheet_id", "train_val_split"):
            self._form.input(name).param.watch(self._ask, "value")
        self._place.objects = [html(described(base)), self._form]
        self._space.objects = [self._editor]
        self._ask()

    def _base_changed(self, event: Any) -> None:
        kept = {name: self._form.input(name).value for name in ASKED if name != "metric"}
        self._rebuild(kept)

    def _ask(self, *events: Any) -> None:
        try:
            values = self._entered()
        except ValidationError as error:
            self._complain(error)
            return
        self._complain(None)
        self._eligibility.ask(training_sheet_id=values["training_sheet_id"])
        asked = ("training_sheet_id", "base_model", "train_val_split", FIXED)
        self._estimate.ask(**{name: values[name] for name in asked if name in values})

    def _entered(self) -> dict[str, Any]:
        return {**self._form.values(), **self._editor.values()}

    def _submit(self, values: dict[str, Any]) -> Any:
        try:
            return self.ws.studies.create(**self._entered())
        except ValidationError as error:
            self._editor.show_faults(error.context.get("fields", []))
            raise

    def _complain(self, error: ValidationError | None) -> None:
        self._form.show_error(error)
        self._editor.show_faults(error.context.get("fields", []) if error is not None else [])

    def _made(self, study: Any) -> None:
        self.toasts.say("The study was made.")
        if self.on_made is not None:
            self.on_made(study.id)

    def _draw_eligibility(self, found: Any) -> None:
        show(self._eligible, eligible(found))

    def _draw_estimate(self, found: Any) -> None:
        told = [
            ("To learn from", fmt.plural(found.train_pairs, "pair")),
            ("Held out", fmt.plural(found.val_pairs, "pair")),
            ("Time", fmt.duration(found.seconds, reason="This trainer does not say.")),
            ("Memory", fmt.size(found.memory_bytes)),
        ]
        show(
            self._told,
            Markup('<div class="faint small" style="padding-bottom:8px">{}</div>{}').format(ONE_TRIAL, fmt.facts(told)),
        )
        show(self._advice, Markup("").join(recommended(r) for r in found.recommendations))


def _titled(field: Field) -> Field:
    return Field(**{**vars(field), "title": TITLES.get(field.name, "")})
