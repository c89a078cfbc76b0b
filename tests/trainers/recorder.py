"""A job's context without a job: it listens, keeps checkpoints, and is cancelled or stopped when a test says so."""

from contextlib import contextmanager


class Cancelled(Exception):
    """End the work as a cancel does."""


class Recorder:
    """Listen to a training; `cancel_when` and `stop_when` look at the recorder itself."""

    def __init__(self, folder, *, earlier=None, cancel_when=None, stop_when=None):
        folder.mkdir(exist_ok=True)
        self.folder = folder
        self.threads = 1
        self.points = []
        self.logs = []
        self.steps = []
        self.facts = {}
        self.saved = []
        self.earlier = earlier
        self.cancel_when = cancel_when or (lambda recorder: False)
        self.stop_when = stop_when or (lambda recorder: False)

    def progress(self, done, total=None, message="", *, step=""):
        self.steps.append((done, total, message, step))

    def metric(self, name, value, step, epoch=None):
        self.points.append((name, value, step, epoch))

    def log(self, message, *, level="info", **data):
        self.logs.append((level, message))

    def fact(self, name, value):
        self.facts[name] = value

    def should_stop(self):
        return self.stop_when(self)

    def check(self):
        if self.cancel_when(self):
            raise Cancelled

    @contextmanager
    def checkpoint(self, name):
        part = self.folder / f".{name}"
        yield part
        part.replace(self.folder / name)
        self.saved.append(name)

    def resumed(self, name):
        path = self.earlier and self.earlier / name
        return path if path and path.exists() else None

    def curve(self, wanted):
        return [value for name, value, *_ in self.points if name == wanted]

    def words(self, level=None):
        return " | ".join(message for found, message in self.logs if level in (None, found))
