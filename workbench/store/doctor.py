"""Examine a workspace file: what must always hold, where it does not, and how to mend it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass

import duckdb

from workbench.domain.record import Record
from workbench.store.database import Database
from workbench.store.invariants import CHECKS, REFERENCES, Check, reference
from workbench.store.migrate import applied_migrations, shipped
from workbench.store.published import record_classes
from workbench.store.tables import columns_of
from workbench.store.transaction import quoted

_BRING_BACK = "Bring the file back as it was, or import it as a new sheet and delete this one."
_RESTORE = "Restore the newest backup, or export what can still be read and start a new file."


@dataclass(frozen=True, slots=True)
class Finding:
    """Say which check failed, on what, and how to mend it."""

    check: str
    finding: str
    remedy: str


def doctor(db: Database, checks: Iterable[Check] = ()) -> list[Finding]:
    """Return everything that is wrong, nothing when the file is sound; `checks` are further invariants."""
    relations = _relations(db)
    lost = _lost(db)
    there = {name: is_view for name, is_view in relations.items() if name not in lost}
    findings = list(_storage(db, there))
    looks = [
        ("schema", _schema(db)),
        ("schema", _shape(db, relations)),
        ("outbox", _outbox(db)),
        ("sheets", _sheets(db, relations)),
    ]
    referring = (reference(*names) for names in REFERENCES)
    looks += [(check.name, _run(db, check, relations)) for check in (*CHECKS, *referring, *checks)]
    for name, found in looks:
        findings += _done(db, name, found)
    return [*findings, *_artifacts(db)]


def _done(db: Database, name: str, found: Iterator[Finding]) -> list[Finding]:
    """Return what one check finds; a check that breaks is a finding, and keeps none of the others from being made."""
    try:
        with db.read():
            return list(found)
    except duckdb.Error as error:
        return [Finding(name, f"the check {name} cannot be made: {_first_line(error)}", _RESTORE)]


def _first_line(error: duckdb.Error) -> str:
    return str(error).split("\n", 1)[0]


def _lost(db: Database) -> set[str]:
    """Return the views of sheets whose file is not as it was: reading them tells nothing of this file."""
    with suppress(duckdb.Error):
        external = db.tuples("select id, slug from sheets where external")
        return {view for sheet, slug in external if db.external.fault(sheet) for view in (f"rows_{sheet}", f"sheet_{slug}")}
    return set()


def _run(db: Database, check: Check, relations: dict[str, bool]) -> Iterator[Finding]:
    if not set(check.tables) <= set(relations):
        return
    for (text,) in db.tuples(check.sql):
        yield Finding(check.name, text, check.remedy)


def _relations(db: Database) -> dict[str, bool]:
    """Return the names of tables and views; True marks a view."""
    found = dict(db.tuples("select table_name, false from duckdb_tables() where not internal"))
    return found | dict(db.tuples("select view_name, true from duckdb_views() where not internal"))


def _schema(db: Database) -> Iterator[Finding]:
    known = {migration.number: migration for migration in shipped()}
    for number, (name, checksum) in applied_migrations(db).items():
        if number not in known or known[number].checksum != checksum:
            yield Finding(
                "schema", f"migration {number:04d}_{name} is not the one of this release", "Open it with its own release."
            )


def _shape(db: Database, relations: dict[str, bool]) -> Iterator[Finding]:
    """Compare every record class with the columns of its table."""
    for record_class in record_classes():
        if record_class.table in relations and (missing := missing_columns(db, record_class)):
            text = f"{record_class.table} lacks {', '.join(missing)}"
            yield Finding("schema", text, "Restore the newest backup, or open it with the release that made it.")


def missing_columns(db: Database, record_class: type[Record]) -> list[str]:
    """Return the columns (name and type) that a record class wants and its table does not have."""
    query = "select column_name, data_type from duckdb_columns() where table_name = ? and not internal"
    there = dict(db.tuples(query, [record_class.table]))
    wanted = columns_of(record_class)
    return [f"{name} {kind}" for name, kind in wanted if there.get(name) != kind]


def _storage(db: Database, relations: dict[str, bool]) -> Iterator[Finding]:
    """Read every table to its last row and every view's first."""
    for name, is_view in relations.items():
        query = f"select * from {quoted(name)} limit 1" if is_view else f"select bit_xor(hash(t)) from {quoted(name)} t"
        try:
            db.value(query)
        except duckdb.Error as error:
            what = "view" if is_view else "table"
            yield Finding("storage", f"the {what} {name} cannot be read: {_first_line(error)}", _RESTORE)


def _outbox(db: Database) -> Iterator[Finding]:
    count, first, last = db.tuples("select count(*), coalesce(min(seq), 1), coalesce(max(seq), 0) from outbox")[0]
    if count != last - first + 1:
        text = f"the outbox numbers {first} to {last} but holds {count} events"
        yield Finding("outbox", text, "Reload open dashboards; they may have missed a change. " + _RESTORE)


def _sheets(db: Database, relations: dict[str, bool]) -> Iterator[Finding]:
    """Compare each sheet with the table and the view of its rows."""
    if "sheets" not in relations:
        return
    for sheet, slug, expected in db.tuples("select id, slug, item_count from sheets where deleted_at is null"):
        table, view = f"rows_{sheet}", f"sheet_{slug}"
        if table not in relations:
            yield Finding("sheets", f"the rows of sheet {sheet} are missing", "Import the sheet again, or restore a backup.")
            continue
        if fault := db.external.fault(sheet):
            yield Finding("sheets", f"the rows of sheet {sheet} stay in a file of their own: {fault}", _BRING_BACK)
            continue
        count = db.value(f"select count(*) from {quoted(table)}")
        if count != expected:
            text = f"sheet {sheet} says {expected} rows and has {count}"
            yield Finding("sheets", text, "Import the sheet again, or restore a backup.")
        if view not in relations:
            yield Finding("sheets", f"the SQL view {view} of sheet {sheet} is missing", "Clone the sheet; the copy gets a view.")


def _artifacts(db: Database) -> Iterator[Finding]:
    if db.artifacts is not None and not db.artifacts.is_dir():
        yield Finding(
            "artifacts", f"the folder {db.artifacts} is missing", "Copy it back from a backup, or train the models again."
        )
