"""What `panel serve` makes of a visit: one client each, under the name that the browser keeps."""

from __future__ import annotations

from typing import Any

import panel as pn
import pytest
from bokeh.document import Document
from panel.io.state import set_curdoc

from workbench.client.workspace import Workspace
from workbench.server import dashboards


class Page:
    """Stands where a page would be drawn."""

    def servable(self, title: str) -> None:
        """Take the title."""


@pytest.fixture
def visits(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Visit a page under a name; return what the page was built with and its document."""
    built: list[Workspace] = []
    monkeypatch.setenv("WORKBENCH_DATABASE", str(tmp_path / "team.duckdb"))
    monkeypatch.setattr(dashboards, "build_page", lambda ws, *screens: built.append(ws) or Page())

    def visit(cookies: dict[str, str]) -> tuple[Workspace, Document]:
        document = Document()
        monkeypatch.setattr(type(pn.state), "cookies", property(lambda state: cookies))
        with set_curdoc(document):
            dashboards.show("/label")
        return built[-1], document

    yield visit
    for held in [*built, pn.state.cache.pop(("workbench",))[0]]:
        held.close()


def test_two_visits_are_two_clients_of_one_file(visits: Any) -> None:
    (ann, _), (bob, _) = visits({"workbench_user": "J%C3%BCrgen"}), visits({})

    assert ("Jürgen", "local") == (ann.user, bob.user)
    assert ann.transport.client != bob.transport.client
    sheet = ann.sheets.create("rows", rows=[{"a": "x"}])
    assert [sheet.id] == [one.id for one in bob.sheets.list()]


def test_what_one_visitor_leases_another_does_not_get(visits: Any) -> None:
    (first, gone), (second, _) = visits({}), visits({})
    sheet = first.sheets.create("rows", rows=[{"a": "x"}, {"a": "y"}])
    made = first.training_sheets.assemble(sheet.id, template={"prompt_template": "{{a}}", "response_source_mode": "manual_labeling"})

    assert [0, 1] == [ws.review.claim(made.id).items[0].row_index for ws in (first, second)]

    for left in gone.session_destroyed_callbacks:
        left(None)
    assert 2 == second.review.progress(made.id).total
