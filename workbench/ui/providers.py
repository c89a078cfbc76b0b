"""Providers of answers: which there are, what they lack, and how to set one up."""

from __future__ import annotations

from typing import Any

import panel_material_ui as pmui
import param
from markupsafe import Markup

from workbench.ui import format as fmt
from workbench.ui.components.actions import ActionBar
from workbench.ui.components.cards import stack
from workbench.ui.components.columns import Column
from workbench.ui.components.fields import fields_of_operation
from workbench.ui.components.form_dialog import FormDialog
from workbench.ui.components.forms import ParameterForm
from workbench.ui.components.markup import html, show
from workbench.ui.components.table import DataTable
from workbench.ui.view import View

PREFILLED = ("name", "protocol", "base_url", "key_variable", "aliases")


class ProvidersView(View):
    """List providers; each opens with its settings, a test and the way out."""

    chosen = param.String("", doc="Provider that is open.")

    def build(self) -> list[Any]:
        """Return the table, the button that adds one, and the dialog."""
        self.dialog = FormDialog()
        self.presets: dict[str, Any] = {}
        self.provider: Any = None
        self._place, self._outcome = stack(), html("")
        self.watch(self.ws.providers.presets, self._take_presets)
        table = DataTable(
            self, self.ws.providers.list, _columns(), key="name", on_open=lambda name: self.param.update(chosen=name)
        )
        self.param.watch(self._opened, "chosen")
        add = pmui.Button(label="Add a provider", icon="add", variant="outlined", margin=0, css_classes=["add-provider"])
        add.on_click(lambda event: self._add())
        note = Markup(
            '<div class="faint text">Keys stay in environment variables: only the name of the variable is kept here.</div>'
        )
        return [html(note), table, add, self.dialog]

    def _take_presets(self, page: Any) -> None:
        self.presets = {preset.label: preset for preset in page}

    def _add(self) -> None:
        pick = pmui.Select(
            options={"Another one": "", **{label: label for label in self.presets}}, value="", label="Start from", size="small",
            margin=0, sizing_mode="stretch_width",
        )  # fmt: skip
        pick.param.watch(lambda event: self._fill(self.presets.get(event.new)), "value")
        self._fill(None)
        self.dialog.open("Add a provider", pick, self._place)

    def _fill(self, preset: Any) -> None:
        given = {name: getattr(preset, name) for name in PREFILLED} if preset is not None else {}
        self.form = ParameterForm(
            fields_of_operation(self.ws.providers.create),
            lambda values: self.ws.providers.create(**values),
            label="Add",
            done=self._saved,
            values=given,
            columns=2,
        )
        self._place.objects = [self.form]

    def _saved(self, provider: Any) -> None:
        self.dialog.close()
        self.chosen = ""
        self.toasts.say(f"Saved {provider.name}.")

    def _opened(self, event: Any) -> None:
        if not event.new:
            return
        self.provider = provider = self.ws.providers.get(event.new)
        show(self._outcome, "")
        actions = ActionBar(
            [action for action in provider.actions if action.name != "update"],
            self._perform,
            toasts=self.toasts,
            size="small",
            handlers={"test": self._test},
        )
        parts = [html(_head(provider)), actions, self._outcome]
        if any(action.enabled for action in provider.actions if action.name == "update"):
            parts.append(self._edit_form(provider))
        self.dialog.open(provider.name, *parts)
        self.chosen = ""

    def _edit_form(self, provider: Any) -> ParameterForm:
        fields = fields_of_operation(self.ws.providers.update, leave_out=("version",))
        # One that is built in is not stored yet, so there is no version to compare with.
        seen = {"version": provider.version} if provider.created_at else {}
        self.form = ParameterForm(
            fields,
            lambda values: self.ws.providers.update(provider.name, **seen, **values),
            done=self._saved,
            values={field.name: getattr(provider, field.name) for field in fields},
            columns=2,
        )
        return self.form

    def _perform(self, name: str) -> Any:
        result = self.ws.record_method(self.provider, name)()
        self.dialog.close()
        return result

    def _test(self) -> None:
        show(self._outcome, Markup('<span class="faint">Waiting for its answer …</span>'))
        try:
            found = self.ws.providers.test(self.provider.name)
        except Exception as error:  # noqa: BLE001  what keeps it from being asked is the outcome of the test
            show(self._outcome, Markup("{} {}").format(fmt.flag(False, "no answer"), str(error)))
        else:
            show(self._outcome, _tested(found))


def _tested(found: Any) -> Markup:
    made_up = fmt.simulated() if found.simulated else ""
    said = Markup('<div class="faint">{}: {} {}</div>').format(found.model, found.answer, made_up) if found.answer else ""
    return Markup("{} {}{}").format(fmt.flag(found.ok, "it answers" if found.ok else "no answer"), found.message, said)


def _head(provider: Any) -> Markup:
    reason = Markup('<div class="ink-warning">{}</div>').format(provider.reason) if provider.reason else ""
    return Markup("{} {}{}").format(fmt.chip(provider.status), ", ".join(provider.aliases), reason)


def _columns() -> tuple[Column, ...]:
    none = "None: it is not limited."
    price = "Not known: costs cannot be counted."
    return (
        Column("name", "Provider", _name, whole=True),
        Column("status", "Status", lambda row: fmt.chip(row["status"], hover=row["reason"]), whole=True),
        Column("model", "Model", lambda model: fmt.text(model, reason="Named by the template or the call.")),
        Column("base_url", "Address", lambda url: fmt.text(url, reason="It needs none.")),
        Column("key_variable", "Key in", lambda name: fmt.text(name, reason="It needs no key.")),
        Column("requests_per_minute", "Per minute", lambda most: fmt.integer(most, reason=none), align="right", doc="Requests."),
        Column("price_in", "USD in", lambda cost: _usd(cost, price), align="right", doc="USD per thousand tokens it reads."),
        Column("price_out", "USD out", lambda cost: _usd(cost, price), align="right", doc="USD per thousand tokens it writes."),
    )


def _name(row: Any) -> Markup:
    made_up = fmt.chip("warning", "makes answers up") if row["simulated"] else ""
    return Markup("<b>{}</b> {}").format(row["name"], made_up)


def _usd(cost: float | None, reason: str) -> Markup:
    return fmt.unknown(reason) if cost is None else Markup(fmt.plain(cost))
