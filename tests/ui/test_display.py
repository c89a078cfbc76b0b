"""Records and workspaces in notebook cells."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace
from typing import Any

import panel as pn
import pytest
from bokeh.document import Document
from bokeh.models import ImportedStyleSheet
from panel.io.resources import CDN_DIST
from panel.models.comm_manager import CommManager
from panel.viewable import Renderable
from pyviz_comms import Comm

from tests.architecture.subjects import record_types
from tests.ui.rendered import shows, started, texts
from workbench.client.workspace import record_namespaces
from workbench.domain.jobs import Job
from workbench.ui import notebook, notebook_bundle
from workbench.ui.display import VIEWS, cell, load_again, register, view_of
from workbench.ui.home import HomeView
from workbench.ui.job import JobView
from workbench.ui.record_view import RecordView


def test_a_workspace_is_shown_by_home(local):
    assert isinstance(view_of(local), HomeView)


def test_records_are_shown_by_their_views(local):
    run = local.jobs.start_external("sweep").job
    assert isinstance(view_of(run), JobView)


@pytest.mark.parametrize("kind", VIEWS, ids=lambda kind: kind.__name__)
def test_every_listed_view_takes_what_the_list_says(kind):
    view, argument, field = VIEWS[kind]
    assert argument in view.param
    assert field in kind.own_fields()


@pytest.mark.parametrize("kind", record_types(), ids=lambda kind: f"{kind.__module__}.{kind.__name__}")
def test_every_record_can_be_shown(kind):
    view = RecordView(None, record=kind())
    view.__panel__()
    assert texts(view)


def test_records_that_can_be_fetched_are_followed(local):
    template = next(kind for kind in record_namespaces() if kind.__name__ == "Template")
    assert template in VIEWS or "get" in dir(getattr(local, record_namespaces()[template]))


def test_pages_are_tables(local):
    local.jobs.start_external("lr sweep")
    view = started(view_of(local.jobs.list()))
    shows(view, "lr sweep", "1 of 1 job")


def test_a_loose_record_is_shown_as_it_is():
    view = view_of(Job(id="job_1", name="alone", status="failed"))
    assert isinstance(view, RecordView)
    assert "alone" in texts(view)


def test_a_cell_fits():
    assert cell(Job(id="job_1")).max_height <= 640


class Shell:
    """As much of IPython as the extension touches."""

    def __init__(self, kernel: Any) -> None:
        self.kernel = kernel
        self.execution_count = 1
        self.types: list[type] = []
        formatter = SimpleNamespace(for_type=lambda kind, show: self.types.append(kind))
        self.display_formatter = SimpleNamespace(mimebundle_formatter=formatter)
        self.events = SimpleNamespace(register=lambda name, function: setattr(self, "after", function))


def test_a_terminal_keeps_its_one_line_texts():
    shell = Shell(None)
    register(shell)
    assert shell.types == []


def test_the_scripts_come_again_when_the_loading_cell_runs_again(monkeypatch):
    prepared: list[Any] = []
    monkeypatch.setattr("workbench.ui.display.prepare", prepared.append)
    shell = Shell(object())
    register(shell)
    result = SimpleNamespace(info=SimpleNamespace(raw_cell="%load_ext workbench"))
    shell.after(result)
    assert len(prepared) == 1
    shell.execution_count = 2
    shell.after(result)
    load_again(shell, SimpleNamespace(info=SimpleNamespace(raw_cell="ws")), first=1)
    assert len(prepared) == 2


@pytest.fixture
def patched(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("panel.reactive.patch_stylesheet", pn.reactive.patch_stylesheet)
    notebook.keep_stylesheets_at_home()


def test_later_stylesheets_stay_at_home(patched):
    sheet = ImportedStyleSheet(url=f"{CDN_DIST}css/loading.css")
    pn.reactive.patch_stylesheet(sheet, CDN_DIST)
    assert sheet.url.startswith("data:text/css;base64,")


def test_panel_still_asks_its_cdn_for_later_stylesheets(monkeypatch):
    sheet = ImportedStyleSheet(url=f"{CDN_DIST}css/loading.css")
    pn.io.resources.patch_stylesheet(sheet, CDN_DIST)
    assert sheet.url.startswith("https://")


def test_unknown_and_foreign_stylesheets_are_left_alone(patched):
    for url in (f"{CDN_DIST}css/no-such-file.css", "https://other.example/x.css"):
        sheet = ImportedStyleSheet(url=url)
        pn.reactive.patch_stylesheet(sheet, CDN_DIST)
        assert sheet.url == url


def heard_by_a_button(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return what a button finds in a field that was filled and left for it, when a browser sends both at once."""
    field = pn.widgets.TextInput()
    heard: list[str] = []
    press(monkeypatch, field, lambda: heard.append(field.value))
    return heard


