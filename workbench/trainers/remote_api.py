"""The fine-tuning API of a provider: files, jobs, events, checkpoints. Trouble that passes is waited out."""

from __future__ import annotations

import concurrent.futures
import contextlib
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import tenacity

from workbench.providers import Access, Failure
from workbench.providers.chat_faults import failure, json_object, scrubbed
from workbench.providers.openai_compatible import NO_KEY

TRIES = 8
LONGEST_WAIT = 60.0
# A provider that wants to be left alone for longer is asked again all the same: the job there goes on.
PATIENCE = 600.0
LOOK_SECONDS = 0.05
UPLOAD_SECONDS = 600.0
PAGE = 100
MOST_PAGES = 50
ENDED = frozenset({"succeeded", "failed", "cancelled"})
# What a service may not know: left out once it says so.
OPTIONAL = ("metadata", "seed", "suffix", "validation_file")


class RemoteApi:
    """Send requests one after the other; `look` is called while one waits and may raise to break off."""

    def __init__(self, access: Access, look: Callable[[], None]) -> None:
        self.access = access
        self.look = look
        self.under_way: concurrent.futures.Future[Any] | None = None
        self._client: Any = None
        self._pool = concurrent.futures.ThreadPoolExecutor(1, thread_name_prefix="provider")
        self._unknown: set[str] = set()

    def upload(self, path: Path) -> str:
        """Upload a file of examples and return its id; one of this name that is there already is not sent again."""

        def send(client: Any) -> Any:
            with path.open("rb") as file:
                return client.files.with_raw_response.create(
                    file=(path.name, file), purpose="fine-tune", timeout=max(UPLOAD_SECONDS, self.access.timeout)
                )

        return self._id(self._sure(send, lambda: self._uploaded(path.name)), "file")

    def create(self, wanted: dict[str, Any]) -> dict[str, Any]:
        """Start a job and return it; where the answer was lost, the job that was started is found again."""
        while True:
            asked = {name: value for name, value in wanted.items() if name not in self._unknown}
            if "hyperparameters" in self._unknown:
                asked["method"] = {"type": "supervised", "supervised": {"hyperparameters": wanted["hyperparameters"]}}
            try:
                made = self._sure(
                    lambda client, asked=asked: client.fine_tuning.jobs.with_raw_response.create(**asked),
                    lambda: self.started(wanted["training_file"]),
                )
            except Failure as refused:
                if not self._learned(refused, asked):
                    raise
            else:
                self._id(made, "job")
                return made

    def started(self, training_file: str) -> dict[str, Any] | None:
        """Return the job that learns from an uploaded file, or None; a file is used by one job only."""
        for job in self._listed(lambda client, after: client.fine_tuning.jobs.with_raw_response.list(limit=PAGE, **after)):
            if job.get("training_file") == training_file and job.get("status") not in ("failed", "cancelled"):
                return job
        return None

    def job(self, id: str) -> dict[str, Any]:
        """Return a job as it is now."""
        found = self.ask(lambda client: client.fine_tuning.jobs.with_raw_response.retrieve(id))
        if not isinstance(found.get("status"), str):
            raise Failure(f"{self.access.name} sent a job without a status.")
        return found

    def cancel(self, id: str) -> None:
        """Ask for the end of a job; one that has ended already is no fault."""
        with contextlib.suppress(Failure):
            self.ask(lambda client: client.fine_tuning.jobs.with_raw_response.cancel(id), tries=3)

    def events(self, id: str, known: set[str]) -> list[dict[str, Any]]:
        """Return the events of a job that are not known yet, the oldest first; the API lists the newest first."""
        found: list[dict[str, Any]] = []
        for page in self._pages(
            lambda client, after: client.fine_tuning.jobs.with_raw_response.list_events(id, limit=PAGE, **after)
        ):
            named = [event for event in page if isinstance(event.get("id"), str)]
            found += [event for event in named if event["id"] not in known]
            if any(event["id"] in known for event in named):
                break
        found.reverse()
        return sorted(found, key=lambda event: event.get("created_at") or 0)

    def checkpoint(self, id: str) -> dict[str, Any] | None:
        """Return the latest checkpoint of a job, or None where there is none or the service keeps none."""
        try:
            reply = self.ask(lambda client: client.fine_tuning.jobs.checkpoints.with_raw_response.list(id, limit=PAGE))
        except Failure:
            return None
        usable = [one for one in _items(reply) if isinstance(one.get("fine_tuned_model_checkpoint"), str)]
        return max(usable, key=lambda one: one.get("step_number") or 0, default=None)

    def forget(self, *files: str | None) -> None:
        """Delete uploaded files, where the service can."""
        for id in filter(None, files):
            with contextlib.suppress(Failure):
                self.ask(lambda client, id=id: client.files.with_raw_response.delete(id), tries=1)

    def ask(self, send: Callable[[Any], Any], *, tries: int = TRIES) -> dict[str, Any]:
        """Return the JSON object of an answer; raise the last Failure when nothing helps."""
        retrying = tenacity.Retrying(
            retry=tenacity.retry_if_exception(_passing),
            wait=self._wait,
            sleep=self.rest,
            stop=tenacity.stop_after_attempt(tries),
            reraise=True,
        )
        return retrying(self._once, send)

    def rest(self, seconds: float) -> None:
        """Wait, looking around."""
        until = time.monotonic() + seconds
        while (left := until - time.monotonic()) > 0:
            self.look()
            time.sleep(min(LOOK_SECONDS, left))
        self.look()

    def _sure(self, send: Callable[[Any], Any], find: Callable[[], dict[str, Any] | None]) -> dict[str, Any]:
        """Send what may happen once only: before it is sent again, look whether it has happened."""
        for attempt in range(1, TRIES + 1):
            try:
                return self._once(send)
            except Failure as trouble:
                if not trouble.passing or attempt == TRIES:
                    raise
                self.rest(_pause(trouble, attempt))
                if trouble.kind != "busy":
                    with contextlib.suppress(Failure):
                        if found := find():
                            return found
        raise AssertionError("the last attempt returns or raises")

    def _once(self, send: Callable[[Any], Any]) -> dict[str, Any]:
        import openai

        self.look()
        future = self.under_way = self._pool.submit(send, self._open())
        while not concurrent.futures.wait([future], LOOK_SECONDS).done:
            self.look()
        self.under_way = None
        try:
            reply = future.result()
        except openai.APIError as error:
            raise failure(self.access, error) from None
        except OSError as error:
            raise Failure(scrubbed(self.access, f"{self.access.name} cannot be reached: {error}")) from None
        return json_object(self.access, reply.headers, reply.content)

    def _open(self) -> Any:
        if self._client is None:
            import openai

            self._client = openai.OpenAI(
                api_key=self.access.key() or NO_KEY, base_url=self.access.base_url, timeout=self.access.timeout, max_retries=0
            )
        return self._client

    def _listed(self, send: Callable[[Any, dict[str, str]], Any]) -> Iterator[dict[str, Any]]:
        for page in self._pages(send):
            yield from page

    def _pages(self, send: Callable[[Any, dict[str, str]], Any]) -> Iterator[list[dict[str, Any]]]:
        after: dict[str, str] = {}
        for _ in range(MOST_PAGES):
            reply = self.ask(lambda client, after=after: send(client, after))
            items = _items(reply)
            yield items
            if not items or not reply.get("has_more") or not isinstance(items[-1].get("id"), str):
                return
            after = {"after": items[-1]["id"]}

    def _uploaded(self, name: str) -> dict[str, Any] | None:
        listed = self._listed(lambda client, after: client.files.with_raw_response.list(purpose="fine-tune", **after))
        return next((one for one in listed if one.get("filename") == name), None)

    def _learned(self, refused: Failure, asked: dict[str, Any]) -> bool:
        if refused.kind != "refused":
            return False
        words = str(refused)
        blamed = next((name for name in (*OPTIONAL, "hyperparameters") if name in words and name in asked), None)
        if blamed is None or (blamed == "hyperparameters" and "method" not in words):
            return False
        self._unknown.add(blamed)
        return True

    def _id(self, found: dict[str, Any], what: str) -> str:
        if not isinstance(found.get("id"), str) or not found["id"]:
            raise Failure(f"{self.access.name} answered without the id of the {what}.", kind="refused")
        return found["id"]

    def _wait(self, state: tenacity.RetryCallState) -> float:
        return _pause(state.outcome.exception() if state.outcome else None, state.attempt_number)


def _pause(error: BaseException | None, attempt: int) -> float:
    told = getattr(error, "retry_after", None)
    return min(0.25 * 2 ** min(attempt, 10), LONGEST_WAIT) if told is None else min(told, PATIENCE)


def _items(reply: dict[str, Any]) -> list[dict[str, Any]]:
    data = reply.get("data")
    return [one for one in data if isinstance(one, dict)] if isinstance(data, list) else []


def _passing(error: BaseException) -> bool:
    return isinstance(error, Failure) and error.passing
