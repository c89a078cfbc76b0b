"""Let a provider answer the pairs of a training sheet: what it would take, how far it is, what went wrong."""

from __future__ import annotations

from typing import Any

import param
from markupsafe import Markup

from workbench.domain.providers import GeneratedAnswer
from workbench.errors import ValidationError
from workbench.ui import format as fmt
from workbench.ui.components.actions import ActionBar, run_on
from workbench.ui.components.asked import Asked
from workbench.ui.components.cards import card, columns_of, line, stack
from workbench.ui.components.columns import Column, column
from workbench.ui.components.fields import Field, fields_of_operation
from workbench.ui.components.forms import ParameterForm
from workbench.ui.components.markup import html, show
from workbench.ui.components.progress import ProgressPanel
from workbench.ui.components.states import empty_state
from workbench.ui.components.table import DataTable
from workbench.ui.components.working_button import WorkingButton
from workbench.ui.view import View

ASKED = ("provider", "model", "overwrite_existing", "force")
TITLES = {"overwrite_existing": "Answer again what has an answer", "force": "Even what people wrote or decided on"}
MADE_UP = "made-up answers"
ROWS = Field("row_indices", "text", doc="Only these rows, such as 0-9, 12; empty: all that are wished for", title="Rows")


class GenerationView(View):
    """Ask for answers and follow the job that brings them."""

    training_sheet_id = param.String("", doc="Training sheet to answer.")

    def build(self) -> list[Any]:
        """Return the form with its estimate, the latest job, and what failed in it."""
        self.form: ParameterForm | None = None
        self.job: Any = None
        self._head, self._place, self._told = html(""), stack(), html("")
        self._estimate = Asked(self, self.ws.training_sheets.estimate, self._draw_estimate)
        self._progress, self._outcome, self._fault = ProgressPanel(), html(""), html("", visible=False)
        self._actions = ActionBar(toasts=self.toasts, size="small")
        self._again = WorkingButton(
            label="Ask again about what failed", icon="replay", variant="outlined", size="small", margin=0, visible=False,
            css_classes=["ask-again"],
        )  # fmt: skip
        self._again.on_click(lambda event: self._ask_again())
        self._refused = stack()
        self._none = empty_state("No provider was asked yet.")
        self._latest = stack(self._progress, self._fault, self._outcome, line(self._actions, self._again), self._refused)
        self.answers: DataTable | None = None
        self._answers_place = stack()
        self.watch(self.ws.training_sheets.get, self._draw_sheet, training_sheet_id=self.training_sheet_id)
        self.watch(self.ws.providers.list, self._draw_providers)
        latest = self.live(
            self.ws.training_sheets.generations,
            self._draw_latest,
            height=96,
            training_sheet_id=self.training_sheet_id,
            page_size=1,
        )
        aside = card("What it would take", self._told, self._estimate, name="estimate")
        return [
            self._head,
            columns_of(card("Ask a provider", self._place, name="ask"), aside, widths="minmax(0, 3fr) minmax(0, 2fr)"),
            card("Latest job", latest, name="latest"),
            self._answers_place,
        ]

    def _draw_sheet(self, made: Any) -> None:
        counts = made.counts.get("response_source", {})
        words = Markup('<div class="title" style="font-size:18px">{}</div><span class="faint">{}, {} without an answer</span>')
        show(self._head, words.format(made.name, fmt.plural(made.total_rows, "pair"), fmt.integer(counts.get("empty"))))
        if self.form is not None:
            self._ask()

    def _draw_providers(self, page: Any) -> None:
        choices = {_words(provider): provider.name for provider in page}
        if self.form is not None:
            self.form.offer("provider", choices)
            return
        fields = [_titled(f) for f in fields_of_operation(self.ws.training_sheets.generate, only=ASKED)]
        self.form = ParameterForm(
            [*fields[:2], ROWS, *fields[2:]],
            self._submit,
            label="Start",
            done=self._started,
            choices={"provider": choices},
            values={"provider": next(iter(choices.values()), None)},
        )
        hint = Markup('<span class="faint small">Providers are set up in the {}.</span>').format(
            fmt.link("settings", "./settings")
        )
        self._place.objects = [self.form, html(hint)]
        for name in (*ASKED, ROWS.name):
            self.form.input(name).param.watch(self._ask, "value")
        self._ask()

    def _entered(self) -> dict[str, Any]:
        values = self.form.values()
        if text := values.pop(ROWS.name, None):
            try:
                values[ROWS.name] = fmt.rows_of(text)
            except ValueError:
                raise ValidationError.field(ROWS.name, "takes numbers and ranges, such as 0-9, 12", text) from None
        return values

    def _ask(self, *events: Any) -> None:
        try:
            values = self._entered()
        except ValidationError as error:
            self.form.show_error(error)
            return
        self.form.show_error(None)
        self._estimate.ask(training_sheet_id=self.training_sheet_id, **values)

    def _draw_estimate(self, found: Any) -> None:
        for start in found.actions:
            self.form.allow(start)
        made_up = fmt.simulated(MADE_UP) if found.simulated else ""
        show(
            self._told,
            Markup('<div style="margin-bottom:8px">{} {}</div>{}').format(found.summary, made_up, fmt.facts(_facts(found))),
        )

    def _submit(self, values: dict[str, Any]) -> Any:
        return self.ws.training_sheets.generate(self.training_sheet_id, **self._entered())

    def _started(self, job: Any) -> None:
        self.toasts.say(f"Started {job.name}.")

    def _draw_latest(self, page: Any) -> Any:
        job = next(iter(page), None)
        if job is None:
            return self._none
        result = job.result or {}
        self._progress.update(job)
        self._actions.update(job.actions, run_on(self.ws, job))
        show(self._outcome, _outcome(result) if result else "")
        fault = Markup('<div class="text"><b class="ink-error">{}</b> <span class="mono faint">{}</span></div>')
        show(self._fault, fault.format(job.error_message or "", job.error_code or ""))
        self._fault.visible = bool(job.error_message)
        self._again.visible = bool(result.get("failed_count"))
        self.job = job
        self._follow(job, result)
        return self._latest

    def _follow(self, job: Any, result: dict[str, Any]) -> None:
        """Show the answers of the job, those that failed first where there are any."""
        outcome = "failed" if result.get("failed_count") else ""
        filters = {"training_sheet_id": self.training_sheet_id, "job_id": job.id, "outcome": outcome}
        if self.answers is None:
            self.answers = DataTable(
                self, self.ws.training_sheets.answers, _columns(), key="row_index", filters=filters, page_size=10
            )
            self._answers_place.objects = [card("Answers of this job", self.answers, name="answers")]
            self.answers.part.start()
        elif self.answers.filters != filters:
            self.answers.filters = filters

    def _ask_again(self) -> None:
        """Ask the same provider about the pairs it failed on."""
        self._again.loading = True
        try:
            spec = self.job.spec
            made = self.ws.training_sheets.generate(
                self.training_sheet_id, spec["provider"], model=spec["model"], failed_in=self.job.id
            )
        except Exception as error:  # noqa: BLE001  whatever went wrong belongs where the button is
            self.form.show_error(error)
        else:
            self._started(made)
        finally:
            self._again.loading = False


