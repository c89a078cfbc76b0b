"""A small chat service on a loopback port, speaking the protocols of OpenAI and Anthropic; it answers as told.

It counts what it was asked, so that a test can tell whether anything was asked twice.
"""

from __future__ import annotations

import contextlib
import json
import socket
import struct
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass
class Say:
    """How to answer one request: a text in the shape of a completion, or something unpleasant."""

    text: str = "fine"
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    finish: str = "stop"
    usage: bool = True
    error: str = "told to fail"
    raw: bytes | None = None
    content_type: str = "application/json"
    delay: float = 0.0
    trickle: float = 0.0
    reset: bool = False


@dataclass
class Asked:
    """One request as it arrived."""

    prompt: str
    body: dict[str, Any]
    headers: dict[str, str]
    at: float


class ChatServer:
    """Answer with what `tell(prompt, times asked before)` returns."""

    def __init__(self, tell: Callable[[str, int], Say]) -> None:
        self.tell = tell
        self.asked: list[Asked] = []
        self.answered: Counter[str] = Counter()
        self.most_at_once = 0
        self._at_once = 0
        self._lock = threading.Lock()
        handler = type("Handler", (_Handler,), {"chat": self})
        self._http = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self._http.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._http.server_address[1]}/v1"

    @property
    def counts(self) -> Counter[str]:
        """Return how often each prompt arrived."""
        with self._lock:
            return Counter(one.prompt for one in self.asked)

    def start(self) -> None:
        threading.Thread(target=self._http.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()

    def stop(self) -> None:
        self._http.shutdown()
        self._http.server_close()

    def arrive(self, body: dict[str, Any], headers: dict[str, str]) -> tuple[str, int]:
        prompt = body["messages"][-1]["content"]
        with self._lock:
            before = sum(one.prompt == prompt for one in self.asked)
            self.asked.append(Asked(prompt, body, headers, time.monotonic()))
            self._at_once += 1
            self.most_at_once = max(self.most_at_once, self._at_once)
        return prompt, before

    def leave(self, prompt: str, *, answered: bool) -> None:
        with self._lock:
            self._at_once -= 1
            self.answered[prompt] += answered


class _Handler(BaseHTTPRequestHandler):
    chat: ChatServer
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        prompt, before = self.chat.arrive(body, {name.lower(): value for name, value in self.headers.items()})
        say = self.chat.tell(prompt, before)
        try:
            time.sleep(say.delay)
            if say.reset:
                self._break_off()
            else:
                self._send(say, _shaped(say, body, anthropic=self.path.endswith("/messages")))
        except OSError:
            self.close_connection = True
        finally:
            self.chat.leave(prompt, answered=say.status == 200 and not say.reset)

    def _send(self, say: Say, content: bytes) -> None:
        self.send_response(say.status)
        for name, value in {"content-type": say.content_type, "content-length": str(len(content)), **say.headers}.items():
            self.send_header(name, value)
        self.end_headers()
        if not say.trickle:
            self.wfile.write(content)
            return
        for byte in content:
            self.wfile.write(bytes([byte]))
            self.wfile.flush()
            time.sleep(say.trickle)

    def _break_off(self) -> None:
        self.close_connection = True
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.connection.close()

    def log_message(self, *told: Any) -> None:
        pass


def _shaped(say: Say, body: dict[str, Any], *, anthropic: bool) -> bytes:
    if say.raw is not None:
        return say.raw
    if say.status != 200:
        return json.dumps({"type": "error", "error": {"type": "told", "message": say.error}}).encode()
    counts = (len(str(body["messages"]).split()), len(say.text.split()))
    if anthropic:
        usage = dict(zip(("input_tokens", "output_tokens"), counts, strict=True))
        ends = {"stop": "end_turn", "length": "max_tokens"}
        answer: dict[str, Any] = {
            "id": "msg_1",
            "type": "message",
            "role": "assistant",
            "model": body["model"],
            "content": [{"type": "text", "text": say.text}],
            "stop_reason": ends.get(say.finish, say.finish),
        }
    else:
        usage = dict(zip(("prompt_tokens", "completion_tokens"), counts, strict=True))
        message = {"role": "assistant", "content": say.text}
        answer = {
            "id": "c1",
            "object": "chat.completion",
            "created": 0,
            "model": body["model"],
            "choices": [{"index": 0, "message": message, "finish_reason": say.finish}],
        }
    return json.dumps(answer | ({"usage": usage} if say.usage else {})).encode()


@contextlib.contextmanager
def chat_server(tell: Callable[[str, int], Say] | None = None) -> Iterator[ChatServer]:
    """Run a server that answers as `tell` says, by default `fine` to everything."""
    server = ChatServer(tell or (lambda prompt, before: Say()))
    server.start()
    try:
        yield server
    finally:
        server.stop()
