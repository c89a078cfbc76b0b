"""Small pieces of work that the tests run in real child processes."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path


def computes(context):
    """Work without a pause, some milliseconds a step, and log a curve."""
    for step in range(1, context.inputs["steps"] + 1):
        context.metric("loss", 1.0 / sum(range(1, 200_000)), step)
        context.check()
    return {}


def count(context):
    """Count slowly, log a curve, stop or end when asked."""
    total = context.inputs.get("steps", 20)
    best = 0
    for step in range(1, total + 1):
        context.metric("loss", 1.0 / step, step, epoch=1)
        context.progress(step, total, f"step {step}", step="counting")
        best = step
        if context.should_stop():
            context.check()
            break
        time.sleep(context.inputs.get("pause", 0.01))
    return {"best": best}


def burst(context):
    """Log many points as fast as it goes."""
    points = context.inputs["points"]
    begun = time.perf_counter()
    for step in range(points):
        context.metric("loss", step * 0.5, step)
    context.flush()
    return {"seconds": time.perf_counter() - begun}


def deaf(context):
    """Ignore every polite request to end."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    context.log("deaf")
    while True:
        time.sleep(0.05)


def raises(context):
    """Fail like user code does."""
    raise ValueError("the loss is not a number")


def exits(context):
    """Leave the interpreter in the middle of the work."""
    sys.exit(3)


def vanishes(context):
    """Leave without a word."""
    os._exit(7)


def forks(context):
    """Leave a process behind that would outlive the job, and a fork that returns like the parent."""
    left = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
    context.log("left", pid=left.pid)
    if os.fork() == 0:
        return {"from": "fork"}
    time.sleep(0.3)
    return {"from": "parent"}


def escapes(context):
    """Leave two processes in sessions of their own, one started there and one forked twice; then end as told."""
    apart = subprocess.Popen(["sleep", "600"], start_new_session=True)
    read, write = os.pipe()
    if os.fork() == 0:
        os.setsid()
        if twice := os.fork():
            os.write(write, str(twice).encode())
            os._exit(0)
        time.sleep(600)
        os._exit(0)
    os.wait()
    context.log("left", pids=[apart.pid, int(os.read(read, 20))])
    end = context.inputs.get("end", "wait")
    while end == "wait":
        context.check()
        time.sleep(0.01)
    if end == "fail":
        raise ValueError("the loss is not a number")


def nests(context):
    """Run a child of its own, as jobs of a workspace do that the work opens."""
    from workbench.engine import child
    from workbench.engine.local import LocalExecutor
    from workbench.engine.process import write_json

    folder = context.folder / "inner"
    folder.mkdir()
    write_json(folder / child.TASK, {"entry": "tests.engine.work:count", "inputs": {"steps": 3}, "threads": 1, "attempt": 1})
    handle = LocalExecutor().start(folder)
    while (ended := handle.poll()) is None:
        time.sleep(0.01)
    return {"code": ended.code}


def hangs(context):
    """Do nothing for ever."""
    context.log("hanging")
    time.sleep(3600)


def binary(context):
    """Print what is no text."""
    os.write(1, b"\xff\xfe\x00 not text \x80\n")
    return {}


def threads(context):
    """Tell the thread budget."""
    return {"omp": os.environ["OMP_NUM_THREADS"], "cwd": str(Path.cwd()), "modules": sorted(m.split(".")[0] for m in sys.modules)}


def stumbles(context):
    """Lose the connection in the first attempts, then count."""
    if context.task["attempt"] <= context.inputs.get("times", 1):
        context.metric("loss", 9.0, 1)
        raise known(context.inputs.get("fault", "reset"), context.inputs)
    return count(context)


def known(fault, inputs):
    """Return an error of a class that passes by itself, or does not."""
    from workbench.errors import RateLimited, ValidationError

    if fault == "busy":
        return RateLimited("Too many requests.", retry_after=inputs["retry_after"])
    if fault == "user":
        return ValidationError.field("rows", "is empty")
    return {"reset": ConnectionResetError("connection reset"), "memory": MemoryError("no room")}[fault]


def saves(context):
    """Count, saving every five steps; lose the connection once on the way, and say from where it went on."""
    total, attempt = context.inputs.get("steps", 20), context.task["attempt"]
    context.basis = {"size": context.inputs.get("size", 1)}
    found = context.resumed("count")
    begin = int(found.read_text()) if found else 0
    for step in range(begin + 1, total + 1):
        context.metric("loss", attempt, step)
        if step % 5 == 0:
            with context.checkpoint("count") as part:
                part.write_text(str(step))
        if step == context.inputs.get("break_at") and attempt <= context.inputs.get("times", 1):
            raise {"reset": ConnectionResetError, "value": ValueError}[context.inputs.get("fault", "reset")]("broken")
        context.progress(step, total)
    return {"from": begin, "steps": total}


