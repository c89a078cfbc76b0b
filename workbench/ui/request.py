"""One request: what was asked and answered, what people say about it, where the answer comes from."""

from __future__ import annotations

from typing import Any

import param
from markupsafe import Markup

from workbench.ui import format as fmt
from workbench.ui.components.cards import card, stack
from workbench.ui.components.fields import Field
from workbench.ui.components.forms import ParameterForm
from workbench.ui.components.lineage import LineageGraph
from workbench.ui.components.markup import html, show
from workbench.ui.feedback import FeedbackView
from workbench.ui.view import View

RATINGS = ("positive", "negative")
JUDGMENT = (
    Field("rating", "choice", doc="Was the answer right?", choices=RATINGS, required=True, default=RATINGS[0]),
    Field("corrected", "text", doc="The answer it should have been", title="Right answer"),
    Field("comment", "text", doc="Why"),
)


class RequestView(View):
    """Show one served request and let people judge its answer."""

    request_id = param.String("", doc="Id of the request.")

    def build(self) -> list[Any]:
        """Return the request, its feedback and its lineage."""
        self._head, self._asked, self._facts = html(""), html(""), html("")
        self._given, self._form, self._graph = stack(), stack(), LineageGraph()
        self._known: dict[str, FeedbackView] = {}
        self._top = stack(self._head, card("Asked", self._asked, name="asked"), card("Facts", self._facts, name="facts"))
        request = self.live(self.ws.monitoring.request, self._draw, request_id=self.request_id, height=200)
        given = self.live(self.ws.feedback.list, self._draw_feedback, request_id=self.request_id, height=60)
        lineage = self.live(self.ws.lineage.get, self._draw_lineage, kind="request", id=self.request_id, height=200)
        return [request, card("Feedback", given, self._form, name="feedback"), card("Lineage", lineage, name="lineage")]

    def _draw(self, found: Any) -> Any:
        title = Markup(
            '<div style="display:flex;gap:12px;align-items:center"><span style="font-size:18px;font-weight:700">{}</span>{}</div>'
        )
        answer = fmt.text(found.prediction, reason=found.error)
        sure = Markup('<span class="faint">{} sure</span>').format(fmt.percent(found.confidence, reason="The model gave none."))
        show(self._head, title.format(answer, sure))
        show(self._asked, Markup("<pre>{}</pre>").format(found.inputs))
        show(self._facts, fmt.facts(_facts(found)))
        if not self._form.objects:
            self.form = ParameterForm(JUDGMENT, lambda v: self._judge(found, v), label="Give feedback", done=self._done)
            self._form.objects = [self.form]
        return self._top

    def _judge(self, found: Any, values: dict[str, Any]) -> Any:
        return self.ws.feedback.create(endpoint=found.endpoint, request_id=found.id, **values)

    def _done(self, made: Any) -> None:
        self.toasts.say("Thank you, the judgment is kept.")

    def _draw_feedback(self, page: Any) -> Any:
        ids = [row["id"] for row in page.rows]
        self._known = {id: self._known.get(id) or FeedbackView(self.ws, feedback_id=id) for id in ids}
        none = html(Markup('<div class="faint">Nobody has judged this answer yet.</div>'))
        self._given.objects = list(self._known.values()) or [none]
        return self._given

    def _draw_lineage(self, lineage: Any) -> Any:
        self._graph.update(lineage)
        return self._graph


def _facts(found: Any) -> list[tuple[str, Any]]:
    return [
        ("When", fmt.moment(found.logged_at)),
        ("Endpoint", fmt.link(found.endpoint, f"./deploy?endpoint={found.endpoint}")),
        ("Model", fmt.link(f"{found.model_name} {found.model_version}", f"./models?model={found.model_version_id}")),
        ("Status", fmt.flag(not found.error, str(found.status_code), hover=found.error)),
        ("Error", fmt.text(found.error, reason="None.")),
        ("Took", fmt.milliseconds(found.latency_ms)),
        ("Key", fmt.text(found.request_key, reason="The caller gave none.")),
        ("Logged as asked", fmt.value(not found.altered)),
        ("Request", fmt.short_id(found.id)),
    ]
