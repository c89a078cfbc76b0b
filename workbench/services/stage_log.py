"""The append-only history of stages and of what endpoints served."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

from workbench.contract import Page
from workbench.domain.models import ModelVersion, ProductionSpan, StageChange
from workbench.store import Records

if TYPE_CHECKING:
    from workbench.store import Database

_IN_PRODUCTION = """
select arg_max(model_version_id, seq) as id, model_name as name, arg_max(model_version, seq) as version, max(logged_at) as since
from (
    select *, row_number() over (partition by model_version_id order by seq desc) as newest
    from stage_history
    where endpoint is null and to_stage is not null and logged_at <= ?
)
where newest = 1 and to_stage = 'production'
group by model_name
order by model_name
"""

_SPANS = """
select * exclude (seq, to_stage)
from (
    select model_version_id, model_name, model_version, action, actor, reason, seq, to_stage, logged_at as began_at,
        lead(logged_at) over (partition by model_version_id order by seq) as ended_at
    from stage_history
    where endpoint is null and to_stage is not null and (? = '' or model_name = ?)
)
where to_stage = 'production'
order by seq desc limit ? offset ?
"""


class StageLog:
    """Write and read `stage_history`; a row with an endpoint tells what that endpoint began to serve."""

    def __init__(self, db: Database) -> None:
        self._db = db
        self._rows = Records(db, StageChange, topic="models")

    def add(self, version: ModelVersion, action: str, *, actor: str, **facts: Any) -> StageChange:
        """Append one change in the current transaction."""
        seq = self._db.value("select coalesce(max(seq), 0) + 1 from stage_history")
        return self._rows.insert(
            StageChange(
                id=self._db.clock.new_id("change"),
                seq=seq,
                model_version_id=version.id,
                model_name=version.name,
                model_version=version.version,
                action=action,
                actor=actor,
                sample=version.sample,
                logged_at=self._db.clock.now(),
                **facts,
            )
        )

    def stack(self, name: str) -> list[str]:
        """Return the versions of a model that were in production and were not rolled back, the live one last."""
        return self._replayed("endpoint is null and model_name = ?", name, "deploy")

    def served(self, endpoint: str) -> list[str]:
        """Return the versions an endpoint served and did not roll back, the live one last."""
        return self._replayed("endpoint = ?", endpoint, "serve")

    def _replayed(self, where: str, value: str, pushed: str) -> list[str]:
        stack: list[str] = []
        sql = f"select action, model_version_id from stage_history where {where} order by seq"
        for action, version in self._db.tuples(sql, [value]):
            if action == pushed:
                stack.append(version)
            elif action == "rollback" and version in stack:
                del stack[len(stack) - stack[::-1].index(version) :]
            elif action == "archive":
                stack = [other for other in stack if other != version]
        return stack

    def page(self, where: str, params: list[Any], *, page: int, page_size: int) -> Page[StageChange]:
        """Return changes, the newest first."""
        return self._rows.page(where, params, order="seq desc", page=page, page_size=page_size)

    def in_production(self, moment: dt.datetime) -> list[dict[str, Any]]:
        """Return id, name, version and since of what was in production at a moment."""
        return self._db.rows(_IN_PRODUCTION, [moment])

    def spans(self, name: str, *, page: int, page_size: int) -> Page[ProductionSpan]:
        """Return from when to when versions were in production, the latest first."""
        rows = self._db.rows(_SPANS, [name, name, page_size, (page - 1) * page_size])
        count = (
            "select count(*) from stage_history where endpoint is null and to_stage = 'production' and (? = '' or model_name = ?)"
        )
        total = self._db.value(count, [name, name])
        return Page(ProductionSpan, rows, total=total, page=page, page_size=page_size)
