"""One page with every component on it, over canned answers: what the browser tests look at."""

from __future__ import annotations

import datetime as dt
from types import SimpleNamespace
from typing import Annotated, Any, Literal

import panel_material_ui as pmui
import param

from tests.ui.fakes import FakeHub, Operation, workspace
from workbench.contract import Field, Page, PageNumber, PageSize, command, query
from workbench.contract.operation import collect
from workbench.domain.jobs import STATUSES, Job
from workbench.domain.label import TextPiece
from workbench.domain.record import Action
from workbench.domain.system import WorkspaceInfo
from workbench.errors import NotFound, ValidationError
from workbench.ui import format as fmt
from workbench.ui.components.actions import ActionBar
from workbench.ui.components.chips import FilterChips, bind_chips, chip_group, search_field
from workbench.ui.components.columns import columns
from workbench.ui.components.curve import Curve
from workbench.ui.components.drawer import DetailDrawer
from workbench.ui.components.fields import fields_of_operation
from workbench.ui.components.figures import Figure, figure_row, funnel, word_diff
from workbench.ui.components.forms import ParameterForm
from workbench.ui.components.keys import KeyCatcher
from workbench.ui.components.markup import html, show
from workbench.ui.components.progress import ProgressPanel
from workbench.ui.components.record_choice import RecordChoice, Sought
from workbench.ui.components.states import ErrorState, empty_state
from workbench.ui.components.table import DataTable
from workbench.ui.pages import Screen
from workbench.ui.view import View

T0 = dt.datetime(2026, 1, 1, 9, 0)
ACTIONS = (
    Action(name="stop", label="Stop and keep the best"),
    Action(name="cancel", label="Cancel", confirm="Cancel the job and discard its work?"),
    Action(name="retry", label="Retry", enabled=False, reason="Only a failed job can be retried."),
)


def job(number: int) -> Job:
    status = STATUSES[number % len(STATUSES)]
    return Job(
        id=f"job_{number:04d}",
        kind="train",
        name=f"classifier <b>{number:03}</b>",
        status=status,
        progress_percent=number % 101,
        message="Epoch 3 of 10",
        created_at=T0,
        duration_seconds=133.0 + number,
        eta_seconds=61.0,
        actions=ACTIONS,
    )


class Declared:
    """Declare what the gallery calls; the answers are canned."""

    @query("GET", "/gallery", topics=("jobs",))
    def list(
        self,
        *,
        status: Literal["queued", "running", "failed"] | None = None,
        search: str = "",
        sort: Literal["name", "progress_percent"] = "name",
        descending: bool = False,
        page: PageNumber = 1,
        page_size: PageSize = 50,
    ) -> Page[Job]:
        """List jobs."""

    @command("POST", "/gallery", roles={"admin"})
    def create(
        self,
        name: Annotated[str, Field(min_length=3, max_length=60, description="Name for people.")],
        *,
        epochs: Annotated[int, Field(ge=1, le=50, description="Passes over the data.")] = 10,
        learning_rate: Annotated[float, Field(ge=1e-5, le=1, description="Step size.")] = 0.5,
        optimizer: Annotated[Literal["sgd", "adam"], Field(description="How weights move.")] = "sgd",
        shuffle: Annotated[bool, Field(description="Mix the rows before each pass.")] = True,
        notes: Annotated[str, Field(max_length=5000, description="Anything worth knowing.")] = "",
    ) -> Job:
        """Create a job."""


OPERATIONS = collect(Declared, "gallery")
ALL = [job(number) for number in range(130)]


def listed(
    *, page: int = 1, page_size: int = 50, status: str = "", search: str = "", sort: str = "name", descending: bool = False
) -> Page[Job]:
    found = [j for j in ALL if status in ("", j.status) and search in j.name]
    found.sort(key=lambda j: getattr(j, sort), reverse=descending)
    rows = [j.values() for j in found[(page - 1) * page_size : page * page_size]]
    return Page(Job, rows, total=len(found), page=page, page_size=page_size)


def created(**values: Any) -> Job:
    checked = OPERATIONS["create"].validate(values)
    return job(1).with_(name=checked["name"])


def fetched(job_id: str) -> Job:
    return next(j for j in ALL if j.id == job_id)


def gallery_workspace() -> Any:
    ws = workspace(
        system={"info": WorkspaceInfo(name="gallery", program_version="1.2.3", user="ann")},
        jobs={"list": listed, "get": fetched},
        broken={"list": NotFound.of("sheet", "sheet_x", ["sheet_y"])},
    )
    ws.gallery = SimpleNamespace(
        list=Operation(listed, operation=OPERATIONS["list"]), create=Operation(created, operation=OPERATIONS["create"])
    )
    return ws


class DetailView(View):
    """Show one job."""

    job_id = param.String("", doc="Id.")

    def build(self) -> list[Any]:
        return [self.live(self.ws.jobs.get, self._draw, job_id=self.job_id)]

    def _draw(self, found: Job) -> Any:
        self.performed: list[str] = []
        bar = ActionBar(
            found.actions, self._run, toasts=self.toasts, undo=lambda name, result: lambda: self.toasts.say("Taken back.")
        )
        return [
            html(fmt.facts([("Id", fmt.short_id(found.id)), ("Created", fmt.moment(found.created_at))])),
            ProgressPanel(found),
            bar,
        ]

    def _run(self, name: str) -> Any:
        self.performed.append(name)


