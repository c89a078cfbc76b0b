"""What came back from production, and where things come from."""

from __future__ import annotations

from typing import ClassVar

import param

from workbench.domain.record import Action, Choice, Items, Json, Record, Time


class Feedback(Record):
    """One judgment of one answer."""

    kind = "feedback"
    table = "feedback"
    derived = frozenset({"rating", "prompt", "prediction", "actions"})
    wire_names: ClassVar[dict[str, str]] = {"author": "user"}

    id = param.String("", doc="Identifier; sending it again changes nothing.")
    endpoint = param.String("", doc="Endpoint that answered.")
    request_id = param.String("", doc="Request judged.")
    model_version_id = param.String(None, allow_None=True, doc="Version that answered.")
    sentiment = Choice(objects=["positive", "neutral", "negative"], doc="1-2 stars are negative, 3 neutral, 4-5 positive.")
    score = param.Integer(None, allow_None=True, bounds=(1, 5), doc="Stars, when the rating was a number.")
    corrected = param.String(None, allow_None=True, doc="The answer it should have been.")
    comment = param.String("", doc="Remark.")
    flagged = param.Boolean(False, doc="Marked for a second look.")
    pair_id = param.String(None, allow_None=True, doc="Pair made from it.")
    training_sheet_id = param.String(None, allow_None=True, doc="Training sheet of that pair.")
    sample = param.Boolean(False, doc="True when the request was answered by a version made by the demo command.")
    author = param.String("", doc="Who judged.")
    created_at = Time(None, allow_None=True, doc="When.")
    updated_at = Time(None, allow_None=True, doc="When it last changed.")
    version = param.Integer(1, doc="Counts the changes.")
    rating = Json(None, allow_None=True, doc="As given: positive, negative or 1-5.")
    prompt = param.String(None, allow_None=True, doc="Prompt of the request, as logged.")
    prediction = param.String(None, allow_None=True, doc="Answer that was judged.")
    actions = Items(item_type=Action, doc="What may be done now.")


class FeedbackStats(Record):
    """Figures over the feedback of some days."""

    kind = "feedback_stats"

    days = param.Integer(30, doc="Length of the window.")
    endpoint = param.String(None, allow_None=True, doc="Endpoint; null for all.")
    total = param.Integer(0, doc="Judgments.")
    positive = param.Integer(0, doc="Positive ones.")
    neutral = param.Integer(0, doc="Neutral ones.")
    negative = param.Integer(0, doc="Negative ones.")
    positive_rate = param.Number(None, allow_None=True, doc="Positive / total, 0-1; null without feedback.")
    average_score = param.Number(None, allow_None=True, doc="Mean of the stars given; null without stars.")
    flagged = param.Integer(0, doc="Flagged ones.")
    corrected = param.Integer(0, doc="With a corrected answer.")
    converted = param.Integer(0, doc="Turned into pairs.")
    by_day = Json([], doc="[{day, positive, neutral, negative}], oldest first.")


class FeedbackPair(Record):
    """Answer of to_pair: where the judgment went."""

    kind = "feedback_pair"

    status = param.String("success", doc="Always success; failures are errors.")
    message = param.String("", doc="What happened.")
    pair_id = param.String("", doc="Pair made, or made before.")
    training_sheet_id = param.String("", doc="Training sheet it entered.")
    feedback_id = param.String("", doc="Judgment it came from.")


class LineageNode(Record):
    """One thing in a graph of origins."""

    id = param.String("", doc="Identifier.")
    kind = param.String("node", doc="sheet, template, training_sheet, pair, job, model, endpoint, request or feedback.")
    label = param.String("", doc="Name to show.")
    href = param.String(None, allow_None=True, doc="Page that shows it.")
    depth = param.Integer(0, doc="Steps from the root: negative towards its origins.")


class LineageEdge(Record):
    """One step from a thing to what it came from."""

    kind = "lineage_edge"
    wire_names: ClassVar[dict[str, str]] = {"from_id": "from", "to_id": "to"}

    from_id = param.String("", doc="Id of what came of the other.")
    to_id = param.String("", doc="Id of what it came from.")
    relation = param.String("", doc="How they relate, such as trained_on or answered_by.")


class Lineage(Record):
    """Where a thing comes from and what came of it."""

    kind = "lineage"

    root = Json({}, doc="{kind, id} asked for.")
    nodes = Items(item_type=LineageNode, doc="Things, nearest first.")
    edges = Items(item_type=LineageEdge, doc="Steps between them.")
    pairs = Json(None, allow_None=True, doc="{train, val, href} of the jobs in the graph; null without one.")
    folded = Json([], doc="[{id, relation, total, shown}]: where more neighbors exist than are shown.")


class FunnelStep(Record):
    """One step of the loop on Home."""

    kind = "funnel_step"

    name = param.String("", doc="Name of the step.")
    label = param.String("", doc="Words on the step.")
    count = param.Integer(0, doc="How many there are.")
    change = param.Integer(None, allow_None=True, doc="How many more than 24 hours ago; null when unknown.")
    page = param.String("", doc="Page that shows them.")
    query = Json({}, doc="State of that page.")
    next_action = param.String(None, allow_None=True, doc="The one thing to do next here.")
    next_page = param.String(None, allow_None=True, doc="Page to do it on.")
    next_query = Json({}, doc="State of that page.")


class Activity(Record):
    """Something somebody did."""

    kind = "activity"
    wire_names: ClassVar[dict[str, str]] = {"logged_at": "at"}

    logged_at = Time(None, allow_None=True, doc="When.")
    actor = param.String("", doc="Who.")
    text = param.String("", doc="What, in words.")
    page = param.String("", doc="Page that shows it.")
    query = Json({}, doc="State of that page.")


class Overview(Record):
    """The whole loop at a glance."""

    kind = "overview"

    sentence = param.String("", doc="State of the workspace in one sentence.")
    empty = param.Boolean(True, doc="True when there is no data at all yet.")
    sample = param.Boolean(False, doc="True when the workspace holds sample records.")
    steps = Items(item_type=FunnelStep, doc="The loop, first step first.")
    running_jobs = Json([], doc="[{id, kind, name, status, progress_percent, message}].")
    recent = Items(item_type=Activity, doc="What happened last, newest first.")
    as_of = Time(None, allow_None=True, doc="When the figures were computed.")
