"""Providers of answers: set up, found by any of their names, tried; the key stays where it is."""

from __future__ import annotations

from typing import Any

import pytest

from tests.providers.chat_server import Say, chat_server
from tests.services.made import deployed, version
from workbench.domain.jobs import Job
from workbench.errors import Conflict, InUse, NotFound, NotReady, ValidationError

KEY = "sk-very-secret-0123456789"


def fields(error: ValidationError) -> set[str]:
    return {fault["field"] for fault in error.context["fields"]}


def test_some_are_there_without_being_set_up(ws: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    known = {one.name: one for one in ws.providers.list()}
    assert list(known) == ["simulated", "local", "openai", "anthropic"]
    assert (known["simulated"].status, known["simulated"].simulated) == ("ready", True)
    assert (known["openai"].status, "OPENAI_API_KEY is not set" in known["openai"].reason) == ("incomplete", True)
    assert "endpoint" in known["local"].reason
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    for name in ("openai", "ChatGPT", " chatgpt ", "OPENAI"):
        found = ws.providers.get(name)
        assert (found.name, found.status, KEY in str(found.values())) == ("openai", "ready", False)
    assert ws.providers.get("Claude").name == "anthropic"
    assert {preset.name for preset in ws.providers.presets()} == {
        "openai", "anthropic", "azure", "databricks", "gemini", "mistral", "perplexity", "ollama", "vllm", "lm-studio",
    }  # fmt: skip


def test_one_is_set_up_changed_and_forgotten(ws: Any) -> None:
    made = ws.providers.create(
        "My Llama",
        base_url="http://localhost:1/v1",
        model="llama",
        aliases=["Llama"],
        requests_per_minute=60,
        price_in=0,
        price_out=0,
    )
    assert (made.name, made.aliases, made.concurrency, made.timeout_seconds, made.status) == (
        "my-llama",
        ("llama",),
        4,
        30,
        "ready",
    )
    assert ws.providers.get("LLAMA").id == made.id
    changed = ws.providers.update("llama", model="llama-2", requests_per_minute=None, version=made.version)
    assert (changed.model, changed.requests_per_minute, changed.version) == ("llama-2", None, 2)
    with pytest.raises(Conflict):
        ws.providers.update("llama", model="x", version=1)
    with pytest.raises(Conflict):
        ws.providers.create("my llama", base_url="http://localhost:1/v1")
    with pytest.raises(ValidationError, match="goes by already"):
        ws.providers.create("other", base_url="http://localhost:1/v1", aliases=["Llama", "Claude"])
    ws.providers.delete("my-llama")
    with pytest.raises(NotFound, match="provider"):
        ws.providers.get("my-llama")


def test_one_that_a_job_asks_stays_until_the_job_has_ended(local: Any) -> None:
    local.providers.create("my-llama", base_url="http://localhost:1/v1", aliases=["Lama"])
    engine = local.app.engine
    with local.app.db.write():
        for id, name, status in (("job_1", "my-llama", "queued"), ("job_2", "lama", "running"), ("job_3", "my-llama", "failed")):
            ended = local.app.clock.now() if status == "failed" else None
            engine.ledger.add(Job(id=id, kind="generate", name=id, status=status, spec={"provider": name}, completed_at=ended))
    with pytest.raises(InUse, match="asked by 2 job") as kept:
        local.providers.delete("my-llama")
    assert kept.value.context["used_by"] == ["job_1", "job_2"]
    with local.app.db.write():
        local.app.db.execute("update jobs set status = 'cancelled', completed_at = ?", [local.app.clock.now()])
    local.providers.delete("my-llama")


def test_a_built_in_one_is_changed_and_goes_back(ws: Any) -> None:
    ws.providers.update("chatgpt", model="gpt-x", price_in=0.001, price_out=0.002)
    assert (ws.providers.get("openai").model, ws.providers.list().total) == ("gpt-x", 4)
    ws.providers.delete("openai")
    assert ws.providers.get("openai").model is None
    for call in (ws.providers.delete, lambda name: ws.providers.update(name, model="x")):
        with pytest.raises(Conflict, match="part of the workbench"):
            call("simulated")
    with pytest.raises(Conflict, match="not changed"):
        ws.providers.delete("openai")


@pytest.mark.parametrize(
    ("given", "wrong"),
    [
        ({"base_url": "ftp://x/v1"}, "base_url"),
        ({"base_url": "localhost:1"}, "base_url"),
        ({"base_url": "file:///etc/passwd"}, "base_url"),
        ({"base_url": "http://["}, "base_url"),
        ({"base_url": "https://ann:pw@host/v1"}, "base_url"),
        ({"base_url": f"https://host/v1?key={KEY}"}, "base_url"),
        ({"base_url": "https://YOUR-RESOURCE.openai.azure.com/openai/v1"}, "base_url"),
        ({}, "base_url"),
        ({"base_url": "http://x/v1", "key_variable": KEY}, "key_variable"),
        ({"base_url": "http://x/v1", "key_variable": "AIzaSyLooksLikeAName"}, "key_variable"),
        ({"protocol": "opneai"}, "protocol"),
        ({"protocol": "simulated"}, "protocol"),
        ({"base_url": "http://x/v1", "timeout_seconds": 0}, "timeout_seconds"),
        ({"base_url": "http://x/v1", "concurrency": 65}, "concurrency"),
        ({"base_url": "http://x/v1", "requests_per_minute": 0}, "requests_per_minute"),
    ],
)
def test_what_cannot_be_right_is_refused(local: Any, given: dict[str, Any], wrong: str) -> None:
    with pytest.raises(ValidationError) as error:
        local.providers.create("mine", **given)
    assert fields(error.value) == {wrong}
    assert KEY not in str(error.value) + str(error.value.context)
    assert "mine" not in {one.name for one in local.providers.list()}


def test_a_test_tells_what_came_back(ws: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CHAT_KEY", KEY)
    said = {"say": Say("ready")}
    with chat_server(lambda prompt, before: said["say"]) as server:
        ws.providers.create("mine", base_url=server.url, model="m", key_variable="CHAT_KEY")
        good = ws.providers.test("mine")
        assert (good.ok, good.answer, good.model, good.tokens_out, good.simulated) == (True, "ready", "m", 1, False)
        said["say"] = Say(status=401, error=f"who is {KEY}?")
        bad = ws.providers.test("mine", model="other")
    assert (bad.ok, bad.model, "CHAT_KEY" in bad.message, KEY in bad.message) == (False, "other", True, False)
    assert [asked.body["model"] for asked in server.asked] == ["m", "other"]
    monkeypatch.delenv("CHAT_KEY")
    with pytest.raises(NotReady, match="CHAT_KEY"):
        ws.providers.test("mine")
    assert ws.providers.test("simulated").simulated
    ws.providers.update("mine", model=None)
    monkeypatch.setenv("CHAT_KEY", KEY)
    with pytest.raises(ValidationError, match="model"):
        ws.providers.test("mine")


def test_unknown_names_are_met_with_near_ones(ws: Any) -> None:
    for name, hint in (("simulatd", "simulated"), ("Claud", "claude"), ("Gemini", "preset")):
        with pytest.raises(ValidationError, match=hint):
            ws.providers.test(name)


def test_a_model_of_the_workspace_is_asked_by_its_endpoint(local: Any) -> None:
    endpoint = deployed(local, version(local))
    name = local.endpoints.list().rows[0]["name"]
    told = local.providers.test("local", model=name)
    assert (told.ok, told.model, told.simulated, bool(told.answer)) == (True, name, False, True)
    assert local.providers.test("local").model == name
    with pytest.raises(ValidationError, match="no endpoint"):
        local.providers.test("local", model="other")
    assert endpoint
