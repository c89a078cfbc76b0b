"""Foreign hosts, origins and callers without the token are refused before anything runs."""

from __future__ import annotations

import httpx
import pytest

from workbench.errors import Forbidden, WorkbenchError
from workbench.server.bootstrap import Owner, refuse_other_hosts
from workbench.server.serving import Server
from workbench.testing import frozen

SHAPE = {"error", "error_code", "details", "context", "timestamp", "request_id", "detail"}


@pytest.fixture(scope="module", params=[None, "secret"])
def served(request, tmp_path_factory):
    path = tmp_path_factory.mktemp("served") / "w.duckdb"
    with frozen(path):
        owner = Owner.of(str(path))
        server = Server(owner.app, host="127.0.0.1", port=0, token=request.param, pages=False).start()
        yield server
        server.stop()
        owner.release()


@pytest.fixture
def http(served):
    headers = {"Authorization": f"Bearer {served.token}"} if served.token else {}
    with httpx.Client(base_url=served.url, headers=headers, trust_env=False) as client:
        yield client


def test_a_foreign_host_is_refused(http):
    answer = http.get("/api/v1/system", headers={"Host": "evil.example"})

    assert (403, "FORBIDDEN") == (answer.status_code, answer.json()["error_code"])


def test_a_foreign_origin_may_not_write(http):
    body = {"query": "select 1"}

    assert 403 == http.post("/api/v1/sql", json=body, headers={"Origin": "https://evil.example"}).status_code
    assert 200 == http.post("/api/v1/sql", json=body, headers={"Origin": str(http.base_url).rstrip("/")}).status_code


def test_without_the_token_nobody_comes_in(served):
    answer = httpx.get(f"{served.url}/api/v1/system", trust_env=False)

    assert (401 if served.token else 200) == answer.status_code


def test_the_address_with_the_token_becomes_a_cookie(served):
    if not served.token:
        assert served.url == served.address
        return
    answer = httpx.get(served.address + "&x=1", trust_env=False)

    assert (303, "/?x=1") == (answer.status_code, answer.headers["location"])
    assert "HttpOnly" in answer.headers["set-cookie"]


def test_the_caller_keeps_the_request_id(http):
    assert "abc-1" == http.get("/api/v1/system", headers={"X-Request-ID": "abc-1"}).headers["x-request-id"]
    assert "<script>" not in http.get("/api/v1/system", headers={"X-Request-ID": "<script>"}).headers["x-request-id"]


def test_the_user_is_the_one_named(http):
    assert "ann" == http.get("/api/v1/system", headers={"X-Workbench-User": "ann"}).json()["user"]


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/api/v1/nothing", 404, "NOT_FOUND"),
        ("DELETE", "/api/v1/system", 405, "METHOD_NOT_ALLOWED"),
        ("GET", "/api/v1/changes?limit=0", 422, "VALIDATION_ERROR"),
        ("GET", "/api/v1/changes?limitt=1", 422, "VALIDATION_ERROR"),
    ],
)
def test_every_failure_has_the_one_shape(http, method, path, status, code):
    answer = http.request(method, path)

    assert (status, code) == (answer.status_code, answer.json()["error_code"])
    assert set(answer.json()) == SHAPE
    assert answer.json()["request_id"] == answer.headers["x-request-id"]


def test_malformed_json_is_a_validation_error(http):
    answer = http.post("/api/v1/sql", content=b"{", headers={"Content-Type": "application/json"})

    assert (422, SHAPE) == (answer.status_code, set(answer.json()))


def test_the_allow_header_lists_every_method(http):
    assert "GET" in http.delete("/api/v1/system").headers["allow"]


def test_an_unchanged_answer_is_304(http):
    first = http.get("/api/v1/system")

    assert 304 == http.get("/api/v1/system", headers={"If-None-Match": first.headers["etag"]}).status_code


def test_docs_come_from_this_server(http):
    page = http.get("/docs").text

    assert "http" not in page.split("<script")[1].split(">")[0]
    assert 200 == http.get("/docs/assets/swagger-ui-bundle.js").status_code


def test_another_host_is_refused_clearly():
    with pytest.raises(Forbidden, match=r"0\.0\.0\.0"):
        refuse_other_hosts("0.0.0.0")


def test_a_taken_port_is_named(served, local):
    with pytest.raises(WorkbenchError, match=str(served.port)):
        local.serve(port=served.port)
