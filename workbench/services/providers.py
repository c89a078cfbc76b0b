"""Providers of answers: set up, tried out and chosen. The key stays in the environment."""

from __future__ import annotations

import builtins
import re
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import urlsplit

from workbench.contract import UNSET, Deleted, Field, Page, command, query
from workbench.domain.providers import PROVIDER_LIFECYCLE, ProviderConfig, ProviderPreset, ProviderTest
from workbench.errors import Conflict, InUse, NotFound, NotReady, ValidationError, did_you_mean
from workbench.providers import Access, Failure, Request, connect, lacking, protocols
from workbench.providers.asking import Asker, Reply, finished
from workbench.services.provider_catalog import BUILT_IN, PRESETS, TO_FILL_IN
from workbench.services.service import Service
from workbench.store.tables import Records
from workbench.trainers import load_package

ADMIN = frozenset({"admin"})
ROOT = "/settings/providers"
QUESTION = "Reply with the single word: ready"

Name = Annotated[str, Field(min_length=1, max_length=60, description="Name to ask for it by.")]
Protocol = Annotated[str, Field(max_length=60, description="How it is talked to: openai, anthropic or a plugin's name.")]
Address = Annotated[str | None, Field(max_length=500, description="Address of its API, version included.")]
Model = Annotated[str | None, Field(max_length=200, description="Model asked unless a template or a call names one.")]
Variable = Annotated[
    str | None, Field(max_length=100, description="Name of the environment variable with the key, never the key.")
]
Aliases = Annotated[list[str], Field(max_length=20, description="Other names for it, in any case.")]
PerMinute = Annotated[int | None, Field(ge=1, le=1_000_000, description="Most requests a minute; none: no limit.")]
Concurrency = Annotated[int, Field(ge=1, le=64, description="Requests under way at the same time.")]
Price = Annotated[float | None, Field(ge=0, le=1000, description="USD for a thousand tokens; none: not known.")]
Timeout = Annotated[float, Field(ge=1, le=600, description="Longest wait for one answer, in seconds.")]


@dataclass(frozen=True)
class Target:
    """What is asked: a provider, a model, and for one of ours the folder of its package."""

    config: ProviderConfig
    model: str | None
    package: Path | None = None
    content_hash: str | None = None

    @property
    def access(self) -> Access:
        """Return how it is reached."""
        config = self.config
        return Access(config.protocol, config.name, config.base_url, config.key_variable, config.timeout_seconds)

    @property
    def identity(self) -> list[str | None]:
        """Return what makes answers of this target differ from those of another."""
        return [self.config.protocol, self.config.base_url, self.model, self.content_hash]


