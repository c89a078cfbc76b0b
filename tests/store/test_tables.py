"""Records in and out of their table."""

from __future__ import annotations

import datetime as dt

import param
import pytest

from workbench.domain.record import Choice, Items, Json, Nested, Record, Time
from workbench.errors import Conflict, NotFound
from workbench.store.tables import Records, columns_of


class Part(Record):
    kind = "part"

    text = param.String("", doc="Words.")
    seen_at = Time(None, allow_None=True, doc="When it was seen.")


class Thing(Record):
    kind = "thing"
    table = "things"
    derived = frozenset({"share"})

    id = param.String("", doc="Id.")
    name = param.String("", doc="What it is called.")
    status = Choice("draft", objects=["draft", "done"], doc="State.")
    rows = param.Integer(0, bounds=(0, None), doc="Rows.")
    rate = param.Number(None, allow_None=True, doc="Rate.")
    sample = param.Boolean(False, doc="Sample.")
    tags = Items(doc="Tags.")
    anything = Json(None, allow_None=True, doc="Anything.")
    part = Nested(class_=Part, default=None, allow_None=True, doc="A part.")
    parts = Items(item_type=Part, doc="Parts.")
    share = param.Number(0.0, doc="Derived.")
    version = param.Integer(1, doc="Version.")
    created_at = Time(None, allow_None=True, doc="Made.")
    updated_at = Time(None, allow_None=True, doc="Changed.")


SEEN = dt.datetime(2026, 5, 5, 5, 5, 5, 5)


@pytest.fixture
def things(db):
    columns = ", ".join(f'"{name}" {kind}{" primary key" if name == "id" else ""}' for name, kind in columns_of(Thing))
    with db.write():
        db.execute(f"create table things({columns})")
    return Records(db, Thing)


@pytest.fixture
def thing():
    part = Part(text="ü", seen_at=SEEN)
    return Thing(id="t1", name="One", rate=0.5, tags=("a", "b"), anything={"k": [1, None]}, part=part, parts=(part, Part()))


def test_columns_follow_the_record():
    assert dict(columns_of(Thing)) == {
        "id": "VARCHAR", "name": "VARCHAR", "status": "VARCHAR", "rows": "BIGINT", "rate": "DOUBLE", "sample": "BOOLEAN",
        "tags": "VARCHAR[]", "anything": "JSON", "part": "JSON", "parts": "JSON", "version": "BIGINT",
        "created_at": "TIMESTAMP", "updated_at": "TIMESTAMP",
    }  # fmt: skip


def test_a_record_comes_back_as_it_went_in(things, thing, clock):
    kept = things.insert(thing)
    assert kept.created_at == kept.updated_at == clock.now()
    found = things.get("t1")
    assert found.values() | {"part": None, "parts": None} == kept.values() | {"part": None, "parts": None}
    assert (found.part.text, found.part.seen_at, len(found.parts), found.parts[1].seen_at) == ("ü", SEEN, 2, None)


def test_get_of_nothing_names_kind_and_id(things):
    with pytest.raises(NotFound) as caught:
        things.get("nope")
    assert caught.value.context == {"kind": "thing", "id": "nope"}


def test_update_counts_versions_and_refuses_old_ones(things, thing, clock, db):
    things.insert(thing)
    clock.advance(minutes=1)
    changed = things.update("t1", version=1, name="Two", tags=["c"], parts=(Part(text="p"),))
    assert (changed.name, changed.version, changed.tags, changed.parts[0].text) == ("Two", 2, ("c",), "p")
    assert changed.updated_at == clock.now() > changed.created_at
    with pytest.raises(Conflict) as caught:
        things.update("t1", version=1, name="Three")
    assert caught.value.context == {"yours": 1, "current_version": 2}
    with pytest.raises(NotFound):
        things.update("t2", version=1, name="Three")
    with pytest.raises(TypeError, match="nmae"):
        things.update("t1", nmae="x")
    with pytest.raises(ValueError):
        things.update("t1", status="nonsense")
    assert things.get("t1").status == "draft"
    assert [(e.topic, e.id, e.version, e.kind) for e in db.events_after(0)] == [
        ("things", "t1", 1, "created"),
        ("things", "t1", 2, "updated"),
    ]


def test_a_second_insert_is_a_conflict(things, thing):
    things.insert(thing)
    with pytest.raises(Conflict):
        things.insert(thing)


def test_delete_says_so_once(things, thing, db):
    things.insert(thing)
    things.delete("t1")
    with pytest.raises(NotFound):
        things.delete("t1")
    assert [e.kind for e in db.events_after(0)] == ["created", "deleted"]


def test_find_and_list(things, thing):
    things.insert(thing)
    assert things.find(name="One", status="draft").id == "t1"
    assert things.find(rate=None) is None
    assert things.exists(sample=False)
    assert things.count("name = ?", ["One"]) == 1
    assert [t.id for t in things.list("list_contains(tags, ?)", ["a"], order="id", limit=5)] == ["t1"]
    with pytest.raises(TypeError, match="nmae"):
        things.find(nmae="One")


def test_pages_have_the_true_total_and_plain_values(things, thing):
    for number in range(7):
        things.insert(thing.with_(id=f"t{number}", rows=number))
    page = things.page("rows >= ?", [1], order="rows desc", page=2, page_size=4)
    assert (page.total, [row["rows"] for row in page.rows]) == (6, [2, 1])
    assert page.rows[0]["anything"] == {"k": [1, None]}
    assert page.rows[0]["part"]["seen_at"] == SEEN
    assert [record.part.text for record in page] == ["ü", "ü"]
    assert things.page(page=9).rows == []
    assert things.page(page=9).total == 7
