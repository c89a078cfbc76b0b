"""Everyone who speaks the chat protocol of OpenAI: its own service, Azure, Ollama, vLLM, LM Studio and many more."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from workbench.providers import Access, Answer, Failure, Request
from workbench.providers.chat_faults import failure, json_object, no_answer, said
from workbench.providers.conversation import instruction, schema, turns
from workbench.providers.limits import pause

# Servers without accounts ignore it, the SDK insists on one.
NO_KEY = "none"


class OpenAICompatible:
    """Ask for chat completions.

    What a server says it does not know is left out from then on: a response format, or a limit under its older name.
    """

    simulated = False
    needs = "openai"

    def __init__(self, access: Access) -> None:
        self.access = access
        self._client: Any = None
        self._unknown: set[str] = set()

    async def answer(self, request: Request) -> Answer:
        """Return the first choice of a completion."""
        import openai

        known = len(self._unknown)
        try:
            reply = await self._open().chat.completions.with_raw_response.create(**self._asked(request))
            return self._read(reply.headers, reply.content)
        except openai.BadRequestError as error:
            self._learn(said(error))
            if len(self._unknown) == known:
                raise failure(self.access, error) from None
        except openai.APIError as error:
            raise failure(self.access, error) from None
        return await self.answer(request)

    async def close(self) -> None:
        """Close the connections."""
        if self._client is not None:
            await self._client.close()

    def _open(self) -> Any:
        if self._client is None:
            import openai

            self._client = openai.AsyncOpenAI(
                api_key=self.access.key() or NO_KEY,
                base_url=self.access.base_url,
                timeout=self.access.timeout,
                max_retries=0,
            )
        return self._client

    def _asked(self, request: Request) -> dict[str, Any]:
        system = instruction(request)
        limit = "max_completion_tokens" if "max_tokens" in self._unknown else "max_tokens"
        asked: dict[str, Any] = {
            "model": request.model or "",
            "messages": [*([{"role": "system", "content": system}] if system else []), *turns(request)],
            limit: request.max_tokens,
        }
        if "temperature" not in self._unknown:
            asked["temperature"] = request.temperature
        if request.fields and "response_format" not in self._unknown:
            asked["response_format"] = {"type": "json_schema", "json_schema": {"name": "answer", "schema": schema(request)}}
        return asked

    def _learn(self, words: str) -> None:
        if "max_completion_tokens" in words:
            self._unknown.add("max_tokens")
        elif "response_format" in words or "json_schema" in words:
            self._unknown.add("response_format")
        elif "temperature" in words and "support" in words:
            self._unknown.add("temperature")

    def _read(self, headers: Mapping[str, str], content: bytes) -> Answer:
        body = json_object(self.access, headers, content)
        try:
            choice = body["choices"][0]
            text = choice["message"].get("content") or ""
        except (LookupError, TypeError, AttributeError):
            raise no_answer(self.access, "JSON without a choice") from None
        if not isinstance(text, str):
            raise Failure(f"{self.access.name} sent an answer that is no text.", kind="refused")
        usage = body["usage"] if isinstance(body.get("usage"), dict) else {}
        return Answer(
            text=text,
            tokens_in=whole(usage.get("prompt_tokens")),
            tokens_out=whole(usage.get("completion_tokens")),
            finish_reason=choice.get("finish_reason"),
            pause=pause(headers),
        )


def whole(value: Any) -> int | None:
    """Return a count, or None for what is none."""
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else None
