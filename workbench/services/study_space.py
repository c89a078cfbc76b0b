"""The space a study searches: what the trainer declares, narrowed or replaced by the request, checked as a whole."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import param

from workbench.errors import did_you_mean
from workbench.trainers.protocol import Trainer

FIELD = "search_space"
KEYS = {"float": ("type", "low", "high", "log"), "int": ("type", "low", "high", "log"), "choice": ("type", "choices")}
MOST_CHOICES = 100

Space = dict[str, dict[str, Any]]
Fault = dict[str, Any]


def completed(trainer: Trainer, wanted: Mapping[str, Any] | None, fixed: Mapping[str, Any]) -> tuple[Space, list[Fault]]:
    """Return the whole space, every entry complete, and every fault as {field, message, value}.

    Without a wish it is the trainer's own, without the settings that are fixed. A wish names the
    settings to search; what it leaves open of one is the trainer's, or the bounds of the setting.
    """
    declared = trainer.search_space()
    if wanted is None:
        space = {name: _plain(entry) for name, entry in declared.items() if name not in fixed}
        return space, [] if space else [_nothing(trainer, declared)]
    space, faults = {}, []
    for name, wish in wanted.items():
        entry, wrong = _entry(trainer, name, wish, declared.get(name))
        if not wrong and name in fixed:
            wrong = [_fault(f"training_config.{name}", "is searched as well: leave it out here or there", fixed[name])]
        faults += wrong
        if entry is not None:
            space[name] = entry
    if not wanted:
        faults.append(_nothing(trainer, declared))
    return space, faults


def size(space: Space) -> int | None:
    """Return how many different combinations there are; None for endlessly many."""
    product = 1
    for entry in space.values():
        if entry["type"] == "float":
            return None
        product *= len(entry["choices"]) if entry["type"] == "choice" else entry["high"] - entry["low"] + 1
    return product


def holds(space: Space, values: Mapping[str, Any]) -> bool:
    """Return whether a combination lies inside."""
    return all(name in values and _inside(entry, values[name]) for name, entry in space.items())


def _inside(entry: Mapping[str, Any], value: Any) -> bool:
    if entry["type"] == "choice":
        return value in entry["choices"]
    return value is not None and entry["low"] <= value <= entry["high"]


def _entry(
    trainer: Trainer, name: str, wish: Any, declared: Mapping[str, Any] | None
) -> tuple[dict[str, Any] | None, list[Fault]]:
    where = f"{FIELD}.{name}"
    names = trainer.Config.names()
    if name not in names:
        return None, [_fault(where, f"unknown setting.{did_you_mean(name, names)} Known are {', '.join(names)}", wish)]
    if not isinstance(wish, Mapping):
        return None, [_fault(where, 'takes an object, such as {"low": 1, "high": 5} or {"choices": [1, 2]}', wish)]
    entry = {**_of_setting(trainer.Config.param[name]), **(declared or {})}
    if "choices" in wish:
        entry = {"type": "choice"}
    elif {"low", "high"} & set(wish):
        entry = {**_of_setting(trainer.Config.param[name], numeric=True), **(declared if _numeric(declared) else {})}
    entry |= {key: value for key, value in wish.items() if key != "type" and value is not None}
    known = KEYS[entry["type"]]
    faults = [
        _fault(f"{where}.{key}", f"is no part of it; known are {', '.join(known)}", wish[key]) for key in wish if key not in known
    ]
    if wish.get("type") not in (None, entry["type"]):
        faults.append(_fault(f"{where}.type", f"is {entry['type']} here: leave it out", wish["type"]))
    check = _choices_faults if entry["type"] == "choice" else _range_faults
    faults += check(trainer, name, entry, where)
    return None if faults else _plain(entry), faults


def _range_faults(trainer: Trainer, name: str, entry: Mapping[str, Any], where: str) -> list[Fault]:
    faults = []
    for key in ("low", "high"):
        value = entry.get(key)
        if value is None:
            faults.append(_fault(f"{where}.{key}", "is needed: the setting has no bound of its own", None))
        elif entry["type"] == "int" and (isinstance(value, bool) or not isinstance(value, int)):
            faults.append(_fault(f"{where}.{key}", "takes a whole number", value))
        elif message := trainer.Config.fault(name, value):
            faults.append(_fault(f"{where}.{key}", message, value))
    log = entry.get("log", False)
    if not isinstance(log, bool):
        faults.append(_fault(f"{where}.log", "takes true or false", log))
    if faults:
        return faults
    if entry["low"] > entry["high"]:
        faults.append(_fault(f"{where}.low", f"is above high, which is {entry['high']}", entry["low"]))
    elif entry["low"] == entry["high"]:
        faults.append(_fault(f"{where}.low", "is the same as high: fix it in training_config instead", entry["low"]))
    if log and entry["low"] <= 0:
        faults.append(_fault(f"{where}.log", "needs a low above 0", entry["low"]))
    return faults


def _choices_faults(trainer: Trainer, name: str, entry: Mapping[str, Any], where: str) -> list[Fault]:
    choices, where = entry.get("choices"), f"{where}.choices"
    if not isinstance(choices, Sequence) or isinstance(choices, str) or not 2 <= len(choices) <= MOST_CHOICES:
        return [_fault(where, f"takes a list of 2 to {MOST_CHOICES} values; fix a single one in training_config", choices)]
    wrong = [(i, choice, trainer.Config.fault(name, choice)) for i, choice in enumerate(choices)]
    faults = [_fault(f"{where}.{i}", message, choice) for i, choice, message in wrong if message]
    if not faults and len({repr(choice) for choice in choices}) < len(choices):
        faults.append(_fault(where, "names a value twice", choices))
    return faults


def _of_setting(found: param.Parameter, *, numeric: bool = False) -> dict[str, Any]:
    """Return the entry that a setting's own declaration makes."""
    if isinstance(found, param.Number):
        low, high = found.bounds or (None, None)
        return {"type": "int" if isinstance(found, param.Integer) else "float", "low": low, "high": high}
    if numeric:
        return {"type": "float"}
    return {"type": "choice", "choices": _values(found)}


def _values(found: param.Parameter) -> list[Any]:
    if isinstance(found, param.Boolean):
        return [False, True]
    return list(found.objects) if isinstance(found, param.Selector) else []


def _numeric(entry: Mapping[str, Any] | None) -> bool:
    return entry is not None and entry["type"] != "choice"


def _plain(entry: Mapping[str, Any]) -> dict[str, Any]:
    """Return an entry with exactly its keys, as it is kept."""
    if entry["type"] == "choice":
        return {"type": "choice", "choices": list(entry["choices"])}
    return {"type": entry["type"], "low": entry.get("low"), "high": entry.get("high"), "log": entry.get("log", False)}


def _nothing(trainer: Trainer, declared: Iterable[str]) -> Fault:
    words = ", ".join(declared) or ", ".join(trainer.Config.names())
    return _fault(FIELD, f"names nothing to search; {trainer.name} suggests {words}", None)


def _fault(name: str, message: str, value: Any) -> Fault:
    return {"field": name, "message": message, "value": value}
