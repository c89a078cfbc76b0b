"""The workspace as a whole: its tables, its changes, read-only SQL."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import workbench
from workbench.contract import Field, Page, PageNumber, PageSize, Table, command, current, query
from workbench.domain.system import Backup, Change, Finding, Found, TableInfo, WorkspaceInfo
from workbench.errors import ValidationError
from workbench.services import finding
from workbench.services.service import Service
from workbench.store import published, sandbox
from workbench.store.doctor import doctor as examine


class SystemService(Service):
    """Ask about the workspace itself."""

    namespace = "system"

    @query("GET", "/system", topics=())
    def info(self) -> WorkspaceInfo:
        """Return what is open and who is asking."""
        return WorkspaceInfo(
            name=Path(str(self.db.path)).stem,
            program_version=workbench.__version__,
            last_change=self.db.last_seq,
            user=self.actor,
            roles=sorted(self.roles),
            jobs_run=self.app.engine.executor.told(),
            sample=bool(self.db.value("select count(*) from sheets where sample")),
        )

    @query("POST", "/sql", topics=())
    def sql(
        self,
        query: Annotated[str, Field(min_length=1, max_length=100_000, description="One SELECT over the published tables.")],
        *,
        params: Annotated[list[Any], Field(description="Values of the ? placeholders, in order.")] = (),  # type: ignore[assignment]
        max_rows: Annotated[int | None, Field(ge=1, le=10_000_000, description="Most rows to return.")] = None,
    ) -> Table:
        """Run one read-only SELECT; `system.tables` lists what it may read.

        Over HTTP the rows are limited to the server's setting; the time is limited everywhere.
        """
        limit = self.settings.sql_rows if current().served else None
        wanted = min(filter(None, (limit, max_rows)), default=None)
        return sandbox.query(self.db, query, list(params), seconds=self.settings.sql_seconds, max_rows=wanted)

    @query("GET", "/search", key="items", topics=())
    def search(
        self,
        q: Annotated[str, Field(min_length=1, max_length=200, description="Part of a name, or an id.")],
        *,
        page: PageNumber = 1,
        page_size: PageSize = 20,
    ) -> Page[Found]:
        """Find sheets, training sheets, templates, jobs, models, endpoints and pairs by name or id."""
        return finding.find(self.db, q, page, page_size)

    @query("GET", "/tables", key="tables", topics=())
    def tables(self) -> Page[TableInfo]:
        """List the tables that SQL may read, with their columns."""
        rows = [{**table, "column_count": len(table["columns"])} for table in published.published(self.db)]
        return Page(TableInfo, rows, total=len(rows), page_size=len(rows))

    @query("GET", "/doctor", key="findings", roles={"admin"}, topics=())
    def doctor(self) -> Page[Finding]:
        """Check every invariant of the workspace and list what is broken, with its remedy."""
        further = [check for service in self.app.services.values() for check in service.invariants]
        rows = [{"check": f.check, "finding": f.finding, "remedy": f.remedy} for f in examine(self.db, further)]
        return Page(Finding, rows, total=len(rows), page_size=max(1, len(rows)))

    @command("POST", "/backup", roles={"admin"}, transaction=False, label="Back up")
    def backup(
        self,
        target: Annotated[str, Field(min_length=1, max_length=4096, description="File to write; it must not exist.")],
    ) -> Backup:
        """Copy the workspace and its artifacts to a new file while work goes on."""
        if current().served:
            self._refuse_outside(Path(target))
        written = self.db.backup(target)
        return Backup(path=str(written), bytes=written.stat().st_size)

    def _refuse_outside(self, target: Path) -> None:
        """Keep remote callers to the folder of the workspace."""
        home = Path(str(self.db.path)).resolve().parent
        if home not in target.resolve().parents:
            raise ValidationError.field("target", f"A backup made over HTTP goes below {home}", str(target))

    @query("GET", "/changes", key="events", topics=())
    def changes(
        self,
        *,
        after: Annotated[int, Field(ge=0, description="Position of the last change seen.")] = 0,
        limit: Annotated[int, Field(ge=1, le=1000, description="Most changes to return.")] = 200,
    ) -> Page[Change]:
        """List committed changes after a position, oldest first; the event socket sends the same."""
        events = self.db.events_after(after, limit)
        rows = [
            {
                "seq": e.seq,
                "topic": e.topic,
                "id": e.id,
                "version": e.version,
                "change": e.kind,
                "actor": e.actor,
                "logged_at": e.logged_at,
            }
            for e in events
        ]
        return Page(Change, rows, total=max(0, self.db.last_seq - max(after, self.db.first_seq - 1)), page_size=limit)
