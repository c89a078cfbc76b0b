"""Read a user's SQL as a syntax tree and refuse everything that is not named as allowed."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Collection, Iterable, Iterator
from functools import cache
from typing import Any, NoReturn

import duckdb

from workbench.errors import ValidationError, did_you_mean
from workbench.store.sql_functions import AGGREGATE, SCALAR, TABLE, WINDOW

_LONGEST = 100_000
_CALLABLE = frozenset(name.lower() for name in SCALAR | AGGREGATE | WINDOW)
_PREDICATE_CALLABLE = frozenset(name.lower() for name in SCALAR)
_EXPRESSIONS = frozenset(
    {
        *("BETWEEN", "CASE", "CAST", "COLLATE", "COLUMN_REF", "COMPARISON", "CONJUNCTION", "CONSTANT", "FUNCTION", "LAMBDA"),
        *("LAMBDA_REF", "OPERATOR", "PARAMETER", "POSITIONAL_REFERENCE", "STAR", "SUBQUERY", "TYPE", "WINDOW"),
    }
)
_PREDICATE_EXPRESSIONS = _EXPRESSIONS - {"PARAMETER", "POSITIONAL_REFERENCE", "STAR", "SUBQUERY", "WINDOW"}
_NODES = frozenset(
    {
        *("SELECT_NODE", "SET_OPERATION_NODE", "RECURSIVE_CTE_NODE", "CTE_NODE", "BASE_TABLE", "SUBQUERY", "JOIN"),
        *("TABLE_FUNCTION", "EMPTY", "EXPRESSION_LIST", "ORDER_MODIFIER", "LIMIT_MODIFIER", "LIMIT_PERCENT_MODIFIER"),
        *("DISTINCT_MODIFIER", "ORDER_DEFAULT", "ASCENDING", "DESCENDING"),
    }
)
_WORD = re.compile(r"\w+")
_PLAIN_NAME = re.compile(r"[A-Za-z_]\w*")


def check_query(sql: str, *, published: Collection[str], hidden: Collection[str]) -> None:
    """Refuse a text that is not exactly one SELECT over published tables with harmless functions.

    `hidden` names the relations of the database that are not published: no common table expression may take their name.
    """
    statement = _parsed(sql, "query")
    nodes = list(_nodes(statement))
    shown = {name.lower() for name in published}
    local = _local_names(nodes, shown, {name.lower() for name in hidden})
    for node in nodes:
        _check_kind(node, _EXPRESSIONS)
        if node.get("type") == "BASE_TABLE":
            _check_table(node, shown | local, published)
        elif _is_call(node):
            _check_function(node, TABLE if node.get("_in_from") else _CALLABLE, "query")


def relations(sql: str) -> set[str]:
    """Return the names of all tables and views that a text of one SELECT reads, in lower case."""
    return {str(node["table_name"]).lower() for node in _nodes(_parsed(sql, "query")) if node.get("type") == "BASE_TABLE"}


def limited_to(sql: str, table: str, column: str) -> set[str] | None:
    """Return the texts that every reading of a table narrows a column to, by `=` or `in`; None where one does not."""
    nodes = list(_nodes(_parsed(sql, "query")))
    readings = {id(node) for node in nodes if _reads(node, table)}
    found: set[str] = set()
    for node in nodes:
        source = node.get("from_table")
        if isinstance(source, dict) and id(source) in readings and not source.get("column_name_alias"):
            owner = source.get("alias") or source["table_name"]
            named = [_texts(part, column, owner) for part in _conjuncts(node.get("where_clause"))]
            wanted = [texts for texts in named if texts is not None]
            if wanted:
                readings.discard(id(source))
                found |= set.intersection(*wanted)
    return None if readings else found


def where_predicate(text: str, columns: Iterable[str], *, field: str = "where") -> str:
    """Return a user's condition as an SQL fragment in parentheses; it sees these columns and nothing else."""
    statement = _parsed(f"select 1 from t where {text}", field, shown=text)
    wrapped = _parsed(f"select 1 from t where ({text}\n)", field, shown=text)
    node = statement["node"]
    condition = node.pop("where_clause", None)
    if condition is None or _without_places(condition) != _without_places(wrapped["node"].pop("where_clause", None)):
        _refuse(field, "it is not one condition", text)
    if _without_places(node) != _bare_select():
        _refuse(field, "it holds more than a condition", text)
    nodes = list(_nodes(condition))
    known = list(columns)
    bound = {name for part in nodes if part.get("class") == "LAMBDA" for name in _lambda_names(part["lhs"])}
    for part in nodes:
        _check_kind(part, _PREDICATE_EXPRESSIONS, field)
        if part.get("class") == "COLUMN_REF":
            _check_column(part, known, bound, field)
        elif _is_call(part):
            _check_function(part, _PREDICATE_CALLABLE, field)
    return f"({text}\n)"


