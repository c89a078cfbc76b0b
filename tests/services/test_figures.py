"""Figures that look at less than everything say what looking at every pair says."""

from __future__ import annotations

import random
import re
from typing import Any

import pytest

from workbench.domain.label import EXCLUSIONS

TEXTS = ("something", "", " ", "\u3000", "\u200bé", "~", "~ ", "ähnlich", "\x7f")
ANY_STATE = """
update pair_rows set prompt = f.prompt, response = f.response, status = f.status, stale = f.stale, disputed = f.disputed,
votes = f.votes, allowed_mask = f.allowed, prohibited_mask = f.prohibited, decided_batch = f.batch from _any f
where pair_rows.row_index = f.place
"""


@pytest.fixture
def made(local: Any) -> str:
    """Make pairs in every state one can think of."""
    r = random.Random(3)
    rows = [{"q": f"what {n}", "a": "x"} for n in range(400)]
    sheet = local.sheets.create("rows", rows=rows)
    made = local.training_sheets.assemble(sheet.id, template={"prompt_template": "{{q}}", "response_column": "a"})
    local.review.bulk_approve(made.id, row_indices=[1, 2, 3])
    number = local.app.db.value("select max(number) from batches")
    columns = ("place", "prompt", "response", "status", "stale", "disputed", "votes", "allowed", "prohibited", "batch")
    states = [
        [n, r.choice(TEXTS), r.choice(TEXTS), r.choice(("labeled", "labeled", "unlabeled", "rejected", "flagged")), r.random() < 0.2,
         r.random() < 0.2, r.choice((0, 0, 1, 2)), r.choice((None, None, 0, 1, 2)), r.choice((0, 0, 1, 2, 3)), r.choice((None, number))]
        for n in range(len(rows))
    ]  # fmt: skip
    with local.app.db.write() as tx:
        marks = ", ".join([f"({', '.join('?' * len(columns))})"] * len(states))
        values = [value for state in states for value in state]
        tx.execute(f"create temp table _any as select * from (values {marks}) t({', '.join(columns)})", values)
        tx.execute(ANY_STATE)
        tx.emit("pairs", made.id)
    return made.id


def test_eligibility_names_each_pair_as_the_view_does(local: Any, made: str) -> None:
    sql = "select excluded_by, count(*) from pair_eligibility where training_sheet_id = ? group by 1"
    wanted = dict(local.app.db.tuples(sql, [made]))
    found = local.review.eligibility(made)

    assert set(wanted) == {None, *EXCLUSIONS}
    assert {None: found.eligible, **found.excluded} == wanted
    assert found.eligible == local.app.db.value("select count(*) from trainable_pairs where training_sheet_id = ?", [made])


def test_progress_counts_each_pair_once(local: Any, made: str) -> None:
    wanted = local.app.db.row(
        "select count(*) as total, count(*) filter (where status = 'labeled') as labeled, count(*) filter (where stale) as stale, "
        "count(*) filter (where disputed) as disputed, sum(votes)::bigint as votes, "
        "count(*) filter (where (status = 'unlabeled' or stale) and not disputed) as to_review from pair_rows"
    )
    found = local.review.progress(made)

    assert {name: getattr(found, name) for name in wanted} == wanted


def test_the_counts_of_the_summary_add_up(local: Any, made: str) -> None:
    found = local.review.progress(made)
    among = [int(count) for count in re.findall(r"(\d+) disputed", found.summary)]
    apart = [int(count) for count in re.findall(r"(\d+) \w+", re.sub(r" \(.*?\)", "", found.summary).partition(" of ")[0])]

    assert sum(apart) == found.total == 400
    assert len(among) == len(apart) == 4 and sum(among) == found.disputed
