"""Every operation is reachable everywhere, and nothing else is."""

from __future__ import annotations

import ast
import builtins
import inspect
import json
import re

import pytest

from workbench.api.app import build_api
from workbench.cli import _add_operations
from workbench.cli import app as command_line
from workbench.client.stub import STUB, text
from workbench.client.workspace import namespaces
from workbench.contract import ROLES
from workbench.services import operations

OPERATIONS = list(operations().values())
PREFIX = "/api/v1"

# What is written by hand: the socket, the docs, the health check and the schema itself.
BY_HAND = {
    f"{PREFIX}/events",
    f"{PREFIX}/exports/{{export_id}}/{{name:path}}",
    "/docs",
    "/docs/assets",
    "/api/health",
    "/openapi.json",
}


# Lists that stay short by themselves: code declares them, or somebody sets each of them up by hand.
SHORT = {"system.tables", "system.doctor", "providers.list", "providers.presets", "training.base_models"}


@pytest.fixture
def api(local):
    return build_api(local.transport.app)


def unknown_routes(api, operations):
    """Return the routes that no operation declares and nobody listed."""
    declared = {op.full_path(PREFIX) for op in operations}
    return {route.path for route in api.routes} - declared - BY_HAND


def unreachable(api, operations):
    """Return the operations without a route of their method."""
    routes = {(method, route.path) for route in api.routes for method in getattr(route, "methods", None) or ()}
    return {op.id for op in operations if (op.method, op.full_path(PREFIX)) not in routes}


def test_routes_are_the_operations_and_a_short_list(api):
    assert set() == unknown_routes(api, OPERATIONS)
    assert set() == unreachable(api, OPERATIONS)


def test_a_list_that_can_grow_is_asked_for_in_pages():
    ways = ({"page", "page_size"}, {"limit", "cursor"}, {"limit", "after"})
    whole = {op.id for op in OPERATIONS if op.is_page and not any(way <= {a.name for a in op.arguments} for way in ways)}

    assert whole == SHORT


def test_a_route_written_by_hand_is_found(api):
    api.add_api_route(f"{PREFIX}/sneaked-in", lambda: None)

    assert {f"{PREFIX}/sneaked-in"} == unknown_routes(api, OPERATIONS)
    assert {OPERATIONS[0].id} <= unreachable(build_nothing(), OPERATIONS)


def build_nothing():
    from fastapi import FastAPI

    return FastAPI()


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda op: op.id)
def test_the_facade_has_the_same_signature(operation):
    method = getattr(namespaces()[operation.namespace], operation.name)
    names = [n for n in inspect.signature(method).parameters if n not in ("self", "idempotency_key", "wait")]

    assert [a.name for a in operation.arguments] == names
    assert operation.doc.split("\n")[0] in method.__doc__


def test_no_two_operations_share_a_route():
    routes = [(op.method, op.full_path(PREFIX)) for op in OPERATIONS]

    assert len(routes) == len(set(routes))


def test_every_bound_is_told_in_words_of_json_schema(api):
    assert not {"ge", "gt", "le", "lt"} & set(re.findall(r'"(\w+)":', json.dumps(api.openapi())))


def test_openapi_names_every_operation_with_a_summary(api):
    spec = api.openapi()
    entries = {e["operationId"]: e for path in spec["paths"].values() for e in path.values()}

    assert {op.id for op in OPERATIONS} == set(entries)
    assert all(entry["summary"] and entry["tags"] for entry in entries.values())


def test_every_operation_is_a_command_of_the_command_line():
    _add_operations()
    missing = [op.id for op in OPERATIONS if op.name.replace("_", "-") not in command_line[op.namespace.replace("_", "-")]]

    assert [] == missing


def test_the_stub_is_fresh():
    assert text() == STUB.read_text(), "run: python -m workbench.client.stub"


def test_the_stub_is_python_and_knows_every_name_it_uses():
    tree = ast.parse(STUB.read_text())
    imported = [node for node in tree.body if isinstance(node, (ast.Import, ast.ImportFrom))]
    known = {alias.asname or alias.name for node in imported for alias in node.names} | set(dir(builtins))
    known |= {node.name for node in tree.body if isinstance(node, ast.ClassDef)}
    used = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load)}
    assert used - known == set()


def test_roles_are_known_and_commands_are_not_open_to_viewers():
    for operation in OPERATIONS:
        assert operation.roles <= ROLES
        assert operation.kind == "query" or "viewer" not in operation.roles, operation.id


def test_every_argument_beyond_the_obvious_is_described():
    plain = {"page", "page_size", "search", "status"}
    silent = [
        f"{op.id}.{a.name}" for op in OPERATIONS for a in op.arguments if a.place != "path" and a.name not in plain and not a.doc
    ]

    assert [] == silent
