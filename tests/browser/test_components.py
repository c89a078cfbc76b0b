"""Every component in a real browser."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import panel as pn
import pytest
from fastapi import FastAPI
from playwright.sync_api import expect

from tests.server.serving import running
from tests.ui import gallery
from workbench.server.panel_bridge import mount_pages
from workbench.ui.pages import Screen, build_page
from workbench.ui.view import View

pytestmark = pytest.mark.browser


class Served:
    """A gallery on a socket, with the views it made."""

    def __init__(self) -> None:
        self.url = ""
        self.views: list[View] = []
        self.ws = gallery.gallery_workspace()

    def page(self, screen: Screen) -> Callable[[], Any]:
        def build() -> Any:
            def view(ws: Any) -> View:
                self.views.append(screen.view(ws))
                return self.views[-1]

            return build_page(self.ws, Screen(screen.path, screen.title, screen.icon, view), gallery.SCREENS)

        return build


@pytest.fixture(scope="module")
def served() -> Iterator[Served]:
    found = Served()
    app = FastAPI()
    mount_pages(app, {s.path: found.page(s) for s in gallery.SCREENS}, unused_session_s=10, check_s=0.5)

    @app.get("/ping")
    def ping() -> str:
        return "pong"

    with running(app) as found.url:
        yield found


def eventually(check: Callable[[], Any], seconds: float = 60) -> Any:
    until = time.monotonic() + seconds
    while True:
        result = check()
        if result or time.monotonic() > until:
            return result
        time.sleep(0.05)


def test_nothing_comes_from_outside_and_nothing_complains(tab: Any, served: Served) -> None:
    for path in ("/table", "/parts"):
        tab.goto(served.url + path)
        tab.get_by_text("Version 1.2.3").wait_for()
        tab.wait_for_timeout(300)
    assert tab.journal.clean(), tab.journal


def test_pages_of_a_table_are_asked_from_the_service(tab: Any, served: Served) -> None:
    tab.goto(served.url + "/table")
    tab.get_by_text("130 rows").wait_for()
    expect(tab.locator("tbody tr")).to_have_count(12)
    tab.get_by_label("Go to page 3").click()
    tab.locator("tr[data-id=job_0024]").wait_for()
    tab.wait_for_function("location.href.includes('page=3')")
    given = {"page": 3, "page_size": 12}
    assert eventually(lambda: served.ws.gallery.list.calls[-1] == given), served.ws.gallery.list.calls[-1]


def test_order_and_filter_start_over_at_the_first_page(tab: Any, served: Served) -> None:
    tab.goto(served.url + "/table?page=2")
    tab.locator("tr[data-id=job_0012]").wait_for()
    tab.locator("th button", has_text="Progress").click()
    tab.locator("th[aria-sort=ascending]", has_text="Progress").wait_for()
    tab.locator("th button", has_text="Progress").click()
    tab.locator("tr[data-id=job_0100]").wait_for()
    tab.locator("button", has_text="failed").click()
    tab.get_by_text("21 rows").wait_for()
    given = {"page": 1, "page_size": 12, "sort": "progress_percent", "descending": True, "status": "failed"}
    assert eventually(lambda: served.ws.gallery.list.calls[-1] == given), served.ws.gallery.list.calls[-1]
    tab.wait_for_function("location.href.includes('status=failed')")
    tab.wait_for_function("!location.href.includes('page=')")


def test_columns_that_the_service_does_not_sort_have_no_button(tab: Any, served: Served) -> None:
    tab.goto(served.url + "/table")
    tab.get_by_text("130 rows").wait_for()
    assert tab.locator("th button").all_inner_texts() == ["Name", "Progress"]


def test_selection_keeps_ids_over_pages(tab: Any, served: Served) -> None:
    tab.goto(served.url + "/table")
    tab.locator("tr[data-id=job_0001] input").check()
    tab.get_by_label("Go to page 2").click()
    tab.locator("tr[data-id=job_0013] input").check()
    assert eventually(lambda: served.views[-1].table.selected == ["job_0001", "job_0013"]), served.views[-1].table.selected


def test_a_row_opens_a_drawer_that_has_an_address(tab: Any, served: Served) -> None:
    tab.goto(served.url + "/table")
    tab.locator("tr[data-id=job_0001]").click()
    tab.locator(".action-cancel").wait_for()
    tab.wait_for_function("location.href.includes('selected=job_0001')")
    tab.reload()
    tab.locator(".action-cancel").wait_for()
    tab.locator(".close-drawer").click()
    tab.locator(".action-cancel").wait_for(state="hidden")
    tab.wait_for_url("**/table")


def test_markup_in_names_is_shown_as_text(tab: Any, served: Served) -> None:
    tab.goto(served.url + "/table")
    tab.get_by_text("classifier <b>001</b>", exact=True).wait_for()


def test_destructive_actions_ask_and_can_be_taken_back(tab: Any, served: Served) -> None:
    tab.goto(served.url + "/table?selected=job_0001")
    tab.locator(".action-cancel").click()
    question = tab.get_by_text("Cancel the job and discard its work?")
    question.wait_for()
    tab.keyboard.press("Escape")
    expect(question).to_be_hidden()
    expect(tab.get_by_text("Cancel: done.")).to_have_count(0)
    tab.locator(".action-cancel").click()
    tab.locator(".confirm").click()
    tab.get_by_text("Cancel: done.").wait_for()
    tab.get_by_text("Undo", exact=True).click()
    tab.get_by_text("Taken back.").wait_for()


def test_a_disabled_action_says_why(tab: Any, served: Served) -> None:
    tab.goto(served.url + "/table?selected=job_0001")
    tab.locator(".action-retry").wait_for()
    assert tab.locator(".action-retry button").is_disabled()
    tab.locator(".action-retry").hover(force=True)
    tab.get_by_text("Only a failed job can be retried.").wait_for()


def test_keys_arrive_once_and_in_order_and_not_while_typing(tab: Any, served: Served) -> None:
    tab.goto(served.url + "/parts")
    tab.get_by_text("no key yet").wait_for()
    for _ in range(10):
        for key in ("a", "r", "j"):
            tab.keyboard.press(key)
    seen = served.views[-1].keys_seen
    assert eventually(lambda: len(seen) == 30), seen
    assert seen == [(key, 3 * turn + n) for turn in range(10) for n, key in enumerate(("a", "r", "j"), start=1)]
    field = tab.get_by_label("Free text")
    field.click()
    field.press_sequentially("raja")
    assert field.input_value() == "raja"
    tab.keyboard.press("Escape")
    assert eventually(lambda: seen[30:] == [("Escape", 31)]), seen[30:]


def test_a_curve_moves_by_streaming_new_points(tab: Any, served: Served) -> None:
    tab.goto(served.url + "/parts")
    tab.locator("canvas").first.wait_for()
    frames: list[str] = []
    tab.on("websocket", lambda socket: socket.on("framereceived", lambda frame: frames.append(str(frame))))
    tab.reload()
    tab.get_by_text("Version 1.2.3").wait_for()
    while frames:  # until the page has all it was sent at first
        frames.clear()
        tab.wait_for_timeout(500)
    view = served.views[-1]
    view.document.add_next_tick_callback(lambda: view.curve.update({"train_loss": gallery.points(43)}))
    count = "() => Bokeh.documents[0].all_models.size"
    assert tab.evaluate(count) > 0
    drawn = """() => [...Bokeh.documents[0].all_models].find((m) => m.type === "ColumnDataSource").data.x.length"""
    assert eventually(lambda: tab.evaluate(drawn) == 43), tab.evaluate(drawn)
    sent = [frame for frame in frames if "ColumnsStreamed" in frame]
    assert 1 <= len(sent) <= 2
    assert len("".join(sent)) < 4000


def test_a_form_shows_every_fault_at_its_field(tab: Any, served: Served) -> None:
    tab.goto(served.url + "/parts")
    epochs = tab.locator(".field-epochs input")
    epochs.fill("500")
    epochs.press("Tab")
    name = tab.locator(".field-name input")
    name.fill("ab")
    name.press("Tab")
    tab.locator(".submit").click()
    tab.locator(".field-name [role=alert]").wait_for()
    expect(tab.locator(".field-name [role=alert]")).to_contain_text("3")
    expect(tab.locator(".field-epochs [role=alert]")).to_contain_text("50")
    name.fill("a good name")
    name.press("Tab")
    epochs.fill("5")
    epochs.press("Tab")
    tab.locator(".submit").click()
    tab.get_by_text("Created a good name.").wait_for()
    expect(tab.locator("[role=alert]")).to_have_count(0)
    assert served.ws.gallery.create.calls[-1]["epochs"] == 5


TYPE_AND_CLICK = """
([input, button, text]) => {
  input.focus()
  input.select()
  document.execCommand("insertText", false, text)
  button.focus()
  button.click()
}
"""


def test_a_number_typed_is_there_when_the_button_is_clicked_in_the_same_breath(tab: Any, served: Served) -> None:
    tab.goto(served.url + "/parts")
    tab.locator(".field-name input").fill("in one go")
    tab.locator(".field-name input").press("Tab")
    calls = served.ws.gallery.create.calls
    for name, typed, number in (("epochs", "7", 7), ("learning_rate", "0.25", 0.25), ("epochs", "8", 8), ("epochs", "7", 7)):
        already = len(calls)
        field, button = tab.locator(f".field-{name} input"), tab.locator(".submit button, button.submit").first
        expect(button).to_be_enabled()
        tab.evaluate(TYPE_AND_CLICK, [field.element_handle(), button.element_handle(), typed])
        assert eventually(lambda before=already: len(calls) > before)
        assert number == calls[-1][name]


def test_a_number_is_typed_as_it_comes_and_what_is_none_leaves_the_former(tab: Any, served: Served) -> None:
    tab.goto(served.url + "/parts")
    rate = tab.locator(".field-learning_rate input")
    rate.click()
    tab.keyboard.press("ControlOrMeta+a")
    for key in ("0", ".", "0", "5", "Backspace", "7"):
        tab.keyboard.press(key)
        expect(rate).to_have_js_property("value", {"Backspace": "0.0", "7": "0.07"}.get(key) or rate.input_value())
    assert "0.07" == rate.input_value()
    tab.keyboard.press("Tab")
    tab.locator(".field-name input").fill("another one")
    tab.locator(".field-name input").press("Tab")
    epochs = tab.locator(".field-epochs input")
    epochs.fill("seven")
    epochs.press("Tab")
    expect(epochs).to_have_value("10")
    calls = served.ws.gallery.create.calls
    already = len(calls)
    tab.locator(".submit").click()
    expect(tab.get_by_text("Created another one.")).to_be_visible()
    assert len(calls) > already
    assert (10, 0.07) == tuple(calls[-1].get(name) for name in ("epochs", "learning_rate"))


def test_one_of_many_is_chosen_by_a_part_of_its_name(tab: Any, served: Served) -> None:
    tab.goto(served.url + "/parts")
    box = tab.locator(".round input")
    expect(box).to_have_value("Round 321")
    choice = served.views[-1].choice
    options = tab.get_by_role("option")

    box.click()
    expect(options).to_have_count(51)
    tab.keyboard.type("round 41")
    expect(options).to_have_text(["Round 41", *(f"Round {n}" for n in range(410, 420))])
    for key in ("ArrowDown", "ArrowDown", "ArrowDown", "Enter"):
        tab.keyboard.press(key)
    assert eventually(lambda: "rec_0411" == choice.value), choice.value
    expect(box).to_have_value("Round 411")

    tab.keyboard.press("ControlOrMeta+a")
    tab.keyboard.type("nothing of the kind")
    expect(options).to_have_count(0)
    tab.keyboard.press("Tab")
    expect(box).to_have_value("Round 411")
    assert "rec_0411" == choice.value


def test_errors_stay_where_they_belong(tab: Any, served: Served) -> None:
    tab.goto(served.url + "/parts")
    tab.get_by_text("No sheet 'sheet_x'. Did you mean 'sheet_y'?").wait_for()
    expect(tab.get_by_text("Try again")).to_have_count(1)


def test_times_are_relative_and_ids_copy(tab: Any, served: Served) -> None:
    tab.context.grant_permissions(["clipboard-read", "clipboard-write"])
    tab.goto(served.url + "/table")
    time_cell = tab.locator("tr[data-id=job_0001] wb-time")
    expect(time_cell).to_contain_text("ago")
    assert time_cell.get_attribute("title") == "2026-01-01 09:00:00 UTC"
    tab.locator("tr[data-id=job_0001] wb-id").click()
    assert tab.evaluate("navigator.clipboard.readText()") == "job_0001"
    tab.wait_for_function("!location.href.includes('selected')")


def test_dark_travels_with_the_links(tab: Any, served: Served) -> None:
    tab.goto(served.url + "/table")
    tab.get_by_text("130 rows").wait_for()
    tab.get_by_label("Toggle theme").click()
    tab.wait_for_url("**/table?theme=dark")
    tab.get_by_text("Parts", exact=True).click()
    tab.get_by_text("no key yet").wait_for()
    tab.wait_for_function("location.href.includes('theme=dark')")
    ground = tab.evaluate("getComputedStyle(document.body).backgroundColor")
    assert ground == "rgb(17, 22, 29)"


def test_a_page_is_dark_where_the_system_is_until_its_visitor_chooses(tab: Any, served: Served) -> None:
    ground = "getComputedStyle(document.body).backgroundColor"
    dark, light = "rgb(17, 22, 29)", "rgb(245, 247, 250)"
    tab.emulate_media(color_scheme="dark")
    tab.goto(served.url + "/table")
    tab.wait_for_function(f"{ground} === '{dark}'")
    assert tab.locator("html[data-dark]").count(), "what hangs on the page goes by it"
    assert "theme" not in tab.url, "nobody chose it"
    tab.get_by_text("Parts", exact=True).click()
    tab.get_by_text("no key yet").wait_for()
    assert tab.evaluate(ground) == dark

    tab.get_by_label("Toggle theme").click()
    tab.wait_for_function(f"{ground} === '{light}'")
    assert not tab.locator("html[data-dark]").count()
    tab.goto(served.url + "/table")
    tab.get_by_text("130 rows").wait_for()
    tab.wait_for_function(f"{ground} === '{light}'")
    tab.wait_for_timeout(500)
    assert tab.evaluate(ground) == light, "a choice holds for the tab"


def test_a_slow_callback_holds_up_nobody_else(tab: Any, served: Served) -> None:
    tab.goto(served.url + "/parts")
    tab.get_by_text("no key yet").wait_for()
    view = served.views[-1]
    entered: list[bool] = []

    answered = threading.Event()

    def slow(values: dict[str, Any]) -> None:
        entered.append(True)
        entered.append(answered.wait(60))

    view.form._submit = slow
    tab.locator(".submit").click()
    assert eventually(lambda: entered)
    assert httpx.get(served.url + "/ping", timeout=30).json() == "pong"
    answered.set()
    assert eventually(lambda: len(entered) > 1)
    assert entered[1], "the answer had to wait for the callback"


SILENT_ONCE = """if (!sessionStorage.getItem("silenced")) {
  sessionStorage.setItem("silenced", "yes")
  window.WebSocket = class { addEventListener() {} close() {} send() {} }
}"""


def test_a_page_that_was_never_filled_loads_again(tab: Any, served: Served) -> None:
    tab.add_init_script(SILENT_ONCE)
    tab.goto(served.url + "/table")
    tab.get_by_text("130 rows").wait_for(timeout=60_000)


def test_a_closed_tab_leaves_nothing_behind(tab: Any, served: Served) -> None:
    tab.goto(served.url + "/table?selected=job_0001")
    tab.locator(".action-cancel").wait_for()
    view = served.views[-1]
    tab.goto("about:blank")
    assert eventually(lambda: all(part.query._closed for part in view.parts), 60)
    assert eventually(lambda: not gallery.FakeHub.listeners, 60), gallery.FakeHub.listeners


def test_the_page_says_when_its_server_is_gone_and_comes_back(tab: Any) -> None:
    screen = gallery.SCREENS[0]
    ws = gallery.gallery_workspace()

    def app() -> FastAPI:
        made = FastAPI()
        mount_pages(made, {"/table": lambda: build_page(ws, screen, gallery.SCREENS)})
        return made

    with running(app()) as url:
        tab.goto(url + "/table?status=failed")
        tab.get_by_text("live", exact=True).wait_for()
    tab.get_by_text("reconnecting", exact=True).wait_for()
    with running(app(), port=int(url.rsplit(":", 1)[1])):
        tab.get_by_text("live", exact=True).wait_for(timeout=60_000)
        tab.get_by_text("21 rows").wait_for()


def test_panel_runs_callbacks_on_threads(served: Served) -> None:
    assert pn.config.nthreads > 0
