"""P15: what the facade and the contract cost beyond the service itself; a page of 50 over HTTP."""

from __future__ import annotations

import pytest

from workbench.testing import frozen


@pytest.fixture(params=["local", "http"])
def ws(request):
    with frozen(transport=request.param) as workspace:
        workspace.transport.strict = False
        yield workspace


@pytest.fixture
def owner_app():
    from workbench.server.bootstrap import Owner

    return lambda: next(iter(Owner._owners.values())).app


def commits(app, count):
    for number in range(count):
        with app.db.write():
            app.db.emit("things", f"thing_{number:04d}", 1, "created")


def test_the_service_alone(benchmark, local, owner_app):
    """The floor: the same read without facade and contract."""
    service = owner_app().system
    benchmark(service.changes, limit=1)


def test_one_call(benchmark, ws):
    """Facade, contract and transport around the same read; the floor is to be subtracted."""
    ws.system.changes(limit=1)
    benchmark(ws.system.changes, limit=1)


def test_a_page_of_50(benchmark, ws, owner_app):
    """A page of 50 records; they are built only when somebody iterates."""
    commits(owner_app(), 50)
    benchmark(ws.system.changes, limit=50)


def test_a_page_of_50_built(benchmark, ws, owner_app):
    """The same page with every record built."""
    commits(owner_app(), 50)
    benchmark(lambda: list(ws.system.changes(limit=50)))