def press(monkeypatch: pytest.MonkeyPatch, field: pn.widgets.TextInput, pressed_now: Callable[[], Any]) -> Document:
    """Let a cell hear of a field that was filled and left for a button that does something."""
    button = pn.widgets.Button()
    button.on_click(lambda event: pressed_now())
    row = pn.Row(field, button)
    document, comm = Document(), Comm()
    root = row.get_root(document, comm)
    document.add_root(root)
    ref = root.ref["id"]
    monkeypatch.setitem(pn.state._views, ref, (row, root, document, comm))
    filled, pressed = (widget._models[ref][0].id for widget in (field, button))
    click = {"type": "event", "name": "button_click", "values": {"type": "map", "entries": [["model", {"id": pressed}]]}}
    events = [
        {"kind": "ModelChanged", "model": {"id": filled}, "attr": "value", "new": "typed"},
        {"kind": "MessageSent", "msg_type": "bokeh_event", "msg_data": click},
    ]
    row._on_msg(ref, CommManager(), message(events))
    return document


def message(events: list[dict[str, Any]]) -> dict[str, Any]:
    return {"header": {"msgid": "1", "msgtype": "PATCH-DOC"}, "metadata": {}, "content": {"events": events}, "_buffers": {}}


def test_a_cell_hears_of_a_field_before_the_button_it_was_left_for(monkeypatch):
    monkeypatch.setattr(Renderable, "_on_msg", Renderable._on_msg)
    notebook.hear_in_order()
    assert heard_by_a_button(monkeypatch) == ["typed"]


def test_panel_still_hears_of_the_button_first(monkeypatch):
    original = Renderable._on_msg
    monkeypatch.setattr(Renderable, "_on_msg", getattr(original, "__wrapped__", original))
    assert heard_by_a_button(monkeypatch) == [""]


@pytest.fixture
def hand(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    monkeypatch.setattr(Renderable, "_on_msg", Renderable._on_msg)
    notebook.hear_in_order()
    with ThreadPoolExecutor(max_workers=1, thread_name_prefix=notebook._HAND) as made:
        monkeypatch.setattr(notebook, "_hand", made)
        yield made


def test_a_cell_hears_where_it_draws(monkeypatch, hand):
    seen: list[str] = []

    def pressed_now() -> None:
        notebook.draw(lambda: seen.append("drawn"))
        notebook.in_turn(lambda: seen.append("within"))
        seen.append(threading.current_thread().name)

    press(monkeypatch, pn.widgets.TextInput(), pressed_now)
    hand.submit(int).result()
    assert seen == ["within", f"{notebook._HAND}_0", "drawn"]


def test_what_goes_wrong_in_turn_reaches_whoever_asked(hand):
    with pytest.raises(ZeroDivisionError):
        notebook.in_turn(lambda: 1 / 0)


def test_panel_still_drops_what_was_drawn_but_not_sent_while_it_hears(monkeypatch):
    original = Renderable._on_msg
    monkeypatch.setattr(Renderable, "_on_msg", getattr(original, "__wrapped__", original))
    field = pn.widgets.TextInput()
    changed: list[Any] = []

    def half_drawn() -> None:
        model, _ = next(iter(field._models.values()))
        model.placeholder = "not sent yet"
        changed.extend(model.document.callbacks._held_events)

    document = press(monkeypatch, field, half_drawn)
    assert changed[-1].attr == "placeholder"
    assert document.callbacks._held_events == []


def test_a_message_is_parted_where_changes_and_calls_meet():
    kinds = ["ModelChanged", "ModelChanged", "MessageSent", "MessageSent", "ModelChanged"]
    parts = notebook.parted(message([{"kind": kind, "n": n} for n, kind in enumerate(kinds)]))
    assert [[event["n"] for event in part["content"]["events"]] for part in parts] == [[0, 1], [2, 3], [4]]


def test_the_bundle_travels_once():
    assert len(notebook_bundle.loader()) > 1_000_000
    assert len(notebook_bundle.STUB) < 500
    assert ".material-icons{" in notebook_bundle.icon_rules()
    assert notebook_bundle.font_faces().count("@font-face") == 4
