"""Sheets: named tables of source rows, with where they came from and what may be done with them."""

from __future__ import annotations

import param

from workbench.domain.lifecycle import Lifecycle, Move
from workbench.domain.record import Action, Choice, Items, Json, Record, Time

SOURCE_TYPES = ["file", "url", "sql", "inline"]
SHEET_STATUSES = ["draft", "published", "archived"]
# What is shown of a thing that `restore` brings back in the state it has beneath.
DELETED = "deleted"
CLASSIFICATIONS = ["public", "internal", "confidential", "restricted"]
COLUMN_ROLES = ["id", "data"]
ROW_CHANGES = ["changed", "added", "removed"]

# The tags that limit what rows may be used for, whatever a reviewer decides later.
PROHIBITED_BY_TAG = {
    "pii": ("training", "validation"),
    "phi": ("training", "validation"),
    "confidential": ("few_shot", "evaluation"),
}

PUBLISH = "Publish this sheet? It cannot be taken back: from then on only tags may be added. A clone of it can still change."

SHEET_LIFECYCLE = Lifecycle(
    "sheet",
    [
        Move("update", "Edit", frozenset({"draft"})),
        # What the rows turn out to be is often found late: bars may come at any time, and only a draft may lose one.
        Move("tighten", "Add tags", frozenset({"published", "archived"})),
        Move("publish", "Publish", frozenset({"draft"}), "published", confirm=PUBLISH),
        Move("archive", "Archive", frozenset({"draft", "published"}), "archived"),
        Move("restore", "Restore", frozenset({"archived"}), "published"),
        Move("clone", "Clone"),
        Move("attach_template", "Attach template", frozenset({"draft", "published"})),
        Move("assemble", "Make a training sheet", frozenset({"draft", "published"})),
        Move("update_row", "Change a row", frozenset({"draft"})),
        Move("replace", "Replace the rows", frozenset({"draft"})),
        Move("delete", "Delete", confirm="Delete this sheet? It can be restored."),
    ],
)


class SheetColumn(Record):
    """One column of a sheet."""

    kind = "column"

    name = param.String("", doc="Name of the column.")
    dtype = param.String("VARCHAR", doc="SQL type of the column.")
    role = Choice(default="data", objects=COLUMN_ROLES, doc="`id` for the column that names the items.")


class Sheet(Record):
    """A named table of source rows, with its provenance."""

    kind = "sheet"
    table = "sheets"
    derived = frozenset({"actions", "usage_limits", "column_count"})

    id = param.String("", doc="Identifier.")
    name = param.String("", doc="Name, unique among the sheets that are not deleted.")
    slug = param.String("", doc="The rows are the SQL view `sheet_<slug>`.")
    description = param.String("", doc="What the rows are.")
    source_type = Choice(default="inline", objects=SOURCE_TYPES, doc="Kind of source the rows came from.")
    source = param.String(None, allow_None=True, doc="Path, URL or SQL text the rows came from.")
    item_id_column = param.String(None, allow_None=True, doc="Column that names each item; none: the row number does.")
    columns = Items(item_type=SheetColumn, doc="Columns in their order.")
    item_count = param.Integer(0, doc="Number of rows.")
    status = Choice(
        default="draft", objects=[*SHEET_STATUSES, DELETED], doc="State of the sheet; a published one takes more tags, no other change."
    )
    tags = Items(item_type=str, doc="Free words; PII, PHI and CONFIDENTIAL limit the use of the rows.")
    data_classification = Choice(default="internal", objects=CLASSIFICATIONS, doc="How secret the rows are.")
    template_id = param.String(None, allow_None=True, doc="Template attached to the sheet.")
    content_hash = param.String(None, allow_None=True, doc="Hash over all cells in their order.")
    external = param.Boolean(False, doc="True when the rows stay in their file and are read in place.")
    fingerprint = Json(None, doc="Path, size and time of the file of an external sheet as it was when it became one.")
    sample = param.Boolean(False, doc="True when the rows are sample data.")
    created_at = Time(None, allow_None=True, doc="When it was imported.")
    created_by = param.String(None, allow_None=True, doc="Who imported it.")
    updated_at = Time(None, allow_None=True, doc="When it last changed.")
    published_at = Time(None, allow_None=True, doc="When it was published.")
    deleted_at = Time(None, allow_None=True, doc="When it was deleted; none: it is not.")
    version = param.Integer(1, doc="Counts the changes.")
    usage_limits = Items(item_type=str, doc="Uses that the tags prohibit.")
    column_count = param.Integer(0, doc="Number of columns.")
    actions = Items(item_type=Action, doc="What may be done now.")


