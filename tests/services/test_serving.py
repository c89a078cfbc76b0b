"""Endpoints: deployed, followed, asked, rolled back, restarted."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.services import made
from workbench.errors import Conflict, DeploymentFailed, InvalidTransition, NotFound, NotReady, ValidationError


@pytest.fixture
def live(local: Any) -> Any:
    """A workspace with one version in production."""
    made.deployed(local, made.version(local))
    return local


@pytest.fixture
def url(live: Any) -> Iterator[str]:
    from workbench.server.serving import Server

    server = Server(live.transport.app, host="127.0.0.1", port=0, pages=False).start()
    yield server.url
    server.stop()


def test_deploy_makes_an_endpoint_that_follows_production(live: Any) -> None:
    endpoint = live.endpoints.get("topics")
    assert (endpoint.status, endpoint.follows, endpoint.model_version, endpoint.stage) == (
        "serving",
        "production",
        "1.0.0",
        "production",
    )
    assert endpoint.sample and endpoint.url == "/api/v1/deployment/endpoints/topics/invocations"
    assert live.models.get(endpoint.model_version_id).endpoints == ("topics",)
    assert live.endpoints.list().total == 1


def test_invocations_take_rows_and_prompts(live: Any) -> None:
    answer = live.endpoints.invocations(
        "topics", inputs=[{"text": "matrix vector", "more": 1}, "Topic of socket packet router?"], request_key="ann"
    )
    assert [p.value for p in answer.predictions] == ["math", "net"]
    assert all(0 < p.confidence <= 1 for p in answer.predictions)
    assert answer.model_version == "1.0.0" and len(set(answer.request_ids)) == 2
    logged = {r.id: r for r in live.endpoints.logs("topics")}
    first = logged[answer.request_ids[0]]
    assert (first.inputs, first.prediction, first.request_key, first.sample) == ("Topic of matrix vector?", "math", "ann", True)


def test_missing_columns_are_named_and_the_example_is_answered(live: Any) -> None:
    with pytest.raises(ValidationError, match=r"inputs\.1: Lacks text"):
        live.endpoints.invocations("topics", inputs=["fine", {"texts": "x"}])
    assert [r.status_code for r in live.endpoints.logs("topics")] == [422, 422]
    example = live.endpoints.get("topics").input_example
    assert live.endpoints.invocations("topics", inputs=[example]).predictions[0].value


def test_a_new_production_version_takes_over_and_rollback_gives_back(live: Any) -> None:
    second = made.version(live, seed=7)
    made.deployed(live, second)
    assert live.endpoints.invocations("topics", inputs=["a"]).model_version == "1.1.0"
    live.endpoints.rollback("topics")
    assert live.endpoints.invocations("topics", inputs=["a"]).model_version == "1.0.0"
    assert live.models.get(second.id).status == "staging"
    assert [(h.action, h.model_version) for h in live.endpoints.history("topics")] == [
        ("rollback", "1.0.0"),
        ("serve", "1.1.0"),
        ("serve", "1.0.0"),
    ]
    with pytest.raises(InvalidTransition):
        live.endpoints.rollback("topics")


def test_one_version_can_be_served_under_a_name_of_its_own(live: Any) -> None:
    second = made.version(live)
    endpoint = live.endpoints.deploy(model_name="Topics", version="1.1.0")
    assert (endpoint.name, endpoint.follows, endpoint.stage) == ("topics-v1-1-0", "version", "development")
    assert live.models.get(second.id).status == "development"
    mine = live.endpoints.deploy(model_version_id=second.id, name="My Test")
    assert mine.name == "my-test"
    live.endpoints.deploy(model_name="Topics", version="1.0.0", name="my-test")
    assert live.endpoints.rollback("my-test").model_version == "1.1.0"
    with pytest.raises(InvalidTransition):
        live.endpoints.rollback("my-test")
    made.version(live, "Other")
    with pytest.raises(Conflict, match="serves 'Topics'"):
        live.endpoints.deploy(model_name="Other", version="1.0.0", name="topics")
    with pytest.raises(DeploymentFailed, match="is development"):
        live.endpoints.deploy(model_version_id=second.id, name="x", follows="production")
    with pytest.raises(NotFound, match="Did you mean 'Topics 1.1.0'"):
        live.endpoints.deploy(model_name="Topic", version="1.1.0")
    with pytest.raises(ValidationError):
        live.endpoints.deploy()


def test_two_models_with_one_slug_get_two_endpoints(live: Any) -> None:
    made.deployed(live, made.version(live, "topics!"))
    assert sorted(e.name for e in live.endpoints.list()) == ["topics", "topics-2"]
    assert live.endpoints.get("topics-2").model_name == "topics!"


def test_stop_resume_delete(live: Any) -> None:
    live.endpoints.stop("topics")
    with pytest.raises(NotReady, match="is stopped"):
        live.endpoints.invocations("topics", inputs=["a"])
    with pytest.raises(InvalidTransition):
        live.endpoints.stop("topics")
    assert live.endpoints.resume("topics").status == "serving"
    live.endpoints.invocations("topics", inputs=["a"])
    assert live.endpoints.delete("topics").id == "topics"
    with pytest.raises(NotFound):
        live.endpoints.invocations("topics", inputs=["a"])
    assert live.monitoring.logs("topics").total == 1


def test_guardrails_are_checked_and_take_effect_at_once(live: Any) -> None:
    with pytest.raises(ValidationError) as caught:
        live.endpoints.update("topics", guardrails={"max_chars": 0, "words": ["a"]})
    assert len(caught.value.context["fields"]) == 2
    seen = live.endpoints.get("topics").version
    live.endpoints.update("topics", guardrails={"max_chars": 10}, version=seen)
    with pytest.raises(ValidationError, match="10 characters"):
        live.endpoints.invocations("topics", inputs=["longer than ten"])
    with pytest.raises(Conflict):
        live.endpoints.update("topics", guardrails={}, version=seen)


def test_chat_completion(live: Any, url: str) -> None:
    body = {"model": "topics", "messages": [{"role": "user", "content": "Topic of pixel brush?"}], "temperature": 0}
    answer = httpx.post(f"{url}/api/v1/deployment/v1/chat/completions", json=body).json()
    assert answer["choices"][0]["message"] == {"role": "assistant", "content": "draw"}
    assert answer["object"] == "chat.completion" and answer["model"] == "topics"
    assert live.endpoints.logs("topics")[0].id == answer["id"]
    with pytest.raises(ValidationError):
        live.endpoints.completions(model="topics", messages=[{"role": "system", "content": "x"}])


def test_wire_shapes(live: Any, url: str) -> None:
    root = f"{url}/api/v1/deployment/endpoints"
    listed = httpx.get(root).json()
    assert set(listed) == {"endpoints", "total", "page", "page_size"}
    given = {"name", "status", "follows", "model_name", "model_version", "model_version_id", "stage", "ab_test_id", "guardrails"}
    assert given | {"created_at", "created_by", "updated_at", "version", "actions"} <= set(listed["endpoints"][0])
    answer = httpx.post(f"{root}/topics/invocations", json={"inputs": [{"text": "pixel"}]})
    assert answer.status_code == 200
    assert {"predictions", "request_ids", "model_version"} <= set(answer.json())
    assert set(answer.json()["predictions"][0]) == {"value", "confidence"}
    missing = httpx.post(f"{root}/topics/invocations", json={"inputs": [{}]})
    assert missing.status_code == 422 and missing.json()["context"]["fields"][0]["field"] == "inputs.0"
    models = httpx.get(f"{url}/api/metrics/models").json()
    assert set(models) == {"models", "total", "page", "page_size"}
    assert models["models"][0]["inferenceCount"] == 2
    refused = httpx.post(f"{url}/api/metrics/models/rollback", json={"model_id": models["models"][0]["id"]})
    assert refused.status_code == 409 and refused.json()["error_code"] == "INVALID_TRANSITION"
    table = httpx.get(f"{url}/api/metrics/models/export.csv")
    assert table.headers["content-type"].startswith("text/csv")
    assert httpx.delete(f"{root}/topics").json() == {"status": "deleted", "id": "topics"}


def test_promote_and_rollback_under_load_fail_no_request(live: Any) -> None:
    second = made.version(live, seed=7)
    made.passing(live, second)
    live.models.promote(second.id)
    stop, failures, served = threading.Event(), [], []

    def ask() -> None:
        while not stop.is_set():
            try:
                served.append(live.endpoints.invocations("topics", inputs=[{"text": "pixel brush"}]).model_version)
            except Exception as error:  # noqa: BLE001 - counted
                failures.append(error)
            time.sleep(0.02)

    threads = [threading.Thread(target=ask) for _ in range(2)]
    for thread in threads:
        thread.start()
    deadline = time.monotonic() + 100
    for _ in range(3):
        for move, version in ((live.models.deploy, "1.1.0"), (live.models.rollback, "1.0.0")):
            move(second.id)
            before = len(served)
            while version not in served[before:] and not failures:
                assert time.monotonic() < deadline
                time.sleep(0.01)
    stop.set()
    for thread in threads:
        thread.join()
    assert failures == [] and set(served) == {"1.0.0", "1.1.0"}
    assert live.endpoints.logs("topics").total == len(served)


def test_an_endpoint_answers_after_a_restart_and_nothing_is_lost(tmp_path: Path) -> None:
    import workbench as wb

    with wb.open(tmp_path / "w.duckdb", share=False) as ws:
        made.deployed(ws, made.version(ws))
        for index in range(50):
            ws.endpoints.invocations("topics", inputs=[f"{index}-{i}" for i in range(10)])
    with wb.open(tmp_path / "w.duckdb", share=False) as ws:
        assert ws.endpoints.logs("topics").total == 500
        assert ws.endpoints.invocations("topics", inputs=[{"text": "router socket"}]).predictions[0].value == "net"
        assert ws.models.list()[0].inference_count == 501
        app = ws.transport.app
        app.endpoints.serving.remove("topics")
        model = ws.models.list()[0]
        app.endpoints.serving._warm = {}
        (app.models.package(model) / "weights.npz").write_bytes(b"x")
        with pytest.raises(DeploymentFailed, match="could not be loaded"):
            ws.endpoints.invocations("topics", inputs=["a"])
