"""A thin mapper between one record class and its table."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, Generic, TypeVar

from workbench.contract.page import Page
from workbench.domain.record import Record
from workbench.errors import Conflict, NotFound
from workbench.store.database import Database
from workbench.store.transaction import Params, quoted
from workbench.store.values import Convert, decoder, encoder, sql_type

R = TypeVar("R", bound=Record)
# Beyond so many columns it costs more to read them of all that match than to find the ids of a page first.
MOST_COLUMNS = 30


def columns_of(record_class: type[Record]) -> list[tuple[str, str]]:
    """Return name and SQL type of the columns that keep a record, in order."""
    return [(name, sql_type(record_class.param[name])) for name in record_class.stored_fields()]


@dataclass(frozen=True)
class Mapping:
    """Hold the statements and conversions of one record class, made once."""

    columns: tuple[str, ...]
    encoders: dict[str, Convert]
    decoders: tuple[tuple[str, Convert], ...]
    select: str
    by_id: str
    insert: str
    returning: str
    stamps: tuple[str, ...]
    version: str | None
    wide: bool

    @classmethod
    @cache
    def of(cls, record_class: type[Record]) -> Mapping:
        """Return the mapping of a record class."""
        names = record_class.stored_fields()
        listed = ", ".join(quoted(name) for name in names)
        table = quoted(_table(record_class))
        marks = ", ".join("?" * len(names))
        return cls(
            columns=names,
            encoders={name: encoder(record_class.param[name]) for name in names},
            decoders=tuple((name, decoder(record_class.param[name])) for name in names),
            select=f"select {listed} from {table}",
            by_id=f"select {listed} from {table} where id = ?",
            insert=f"insert into {table} ({listed}) values ({marks})",
            returning=f"returning {listed}",
            stamps=tuple(name for name in ("created_at", "updated_at") if name in names),
            version=next((name for name in ("revision", "version") if name in names), None),
            wide="id" in names and len(names) > MOST_COLUMNS,
        )

    def values(self, row: Sequence[Any]) -> dict[str, Any]:
        """Return a database row as parameter values."""
        pairs = zip(self.decoders, row, strict=True)
        return {name: value if decode is None else decode(value) for (name, decode), value in pairs}

    def column(self, name: str, value: Any) -> Any:
        """Return a parameter value as its column keeps it."""
        encode = self.encoders[name]
        return value if encode is None else encode(value)


class Records(Generic[R]):
    """Get, find, insert, update, delete and page the records of one table; each write emits on `topic`."""

    def __init__(self, db: Database, record_class: type[R], topic: str | None = None) -> None:
        self.db = db
        self.record_class = record_class
        self.table = _table(record_class)
        self.topic = topic or self.table
        self._mapping = Mapping.of(record_class)

    def get(self, id: str) -> R:
        """Return the record with this id, or raise `NotFound`."""
        found = self.db.tuples(self._mapping.by_id, [id])
        if not found:
            raise NotFound.of(self.record_class.kind, id)
        return self._record(found[0])

    def find(self, **equals: Any) -> R | None:
        """Return the first record whose columns equal the given values, or None."""
        where, params = self._equals(equals)
        found = self.list(where, params, limit=1)
        return found[0] if found else None

    def exists(self, **equals: Any) -> bool:
        """Return True when a record has these values."""
        where, params = self._equals(equals)
        return self.db.value(f"select 1 from {quoted(self.table)} where {where} limit 1", params) is not None

    def count(self, where: str = "", params: Params = ()) -> int:
        """Return the number of records that match."""
        return self.db.value(f"select count(*) from {quoted(self.table)}{_where(where)}", params)

    def list(self, where: str = "", params: Params = (), *, order: str = "", limit: int | None = None) -> list[R]:
        """Return the records that match; for few records, lists for people are pages."""
        tail = (f" order by {order}" if order else "") + (f" limit {int(limit)}" if limit is not None else "")
        found = self.db.tuples(f"{self._mapping.select}{_where(where)}{tail}", params)
        return [self._record(row) for row in found]

    def page(
        self, where: str = "", params: Params = (), *, order: str = "created_at desc, id", page: int = 1, page_size: int = 50
    ) -> Page[R]:
        """Return one page of the records that match, with the true total.

        `where` and `order` are SQL and never come from a user; `params` may.
        """
        before = (int(page) - 1) * int(page_size)
        tail = f"{_where(where)} order by {order} limit {int(page_size)} offset {before}"
        with self.db.read():
            if self._mapping.wide:
                found, total = self._by_ids(tail, params)
            else:
                found, total = self.db.tuples(f"{self._mapping.select}{tail}", params), 0
            # Beyond the last page no row tells how many there are.
            total = total or self.count(where, params)
        rows = [self._mapping.values(row) for row in found]
        return Page(self.record_class, rows, total=total, page=page, page_size=page_size)

    def _by_ids(self, tail: str, params: Params) -> tuple[Sequence[Sequence[Any]], int]:
        """Return the rows that a condition, an order and limits pick, and how many match in all."""
        picked = self.db.tuples(f"select id, count(*) over () from {quoted(self.table)}{tail}", params)
        if not picked:
            return (), 0
        ids, place = [id for id, _ in picked], self._mapping.columns.index("id")
        rows = self.db.tuples(f"{self._mapping.select} where id in ({', '.join('?' * len(ids))})", ids)
        found = {row[place]: row for row in rows}
        return [found[id] for id in ids], picked[0][1]

    def insert(self, record: R) -> R:
        """Keep a new record and return it, with times filled in where they are None."""
        now = self.db.clock.now()
        missing = {name: now for name in self._mapping.stamps if getattr(record, name) is None}
        record = record.with_(**missing) if missing else record
        with self.db.write():
            self.db.execute(self._mapping.insert, [self._mapping.column(n, getattr(record, n)) for n in self._mapping.columns])
            self.db.emit(self.topic, record.id, self._version(record), "created")
        return record

    def update(self, id: str, version: int | None = None, **changes: Any) -> R:
        """Change columns of a record and return it; an outdated `version` raises `Conflict`."""
        columns = self._changed(changes)
        settings = [f"{quoted(name)} = ?" for name in columns]
        if counter := self._mapping.version:
            settings.append(f"{counter} = {counter} + 1")
        guard = f" and {counter} = ?" if version is not None else ""
        sql = f"update {quoted(self.table)} set {', '.join(settings)} where id = ?{guard} {self._mapping.returning}"
        params = [*columns.values(), id, *([version] if version is not None else [])]
        with self.db.write():
            rows = self.db.execute(sql, params)
            if not rows:
                raise self._missed(id, version)
            record = self._record(rows[0])
            self.db.emit(self.topic, id, self._version(record), "updated")
        return record

    def delete(self, id: str) -> None:
        """Remove a record, or raise `NotFound`."""
        with self.db.write():
            if not self.db.execute(f"delete from {quoted(self.table)} where id = ? returning id", [id]):
                raise NotFound.of(self.record_class.kind, id)
            self.db.emit(self.topic, id, None, "deleted")

    def _record(self, row: Sequence[Any]) -> R:
        return self.record_class(**self._mapping.values(row))

    def _changed(self, changes: dict[str, Any]) -> dict[str, Any]:
        if unknown := set(changes) - set(self._mapping.columns) | ({"id", self._mapping.version} & set(changes)):
            raise TypeError(f"{self.record_class.__name__} has no changeable column {', '.join(sorted(unknown))}.")
        if "updated_at" in self._mapping.columns:
            changes = {"updated_at": self.db.clock.now(), **changes}
        return {name: self._mapping.column(name, value) for name, value in changes.items()}

    def _missed(self, id: str, version: int | None) -> Exception:
        current = self.db.row(f"select * from {quoted(self.table)} where id = ?", [id])
        if current is None:
            return NotFound.of(self.record_class.kind, id)
        now = current[self._mapping.version]
        kind = self.record_class.kind
        text = f"This {kind} has changed meanwhile: you have version {version}, it is at {now}. Reload it and try again."
        return Conflict(text, yours=version, current_version=now)

    def _version(self, record: R) -> int | None:
        return getattr(record, self._mapping.version) if self._mapping.version else None

    def _equals(self, equals: dict[str, Any]) -> tuple[str, list[Any]]:
        parts, params = [], []
        for name, value in equals.items():
            if name not in self._mapping.columns:
                raise TypeError(f"{self.record_class.__name__} has no column {name!r}.")
            parts.append(f"{quoted(name)} is not distinct from ?")
            params.append(self._mapping.column(name, value))
        return " and ".join(parts), params


def _table(record_class: type[Record]) -> str:
    if not record_class.table:
        raise TypeError(f"{record_class.__name__} declares no table.")
    return record_class.table


def _where(where: str) -> str:
    return f" where {where}" if where else ""