class Bucket(Record):
    """One bar of a histogram."""

    kind = "bucket"

    low = param.Number(0.0, doc="Lower edge.")
    high = param.Number(0.0, doc="Upper edge.")
    count = param.Integer(0, doc="Number of rows between the edges.")
    height = param.Number(0.0, doc="Count as a part of the highest bar, 0-1.")


class ValueCount(Record):
    """A value and how often it occurs."""

    kind = "value count"

    value = param.String(None, allow_None=True, doc="Value as text.")
    count = param.Integer(0, doc="Number of rows with it.")
    share = param.Number(0.0, doc="Part of all rows, 0-1.")


class ColumnProfile(Record):
    """What the values of one column look like."""

    kind = "column profile"

    name = param.String("", doc="Name of the column.")
    dtype = param.String("", doc="SQL type of the column.")
    role = Choice(default="data", objects=COLUMN_ROLES, doc="Role of the column.")
    count = param.Integer(0, doc="Rows with a value.")
    nulls = param.Integer(0, doc="Rows without a value.")
    null_share = param.Number(0.0, doc="Part of the rows without a value, 0-1.")
    empty = param.Integer(None, allow_None=True, doc="Rows whose text is blank; none: not a text.")
    distinct = param.Integer(0, doc="Number of different values.")
    minimum = Json(None, doc="Smallest value.")
    maximum = Json(None, doc="Largest value.")
    mean = param.Number(None, allow_None=True, doc="Mean of a number column.")
    quantiles = Json(None, doc="Numbers at .05, .25, .5, .75 and .95.")
    length_min = param.Integer(None, allow_None=True, doc="Characters of the shortest text.")
    length_mean = param.Number(None, allow_None=True, doc="Characters of a text on average.")
    length_max = param.Integer(None, allow_None=True, doc="Characters of the longest text.")
    histogram = Items(item_type=Bucket, doc="Spread of the numbers, or of the text lengths.")
    histogram_of = Choice(default="value", objects=["value", "length"], doc="What the histogram counts.")
    top_values = Items(item_type=ValueCount, doc="The most frequent values.")


class SheetProfile(Record):
    """What the rows of a sheet look like, column by column."""

    kind = "sheet profile"

    sheet_id = param.String("", doc="The sheet.")
    item_count = param.Integer(0, doc="Number of rows.")
    columns = Items(item_type=ColumnProfile, doc="One profile per column.")
    duplicate_rows = param.Integer(0, doc="Rows that repeat an earlier one in every column.")


class Preview(Record):
    """A few rows of a table, with the true number of all of them."""

    kind = "preview"

    columns = Items(item_type=SheetColumn, doc="Columns shown.")
    rows = Json(None, doc="Rows as objects by column name.")
    total = param.Integer(0, doc="Number of rows that match.")
    limit = param.Integer(0, doc="Most rows shown.")
    offset = param.Integer(0, doc="Rows skipped.")


class SheetRow(Record):
    """One row of a sheet after a change."""

    kind = "row"

    sheet_id = param.String("", doc="The sheet.")
    row_index = param.Integer(0, doc="Index of the row, from 0; it never changes.")
    item_ref = param.String("", doc="Name of the item the row is about.")
    cells = Json({}, doc="Cells by column name, as they are now.")
    before = Json({}, doc="The cells that changed, as they were.")
    pairs_affected = param.Integer(0, doc="Pairs made from the row, which keep it as it was.")
    version = param.Integer(1, doc="Version of the sheet, which counts the changes.")


class RowChange(Record):
    """What happened to one row of a sheet."""

    kind = "row change"
    table = "row_changes"
    wire_names = {"logged_at": "at"}

    sheet_id = param.String("", doc="The sheet.")
    sheet_version = param.Integer(1, doc="Version of the sheet that the change made.")
    row_index = param.Integer(0, doc="Index of the row.")
    item_ref = param.String("", doc="Name of the item the row is about.")
    change = Choice(default="changed", objects=ROW_CHANGES, doc="What happened.")
    before = Json(None, doc="Cells that changed, as they were; none for an added row.")
    actor = param.String("", doc="Who did it.")
    logged_at = Time(None, allow_None=True, doc="When it was done.")


