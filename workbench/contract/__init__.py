"""How an operation is declared and crosses a wire."""

from pydantic import Field

from workbench.contract.context import ROLES, Context, current
from workbench.contract.operation import Deleted, Operation, PageNumber, PageSize, Table, command, query
from workbench.contract.page import Page
from workbench.contract.schema import UNSET

__all__ = [
    "ROLES",
    "UNSET",
    "Context",
    "Deleted",
    "Field",
    "Operation",
    "Page",
    "PageNumber",
    "PageSize",
    "Table",
    "command",
    "current",
    "query",
]
