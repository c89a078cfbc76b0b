"""Lists as they travel: one page of rows with the true total."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from workbench.domain.record import Record

if TYPE_CHECKING:
    import pandas as pd

R = TypeVar("R", bound=Record)


class Page(Generic[R]):
    """Hold one page of raw rows; records are built only when somebody looks at them.

    `rows` are dicts by parameter name, `total` counts every match, `page` counts from 1.
    `extra` holds further figures that travel beside the rows.
    """

    def __init__(
        self,
        record_type: type[R],
        rows: Sequence[dict[str, Any]],
        *,
        total: int,
        page: int = 1,
        page_size: int = 50,
        next_cursor: str | None = None,
        extra: dict[str, Any] | None = None,
    ) -> None:
        self.record_type = record_type
        self.rows = list(rows)
        self.total = total
        self.page = page
        self.page_size = page_size
        self.next_cursor = next_cursor
        self.extra = extra or {}
        self._binding: Any = None

    def __iter__(self) -> Iterator[R]:
        return (self._record(row) for row in self.rows)

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, index: int) -> R:
        return self._record(self.rows[index])

    def __repr__(self) -> str:
        return f"<{len(self)} of {self.total} {self.record_type.kind} records, page {self.page}>"

    def _record(self, row: dict[str, Any]) -> R:
        record = self.record_type(**row)
        return record.bind(self._binding) if self._binding else record

    def bind(self, binding: Any) -> Page[R]:
        """Tie the records of this page to a workspace."""
        self._binding = binding
        return self

    def to_pandas(self) -> pd.DataFrame:
        """Return the page as a DataFrame, one column per parameter, without actions."""
        import pandas as pd

        names = [n for n in self.record_type.own_fields() if n != "actions"]
        return pd.DataFrame([{n: row.get(n) for n in names} for row in self.rows], columns=names)