class CellChange(Record):
    """One cell that differs between two versions of a row."""

    kind = "cell change"

    row_index = param.Integer(None, allow_None=True, doc="Index of the row; none: it is new.")
    item_ref = param.String("", doc="Name of the item the row is about.")
    change = Choice(default="changed", objects=ROW_CHANGES, doc="What happens to the row.")
    column = param.String(None, allow_None=True, doc="Column that differs; none: the whole row comes or goes.")
    before = param.String(None, allow_None=True, doc="Cell as text, as it was.")
    after = param.String(None, allow_None=True, doc="Cell as text, as it becomes.")


class Replacement(Record):
    """What a new version of the whole source changed, or would change."""

    kind = "replacement"

    id = param.String("", doc="The sheet.")
    preview = param.Boolean(False, doc="True when nothing was stored.")
    added = param.Integer(0, doc="Rows whose item is new.")
    changed = param.Integer(0, doc="Rows whose item has another cell.")
    removed = param.Integer(0, doc="Rows whose item is gone.")
    unchanged = param.Integer(0, doc="Rows that stay as they are.")
    total = param.Integer(0, doc="Rows of the new version.")
    columns_added = Items(item_type=str, doc="Columns that are new.")
    columns_removed = Items(item_type=str, doc="Columns that are gone.")
    columns_retyped = Items(item_type=str, doc="Columns of another type.")
    pairs_affected = param.Integer(0, doc="Pairs made from rows that change or go; they keep the row as it was.")
    examples = Items(item_type=CellChange, doc="The first differences.")
    summary = param.String("", doc="One sentence on the differences.")
    version = param.Integer(1, doc="Version of the sheet.")


class Finding(Record):
    """One thing a check found."""

    kind = "finding"

    level = Choice(default="error", objects=["error", "warning"], doc="Whether it stops the work.")
    field = param.String("", doc="What it is about.")
    message = param.String("", doc="What was found and what to do.")


class Validation(Record):
    """The outcome of a check: nothing was changed."""

    kind = "validation"

    valid = param.Boolean(True, doc="True without errors; warnings may remain.")
    findings = Items(item_type=Finding, doc="Errors first.")
    missing = Items(item_type=str, doc="Placeholders without a column.")
    available = Items(item_type=str, doc="Columns that placeholders may name.")


def prohibited_uses(tags: tuple[str, ...]) -> tuple[str, ...]:
    """Return the uses that the tags prohibit."""
    found = {use for tag in tags for use in PROHIBITED_BY_TAG.get(_plain(tag), ())}
    return tuple(sorted(found))


def limits_told(tags: tuple[str, ...], thing: str = "pair") -> str | None:
    """Return in words what the tags prohibit on a thing of the sheet; None when they prohibit nothing."""
    barring = [tag.strip() for tag in tags if _plain(tag) in PROHIBITED_BY_TAG]
    if not barring:
        return None
    many = "s" if len(barring) > 1 else ""
    uses = _listed(prohibited_uses(tags))
    return f"The tag{many} {', '.join(barring)} of the sheet prohibit{'' if many else 's'} {uses}, whatever is chosen for a {thing}."


def still_barred(tags: tuple[str, ...], uses: tuple[str, ...]) -> str:
    """Return in words from which uses something stays barred, and by which tags."""
    barring = [tag.strip() for tag in tags if {*prohibited_uses((tag,))} & {*uses}]
    return f"barred from {_listed(uses)} by the sheet's tag{'s' if len(barring) > 1 else ''} {', '.join(barring)}"


def _listed(uses: tuple[str, ...]) -> str:
    *first, last = (use.replace("_", "-") for use in uses)
    return f"{', '.join(first)} and {last}" if first else last


def classification_for(tags: tuple[str, ...], wished: str) -> str:
    """Return `restricted` for personal data, else what was wished."""
    return "restricted" if {"pii", "phi"} & {_plain(tag) for tag in tags} else wished


def missing_tags(tags: tuple[str, ...], others: tuple[str, ...]) -> list[str]:
    """Return those of some tags that are not among the others."""
    there = {_plain(tag) for tag in others}
    return [tag for tag in tags if _plain(tag) not in there]


def strictest(*classifications: str) -> str:
    """Return the most secret of some classifications."""
    return max(classifications, key=CLASSIFICATIONS.index)


def _plain(tag: str) -> str:
    """Return a tag as it is compared: however it is spaced and capitalized, it means the same."""
    return "".join(tag.split()).casefold()
