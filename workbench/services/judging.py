"""What a decision on a pair changes: one rule for single and bulk."""

from __future__ import annotations

from typing import Any

from workbench.contract import UNSET
from workbench.domain.blank import is_blank
from workbench.domain.label import ACTION_OF_STATUS, PAIR_LIFECYCLE, mask_of, source_after_edit
from workbench.errors import InvalidTransition, ValidationError
from workbench.services.becoming import FIRST_RESPONSE, LABEL, PROHIBITED, Becomes, always, given, kept_while
from workbench.services.decisions import Change

APPROVED = {
    "status": always("labeled"),
    "flag_reason": always(None),
    "stale": always(False),
    "labeled_by": given("actor"),
    "labeled_at": given("now"),
    "canonical_label_id": LABEL,
}
SET_ASIDE = {"stale": always(False), "labeled_by": always(None), "labeled_at": always(None)}


def state_columns(action: str, reason: Any = UNSET) -> tuple[dict[str, Becomes], dict[str, Any]]:
    """Return what an action sets, and the values it names; a reason that is not given stays as it was."""
    if action == "approve":
        return APPROVED, {}
    target = PAIR_LIFECYCLE.moves[action].target
    if action == "reset":
        return {"status": always("unlabeled"), "flag_reason": always(None), **SET_ASIDE}, {}
    if reason is UNSET:
        return {"status": always(target), "flag_reason": kept_while(target, "flag_reason"), **SET_ASIDE}, {}
    return {"status": always(target), "flag_reason": given("flag_reason"), **SET_ASIDE}, {"flag_reason": reason or None}


def rights_columns(allowed: Any, prohibited: Any) -> tuple[dict[str, Becomes], dict[str, Any]]:
    """Return what a change of usage rights sets; what the tags of the sheet prohibit stays prohibited."""
    columns: dict[str, Becomes] = {}
    values: dict[str, Any] = {}
    if allowed is not UNSET:
        columns["allowed_mask"] = given("allowed_mask", "utinyint")
        values["allowed_mask"] = mask_of(None if allowed is None else tuple(allowed))
    if prohibited is not UNSET:
        columns["prohibited_mask"] = PROHIBITED
        values["prohibited_mask"] = mask_of(tuple(prohibited or ()))
    return columns, values


def resolved_action(action: str | None, status: str | None) -> str | None:
    """Return the one action that `action` and `status` ask for."""
    asked = ACTION_OF_STATUS[status] if status else None
    if action and asked and action != asked:
        raise ValidationError.field("status", f"{status} means {asked}, which disagrees with the action {action}", status)
    return action or asked


def judged(pair: dict[str, Any], asked: str | None, told: dict[str, Any]) -> Change:
    """Return the change that a decision on one pair makes, or refuse it."""
    columns: dict[str, Becomes] = {}
    values: dict[str, Any] = {}
    edited = _edit(pair, told, columns, values)
    action = asked or ("approve" if edited and pair["status"] == "labeled" else None)
    if action:
        PAIR_LIFECYCLE.require(action, pair["status"])
        if action == "approve":
            _refuse_empty(told.get("response", pair["response"]), pair)
        state, named = state_columns(action, told.get("flag_reason", UNSET))
        columns, values = columns | state, values | named
    elif "flag_reason" in told:
        _refuse_reason(told["flag_reason"], pair)
        columns["flag_reason"], values["flag_reason"] = given("flag_reason"), told["flag_reason"]
    if "notes" in told:
        columns["notes"], values["notes"] = given("notes"), told["notes"]
    rights, named = rights_columns(told.get("allowed_uses", UNSET), told.get("prohibited_uses", UNSET))
    columns, values = columns | rights, values | named
    return Change(asked or ("edit" if edited else "rights" if rights else action or "edit"), columns, values)


def rewrites(pair: dict[str, Any], told: dict[str, Any]) -> bool:
    """Return whether a text of a pair becomes another; on an approved pair whoever does that vouches for it."""
    return any(told.get(name, pair[name]) != pair[name] for name in ("prompt", "response"))


def _edit(pair: dict[str, Any], told: dict[str, Any], columns: dict[str, Becomes], values: dict[str, Any]) -> bool:
    """Add the changed texts; return True when there are some."""
    if "prompt" in told and told["prompt"] != pair["prompt"]:
        columns["prompt"], values["prompt"] = given("prompt"), told["prompt"]
    if "response" not in told or told["response"] == pair["response"]:
        return "prompt" in columns
    columns |= {
        "response": given("response"),
        "original_response": FIRST_RESPONSE,
        "response_source": given("source"),
        "simulated": always(False),
    }
    values |= {"response": told["response"], "source": source_after_edit(pair["response_source"])}
    if values["source"] == "human_verified":
        columns |= {"verified_by": given("actor"), "verified_at": given("now")}
    return True


def _refuse_reason(reason: str | None, pair: dict[str, Any]) -> None:
    """Refuse a reason on a pair that is neither flagged nor rejected."""
    if reason and pair["status"] not in ("flagged", "rejected"):
        words = f"says why a pair is flagged or rejected, and this one is {pair['status']}. Send the action flag or reject with it"
        raise ValidationError.field("flag_reason", words, reason)


def _refuse_empty(response: str, pair: dict[str, Any]) -> None:
    if not is_blank(response):
        return
    allowed = [name for name in PAIR_LIFECYCLE.allowed(pair["status"]) if name != "approve"]
    raise InvalidTransition(
        "Cannot approve a pair whose response is empty. Write a response first, or reject the pair.",
        current=pair["status"],
        allowed=allowed,
        reason="no_response",
    )
