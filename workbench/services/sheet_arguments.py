"""The arguments that operations on sheets share, and who may change sheets."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator

from workbench.contract import Field, frames
from workbench.domain.plain import plain

STEWARDS = frozenset({"admin", "data_steward"})

# Of the name of a sheet.
MOST_LETTERS = 200

SheetName = Annotated[
    str, Field(min_length=1, max_length=MOST_LETTERS, description="Name, unique among the sheets."), AfterValidator(plain)
]
Description = Annotated[str, Field(max_length=1000, description="What the rows are.")]
Tags = Annotated[list[str], Field(max_length=50, description="Free words; PII, PHI and CONFIDENTIAL limit the use.")]
Classification = Annotated[
    Literal["public", "internal", "confidential", "restricted"], Field(description="How secret the rows are.")
]
ItemIds = Annotated[str | None, Field(description="Column that names each item: unique, without gaps.")]
UsualTemplate = Annotated[str | None, Field(description="Template; none: the attached one.")]
SourceType = Annotated[
    Literal["file", "url", "sql", "inline"] | None, Field(description="Kind of source; none: inline with rows, else a file.")
]
Source = Annotated[
    str | None,
    Field(max_length=100_000, description="Path, URL or SELECT, by source_type."),
    BeforeValidator(frames.refuse_rows),
]
Encoding = Annotated[str | None, Field(max_length=50, description="Encoding of a text file, such as cp1252; none: UTF-8.")]
Worksheet = Annotated[str | None, Field(max_length=200, description="Worksheet of an Excel file; none: the first.")]
Split = Annotated[str | None, Field(max_length=200, description="Split of a saved data set; none: the only one.")]
RowIndex = Annotated[int, Field(ge=0, le=2**62, description="Index of the row, from 0.")]
SeenVersion = Annotated[int | None, Field(description="Version you have seen; refused when it is outdated.")]
RowFilter = Annotated[str | None, Field(max_length=10_000, description="SQL condition over the columns.")]
InlineRows = Annotated[
    Any,
    Field(
        description="Rows as objects by column name; in Python also a DataFrame or an Arrow table.",
        json_schema_extra={"type": ["array", "null"], "items": {"type": "object"}},
    ),
]