def _words(provider: Any) -> str:
    made_up = " (makes its answers up)" if provider.simulated else ""
    return f"{provider.name}{made_up}" if not provider.reason else f"{provider.name} - not ready"


def _titled(field: Field) -> Field:
    return Field(**{**vars(field), "title": TITLES.get(field.name, "")})


def _facts(found: Any) -> list[tuple[str, Any]]:
    price = "A price is not known: enter it in the settings."
    return [
        ("Model", fmt.text(found.model, reason="None is named.")),
        ("Pairs", fmt.integer(found.rows)),
        ("Known without asking", fmt.integer(found.known)),
        ("Requests", fmt.integer(found.requests)),
        ("Examples before each", fmt.integer(found.examples)),
        ("Tokens read, about", fmt.integer(found.tokens_in)),
        ("Tokens written, about", fmt.integer(found.tokens_out)),
        ("Cost, about", fmt.usd(found.cost, reason=price)),
        ("Cost at most", fmt.usd(found.cost_most, reason=price)),
        ("Takes at least", fmt.duration(found.seconds_least, reason="The provider has no limit of requests.")),
    ]


def _outcome(result: dict[str, Any]) -> Markup:
    made_up = fmt.simulated(MADE_UP) if result.get("simulated") else ""
    told = [
        ("Provider", Markup("{} {} {}").format(result.get("provider"), result.get("model") or "", made_up)),
        ("Answered", fmt.integer(result.get("generated_count"))),
        ("Flagged", fmt.integer(result.get("flagged_count"))),
        ("Failed", fmt.integer(result.get("failed_count"))),
        ("Known without asking", fmt.integer(result.get("cached_count"))),
        ("Kept from an earlier try", fmt.integer(result.get("resumed_count"))),
        ("Changed meanwhile, left alone", fmt.integer(result.get("changed_since"))),
        ("Tokens read", fmt.integer(result.get("tokens_in"))),
        ("Tokens written", fmt.integer(result.get("tokens_out"))),
        ("Cost", fmt.usd(result.get("cost"), reason="A price or a count is not known.")),
    ]
    return fmt.facts(told)


def _columns() -> tuple[Column, ...]:
    return (
        Column("row_index", "Row", fmt.integer, align="right"),
        Column("outcome", "Outcome", fmt.chip),
        Column("response", "Answer", _answer, whole=True, width="45%"),
        column(GeneratedAnswer, "fault", title="What is wrong"),
        column(GeneratedAnswer, "origin", title="From"),
        column(GeneratedAnswer, "tokens_out", title="Tokens"),
        Column("cost", "Cost", lambda cost: fmt.usd(cost, reason="A price or a count is not known."), align="right"),
        column(GeneratedAnswer, "tries", title="Requests"),
    )


def _answer(row: Any) -> Markup:
    made_up = fmt.simulated() if row["simulated"] else ""
    return Markup("{} {}").format(made_up, fmt.text(row["response"], reason="There is none."))
