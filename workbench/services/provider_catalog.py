"""Providers known without being set up, and services to start one from."""

from __future__ import annotations

from workbench.domain.providers import ProviderConfig, ProviderPreset

TO_FILL_IN = "YOUR-"

BUILT_IN = {
    one.id: one
    for one in (
        ProviderConfig(
            id="simulated", name="simulated", protocol="simulated", model="made-up", concurrency=8, price_in=0.0, price_out=0.0
        ),
        ProviderConfig(id="local", name="local", protocol="local", concurrency=1, price_in=0.0, price_out=0.0),
        ProviderConfig(
            id="openai",
            name="openai",
            protocol="openai",
            aliases=["chatgpt", "gpt", "open ai"],
            base_url="https://api.openai.com/v1",
            key_variable="OPENAI_API_KEY",
        ),
        ProviderConfig(
            id="anthropic",
            name="anthropic",
            protocol="anthropic",
            aliases=["claude"],
            base_url="https://api.anthropic.com",
            key_variable="ANTHROPIC_API_KEY",
        ),
    )
}

_LOCALHOST = "http://localhost"


def _preset(name: str, label: str, base_url: str, key_variable: str | None = None, *aliases: str) -> ProviderPreset:
    protocol = "anthropic" if name == "anthropic" else "openai"
    return ProviderPreset(
        name=name, label=label, protocol=protocol, base_url=base_url, key_variable=key_variable, aliases=aliases
    )


PRESETS = (
    _preset("openai", "OpenAI", "https://api.openai.com/v1", "OPENAI_API_KEY", "chatgpt", "gpt"),
    _preset("anthropic", "Anthropic", "https://api.anthropic.com", "ANTHROPIC_API_KEY", "claude"),
    _preset("azure", "Azure OpenAI", f"https://{TO_FILL_IN}RESOURCE.openai.azure.com/openai/v1", "AZURE_OPENAI_API_KEY"),
    _preset(
        "databricks",
        "Databricks",
        f"https://{TO_FILL_IN}WORKSPACE.cloud.databricks.com/serving-endpoints",
        "DATABRICKS_TOKEN",
    ),
    _preset("gemini", "Google Gemini", "https://generativelanguage.googleapis.com/v1beta/openai", "GEMINI_API_KEY", "google"),
    _preset("mistral", "Mistral", "https://api.mistral.ai/v1", "MISTRAL_API_KEY", "le chat"),
    _preset("perplexity", "Perplexity", "https://api.perplexity.ai", "PERPLEXITY_API_KEY", "sonar"),
    _preset("ollama", "Ollama, on this machine", f"{_LOCALHOST}:11434/v1"),
    _preset("vllm", "vLLM, on this machine", f"{_LOCALHOST}:8000/v1"),
    _preset("lm-studio", "LM Studio, on this machine", f"{_LOCALHOST}:1234/v1", None, "lmstudio"),
)
