"""Answer requests with warm models: one pointer per endpoint, swapped in one step."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from workbench.domain.prompt import missing_columns, render
from workbench.domain.serving import loggable
from workbench.engine.request_log import RequestWriter
from workbench.errors import NotReady, ValidationError, WorkbenchError

if TYPE_CHECKING:
    from workbench.clock import Clock
    from workbench.engine.suite import Predictor
    from workbench.store import Database

WARM_MODELS = 8

# A longer prompt would hold up everybody else's for seconds.
MOST_CHARS = 100_000


@dataclass
class _Call:
    texts: list[str]
    answers: list[dict[str, Any]] | None = None
    error: Exception | None = None


class WarmModel:
    """A loaded predictor; calls that arrive while it works are answered together, next."""

    def __init__(self, predictor: Predictor) -> None:
        self._predictor = predictor
        self._waiting: list[_Call] = []
        self._guard = threading.Lock()
        self._turn = threading.Lock()

    def predict(self, texts: list[str]) -> list[dict[str, Any]]:
        """Return one answer per text, or raise what the predictor raised for these texts."""
        call = _Call(texts)
        with self._guard:
            self._waiting.append(call)
        with self._turn:
            if call.answers is None and call.error is None:
                with self._guard:
                    calls, self._waiting = self._waiting, []
                self._answer(calls)
        if call.error is not None:
            raise call.error
        return call.answers or []

    def _answer(self, calls: list[_Call]) -> None:
        try:
            answers = self._ask([text for call in calls for text in call.texts])
        except Exception as error:
            if len(calls) == 1:
                calls[0].error = error
            else:
                for call in calls:
                    self._answer([call])
            return
        start = 0
        for call in calls:
            call.answers = answers[start : start + len(call.texts)]
            start += len(call.texts)

    def _ask(self, texts: list[str]) -> list[dict[str, Any]]:
        answers = self._predictor.predict(texts)
        if len(answers) != len(texts):
            raise ValueError(f"The model gave {len(answers)} answers to {len(texts)} inputs.")
        return answers


@dataclass(frozen=True)
class Route:
    """Where the requests of an endpoint go: one loaded version and how its input is made."""

    endpoint: str
    model_name: str
    model_version: str
    model_version_id: str
    model: WarmModel = field(repr=False)
    template: Mapping[str, Any] | None = None
    guardrails: Mapping[str, Any] = field(default_factory=dict)
    sample: bool = False
    revision: int = 0

    def prompt(self, given: Any) -> str:
        """Return the finished prompt of one input: a text as it is, an object through the template."""
        if isinstance(given, str):
            return given
        if not self.template:
            raise ValueError("This model takes texts, not objects.")
        text, mapping = self.template["prompt_template"], self.template.get("column_mapping") or {}
        missing = missing_columns(text, mapping, given)
        if missing:
            raise ValueError(f"Lacks {', '.join(mapping.get(name, name) for name in missing)}.")
        return render(text, given, mapping)

    def refusal(self, prompt: str) -> str | None:
        """Return why a guardrail refuses a prompt, or None."""
        limit = self.guardrails.get("max_chars") or MOST_CHARS
        if len(prompt) > limit:
            return f"Longer than the {limit} characters this endpoint takes."
        lowered = prompt.lower()
        word = next((w for w in self.guardrails.get("forbidden_words") or () if w.lower() in lowered), None)
        return f"Contains the forbidden word {word!r}." if word else None


@dataclass(frozen=True)
class Served:
    """What one call got: answers, their request ids and the version that gave them."""

    answers: list[dict[str, Any]]
    request_ids: list[str]
    route: Route


class Serving:
    """Hold the routes of all endpoints and the warm models behind them."""

    def __init__(self, db: Database, *, clock: Clock, load: Callable[[Path], Predictor]) -> None:
        self._clock = clock
        self._load = load
        self._routes: dict[str, Route] = {}
        self._warm: dict[str, WarmModel] = {}
        self._revisions: dict[str, int] = {}
        self._loading = threading.Lock()
        self._pointing = threading.Lock()
        self.log = RequestWriter(db)

    def warm(self, model_version_id: str, package: Path) -> WarmModel:
        """Return the loaded model of a version, loading it at most once; the least lately loaded go first."""
        if (known := self._warm.get(model_version_id)) is not None:
            return known
        with self._loading:
            if model_version_id not in self._warm:
                model = WarmModel(self._load(package))
                self._warm = {**self._trimmed(), model_version_id: model}
            return self._warm[model_version_id]

    def _trimmed(self) -> dict[str, WarmModel]:
        pointed = {route.model_version_id for route in self._routes.values()}
        spare = [key for key in self._warm if key not in pointed]
        dropped = set(spare[: max(0, len(self._warm) + 1 - WARM_MODELS)])
        return {key: model for key, model in self._warm.items() if key not in dropped}

    def point(self, route: Route) -> None:
        """Send the next requests of an endpoint to `route`; those under way end where they began.

        Of two commits whose swaps arrive in the wrong order the later one, by revision, stays.
        """
        with self._pointing:
            if route.revision >= self._revisions.get(route.endpoint, 0):
                self._revisions[route.endpoint] = route.revision
                self._routes[route.endpoint] = route

    def remove(self, endpoint: str, revision: int | None = None) -> None:
        """Answer no further requests of an endpoint; without a revision it is gone for good."""
        with self._pointing:
            if revision is None:
                self._revisions.pop(endpoint, None)
            elif revision < self._revisions.get(endpoint, 0):
                return
            else:
                self._revisions[endpoint] = revision
            self._routes.pop(endpoint, None)

    def route(self, endpoint: str) -> Route | None:
        """Return where an endpoint's requests go, or None."""
        return self._routes.get(endpoint)

    def answer(self, endpoint: str, inputs: Sequence[Any], *, request_key: str | None = None) -> Served:
        """Answer the inputs of one call and log each of them.

        Raises ValidationError naming every faulty input, NotReady without a route, WorkbenchError when
        the model fails; the requests are logged all the same.
        """
        began, logged_at = time.perf_counter(), self._clock.now()
        route = self._routes.get(endpoint)
        if route is None:
            raise NotReady(f"Endpoint {endpoint!r} is not serving. Start it or deploy a model to it.", status="stopped")
        ids = [self._clock.new_id("request") for _ in inputs]
        prompts, faults = _prompts(route, inputs)
        entry = _Entry(route, ids, prompts, began, logged_at, request_key)
        if faults:
            error = ValidationError.of(faults)
            self.log.add(entry.rows(status_code=error.status, error=error.message))
            raise error
        try:
            answers = route.model.predict(prompts)
        except Exception as error:
            self.log.add(entry.rows(status_code=500, error=f"{type(error).__name__}: {error}"[:1000]))
            raise WorkbenchError(
                f"The model behind {endpoint!r} failed to answer.", details="The request log has the cause.", request_ids=ids
            ) from error
        self.log.add(entry.rows(answers=answers))
        return Served(answers, ids, route)

    def close(self) -> None:
        """Commit the log and forget the models."""
        self.log.close()
        self._routes.clear()
        self._warm = {}


