"""The workspace itself: examined, copied, asked in SQL."""

from __future__ import annotations

import pytest

import workbench
from workbench.errors import ValidationError
from workbench.store.invariants import Check
from workbench.testing import frozen


def test_a_fresh_workspace_is_sound(ws):
    assert list(ws.system.doctor()) == []


def test_what_is_wrong_comes_with_a_remedy(local, monkeypatch):
    from workbench.services.system import SystemService

    mine = Check("mine", ("settings",), "select 'nothing is set'", "Set something.")
    monkeypatch.setattr(SystemService, "invariants", (mine,))
    (defect,) = local.system.doctor()
    assert (defect.check, defect.finding, defect.remedy) == ("mine", "nothing is set", "Set something.")


def test_a_backup_is_a_workspace(local, tmp_path):
    ws = local
    ws.sheets.create("Flowers", rows=[{"name": "rose"}])
    made = ws.system.backup(str(tmp_path / "copy.duckdb"))
    assert made.bytes > 0
    with workbench.open(tmp_path / "copy.duckdb", share=False) as copy:
        assert [sheet.name for sheet in copy.sheets.list()] == ["Flowers"]
        assert list(copy.system.doctor()) == []
    with pytest.raises(ValidationError, match="exists already"):
        ws.system.backup(str(tmp_path / "copy.duckdb"))


def test_a_server_writes_backups_only_beside_its_file(tmp_path):
    home = tmp_path / "home"
    home.mkdir()
    with frozen(home / "team.duckdb", transport="http") as ws:
        with pytest.raises(ValidationError, match="below"):
            ws.system.backup(str(tmp_path / "copy.duckdb"))
        assert ws.system.backup(str(home / "copy.duckdb")).path.endswith("copy.duckdb")


def test_sql_reads_what_is_published(ws):
    ws.sheets.create("Flowers", rows=[{"name": "rose"}, {"name": "tulip"}])
    assert ws.sql("select count(*) as n from sheet_flowers where name = ?", ["rose"])["n"].tolist() == [1]
    assert "sheet_flowers" in {table.name for table in ws.system.tables()}
    with pytest.raises(ValidationError, match="Published"):
        ws.sql("select * from audit_log")
