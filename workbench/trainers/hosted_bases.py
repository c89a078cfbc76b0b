"""Which base models the set-up providers fine-tune: known ones by service, and the model a provider is set up with."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import urlsplit

from workbench.domain.providers import ProviderConfig
from workbench.domain.train import BaseModel

PROTOCOL = "openai"


@dataclass(frozen=True)
class Service:
    """A service that fine-tunes: where it lives, what it goes by, and which models it is known to train."""

    name: str
    label: str
    hosts: tuple[str, ...]
    models: tuple[tuple[str, str, int | None], ...]


_OPENAI = (
    ("gpt-4.1-mini-2025-04-14", "GPT-4.1 mini", 65_536),
    ("gpt-4.1-nano-2025-04-14", "GPT-4.1 nano", 65_536),
    ("gpt-4.1-2025-04-14", "GPT-4.1", 65_536),
    ("gpt-4o-mini", "GPT-4o mini", 65_536),
    ("gpt-4o-2024-08-06", "GPT-4o", 65_536),
    ("gpt-3.5-turbo", "GPT-3.5 Turbo", 16_385),
)
SERVICES = (
    Service("openai", "OpenAI", ("api.openai.com",), _OPENAI),
    Service("azure", "Azure OpenAI", (".openai.azure.com",), _OPENAI),
    Service(
        "databricks",
        "Databricks",
        (".databricks.com", ".azuredatabricks.net", ".databricks.us"),
        (
            ("databricks-meta-llama-3-1-8b-instruct", "Llama 3.1 8B Instruct", None),
            ("databricks-meta-llama-3-3-70b-instruct", "Llama 3.3 70B Instruct", None),
        ),
    ),
)
# They speak the chat protocol and have no fine-tuning API.
CHAT_ONLY = {"ollama": 11434, "vllm": 8000, "lm-studio": 1234, "perplexity": None, "gemini": None, "mistral": None}


def servers(base_model: str, providers: Iterable[ProviderConfig]) -> list[ProviderConfig]:
    """Return the providers that fine-tune a base model, those that can be asked now first."""
    found = [one for one in providers if one.protocol == PROTOCOL and base_model in _served(one)]
    return sorted(found, key=lambda one: one.status != "ready")


def hosted(trainer: str, providers: Iterable[ProviderConfig]) -> list[BaseModel]:
    """Return every known hosted base model, and those that providers are set up with, each with what it lacks."""
    known = list(providers)
    names = {name: (label, length) for service in SERVICES for name, label, length in service.models}
    own = {m: (m, None) for one in known if one.protocol == PROTOCOL for m in _served(one) if m not in names}
    return [_described(trainer, name, label, length, known) for name, (label, length) in (names | own).items()]


def _described(trainer: str, name: str, label: str, length: int | None, providers: list[ProviderConfig]) -> BaseModel:
    found = servers(name, providers)
    usable = bool(found) and found[0].status == "ready"
    reason = None
    if not found:
        where = " or ".join(s.label for s in SERVICES if name in {m for m, *_ in s.models})
        reason = f"No provider is set up that fine-tunes it. Add {where} in the settings, under Providers."
    elif not usable:
        reason = f"{found[0].name} cannot be asked: {found[0].reason or ''}".strip()
    by = f"Trained by {found[0].name}" if found else "Trained by the service that hosts it"
    words = f"{by}, where the pairs are uploaded to. Whether it may be fine-tuned there is known once the job starts."
    return BaseModel(
        name=name,
        trainer=trainer,
        label=label,
        description=words,
        context_length=length,
        price=found[0].price_in if found else None,
        hardware="none here",
        available=usable,
        reason=reason,
    )


def _served(provider: ProviderConfig) -> set[str]:
    service = next((one for one in SERVICES if _is(provider, one)), None)
    models = {name for name, *_ in service.models} if service else set()
    return models if provider.model is None or _chats_only(provider) else models | {provider.model}


def _is(provider: ProviderConfig, service: Service) -> bool:
    host = urlsplit(provider.base_url or "").hostname or ""
    return provider.name == service.name or any(host == one.lstrip(".") or host.endswith(one) for one in service.hosts)


def _chats_only(provider: ProviderConfig) -> bool:
    return provider.name in CHAT_ONLY or urlsplit(provider.base_url or "").port in set(CHAT_ONLY.values()) - {None}
