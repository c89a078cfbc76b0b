"""Which version each endpoint serves: stored in its row, swapped in memory after the commit."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

from workbench.contract.context import current
from workbench.domain.models import ModelVersion, slug
from workbench.domain.serving import Endpoint
from workbench.engine.serving import Route, Serving, WarmModel
from workbench.errors import DeploymentFailed, InvalidTransition, NotReady, ValidationError
from workbench.services.model_packages import MANIFEST, content_hash

if TYPE_CHECKING:
    from workbench.services.application import Application
    from workbench.store import Records


class EndpointPointers:
    """Move endpoints from version to version without losing a request."""

    def __init__(self, app: Application, serving: Serving, endpoints: Records[Endpoint]) -> None:
        self.app = app
        self.db = app.db
        self.serving = serving
        self.endpoints = endpoints
        self._opening = threading.Lock()

    def warm(self, version: ModelVersion) -> WarmModel:
        """Return the loaded model of a version; refuse an archived, missing, changed or broken one."""
        told = f"{version.name} {version.version}"
        if version.status == "archived":
            raise DeploymentFailed(f"{told} is archived. Restore it first.", stage="archived")
        package = self.app.models.package(version)
        if not (package / MANIFEST).is_file():
            raise DeploymentFailed(f"The package of {told} is missing from the artifact folder. Restore a backup or train again.")
        if content_hash(package) != version.content_hash:
            raise DeploymentFailed(f"The package of {told} was changed since it was registered. Restore it or train again.")
        try:
            return self.serving.warm(version.id, package)
        except Exception as error:
            raise DeploymentFailed(f"{told} could not be loaded: {error}") from error

    def serve(
        self, name: str, version: ModelVersion, model: WarmModel, *, follows: str, action: str, reason: str | None = None
    ) -> Endpoint:
        """Let an endpoint, made where there is none, serve a version from the commit on."""
        facts = {
            "status": "serving",
            "follows": follows,
            "model_name": version.name,
            "model_version": version.version,
            "model_version_id": version.id,
            "message": None,
            "sample": version.sample,
        }
        actor = current().actor
        if (known := self.endpoints.find(id=name)) is None:
            endpoint = self.endpoints.insert(Endpoint(id=name, name=name, created_by=actor, **facts))
        else:
            endpoint = self.endpoints.update(known.id, **facts)
        if known is None or known.model_version_id != version.id:
            stage = {"from_stage": version.status, "to_stage": version.status}
            self.app.models.log.add(version, action, actor=actor, endpoint=name, reason=reason or None, **stage)
        self.point(endpoint, version, model)
        return endpoint

    def follow(self, version: ModelVersion, model: WarmModel, *, action: str, reason: str | None = None) -> None:
        """Point the endpoints that follow a model's production, at least the one named after it, to a version."""
        names = [e.name for e in self.endpoints.list("model_name = ? and follows = 'production'", [version.name])]
        for name in names or [self._own_name(version.name)]:
            self.serve(name, version, model, follows="production", action=action, reason=reason)

    def _own_name(self, model_name: str) -> str:
        """Return the slug of a model's name, numbered when another model's endpoint has it."""
        wanted, number = slug(model_name), 1
        name = wanted
        while (other := self.endpoints.find(id=name)) is not None and other.model_name != model_name:
            number += 1
            name = f"{wanted}-{number}"
        return name

    def point(self, endpoint: Endpoint, version: ModelVersion, model: WarmModel) -> None:
        """Swap the pointer in memory once the current transaction has committed."""
        route = _route(endpoint, version, model)
        self.db.on_commit(lambda: self.serving.point(route))

    def repoint(self, endpoint: Endpoint) -> None:
        """Take over changed guardrails of an endpoint that is being served."""
        route = self.serving.route(endpoint.name)
        if route is not None:
            version = self.app.models.versions.get(endpoint.model_version_id)
            self.point(endpoint, version, route.model)

    def open(self, endpoint: Endpoint) -> None:
        """Load what an endpoint serves, as after a restart; refuse one that does not serve."""
        with self._opening:
            if self.serving.route(endpoint.name) is not None:
                return
            if endpoint.status != "serving":
                why = f" {endpoint.message}" if endpoint.message else ""
                raise NotReady(f"Endpoint {endpoint.name!r} is {endpoint.status}.{why} Start it first.", status=endpoint.status)
            version = self.app.models.versions.get(endpoint.model_version_id)
            self.serving.point(_route(endpoint, version, self.warm(version)))

    def stop(self, endpoint: Endpoint, message: str) -> Endpoint:
        """Stop an endpoint in the current transaction."""
        stopped = self.endpoints.update(endpoint.id, status="stopped", message=message)
        version = self.app.models.versions.get(endpoint.model_version_id)
        self.app.models.log.add(version, "stop", actor=current().actor, endpoint=endpoint.name, reason=message)
        self.db.on_commit(lambda: self.serving.remove(endpoint.name, stopped.version))
        return stopped

    def earlier(self, name: str, follows: str, model_name: str) -> list[str]:
        """Return the ids of the versions a rollback could lead to, the nearest last."""
        models = self.app.models
        stack = models.log.stack(model_name) if follows == "production" else models.log.served(name)
        return [id for id in stack[:-1] if id != stack[-1]]

    def before(self, endpoint: Endpoint) -> ModelVersion:
        """Return the version an endpoint served before the present one."""
        for id in reversed(self.earlier(endpoint.name, endpoint.follows, endpoint.model_name)):
            version = self.app.models.versions.find(id=id)
            if version is not None and version.status != "archived":
                return version
        raise InvalidTransition(
            f"{endpoint.name} served no other version before {endpoint.model_version}.", current=endpoint.status, allowed=[]
        )


def _route(endpoint: Endpoint, version: ModelVersion, model: WarmModel) -> Route:
    return Route(
        endpoint=endpoint.name,
        model_name=version.name,
        model_version=version.version,
        model_version_id=version.id,
        model=model,
        template=(version.signature or {}).get("template"),
        guardrails=endpoint.guardrails or {},
        sample=version.sample,
        revision=endpoint.version,
    )


def checked_guardrails(given: dict[str, Any]) -> dict[str, Any]:
    """Return guardrails that are well formed, or name every fault."""
    faults = [
        {"field": f"guardrails.{name}", "message": "Unknown; known are max_chars and forbidden_words", "value": None}
        for name in given
        if name not in ("max_chars", "forbidden_words")
    ]
    limit, words = given.get("max_chars"), given.get("forbidden_words")
    if limit is not None and (isinstance(limit, bool) or not isinstance(limit, int) or limit < 1):
        faults.append({"field": "guardrails.max_chars", "message": "Takes a whole number above 0", "value": str(limit)})
    if words is not None and not (isinstance(words, list) and all(isinstance(w, str) and w for w in words)):
        faults.append({"field": "guardrails.forbidden_words", "message": "Takes a list of words", "value": None})
    if faults:
        raise ValidationError.of(faults)
    return given
