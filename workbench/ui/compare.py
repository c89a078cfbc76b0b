"""Training jobs side by side: what differs, which is better, their curves in one plot per metric."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import cycle
from typing import Any

import panel_material_ui as pmui
import param
from markupsafe import Markup

from workbench.ui import format as fmt
from workbench.ui.components.cards import card, columns_of, line, stack
from workbench.ui.components.curve import AXES
from workbench.ui.components.line_bundle import LineBundle
from workbench.ui.components.line_names import LineNames
from workbench.ui.components.markup import html, show
from workbench.ui.theme import LINES
from workbench.ui.view import View

UNMEASURED = "Not measured."
# The names stay beside the curves that one scrolls to.
STAYS = {"position": "sticky", "top": "16px"}
WIDTHS = "minmax(0, 1fr) minmax(220px, 280px)"
TABLE_CSS = """
.frame { overflow: auto; max-height: 480px; }
table { border-collapse: separate; border-spacing: 0; width: 100%; font-size: 13px; }
th, td { padding: 6px 8px; text-align: left; border-bottom: 1px solid var(--mui-palette-divider, #dfe5ec); white-space: nowrap; }
th { font-size: 12px; color: var(--mui-palette-text-secondary, #566272); background: var(--mui-palette-background-paper, #fff);
  position: sticky; top: 0; z-index: 1; }
th:first-child, td:first-child { position: sticky; left: 0; z-index: 1; background: var(--mui-palette-background-paper, #fff);
  min-width: 150px; max-width: 300px; white-space: normal; overflow-wrap: anywhere; }
thead th:first-child { z-index: 2; }
td.num, th.num { text-align: right; }
th.num { white-space: normal; vertical-align: bottom; }
td small { display: block; font-size: 11px; font-weight: 400; color: var(--mui-palette-text-secondary, #566272); }
td small.best { font-weight: 700; color: var(--mui-palette-state-successInk, #1b5e2a); }
td i { display: inline-block; width: 12px; height: 4px; border-radius: 2px; margin-right: 8px; vertical-align: middle; }
td.best { font-weight: 700; color: var(--mui-palette-state-successInk, #1b5e2a);
  background: var(--mui-palette-state-successGround, #e2f3e6); }
td.best::before, small.best::before { content: "★ "; }
"""


class CompareView(View):
    """Set the jobs named in `ids` side by side; follows jobs that still run."""

    ids = param.String("", doc="Ids of the jobs, separated by commas.")

    def build(self) -> list[Any]:
        """Return settings, figures and curves."""
        self._settings, self._figures, self._groups = (html("", css=TABLE_CSS) for _ in range(3))
        self._plots, self._legend = stack(), LineNames()
        self._bundles: dict[str, LineBundle] = {}
        self._shape: Any = None
        self._found: Any = None
        self._all = pmui.Checkbox(label="Settings that are the same, too", value=False, size="small", margin=0)
        self._axis = pmui.RadioButtonGroup(options={fmt.words(a): a for a in AXES}, value="step", size="small", margin=0)
        self._log = pmui.Checkbox(label="Log scale", value=False, size="small", margin=0)
        self._metrics = pmui.MultiChoice(
            options=[], value=[], label="Metrics", margin=0, max_items=20, sizing_mode="stretch_width",
            css_classes=["metrics"],
        )  # fmt: skip
        self._over = card("Over seeds", self._groups, name="seeds")
        self._whole = self._arranged()
        part = self.live(self.ws.training.compare, self._draw, height=320, ids=self.ids)
        self._all.param.watch(lambda event: part.ask(all_settings=event.new), "value")
        self._metrics.param.watch(lambda event: part.ask(metrics=event.new) if event.new else None, "value")
        for widget in (self._axis, self._log):
            widget.param.watch(lambda event: self._draw_curves(), "value")
        self._legend.param.watch(self._light, "lit")
        return [part]

    def _arranged(self) -> Any:
        bar = line(self._axis, self._log, gap=2)
        names = card("Jobs", self._legend, name="legend")
        names.styles = STAYS
        curves = columns_of(stack(bar, self._plots), names, widths=WIDTHS)
        return stack(
            card("Figures", self._figures, name="figures"),
            card("Settings", self._settings, aside=self._all, name="settings"),
            self._over,
            self._metrics,
            curves,
        )

    def _draw(self, found: Any) -> Any:
        self._found = found
        colors = self._colors = {job.id: color for job, color in zip(found.jobs, cycle(LINES), strict=False)}
        self._legend.entries = [
            {"id": job.id, "label": found.labels[job.id], "color": colors[job.id], "href": f".{found.hrefs[job.id]}"}
            for job in found.jobs
        ]
        show(self._figures, _figure_table(found, colors))
        show(self._settings, _setting_table(found, colors))
        show(self._groups, Markup("").join(_group_table(group) for group in found.groups))
        self._over.visible = bool(found.groups)
        drawn = list(found.curves)
        choices = fmt.names_to_choose(found.metric_names)
        if self._metrics.options != choices:
            self._metrics.options = choices
        if not self._metrics.value and drawn:
            self._metrics.value = drawn
        self._draw_curves()
        return self._whole

    def _draw_curves(self) -> None:
        found = self._found
        shape = (self._axis.value, self._log.value, list(found.curves))
        fresh = shape != self._shape
        if fresh:
            self._shape = shape
            self._bundles = {
                name: LineBundle(fmt.words(name), axis=self._axis.value, log=self._log.value) for name in found.curves
            }
        for name, bundle in self._bundles.items():
            bundle.update(found.curves[name], found.labels, self._colors, found.totals[name])
        if fresh:  # a plot that is on the page already hears of its points before the page knows the plot
            nothing = html(Markup('<div class="faint">None of these jobs has logged a curve.</div>'))
            self._plots.objects = list(self._bundles.values()) or [nothing]

    def _light(self, event: Any) -> None:
        # Plots are not Panel's own: on a page only what holds its document may change them.
        self.run(lambda: self._lit(event.new))

    def _lit(self, id: str) -> None:
        for bundle in self._bundles.values():
            bundle.light(id)


def _named(found: Any, job: Any, colors: dict[str, str]) -> Markup:
    link = fmt.link(found.labels[job.id], f".{found.hrefs[job.id]}")
    return Markup('<td title="{}"><i style="background:{}"></i>{}</td>').format(found.labels[job.id], colors[job.id], link)


def _table(heads: Sequence[Any], rows: Sequence[Any]) -> Markup:
    shape = Markup('<div class="frame"><table><thead><tr>{}</tr></thead><tbody>{}</tbody></table></div>')
    return shape.format(Markup("").join(heads), Markup("").join(Markup("<tr>{}</tr>").format(Markup("").join(r)) for r in rows))


def _figure_table(found: Any, colors: dict[str, str]) -> Markup:
    """Return a row per job: state, then each figure as last measured with its best below, the winners marked."""
    heads = [Markup("<th>Job</th>"), Markup("<th>Status</th>")]
    for figure in found.metrics:
        way = f"{figure.direction} is better"
        heads.append(Markup('<th class="num" title="{}">{}</th>').format(way, fmt.words(figure.name)))
    rows = [
        [
            _named(found, job, colors),
            Markup("<td>{}</td>").format(fmt.chip(job.status)),
            *(_figure_cell(figure, job.id) for figure in found.metrics),
        ]
        for job in found.jobs
    ]
    return _table(heads, rows)


def _figure_cell(figure: Any, id: str) -> Markup:
    shown = fmt.measured(figure.name, figure.values.get(id), reason=UNMEASURED)
    over = figure.best_values.get(id)
    if over is not None:
        best = Markup('<small class="{}" title="Best over all steps, at step {}">best {}</small>')
        mark = "best" if id in figure.best_over_steps else ""
        below = best.format(mark, fmt.plain(figure.best_steps.get(id)), fmt.measured(figure.name, over))
        shown = Markup("{}{}").format(shown, below)
    return _cell(shown, id in figure.best)


def _cell(shown: Any, best: bool) -> Markup:
    return Markup('<td class="num {}">{}</td>').format("best" if best else "", shown)


def _setting_table(found: Any, colors: dict[str, str]) -> Markup:
    same = Markup('<div class="faint small" style="padding-top:8px">{} the same in every job.</div>').format(
        fmt.plural(found.same, "setting is", "settings are")
    )
    if not found.config:
        return Markup('<div class="faint">These jobs have the same settings.</div>')
    heads = [
        Markup("<th>Job</th>"),
        *(Markup('<th title="{}">{}</th>').format(one.name, fmt.words(one.name)) for one in found.config),
    ]
    rows = [
        [_named(found, job, colors), *(Markup("<td>{}</td>").format(fmt.value(one.values.get(job.id))) for one in found.config)]
        for job in found.jobs
    ]
    return Markup("{}{}").format(_table(heads, rows), same)


def _group_table(group: Any) -> Markup:
    numbers = [Markup('<th class="num">{}</th>').format(text) for text in ("Mean", "Deviation", "Jobs")]
    heads = [Markup("<th>Figure</th>"), *numbers]
    rows = [
        [
            Markup("<td>{}</td>").format(fmt.words(metric.name)),
            _cell(fmt.measured(metric.name, metric.mean, reason=UNMEASURED), best=False),
            _cell(fmt.measured(metric.name, metric.std, reason="It takes two values."), best=False),
            _cell(fmt.integer(metric.count), best=False),
        ]
        for metric in group.metrics
    ]
    title = Markup('<div style="padding-bottom:8px"><b>{}</b> <span class="faint">seeds {}</span></div>')
    return Markup("{}{}").format(title.format(group.label, fmt.value(group.seeds)), _table(heads, rows))
