"""The form that starts a training job: what to learn from, with which settings, and what it would take."""

from __future__ import annotations

from typing import Any

import param
from markupsafe import Markup

from workbench.errors import ValidationError
from workbench.ui import format as fmt
from workbench.ui.components.asked import Asked
from workbench.ui.components.bars import PARTS_CSS, Share, parts_bar
from workbench.ui.components.cards import card, columns_of, stack
from workbench.ui.components.fields import Field, fields_of_operation
from workbench.ui.components.forms import ParameterForm
from workbench.ui.components.markup import html, show
from workbench.ui.components.record_choice import Sought
from workbench.ui.components.states import empty_state
from workbench.ui.theme import tone_of
from workbench.ui.view import View

ASKED = ("training_sheet_id", "model_name", "base_model", "train_val_split")
ESTIMATED = ("training_sheet_id", "base_model", "train_val_split")
CONFIG = "training_config"
LIMIT = "timeout_seconds"
TITLES = {
    "training_sheet_id": "Training sheet",
    "base_model": "Base model",
    "train_val_split": "Share to learn from",
    LIMIT: "Time limit in seconds",
}
KINDS = {"integer": "integer", "number": "number", "boolean": "flag", "selector": "choice", "string": "text"}


class TrainForm(View):
    """Ask for a training job; eligibility and estimate follow what is entered."""

    training_sheet_id = param.String("", doc="Training sheet chosen at first.")
    like = param.String("", doc="Id of a job whose settings the form begins with.")
    way = param.String("create", doc="create for a job of its own, retry for one that is linked to the job it is like.")
    on_made = param.Callable(None, allow_None=True, doc="Called with the id of the job made.")

    def build(self) -> list[Any]:
        """Return the form, and beside it what the service thinks of it."""
        self._sheets: Sought | None = None
        self._bases: dict[str, Any] = {}
        self._form: ParameterForm | None = None
        self._place = stack()
        self._eligible = html("", css=PARTS_CSS)
        self._told, self._advice = html(""), html("")
        self._model: Any = None
        self._estimate = Asked(self, self.ws.training.estimate, self._draw_estimate, refuse=self._refused)
        self._eligibility = Asked(self, self.ws.review.eligibility, self._draw_eligibility)
        self.watch(self.ws.training_sheets.list, self._take_sheets, page_size=50)
        self.watch(self.ws.training.base_models, self._take_bases)
        if self.like:
            self.watch(self.ws.training.get, self._take_model, job_id=self.like)
        aside = stack(
            card("Eligible pairs", self._eligible, self._eligibility, name="eligibility"),
            card("Estimate", self._told, self._advice, self._estimate, name="estimate"),
        )
        self._again = bool(self.like) and self.way == "retry"
        form = card("Retry with changes" if self._again else "New training job", self._place, name="form")
        return [columns_of(form, aside, widths="minmax(0, 3fr) minmax(0, 2fr)")]

    def _take_sheets(self, page: Any) -> None:
        self._sheets = (self._sheets or sheets_to_learn_from(self.ws)).take(page)
        self._make()

    def _take_bases(self, page: Any) -> None:
        self._bases = {base.name: base for base in page}
        self._make()

    def _take_model(self, job: Any) -> None:
        self._model = self._model or job
        self._make()

    def _make(self) -> None:
        """Build the form once sheets and base models are known; later ones are only offered."""
        if not self._bases or self._sheets is None or (self.like and self._model is None):
            return
        if not self._sheets:
            self._place.objects = [empty_state("There is no training sheet to learn from.", action="Make one", href="./generate")]
        elif self._form is None:
            begun = {name: getattr(self._model, name) for name in (*ASKED, LIMIT)} if self._model is not None else {}
            config = self._model.training_config if self._model is not None else {}
            first = self.training_sheet_id or next(iter(self._sheets.values()))
            self._rebuild({"training_sheet_id": first, **begun, **config})

    def _rebuild(self, values: dict[str, Any]) -> None:
        """Ask for the settings of the chosen base model's trainer, keeping what was entered."""
        base = self._bases.get(values.get("base_model", "")) or suggested(self._bases.values())
        config = [_field(told) for told in base.config]
        asked = fields_of_operation(self.ws.training.create, only=(*ASKED, LIMIT))
        self._config = frozenset(f.name for f in config)
        self._form = ParameterForm(
            [_titled(f) for f in asked] + config,
            self._submit,
            label="Retry with these settings" if self._again else "Start training",
            done=self._made,
            choices={"training_sheet_id": self._sheets, "base_model": {worded(b): name for name, b in self._bases.items()}},
            values={**values, "base_model": base.name},
            columns=2,
        )
        self._note = html(described(base))
        if self._again:
            for name in ASKED:
                self._form.input(name).disabled = True  # a retry learns the same from the same; only settings may change
        self._form.input("base_model").param.watch(self._base_changed, "value")
        for name in (*ESTIMATED, *self._config):
            self._form.input(name).param.watch(self._ask, "value")
        self._place.objects = [self._note, self._form]
        self._ask()

    def _base_changed(self, event: Any) -> None:
        """Ask anew; what suits one trainer says nothing to another, even under the same name."""
        same = self._bases[event.old].trainer == self._bases[event.new].trainer
        self._rebuild({f: self._form.input(f).value for f in (*ASKED, LIMIT, *(self._config if same else ()))})

    def _ask(self, *events: Any) -> None:
        try:
            values = self._entered()
        except ValidationError as error:
            self._form.show_error(error)
            return
        self._form.show_error(None)
        self._eligibility.ask(training_sheet_id=values["training_sheet_id"])
        self._estimate.ask(**{name: values[name] for name in (*ESTIMATED, CONFIG) if name in values})

    def _refused(self, error: BaseException) -> bool:
        """Show faults of what was entered at its fields, all at once."""
        if not isinstance(error, ValidationError) or self._form is None:
            return False
        show(self._told, Markup('<div class="faint">The estimate follows once the settings are valid.</div>'))
        show(self._advice, "")
        self._form.show_error(_at_fields(error))
        return True

    def _entered(self) -> dict[str, Any]:
        values = self._form.values()
        config = {name: values.pop(name) for name in self._config if name in values}
        return {**values, CONFIG: config}

    def _submit(self, values: dict[str, Any]) -> Any:
        try:
            entered = self._entered()
            if self._again:
                limit = {LIMIT: entered[LIMIT]} if entered.get(LIMIT) else {}
                return self.ws.training.retry(self.like, training_config=entered[CONFIG], **limit)
            return self.ws.training.create(**entered)
        except ValidationError as error:
            raise _at_fields(error) from error

    def _made(self, job: Any) -> None:
        self.toasts.say("The training job was made.")
        if self.on_made is not None:
            self.on_made(job.id)

    def _draw_eligibility(self, found: Any) -> None:
        show(self._eligible, eligible(found))

    def _draw_estimate(self, found: Any) -> None:
        show(self._told, fmt.facts(_estimated(found)))
        show(self._advice, Markup("").join(recommended(r) for r in found.recommendations))