def regex_fault(pattern: str) -> str | None:
    """Return what is wrong with a regular expression, or None."""
    try:
        with _parser_lock:
            _parser().execute("select regexp_matches('', ?)", [pattern]).fetchone()
    except duckdb.Error as error:
        return str(error).removeprefix("Invalid Input Error: ").split("\n", 1)[0]
    return None


def _parsed(sql: str, field: str, *, shown: str | None = None) -> dict[str, Any]:
    """Return the tree of one statement; `shown` is the part of it that the caller wrote."""
    told = sql if shown is None else shown
    if len(sql) > _LONGEST:
        _refuse(field, f"it is longer than {_LONGEST} characters", None)
    try:
        with _parser_lock:
            (text,) = _parser().execute("select json_serialize_sql(?)", [sql]).fetchone()
        tree = json.loads(text)
    except (duckdb.Error, RecursionError) as error:
        raise ValidationError.field(field, "it is nested too deeply or cannot be read", told) from error
    if shown is not None and (tree["error_type"] == "not implemented" if tree["error"] else len(tree["statements"]) != 1):
        _refuse(field, "it is not one condition", told)
    if tree["error"]:
        _refuse(field, _complaint(tree, told, before=sql.find(told)), told)
    if len(tree["statements"]) != 1:
        _refuse(field, f"it holds {len(tree['statements'])} statements; give exactly one SELECT", told)
    return tree["statements"][0]


_parser_lock = threading.Lock()


@cache
def _parser() -> duckdb.DuckDBPyConnection:
    return duckdb.connect(":memory:", config={"enable_external_access": False, "lock_configuration": True, "threads": 1})


def _complaint(tree: dict[str, Any], sql: str, *, before: int) -> str:
    """Say what is wrong, and where in what somebody typed: so many letters that are ours stand before it."""
    if tree["error_type"] == "not implemented":
        first = _WORD.search(sql)
        return f"only SELECT can be run, and no PIVOT; this begins with {first[0].upper() if first else 'nothing'}"
    place = max(int(tree.get("position") or 0) - before, 0)
    line = sql.count("\n", 0, place) + 1
    column = place - sql.rfind("\n", 0, place)
    return f"{tree['error_message']} (line {line}, column {column})"


def _nodes(tree: Any) -> Iterator[dict[str, Any]]:
    """Yield every typed node; the function of a table function is marked `_in_from`."""
    stack = [tree]
    while stack:
        item = stack.pop()
        if isinstance(item, dict):
            if item.get("type") == "TABLE_FUNCTION" and isinstance(item.get("function"), dict):
                item["function"]["_in_from"] = True
            if "type" in item or "class" in item or "cte_map" in item:
                yield item
            stack.extend(item.values())
        elif isinstance(item, list):
            stack.extend(item)


def _check_kind(node: dict[str, Any], expressions: Collection[str], field: str = "query") -> None:
    kind = node.get("class")
    if kind is not None:
        if kind not in expressions:
            _refuse(field, f"{_worded(kind)} is not allowed here", None)
    elif isinstance(node.get("type"), str) and node["type"] not in _NODES:
        _refuse(field, f"{_worded(node['type'])} is not allowed; only SELECT is", None)


def _is_call(node: dict[str, Any]) -> bool:
    return node.get("class") in ("FUNCTION", "WINDOW")


