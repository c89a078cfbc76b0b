"""What runs in the process of an import: rows of a source, or what was reviewed in another tool."""

from __future__ import annotations

from typing import Any

from workbench.engine import reviews, rows
from workbench.engine.child import JobContext


def read(context: JobContext) -> dict[str, Any]:
    """Read what the import is of."""
    return reviews.read(context) if "reviews" in context.inputs else rows.read(context)
