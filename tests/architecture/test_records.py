"""A record class, its table and its wire object are one thing."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

import param
import pytest

from tests.architecture.subjects import record_types
from workbench.contract.schema import wire_model, wire_name
from workbench.domain.record import Json, Record, Time
from workbench.store import MEMORY, Database, columns_of

# Bookkeeping of the store: no record reads them.
PLUMBING = {"schema_migration", "outbox", "idempotency"}

Columns = dict[str, dict[str, str]]


def tables_of(database: Database) -> Columns:
    """Return the type of every column by table, from the database itself."""
    found: Columns = defaultdict(dict)
    sql = "select table_name, column_name, data_type from information_schema.columns where table_schema = 'main'"
    for row in database.rows(sql):
        found[row["table_name"]][row["column_name"]] = row["data_type"]
    return dict(found)


def disagreements(records: Iterable[type[Record]], tables: Columns) -> list[str]:
    """Return where columns and Parameters differ in name or type."""
    faults = []
    kept: dict[str, dict[str, str]] = defaultdict(dict)
    for record in records:
        if record.table:
            kept[record.table].update(columns_of(record))
    for table, columns in kept.items():
        stored = tables.get(table, {})
        for name in sorted(set(columns) | set(stored)):
            if columns.get(name) != stored.get(name):
                faults.append(f"{table}.{name}: the record says {columns.get(name)}, the table {stored.get(name)}")
    return faults


def wire_faults(records: Iterable[type[Record]]) -> list[str]:
    """Return where a record and its wire object differ, or two Parameters share a name there."""
    faults = []
    for record in records:
        fields = wire_model(record).model_fields
        if tuple(fields) != record.own_fields():
            faults.append(f"{record.__name__}: {set(fields) ^ set(record.own_fields())}")
        names = [wire_name(record, name) for name in record.own_fields()]
        doubles = sorted({name for name in names if names.count(name) > 1})
        strays = sorted(set(record.wire_names) - set(record.own_fields()))
        faults += [f"{record.__name__}: two Parameters are called {name} on the wire" for name in doubles]
        faults += [f"{record.__name__}: wire_names speaks of {name}, which is no Parameter" for name in strays]
        faults += [
            f"{record.__name__}: derived speaks of {n}, which is no Parameter"
            for n in sorted(record.derived - set(record.own_fields()))
        ]
    return faults


@pytest.fixture(scope="module")
def tables():
    database = Database.open(MEMORY)
    yield tables_of(database)
    database.close()


def test_tables_and_records_agree(tables):
    assert [] == disagreements(record_types(), tables)


def test_records_and_wire_agree():
    assert len(record_types()) > 20
    assert [] == wire_faults(record_types())


class Planted(Record):
    """A record that disagrees with its table in every way."""

    table = "planted"
    wire_names = {"gone": "x", "score": "id"}

    id = param.String("", doc="Id.")
    score = param.Number(0.0, doc="A number; the table keeps text.")
    moment = Time(None, allow_None=True, doc="In step.")
    extra = Json(None, allow_None=True, doc="Not in the table.")


def test_a_table_that_disagrees_is_found():
    stored = {"planted": {"id": "VARCHAR", "score": "VARCHAR", "moment": "TIMESTAMP", "forgotten": "BIGINT"}}

    assert [
        "planted.extra: the record says JSON, the table None",
        "planted.forgotten: the record says None, the table BIGINT",
        "planted.score: the record says DOUBLE, the table VARCHAR",
    ] == disagreements([Planted], stored)
    assert disagreements([Planted], {})


def test_a_wire_object_that_disagrees_is_found():
    assert [
        "Planted: two Parameters are called id on the wire",
        "Planted: wire_names speaks of gone, which is no Parameter",
    ] == wire_faults([Planted])