@dataclass(frozen=True)
class _Entry:
    """What the log rows of one call share."""

    route: Route
    ids: list[str]
    prompts: list[str]
    began: float
    logged_at: Any
    request_key: str | None

    def rows(
        self, *, answers: list[dict[str, Any]] | None = None, status_code: int = 200, error: str | None = None
    ) -> list[dict[str, Any]]:
        latency = (time.perf_counter() - self.began) * 1000
        shared = {
            "endpoint": self.route.endpoint,
            "model_name": self.route.model_name,
            "model_version": self.route.model_version,
            "model_version_id": self.route.model_version_id,
            "request_key": self.request_key,
            "logged_at": self.logged_at,
            "latency_ms": latency,
            "status_code": status_code,
            "error": error,
            "sample": self.route.sample,
        }
        return [
            {**shared, "id": id_, **_kept(prompt), **_answered(answers[i] if answers else {})}
            for i, (id_, prompt) in enumerate(zip(self.ids, self.prompts, strict=True))
        ]


def _prompts(route: Route, inputs: Sequence[Any]) -> tuple[list[str], list[dict[str, Any]]]:
    """Return the prompt of every input (its text where there is none) and the faults found."""
    prompts, faults = [], []
    for index, given in enumerate(inputs):
        try:
            prompt = route.prompt(given)
            refused = route.refusal(prompt)
        except ValueError as error:
            prompt, refused = str(given), str(error)
        prompts.append(prompt)
        if refused:
            faults.append({"field": f"inputs.{index}", "message": refused, "value": None})
    return prompts, faults


def _kept(prompt: str) -> dict[str, Any]:
    text, altered = loggable(prompt)
    return {"inputs": text, "altered": altered}


def _answered(answer: Mapping[str, Any]) -> dict[str, Any]:
    value = answer.get("value")
    return {
        "prediction": None if value is None else str(value),
        "confidence": answer.get("confidence"),
        "tokens_in": answer.get("tokens_in"),
        "tokens_out": answer.get("tokens_out"),
        "cost": answer.get("cost"),
    }
