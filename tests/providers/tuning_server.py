"""A small fine-tuning service on a loopback port: files, jobs, events, checkpoints, and the models it made answer.

A job goes one event further with each look at it; a test decides what trouble there is on the way.
"""

from __future__ import annotations

import contextlib
import itertools
import json
import re
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from email.parser import BytesParser
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

KEY = "sk-secret-of-the-test-7319"


@dataclass
class Trouble:
    """What to answer in place of the truth; `after` does the work first and loses the answer."""

    status: int = 500
    headers: dict[str, str] = field(default_factory=dict)
    raw: bytes | None = None
    content_type: str = "application/json"
    times: int = 1
    after: bool = False
    message: str = "told to fail"


@dataclass
class Plan:
    """How a job goes: so many steps, then its end; `hold` keeps it running for ever."""

    steps: int = 6
    end: str = "succeeded"
    hold: bool = False
    error: str = "the training file teaches nothing"
    checkpoints: bool = False
    delay: float = 0.0
    names_model: bool = True


class TuningServer:
    """Keep files and jobs; `trouble` maps 'POST /files' and the like to what goes wrong there."""

    def __init__(self, plan: Plan | None = None, trouble: dict[str, list[Trouble]] | None = None) -> None:
        self.plan = plan or Plan()
        self.trouble = trouble or {}
        self.files: dict[str, dict[str, Any]] = {}
        self.jobs: dict[str, dict[str, Any]] = {}
        self.events: dict[str, list[dict[str, Any]]] = {}
        self.requests: list[tuple[str, str]] = []
        self.keys: set[str] = set()
        self.asked: list[dict[str, Any]] = []
        self.lock = threading.RLock()
        self._number = itertools.count(1)
        handler = type("Handler", (_Handler,), {"service": self})
        self._http = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self._http.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._http.server_address[1]}/v1"

    def start(self) -> None:
        threading.Thread(target=self._http.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()

    def stop(self) -> None:
        self._http.shutdown()
        self._http.server_close()

    def count(self, method: str, pattern: str) -> int:
        """Return how often something was asked for."""
        return sum(m == method and re.fullmatch(pattern, path) is not None for m, path in self.requests)

    def lines(self, purpose: str) -> list[dict[str, Any]]:
        """Return the examples of an uploaded file."""
        text = next(f["text"] for f in self.files.values() if purpose in f["filename"])
        return [json.loads(line) for line in text.splitlines()]

    def act(self, method: str, path: str, body: Any) -> Any:
        found = [(m, route, do) for m, route, do in _ROUTES if m == method and re.fullmatch(route, path)]
        if not found:
            return None
        _, route, do = found[0]
        return do(self, re.fullmatch(route, path), body)

    def add_file(self, match: Any, body: Any) -> Any:
        id = f"file-{next(self._number)}"
        self.files[id] = {**body, "deleted": False}
        return self._file(id)

    def list_files(self, match: Any, body: Any) -> Any:
        return {"object": "list", "data": [self._file(id) for id, one in self.files.items() if not one["deleted"]], "has_more": False}

    def delete_file(self, match: Any, body: Any) -> Any:
        self.files[match[1]]["deleted"] = True
        return {"id": match[1], "deleted": True}

    def _file(self, id: str) -> dict[str, Any]:
        return {"id": id, "object": "file", "filename": self.files[id]["filename"], "purpose": "fine-tune"}

    def create(self, match: Any, body: Any) -> Any:
        id = f"ftjob-{next(self._number)}"
        self.jobs[id] = {
            "id": id, "object": "fine_tuning.job", "status": "validating_files", "model": body["model"], "wanted": body,
            "training_file": body["training_file"], "fine_tuned_model": None, "trained_tokens": None, "error": None, "looks": 0,
        }  # fmt: skip
        self.events[id] = []
        self._say(id, f"Created fine-tuning job: {id}")
        return self.jobs[id]

    def list_jobs(self, match: Any, body: Any) -> Any:
        return {"object": "list", "data": list(self.jobs.values())[::-1], "has_more": False}

    def job(self, match: Any, body: Any) -> Any:
        job = self.jobs[match[1]]
        if job["status"] not in ("succeeded", "failed", "cancelled"):
            self._go_on(job)
        return job

    def _go_on(self, job: dict[str, Any]) -> None:
        plan = self.plan
        job["looks"] += 1
        step = min(job["looks"] - 1, plan.steps)
        job["status"] = "running" if step else "queued"
        if 0 < step and job["looks"] - 1 <= plan.steps:
            data = {"step": step, "total_steps": plan.steps, "train_loss": 2.0 / step, "train_mean_token_accuracy": step / plan.steps}
            if step % 2 == 0:
                data |= {"full_valid_loss": 2.5 / step}
            self._say(job["id"], f"Step {step}/{plan.steps}", data)
        if job["looks"] > plan.steps and not plan.hold:
            job["status"] = plan.end
            if plan.end == "succeeded":
                job["fine_tuned_model"] = f"ft:{job['model']}:me::{job['id']}" if plan.names_model else None
                job["trained_tokens"] = 12_000
            if plan.end == "failed":
                job["error"] = {"code": "bad_data", "message": plan.error, "param": None}

    def _say(self, id: str, message: str, data: dict[str, Any] | None = None) -> None:
        event = {"object": "fine_tuning.job.event", "id": f"ftevent-{next(self._number)}", "created_at": int(time.time())}
        self.events[id].append({**event, "level": "info", "message": message, "data": data, "type": "metrics" if data else "message"})

    def list_events(self, match: Any, body: Any) -> Any:
        return {"object": "list", "data": self.events[match[1]][::-1], "has_more": False}

    def list_checkpoints(self, match: Any, body: Any) -> Any:
        job = self.jobs[match[1]]
        made = range(1, job["looks"]) if self.plan.checkpoints else ()
        data = [
            {"id": f"ckpt-{n}", "fine_tuned_model_checkpoint": f"ft:{job['model']}:me::{job['id']}:ckpt-step-{n}", "step_number": n}
            for n in made
        ]
        return {"object": "list", "data": data[::-1], "has_more": False}

    def cancel(self, match: Any, body: Any) -> Any:
        job = self.jobs[match[1]]
        if job["status"] in ("succeeded", "failed", "cancelled"):
            return {"error": {"message": "it has ended"}, "_status": 400}
        job["status"] = "cancelled"
        return job

    def chat(self, match: Any, body: Any) -> Any:
        self.asked.append(body)
        text = body["messages"][-1]["content"]
        answer = "cold" if "blue" in text or "green" in text else "warm" if "red" in text or "orange" in text else "neither"
        message = {"role": "assistant", "content": answer}
        choice = {"index": 0, "message": message, "finish_reason": "stop"}
        usage = {"prompt_tokens": 7, "completion_tokens": 1}
        return {"id": "c", "object": "chat.completion", "created": 0, "model": body["model"], "choices": [choice], "usage": usage}


_ROUTES = [
    ("POST", "/files", TuningServer.add_file),
    ("GET", "/files", TuningServer.list_files),
    ("DELETE", "/files/([^/]+)", TuningServer.delete_file),
    ("POST", "/fine_tuning/jobs", TuningServer.create),
    ("GET", "/fine_tuning/jobs", TuningServer.list_jobs),
    ("GET", "/fine_tuning/jobs/([^/]+)", TuningServer.job),
    ("POST", "/fine_tuning/jobs/([^/]+)/cancel", TuningServer.cancel),
    ("GET", "/fine_tuning/jobs/([^/]+)/events", TuningServer.list_events),
    ("GET", "/fine_tuning/jobs/([^/]+)/checkpoints", TuningServer.list_checkpoints),
    ("POST", "/chat/completions", TuningServer.chat),
]


class _Handler(BaseHTTPRequestHandler):
    service: TuningServer
    protocol_version = "HTTP/1.1"

    def answer(self) -> None:
        service, method = self.service, self.command
        path = self.path.split("?")[0].removeprefix("/v1")
        body = self._body()
        key = (self.headers.get("authorization") or "").removeprefix("Bearer ")
        time.sleep(service.plan.delay)
        with service.lock:
            service.requests.append((method, path))
            service.keys.add(key)
            waiting = next((t for name, t in service.trouble.items() if re.fullmatch(name, f"{method} {path}")), [])
            trouble = next((t for t in waiting if t.times > 0), None)
            if trouble is not None:
                trouble.times -= 1
            if trouble is not None and not trouble.after:
                self._fail(trouble, key)
                return
            found = service.act(method, path, body)
            told = json.dumps(found)
        if trouble is not None:
            self._fail(trouble, key)
        elif found is None:
            self._send(404, json.dumps({"error": {"message": f"no {path}"}}).encode())
        else:
            self._send(found.get("_status", 200), told.encode())

    do_GET = do_POST = do_DELETE = answer

    def _body(self) -> Any:
        raw = self.rfile.read(int(self.headers.get("content-length") or 0))
        kind = self.headers.get("content-type") or ""
        if not kind.startswith("multipart/"):
            return json.loads(raw) if raw else {}
        message = BytesParser().parsebytes(b"content-type: " + kind.encode() + b"\r\n\r\n" + raw)
        parts = {p.get_param("name", header="content-disposition"): p for p in message.get_payload()}
        return {"filename": parts["file"].get_filename(), "text": parts["file"].get_payload(decode=True).decode()}

    def _fail(self, trouble: Trouble, key: str) -> None:
        # Some services repeat the key they were given in their errors.
        words = {"error": {"message": f"{trouble.message} (key {key})"}}
        raw = json.dumps(words).encode() if trouble.raw is None else trouble.raw
        self._send(trouble.status, raw, trouble.headers, trouble.content_type)

    def _send(self, status: int, content: bytes, headers: dict[str, str] | None = None, kind: str = "application/json") -> None:
        with contextlib.suppress(OSError):
            self.send_response(status)
            for name, value in {"content-type": kind, "content-length": str(len(content)), **(headers or {})}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(content)

    def log_message(self, *told: Any) -> None:
        pass


@contextlib.contextmanager
def tuning_server(plan: Plan | None = None, trouble: dict[str, list[Trouble]] | None = None) -> Iterator[TuningServer]:
    """Run a service that fine-tunes as planned."""
    server = TuningServer(plan, trouble)
    server.start()
    try:
        yield server
    finally:
        server.stop()
