"""What a question is answered, or refused with, is the same in the process and over HTTP."""

from __future__ import annotations

import inspect
from typing import Any

import pytest

from workbench.client.http import HttpTransport
from workbench.client.local import LocalTransport
from workbench.client.workspace import Workspace
from workbench.contract import answers
from workbench.errors import WorkbenchError
from workbench.server.serving import Server
from workbench.services import operations
from workbench.testing import frozen

QUESTIONS = [op for op in operations().values() if op.kind == "query"]
PLAN = {"prompt_template": "What is {{q}}?", "response_column": "a"}


@pytest.fixture(scope="module")
def asked() -> Any:
    """Give a reviewed workspace in the process and over HTTP, and what to ask for."""
    with frozen() as ws:
        sheet = ws.sheets.create("words", rows=[{"q": f"word {n}", "a": f"said {n}"} for n in range(12)])
        template = ws.templates.create("ask", **PLAN)
        made = ws.training_sheets.assemble(sheet.id, template_id=template.id)
        ws.review.decide(made.id, 0, action="approve")
        ws.review.decide(made.id, 1, action="flag", flag_reason="odd")
        ws.review.bulk_approve(made.id, row_indices=[2, 3, 4])
        job = ws.sheets.scan(sheet.id).wait(progress=False)
        server = Server(ws.app, host="127.0.0.1", port=0, pages=False).start()
        known = {
            "sheet_id": sheet.id, "training_sheet_id": made.id, "row_index": 1, "template_id": template.id, "template": PLAN,
            "job_id": job.id, "label_id": ws.labels.list()[0].id, "item_ref": "0", "item_refs": ["0", "7"], "q": "word",
            "query": "select count(*) as n, status from pairs group by 2 order by 2", "kind": "sheet", "id": sheet.id,
            "provider": "simulated", "base_model": "char-ngrams", "ids": job.id, "messages": [], "inputs": [],
        }  # fmt: skip
        yield Workspace(LocalTransport(ws.app, user="local")), Workspace(HttpTransport(server.url, user="local")), known
        server.stop()


def said(ws: Workspace, operation: Any, known: dict[str, Any]) -> Any:
    """Return the answer as it goes over the wire, or what was refused."""
    needed = [one.name for one in operation.signature().parameters.values() if one.default is inspect.Parameter.empty]
    try:
        answer = getattr(getattr(ws, operation.namespace), operation.name)(**{name: known.get(name, "nothing") for name in needed})
    except WorkbenchError as error:
        return type(error), str(error), error.context
    return answer.to_json(orient="table", default_handler=str) if operation.is_table else answers.to_wire(operation, answer)


@pytest.mark.parametrize("operation", QUESTIONS, ids=lambda operation: operation.id)
def test_both_say_the_same(asked: Any, operation: Any) -> None:
    embedded, remote, known = asked

    assert said(embedded, operation, known) == said(remote, operation, known)


def test_a_record_without_actions_says_that_it_lacks_something(asked: Any) -> None:
    embedded, _, known = asked
    lineage = embedded.lineage.get("sheet", known["sheet_id"])

    with pytest.raises(AttributeError, match="Lineage has no 'publish'"):
        lineage.publish()