def sheets_to_learn_from(ws: Any) -> Sought:
    """Return the training sheets a form offers, with how many pairs each has."""
    return Sought(ws.training_sheets, lambda sheet: f"{sheet.name} ({fmt.plural(sheet.total_rows, 'pair')})")


def eligible(found: Any) -> Markup:
    """Return how many pairs may be trained on, and what leaves the others out."""
    shares = [Share("eligible", found.eligible), *(Share(reason.label, reason.count) for reason in found.reasons)]
    return Markup('<div style="padding-bottom:8px">{}</div>{}').format(found.summary, parts_bar(shares))


def suggested(bases: Any) -> Any:
    """Return the base model a form begins with."""
    found = list(bases)
    return next((base for base in found if base.recommended and base.available), found[0])


def worded(base: Any) -> str:
    """Return a base model as a choice."""
    words = base.label or base.name
    if not base.available:
        return f"{words} - not available"
    return f"{words} - recommended" if base.recommended else words


def described(base: Any) -> Markup:
    """Return what a base model is good for, and why it cannot be used."""
    reason = Markup('<div class="ink-warning">{}</div>').format(base.reason) if base.reason else ""
    return Markup('<div class="faint text">{}</div>{}').format(base.description, reason)


def _titled(field: Field) -> Field:
    return Field(**{**vars(field), "title": TITLES.get(field.name, "")})


def _field(told: dict[str, Any]) -> Field:
    """Return the input of one setting as its trainer declares it."""
    low, high = told.get("bounds") or (None, None)
    return Field(
        name=told["name"],
        kind=KINDS.get(told["type"], "json"),
        doc=told.get("doc") or "",
        default=told.get("default"),
        minimum=low,
        maximum=high,
        choices=tuple(told.get("choices") or ()),
    )


def _at_fields(error: ValidationError) -> ValidationError:
    """Name a fault of a setting by the setting, so that it is shown at its input."""
    faults = [{**f, "field": str(f["field"]).removeprefix(f"{CONFIG}.")} for f in error.context.get("fields", [])]
    return ValidationError.of(faults) if faults else error


def _estimated(found: Any) -> list[tuple[str, Any]]:
    return [
        ("To learn from", fmt.plural(found.train_pairs, "pair")),
        ("Held out", fmt.plural(found.val_pairs, "pair")),
        ("Different responses", fmt.integer(found.classes)),
        ("Time", fmt.duration(found.seconds, reason="This trainer does not say.")),
        ("Memory", fmt.size(found.memory_bytes)),
        ("Words to read", fmt.integer(found.tokens)),
        ("Cost", fmt.plain(found.cost)),
        ("Threads", fmt.integer(found.threads)),
    ]


def recommended(told: Any) -> Markup:
    """Return one thing to consider, with its reason."""
    chip = fmt.tone_chip(tone_of(told.level), fmt.words(told.level))
    return Markup('<div style="padding:6px 0">{} {} <span class="faint">{}</span></div>').format(chip, told.message, told.reason)
