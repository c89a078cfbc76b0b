"""Endpoints: names under which versions answer, and what they are asked."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Annotated, Any, Literal

from workbench.contract import UNSET, Deleted, Field, Page, PageNumber, PageSize, command, query
from workbench.domain.models import ModelVersion, StageChange, slug
from workbench.domain.monitor import EndpointMetrics
from workbench.domain.serving import ENDPOINT_STATES, ChatCompletion, ChatMessage, Endpoint, Prediction, Predictions, RequestLog
from workbench.engine.serving import Served, Serving, WarmModel
from workbench.errors import Conflict, DeploymentFailed, NotFound, ValidationError
from workbench.services.answering import answered
from workbench.services.endpoint_pointers import EndpointPointers, checked_guardrails
from workbench.services.request_figures import DAY, by_endpoint
from workbench.services.service import Service
from workbench.store import Records

if TYPE_CHECKING:
    from workbench.services.application import Application

ROOT = "/deployment/endpoints"
_EPOCH = dt.datetime(1970, 1, 1)
PEOPLE = frozenset({"admin", "trainer"})
EndpointName = Annotated[str, Field(description="Name of the endpoint.")]
Follows = Literal["version", "production"]
WindowHours = Annotated[int, Field(ge=1, le=168, description="Hours back from now.")]
Inputs = Annotated[
    list[dict[str, Any] | str],
    Field(min_length=1, max_length=1000, description="Rows with the template's columns, or finished prompts."),
]


class EndpointsService(Service):
    """Serve versions in this process and keep every request."""

    namespace = "endpoints"

    def __init__(self, app: Application) -> None:
        super().__init__(app)
        from workbench.trainers import load_package

        self.endpoints = Records(app.db, Endpoint, topic="endpoints")
        self.serving = Serving(app.db, clock=app.clock, load=load_package)
        self.pointers = EndpointPointers(app, self.serving, self.endpoints)

    def close(self) -> None:
        """Write what waits in the request log."""
        self.serving.close()

    def flush(self) -> None:
        """Wait until every request answered so far is in the log."""
        self.serving.log.flush()

    @query("GET", ROOT, key="endpoints", topics=("endpoints", "models", "requests"))
    def list(
        self,
        *,
        search: str = "",
        status: Literal["starting", "serving", "stopped", "failed"] | None = None,
        page: PageNumber = 1,
        page_size: PageSize = 50,
    ) -> Page[Endpoint]:
        """List endpoints with the stage of what they serve and their actions."""
        where = (
            "(? = '' or contains(lower(name), lower(?)) or contains(lower(model_name), lower(?))) and (? is null or status = ?)"
        )
        found = self.endpoints.page(where, (search, search, search, status, status), page=page, page_size=page_size)
        found.rows = self._present(found.rows)
        return found

    @query("GET", ROOT + "/{name}", topics=("endpoints", "models"))
    def get(self, name: EndpointName) -> Endpoint:
        """Return one endpoint."""
        return self._shown(self._endpoint(name))

    @command("POST", "/deployment/deploy", roles=PEOPLE, transaction=False, label="Serve a version")
    def deploy(
        self,
        *,
        model_version_id: Annotated[str | None, Field(description="Version to serve.")] = None,
        model_name: Annotated[str | None, Field(description="Name of the model, with version.")] = None,
        version: Annotated[str | None, Field(description="Its version, such as 1.1.0.")] = None,
        name: Annotated[str | None, Field(description="Default: model name in lower case with -v<version>.")] = None,
        follows: Annotated[Follows, Field(description="production: swaps with the stage.")] = "version",
    ) -> Endpoint:
        """Serve one version under a name of its own; no stage changes and no gate is needed.

        Say which by `model_version_id`, or by `model_name` and `version`.
        """
        wanted = self._wanted(model_version_id, model_name, version)
        name = slug(name) if name else slug(f"{wanted.name}-v{wanted.version}")
        model = self.warm(wanted)
        with self.db.write():
            known = self.endpoints.find(id=name)
            if known is not None and known.model_name != wanted.name:
                raise Conflict(f"Endpoint {name!r} serves {known.model_name!r}. Choose another name.", name=name)
            if follows == "production" and wanted.status != "production":
                raise DeploymentFailed(
                    f"{wanted.name} {wanted.version} is {wanted.status}. An endpoint that follows production starts with the "
                    "version in production: deploy the model first.",
                    stage=wanted.status,
                )
            return answered(self._shown(self.pointers.serve(name, wanted, model, follows=follows, action="serve")))

    @command("PUT", ROOT + "/{name}", roles=PEOPLE, label="Edit")
    def update(
        self,
        name: EndpointName,
        *,
        guardrails: Annotated[dict[str, Any], Field(description="max_chars and forbidden_words.")] = UNSET,
        follows: Annotated[Follows, Field(description="production: swaps with the stage.")] = UNSET,
        version: Annotated[int | None, Field(description="Version you saw; a stale one is refused.")] = None,
    ) -> Endpoint:
        """Change guardrails, or whether the endpoint follows the stage."""
        endpoint = self._endpoint(name)
        changes: dict[str, Any] = {}
        if guardrails is not UNSET:
            changes["guardrails"] = checked_guardrails(guardrails)
        if follows is not UNSET:
            changes["follows"] = follows
        if follows == "production":
            self._refuse_other_than_production(endpoint)
        changed = self.endpoints.update(endpoint.id, version, **changes)
        self.pointers.repoint(changed)
        return self._shown(changed)

    @command("POST", ROOT + "/{name}/resume", roles=PEOPLE, transaction=False, label="Start")
    def resume(self, name: EndpointName) -> Endpoint:
        """Answer requests again."""
        endpoint = self._endpoint(name)
        ENDPOINT_STATES.require("resume", endpoint.status)
        version = self.app.models.versions.get(endpoint.model_version_id)
        model = self.warm(version)
        with self.db.write():
            changed = self.endpoints.update(endpoint.id, status="serving", message=None)
            self.pointers.point(changed, version, model)
            return answered(self._shown(changed))

    @command("POST", ROOT + "/{name}/stop", roles=PEOPLE, label="Stop", confirm="Refuse requests until it starts again?")
    def stop(self, name: EndpointName) -> Endpoint:
        """Answer no further requests until started again."""
        endpoint = self._endpoint(name)
        ENDPOINT_STATES.require("stop", endpoint.status)
        return self._shown(self.pointers.stop(endpoint, f"Stopped by {self.actor}."))

    @command("DELETE", ROOT + "/{name}", roles=PEOPLE, label="Delete", confirm="Delete the endpoint? Its request log is kept.")
    def delete(self, name: EndpointName) -> Deleted:
        """Delete an endpoint; its request log and history stay."""
        endpoint = self._endpoint(name)
        self.endpoints.delete(endpoint.id)
        self.app.models.log.add(
            self.app.models.versions.get(endpoint.model_version_id), "stop", actor=self.actor, endpoint=endpoint.name
        )
        self.db.on_commit(lambda: self.serving.remove(endpoint.name))
        return Deleted(id=endpoint.name)

    @command(
        "POST",
        ROOT + "/{name}/rollback",
        roles=PEOPLE,
        transaction=False,
        label="Roll back",
        confirm="Serve the version served before?",
    )
    def rollback(
        self, name: EndpointName, *, reason: Annotated[str, Field(max_length=1000, description="Why; kept.")] = ""
    ) -> Endpoint:
        """Serve the version before; an endpoint that follows production rolls the model back."""
        endpoint = self._endpoint(name)
        if endpoint.follows == "production":
            self.app.models.rollback(endpoint.model_version_id, reason=reason)
            return self.get(name)
        version = self.pointers.before(endpoint)
        model = self.warm(version)
        with self.db.write():
            served = self.pointers.serve(endpoint.name, version, model, follows="version", action="rollback", reason=reason)
            return answered(self._shown(served))

    @query("GET", ROOT + "/{name}/history", topics=("endpoints", "models"))
    def history(self, name: EndpointName, *, page: PageNumber = 1, page_size: PageSize = 50) -> Page[StageChange]:
        """List the versions an endpoint served, the newest first."""
        endpoint = self._endpoint(name)
        return self.app.models.log.page("endpoint = ?", [endpoint.name], page=page, page_size=page_size)

    @query("GET", ROOT + "/{name}/metrics", topics=("requests",))
    def metrics(self, name: EndpointName, *, window_hours: WindowHours = 24) -> EndpointMetrics:
        """Measure an endpoint over a window of its request log."""
        return self.app.monitoring.metrics(name, window_hours=window_hours)

    @query("GET", ROOT + "/{name}/logs", key="logs", topics=("requests",))
    def logs(
        self,
        name: EndpointName,
        *,
        outcome: Annotated[Literal["all", "ok", "error"], Field(description="error: status 400 and more.")] = "all",
        search: str = "",
        page: PageNumber = 1,
        page_size: PageSize = 50,
    ) -> Page[RequestLog]:
        """List the requests of an endpoint, the newest first."""
        return self.app.monitoring.logs(name, outcome=outcome, search=search, page=page, page_size=page_size)

    @query("POST", ROOT + "/{name}/invocations", topics=())
    def invocations(
        self,
        name: EndpointName,
        *,
        inputs: Inputs,
        request_key: Annotated[str | None, Field(max_length=200, description="Key of the caller, such as a session.")] = None,
    ) -> Predictions:
        """Answer inputs: one prediction and one request id each.

        An object is filled into the model's template: missing columns are named, others ignored.
        """
        served = self._answer(name, inputs, request_key)
        return Predictions(
            predictions=[Prediction(value=a.get("value"), confidence=a.get("confidence")) for a in served.answers],
            request_ids=served.request_ids,
            model_version=served.route.model_version,
            model_version_id=served.route.model_version_id,
        )

    @query("POST", "/deployment/v1/chat/completions", topics=())
    def completions(
        self,
        *,
        model: Annotated[str, Field(description="Name of the endpoint.")],
        messages: Annotated[list[ChatMessage], Field(min_length=1, max_length=1000, description="The conversation so far.")],
        safety_identifier: Annotated[str | None, Field(max_length=200, description="Key of the caller; kept in the log.")] = None,
        temperature: Annotated[float | None, Field(description="Has no effect on a classifier.")] = None,
        max_tokens: Annotated[int | None, Field(description="Has no effect on a classifier.")] = None,
        stream: Annotated[bool, Field(description="Only false.")] = False,
    ) -> ChatCompletion:
        """Answer the last user message; temperature and max_tokens do not change a classifier's answer."""
        if stream:
            raise ValidationError.field("stream", "Answers come whole; leave it out or say false", True)
        asked = next((m.content for m in reversed(messages) if m.role == "user"), None)
        if asked is None:
            raise ValidationError.field("messages", "Needs a message with the role user", None)
        served = self._answer(model, [asked], safety_identifier)
        text, told = str(served.answers[0].get("value")), served.answers[0]
        return ChatCompletion(
            id=served.request_ids[0],
            created=int((self.clock.now() - _EPOCH).total_seconds()),
            model=model,
            choices=[{"index": 0, "message": {"role": "assistant", "content": text}, "finish_reason": "stop"}],
            usage={"prompt_tokens": told.get("tokens_in"), "completion_tokens": told.get("tokens_out"), "total_tokens": None},
        )

    def warm(self, version: ModelVersion) -> WarmModel:
        """Return the loaded model of a version, or say why it cannot be served."""
        return self.pointers.warm(version)

    def follow(self, version: ModelVersion, model: WarmModel, *, action: str, reason: str | None = None) -> None:
        """Point every endpoint that follows this model's production to a version, in the current transaction."""
        self.pointers.follow(version, model, action=action, reason=reason)

    def serving_version(self, model_version_id: str) -> list[str]:
        """Return the names of the endpoints that serve a version."""
        sql = "select name from endpoints where model_version_id = ? and status in ('serving', 'starting') order by name"
        return [row[0] for row in self.db.tuples(sql, [model_version_id])]

    def stop_version(self, model_version_id: str, message: str) -> None:
        """Stop the endpoints that serve a version, in the current transaction."""
        for name in self.serving_version(model_version_id):
            self.pointers.stop(self.endpoints.get(name), message)

    def _answer(self, name: str, inputs: list[Any], request_key: str | None) -> Served:
        if self.serving.route(name) is None:
            self.pointers.open(self._endpoint(name))
        return self.serving.answer(name, inputs, request_key=request_key)

    def _wanted(self, version_id: str | None, name: str | None, version: str | None) -> ModelVersion:
        models = self.app.models.versions
        if version_id is None and not (name and version):
            raise ValidationError.field("model_version_id", "Say which version: model_version_id, or model_name and version")
        found = models.find(id=version_id) if version_id else models.find(name=name, version=version)
        if found is None:
            raise NotFound.of("model", version_id or f"{name} {version}", self._known_models())
        return found

    def _known_models(self) -> list[str]:
        return [row[0] for row in self.db.tuples("select name || ' ' || version from models order by created_at desc limit 200")]

    def _endpoint(self, name: str) -> Endpoint:
        found = self.endpoints.find(id=name)
        if found is None:
            raise NotFound.of("endpoint", name, [row[0] for row in self.db.tuples("select name from endpoints")])
        return found

    def _shown(self, endpoint: Endpoint) -> Endpoint:
        return Endpoint(**self._present([endpoint.values()])[0])

    def _present(self, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """Add stage, address, example and actions."""
        ids = [row["model_version_id"] for row in rows]
        found = {v.id: v for v in self.app.models.versions.list("list_contains(?, id)", [ids])} if ids else {}
        asked = by_endpoint(self.db, [row["name"] for row in rows], self.clock.now() - DAY)
        return [self._with_derived(row, found.get(row["model_version_id"])) | asked.get(row["name"], {}) for row in rows]

    def _with_derived(self, row: dict[str, Any], version: ModelVersion | None) -> dict[str, Any]:
        blocked = {}
        if not self.pointers.earlier(row["name"], row["follows"], row["model_name"]):
            blocked["rollback"] = "No version was served before this one."
        return {
            **row,
            "stage": version.status if version else None,
            "input_example": version.input_example if version else None,
            "url": f"{self.settings.api_prefix}{ROOT}/{row['name']}/invocations",
            "actions": ENDPOINT_STATES.actions(row, roles=self.roles, blocked=blocked),
        }

    def _refuse_other_than_production(self, endpoint: Endpoint) -> None:
        version = self.app.models.versions.get(endpoint.model_version_id)
        if version.status != "production":
            raise DeploymentFailed(
                f"{endpoint.name} serves {version.name} {version.version}, which is {version.status}. "
                "Deploy that version to production first.",
                stage=version.status,
            )
