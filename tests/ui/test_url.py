"""The state of a view in its address."""

from __future__ import annotations

import param
import pytest

from workbench.ui.url import UrlState, page_href, query_of, search_of


class Location(param.Parameterized):
    search = param.String("")


class Thing(param.Parameterized):
    status = param.String("")
    page = param.Integer(1, bounds=(1, None))
    face = param.Selector(default="rows", objects=["rows", "columns"])


def tied(search: str = "") -> tuple[Thing, Location]:
    thing, location = Thing(), Location(search=search)
    UrlState(thing, ("status", "page", "face"), location)
    return thing, location


def test_the_address_decides_at_first():
    thing, _ = tied("?status=failed&page=3&face=columns&theme=dark")
    assert (thing.status, thing.page, thing.face) == ("failed", 3, "columns")


def test_changes_go_into_the_address_and_defaults_stay_out():
    thing, location = tied("?theme=dark")
    thing.param.update(status="run ning&x", page=2)
    assert query_of(location.search) == {"theme": "dark", "status": "run ning&x", "page": "2"}
    thing.param.update(status="", page=1)
    assert location.search == "?theme=dark"


def test_the_back_button_goes_back():
    thing, location = tied("?page=2")
    location.search = "?status=failed"
    assert (thing.status, thing.page) == ("failed", 1)


@pytest.mark.parametrize("search", ["?page=0", "?page=x", "?page=[1]", "?page=", "?face=nothing", "?page=1e400"])
def test_nonsense_in_an_address_counts_as_not_given(search):
    thing, _ = tied(search)
    assert (thing.page, thing.face) == (1, "rows")


def test_links_to_pages_are_relative():
    assert page_href("jobs", {"job": "job_1"}) == "./jobs?job=job_1"
    assert page_href("home") == "./home"
    assert search_of({}) == ""
