"""Choose one record of many: the first are offered at once, any other is found by a part of its name."""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import panel_material_ui as pmui
from panel.custom import JSComponent

from workbench.errors import NotFound
from workbench.ui import format as fmt

FOUND_AT_ONCE = 50
LOOK = {".MuiAutocomplete-clearIndicator": {"display": "none"}, ".MuiAutocomplete-popupIndicator": {"color": "inherit"}}


class Sought(dict[str, Any]):
    """Ids of records by words to choose from, with a way to find those that are not among them."""

    def __init__(self, records: Any, told: Callable[[Any], str] = operator.attrgetter("name"), **filters: Any) -> None:
        """Offer the first page of `records`, such as `ws.training_sheets`; `filters` say which of them may be chosen."""
        super().__init__()
        self._records, self._told, self._filters = records, told, filters

    def take(self, page: Iterable[Any]) -> Sought:
        """Offer the records of a page, and no others but those found later."""
        self.clear()
        self.update(fmt.to_choose(page, self._told))
        return self

    def find(self, text: str) -> dict[str, Any]:
        """Return what has the text in its name."""
        return self._add(self._records.list(search=text, page_size=FOUND_AT_ONCE, **self._filters))

    def know(self, id: str | None) -> bool:
        """Offer one record by its id, whatever page it is on; return whether there is one."""
        if id and id not in self.values():
            try:
                self._add([self._records.get(id)])
            except NotFound:
                return False
        return bool(id)

    def _add(self, records: Iterable[Any]) -> dict[str, Any]:
        found = fmt.more_to_choose(self, records, self._told)
        self.update(found)
        return found


class TypedChoice(JSComponent):
    """Mind the text in the field that this belongs to."""

    _esm = (Path(__file__).parent / "record_choice.js").read_text()


class RecordChoice(pmui.AutocompleteInput):
    """Choose one of what is sought, by its name or from the list."""

    def __init__(self, sought: Sought, *, also: Mapping[str, Any] | None = None, **params: Any) -> None:
        self._sought, self._also = sought, dict(also or {})
        sought.know(params.get("value") if params.get("value") not in self._also.values() else None)
        shape = {"lazy_search": True, "min_characters": 0, "sx": LOOK}
        listener = TypedChoice(margin=0, width=0, height=0)
        super().__init__(options={**self._also, **sought}, attached=[listener], **{**shape, **params})

    def offer(self) -> None:
        """Offer what is sought as it now is; the chosen one stays."""
        self._sought.know(self.value if self.value not in self._also.values() else None)
        self.options = {**self._also, **self._sought}

    def _filter_options(self, query: str, *how: Any) -> list[str]:
        """Answer with words for what was typed; untouched, the field offers all it knows, the chosen one first."""
        chosen = next((words for words, id in self.options.items() if id == self.value), "")
        if query in ("", chosen):
            return list(dict.fromkeys([*filter(None, [chosen]), *self.options]))
        found = [words for words in self._also if query.lower() in words.lower()] + list(self._sought.find(query))
        self.offer()
        return found
