"""A provider is asked in its pace, with a limit in time, and again only after trouble that passes."""

from __future__ import annotations

import asyncio
import struct
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from tests.providers.chat_server import ChatServer, Say, chat_server
from workbench.providers import Access, Failure, Request, connect, lacking, protocols
from workbench.providers.asking import Asker, Reply, finished
from workbench.providers.limits import pause, retry_after, seconds
from workbench.providers.pace import Pace

KEY = "sk-very-secret-0123456789"
PROTOCOLS = ("openai", "anthropic")


@pytest.fixture(autouse=True)
def key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CHAT_KEY", KEY)


@pytest.fixture(params=PROTOCOLS)
def protocol(request: pytest.FixtureRequest) -> str:
    return request.param


def access(server: ChatServer, protocol: str = "openai", **more: Any) -> Access:
    url = server.url if protocol == "openai" else server.url.removesuffix("/v1")
    return Access(**({"protocol": protocol, "name": "chat", "base_url": url, "key_variable": "CHAT_KEY", "timeout": 5.0} | more))


def ask(
    reached: Access, *prompts: str, per_minute: int | None = None, tries: int = 6, shared: Path | None = None, **facts: Any
) -> list[Reply | Failure]:
    """Ask about several prompts at once; a failure comes back in its place."""

    async def all_of_them() -> Any:
        provider = connect(reached)
        asker = Asker(provider, reached, per_minute=per_minute, shared=shared, tries=tries)
        requests = [Request(prompt, **{"model": "m", "temperature": 0.0, **facts}) for prompt in prompts]
        found = await asyncio.gather(*map(asker.ask, requests), return_exceptions=True)
        await provider.close()
        return found

    return finished(all_of_them())


def failing(found: list[Reply | Failure], kind: str) -> str:
    (failure,) = found
    assert isinstance(failure, Failure), failure
    assert failure.kind == kind
    return str(failure)


def test_an_answer_comes_with_what_it_took(protocol: str) -> None:
    with chat_server(lambda prompt, before: Say(f"I heard {prompt}")) as server:
        reply, *_ = ask(access(server, protocol), "hello", system="Be kind.", examples=(("a", "b"),), max_tokens=77)

    assert isinstance(reply, Reply)
    assert (reply.text, reply.fault, reply.tries, reply.answer.finish_reason) == ("I heard hello", None, 1, "stop")
    assert reply.answer.tokens_in > 0
    assert reply.answer.tokens_out == 3
    (asked,) = server.asked
    assert [turn["content"] for turn in asked.body["messages"] if turn["role"] != "system"] == ["a", "b", "hello"]
    assert "Be kind." in str(asked.body)
    assert (asked.body["model"], asked.body["max_tokens"], asked.body["temperature"]) == ("m", 77, 0.0)
    assert KEY in asked.headers.get("authorization", "") + asked.headers.get("x-api-key", "")


def test_what_the_provider_told_to_wait_is_waited_by_everybody(protocol: str) -> None:
    def tell(prompt: str, before: int) -> Say:
        return Say(status=429, headers={"retry-after": "1"}) if prompt == "0" and not before else Say()

    with chat_server(tell) as server:
        first = ask(access(server, protocol), "0")
    assert [reply.tries for reply in first] == [2]
    assert server.asked[1].at - server.asked[0].at >= 0.95


def test_an_exhausted_allowance_holds_the_next_request_back(protocol: str) -> None:
    left, reset = ("x-ratelimit-remaining-requests", "x-ratelimit-reset-requests")
    if protocol == "anthropic":
        left, reset = ("anthropic-ratelimit-requests-remaining", "anthropic-ratelimit-requests-reset")

    with chat_server(lambda prompt, before: Say(headers={left: "0", reset: "700ms"})) as server:

        async def one_after_the_other() -> None:
            reached = access(server, protocol)
            provider = connect(reached)
            asker = Asker(provider, reached)
            for prompt in ("a", "b"):
                await asker.ask(Request(prompt, model="m"))
            await provider.close()

        finished(one_after_the_other())
    assert server.asked[1].at - server.asked[0].at >= 0.65


def test_requests_leave_in_the_pace_allowed() -> None:
    with chat_server() as server:
        begun = time.monotonic()
        ask(access(server), *"abcde", per_minute=300)
    # From the start, for a first request that arrives late shortens the gaps the server sees.
    assert sorted(asked.at for asked in server.asked)[-1] - begun >= 0.8


