"""Judgments of answers: kept once, counted, and sent back to review."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Annotated, Any, Literal

from workbench.contract import Field, Page, PageNumber, PageSize, command, query
from workbench.domain.improve import Feedback, FeedbackPair, FeedbackStats
from workbench.domain.record import Action
from workbench.errors import Conflict, NotFound, ValidationError
from workbench.services.answering import answered
from workbench.services.service import Service
from workbench.store import Records

if TYPE_CHECKING:
    from workbench.services.application import Application

PEOPLE = frozenset({"admin", "data_steward", "trainer", "labeler", "reviewer"})
FeedbackId = Annotated[str, Field(description="Id of the judgment.")]
Rating = Literal["positive", "negative"] | Annotated[int, Field(ge=1, le=5)]
Sentiment = Literal["positive", "neutral", "negative"]
_STATS = """
select
    count(*) as total,
    count(*) filter (where sentiment = 'positive') as positive,
    count(*) filter (where sentiment = 'neutral') as neutral,
    count(*) filter (where sentiment = 'negative') as negative,
    avg(score) as average_score,
    count(*) filter (where flagged) as flagged,
    count(corrected) as corrected,
    count(pair_id) as converted
from feedback where created_at > $since and ($endpoint is null or endpoint = $endpoint)
"""
_BY_DAY = """
select
    strftime(created_at, '%Y-%m-%d') as day,
    count(*) filter (where sentiment = 'positive') as positive,
    count(*) filter (where sentiment = 'neutral') as neutral,
    count(*) filter (where sentiment = 'negative') as negative