def _check_table(node: dict[str, Any], allowed: Collection[str], published: Collection[str]) -> None:
    path = [part.lower() for part in node["qualified_name"]["path"]]
    name = node["qualified_name"]["path"][-1] if path else ""
    if not path or path[-1] not in allowed or path[:-1] not in ([], ["main"]):
        full = ".".join(node["qualified_name"]["path"])
        hint = did_you_mean(name, published) or f" Published: {', '.join(sorted(published))}."
        _refuse("query", f"there is no published table {full!r}.{hint}", full)


def _check_function(node: dict[str, Any], allowed: Collection[str], field: str) -> None:
    path = node["qualified_name"]["path"]
    name = path[-1] if path else node.get("function_name", "")
    if len(path) > 1 or name.lower() not in allowed:
        full = ".".join(path) or name
        where = " in from" if node.get("_in_from") else ""
        _refuse(field, f"the function {full!r} is not allowed{where}.{did_you_mean(name, allowed)}", full)


def _check_column(node: dict[str, Any], known: list[str], bound: set[str], field: str) -> None:
    name = node["column_names"][0]
    if name not in bound and name.lower() not in {column.lower() for column in known}:
        hint = did_you_mean(name, known) or f" Columns: {', '.join(known[:20])}."
        _refuse(field, f"there is no column {name!r}.{hint}", name)


def _local_names(nodes: list[dict[str, Any]], published: set[str], hidden: set[str]) -> set[str]:
    """Return the names of common table expressions, refusing those that could let a hidden table through."""
    names = {entry["key"] for node in nodes for entry in (node.get("cte_map") or {}).get("map", [])}
    names |= {node["cte_name"] for node in nodes if isinstance(node.get("cte_name"), str) and node["cte_name"]}
    for name in names:
        if not _PLAIN_NAME.fullmatch(name) or (name.lower() in hidden and name.lower() not in published):
            _refuse("query", f"choose another name than {name!r} in the with clause", name)
    return {name.lower() for name in names}


def _reads(node: dict[str, Any], table: str) -> bool:
    return node.get("type") == "BASE_TABLE" and str(node["table_name"]).lower() == table


def _conjuncts(condition: Any) -> list[dict[str, Any]]:
    """Return the conditions that all have to hold."""
    if not isinstance(condition, dict):
        return []
    if condition.get("type") == "CONJUNCTION_AND":
        return [part for child in condition["children"] for part in _conjuncts(child)]
    return [condition]


def _texts(condition: dict[str, Any], column: str, owner: str) -> set[str] | None:
    """Return the texts that a condition allows in a column of `owner`, or None when it is about something else."""
    sides = condition.get("children") or [condition.get("left"), condition.get("right")]
    if condition.get("type") == "COMPARE_EQUAL" and (sides[0] or {}).get("class") == "CONSTANT":
        sides = sides[::-1]
    if condition.get("type") not in ("COMPARE_EQUAL", "COMPARE_IN") or (sides[0] or {}).get("class") != "COLUMN_REF":
        return None
    names = [name.lower() for name in sides[0]["column_names"]]
    if names not in ([column], [owner.lower(), column]):
        return None
    values = [(side or {}).get("literal") or {} for side in sides[1:]]
    return {value["text"] for value in values} if all(value.get("kind") == "STRING" for value in values) else None


def _lambda_names(left: dict[str, Any]) -> Iterator[str]:
    return (node["column_names"][0] for node in _nodes(left) if node.get("class") == "COLUMN_REF")


_PLACES = frozenset({"query_location", "query_location_length", "_in_from"})


def _without_places(tree: Any) -> Any:
    if isinstance(tree, dict):
        return {key: _without_places(value) for key, value in tree.items() if key not in _PLACES}
    if isinstance(tree, list):
        return [_without_places(item) for item in tree]
    return tree


@cache
def _bare_select() -> dict[str, Any]:
    node = _parsed("select 1 from t where true", "where")["node"]
    del node["where_clause"]
    return _without_places(node)


def _worded(kind: str) -> str:
    return kind.removesuffix("_NODE").removesuffix("_REF").replace("_", " ").lower()


def _refuse(field: str, message: str, value: str | None) -> NoReturn:
    raise ValidationError.field(field, message.rstrip("."), value)
