"""Forms without a browser: where a fault is shown, and what is sent."""

from __future__ import annotations

from typing import Any

import pytest

from workbench.errors import Conflict, InvalidFileType, ValidationError
from workbench.ui.components.fields import Field, fields_of_schema
from workbench.ui.components.forms import ParameterForm
from workbench.ui.components.markup import html
from workbench.ui.components.number_field import AnyNumber
from workbench.ui.components.working_button import WorkingButton
from workbench.ui.sheet_forms import blamed_on_file

FIELDS = (Field("name", "text", required=True), Field("base_url", "text"), Field("most", "integer", nullable=True))


def refused(error: Exception) -> ParameterForm:
    def submit(values: dict[str, Any]) -> None:
        raise error

    form = ParameterForm(FIELDS, submit)
    form._clicked(None)
    return form


def note(form: ParameterForm, name: str) -> str:
    return form._inputs[name]._note.object


def below(form: ParameterForm) -> str:
    return "".join(getattr(part, "object", "the error in full") for part in form._error.objects)


@pytest.mark.parametrize(
    "error",
    [Conflict("The name is taken.", name="x"), ValidationError.field("name", "The name is taken.")],
    ids=["conflict", "invalid"],
)
def test_a_fault_is_told_at_its_field_and_named_beside_the_button(error: Exception):
    form = refused(error)

    assert form.input("name").error_state
    assert "The name is taken." in note(form, "name")
    assert "look at Name." in below(form)
    assert not form.input("base_url").error_state


@pytest.mark.parametrize("error", [Conflict("Changed meanwhile.", yours=1, current_version=2), InvalidFileType("Not a table.")])
def test_what_is_about_no_field_is_told_in_full_below(error: Exception):
    form = refused(error)

    assert "the error in full" == below(form)
    assert not any(each.error_state for each in map(form.input, ("name", "base_url", "most")))


def test_an_address_is_a_url_and_a_number_not_entered_is_none():
    form = ParameterForm(FIELDS, lambda values: None, values={"name": "x"})

    assert "Base URL" == form.input("base_url").label
    assert form.input("most").value is None
    assert {"name": "x"} == form.values()


def test_what_is_wrong_with_a_file_is_told_at_the_file():
    place = html("")
    faults = [{"field": "source", "message": "The file is empty."}, {"field": "name", "message": "Required"}]

    left = blamed_on_file(place, ValidationError.of(faults))

    assert "The file is empty." in place.object
    assert ["name"] == [one["field"] for one in left.context["fields"]]
    assert blamed_on_file(place, ValidationError.of(faults[:1])) is None
    missing = InvalidFileType("Not a table.")
    assert missing is blamed_on_file(place, missing)
    assert "" == place.object


def test_a_button_turns_only_as_long_as_its_work_takes():
    button = WorkingButton(label="Save")
    model = button.get_root()
    button.loading = True
    button.loading = False
    model.data.loading = True  # the browser hands back what it drew meanwhile

    button._process_events({"loading": True})

    assert (button.loading, model.data.loading) == (False, False)


def test_a_number_is_taken_while_it_is_typed():
    entry = AnyNumber(label="Rate", value=0.5)

    entry._process_events({"typed": 0.25})
    assert 0.25 == entry.value
    entry._process_events({"typed": None})
    assert entry.value is None
    entry._process_events({"typed": 0.75, "value": 1.5})

    assert 1.5 == entry.value


def test_several_of_a_closed_set_are_ticked_and_none_left_is_null():
    listed = {"items": {"enum": ["training", "few_shot"], "type": "string"}, "type": "array"}
    [field] = fields_of_schema({"properties": {"uses": {"anyOf": [listed, {"type": "null"}]}}})
    form, given = (ParameterForm([field], dict, values={"uses": before}) for before in ((), ("training",)))

    assert (field.kind, field.choices, field.nullable) == ("several", ("training", "few_shot"), True)
    assert form.input("uses").options == {"Training": "training", "Few shot": "few_shot"}
    assert (form.values(), given.values()) == ({}, {"uses": ["training"]})
    given.input("uses").value = []
    form.input("uses").value = ["few_shot"]
    assert (form.values(), given.values()) == ({"uses": ["few_shot"]}, {"uses": None})
