"""Answers written by a provider, in a job: nothing asked twice, nothing overwritten, nothing hidden."""

from __future__ import annotations

import itertools
import json
import os
import signal
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.files import holding
from tests.providers.chat_server import ChatServer, Say, chat_server
from tests.services.approved import change, ended
from tests.services.made import deployed, version
from workbench.engine.ending import Ending
from workbench.errors import NotEligible, NotFound, NotReady, ValidationError

ROWS = [{"q": f"what {n}"} for n in range(150)]
PLAN = {"prompt_template": "Q: {{q}}?", "response_source_mode": "ai_generated"}
KEY = "sk-very-secret-0123456789"


@pytest.fixture
def ws(local: Any) -> Any:
    """Work embedded: what passes the wire is tested with each operation, here it is the processes that take long."""
    return local


def assembled(ws: Any, count: int = 150, **plan: Any) -> Any:
    name = f"rows {ws.sheets.list().total}"
    return ws.training_sheets.assemble(ws.sheets.create(name, rows=ROWS[:count], sample=True).id, template=PLAN | plan)


@pytest.fixture
def made(ws: Any) -> Any:
    return assembled(ws)


@pytest.fixture
def chat(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., ChatServer]]:
    """Set up the provider `mine` in a workspace, answered by `tell`."""
    monkeypatch.setenv("CHAT_KEY", KEY)
    running = []

    def begin(ws: Any, tell: Any = None, **settings: Any) -> ChatServer:
        running.append(chat_server(tell))
        server = running[-1].__enter__()
        facts = {"model": "m", "key_variable": "CHAT_KEY", "price_in": 0.001, "price_out": 0.01} | settings
        ws.providers.create("mine", base_url=server.url, **facts)
        return server

    yield begin
    for one in running:
        one.__exit__(None, None, None)


class Gate:
    """Answer so many requests at once; the others wait until it opens."""

    def __init__(self, free: int) -> None:
        self._free = free
        self._asked = itertools.count()
        self._opened = threading.Event()

    def __call__(self, prompt: str, before: int) -> Say:
        if next(self._asked) >= self._free:
            assert self._opened.wait(100)
        return Say()

    def open(self) -> None:
        self._opened.set()


def until(true: Callable[[], Any], seconds: float = 60) -> Any:
    deadline = time.monotonic() + seconds
    while not (found := true()):
        assert time.monotonic() < deadline, "it did not come to pass"
        time.sleep(0.02)
    return found


def test_answers_say_that_they_are_simulated(ws: Any, made: Any) -> None:
    ws.review.decide(made.id, 0, response="mine")
    job = ws.training_sheets.generate(made.id, "simulated")
    assert (job.kind, job.sample) == ("generate", True)
    done = job.wait(progress=False)

    assert (done.status, done.result["generated_count"], done.result["failed_count"], done.result["simulated"]) == (
        "succeeded",
        149,
        0,
        True,
    )
    pair = ws.review.get(made.id, 1)
    assert (pair.response, pair.response_source, pair.simulated) == ("Simulated answer to: Q: what 1?", "ai_generated", True)
    assert (pair.status, 0.5 <= pair.confidence <= 1, pair.sample) == ("unlabeled", True, True)
    assert ws.review.get(made.id, 0).response == "mine"
    assert all(answer.simulated for answer in ws.training_sheets.answers(made.id, job_id=job.id))
    ws.review.bulk_approve(made.id, row_indices=[1, 2, 3])
    ws.review.decide(made.id, 2, response="mine")
    assert 2 == ws.training_sheets.export(made.id).manifest["made_up_answers"]
    ws.review.undo(made.id)
    ws.review.undo(made.id)
    edited = ws.review.decide(made.id, 1, action="approve", response="checked")
    assert (edited.response_source, edited.verified_by, edited.simulated) == ("human_verified", "local", False)
    ws.review.undo(made.id)
    assert ws.review.undo(made.id).undone == 149
    assert ws.review.progress(made.id).unlabeled == 150
    assert ws.review.get(made.id, 1).response == ""


