"""Settings: what is open, how to reach it, what it keeps and whether it is sound."""

from __future__ import annotations

from typing import Any

import panel_material_ui as pmui
from markupsafe import Markup

from workbench.domain.system import TableInfo
from workbench.ui import format as fmt
from workbench.ui.components.columns import Column, column
from workbench.ui.components.markup import html
from workbench.ui.components.states import ErrorState
from workbench.ui.components.table import DataTable
from workbench.ui.components.working_button import WorkingButton
from workbench.ui.providers import ProvidersView
from workbench.ui.theme import CARD_SX
from workbench.ui.url import page_origin
from workbench.ui.view import View


class SettingsView(View):
    """Show the workspace itself."""

    def build(self) -> list[Any]:
        """Return one card per subject."""
        self.providers = ProvidersView(self.ws, frame=self)
        self._findings = pmui.Column(margin=0, sizing_mode="stretch_width")
        check = WorkingButton(
            label="Check everything", icon="health_and_safety", variant="outlined", margin=0, css_classes=["check"]
        )
        check.on_click(lambda event: self._check(check))
        return [
            _card("Workspace", self.live(self.ws.system.info, self._draw)),
            _card("Providers of answers", self.providers),
            _card("Trainers", DataTable(self, self.ws.training.base_models, _trainer_columns(), key="name")),
            _card("Soundness", html(Markup('<div class="faint text">Every invariant of the file is looked at; nothing is changed.</div>')),
                  check, self._findings),
            _card("Tables for SQL", DataTable(self, self.ws.system.tables, _table_columns(), key="name")),
        ]  # fmt: skip

    def _draw(self, info: Any) -> Any:
        self.sentence = Markup("{}, version {}").format(info.name, info.program_version)
        roles = Markup(", ").join(info.roles)
        where = self.ws.url or page_origin()
        call = Markup('<span class="mono">wb.open("{}")</span>').format(where)
        connect = call if where else fmt.unknown("This workspace is not published.")
        shown = [
            ("Name", info.name),
            ("Version", Markup("{}, API {}").format(info.program_version, info.api_version)),
            ("You", Markup("{} ({})").format(info.user, roles)),
            ("Address", connect),
            ("API", fmt.link("Documentation of every operation", "./docs")),
            ("Jobs run", info.jobs_run),
            ("Sample data", fmt.value(info.sample)),
        ]
        return html(fmt.facts(shown))

    def _check(self, button: Any) -> None:
        button.loading = True
        try:
            findings = list(self.ws.system.doctor())
        except Exception as error:  # noqa: BLE001  what failed is shown where it was asked for
            self._findings.objects = [ErrorState(error)]
        else:
            self._findings.objects = [html(_found(findings))]
        finally:
            button.loading = False


def _card(title: str, *parts: Any) -> Any:
    head = html(Markup('<div class="title">{}</div>').format(title))
    return pmui.Column(
        head, *parts, margin=0, sizing_mode="stretch_width", sx={**CARD_SX, "bgcolor": "background.paper", "gap": 1}
    )


def _found(findings: Any) -> Markup:
    if not findings:
        return Markup("<div>{} Nothing is wrong.</div>").format(fmt.chip("healthy", "sound"))
    row = Markup("<div style='padding:8px 0'><b>{}</b>: {} <span class='faint'>{}</span></div>")
    return Markup("").join(row.format(f.check, f.finding, f.remedy) for f in findings)


def _trainer_columns() -> tuple[Column, ...]:
    return (
        Column("label", "Base model", lambda row: Markup("<b>{}</b>").format(row["label"] or row["name"]), whole=True),
        Column("trainer", "Trainer", fmt.text),
        Column("description", "Good for", fmt.text),
        Column("available", "Here", lambda row: fmt.choice("ready") if row["available"] else fmt.text(row["reason"]), whole=True),
    )


def _table_columns() -> tuple[Column, ...]:
    return (
        Column("name", "Table", lambda name: Markup('<span class="mono">{}</span>').format(name)),
        column(TableInfo, "doc", title="A row is"),
        Column("column_count", "Columns", fmt.integer, align="right"),
    )