class TableView(View):
    """Show a table with filters, search and a drawer."""

    url = ("status", "search", "selected", "page")
    status = param.String("", doc="Status shown.")
    search = param.String("", doc="Text in the name.")
    selected = param.String("", doc="Id of the open job.")
    page = param.Integer(1, doc="Page.")

    def build(self) -> list[Any]:
        self.sentence = "130 jobs, 22 of them running"
        chips = FilterChips(groups=[chip_group("status", "Status", ["queued", "running", "failed"], counts={"running": 22})])
        self.table = DataTable(
            self,
            self.ws.gallery.list,
            columns(Job, "id", "name", "status", "progress_percent", "duration_seconds", "created_at"),
            on_open=lambda found: self.param.update(selected=found),
            selectable=True,
            page=self.page,
            page_size=12,
            filters={"status": self.status, "search": self.search},
        )
        self.param.watch(
            lambda *e: self.table.param.update(filters={"status": self.status, "search": self.search}), ["status", "search"]
        )
        self.tie(self.table, page="page", selected="open_id")
        bar = pmui.Row(bind_chips(chips, self, ["status"]), search_field(self), margin=0, sizing_mode="stretch_width")
        return [bar, self.table, DetailDrawer(self, lambda found: DetailView(self.ws, job_id=found))]

    def primary(self) -> Any:
        return pmui.Button(label="New job", variant="contained", icon="add", margin=0)


class ManyRecords:
    """Five hundred records, of which a page holds a few, as `ws.training_sheets` does."""

    ALL = tuple(SimpleNamespace(id=f"rec_{n:04d}", name=f"Round {n}") for n in range(500))

    def list(self, *, search: str = "", page_size: int = 50) -> list[Any]:
        return [one for one in self.ALL if search.lower() in one.name.lower()][:page_size]

    def get(self, id: str) -> Any:
        return next(one for one in self.ALL if one.id == id)


class PartsView(View):
    """Show the other components."""

    def build(self) -> list[Any]:
        self.keys_seen: list[tuple[str, int]] = []
        self.echo = html("no key yet")
        self.curve = Curve("Loss", {"train_loss": "train", "val_loss": "validation"}, height=220)
        self.curve.update({"train_loss": points(40), "val_loss": points(40, 0.1)[::4]})
        keys = KeyCatcher(
            pmui.Column(pmui.TextInput(label="Free text", margin=0), self.echo, margin=0, sizing_mode="stretch_width"),
            self._pressed,
            keys=["a", "r", "j", "Ctrl+Enter"],
            typing_keys=["Escape", "Ctrl+Enter"],
        )
        figures = [
            Figure("Requests", fmt.integer(12430), note="in the last hour", href="./monitor"),
            Figure("p95", fmt.number(3.25, 1), unit="ms"),
            Figure("Error rate", fmt.percent(0.0123)),
            Figure("Health", fmt.chip("healthy")),
        ]
        steps = [Figure(name, fmt.integer(count), note="+3 since yesterday") for name, count in STEPS]
        self.form = ParameterForm(
            fields_of_operation(self.ws.gallery.create), lambda values: self.ws.gallery.create(**values), label="Create job",
            done=lambda made: self.toasts.say(f"Created {made.name}."), columns=2,
        )  # fmt: skip
        many = ManyRecords()
        self.choice = RecordChoice(Sought(many).take(many.list()), value="rec_0321", label="Round", margin=0, css_classes=["round"])
        diff = word_diff(
            [TextPiece(text="It is "), TextPiece(op="removed", text="os"), TextPiece(op="added", text="pathlib <x>")]
        )
        return [
            funnel(steps), figure_row(figures), keys, ProgressPanel(job(43)), self.curve, html(diff), self.form, self.choice,
            self.live(self.ws.broken.list, lambda value: None), empty_state("No sheets yet.", action="Import a table", href="./data"),
            ErrorState(ValidationError.field("name", "too short"), what="The form was not saved"),
        ]  # fmt: skip

    def _pressed(self, key: str, number: int) -> None:
        self.keys_seen.append((key, number))
        show(self.echo, " ".join(f"{k}{n}" for k, n in self.keys_seen))


STEPS = (
    ("Rows", 16640),
    ("Pairs", 2400),
    ("Reviewed", 1900),
    ("Eligible", 1810),
    ("Jobs", 3),
    ("Models", 2),
    ("Live", 1),
    ("Requests", 240),
)


def points(count: int, lift: float = 0.0) -> list[dict[str, Any]]:
    return [{"step": n, "value": 1 / (n + 1) + lift, "epoch": n // 10 + 1} for n in range(count)]


SCREENS = (Screen("/table", "Table", "table_chart", TableView), Screen("/parts", "Parts", "category", PartsView))
__all__ = ["SCREENS", "FakeHub", "gallery_workspace"]
