"""The command line from end to end: the sample run, the server, and one command per operation."""

from __future__ import annotations

import contextlib
import csv
import functools
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

import workbench as wb
from tests.e2e.processes import ROOT, command_line, environment, serving
from workbench.cli import main
from workbench.config import dataset_path
from workbench.server import demo
from workbench.services import long_work


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make the sample workspace once, as a user would."""
    database = tmp_path_factory.mktemp("demo") / "sample.duckdb"
    command_line("demo", "--database", database, "--no-serve", check=True)
    return database


@pytest.fixture
def opened(sample: Path) -> Iterator[Any]:
    with wb.open(sample, share=False) as ws:
        yield ws


def count(ws: Any, query: str, *params: Any) -> int:
    return int(ws.sql(query, list(params)).iloc[0, 0])


@pytest.mark.slow
class TestDemo:
    """What `workbench demo` leaves behind."""

    def test_nothing_is_left_but_the_workspace(self, sample: Path) -> None:
        assert ["sample.duckdb", "sample.duckdb.artifacts"] == sorted(path.name for path in sample.parent.iterdir())
        assert 0 == command_line("doctor", "--database", sample).returncode

    def test_a_second_run_changes_nothing(self, sample: Path) -> None:
        before = sample.stat().st_mtime_ns
        shown = command_line("demo", "--database", sample, "--no-serve", check=True)

        assert "is there already" in shown.stdout
        assert before == sample.stat().st_mtime_ns

    def test_everything_is_marked_as_sample(self, opened: Any) -> None:
        marked = {table.name for table in opened.tables() if "sample" in column_names(table)}

        assert {
            "sheets",
            "templates",
            "training_sheets",
            "pairs",
            "jobs",
            "models",
            "endpoints",
            "requests",
            "feedback",
        } <= marked
        for table in marked:
            made = count(opened, f"select count(*) from {table}") > 0
            assert made or table == "studies", f"{table}: the demo makes all but a search of settings"
            assert 0 == count(opened, f"select count(*) from {table} where not sample"), table

    def test_rejected_and_flagged_pairs_have_reasons_that_hold(self, opened: Any) -> None:
        found = opened.sql(
            "select status, flag_reason, count(*) n from pairs where status in ('rejected', 'flagged') group by all"
        )

        assert {("rejected", demo.SHORT), ("flagged", demo.SHARED)} == set(
            zip(found["status"], found["flag_reason"], strict=True)
        )
        assert found["n"].min() >= 10
        rows = opened.sql(
            "select p.status, s.summary from pairs p join sheet_python_standard_library s on s.item_id = p.item_ref "
            "where p.status in ('rejected', 'flagged')"
        )
        modules = modules_by_summary()
        assert all(len(text) < 18 for text in rows[rows["status"] == "rejected"]["summary"])
        assert all(len(modules[text]) > 1 for text in rows[rows["status"] == "flagged"]["summary"])

    def test_every_pair_was_decided_once(self, opened: Any) -> None:
        assert count(opened, "select count(*) from pairs where request_id is null") == demo.PAIRS
        assert demo.PAIRS == count(opened, "select count(*) from decisions")
        assert 1 == count(opened, "select max(n) from (select count(*) n from decisions group by training_sheet_id, row_index)")

    def test_the_gate_opened_by_itself(self, opened: Any) -> None:
        model = next(iter(opened.models.list()))
        history = list(opened.models.history(model.id))
        run = next(iter(opened.models.test_runs(model.id)))

        assert ("production", False) == (model.status, any(change.forced for change in history))
        assert {"register", "test", "promote", "deploy"} <= {change.action for change in history}
        assert run.success_rate >= 0.95 and run.total_count >= 20

    def test_requests_came_from_rows_that_were_never_assembled(self, opened: Any) -> None:
        plan = next(iter(opened.training_sheets.list())).template
        left_out = opened.sql(
            "select * from sheet_python_standard_library s anti join pairs p on p.item_ref = s.item_id "
        ).fillna("")
        prompts = {rendered(plan.prompt_template, row) for row in left_out.to_dict("records")}
        asked = opened.sql("select inputs from requests")["inputs"]

        assert len(left_out) >= 300 and len(asked) >= 200
        assert set(asked) <= prompts

    def test_corrections_are_true_and_wait_in_the_queue(self, opened: Any) -> None:
        plan = next(iter(opened.training_sheets.list())).template
        truth: dict[str, set[str]] = {}
        for row in opened.sql("select * from sheet_python_standard_library").fillna("").to_dict("records"):
            truth.setdefault(rendered(plan.prompt_template, row), set()).add(row["module"])
        corrected = opened.sql(
            "select r.inputs, r.prediction, f.corrected, p.status, p.response from feedback f join requests r on r.id = f.request_id "
            "join pairs p on p.request_id = r.id where f.corrected is not null"
        )

        assert len(corrected) >= 10
        for one in corrected.itertuples():
            assert one.corrected in truth[one.inputs] and one.corrected != one.prediction
            assert ("unlabeled", one.corrected) == (one.status, one.response)

    def test_the_figures_come_from_the_log(self, opened: Any) -> None:
        endpoint = next(iter(opened.endpoints.list()))
        figures = opened.monitoring.metrics(endpoint.name)

        assert figures.requests == count(opened, "select count(*) from requests")
        assert 0 < figures.p50 <= figures.p95

    def test_the_model_is_as_good_as_it_says(self, opened: Any) -> None:
        job = next(iter(opened.training.list()))
        model = opened.models.get(job.model_version_id)
        share = "select max(n) / sum(n) from (select count(*) n from pairs where status = 'labeled' group by response)"

        assert model.accuracy == opened.training.metrics(job.id).val_accuracy
        assert model.accuracy > 0.75 > 0.5 > float(opened.sql(share).iloc[0, 0])
        assert job.train_pairs + job.val_pairs == opened.review.eligibility(job.training_sheet_id).eligible


def column_names(table: Any) -> set[str]:
    return {column.name for column in table.columns}


def modules_by_summary() -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    with dataset_path("stdlib_functions.csv").open(newline="") as file:
        for row in csv.DictReader(file):
            found.setdefault(row["summary"], set()).add(row["module"])
    return found


def rendered(template: str, row: dict[str, Any]) -> str:
    for name, value in row.items():
        template = template.replace("{{" + name + "}}", str(value))
    return template


@pytest.fixture
def database(tmp_path: Path) -> Path:
    return tmp_path / "team.duckdb"


Said = subprocess.CompletedProcess[str]


@pytest.fixture
def said(capsys: pytest.CaptureFixture[str]) -> Callable[..., Said]:
    """Run commands within this process, which has imported everything; a few tests run them as processes."""

    def run(*arguments: str | Path, check: bool = False) -> Said:
        try:
            code = main([*map(str, arguments)])
        except SystemExit as ended:
            code = int(ended.code or 0)
        shown = capsys.readouterr()
        assert not check or code == 0, shown.err
        return subprocess.CompletedProcess(arguments, code, shown.out, shown.err)

    return run


def test_commands_follow_the_operations(database: Path, said: Callable[..., Said]) -> None:
    rows = json.dumps([{"text": "hello", "topic": "greeting"}, {"text": "bye", "topic": "leaving"}])

    made = json.loads(
        said("sheets", "create", "Topics", "--rows", rows, "--database", database, "--json", check=True).stdout
    )
    people = said("sheets", "list", "--database", database, check=True).stdout
    programs = json.loads(said("sheets", "list", "--database", database, "--json", check=True).stdout)
    said("sheets", "publish", made["id"], "--database", database, "--user", "ann", check=True)
    again = said("sheets", "publish", made["id"], "--database", database)

    assert "Topics" in people and "1 of 1" in people
    assert [made["id"]] == [sheet["id"] for sheet in programs["sheets"]]
    assert (1, "") == (again.returncode, again.stdout)
    assert again.stderr.startswith("INVALID_TRANSITION: Cannot publish a sheet that is published.")


def test_lists_are_written_as_people_write_them(database: Path, said: Callable[..., Said]) -> None:
    rows = json.dumps([{"q": f"question {n}", "a": "x"} for n in range(4)])
    sheet = said(
        "sheets", "create", "Topics", "--rows", rows, "--tags", "pii, internal", "--database", database, "--json", check=True
    )
    assert ["pii", "internal"] == json.loads(sheet.stdout)["tags"]
    plan = json.dumps({"prompt_template": "{{q}}", "response_column": "a"})
    made = ["training-sheets", "assemble", json.loads(sheet.stdout)["id"], "--template", plan, "--database", database, "--json"]
    id = json.loads(said(*made, check=True).stdout)["id"]
    told = said(
        "review", "bulk-approve", id, "--row-indices", "0, 2", "--preview", "--database", database, "--json", check=True
    )
    assert 2 == json.loads(told.stdout)["matched"]


def test_an_export_lies_in_the_folder_asked_for_and_over_nothing_and_is_taken_back_from_there(
    database: Path, tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    there = tmp_path_factory.mktemp("there")  # where the server reads nothing
    with serving(database) as server, wb.open(server.url) as ws:
        sheet = ws.sheets.create("Topics", rows=[{"q": f"question {n}", "a": f"answer {n}"} for n in range(12)])
        made = ws.training_sheets.assemble(sheet.id, template={"prompt_template": "{{q}}", "response_column": "a"})
        ws.review.bulk_approve(made.id, filter={"status": "unlabeled"})
        remote = ["export", made.id, "alpaca", "--to", there, "--database", server.url]
        written = command_line(*remote, check=True).stdout.split()
        again = command_line(*remote)
        back = command_line(
            "training-sheets", "import-reviews", there / "topics_1.jsonl", "--database", server.url, "--json", check=True
        )
    owned = command_line("export", made.id, "alpaca", "--to", tmp_path / "here", "--database", database, "--json", check=True)

    names = ["manifest.json", "topics_1.jsonl"]
    assert names == sorted(Path(path).name for path in written) == sorted(Path(path).name for path in json.loads(owned.stdout))
    assert names == sorted(path.name for path in there.iterdir())
    for name in names:
        assert (there / name).read_bytes() == (tmp_path / "here" / name).read_bytes()
    assert 12 == len((tmp_path / "here" / "topics_1.jsonl").read_text().splitlines())
    assert (1, True) == (again.returncode, again.stderr.startswith("CONFLICT"))
    assert ("topics_1", 12) == (json.loads(back.stdout)["name"], json.loads(back.stdout)["pairs"])


def test_what_takes_a_job_is_waited_for_and_answers_as_the_call_does(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(long_work, "ROWS_IN_A_CALL", 1)
    database, export, bad = tmp_path / "team.duckdb", tmp_path / "pairs.jsonl", tmp_path / "bad.jsonl"
    export.write_text('{"prompt": "Q", "response": "A", "status": "labeled"}\n' * 2)
    bad.write_text(export.read_text() + '{"messages": []}\n')
    with contextlib.suppress(SystemExit):
        main(["training-sheets", "import-reviews", str(export), "--database", str(database), "--json"])
    shown = capsys.readouterr()

    failed = main(["training-sheets", "import-reviews", str(bad), "--database", str(database)])
    fault = capsys.readouterr().err.rpartition("VALIDATION_ERROR: ")[2]

    told = json.loads(shown.out)
    assert (told["name"], told["pairs"], told["statuses"]) == ("pairs", 2, {"labeled": 2})
    assert "Bring in pairs" in shown.err, "a bar says how far it is"
    assert (failed, fault.startswith("The input is not valid: source: Record 2 (counted from 0)")) == (1, True)
    with wb.open(database, share=False) as ws:
        assert [(one.id, one.total_rows) for one in ws.training_sheets.list()] == [(told["id"], 2)]


def test_a_workspace_is_opened_and_told_about(database: Path) -> None:
    shown = command_line("open", "--database", database, "--user", "ann", check=True).stdout

    assert shown.startswith("team: ") and "as ann" in shown


@pytest.mark.parametrize(
    ("arguments", "code", "word"),
    [
        (["sheets", "get", "sheet_x"], 1, "NOT_FOUND"),
        (["sheets", "create", "Topics", "--rows", "not json"], 1, "VALIDATION_ERROR"),
        (["sheets", "create", "Topics", "--source", "/nowhere/at/all.csv"], 1, "VALIDATION_ERROR"),
        (["sheets", "get"], 2, "requires an argument"),
        (["sheets", "list", "--page", "many"], 2, "page"),
        (["shets", "list"], 2, "shets"),
        (["demo", "--database", ":memory:", "--no-serve"], 1, "is no file"),
        (["review", "bulk-approve", "assembly_x", "--filter", '{"status": "unlabeled"}'], 1, "NOT_FOUND"),
        (["review", "bulk-approve", "assembly_x", "--filter", "unlabeled"], 1, "Give JSON"),
        (["feedback", "create", "--endpoint", "e", "--request-id", "r", "--rating", "positive"], 1, "NOT_FOUND"),
    ],
)
def test_exit_codes_and_words(
    database: Path, said: Callable[..., Said], arguments: list[str], code: int, word: str
) -> None:
    shown = said(*arguments, *([] if arguments[0] in ("shets", "demo") else ["--database", str(database)]))

    assert code == shown.returncode
    assert word in shown.stderr + shown.stdout
    assert "Traceback" not in shown.stderr


def test_help_lists_every_operation(database: Path) -> None:
    from workbench.services import SERVICES

    listed = command_line("--help", check=True).stdout

    assert all(service.namespace.replace("_", "-") in listed for service in SERVICES if service.operations)
    assert "cancel" in command_line("training", "--help", check=True).stdout


def test_a_list_ends_quietly_where_nobody_reads_on_and_letters_are_told_by_their_code(database: Path) -> None:
    with wb.open(database, share=False) as ws:
        ws.templates.create("Größe 日本", prompt_template="{{q}}")
    command = [sys.executable, "-m", "workbench.cli", "templates", "list", "--database", str(database)]
    run = functools.partial(subprocess.Popen, command, cwd=ROOT, stderr=subprocess.PIPE, text=True)
    reads, writes = os.pipe()
    os.close(reads)
    left = run(env=environment(), stdout=writes)
    os.close(writes)

    assert left.communicate(timeout=60) == (None, "")
    plain = run(env=environment(PYTHONIOENCODING="ascii"), stdout=subprocess.PIPE)
    told, faults = plain.communicate(timeout=60)
    assert (left.returncode, plain.returncode, faults) == (141, 0, "")
    assert "Gr\\xf6\\xdfe \\u65e5\\u672c" in told


def test_commands_reach_a_served_file_and_backup_works_meanwhile(database: Path, tmp_path: Path) -> None:
    with serving(database) as server:
        command_line("sheets", "create", "Topics", "--rows", '[{"text": "hello"}]', "--database", database, check=True)
        by_address = command_line("sheets", "list", "--database", server.url, "--json", check=True)
        over_http = httpx.get(f"{server.url}/api/v1/sheets", trust_env=False).json()
        command_line("backup", tmp_path / "copy.duckdb", "--database", database, check=True)
        health = command_line("doctor", "--database", database, "--json", check=True)

    assert ["Topics"] == [sheet["name"] for sheet in over_http["sheets"]]
    assert json.loads(by_address.stdout)["sheets"] == over_http["sheets"]
    assert [] == json.loads(health.stdout)
    with wb.open(tmp_path / "copy.duckdb", share=False) as ws:
        assert 1 == ws.sheets.list().total


def test_the_server_answers_pages_docs_and_the_contract(database: Path) -> None:
    with serving(database) as server, httpx.Client(base_url=server.url, trust_env=False, follow_redirects=True) as client:
        home, docs, contract = client.get("/"), client.get("/docs"), client.get("/openapi.json").json()

    assert (200, True) == (home.status_code, "<title>Home - Workbench</title>" in home.text)
    assert 200 == docs.status_code
    assert "/api/v1/training/jobs/{job_id}/cancel" in contract["paths"]
