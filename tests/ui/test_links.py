"""Addresses: what a view or a service links to has to be a state that the page keeps."""

from __future__ import annotations

import re
from pathlib import Path

import workbench
from workbench.services import finding, overview
from workbench.ui.pages import SCREENS

KEPT = {screen.path.strip("/"): {*screen.view.url, "theme"} for screen in SCREENS}
SOURCES = sorted(Path(workbench.__file__).parent.glob("*/**/*.py"))
WRITTEN = re.compile(rf"/({'|'.join(KEPT)})\?([^\"' )]+)")
MADE = re.compile(r"page_href\(\"(\w+)\", (\{[^}]*\})")


def unknown(page: str, names: set[str]) -> set[str]:
    """Return what a page would not understand."""
    return {f"{page}?{name}" for name in names - KEPT[page]}


def linked(text: str) -> set[str]:
    """Return the parts of addresses in a source that their pages do not keep."""
    written = [(page, set(re.findall(r"(?:^|&)([a-z_]+)=", query))) for page, query in WRITTEN.findall(text)]
    made = [(page, set(re.findall(r"\"([a-z_]+)\":", query))) for page, query in MADE.findall(text)]
    return {fault for page, names in written + made for fault in unknown(page, names)}


def test_links_name_only_what_their_page_keeps() -> None:
    assert {path.name: faults for path in SOURCES if (faults := linked(path.read_text()))} == {}
    assert linked('"./train?new=true&job=1"') == {"train?new"}
    assert linked('page_href("label", {"training_sheet": id})') == {"label?training_sheet"}


def test_home_leads_to_states_that_pages_keep() -> None:
    steps_of = ("rows", "pairs", "flagged", "to_review", "eligible", "failed_jobs", "endpoints", "corrections")
    many = dict.fromkeys(steps_of, 12)
    model = {"id": "m", "name": "a", "version": "1.0.0", "status": "staging", "last_tested_at": None}
    waiting = {word: {"sheet": "s"} for word in ("flagged", "to_review")}
    worlds = [many | {"jobs": 0, "requests": 0}, many | {"flagged": 0, "jobs": 0, "requests": 0}, dict.fromkeys(many, 0)]
    steps = [step for n in worlds for step in overview._next_actions(n, model, waiting).values()]
    assert len(steps) > 10
    assert [fault for _, page, query in steps for fault in unknown(page, set(query))] == []
    found = [(page, name) for *_, page, name in finding.KINDS.values()]
    assert [fault for page, name in [*overview._PAGES.values(), *found] for fault in unknown(page, {name})] == []