def leaks(context):
    """Take more and more memory, half of it in a process of its own."""
    kept = []
    if os.fork() == 0:
        while True:
            kept.append(bytearray(os.urandom(1 << 20)))
            time.sleep(0.02)
    for step in range(100_000):
        kept.append(bytearray(os.urandom(1 << 20)))
        context.metric("mb", step, step)
        time.sleep(0.02)


def floods(context):
    """Write until there is no room: points, words or a checkpoint."""
    what = context.inputs["what"]
    with context.checkpoint("first") as part:
        part.write_text("kept")
    for step in range(10_000_000):
        if what == "points":
            context.metric("a rather long name of a metric " * 4, step, step)
        elif what == "words":
            print("word " * 2000, flush=True)
        elif what == "folder":
            (context.folder / f"file-{step}").write_bytes(bytes(1 << 20))
            time.sleep(0.02)
        else:
            with context.checkpoint("second") as part:
                part.write_bytes(bytes(64 << 20))
    return {}


def slowly(context):
    """Count with a checkpoint each five steps, slowly enough to be disturbed."""
    found = context.resumed("count")
    begin = int(found.read_text()) if found else 0
    for step in range(begin + 1, context.inputs["steps"] + 1):
        context.check()
        context.metric("loss", context.task["attempt"], step)
        if step % 5 == 0:
            with context.checkpoint("count") as part:
                part.write_text(str(step))
        context.progress(step, context.inputs["steps"])
        time.sleep(context.inputs.get("pause", 0.02))
    return {"from": begin, "threads": context.threads}


def grips(context):
    """Keep the interpreter lock in native code: nothing of Python runs meanwhile, no thread and no handler."""
    import ctypes

    context.log("gripping")
    ctypes.PyDLL(None).sleep(int(context.inputs["seconds"]))
    return {"held": context.inputs["seconds"]}


def spins(context):
    """Never look at any flag."""
    context.log("spinning")
    while True:
        pass


def mumbles(context):
    """Say what no database keeps: half a character, a number beyond all bounds."""
    for wrong in ({"step": 2**70}, {"step": float("nan")}, {"step": 1, "epoch": float("inf")}):
        try:
            context.metric("loss", 1.0, **wrong)
        except (ValueError, OverflowError) as error:
            context.log(f"refused: {error} \ud800")
    context.metric("half \udcff", 1.0, 1)
    raise RuntimeError(context.inputs.get("words", "half \udcff of it"))


NONSENSE = (
    {"t": "metrics", "rows": [["loss", "no step", None, [], "now"]]},
    {"t": "metrics", "rows": [["loss", None, 1.0, None, 1.0]]},
    {"t": "progress", "done": "much"},
    {"t": "progress", "done": 2**70},
    {"t": "progress", "done": 1, "message": {"not": "text"}},
    {"t": "log", "message": 5, "data": "no facts"},
    {"t": "checkpoint"},
    {"t": ["no", "type"]},
    {"t": "log", "at": 1e300, "message": "never"},
    {"t": "resumed", "job": 1, "step": 2**70, "attempt": 3},
    {},
)


def scribbles(context):
    """Write records that make no sense among others into the journal, `times` over, then look for cancel if told to."""
    from workbench.engine.journal import MOST_LINES

    journal, times = context._journal, context.inputs.get("times", 1)
    for step in range(1, times * len(NONSENSE) + 1):
        context.metric("loss", 1.0, step)
        context.log(f"word {step}")
        with journal._lock:
            journal._write(NONSENSE[step % len(NONSENSE)])
    with journal._lock:
        journal._file.write(b"no line at all\n")
        journal._write({"n": MOST_LINES + 1, "t": "log", "message": "beyond all numbers"})
    context.progress(times * len(NONSENSE), times * len(NONSENSE), "all said")
    while context.inputs.get("wait"):
        context.check()
        time.sleep(0.01)


def cards(context):
    """Tell the GPUs it was given, and wait for a cancel when asked to."""
    context.log("shown", cards=os.environ.get("CUDA_VISIBLE_DEVICES"))
    while context.inputs.get("wait"):
        context.check()
        time.sleep(0.01)
    return {"cards": os.environ.get("CUDA_VISIBLE_DEVICES")}


class Lone:
    """A number as libraries of tensors have them."""

    shape = ()

    def item(self):
        return 0.25


def returns(context):
    """Return what nobody can keep as it is."""
    odd = {"loss": float("nan"), "deep": {"rows": [1.0, float("inf")]}, "lone": Lone(), "fine": 1.5, "path": Path("a")}
    return [1, 2] if context.inputs.get("list") else odd
