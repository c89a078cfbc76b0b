"""The command line: `workbench serve|demo|open|export|doctor|backup|migrate` and one command per operation."""

from __future__ import annotations

import code
import datetime as dt
import inspect
import io
import json
import os
import sys
import types
import typing
from collections.abc import Callable
from json import dumps
from pathlib import Path
from typing import Annotated, Any, Literal

from cyclopts import App, Parameter

import workbench
from workbench.client.namespace import made_by
from workbench.contract import answers
from workbench.contract.operation import Argument, Operation
from workbench.contract.page import Page
from workbench.errors import ValidationError, WorkbenchError
from workbench.text_table import text_table

SHOWN_COLUMNS = 10
PLAIN = (str, int, float, dt.date, type(None))
DEFAULT = Path("workbench.duckdb")
Database = Annotated[str, Parameter(name=["--database", "-d"], help="Workspace file, or the address of a served one.")]
AsJson = Annotated[bool, Parameter(name="--json", negative=(), help="Print JSON for programs.")]
User = Annotated[str | None, Parameter(name="--user", help="Who acts; default `local`.")]

app = App(name="workbench", help=__doc__, version=workbench.__version__)


def main(arguments: list[str] | None = None) -> int:
    """Run one command; exit with 0, 1 for an error it explains, 2 for wrong usage."""
    _add_operations()
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")  # a terminal that cannot write a letter gets its code
    try:
        app(arguments, exit_on_error=True, print_error=True)
        sys.stdout.flush()
    except BrokenPipeError:  # whoever reads has had enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 141
    except WorkbenchError as error:
        print(f"{error.code}: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    return 0


@app.command
def serve(
    *,
    database: Database = str(DEFAULT),
    port: int = 5006,
    host: str = "127.0.0.1",
    browser: Annotated[bool, Parameter(negative="--no-browser", help="Open the address in a browser.")] = True,
    require_token: Annotated[bool, Parameter(negative=(), help="Ask for a token even on this machine.")] = False,
) -> None:
    """Serve dashboards, REST API and docs until Ctrl-C."""
    from workbench.server.foreground import serve as run

    run(database, port=port, host=host, open_browser=browser, require_token=require_token)


@app.command
def demo(
    *,
    database: Database = "sample/workbench.duckdb",
    port: int = 5006,
    serve: Annotated[bool, Parameter(negative="--no-serve", help="Serve the dashboards afterwards.")] = True,
    browser: Annotated[bool, Parameter(negative="--no-browser", help="Open the address in a browser.")] = True,
) -> None:
    """Make the sample workspace from real data, running the whole loop once, and serve it."""
    from workbench.server.demo import build
    from workbench.server.foreground import serve as run

    build(Path(database))
    if serve:
        run(database, port=port, open_browser=browser)


@app.command
def doctor(*, database: Database = str(DEFAULT), json: AsJson = False) -> None:
    """Check every invariant of a workspace and say how to mend what is broken."""
    from workbench.server.keeping import examine

    raise SystemExit(examine(database, as_json=json))


@app.command
def backup(target: Path, *, database: Database = str(DEFAULT)) -> None:
    """Copy a workspace to TARGET, also while it is in use."""
    from workbench.server.keeping import copy

    print(copy(database, target))


@app.command
def migrate(*, database: Database = str(DEFAULT)) -> None:
    """Bring an older workspace file to this release; a copy is kept beside it."""
    with workbench.open(database, share=False):
        print(f"{database} is at the schema of this release.")


@app.command
def export(
    training_sheet_id: str,
    format: str = "openai_chat",
    *,
    to: Annotated[Path, Parameter(help="Folder for the files; it must not hold files of these names.")] = Path(),
    split: Annotated[float | None, Parameter(help="Share of the training file; none: one file.")] = None,
    seed: int = 42,
    database: Database = str(DEFAULT),
    user: User = None,
    json: AsJson = False,
) -> None:
    """Write the approved pairs of a training sheet to files in a folder, with their manifest."""
    from workbench.server.keeping import bring

    with workbench.open(database, user=user, share=False) as ws:
        made = ws.training_sheets.export(training_sheet_id, format, split=split, seed=seed)
        written = bring(ws, made, to)
    if json:
        print(dumps([str(path) for path in written]))
    else:
        print("\n".join(map(str, written)))


@app.command(name="open")
def enter(*, database: Database = str(DEFAULT), user: User = None) -> None:
    """Open a workspace in Python with `ws` at hand; away from a terminal, say what is in it."""
    with workbench.open(database, user=user, share=False) as ws:
        info = ws.system.info()
        print(f"{info.name}: {ws.url or database}, version {info.program_version}, as {info.user}")
        print(ws.home.overview().sentence)
        if sys.stdin.isatty():
            code.interact(banner="ws is the workspace, wb the package; Ctrl-D closes.", local={"ws": ws, "wb": workbench})


def _add_operations() -> None:
    """Add one command per operation, grouped by namespace."""
    from workbench.services import SERVICES

    for service in SERVICES:
        name = service.namespace.replace("_", "-")
        if name in app:
            continue
        group = App(name=name, help=(service.__doc__ or "").strip().split("\n")[0])
        for operation in service.operations.values():
            group.command(_command(operation), name=operation.name.replace("_", "-"))
        app.command(group)


def _command(operation: Operation) -> Callable[..., None]:
    """Return a function cyclopts can parse: text for everything that is not a plain value."""

    def run(*positional: Any, **named: Any) -> None:
        given = dict(signature.bind(*positional, **named).arguments)
        target, user, as_json = given.pop("database", str(DEFAULT)), given.pop("user", None), given.pop("json", False)
        arguments = {name: _read(operation, name, value) for name, value in given.items() if value is not None}
        with workbench.open(target, user=user, share=False) as ws:
            answer = ws.transport.call(operation, arguments if ws.transport.url is None else _sent(operation, arguments))
            # Whoever owns the file only here has to stay until the job is done; its bar goes to stderr.
            answer = made_by(ws, operation, answer) if answers.is_started(operation, answer) else answer
        show(operation, answer, as_json=as_json)

    parameters = [_parameter(a, named=operation.upload and a.name == "source") for a in operation.arguments]
    keyword = inspect.Parameter.KEYWORD_ONLY
    parameters += [
        inspect.Parameter("database", keyword, default=str(DEFAULT), annotation=Database),
        inspect.Parameter("user", keyword, default=None, annotation=User),
        inspect.Parameter("json", keyword, default=False, annotation=AsJson),
    ]
    signature = inspect.Signature(sorted(parameters, key=lambda p: p.kind))
    run.__signature__ = signature  # type: ignore[attr-defined]
    run.__annotations__ = {p.name: p.annotation for p in parameters}
    run.__doc__ = operation.doc
    run.__name__ = operation.name
    return run


def _sent(operation: Operation, arguments: dict[str, Any]) -> dict[str, Any]:
    """Return arguments with the file that a server is to read as a path of this machine: the server may run in another folder."""
    source, kind = arguments.get("source"), arguments.get("source_type") or "file"
    if not operation.upload or kind != "file" or source is None or not Path(source).expanduser().exists():
        return arguments
    path = Path(source).expanduser().absolute()
    stays = path.is_dir() or arguments.get("external")
    return arguments | {"source": str(path) if stays else path}


def _parameter(argument: Argument, *, named: bool = False) -> inspect.Parameter:
    positional = argument.place == "path" or argument.required or named
    kind = inspect.Parameter.POSITIONAL_OR_KEYWORD if positional else inspect.Parameter.KEYWORD_ONLY
    plain = _plain_type(argument.annotation)
    annotation = Annotated[plain, Parameter(help=argument.doc or None, negative=() if plain is not bool else None)]
    if argument.required:
        return inspect.Parameter(argument.name, kind, annotation=annotation)
    optional = Annotated[plain | None, Parameter(help=argument.doc or None)]
    return inspect.Parameter(argument.name, kind, annotation=optional, default=None)


def _plain_type(annotation: Any) -> Any:
    """Return str, int, float, bool or a Literal; lists and objects are given as JSON text."""
    inner = typing.get_args(annotation)[0] if typing.get_origin(annotation) is Annotated else annotation
    parts = [part for part in typing.get_args(inner) if part is not type(None)]
    if typing.get_origin(inner) is Literal:
        return inner
    if type(None) in typing.get_args(inner) and len(parts) == 1:
        return _plain_type(parts[0])
    return inner if inner in (str, int, float, bool) else str


def _read(operation: Operation, name: str, value: Any) -> Any:
    """Return an argument as the operation takes it: lists and objects come as JSON text."""
    kinds = _kinds(next(a for a in operation.arguments if a.name == name).annotation)
    if not isinstance(value, str) or kinds <= _TEXT:
        return value
    try:
        found = json.loads(value)
    except ValueError:
        if kinds & _TEXT:
            return value
        if list in kinds and not value.lstrip().startswith(("[", "{")):
            return _listed(value)
        raise ValidationError.field(name, "Give JSON, such as '[1, 2]' or '{\"a\": 1}'", value) from None
    return value if str in kinds and not isinstance(found, (list, dict)) else found


def _listed(text: str) -> list[Any]:
    """Return `a, b` as words and `1, 2` as numbers."""
    try:
        return list(json.loads(f"[{text}]"))
    except ValueError:
        return [word.strip() for word in text.split(",") if word.strip()]


_TEXT = frozenset({str, dt.datetime, Literal})


def _kinds(annotation: Any) -> set[Any]:
    """Return the types an annotation allows, without None."""
    origin = typing.get_origin(annotation)
    if origin is Annotated:
        return _kinds(typing.get_args(annotation)[0])
    if origin in (typing.Union, types.UnionType):
        return {kind for part in typing.get_args(annotation) for kind in _kinds(part)} - {type(None)}
    return {origin or annotation}


def show(operation: Operation, answer: Any, *, as_json: bool) -> None:
    """Print an answer: JSON for programs, a table or `key  value` lines for people."""
    if isinstance(answer, str):
        print(answer)
        return
    if as_json:
        print(json.dumps(answers.to_wire(operation, answer), indent=2, ensure_ascii=False))
        return
    if operation.is_table:
        print(answer.to_pandas().to_string(index=False))
    elif operation.is_page:
        print(text_table(answer.rows, shown_columns(answer)) if answer.rows else "Nothing here.")
        print(f"\n{len(answer)} of {answer.total}")
    else:
        wire = answers.to_wire(operation, answer)
        rows = wire.items() if isinstance(wire, dict) else [("answer", wire)]
        width = max((len(str(k)) for k, _ in rows), default=0)
        for key, value in rows:
            if key != "actions":
                print(
                    f"{key:<{width}}  {value if not isinstance(value, (dict, list)) else json.dumps(value, ensure_ascii=False)}"
                )


def shown_columns(page: Page[Any]) -> list[str]:
    """Return the first columns whose values fit in a line."""
    nested = {name for row in page.rows for name, value in row.items() if not isinstance(value, PLAIN)}
    return [name for name in page.record_type.own_fields() if name != "actions" and name not in nested][:SHOWN_COLUMNS]


if __name__ == "__main__":
    raise SystemExit(main())
