"""Anthropic's models, through its own SDK (the extra `[anthropic]`)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from workbench.providers import Access, Answer, Request
from workbench.providers.chat_faults import failure, json_object, no_answer, said
from workbench.providers.conversation import instruction, turns
from workbench.providers.limits import pause
from workbench.providers.openai_compatible import NO_KEY, whole

# What it calls an answer that ran into the limit is called `length` everywhere else.
_ENDS = {"max_tokens": "length", "end_turn": "stop", "stop_sequence": "stop", "refusal": "content_filter"}
HOTTEST = 1.0


class AnthropicMessages:
    """Ask for messages; a temperature above 1 counts as 1, and models that take none are asked without."""

    simulated = False
    needs = "anthropic"

    def __init__(self, access: Access) -> None:
        self.access = access
        self._client: Any = None
        self._warm = True

    async def answer(self, request: Request) -> Answer:
        """Return the text of a message."""
        import anthropic

        warm = self._warm
        try:
            reply = await self._open().messages.with_raw_response.create(**self._asked(request))
            return self._read(reply.headers, await reply.read())
        except anthropic.BadRequestError as error:
            self._warm = warm and "temperature" not in said(error)
            if self._warm == warm:
                raise failure(self.access, error) from None
        except anthropic.APIError as error:
            raise failure(self.access, error) from None
        return await self.answer(request)

    async def close(self) -> None:
        """Close the connections."""
        if self._client is not None:
            await self._client.close()

    def _open(self) -> Any:
        if self._client is None:
            import anthropic

            self._client = anthropic.AsyncAnthropic(
                api_key=self.access.key() or NO_KEY, base_url=self.access.base_url, timeout=self.access.timeout, max_retries=0
            )
        return self._client

    def _asked(self, request: Request) -> dict[str, Any]:
        system = instruction(request)
        asked = {"model": request.model or "", "messages": turns(request), "max_tokens": request.max_tokens}
        if self._warm:
            asked["extra_body"] = {"temperature": min(request.temperature, HOTTEST)}
        return asked | ({"system": system} if system else {})

    def _read(self, headers: Mapping[str, str], content: bytes) -> Answer:
        body = json_object(self.access, headers, content)
        try:
            text = "".join(part["text"] for part in body["content"] if part["type"] == "text")
        except (LookupError, TypeError):
            raise no_answer(self.access, "JSON without content") from None
        usage = body["usage"] if isinstance(body.get("usage"), dict) else {}
        return Answer(
            text=text,
            tokens_in=whole(usage.get("input_tokens")),
            tokens_out=whole(usage.get("output_tokens")),
            finish_reason=_ENDS.get(body.get("stop_reason"), body.get("stop_reason")),
            pause=pause(headers),
        )