def test_those_who_name_one_file_share_its_pace(tmp_path: Path) -> None:
    shared = tmp_path / "pace" / "mine"
    with chat_server() as server, ThreadPoolExecutor(2) as pool:
        begun = time.monotonic()
        list(pool.map(lambda prompts: ask(access(server), *prompts, per_minute=300, shared=shared), ("abc", "def")))
    assert sorted(asked.at for asked in server.asked)[-1] - begun >= 1.0


def test_a_pause_holds_back_whoever_names_the_same_file(tmp_path: Path) -> None:
    shared = tmp_path / "mine"
    Pace(shared=shared).hold(0.4)
    begun = time.monotonic()
    finished(Pace(shared=shared).turn())
    assert time.monotonic() - begun >= 0.35


def test_a_pace_kept_under_a_clock_put_back_holds_nobody(tmp_path: Path) -> None:
    for kept in (struct.pack("dd", time.time() + 86_400, time.time() + 86_400), b"torn"):
        (tmp_path / "mine").write_bytes(kept)
        begun = time.monotonic()
        finished(Pace(60, shared=tmp_path / "mine").turn())
        assert time.monotonic() - begun < 10


@pytest.mark.parametrize(
    "trouble",
    [
        Say(status=500),
        Say(status=503),
        Say(reset=True),
        Say(raw=b'{"choices": [{"message": {"cont'),
        Say(raw=b"<html>Welcome</html>", content_type="text/html"),
        Say(raw=b"[]"),
        Say(raw=b'{"id": 1}'),
    ],
    ids=["500", "503", "reset", "cut off", "html", "list", "no choice"],
)
def test_trouble_that_passes_is_tried_again(protocol: str, trouble: Say) -> None:
    with chat_server(lambda prompt, before: trouble if before < 2 else Say("at last")) as server:
        (reply,) = ask(access(server, protocol), "hello")
    assert isinstance(reply, Reply), reply
    assert (reply.text, reply.tries, len(server.asked)) == ("at last", 3, 3)


def test_trouble_that_stays_ends_after_some_tries(protocol: str) -> None:
    with chat_server(lambda prompt, before: Say(status=500, error="on fire")) as server:
        words = failing(ask(access(server, protocol), "hello", tries=3), "broken")
    assert len(server.asked) == 3
    assert "500" in words
    assert "on fire" in words


@pytest.mark.parametrize(
    ("status", "kind"), [(401, "denied"), (403, "denied"), (404, "denied"), (400, "refused"), (422, "refused")]
)
def test_what_the_asker_did_wrong_is_told_at_once(protocol: str, status: int, kind: str) -> None:
    with chat_server(lambda prompt, before: Say(status=status, error=f"not with {KEY}")) as server:
        words = failing(ask(access(server, protocol), "hello"), kind)
    assert len(server.asked) == 1
    assert str(status) in words
    assert KEY not in words
    assert "CHAT_KEY" in words or status not in (401, 403)
    assert ". " in words or status not in (401, 403, 404)


def test_no_quota_and_no_patience_are_no_matter_of_waiting() -> None:
    with chat_server(lambda prompt, before: Say(status=429, error="insufficient_quota: pay first")) as server:
        assert "quota" in failing(ask(access(server), "hello"), "denied")
    with chat_server(lambda prompt, before: Say(status=429, headers={"retry-after": "7200"})) as server:
        assert "7200" in failing(ask(access(server), "hello"), "denied")
    assert len(server.asked) == 1


def test_neither_silence_nor_a_trickle_is_waited_for_forever(protocol: str) -> None:
    for slow in (Say(delay=100), Say(trickle=0.2)):
        with chat_server(lambda prompt, before, slow=slow: slow) as server:
            begun = time.monotonic()
            words = failing(ask(access(server, protocol, timeout=0.5), "hello", tries=1), "broken")
        assert "0.5 s" in words
        assert time.monotonic() - begun < 20


def test_a_server_that_is_not_there_is_named() -> None:
    with chat_server() as server:
        reached = access(server)
    assert "cannot be reached" in failing(ask(reached, "hello", tries=1), "broken")


def test_an_answer_without_counts_is_an_answer(protocol: str) -> None:
    with chat_server(lambda prompt, before: Say(usage=False)) as server:
        (reply,) = ask(access(server, protocol), "hello")
    assert (reply.text, reply.answer.tokens_in, reply.answer.tokens_out) == ("fine", None, None)


