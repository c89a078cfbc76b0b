"""One generation at a time for each training sheet, by whatever way it is asked for."""

from __future__ import annotations

import os
import signal
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from tests.providers.chat_server import Say, chat_server
from tests.services.approved import ended
from workbench.errors import Conflict, InUse

PLAN = {"prompt_template": "Q: {{q}}?", "response_source_mode": "ai_generated"}


def assembled(ws: Any) -> Any:
    sheet = ws.sheets.create(f"rows {ws.sheets.list().total}", rows=[{"q": f"what {n}"} for n in range(6)], sample=True)
    return ws.training_sheets.assemble(sheet.id, template=PLAN)


def start_of(ws: Any, made: Any) -> Any:
    (action,) = ws.training_sheets.estimate(made.id, "simulated").actions
    return action


@pytest.fixture
def waiting(ws: Any) -> Any:
    """Let jobs wait: nobody starts them."""
    ws.app.engine.close()
    return ws


def test_a_second_one_is_refused_until_the_first_has_ended(waiting: Any) -> None:
    ws = waiting
    made, other = assembled(ws), assembled(ws)
    assert start_of(ws, made).enabled
    first = ws.training_sheets.generate(made.id, "simulated")
    with pytest.raises(Conflict, match=first.id) as refused:
        ws.training_sheets.generate(made.id, "simulated", row_indices=[0], overwrite_existing=True)
    assert refused.value.context["job_id"] == first.id
    told = start_of(ws, made)
    assert (told.enabled, told.reason) == (False, refused.value.message)
    assert start_of(ws, other).enabled
    ws.jobs.cancel(ws.training_sheets.generate(other.id, "simulated").id)
    ws.jobs.cancel(first.id)
    assert start_of(ws, made).enabled
    second = ws.jobs.retry(first.id)
    with pytest.raises(Conflict, match=second.id) as refused:
        ws.jobs.retry(first.id)
    shown = {job.id: job for job in ws.jobs.list(kind="generate")}
    retry = {id: next(action for action in job.actions if action.name == "retry") for id, job in shown.items()}
    assert (retry[first.id].enabled, retry[first.id].reason) == (False, refused.value.message)
    assert [retry[job.id].enabled for job in ws.training_sheets.generations(made.id)] == [False, False]
    assert retry[next(id for id in shown if id not in (first.id, second.id))].enabled, "it is of another training sheet"
    assert ws.jobs.list(kind="generate", status="queued").total == 1


def test_of_two_equal_calls_at_once_one_runs(waiting: Any) -> None:
    made = assembled(waiting)

    def ask(number: int) -> str:
        try:
            return waiting.training_sheets.generate(made.id, "simulated").status
        except Conflict:
            return "refused"

    with ThreadPoolExecutor(8) as callers:
        assert sorted(callers.map(ask, range(8))) == ["queued"] + ["refused"] * 7
    assert waiting.jobs.list(kind="generate").total == 1


def test_a_killed_one_stands_in_nobodys_way(local: Any) -> None:
    with chat_server(lambda prompt, before: Say(delay=20)) as server:
        local.providers.create("mine", base_url=server.url, model="m")
        made = assembled(local)
        first = local.training_sheets.generate(made.id, "mine")
        deadline = time.monotonic() + 60
        while not server.asked:
            assert time.monotonic() < deadline
            time.sleep(0.02)
        with pytest.raises(Conflict, match=first.id):
            local.training_sheets.generate(made.id, "simulated")
        os.kill(local.jobs.get(first.id).pid, signal.SIGKILL)
        assert ended(local, first).status == "failed"
    assert ended(local, local.training_sheets.generate(made.id, "simulated")).status == "succeeded"


def test_what_jobs_use_is_not_deleted_and_they_are_named(waiting: Any) -> None:
    ws = waiting
    made = assembled(ws)
    job = ws.training_sheets.generate(made.id, "simulated")

    for delete in (lambda: ws.training_sheets.delete(made.id), lambda: ws.sheets.delete(made.sheet_id)):
        with pytest.raises(InUse) as told:
            delete()
        assert f"is used by 1 job: {job.name}. Cancel and delete it under Jobs first." in told.value.message
