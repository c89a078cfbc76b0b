"""Every operation answers generated input with a declared status and a schema-true body."""

from __future__ import annotations

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from schemathesis.specs.openapi.checks import positive_data_acceptance

from workbench.server.bootstrap import Owner
from workbench.server.serving import Server
from workbench.testing import frozen

EXAMPLES = 8

# What SQL or a template means is beyond a schema: such input is refused with 422 though it has the right shape.


@pytest.fixture(scope="module")
def schema(tmp_path_factory):
    path = tmp_path_factory.mktemp("schemathesis") / "w.duckdb"
    with frozen(path):
        owner = Owner.of(str(path))
        server = Server(owner.app, host="127.0.0.1", port=0, pages=False).start()
        # How long a busy machine takes to write the schema of all operations says nothing about them.
        yield schemathesis.openapi.from_url(f"{server.url}/openapi.json", timeout=90)
        server.stop()
        owner.release()


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_generated_input_meets_no_internal_error_and_true_schemas(schema):
    complaints = {}
    for result in schema.get_all_operations():
        operation = result.ok()
        try:
            _probe(operation)
        except Exception as error:
            complaints[operation.label] = str(error)[:2000]

    assert {} == complaints


def _probe(operation):
    @settings(max_examples=EXAMPLES, deadline=None, database=None, derandomize=True, suppress_health_check=list(HealthCheck))
    @given(case=operation.as_strategy())
    def probe(case):
        case.call_and_validate(excluded_checks=[positive_data_acceptance])

    probe()
