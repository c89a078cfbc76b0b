"""What every view shares: live parts, errors in their place, nothing left behind."""

from __future__ import annotations

import gc
import weakref
from typing import Any

import panel as pn
import pytest
from bokeh.document import Document
from panel.io.state import set_curdoc
from panel.util import edit_readonly

from tests.ui import gallery
from tests.ui.fakes import FakeHub, Operation, workspace
from tests.ui.rendered import eventually, shows, started, texts
from workbench.contract import Page
from workbench.domain.jobs import Job
from workbench.domain.system import Change, WorkspaceInfo
from workbench.errors import NotFound
from workbench.ui.components.head import head
from workbench.ui.components.markup import html
from workbench.ui.home import HomeView
from workbench.ui.jobs import JobsView
from workbench.ui.pages import build_page
from workbench.ui.settings import SettingsView
from workbench.ui.topbar import Footer, TopBar
from workbench.ui.view import View


class Plain(View):
    """Show a name."""

    def build(self) -> list[Any]:
        return [self.live(self.ws.system.info, lambda info: html(info.name))]


def page_of(jobs: list[Job]) -> Page[Job]:
    return Page(Job, [job.values() for job in jobs], total=len(jobs))


def info(name: str) -> WorkspaceInfo:
    return WorkspaceInfo(name=name, program_version="1", user="ann")


def test_nothing_is_asked_before_a_browser_is_there():
    ws = workspace(system={"info": info("first")})
    view = Plain(ws)
    view.__panel__()
    assert ws.system.info.calls == []
    view.ready._handle_msg("ready")
    shows(view, "first")
    view.close()


def test_a_view_made_by_a_click_in_a_cell_comes_to_life_too():
    ws = workspace(system={"info": info("first")})
    with set_curdoc(Document()):  # what a cell has while it answers; nobody runs what such a document puts off
        view = started(Plain(ws))
    shows(view, "first")
    view.close()


class Able(Plain):
    """Show a name, above it what can be done."""

    def primary(self) -> Any:
        return pn.widgets.Button(label="Make one")


def test_the_primary_action_stands_above_a_view_once_wherever_it_is_shown():
    ws = workspace(system={"info": info("first")})
    cell, paged = Able(ws), Able(ws)
    paged.paged = True
    page = pn.Column(head(paged), paged)
    for shown in (cell.__panel__(), page):
        assert len(list(shown.select(pn.widgets.Button))) == 1


def test_a_view_follows_its_topics_and_no_others():
    names = iter(["first", "second", "third"])
    ws = workspace(system={"info": lambda: info(next(names))})
    view = started(Plain(ws))
    shows(view, "first")
    tell("elsewhere")
    tell("system")
    shows(view, "second")
    view.close()
    tell("system")
    assert "third" not in texts(view)


def tell(topic: str) -> None:
    for listener in list(FakeHub.listeners):
        listener([Change(seq=1, topic=topic, id="x")])


def test_an_error_stands_where_the_answer_would_and_can_be_tried_again():
    error = NotFound.of("sheet", "sheet_x", ["sheet_y"])
    error.request_id = "req_1"
    answers = iter([error, info("back again")])
    view = started(Plain(workspace(system={"info": lambda: next(answers)})))
    shows(view, "No sheet 'sheet_x'. Did you mean 'sheet_y'?", "Try again", "req_1")
    view.parts[0].refresh()
    shows(view, "back again")
    assert "Try again" not in texts(view)
    view.close()


def test_what_breaks_while_drawing_is_shown_too():
    class Broken(Plain):
        def build(self) -> list[Any]:
            return [self.live(self.ws.system.info, lambda info: info.nothing_like_that)]

    view = started(Broken(workspace(system={"info": info("x")})))
    shows(view, "AttributeError", "nothing_like_that")
    view.close()


def test_a_silent_part_shows_its_errors():
    class Watching(Plain):
        def build(self) -> list[Any]:
            self.watch(self.ws.system.info, lambda info: None)
            return [html("fine")]

    view = started(Watching(workspace(system={"info": NotFound("Gone, look elsewhere.")})))
    shows(view, "fine", "Gone, look elsewhere.")
    view.close()


