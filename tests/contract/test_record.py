"""Records are constant and strict, and cross the wire unchanged."""

from __future__ import annotations

import datetime as dt
import json

import param
import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench.contract import codec
from workbench.contract.page import Page
from workbench.contract.schema import adapter, wire_model
from workbench.domain.record import Choice, Items, Json, Nested, Record, Time


class Part(Record):
    """A part."""

    name = param.String("", doc="Name.")
    weight = param.Number(None, allow_None=True, doc="Weight in g.")


class Thing(Record):
    """A thing."""

    kind = "thing"
    wire_names = {"made_at": "madeAt"}

    id = param.String("", doc="Id.")
    name = param.String("", doc="Name.")
    state = Choice("new", objects=["new", "old"], doc="State.")
    parts = Items(item_type=Part, doc="Parts.")
    main = Nested(class_=Part, allow_None=True, doc="Main part.")
    tags = Items(item_type=str, doc="Tags.")
    made_at = Time(None, allow_None=True, doc="When.")
    facts = Json(None, allow_None=True, doc="Facts.")
    version = param.Integer(1, doc="Version.")


texts = st.text(max_size=8)
parts = st.builds(Part, name=texts, weight=st.none() | st.floats(allow_nan=False, allow_infinity=False))
things = st.builds(
    Thing,
    id=texts,
    name=texts,
    state=st.sampled_from(["new", "old"]),
    parts=st.lists(parts, max_size=2),
    main=st.none() | parts,
    tags=st.lists(texts, max_size=2),
    made_at=st.none() | st.datetimes(min_value=dt.datetime(1990, 1, 1)),
    facts=st.none() | st.dictionaries(texts, st.integers() | texts, max_size=2),
    version=st.integers(1, 9),
)


def deep(value):
    if isinstance(value, Record):
        return {k: deep(v) for k, v in value.values().items()}
    return [deep(v) for v in value] if isinstance(value, (tuple, list)) else value


@given(things)
def test_a_record_crosses_the_wire_unchanged(thing):
    wire = json.loads(json.dumps(codec.encode(thing)))

    assert deep(thing) == deep(codec.decode_record(Thing, wire))
    assert deep(thing) == deep(adapter(Thing).validate_python(wire))


def test_the_wire_carries_every_field_by_its_wire_name():
    wire = codec.encode(Thing(id="a", made_at=dt.datetime(2026, 1, 2, 3)))

    assert "2026-01-02T03:00:00Z" == wire["madeAt"]
    assert set(wire) == {f.alias for f in wire_model(Thing).model_fields.values()}


def test_the_name_is_never_invented():
    assert "" == Thing().name == codec.encode(Thing())["name"]


def test_a_record_cannot_change():
    thing = Thing(id="a")

    with pytest.raises(TypeError):
        thing.state = "old"
    with pytest.raises(AttributeError, match="stat"):
        thing.stat = "old"


def test_lists_are_frozen():
    assert isinstance(Thing(tags=["a"]).tags, tuple)
    with pytest.raises(ValueError, match="list of str"):
        Thing(tags=[1])


def test_equality_is_id_and_version():
    assert Thing(id="a", version=1) == Thing(id="a", version=1, name="other")
    assert Thing(id="a", version=1) != Thing(id="a", version=2)


def test_a_page_builds_records_only_when_asked():
    page = Page(Thing, [{"id": "a"}, {"id": "b"}], total=12)
    wire = codec.encode_page(page, "things")

    assert ["a", "b"] == [t.id for t in page]
    assert (12, "b") == (wire["total"], wire["things"][1]["id"])
    assert ["a", "b"] == list(codec.decode_page(Thing, wire, "things").to_pandas()["id"])