def test_a_closed_set_of_answers_is_kept(ws: Any) -> None:
    made = assembled(ws, label_classes=[{"name": "yes"}, {"name": "no"}])
    job = ws.training_sheets.generate(made.id, "simulated", row_indices=list(range(20)))
    assert job.spec["rows"]["rows"] == [[0, 19]]
    job.wait(progress=False)

    answers = {pair.response for pair in ws.review.queue(made.id, limit=20)}
    assert answers == {"yes", "no"}
    assert ws.training_sheets.get(made.id).counts["response_source"]["ai_generated"] == 20


def test_what_cannot_be_answered_is_refused_before_anything_happens(ws: Any, made: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    with pytest.raises(ValidationError, match="simulated"):
        ws.training_sheets.generate(made.id, "simulatd")
    with pytest.raises(NotReady, match="OPENAI_API_KEY"):
        ws.training_sheets.generate(made.id, "ChatGPT", model="m")
    with pytest.raises(ValidationError, match="150, 151 and -7|-7, 150, 151"):
        ws.training_sheets.generate(made.id, "simulated", row_indices=[3, 150, 151, -7])
    with pytest.raises(ValidationError, match="empty"):
        ws.training_sheets.generate(made.id, "simulated", row_indices=[])
    with pytest.raises(NotFound):
        ws.training_sheets.generate(made.id, "simulated", failed_in="job_x")
    ws.review.decide(made.id, 3, response="mine")
    with pytest.raises(NotEligible, match="force"):
        ws.training_sheets.generate(made.id, "simulated", row_indices=[3], overwrite_existing=True)
    assert ws.jobs.list(kind="generate").total == 0


def test_who_had_answers_written_is_no_reviewer_of_them(ws: Any) -> None:
    made = assembled(ws, 4)
    ws.training_sheets.generate(made.id, "simulated").wait(progress=False)
    ws.review.decide(made.id, 2, action="approve")

    values = {facet.name: {v.value: v.count for v in facet.values} for facet in ws.review.facets(made.id).facets}
    assert {"local": 1} == values["reviewer"]
    assert [2] == [pair.row_index for pair in ws.review.queue(made.id, status="all", reviewer="local")]
    assert [("local", 1)] == [(one.reviewer, one.decisions) for one in ws.review.progress(made.id).by_reviewer]


def test_people_and_canonical_labels_are_only_overwritten_by_force(ws: Any) -> None:
    made = assembled(ws, 4)
    ws.review.decide(made.id, 0, response="mine")
    ws.review.decide(made.id, 1, action="approve", response="mine too")
    ws.training_sheets.generate(made.id, "simulated").wait(progress=False)
    again = ws.training_sheets.generate(made.id, "simulated", overwrite_existing=True).wait(progress=False)
    assert again.result["generated_count"] == 2
    assert [ws.review.get(made.id, row).response for row in (0, 1)] == ["mine", "mine too"]
    forced = ws.training_sheets.generate(made.id, "simulated", row_indices=[1], overwrite_existing=True, force=True)
    assert forced.wait(progress=False).result["taken_over"] == 1
    pair = ws.review.get(made.id, 1)
    assert (pair.response_source, pair.status, pair.simulated) == ("ai_generated", "unlabeled", True)


def test_tokens_and_cost_are_counted_and_the_key_is_nowhere(ws: Any, chat: Any) -> None:
    made = assembled(ws, 10)
    server = chat(ws, lambda prompt, before: Say("two words"))
    guess = ws.training_sheets.estimate(made.id, "mine")
    assert (guess.rows, guess.requests, guess.known, guess.model, guess.simulated) == (10, 10, 0, "m", False)
    assert guess.cost < guess.cost_most
    done = ws.training_sheets.generate(made.id, "Mine").wait(progress=False)

    result = done.result
    assert (result["generated_count"], result["requests"], result["tokens_out"], result["simulated"]) == (10, 10, 20, False)
    assert result["cost"] == pytest.approx(result["tokens_in"] * 0.001 / 1000 + 20 * 0.01 / 1000)
    one = ws.training_sheets.answers(made.id, job_id=done.id).rows[0]
    assert (one["tokens_out"], one["outcome"], one["origin"], one["tries"]) == (2, "good", "asked", 1)
    assert one["cost"] == pytest.approx(result["cost"] / 10)
    assert not ws.review.get(made.id, 0).simulated
    assert {metric.name for metric in ws.jobs.metrics(done.id).metrics} == {"tokens", "cost"}
    assert ws.training_sheets.estimate(made.id, "mine", overwrite_existing=True).tokens_out == 20
    assert all(KEY in asked.headers["authorization"] for asked in server.asked)
    ws.app.db.checkpoint()
    home = Path(str(ws.app.db.path)).parent
    assert holding(home, KEY.encode()) == []


def test_failures_are_told_one_by_one_and_tried_again(ws: Any, chat: Any) -> None:
    made = assembled(ws, 6)
    bad = {"Q: what 2?", "Q: what 4?"}
    chat(ws, lambda prompt, before: Say(status=400, error="too rude") if prompt in bad else Say())
    done = ws.training_sheets.generate(made.id, "mine").wait(progress=False)
    assert (done.status, done.result["generated_count"], done.result["failed_count"]) == ("succeeded", 4, 2)
    assert [error["row_index"] for error in done.result["errors"]] == [2, 4]
    assert "too rude" in done.result["errors"][0]["error"]
    assert ws.training_sheets.answers(made.id, outcome="failed").total == 2
    bad.remove("Q: what 2?")
    again = ws.training_sheets.generate(made.id, "mine", failed_in=done.id).wait(progress=False)
    assert (again.result["generated_count"], again.result["failed_count"]) == (1, 1)
    bad.clear()
    assert ws.training_sheets.generate(made.id, "mine", failed_in=again.id).wait(progress=False).result["generated_count"] == 1
    with pytest.raises(NotEligible):
        ws.training_sheets.generate(made.id, "mine", failed_in=done.id)


def test_an_empty_answer_was_paid_for_all_the_same(ws: Any, chat: Any) -> None:
    made = assembled(ws, 2)
    chat(ws, lambda prompt, before: Say("" if "0" in prompt else "two words", usage=True))
    result = ws.training_sheets.generate(made.id, "mine").wait(progress=False).result
    good, empty = (ws.training_sheets.answers(made.id, outcome=outcome).rows[0] for outcome in ("good", "failed"))
    assert (empty["tokens_in"] > 0, empty["cost"] > 0) == (True, True)
    assert result["tokens_in"] == good["tokens_in"] + empty["tokens_in"]
    assert result["cost"] == pytest.approx(good["cost"] + empty["cost"])


def test_faulty_answers_are_flagged_not_dropped(ws: Any, chat: Any) -> None:
    made = assembled(ws, 3, response_schema=[{"name": "score", "type": "number"}])
    says = {"Q: what 0?": Say('{"score": 1}'), "Q: what 1?": Say('{"sco'), "Q: what 2?": Say('{"score": 1}', finish="length")}
    chat(ws, lambda prompt, before: says[prompt])
    done = ws.training_sheets.generate(made.id, "mine").wait(progress=False)
    assert (done.result["generated_count"], done.result["flagged_count"]) == (3, 2)
    found = [(pair.status, pair.flag_reason, pair.response) for pair in (ws.review.get(made.id, row) for row in range(3))]
    assert found == [
        ("unlabeled", None, '{"score": 1}'),
        ("flagged", "Not valid JSON.", '{"sco'),
        ("flagged", "Cut off at 1024 tokens.", '{"score": 1}'),
    ]
    assert ws.review.progress(made.id).by_reviewer == ()
    assert ws.review.queue(made.id, status="flagged", reviewer="local").total == 0, "no person has flagged them"


def test_a_denied_key_ends_the_job_and_keeps_what_was_paid_for(ws: Any, chat: Any) -> None:
    made = assembled(ws, 8)
    open_ = Counter()

    def tell(prompt: str, before: int) -> Say:
        open_[prompt] += 1
        return Say() if len(open_) <= 5 or open_["fixed"] else Say(status=401, error="expired")

    server = chat(ws, tell, concurrency=1)
    job = ended(ws, ws.training_sheets.generate(made.id, "mine"))
    assert (job.status, job.error_code) == ("failed", "PROVIDER_ERROR")
    assert "401" in job.error_message
    assert "5 answers are kept" in job.error_message
    assert len(server.asked) == 6
    assert ws.training_sheets.get(made.id).counts["response_source"]["ai_generated"] == 0
    open_["fixed"] = 1
    again = ended(ws, ws.jobs.retry(job.id))
    assert (again.result["generated_count"], again.result["resumed_count"], again.result["requests"]) == (8, 5, 3)
    assert server.counts.most_common(2)[1][1] == 1
    assert set(server.answered.values()) == {0, 1} or set(server.answered.values()) == {1}
    assert ws.training_sheets.get(made.id).counts["response_source"]["ai_generated"] == 8


def test_a_provider_that_is_gone_ends_the_job_soon(local: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    made = assembled(local)
    with chat_server(lambda prompt, before: Say(status=400, error="no such model")) as server:
        local.providers.create("mine", base_url=server.url, model="m", concurrency=1)
        job = ended(local, local.training_sheets.generate(made.id, "mine"))
    assert (job.status, len(server.asked)) == ("failed", 10)
    assert "no such model" in job.error_message


def test_the_same_question_at_temperature_zero_is_asked_once(ws: Any, chat: Any) -> None:
    rows = [{"q": f"what {n % 3}"} for n in range(9)]
    server = chat(ws)
    plan = PLAN | {"temperature": 0}
    first = ws.training_sheets.assemble(ws.sheets.create("doubles", rows=rows).id, template=plan)
    assert ws.training_sheets.estimate(first.id, "mine").requests == 3
    result = ws.training_sheets.generate(first.id, "mine").wait(progress=False).result
    assert (result["generated_count"], result["cached_count"], result["requests"], len(server.asked)) == (9, 6, 3, 3)

    second = ws.training_sheets.assemble(first.sheet_id, template=plan)
    guess = ws.training_sheets.estimate(second.id, "mine")
    assert (guess.rows, guess.known, guess.requests, guess.cost) == (9, 9, 0, 0)
    result = ws.training_sheets.generate(second.id, "mine").wait(progress=False).result
    assert (result["generated_count"], result["cached_count"], result["cost"], len(server.asked)) == (9, 9, 0, 3)
    assert {answer.origin for answer in ws.training_sheets.answers(second.id)} == {"cache"}
    hotter = ws.training_sheets.assemble(first.sheet_id, template=plan | {"temperature": 0.5})
    assert ws.training_sheets.estimate(hotter.id, "mine").requests == 9
    other = ws.training_sheets.assemble(first.sheet_id, template=plan | {"system_instruction": "Be brief."})
    assert ws.training_sheets.estimate(other.id, "mine").requests == 3
    assert ws.training_sheets.estimate(second.id, "mine", model="other", overwrite_existing=True).requests == 3


def test_a_killed_job_asks_nothing_twice(local: Any, chat: Any) -> None:
    made = assembled(local)
    server, gate = chat(local, concurrency=4), Gate(30)
    server.tell = gate
    job = local.training_sheets.generate(made.id, "mine")
    folder = local.app.engine.folder(job.id, 1)
    until(lambda: (folder / "answers.jsonl").exists() and (folder / "answers.jsonl").read_bytes().count(b"\n") >= 20)
    server.tell = lambda prompt, before: Say()
    os.kill(local.jobs.get(job.id).pid, signal.SIGKILL)
    gate.open()
    lost = ended(local, job)
    assert (lost.status, lost.error_code) == ("failed", "PROCESS_KILLED")
    kept = {json.loads(line)["row_index"] for line in (folder / "answers.jsonl").read_text().splitlines()}
    assert len(kept) >= 20
    assert local.training_sheets.get(made.id).counts["response_source"]["ai_generated"] == 0

    again = ended(local, local.jobs.retry(job.id))
    assert (again.status, again.parent_id, again.result["resumed_count"]) == ("succeeded", job.id, len(kept))
    assert (again.result["generated_count"], again.result["requests"]) == (150, 150 - len(kept))
    twice = {prompt for prompt, times in server.counts.items() if times > 1}
    assert twice.isdisjoint(f"Q: what {row}?" for row in kept)
    assert len(twice) <= 4
    assert len(server.counts) == 150
    assert server.most_at_once <= 4 + 4


def test_an_attempt_after_a_lost_worker_goes_on_where_the_last_one_was(local: Any, chat: Any, monkeypatch: Any) -> None:
    lost = Ending(code="WORKER_LOST", message="The worker is gone.", transient=True)
    monkeypatch.setattr(Ending, "_unexplained", classmethod(lambda cls, ended: lost))
    local.app.settings.retry_wait_s = 0.01
    made = assembled(local)
    server, gate = chat(local, concurrency=4), Gate(30)
    server.tell = gate
    job = local.training_sheets.generate(made.id, "mine")
    folder = local.app.engine.folder(job.id, 1)
    until(lambda: (folder / "answers.jsonl").exists() and (folder / "answers.jsonl").read_bytes().count(b"\n") >= 20)
    server.tell = lambda prompt, before: Say()
    os.kill(local.jobs.get(job.id).pid, signal.SIGKILL)
    gate.open()
    done = ended(local, job)
    assert (done.status, done.attempt, done.retries) == ("succeeded", 2, 1)
    assert (done.result["generated_count"], done.result["requests"]) == (150, 150)
    assert local.training_sheets.answers(made.id).total == 150
    kept = {json.loads(line)["row_index"] for line in (folder / "answers.jsonl").read_text().splitlines()}
    assert all(server.counts[f"Q: what {row}?"] == 1 for row in kept)


def test_what_failed_in_an_attempt_that_died_is_paid_for_all_the_same(local: Any, chat: Any, monkeypatch: Any) -> None:
    lost = Ending(code="WORKER_LOST", message="The worker is gone.", transient=True)
    monkeypatch.setattr(Ending, "_unexplained", classmethod(lambda cls, ended: lost))
    local.app.settings.retry_wait_s = 0.01
    made, opened = assembled(local, 4), threading.Event()

    def tell(prompt: str, before: int) -> Say:
        if "3" in prompt:
            assert opened.wait(100)
        return Say("two words" if opened.is_set() or "0" not in prompt else "", usage=True)

    chat(local, tell, concurrency=1)
    job = local.training_sheets.generate(made.id, "mine")
    files = [local.app.engine.folder(job.id, attempt) / "answers.jsonl" for attempt in (1, 2)]
    until(lambda: files[0].exists() and files[0].read_bytes().count(b"\n") >= 3)
    os.kill(local.jobs.get(job.id).pid, signal.SIGKILL)
    opened.set()
    done = ended(local, job)
    lines = [json.loads(line) for file in files for line in file.read_text().splitlines()]
    assert (done.attempt, done.result["generated_count"], len(lines), done.result["requests"]) == (2, 4, 5, 5)
    assert done.result["tokens_in"] == sum(line["tokens_in"] for line in lines)
    assert done.result["cost"] == pytest.approx(sum(line["cost"] for line in lines))
    assert local.jobs.metric_curve(job.id, "cost")["value"].iloc[-1] == pytest.approx(done.result["cost"])


def test_cancel_is_quick_and_stop_keeps(local: Any, chat: Any) -> None:
    made = assembled(local)
    server, gate = chat(local, concurrency=3), Gate(30)
    server.tell = gate
    job = local.training_sheets.generate(made.id, "mine")
    until(lambda: len(server.asked) >= 32)
    local.jobs.cancel(job.id)
    assert ended(local, job).status == "cancelled", "it does not wait for answers"
    gate.open()
    assert local.training_sheets.get(made.id).counts["response_source"]["ai_generated"] == 0

    server.tell = lambda prompt, before: Say(delay=0.1)
    again = local.jobs.retry(job.id)
    until(lambda: local.jobs.get(again.id).done >= 20)
    assert {a.name: a.label for a in local.jobs.get(again.id).actions}["stop"] == "Stop and keep the answers so far"
    local.jobs.stop(again.id)
    stopped = ended(local, again)
    assert stopped.status == "succeeded"
    assert "Asked to stop and keep the answers so far." in [event.message for event in local.jobs.events(again.id, type="log")]
    assert stopped.result["resumed_count"] >= 25
    taken = stopped.result["taken_over"]
    assert taken == stopped.result["generated_count"] < 150
    assert local.training_sheets.get(made.id).counts["response_source"]["ai_generated"] == taken


def test_what_changed_meanwhile_is_left_alone(local: Any, chat: Any) -> None:
    made = assembled(local, 3)
    server, gate = chat(local, concurrency=1), Gate(0)
    server.tell = gate
    job = local.training_sheets.generate(made.id, "mine")
    until(lambda: server.asked)
    local.review.decide(made.id, 2, response="mine")
    gate.open()
    done = ended(local, job)
    assert (done.result["taken_over"], done.result["changed_since"]) == (2, 1)
    assert local.review.get(made.id, 2).response == "mine"


def test_examples_are_the_newest_approved_pairs_that_may_serve(local: Any, chat: Any) -> None:
    made = assembled(local, 8, few_shot_count=2)
    for row in range(4):
        local.clock.advance(seconds=60)
        local.review.decide(made.id, row, action="approve", response=f"answer {row}")
    change(local, made.id, "prohibited_mask = 8", "row_index = 3")
    server = chat(local)
    assert local.training_sheets.estimate(made.id, "mine").examples == 2
    local.training_sheets.generate(made.id, "mine", row_indices=[7]).wait(progress=False)
    said = [turn["content"] for turn in server.asked[0].body["messages"]]
    assert len(said) == 5
    assert said == ["Q: what 2?", "answer 2", "Q: what 1?", "answer 1", "Q: what 7?"]


def test_no_pair_is_shown_its_own_answer(local: Any, chat: Any) -> None:
    rows = [{"id": f"k{n}", "topic": f"what {n % 4}?"} for n in range(6)]
    sheet = local.sheets.create("rows", rows=rows, item_id_column="id")
    made = local.training_sheets.assemble(sheet.id, template={**PLAN, "prompt_template": "Q: {{topic}}", "few_shot_count": 2})
    other = local.training_sheets.assemble(sheet.id, template={**PLAN, "prompt_template": "Say: {{topic}}"})
    for row in range(6):
        local.clock.advance(seconds=60)
        local.review.decide(made.id, row, action="approve", response=f"answer {row}")
    local.clock.advance(seconds=60)
    local.review.decide(other.id, 5, action="approve", response="other words")
    server = chat(local)

    local.training_sheets.generate(made.id, "mine", overwrite_existing=True, force=True).wait(progress=False)

    said = {}
    for asked in server.asked:
        *shown, prompt = [turn["content"] for turn in asked.body["messages"]]
        said.setdefault(prompt, []).append(shown[::2])
    assert sorted(map(len, said.values())) == [1, 1, 2, 2]
    newest = ["Say: what 1?", "Q: what 0?", "Q: what 3?", "Q: what 2?"]
    assert said["Q: what 3?"] == [[newest[0], newest[1]]]
    assert said["Q: what 0?"] == [[newest[0], newest[2]]] * 2
    # The item that the newest example is about is shown another one, the other with this prompt is not.
    assert sorted(said["Q: what 1?"]) == [[newest[1], newest[2]], [newest[0], newest[1]]]


def test_two_jobs_ask_their_provider_in_one_pace(ws: Any, chat: Callable[..., ChatServer]) -> None:
    server = chat(ws, requests_per_minute=300, concurrency=4)
    jobs = [ws.training_sheets.generate(assembled(ws, 20, prompt_template=f"{name}: {{{{q}}}}?").id, "mine") for name in "AB"]
    assert [job.wait(progress=False).status for job in jobs] == ["succeeded", "succeeded"]
    asked = sorted(server.asked, key=lambda one: one.at)
    turns = "".join(one.prompt[0] for one in asked)
    assert "AB" in turns and "BA" in turns, turns  # both were under way at once
    # 39 gaps of a fifth of a second, each pace for itself would need half of that; the first to leave may arrive late.
    assert asked[-1].at - asked[0].at >= 0.2 * 32


def test_a_model_of_the_workspace_answers(local: Any) -> None:
    deployed(local, version(local))
    made = assembled(local, 5)
    done = ended(local, local.training_sheets.generate(made.id, "local"))
    assert (done.status, done.result["generated_count"], done.result["simulated"], done.result["cost"]) == (
        "succeeded",
        5,
        False,
        0,
    )
    assert local.review.get(made.id, 0).confidence > 0


def test_the_anthropic_protocol_serves_as_well(local: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CHAT_KEY", KEY)
    made = assembled(local, 3)
    with chat_server(lambda prompt, before: Say(f"about {prompt}")) as server:
        local.providers.create(
            "mine", protocol="anthropic", base_url=server.url.removesuffix("/v1"), model="m", key_variable="CHAT_KEY"
        )
        done = ended(local, local.training_sheets.generate(made.id, "mine"))
    assert (done.result["generated_count"], done.result["cost"], done.result["tokens_out"]) == (3, None, 12)
    assert local.review.get(made.id, 1).response == "about Q: what 1?"