class ProviderService(Service):
    """Keep the providers that may be asked for answers."""

    namespace = "providers"

    def __init__(self, app: Any) -> None:
        super().__init__(app)
        self.records = Records(self.db, ProviderConfig)

    @query("GET", ROOT, key="providers", topics=("providers", "endpoints"))
    def list(self) -> Page[ProviderConfig]:
        """List the providers that may be asked, those that need no setting up first."""
        rows = [config.values() for config in self.shown()]
        return Page(ProviderConfig, rows, total=len(rows), page_size=max(1, len(rows)))

    @query("GET", "/settings/provider-presets", key="presets", topics=())
    def presets(self) -> Page[ProviderPreset]:
        """List known services to start a provider from."""
        rows = [preset.values() for preset in PRESETS]
        return Page(ProviderPreset, rows, total=len(rows), page_size=len(rows))

    @query("GET", ROOT + "/{name}", topics=("providers", "endpoints"))
    def get(self, name: Name) -> ProviderConfig:
        """Return one provider by its name or an alias."""
        return self._shown(self._found(name))

    @command("POST", ROOT, roles=ADMIN, status=201, label="Add a provider")
    def create(
        self,
        name: Name,
        *,
        protocol: Protocol = "openai",
        base_url: Address = None,
        model: Model = None,
        key_variable: Variable = None,
        aliases: Aliases = (),  # type: ignore[assignment]
        requests_per_minute: PerMinute = None,
        concurrency: Concurrency = 4,
        price_in: Price = None,
        price_out: Price = None,
        timeout_seconds: Timeout = 30.0,
    ) -> ProviderConfig:
        """Set up a provider. Its key is read from the named environment variable whenever it is asked."""
        wanted = slug(name)
        if wanted in self.known():
            raise Conflict(f"There is a provider named {wanted!r} already. Edit it, or choose another name.", name=wanted)
        config = ProviderConfig(
            id=wanted,
            name=wanted,
            protocol=protocol,
            base_url=base_url,
            model=model,
            key_variable=key_variable,
            aliases=[alias.strip().casefold() for alias in aliases],
            requests_per_minute=requests_per_minute,
            concurrency=concurrency,
            price_in=price_in,
            price_out=price_out,
            timeout_seconds=timeout_seconds,
            created_by=self.actor,
        )
        self._refuse(config)
        return self._shown(self.records.insert(config))

    @command("PUT", ROOT + "/{name}", roles=ADMIN, label="Edit")
    def update(
        self,
        name: Name,
        *,
        base_url: Address = UNSET,
        model: Model = UNSET,
        key_variable: Variable = UNSET,
        aliases: Aliases = UNSET,
        requests_per_minute: PerMinute = UNSET,
        concurrency: Concurrency = UNSET,
        price_in: Price = UNSET,
        price_out: Price = UNSET,
        timeout_seconds: Timeout = UNSET,
        version: Annotated[int | None, Field(description="Version you have seen; refused when it is outdated.")] = None,
    ) -> ProviderConfig:
        """Change how a provider is reached and what it costs."""
        given = {k: v for k, v in locals().items() if k not in ("self", "name", "version") and v is not UNSET}
        if "aliases" in given:
            given["aliases"] = [alias.strip().casefold() for alias in given["aliases"]]
        found = self._found(name)
        self._require("update", found)
        changed = found.with_(**given)
        self._refuse(changed)
        if not self.records.exists(id=found.id):
            return self._shown(self.records.insert(changed.with_(created_by=self.actor)))
        return self._shown(self.records.update(found.id, version, **given) if given else found)

    @command("DELETE", ROOT + "/{name}", roles=ADMIN, label="Delete", confirm="Delete the provider? Answers it gave stay.")
    def delete(self, name: Name) -> Deleted:
        """Forget a provider; one that is built in goes back to how it came."""
        found = self._found(name)
        self._require("delete", found)
        if used := self._users(found):
            raise InUse(f"{found.name} is asked by {len(used)} job(s). Cancel those or wait for them first.", used_by=used)
        self.records.delete(found.id)
        return Deleted(id=found.id)

    @command("POST", ROOT + "/{name}/test", roles=ADMIN, transaction=False, label="Test")
    def test(self, name: Name, *, model: Model = None) -> ProviderTest:
        """Ask a provider one short question and tell what came back. This may cost a fraction of a cent."""
        target = self.target(name, model)
        begun = time.monotonic()
        simulated = self._shown(target.config).simulated
        try:
            reply = finished(_asked(target))
        except Failure as failure:
            return ProviderTest(ok=False, message=str(failure), model=target.model, simulated=simulated)
        seconds = time.monotonic() - begun
        return ProviderTest(
            ok=True,
            message=f"{target.config.name} answered in {seconds:.1f} s."
            if not simulated
            else "It works, and makes its answers up.",
            answer=reply.text[:500],
            model=target.model,
            seconds=round(seconds, 3),
            tokens_in=reply.answer.tokens_in,
            tokens_out=reply.answer.tokens_out,
            simulated=simulated,
        )

    def target(self, name: str, *models: str | None) -> Target:
        """Return what to ask, or say what is unknown or missing; the first model named counts."""
        config = self.named(name)
        if reason := self.lacks(config):
            raise NotReady(f"{config.name} cannot be asked: {reason}", status="incomplete", provider=config.name)
        if config.protocol == "local":
            return self._own(config, models)
        model = next((one for one in (*models, config.model) if one), None)
        if model is None:
            raise ValidationError.field(
                "model", f"is missing; name one here, in the template or in the settings of {config.name}"
            )
        return Target(config, model)

    def named(self, name: str) -> ProviderConfig:
        """Return a provider by its name or an alias in any case, or raise ValidationError with near names."""
        known = self.known()
        wanted = name.strip().casefold()
        if slug(wanted) in known:
            return known[slug(wanted)]
        for config in known.values():
            if wanted in config.aliases:
                return config
        preset = next((p for p in PRESETS if wanted in (p.name, p.label.casefold(), *p.aliases)), None)
        names = [word for config in known.values() for word in (config.name, *config.aliases)]
        hint = f" {preset.label} is a preset: add it in the settings first." if preset else did_you_mean(wanted, names)
        raise ValidationError.field("provider", f"is unknown.{hint} Available: {', '.join(known)}", name)

    def shown(self) -> builtins.list[ProviderConfig]:
        """Return every provider with whether it can be asked, and what it lacks."""
        return [self._shown(config) for config in self.known().values()]

    def known(self) -> dict[str, ProviderConfig]:
        """Return every provider by name; one that was set up stands in place of the built-in one."""
        return BUILT_IN | {config.id: config for config in self.records.list(order="name")}

    def lacks(self, config: ProviderConfig) -> str | None:
        """Return what keeps a provider from being asked, and what to do about it, or None."""
        if config.protocol not in protocols():
            return f"the plugin for the protocol {config.protocol} is not installed."
        if needed := lacking(config.protocol):
            return f"it needs the package {needed}. Install it: pip install 'workbench[{needed}]'."
        if config.protocol == "local" and not self._served():
            return "no endpoint serves a model of this workspace. Deploy one first."
        if config.key_variable and not Access(config.protocol, key_variable=config.key_variable).key():
            return (
                f"the environment variable {config.key_variable} is not set. Set it where the workspace runs, then open it again."
            )
        return None

    def _own(self, config: ProviderConfig, models: tuple[str | None, ...]) -> Target:
        served = self._served()
        wanted = next((one for one in (*models, config.model) if one in served), None)
        first = next((one for one in (models[0] if models else None, config.model) if one), None)
        if wanted is None and (first or len(served) > 1):
            what = "is no endpoint that answers" if first else "is missing; name an endpoint"
            raise ValidationError.field(
                "model", f"{what}.{did_you_mean(first or '', served)} Available: {', '.join(served)}", first
            )
        endpoint = wanted or next(iter(served))
        version = self.app.models.versions.get(served[endpoint])
        return Target(config, endpoint, self.app.models.package(version), version.content_hash)

    def _served(self) -> dict[str, str]:
        return dict(self.db.tuples("select name, model_version_id from endpoints where status = 'serving' order by name"))

    def _found(self, name: str) -> ProviderConfig:
        try:
            return self.named(name)
        except ValidationError:
            raise NotFound.of("provider", name, self.known()) from None

    def _shown(self, config: ProviderConfig) -> ProviderConfig:
        reason = self.lacks(config)
        row = config.values() | {
            "status": "incomplete" if reason else "ready",
            "reason": reason[:1].upper() + reason[1:] if reason else None,
            "simulated": config.protocol == "simulated",
            "built_in": config.id in BUILT_IN,
        }
        actions = PROVIDER_LIFECYCLE.actions(row, roles=self.roles, blocked=self._blocked(config))
        return ProviderConfig(**row | {"actions": actions})

    def _users(self, config: ProviderConfig) -> builtins.list[str]:
        """Return the ids of the jobs that have not ended and ask it."""
        sql = "select id from jobs where completed_at is null and lower(spec ->> '$.provider') in (select unnest(?::varchar[]))"
        words = [word.lower() for word in (config.name, *config.aliases)]
        return [id for (id,) in self.db.tuples(f"{sql} order by id", [words])]

    def _blocked(self, config: ProviderConfig) -> dict[str, str]:
        if config.protocol in ("simulated", "local"):
            return dict.fromkeys(("update", "delete"), "It is part of the workbench.")
        return {} if config.created_at else {"delete": "It is built in and was not changed."}

    def _require(self, action: str, config: ProviderConfig) -> None:
        if reason := self._blocked(config).get(action):
            raise Conflict(f"Cannot {action} {config.name}. {reason}", name=config.name)

    def _refuse(self, config: ProviderConfig) -> None:
        faults = config_faults(config)
        taken = {
            word: other.name for other in self.known().values() if other.id != config.id for word in (other.name, *other.aliases)
        }
        faults += [
            fault("aliases", f"{word!r} is what {taken[word]} goes by already", word)
            for word in (*config.aliases, config.name)
            if word in taken
        ]
        if faults:
            raise ValidationError.of(faults)


