"""Deploy: the endpoints that answer, and how to make another."""

from __future__ import annotations

from typing import Any

import panel_material_ui as pmui
import param
from markupsafe import Markup

from workbench.domain.serving import Endpoint
from workbench.ui import format as fmt
from workbench.ui.components.cards import line, stack
from workbench.ui.components.chips import FilterChips, bind_chips, chip_group, search_field
from workbench.ui.components.columns import Column, column
from workbench.ui.components.drawer import DetailDrawer
from workbench.ui.components.fields import fields_of_operation
from workbench.ui.components.forms import ParameterForm
from workbench.ui.components.record_choice import Sought
from workbench.ui.components.states import empty_state
from workbench.ui.components.table import DataTable
from workbench.ui.components.tie import tie
from workbench.ui.endpoint import EndpointView
from workbench.ui.view import View

STATES = Endpoint.param["status"].objects
NO_REQUESTS = "No requests in the last 24 hours."


class ServingView(View):
    """List the endpoints; one opens at the right."""

    url = ("endpoint", "dialog", "model_version_id", "status", "search", "page")

    endpoint = param.String("", doc="Name of the endpoint that is open.")
    dialog = param.String("", doc="Form that is open: serve.")
    model_version_id = param.String("", doc="Version that the form starts with.")
    status = param.String("", doc="Only endpoints in this state.")
    search = param.String("", doc="Part of the name.")
    page = param.Integer(1, bounds=(1, None), doc="Page of the list.")

    def build(self) -> list[Any]:
        """Return filters, table, form and drawer."""
        chips = bind_chips(FilterChips(groups=[chip_group("status", "Status", STATES)]), self, ["status"])
        table = DataTable(
            self, self.ws.endpoints.list, endpoint_columns(), on_open=self._open, empty=_nothing, page=self.page, page_size=25,
            filters=self._narrowed(),
        )  # fmt: skip
        tie(table, self, "page")
        self.param.watch(lambda *events: table.param.update(filters=self._narrowed()), ["status", "search"])
        drawer = DetailDrawer(self, lambda name: EndpointView(self.ws, endpoint=name), name="endpoint", width=760)
        dialog = DetailDrawer(
            self, lambda kind: ServeForm(self.ws, version=self.model_version_id, on_made=self._made), name="dialog"
        )
        return [line(search_field(self, label="Search endpoint or model"), chips, gap=2), table, drawer, dialog]

    def primary(self) -> Any:
        """Return the button that opens the form."""
        button = pmui.Button(label="Serve a version", icon="add", variant="contained", margin=0, css_classes=["serve-version"])
        button.on_click(lambda event: self.param.update(dialog="serve"))
        return button

    def _open(self, name: str) -> None:
        self.endpoint = name

    def _narrowed(self) -> dict[str, Any]:
        return {"status": self.status, "search": self.search}

    def _made(self, endpoint: Any) -> None:
        self.toasts.say(f"{endpoint.name} serves {endpoint.model_name} {endpoint.model_version}.")
        self.param.update(dialog="", endpoint=endpoint.name)


class ServeForm(View):
    """Ask which version to serve under which name."""

    version = param.String("", doc="Version chosen at first.")
    on_made = param.Callable(doc="Called with the endpoint made.")

    def build(self) -> list[Any]:
        """Return the form once the versions are known."""
        self._place = stack()
        self._known: list[Any] = []
        self._offered = Sought(self.ws.models, lambda model: f"{model.name} {model.version} ({model.status})")
        title = pmui.Typography("Serve a version", variant="h6", margin=0)
        return [title, self.live(self.ws.models.list, self._draw, page_size=50, sort="name", height=200)]

    def _draw(self, page: Any) -> Any:
        known = list(self._offered.take(page).items())
        if known == self._known:
            return self._place
        self._known = known
        if not known:
            return _no_model()
        fields = fields_of_operation(self.ws.endpoints.deploy, only=("model_version_id", "name", "follows"))
        form = ParameterForm(
            fields,
            lambda values: self.ws.endpoints.deploy(**values),
            label="Serve",
            done=self.on_made,
            choices={"model_version_id": self._offered},
            values={"model_version_id": self.version or next(iter(self._offered.values()))},
        )
        self._place.objects = [form]
        return self._place


def endpoint_columns() -> tuple[Column, ...]:
    """Return the columns of a list of endpoints."""
    return (
        column(Endpoint, "name", title="Endpoint", show=lambda name: Markup("<b>{}</b>").format(name)),
        column(Endpoint, "status"),
        Column("model", "Serves", _serves, whole=True, doc="Model and version."),
        Column("stage", "Stage", fmt.chip, doc=Endpoint.param.stage.doc),
        column(Endpoint, "follows"),
        Column("requests", "Requests, 24 h", fmt.integer, align="right"),
        Column("p95", "p95", lambda value: fmt.milliseconds(value, reason=NO_REQUESTS), align="right"),
        Column("error_rate", "Errors", lambda value: fmt.percent(value, reason=NO_REQUESTS), align="right"),
        column(Endpoint, "updated_at", title="Changed"),
    )


def _serves(row: Any) -> Markup:
    href = f"./models?model={row['model_version_id']}"
    return fmt.link(f"{row['model_name']} {row['model_version']}", href)


def _nothing() -> Any:
    return empty_state(
        "No endpoint yet. Deploy a model version to production, or serve any version here.", action="Models", href="./models"
    )


def _no_model() -> Any:
    return empty_state("There is no model version to serve.", action="Train one", href="./train?dialog=create")