def test_what_a_server_does_not_know_is_left_out() -> None:
    def tell(prompt: str, before: int) -> Say:
        return Say(status=400, error=complaints[before]) if before < len(complaints) else Say('{"ok": true}')

    complaints = ["Unsupported parameter: use max_completion_tokens", "response_format is not known"]
    fields = ({"name": "ok", "type": "boolean", "required": True, "options": ()},)
    with chat_server(tell) as server:
        (reply,) = ask(access(server), "hello", fields=fields)
    assert (reply.text, reply.fault) == ('{"ok": true}', None)
    bodies = [asked.body for asked in server.asked]
    assert ["max_tokens" in body for body in bodies] == [True, False, False]
    assert ["response_format" in body for body in bodies] == [True, True, False]
    assert bodies[0]["response_format"]["json_schema"]["schema"]["required"] == ["ok"]


@pytest.mark.parametrize(
    ("said", "kept", "fault"),
    [
        (Say("Yes."), "yes", None),
        (Say("perhaps"), "perhaps", "None of the answers allowed: yes, no."),
        (Say("yes", finish="length"), "yes", "Cut off at 1024 tokens."),
    ],
)
def test_a_closed_set_is_checked(protocol: str, said: Say, kept: str, fault: str | None) -> None:
    with chat_server(lambda prompt, before: said) as server:
        (reply,) = ask(access(server, protocol), "hello", choices=("yes", "no"))
    assert (reply.text, reply.fault) == (kept, fault)


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ('{"score": 3, "mood": "good"}', None),
        ('```json\n{"score": 3, "mood": "good"}\n```', None),
        ('{"score": 3, "mo', "Not valid JSON."),
        ("[1]", "JSON, but no object."),
        ('{"mood": "good"}', "The field score is missing."),
        ('{"score": "3"}', "The field score is no number."),
        ('{"score": 3, "mood": "odd"}', "The field mood is none of good, bad."),
    ],
)
def test_a_structured_answer_is_checked(text: str, fault: str | None) -> None:
    fields = (
        {"name": "score", "type": "number", "required": True, "options": ()},
        {"name": "mood", "type": "string", "required": False, "options": ("good", "bad")},
    )
    with chat_server(lambda prompt, before: Say(text)) as server:
        (reply,) = ask(access(server), "hello", fields=fields)
    assert reply.fault == fault
    assert "`" not in reply.text


def test_an_empty_answer_is_none(protocol: str) -> None:
    with chat_server(lambda prompt, before: Say("  \x00 ")) as server:
        assert "empty" in failing(ask(access(server, protocol), "hello"), "refused")


def test_the_simulated_provider_repeats_itself() -> None:
    reached = Access("simulated", "simulated")
    fields = ({"name": "n", "type": "number", "options": ()}, {"name": "mood", "type": "string", "options": ("good", "bad")})
    for facts in ({}, {"choices": ("yes", "no")}, {"fields": fields}):
        first, second = ask(reached, "one", "two", **facts)
        assert (first, second) == tuple(ask(reached, "one", "two", **facts))
        assert first.fault is None


def test_headers_are_read_in_all_their_spellings() -> None:
    assert [seconds(text) for text in ("2", "1.5s", "6m0s", "120ms", "1h2m", "soon", "")] == [2, 1.5, 360, 0.12, 3720, None, None]
    assert 0 <= seconds("Wed, 21 Oct 2015 07:28:00 GMT") < 1
    assert retry_after({"retry-after-ms": "250", "retry-after": "9"}) == 0.25
    assert pause({"x-ratelimit-remaining-requests": "3", "x-ratelimit-reset-requests": "9s"}) is None
    assert pause({"x-ratelimit-remaining-tokens": "0", "x-ratelimit-reset-tokens": "9s"}) == 9


def test_no_sdk_is_loaded_before_it_is_used() -> None:
    assert set(protocols()) >= {"openai", "anthropic", "simulated", "local"}
    code = (
        "import sys, workbench.engine.generation, workbench.providers as p\n"
        "[p.lacking(n) for n in p.BUILT_IN]; [p.connect(p.Access(n)) for n in p.BUILT_IN]\n"
        "print([m for m in ('openai', 'anthropic', 'httpx2', 'duckdb', 'pandas', 'sklearn') if m in sys.modules])"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip() == "[]"


def test_a_missing_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    assert (lacking("anthropic"), lacking("simulated")) == ("anthropic", None)
