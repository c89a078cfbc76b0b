"""Which sheets a query reads: by the views of their rows, and by what holds texts that were made from rows.

A query over pairs is held to read the training sheets that it names, in a condition such as `training_sheet_id = '...'`
or `in ('...', '...')` on each table it reads. Where it names none nobody can tell without running it whose texts will
come out, so it is held to read all there are: a bar too many can be taken from the new draft by whoever knows better,
a bar too few lets personal data through.
"""

from __future__ import annotations

from workbench.services.sources import SqlSource
from workbench.store import Database
from workbench.store.published import SHEET_PREFIX

_OF_SHEETS = "select id from sheets where list_contains(?::varchar[], lower(slug))"
_OF_TRAINING_SHEETS = "select sheet_id from training_sheets where ?::varchar[] is null or list_contains($1, id)"
_OF_LABELS = "select sheet_id from canonical_labels where ?::varchar[] is null or list_contains($1, sheet_id)"
# A job that asks a provider keeps the examples it shows.
_OF_JOBS = (
    "select t.sheet_id from jobs j join training_sheets t on t.id = j.spec ->> 'training_sheet_id' "
    "where ?::varchar[] is null and j.kind = 'generate' and json_array_length(j.spec, '$.ask.examples') > 0"
)
# What holds texts made from rows, the column that names where they come from, and the way from there to the sheets.
MADE_FROM_ROWS = {
    "pairs": ("training_sheet_id", _OF_TRAINING_SHEETS),
    "decisions": ("training_sheet_id", _OF_TRAINING_SHEETS),
    "generated_answers": ("training_sheet_id", _OF_TRAINING_SHEETS),
    "predictions": ("", _OF_TRAINING_SHEETS),
    "canonical_labels": ("sheet_id", _OF_LABELS),
    "jobs": ("", _OF_JOBS),
}


def ids(db: Database, query: SqlSource) -> list[str]:
    """Return the ids of the sheets that a query reads, deleted ones too: their pairs can still be read."""
    names = query.relations
    slugs = [name.removeprefix(SHEET_PREFIX) for name in names if name.startswith(SHEET_PREFIX)]
    found = {row[0] for row in db.tuples(_OF_SHEETS, [slugs])}
    for table in names & set(MADE_FROM_ROWS):
        column, way = MADE_FROM_ROWS[table]
        wanted = query.limited_to(table, column) if column else None
        found |= {row[0] for row in db.tuples(way, [None if wanted is None else sorted(wanted)])}
    return sorted(found)
