"""Warm models answer, pointers swap under load, and every request is logged."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.files import empty
from workbench.clock import Clock
from workbench.engine.serving import Route, Serving, WarmModel
from workbench.errors import NotReady, ValidationError, WorkbenchError
from workbench.store import Database


class Echo:
    """Answers with its own name; notes the size of each call."""

    def __init__(self, name: str = "one", pause: float = 0.0) -> None:
        self.name, self.pause, self.sizes = name, pause, []

    def predict(self, texts: list[str]) -> list[dict[str, Any]]:
        self.sizes.append(len(texts))
        time.sleep(self.pause)
        if "boom" in texts:
            raise RuntimeError("boom")
        return [{"value": f"{self.name}:{text}", "confidence": 0.5} for text in texts]


@pytest.fixture
def db(tmp_path: Path) -> Iterator[Database]:
    with Database.open(empty(tmp_path / "w.duckdb")) as opened:
        yield opened


@pytest.fixture
def serving(db: Database) -> Iterator[Serving]:
    made = Serving(db, clock=Clock(), load=lambda path: Echo(path.name))
    yield made
    made.close()


def route(model: Any, **options: Any) -> Route:
    facts = {"endpoint": "e", "model_name": "m", "model_version": "1.0.0", "model_version_id": "v1"}
    return Route(**{**facts, "model": model if isinstance(model, WarmModel) else WarmModel(model), **options})


def test_answers_and_logs_each_input(serving: Serving, db: Database) -> None:
    serving.point(route(Echo(), sample=True))
    served = serving.answer("e", ["a", "b"], request_key="u1")
    assert [a["value"] for a in served.answers] == ["one:a", "one:b"]
    assert serving.log.flush(seconds=60)
    rows = db.rows("select * from requests order by inputs")
    assert [r["id"] for r in rows] == served.request_ids
    assert [(r["inputs"], r["prediction"], r["status_code"], r["request_key"]) for r in rows] == [
        ("a", "one:a", 200, "u1"),
        ("b", "one:b", 200, "u1"),
    ]
    assert all(r["latency_ms"] > 0 and r["sample"] and r["model_version_id"] == "v1" for r in rows)


def test_object_goes_through_the_template_and_missing_columns_are_named(serving: Serving, db: Database) -> None:
    serving.point(route(Echo(), template={"prompt_template": "Q: {{ question }} ({{kind}})", "column_mapping": {"kind": "type"}}))
    served = serving.answer("e", [{"question": "why {{kind}}", "type": None, "extra": 1}])
    assert served.answers[0]["value"] == "one:Q: why {{kind}} ()"
    with pytest.raises(ValidationError) as caught:
        serving.answer("e", [{"question": "x"}, {"type": "y"}])
    assert [(f["field"], f["message"]) for f in caught.value.context["fields"]] == [
        ("inputs.0", "Lacks type."),
        ("inputs.1", "Lacks question."),
    ]
    serving.log.flush()
    assert db.value("select count(*) from requests where status_code = 422 and error like '%Lacks type%'") == 2


def test_object_without_template_is_refused(serving: Serving) -> None:
    serving.point(route(Echo()))
    with pytest.raises(ValidationError, match="takes texts"):
        serving.answer("e", [{"a": 1}])


def test_guardrails_refuse(serving: Serving) -> None:
    serving.point(route(Echo(), guardrails={"max_chars": 5, "forbidden_words": ["Bad"]}))
    for text, why in (("too long a text", "5 characters"), ("bad", "forbidden word")):
        with pytest.raises(ValidationError, match=why):
            serving.answer("e", [text])


def test_a_prompt_that_would_hold_up_all_others_is_refused_without_being_asked(serving: Serving) -> None:
    serving.point(route(Echo()))
    with pytest.raises(ValidationError, match="100000 characters"):
        serving.answer("e", ["x" * 100_001])


def test_failing_model_is_an_error_and_logged(serving: Serving, db: Database) -> None:
    serving.point(route(Echo()))
    with pytest.raises(WorkbenchError, match="failed to answer") as caught:
        serving.answer("e", ["boom"])
    assert "RuntimeError" not in str(caught.value)
    serving.log.flush()
    assert db.row("select status_code, error from requests") == {"status_code": 500, "error": "RuntimeError: boom"}


def test_unknown_endpoint_is_not_ready(serving: Serving) -> None:
    with pytest.raises(NotReady):
        serving.answer("nowhere", ["a"])


def test_log_is_redacted_and_cut(serving: Serving, db: Database) -> None:
    serving.point(route(Echo()))
    serving.answer("e", ["mail ann@example.org or +49 170 1234567", "x" * 20_000, "built 2026-11-20 3.11.2"])
    serving.log.flush()
    kept = {r["inputs"][:30]: (len(r["inputs"]), r["altered"]) for r in db.rows("select inputs, altered from requests")}
    assert kept == {
        "mail [email] or [phone]": (23, True),
        "x" * 30: (8000, True),
        "built 2026-11-20 3.11.2": (23, False),
    }


def test_swap_under_load_fails_no_request(serving: Serving, db: Database) -> None:
    versions = [route(Echo(f"v{i}", pause=0.001), model_version_id=f"v{i}", model_version=f"1.{i}.0") for i in range(2)]
    serving.point(versions[0])
    stop, failures, counts = threading.Event(), [], [0] * 8

    def ask(index: int) -> None:
        while not stop.is_set():
            try:
                served = serving.answer("e", [f"{index}-{counts[index]}"])
                expected = f"{served.route.model_version_id}:{index}-{counts[index]}"
                if served.answers[0]["value"] != expected:
                    failures.append((served.answers, expected))
                counts[index] += 1
            except Exception as error:
                failures.append(error)

    threads = [threading.Thread(target=ask, args=(i,)) for i in range(8)]
    for thread in threads:
        thread.start()
    deadline, turn = time.monotonic() + 60, 0
    while (turn < 50 or sum(counts) <= 100) and time.monotonic() < deadline:
        time.sleep(0.01)
        serving.point(versions[turn % 2])
        turn += 1
    stop.set()
    for thread in threads:
        thread.join()
    assert serving.log.flush(seconds=60)
    assert failures == []
    assert db.value("select count(*) from requests") == sum(counts) > 100
    assert db.value("select count(distinct model_version) from requests") == 2
    assert db.value("select count(distinct id) from requests") == sum(counts)


def test_calls_that_wait_are_answered_together_and_one_bad_call_spoils_no_other(serving: Serving) -> None:
    model, first, go = Echo(), threading.Event(), threading.Event()
    warm = WarmModel(model)
    results: dict[str, Any] = {}
    answer = model.predict

    def waits(texts: list[str]) -> list[dict[str, Any]]:
        first.set()
        assert go.wait(60)
        return answer(texts)

    model.predict = waits

    def ask(text: str) -> None:
        try:
            results[text] = warm.predict([text])[0]["value"]
        except RuntimeError as error:
            results[text] = str(error)

    threads = [threading.Thread(target=ask, args=(t,)) for t in ("a", "b", "boom", "c")]
    threads[0].start()
    assert first.wait(60)
    for thread in threads[1:]:
        thread.start()
    deadline = time.monotonic() + 60
    while len(warm._waiting) < 3:
        assert time.monotonic() < deadline
        time.sleep(0.005)
    go.set()
    for thread in threads:
        thread.join()
    assert results == {"a": "one:a", "b": "one:b", "boom": "boom", "c": "one:c"}
    assert max(model.sizes) >= 3


def test_nothing_is_lost_on_close(tmp_path: Path) -> None:
    with Database.open(tmp_path / "w.duckdb") as db:
        serving = Serving(db, clock=Clock(), load=lambda path: Echo())
        serving.point(route(Echo()))
        for index in range(30):
            serving.answer("e", [f"{index}-{i}" for i in range(100)])
        serving.close()
        assert db.value("select count(distinct id) from requests") == 3000


def test_flush_inside_a_transaction_does_not_wait_for_itself(serving: Serving, db: Database) -> None:
    serving.point(route(Echo()))
    with db.write():
        serving.answer("e", ["a"])
        assert serving.log.flush() is False
    assert serving.log.flush(seconds=60) is True
    assert db.value("select count(*) from requests") == 1


def test_writer_survives_a_failing_commit(serving: Serving, db: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("workbench.engine.request_log.RETRY_SECONDS", 0.05)
    write, failing = db.write, [True, True]

    def broken(**options: Any) -> Any:
        if failing:
            failing.pop()
            raise OSError("no space left on device")
        return write(**options)

    monkeypatch.setattr(db, "write", broken)
    serving.point(route(Echo()))
    serving.answer("e", ["a"])
    assert serving.log.flush(seconds=60)
    assert db.value("select count(*) from requests") == 1


def test_a_version_is_loaded_once_and_idle_ones_are_dropped(db: Database) -> None:
    loads: list[str] = []

    def load(path: Path) -> Echo:
        loads.append(path.name)
        return Echo(path.name)

    serving = Serving(db, clock=Clock(), load=load)
    first = serving.warm("v0", Path("v0"))
    serving.point(route(first, model_version_id="v0"))
    for index in range(12):
        serving.warm(f"v{index}", Path(f"v{index}"))
    assert serving.warm("v0", Path("v0")) is first
    assert loads.count("v0") == 1
    serving.warm("v1", Path("v1"))
    assert loads.count("v1") == 2
    serving.close()


def test_swaps_that_arrive_in_the_wrong_order_leave_the_later_one(serving: Serving) -> None:
    serving.point(route(Echo("new"), revision=3))
    serving.point(route(Echo("old"), revision=2))
    assert serving.answer("e", ["a"]).answers[0]["value"] == "new:a"
    serving.remove("e", 2)
    assert serving.route("e") is not None
    serving.remove("e", 4)
    serving.point(route(Echo("old"), revision=3))
    assert serving.route("e") is None
    serving.remove("e")
    serving.point(route(Echo("again"), revision=1))
    assert serving.answer("e", ["a"]).answers[0]["value"] == "again:a"