async def _asked(target: Target) -> Reply:
    provider = connect(target.access)
    if target.package is not None:
        provider.predict = load_package(target.package).predict  # type: ignore[attr-defined]
    try:
        request = Request(QUESTION, model=target.model, temperature=0.0, max_tokens=256)
        return await Asker(provider, target.access, tries=1).ask(request)
    finally:
        await provider.close()


def slug(name: str) -> str:
    """Return a name in small letters, digits and dashes."""
    return re.sub(r"[^a-z0-9]+", "-", name.strip().casefold()).strip("-")


def fault(field: str, message: str, value: Any = None) -> dict[str, Any]:
    """Return one complaint about a field."""
    return {"field": field, "message": message, "value": value}


def config_faults(config: ProviderConfig) -> list[dict[str, Any]]:
    """Return what is wrong with a provider by itself; what may be a secret is not repeated."""
    found = []
    if not config.name:
        found.append(fault("name", "needs at least one letter or digit", config.name))
    if config.protocol not in protocols():
        known = protocols()
        hint = did_you_mean(config.protocol, known)
        found.append(fault("protocol", f"is unknown.{hint} Known: {', '.join(sorted(known))}", config.protocol))
    elif config.protocol in ("simulated", "local") and config.id != config.protocol:
        found.append(fault("protocol", f"{config.protocol} is built in; use it by that name", config.protocol))
    elif config.protocol == "openai" and not config.base_url:
        found.append(fault("base_url", "is missing; presets list the addresses of known services"))
    if config.base_url and (message := _address_fault(config.base_url)):
        found.append(fault("base_url", message))
    if config.key_variable and not re.fullmatch(r"[A-Z_][A-Z0-9_]*", config.key_variable):
        found.append(
            fault("key_variable", "takes the NAME of an environment variable, such as OPENAI_API_KEY, never the key itself")
        )
    return found


def _address_fault(address: str) -> str | None:
    try:
        parts = urlsplit(address)
    except ValueError:
        return "is no address"
    if parts.scheme not in ("http", "https") or not parts.hostname:
        return "must be an http:// or https:// address"
    if parts.username or parts.password or parts.query or parts.fragment:
        return "may hold no password, query or fragment: keys go into an environment variable"
    return f"still has a part to fill in: {TO_FILL_IN}…" if TO_FILL_IN in address else None