def test_an_answer_that_comes_after_the_tab_has_left_is_dropped_in_silence():
    view = Plain(workspace(system={"info": info("first")}))
    view.document = document = Document()
    document.callbacks._change_callbacks[None] = lambda event: event
    document.destroy(None)
    with pytest.raises(AttributeError):
        document.add_next_tick_callback(print)

    view.run(print)

    document.add_next_tick_callback = lambda task: task.nothing
    with pytest.raises(AttributeError, match="nothing"):
        view.run(print)


@pytest.mark.parametrize("kind", [Plain, TopBar, Footer, gallery.TableView, gallery.PartsView], ids=lambda kind: kind.__name__)
def test_a_closed_view_leaves_nothing_behind(kind):
    before = len(FakeHub.listeners)
    view = started(kind(gallery.gallery_workspace()))
    eventually(lambda: len(FakeHub.listeners) > before)
    parts = list(view.parts)
    root = view.__panel__().get_root()
    view.__panel__()._cleanup(root)
    view.ready.leave()
    assert eventually(lambda: len(FakeHub.listeners) == before)
    assert all(part.query._closed for part in parts)


def test_running_jobs_are_drawn_only_for_who_looks_and_their_rows_stay():
    running = [Job(id=f"job_{n}", name=f"job {n}", status="running", progress_percent=n) for n in (10, 20)]
    ws = workspace(system={"info": info("first")}, jobs={"list": page_of(running)})
    bar = started(TopBar(ws))
    assert eventually(lambda: bar.running.button.visible)
    assert (bar.running.button.label, list(bar.running.list)) == ("2 jobs", [])
    with bar.guard:  # the answer is still being drawn, on a thread of its own; a session draws on one
        bar.running.popup.open = True
    first, second, rest = bar.running.list
    further = Job(id="job_10", name="job 10", status="running", progress_percent=60)
    bar.running.update(page_of([further, running[1]]))
    assert [*bar.running.list] == [first, second, rest]
    assert "60" in first[0].object
    bar.running.update(page_of(running[1:]))
    assert [*bar.running.list] == [second, rest]
    bar.running.update(page_of([]))
    assert "No job runs." in bar.running.list[0].object


def test_views_are_freed():
    view = Plain(workspace(system={"info": info("x")}))
    view.__panel__()
    view.close()
    gone = weakref.ref(view)
    del view
    assert eventually(lambda: gc.collect() is not None and gone() is None)


def test_home_tells_an_empty_workspace_how_to_begin(local):
    view = started(HomeView(local))
    shows(view, "Import a table", "workbench demo")
    view.close()


def test_home_shows_the_loop(local):
    local.sheets.create("many words", rows=[{"word": "a"}])
    view = started(HomeView(local))
    shows(view, "Rows", "Make a training sheet", "imported many words", "No job runs.")
    view.close()


def test_jobs_show_progress_curves_history_and_actions(local):
    run = local.jobs.start_external("lr sweep", config={"lr": 0.5}).job
    local.jobs.log_metrics(run.id, [{"name": "train_loss", "step": n, "value": 1 / (n + 1)} for n in range(9)])
    view = started(JobsView(local, job=run.id))
    shows(view, "lr sweep", "running", "external")
    detail = started(view.detail._shown)
    shows(detail, "Loss", "Lr", "0.500", "Cancel")
    assert len(detail.board._curves["loss"].sources["train_loss"].data["x"]) == 9
    local.jobs.log_metrics(run.id, [{"name": "train_loss", "step": 9, "value": 0.1}])
    assert eventually(lambda: len(detail.board._curves["loss"].sources["train_loss"].data["x"]) == 10)
    local.jobs.cancel(run.id)
    shows(view, "cancelled")
    detail.close()
    view.close()


def test_settings_show_workspace_trainers_and_tables(local):
    view = started(SettingsView(local))
    shows(view, "text-classifier", "training_sheets", "admin", "Check everything")
    view.close()


def test_fake_operations_answer_like_facade_methods():
    assert Operation(info("x"))().name == "x"


def test_no_event_of_a_browser_goes_through_the_whole_page():
    page = build_page(gallery.gallery_workspace(), gallery.SCREENS[0], gallery.SCREENS)
    with edit_readonly(pn.state):
        pn.state.busy = True
        assert not page.busy
        pn.state.busy = False
