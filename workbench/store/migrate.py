"""Bring a file to this release's schema: numbered, transactional, with a backup before."""

from __future__ import annotations

import hashlib
import itertools
import re
from contextlib import suppress
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb

from workbench.errors import DatabaseTooNew, ValidationError, WorkbenchError
from workbench.store.backup import copy_by_child

if TYPE_CHECKING:
    from workbench.store.database import Database

_FILE = re.compile(r"(\d{4})_(\w+)\.sql")
_BOOKKEEPING = """
create table if not exists schema_migration (
    number integer primary key,
    name varchar not null,
    checksum varchar not null,
    applied_at timestamp not null
)
"""


@dataclass(frozen=True, slots=True)
class Migration:
    """Hold one numbered step of the schema."""

    number: int
    name: str
    sql: str

    @property
    def checksum(self) -> str:
        """Return the SHA-256 of the text."""
        return hashlib.sha256(self.sql.encode()).hexdigest()


def shipped() -> list[Migration]:
    """Return the migrations of this release, in order."""
    found = []
    for entry in (resources.files("workbench.store") / "migrations").iterdir():
        if match := _FILE.fullmatch(entry.name):
            found.append(Migration(int(match[1]), match[2], entry.read_text(encoding="utf-8").replace("\r\n", "\n")))
    found.sort(key=lambda migration: migration.number)
    numbers = [migration.number for migration in found]
    if len(set(numbers)) != len(numbers):
        raise RuntimeError(f"Two migrations carry the same number: {numbers}.")
    return found


def migrate(database: Database, migrations: list[Migration] | None = None) -> list[int]:
    """Apply what is pending and return its numbers; refuse a newer, foreign or altered schema."""
    known = shipped() if migrations is None else migrations
    applied = _applied(database)
    _refuse_newer(database.path, known, applied)
    _refuse_altered(database.path, known, applied)
    pending = [migration for migration in known if migration.number not in applied]
    if pending and applied:
        _back_up(database, max(applied), pending[-1].number)
    for migration in pending:
        _apply(database, migration)
    return [migration.number for migration in pending]


def applied_migrations(database: Database) -> dict[int, tuple[str, str]]:
    """Return name and checksum of every applied migration by its number."""
    return {number: (name, checksum) for number, name, checksum in database.tuples(_LIST)}


_LIST = "select number, name, checksum from schema_migration order by number"


def _applied(database: Database) -> dict[int, tuple[str, str]]:
    with suppress(duckdb.CatalogException):
        return applied_migrations(database)
    if tables := database.tuples("select table_name from duckdb_tables() where not internal order by 1 limit 3"):
        some = ", ".join(name for (name,) in tables)
        message = f"{database.path} is a DuckDB database of something else (tables {some}). Name another file"
        raise ValidationError.field("path", message, database.path)
    return {}


def _refuse_newer(path: str, known: list[Migration], applied: dict[int, tuple[str, str]]) -> None:
    newest = max((migration.number for migration in known), default=0)
    unknown = sorted(set(applied) - {migration.number for migration in known})
    if unknown:
        raise DatabaseTooNew(
            f"{path} has schema {max(applied)}, and this release knows up to {newest}. "
            "Upgrade the workbench, or open a backup made before the upgrade.",
            schema=max(applied),
            known=newest,
        )


def _refuse_altered(path: str, known: list[Migration], applied: dict[int, tuple[str, str]]) -> None:
    for migration in known:
        if migration.number in applied and applied[migration.number][1] != migration.checksum:
            raise WorkbenchError(
                f"Migration {migration.number:04d}_{migration.name} of {path} differs from the one in this release. "
                "Open the file with the release that made it, or export its data and start a new file.",
                number=migration.number,
            )


def _back_up(database: Database, old: int, new: int) -> None:
    if database.artifacts is None:
        return
    database.checkpoint()
    base = f"{database.path}.before-{new:04d}"
    names = itertools.chain([base], (f"{base}-{count}" for count in itertools.count(2)))
    target = next(path for path in map(Path, names) if not path.exists())
    copy_by_child(Path(database.path), target, artifacts=False)


def _apply(database: Database, migration: Migration) -> None:
    cursor = database.connection.cursor()
    try:
        cursor.begin()
        cursor.execute(_BOOKKEEPING)
        cursor.execute(migration.sql)
        row = [migration.number, migration.name, migration.checksum, database.clock.now()]
        cursor.execute("insert into schema_migration values (?, ?, ?, ?)", row)
        cursor.commit()
    except duckdb.Error as error:
        text = f"Migration {migration.number:04d}_{migration.name} failed on {database.path}; the file is unchanged."
        raise WorkbenchError(text, details=str(error)) from error
    finally:
        cursor.close()
