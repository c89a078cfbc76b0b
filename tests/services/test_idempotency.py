"""A repeated command gets the first answer and has no second effect."""

from __future__ import annotations

import threading

import pytest

from workbench.errors import Conflict, ValidationError


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
