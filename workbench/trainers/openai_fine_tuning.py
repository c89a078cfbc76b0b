"""The trainer that has somebody else train: any service that speaks the fine-tuning API of OpenAI."""

from __future__ import annotations

import importlib.util
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

import param

from workbench.domain.providers import ProviderConfig
from workbench.domain.train import BaseModel, Recommendation
from workbench.errors import NotReady
from workbench.trainers.advice import few_pairs, one_sided, unusual_rate
from workbench.trainers.hosted_bases import hosted, servers
from workbench.trainers.protocol import Config, Inputs, Place, Reporter, Requirements, Size, Trainer

CHARACTERS_PER_TOKEN = 4
# What chat models read around the turns of one example.
TOKENS_AROUND = 8
USUAL_RATES = (2e-5, 1e-3)


class OpenAIFineTuningConfig(Config):
    """Settings of a fine-tuning at a provider."""

    epochs = param.Integer(3, bounds=(1, 10), doc="Passes over the training pairs.")
    learning_rate = param.Number(
        1e-4,
        bounds=(1e-5, 1e-2),
        doc="Size of a step. The API takes a multiple of the provider's own rate, not a rate: 0.0001 is sent as 1, 0.0002 as 2.",
    )
    batch_size = param.Integer(None, bounds=(1, 256), allow_None=True, doc="Pairs per step; none: the provider chooses.")
    provider = param.String("", doc="Provider that trains; empty: the first one set up that serves the base model.")
    price = param.Number(
        None,
        bounds=(0, None),
        allow_None=True,
        doc="USD for a thousand tokens trained on; none: the provider's price for tokens read, where it has one.",
    )
    evaluated_pairs = param.Integer(
        50, bounds=(0, 10_000), doc="Held-out pairs the finished model is asked about, a request each."
    )


class OpenAIFineTuning(Trainer):
    """Upload the pairs to a provider and have it fine-tune one of its models."""

    name: ClassVar[str] = "openai-fine-tuning"
    label: ClassVar[str] = "Fine-tuning at a provider"
    Config: ClassVar[type[Config]] = OpenAIFineTuningConfig

    def base_models(self) -> list[BaseModel]:
        """Return the hosted models known by name."""
        return hosted(self.name, ())

    def offered(self, place: Place) -> list[BaseModel]:
        """Return the hosted models, available where a provider that serves them can be asked."""
        return hosted(self.name, place.providers)

    def requirements(self) -> Requirements:
        """Return whether the client of the API is installed."""
        if importlib.util.find_spec("openai") is None:
            return Requirements(False, "It needs the package openai. Install it: pip install openai.", "none here")
        return Requirements(hardware="none here")

    def search_space(self) -> dict[str, dict[str, Any]]:
        """Return the settings worth searching; each trial costs a fine-tuning."""
        return {
            "epochs": {"type": "int", "low": 1, "high": 5},
            "learning_rate": {"type": "float", "low": 2e-5, "high": 5e-4, "log": True},
        }

    def faults(self, config: Mapping[str, Any], base_model: str, place: Place) -> list[dict[str, Any]]:
        """Refuse a provider that does not serve the base model."""
        wanted = config["provider"].strip().casefold()
        names = [one.name for one in servers(base_model, place.providers)]
        if not wanted or _called(wanted, servers(base_model, place.providers)):
            return []
        message = f"does not fine-tune {base_model}; {', '.join(names)} does" if names else f"does not fine-tune {base_model}"
        return [{"field": "training_config.provider", "message": message, "value": config["provider"]}]

    def given(self, config: Mapping[str, Any], base_model: str, place: Place) -> dict[str, Any]:
        """Return how the provider is reached, the key by the name of its variable only."""
        found = servers(base_model, place.providers)
        chosen = _called(config["provider"].strip().casefold(), found) if config["provider"].strip() else next(iter(found), None)
        if chosen is None:
            raise NotReady(
                f"No provider is set up any more that fine-tunes {base_model}. Add one, then retry.", status="unavailable"
            )
        if chosen.status != "ready":
            raise NotReady(f"{chosen.name} cannot be asked: {chosen.reason}", status="unavailable", provider=chosen.name)
        return {
            "access": {
                "protocol": chosen.protocol,
                "name": chosen.name,
                "base_url": chosen.base_url,
                "key_variable": chosen.key_variable,
                "timeout": chosen.timeout_seconds,
            },
            "concurrency": chosen.concurrency,
            "requests_per_minute": chosen.requests_per_minute,
            "price": chosen.price_in if config["price"] is None else config["price"],
        }

    def estimate(
        self, config: Mapping[str, Any], size: Size, *, base_model: str, threads: int, given: Mapping[str, Any]
    ) -> dict[str, Any]:
        """Estimate the tokens and, where a price is known, the cost; how long the provider takes nobody knows."""
        read = (size.characters + size.response_characters) // CHARACTERS_PER_TOKEN + TOKENS_AROUND * size.pairs
        tokens, price = read * config["epochs"], given.get("price")
        cost = None if price is None else round(tokens / 1000 * price, 4)
        return {"tokens": tokens, "seconds": None, "cost": cost, "memory_bytes": 100_000_000}

    def advise(self, config: Mapping[str, Any], size: Size) -> list[Recommendation]:
        """Look at the number of pairs, their balance and the learning rate."""
        rate = unusual_rate(config["learning_rate"], *USUAL_RATES, "a fine-tuning of a hosted model", best=1e-4)
        return [
            *few_pairs(size, 50, "Hosted models begin to show what they learned from about 50 pairs."),
            *one_sided(size),
            *rate,
        ]

    def train(self, context: Reporter, inputs: Inputs) -> dict[str, Any]:
        """Have the provider train, follow it, and write a package that asks its model."""
        from workbench.trainers.remote_course import RemoteCourse

        return RemoteCourse(context, inputs).run(self.reference)

    def load(self, folder: Path) -> Any:
        """Return what asks the provider's model."""
        from workbench.trainers.package import opened
        from workbench.trainers.remote_model import RemoteModel, Whereabouts

        opened(folder, trainer=self.reference)
        return RemoteModel(Whereabouts.read(folder))


def _called(wanted: str, providers: list[ProviderConfig]) -> ProviderConfig | None:
    return next((one for one in providers if wanted in (one.name, *one.aliases)), None)