from feedback where created_at > $since and ($endpoint is null or endpoint = $endpoint)
group by 1 order by 1
"""


class FeedbackService(Service):
    """Keep what people say about answers, and turn corrections into pairs."""

    namespace = "feedback"

    def __init__(self, app: Application) -> None:
        super().__init__(app)
        self.entries = Records(app.db, Feedback, topic="feedback")

    @command("POST", "/feedback", roles=PEOPLE, status=201, transaction=False)
    def create(
        self,
        *,
        endpoint: Annotated[str, Field(description="Endpoint that answered.")],
        request_id: Annotated[str, Field(description="Request judged.")],
        rating: Annotated[Rating, Field(description="positive, negative or 1-5.")],
        corrected: Annotated[str | None, Field(max_length=100_000, description="The answer it should have been.")] = None,
        comment: Annotated[str, Field(max_length=10_000, description="Remark.")] = "",
        id: Annotated[str | None, Field(min_length=1, max_length=200, pattern=r"^[\w.:-]+$", description="Your own id.")] = None,
    ) -> Feedback:
        """Judge the answer of one request; sending the same id again changes nothing."""
        self.app.endpoints.flush()
        with self.db.write():
            if id is not None and (known := self.entries.find(id=id)) is not None:
                return self._repeated(known, request_id)
            request = self._request(endpoint, request_id)
            made = Feedback(
                id=id or self.clock.new_id("feedback"),
                endpoint=endpoint,
                request_id=request_id,
                model_version_id=request["model_version_id"],
                sentiment=_sentiment(rating),
                score=rating if isinstance(rating, int) else None,
                corrected=corrected,
                comment=comment,
                sample=request["sample"],
                author=self.actor,
            )
            return answered(self._shown(self.entries.insert(made)))

    @query("GET", "/feedback", key="feedback")
    def list(
        self,
        *,
        endpoint: Annotated[str, Field(description="Endpoint that answered.")] = "",
        sentiment: Annotated[Sentiment | None, Field(description="1-2 stars are negative, 3 neutral, 4-5 positive.")] = None,
        flagged: Annotated[bool | None, Field(description="Whether marked for a second look.")] = None,
        converted: Annotated[bool | None, Field(description="Whether a pair was made of it.")] = None,
        request_id: Annotated[str, Field(description="Request judged.")] = "",
        page: PageNumber = 1,
        page_size: PageSize = 50,
    ) -> Page[Feedback]:
        """List judgments with the request they are about, the newest first."""
        clauses: list[tuple[str, Any]] = [
            ("endpoint = ?", endpoint or None),
            ("sentiment = ?", sentiment),
            ("flagged = ?", flagged),
            ("(pair_id is not null) = ?", converted),
            ("request_id = ?", request_id or None),
        ]
        given = [(text, value) for text, value in clauses if value is not None]
        where = " and ".join(text for text, _ in given)
        found = self.entries.page(where, [value for _, value in given], page=page, page_size=page_size)
        found.rows = self._present(found.rows)
        return found

    @query("GET", "/feedback/stats", topics=("feedback",))
    def stats(
        self,
        *,
        days: Annotated[int, Field(ge=1, le=365, description="Days back from now.")] = 30,
        endpoint: Annotated[str | None, Field(description="Endpoint; none: all.")] = None,
    ) -> FeedbackStats:
        """Count the judgments of some days."""
        given = {"since": self.clock.now() - dt.timedelta(days=days), "endpoint": endpoint or None}
        row = self.db.row(_STATS, given) or {}
        rate = round(row["positive"] / row["total"], 4) if row["total"] else None
        by_day = self.db.rows(_BY_DAY, given)
        return FeedbackStats(days=days, endpoint=endpoint or None, positive_rate=rate, by_day=by_day, **row)

    @query("GET", "/feedback/{feedback_id}")
    def get(self, feedback_id: FeedbackId) -> Feedback:
        """Return one judgment with the request it is about."""
        return self._shown(self._entry(feedback_id))

    @command("POST", "/feedback/{feedback_id}/flag", roles=PEOPLE, label="Flag")
    def flag(self, feedback_id: FeedbackId) -> Feedback:
        """Mark a judgment for a second look."""
        return self._shown(self.entries.update(self._entry(feedback_id).id, flagged=True))

    @command("POST", "/feedback/{feedback_id}/unflag", roles=PEOPLE, label="Remove flag")
    def unflag(self, feedback_id: FeedbackId) -> Feedback:
        """Take the mark away."""
        return self._shown(self.entries.update(self._entry(feedback_id).id, flagged=False))

    @command("POST", "/feedback/{feedback_id}/to-pair", roles=PEOPLE, label="Send back to review")
    def to_pair(
        self,
        feedback_id: FeedbackId,
        *,
        training_sheet_id: Annotated[str, Field(description="Training sheet it enters.")],
        prompt: Annotated[str | None, Field(min_length=1, description="Needed when the log redacted or cut it.")] = None,
    ) -> FeedbackPair:
        """Add the request with its right answer to a training sheet as an unlabeled pair; never approved by itself."""
        entry = self._entry(feedback_id)
        if entry.pair_id is not None:
            return self._made_before(entry, training_sheet_id)
        request = self._request(entry.endpoint, entry.request_id)
        text, response = _prompt(request, prompt), _response(entry, request)
        pair = self.app.review.append_pair(
            training_sheet_id,
            prompt=text,
            response=response,
            original_response=request["prediction"] if request["prediction"] != response else None,
            request_id=entry.request_id,
            model_version_id=entry.model_version_id,
        )
        self.entries.update(entry.id, pair_id=pair.id, training_sheet_id=training_sheet_id)
        return FeedbackPair(
            message="The pair waits for review.", pair_id=pair.id, training_sheet_id=training_sheet_id, feedback_id=entry.id
        )

    def _made_before(self, entry: Feedback, training_sheet_id: str) -> FeedbackPair:
        if entry.training_sheet_id != training_sheet_id:
            raise Conflict(
                f"A pair of this judgment is in training sheet {entry.training_sheet_id} already.",
                pair_id=entry.pair_id,
                training_sheet_id=entry.training_sheet_id,
            )
        return FeedbackPair(
            message="The pair was made before.",
            pair_id=entry.pair_id,
            training_sheet_id=training_sheet_id,
            feedback_id=entry.id,
        )

    def _repeated(self, known: Feedback, request_id: str) -> Feedback:
        if known.request_id != request_id:
            raise Conflict(f"Feedback {known.id!r} is about request {known.request_id}. Choose another id.", id=known.id)
        return self._shown(known)

    def _request(self, endpoint: str, request_id: str) -> dict[str, Any]:
        row = self.db.row("select * from requests where id = ? limit 1", [request_id])
        if row is None:
            raise NotFound.of("request", request_id)
        if row["endpoint"] != endpoint:
            raise ValidationError.field("endpoint", f"Request {request_id} was answered by {row['endpoint']!r}", endpoint)
        return row

    def _entry(self, feedback_id: str) -> Feedback:
        return self.entries.get(feedback_id)

    def _shown(self, entry: Feedback) -> Feedback:
        return Feedback(**self._present([entry.values()])[0])

    def _present(self, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """Add rating, prompt, answer and actions."""
        ids = [row["request_id"] for row in rows]
        sql = "select id, inputs, prediction, altered from requests where list_contains(?, id)"
        requests = {row["id"]: row for row in self.db.rows(sql, [ids])} if ids else {}
        return [_with_derived(row, requests.get(row["request_id"], {})) for row in rows]


def _with_derived(row: dict[str, Any], request: dict[str, Any]) -> dict[str, Any]:
    return {
        **row,
        "rating": row["score"] if row["score"] is not None else row["sentiment"],
        "prompt": request.get("inputs"),
        "prediction": request.get("prediction"),
        "actions": _actions(row),
    }


def _actions(row: dict[str, Any]) -> tuple[Action, ...]:
    no_pair = None
    if row["pair_id"] is not None:
        no_pair = "The pair was made before."
    elif row["sentiment"] == "negative" and not row["corrected"]:
        no_pair = "A negative judgment needs the corrected answer first."
    return (
        Action(name="to_pair", label="Send back to review", enabled=no_pair is None, reason=no_pair),
        Action(name="flag", label="Flag", enabled=not row["flagged"], reason="It is flagged." if row["flagged"] else None),
        Action(
            name="unflag", label="Remove flag", enabled=row["flagged"], reason=None if row["flagged"] else "It is not flagged."
        ),
    )


def _sentiment(rating: str | int) -> str:
    if isinstance(rating, str):
        return rating
    return "negative" if rating <= 2 else "neutral" if rating == 3 else "positive"


def _response(entry: Feedback, request: dict[str, Any]) -> str:
    if entry.corrected:
        return entry.corrected
    if entry.sentiment == "negative":
        raise ValidationError.field("corrected", "A negative judgment needs the corrected answer before it becomes a pair")
    if not request["prediction"]:
        raise ValidationError.field("corrected", "The request has no answer; give the right one first")
    return request["prediction"]


def _prompt(request: dict[str, Any], given: str | None) -> str:
    if given:
        return given
    if request["altered"]:
        raise ValidationError.field("prompt", "The log keeps a redacted or cut prompt; send the whole one")
    return request["inputs"]
