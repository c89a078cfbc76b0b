"""What a decision on a pair changes: one rule for single and bulk."""

from __future__ import annotations

from typing import Any

from workbench.contract import UNSET
from workbench.domain.label import ACTION_OF_STATUS, PAIR_LIFECYCLE, mask_of, source_after_edit
from workbench.errors import InvalidTransition, ValidationError
from workbench.services.canonical import CANONICAL_ID
from workbench.services.decisions import Change

APPROVED = {
    "status": "'labeled'",
    "flag_reason": "null",
    "stale": "false",
    "labeled_by": "$actor",
    "labeled_at": "$now",
    "canonical_label_id": CANONICAL_ID,
}
SET_ASIDE = {"stale": "false", "labeled_by": "null", "labeled_at": "null"}


def state_columns(action: str, reason: Any = UNSET) -> tuple[dict[str, str], dict[str, Any]]:
    """Return what an action sets, and the values it names; a reason that is not given stays as it was."""
    if action == "approve":
        return APPROVED, {}
    target = PAIR_LIFECYCLE.moves[action].target
    if action == "reset":
        return {"status": "'unlabeled'", "flag_reason": "null", **SET_ASIDE}, {}
    if reason is UNSET:
        kept = f"case when status = '{target}' then flag_reason end"
        return {"status": f"'{target}'", "flag_reason": kept, **SET_ASIDE}, {}
    return {"status": f"'{target}'", "flag_reason": "$flag_reason", **SET_ASIDE}, {"flag_reason": reason or None}


def rights_columns(allowed: Any, prohibited: Any) -> tuple[dict[str, str], dict[str, Any]]:
    """Return what a change of usage rights sets."""
    columns: dict[str, str] = {}
    values: dict[str, Any] = {}
    if allowed is not UNSET:
        columns["allowed_mask"] = "$allowed_mask::utinyint"
        values["allowed_mask"] = mask_of(None if allowed is None else tuple(allowed))
    if prohibited is not UNSET:
        columns["prohibited_mask"] = "$prohibited_mask::utinyint"
        values["prohibited_mask"] = mask_of(tuple(prohibited or ()))
    return columns, values


def resolved_action(action: str | None, status: str | None) -> str | None:
    """Return the one action that `action` and `status` ask for."""
    asked = ACTION_OF_STATUS[status] if status else None
    if action and asked and action != asked:
        raise ValidationError.field("status", f"{status} means {asked}, which disagrees with the action {action}", status)
    return action or asked


def judged(pair: dict[str, Any], asked: str | None, given: dict[str, Any]) -> Change:
    """Return the change that a decision on one pair makes, or refuse it."""
    columns: dict[str, str] = {}
    values: dict[str, Any] = {}
    edited = _edit(pair, given, columns, values)
    # Whoever changes the text of an approved pair vouches for the new text.
    action = asked or ("approve" if edited and pair["status"] == "labeled" else None)
    if action:
        PAIR_LIFECYCLE.require(action, pair["status"])
        if action == "approve":
            _refuse_empty(given.get("response", pair["response"]), pair)
        state, named = state_columns(action, given.get("flag_reason", UNSET))
        columns, values = columns | state, values | named
    elif "flag_reason" in given:
        columns["flag_reason"], values["flag_reason"] = "$flag_reason", given["flag_reason"]
    if "notes" in given:
        columns["notes"], values["notes"] = "$notes", given["notes"]
    rights, named = rights_columns(given.get("allowed_uses", UNSET), given.get("prohibited_uses", UNSET))
    columns, values = columns | rights, values | named
    return Change(asked or ("edit" if edited else "rights" if rights else action or "edit"), columns, values)


def _edit(pair: dict[str, Any], given: dict[str, Any], columns: dict[str, str], values: dict[str, Any]) -> bool:
    """Add the changed texts; return True when the response is another one."""
    if "prompt" in given and given["prompt"] != pair["prompt"]:
        columns["prompt"], values["prompt"] = "$prompt", given["prompt"]
    if "response" not in given or given["response"] == pair["response"]:
        return False
    columns |= {
        "response": "$response",
        "original_response": "coalesce(original_response, response)",
        "response_source": "$source",
        "simulated": "false",
    }
    values |= {"response": given["response"], "source": source_after_edit(pair["response_source"])}
    if values["source"] == "human_verified":
        columns |= {"verified_by": "$actor", "verified_at": "$now"}
    return True


def _refuse_empty(response: str, pair: dict[str, Any]) -> None:
    if response.strip():
        return
    allowed = [name for name in PAIR_LIFECYCLE.allowed(pair["status"]) if name != "approve"]
    raise InvalidTransition(
        "Cannot approve a pair whose response is empty. Write a response first, or reject the pair.",
        current=pair["status"],
        allowed=allowed,
        reason="no_response",
    )
