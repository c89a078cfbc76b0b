"""The workspace itself: what it is, what happened, which tables it has."""

from __future__ import annotations

import param

from workbench.domain.record import Items, Json, Record, Time


class Change(Record):
    """One committed change: identity, not state."""

    kind = "change"

    seq = param.Integer(0, doc="Position in the order of commits, from 1.")
    topic = param.String("", doc="Namespace of the thing that changed.")
    id = param.String("", doc="Id of the thing that changed.")
    version = param.Integer(None, allow_None=True, doc="Its version after the change.")
    change = param.String("", doc="What happened: created, updated, deleted or a verb.")
    actor = param.String("", doc="Who did it.")
    logged_at = Time(None, allow_None=True, doc="When it was committed.")

    wire_names = {"logged_at": "at", "change": "kind"}


class TableColumn(Record):
    """One column of a table that `ws.sql` may read."""

    kind = "column"

    name = param.String("", doc="Name.")
    type = param.String("", doc="SQL type.")
    doc = param.String("", doc="What it holds.")


class TableInfo(Record):
    """One table or view that `ws.sql` may read."""

    kind = "table"

    name = param.String("", doc="Name in SQL.")
    doc = param.String("", doc="What a row is.")
    columns = Items(item_type=TableColumn, doc="Columns in order.")
    column_count = param.Integer(0, doc="Number of columns.")


class Finding(Record):
    """Something the doctor found wrong, and how to mend it."""

    kind = "finding"

    check = param.String("", doc="Name of the check.")
    finding = param.String("", doc="What is wrong, and where.")
    remedy = param.String("", doc="How to mend it.")


class Found(Record):
    """Something that a search found, and where it is shown."""

    kind = "found"

    id = param.String("", doc="Its identifier.")
    label = param.String("", doc="What it is, in words.")
    name = param.String("", doc="What it is called.")
    detail = param.String(None, allow_None=True, doc="What state it is in.")
    page = param.String("", doc="Page that shows it.")
    query = Json({}, doc="What the page's address has to say.")


class Backup(Record):
    """A copy of the workspace."""

    kind = "backup"

    path = param.String("", doc="File that was written.")
    bytes = param.Integer(0, doc="Its size.")


class WorkspaceInfo(Record):
    """What is open, and by whom."""

    kind = "workspace"

    name = param.String("", doc="File name without its suffix.")
    program_version = param.String("", doc="Release of the program that owns the file.")
    api_version = param.String("1", doc="Version of the wire contract.")
    last_change = param.Integer(0, doc="Position of the newest change.")
    user = param.String("", doc="Who is asking.")
    roles = Items(item_type=str, doc="What the asking user may be.")
    jobs_run = param.String("", doc="Where jobs run, and why none can start where that is so.")
    sample = param.Boolean(False, doc="True when the workspace holds sample records.")
