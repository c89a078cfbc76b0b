"""A repeated command gets the first answer and has no second effect."""

from __future__ import annotations

import subprocess
import sys
import threading

import httpx
import pandas as pd
import pytest

import workbench as wb
from tests.e2e.processes import environment
from workbench.errors import Conflict, ValidationError
from workbench.services import idempotency
from workbench.testing import frozen


def make(ws, name, key):
    return ws.sheets.create(name, source_type="inline", rows=[{"a": 1}], idempotency_key=key)


def test_the_same_key_and_request_get_the_first_answer(ws):
    first, second = make(ws, "One", "k1"), make(ws, "One", "k1")

    assert first.id == second.id
    assert 1 == ws.sheets.list().total


def test_the_same_key_for_another_request_is_refused(ws):
    make(ws, "One", "k1")

    with pytest.raises(ValidationError, match="another request"):
        make(ws, "Two", "k1")


def test_a_table_sent_again_with_its_key_is_the_same_request(ws):
    def send(values, name="Sent"):
        return ws.sheets.create(name, rows=pd.DataFrame({"a": values}), idempotency_key="k1")

    assert send([1, 2]).id == send([1, 2]).id
    assert 1 == ws.sheets.list().total
    with pytest.raises(ValidationError, match="another request"):
        send([1, 3])


def test_a_client_that_lost_the_answer_to_an_upload_gets_it_again(monkeypatch):
    with frozen(transport="http") as ws:
        send, lost = ws.transport._http.send, []

        def losing(request, **more):
            answer = send(request, **more)
            if request.method == "POST" and not lost:
                lost.append(answer.status_code)
                raise httpx.ReadError("the connection broke", request=request)
            return answer

        monkeypatch.setattr(ws.transport._http, "send", losing)
        made = ws.sheets.create("Sent", rows=pd.DataFrame({"a": [1, 2]}))
        assert (lost, made.name, ws.sheets.list().total) == ([201], "Sent", 1)


def test_a_failed_command_may_be_repeated(ws):
    make(ws, "One", "k1")
    with pytest.raises(Conflict):
        make(ws, "One", "k2")
    ws.sheets.delete(ws.sheets.list()[0].id)

    assert "One" == make(ws, "One", "k2").name


def test_many_equal_calls_at_once_have_one_effect(ws):
    made, faults = [], []

    def call():
        try:
            made.append(make(ws, "One", "k1").id)
        except Exception as error:
            faults.append(error)

    threads = [threading.Thread(target=call) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert ([], 1, 1) == (faults, len(set(made)), ws.sheets.list().total)


def test_calls_that_fail_leave_no_gate_behind(local):
    gate = local.transport.app.idempotency
    make(local, "One", "k1")
    with pytest.raises(Conflict):
        make(local, "One", "k2")

    assert {} == gate._gates


# The process dies right after the commit that shows the effect of its command.
DIES = """
import os, sys
import workbench as wb
from workbench.store import Database

ws = wb.open(sys.argv[1], share=False)
commit = Database._commit

def last(self, transaction):
    events = commit(self, transaction)
    if any((event.topic, event.kind) in {("sheets", "created"), ("training_sheets", "created")} for event in events):
        os._exit(9)
    return events

Database._commit = last
exec(sys.argv[2])
"""


@pytest.mark.parametrize(("command", "more"), [("create", ""), ("assemble", ""), ("clone", ", wait=False")])
def test_a_command_killed_right_after_its_effect_is_not_done_twice(tmp_path, command, more):
    path = tmp_path / "w.duckdb"
    with wb.open(path, share=False) as ws:
        first = ws.sheets.create("First", rows=[{"a": 1}], idempotency_key="first")
    call = {
        "create": "ws.sheets.create('One', rows=[{'a': 1}]",
        "clone": f"ws.sheets.clone({first.id!r}, name='One'",
        "assemble": f"ws.training_sheets.assemble({first.id!r}, template={{'prompt_template': '{{{{a}}}}', 'response_column': 'a'}}",
    }[command]
    call += f", idempotency_key='k'{more})"
    dies = [sys.executable, "-c", DIES, path, call + (".wait(progress=False)" if more else "")]

    died = subprocess.run(dies, env=environment(), capture_output=True, text=True, check=False)
    assert died.returncode == 9, died.stderr

    with wb.open(path, share=False) as ws:
        again = eval(call, {"ws": ws})
        if more:
            again = again.wait(timeout=60, progress=False)
            again = ws.sheets.get(again.result["sheet_id"])
        made = ws.training_sheets.list() if command == "assemble" else ws.sheets.list(search="One")
        assert [one.id for one in made] == [again.id]


def test_a_key_of_the_day_before_the_restart_is_known_again(tmp_path):
    path = tmp_path / "a.duckdb"
    with wb.open(path) as ws:
        first = make(ws, "One", "k1")
    with wb.open(path) as ws:
        make(ws, "Two", "k2")
        assert make(ws, "One", "k1").id == first.id
        assert ws.sheets.list().total == 2


def test_with_more_keys_than_are_remembered_each_is_looked_for(tmp_path, monkeypatch):
    monkeypatch.setattr(idempotency, "KNOWN_KEYS", 2)
    path = tmp_path / "a.duckdb"
    with wb.open(path) as ws:
        made = [make(ws, f"Sheet {n}", f"k{n}").id for n in range(4)]
    with wb.open(path) as ws:
        assert [make(ws, f"Sheet {n}", f"k{n}").id for n in range(4)] == made
