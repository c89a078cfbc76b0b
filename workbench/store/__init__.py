"""How things are kept. The only package that imports duckdb."""

from workbench.store.database import MEMORY, Database
from workbench.store.tables import Records, columns_of
from workbench.store.transaction import Event, Transaction

__all__ = ["MEMORY", "Database", "Event", "Records", "Transaction", "columns_of"]
