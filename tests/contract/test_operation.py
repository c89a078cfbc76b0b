"""An operation's declaration is checked at import, its arguments at the call."""

from __future__ import annotations

from typing import Annotated

import param
import pytest

from workbench.contract import UNSET, Field, Page, PageNumber, command, query
from workbench.contract.operation import collect
from workbench.domain.record import Record
from workbench.errors import ValidationError


class Cell(Record):
    """A cell."""

    text = param.String("", doc="Text.")
    size = param.Integer(0, bounds=(0, 9), doc="Size.")


class Note(Record):
    """A note."""

    id = param.String("", doc="Id.")


class Notes:
    @query("GET", "/notes", key="notes")
    def list(self, *, page: PageNumber = 1) -> Page[Note]:
        """List notes."""

    @command("PUT", "/notes/{note_id}", roles={"admin"})
    def update(
        self,
        note_id: str,
        *,
        title: Annotated[str, Field(max_length=3, description="Title.")] = UNSET,
        size: int = UNSET,
        cells: list[Cell] = (),
    ) -> Note:
        """Change a note."""


OPERATIONS = collect(Notes, "notes")
UPDATE = OPERATIONS["update"]


def test_arguments_know_their_place_and_doc():
    places = {a.name: a.place for a in UPDATE.arguments}

    assert {"note_id": "path", "title": "body", "size": "body", "cells": "body"} == places
    assert "Title." == UPDATE.arguments[1].doc
    assert "query" == OPERATIONS["list"].arguments[0].place


def test_only_given_arguments_are_passed_on():
    assert {"note_id": "a", "size": 1} == UPDATE.validate({"note_id": "a", "size": 1})


def test_nested_objects_become_records():
    (cell,) = UPDATE.validate({"note_id": "a", "cells": [{"text": "x", "size": 2}]})["cells"]

    assert (Cell, "x", 2) == (type(cell), cell.text, cell.size)


def test_all_faulty_fields_are_named_at_once():
    given = {"note_id": "a", "title": "long", "size": "1", "cells": [{"size": 10}, {"sise": 1}], "extra": 1}

    with pytest.raises(ValidationError) as caught:
        UPDATE.validate(given)

    fields = {f["field"] for f in caught.value.context["fields"]}
    assert {"title", "size", "cells.0.size", "cells.1.sise", "extra"} == fields


@pytest.mark.parametrize("wrong", [True, "3", 2.5])
def test_numbers_are_not_guessed_from_other_types(wrong):
    with pytest.raises(ValidationError):
        UPDATE.validate({"note_id": "a", "size": wrong})


def test_bounds_survive_into_the_json_schema():
    schema = OPERATIONS["list"].model.model_json_schema()["properties"]["page"]
    cell = UPDATE.model.model_json_schema()["$defs"]["Cell"]["properties"]["size"]

    assert 1 == schema["minimum"]
    assert (0, 9) == (cell["minimum"], cell["maximum"])


def test_an_operation_without_docstring_is_refused_at_declaration():
    class Silent:
        @query("GET", "/x")
        def get(self) -> Note:
            pass

    with pytest.raises(TypeError, match=r"silent\.get needs"):
        collect(Silent, "silent")


def test_a_path_argument_that_is_missing_is_refused_at_declaration():
    class Lost:
        @query("GET", "/x/{note_id}")
        def get(self) -> Note:
            """Get."""

    with pytest.raises(TypeError, match="note_id"):
        collect(Lost, "lost")


def test_open_ended_arguments_are_refused_at_declaration():
    class Loose:
        @command("POST", "/x", roles={"admin"})
        def put(self, **anything: int) -> Note:
            """Put."""

    with pytest.raises(TypeError, match=r"\*\*kwargs"):
        collect(Loose, "loose")
