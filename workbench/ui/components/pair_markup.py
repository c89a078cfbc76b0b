"""The parts of one pair as text: prompt, source row, history."""

from __future__ import annotations

from typing import Any

from markupsafe import Markup

from workbench.domain.item import item_name
from workbench.ui import format as fmt
from workbench.ui.components.figures import word_diff

CSS = """
.prompt { font-size: 15px; line-height: 1.55; white-space: pre-wrap; overflow-wrap: anywhere; }
.prompt u { text-decoration: underline; text-decoration-color: var(--mui-palette-primary-main, #1f5fbf);
  text-decoration-thickness: 1.5px; text-underline-offset: 4px; cursor: help; }
.prompt { unicode-bidi: plaintext; }
.diff { white-space: pre-wrap; overflow-wrap: anywhere; unicode-bidi: plaintext; }
.over { font-size: 12px; font-weight: 700; letter-spacing: .04em; text-transform: uppercase; margin-bottom: 6px;
  color: var(--mui-palette-text-secondary, #566272); display: flex; gap: 8px; align-items: center; }
.over .chip { text-transform: none; letter-spacing: 0; }
.row { display: grid; grid-template-columns: fit-content(38%) minmax(0, 1fr); gap: 4px 12px; margin: 0; font-size: 13px; }
.row dt { color: var(--mui-palette-text-secondary, #566272); overflow-wrap: anywhere; }
.row dd { margin: 0; overflow-wrap: anywhere; white-space: pre-wrap; unicode-bidi: plaintext;
  display: -webkit-box; -webkit-line-clamp: 12; -webkit-box-orient: vertical; overflow: hidden; }
.row dd.whole, .row dd.rest { display: block; }
.row dd.rest { grid-column: 2; margin-top: -4px; }
.row dt.used { font-weight: 700; color: var(--mui-palette-text-primary, inherit); }
.log { list-style: none; margin: 0; padding: 0; font-size: 13px; }
.log li { padding: 6px 0; border-top: 1px solid var(--mui-palette-divider, #dfe5ec); }
.log li:first-child { border-top: none; padding-top: 0; }
.log li.undone .step span, .log li.undone .diff { text-decoration: line-through; opacity: .6; }
.log .step { display: flex; gap: 8px; justify-content: space-between; align-items: baseline; }
.log .step button { white-space: nowrap; }
.log .step button:disabled { color: var(--mui-palette-text-disabled, #8a94a3); cursor: default; }
kbd { font: 11px/16px ui-monospace, Menlo, Consolas, monospace; padding: 0 5px; border-radius: 4px; display: inline-block;
  border: 1px solid var(--mui-palette-divider, #dfe5ec); border-bottom-width: 2px;
  background: var(--mui-palette-background-default, #f5f7fa); }
@media (max-width: 600px) { .hints { display: none; } }
"""


# A cell of a megabyte is drawn up to here; the rest is one click away in the field that edits it.
SHOWN_CHARS = 20_000
SHOWN_HOVER = 1_000
NO_ROW = Markup('<span class="faint small">It did not come from a row of a sheet.</span>')


def over(title: str, extra: Any = "") -> Markup:
    """Return the small title of a part."""
    return Markup('<div class="over"><span>{}</span>{}</div>').format(title, extra)


def item_markup(item_ref: str) -> Markup:
    """Return what a pair is about by the name that people know it by; where it has another one, that is on hover."""
    name = item_name(item_ref)
    return fmt.cell(item_ref) if name == item_ref else Markup('<span title="{}">{}</span>').format(item_ref, name)


def prompt_markup(pieces: Any) -> Markup:
    """Return a prompt whose filled places are underlined and name their column on hover."""
    parts = (
        Markup('<u title="Column {}">{}</u>').format(fmt.marked(piece.column), fmt.clipped(piece.text, SHOWN_CHARS))
        if piece.column
        else fmt.clipped(piece.text, SHOWN_CHARS)
        for piece in pieces
    )
    return Markup('<div class="prompt">{}</div>').format(Markup("").join(parts))


def diff_markup(title: str, pieces: Any) -> Markup:
    """Return the words that changed under a title, nothing when none did."""
    if not pieces:
        return Markup("")
    return Markup('{}<div class="diff">{}</div>').format(over(title), word_diff(pieces))


def source_markup(values: Any) -> Markup:
    """Return the source row; columns that the prompt shows stand out."""
    rows = Markup("").join(
        Markup('<dt class="{}" title="{}">{}</dt><dd title="{}">{}</dd>').format(
            "used" if value.used else "",
            fmt.marked(value.column),
            fmt.marked(value.column),
            fmt.marked(value.value or "")[:SHOWN_HOVER],
            fmt.text(value.value and fmt.clipped(value.value, SHOWN_CHARS), reason="No value."),
        )
        for value in values
    )
    return Markup('<dl class="row">{}</dl>').format(rows) if rows else NO_ROW


def signals_markup(card: Any) -> Markup:
    """Return what machines say about the pair, and its rights, in one line."""
    pair = card.pair
    told = pair.quality.items() if isinstance(pair.quality, dict) else ()
    bits = [
        Markup("{} {}").format(fmt.words(name).lower(), fmt.value(value))
        for name, value in told
        if value not in (None, False, "")
    ]
    if pair.confidence is not None:
        bits.append(Markup("confidence {}").format(fmt.number(pair.confidence, 2)))
    rights = (("only for", pair.allowed_uses), ("not for", pair.prohibited_uses))
    bits += [Markup("{} {}").format(words, ", ".join(fmt.choice(use) for use in uses)) for words, uses in rights if uses]
    return Markup('<div class="faint small">{}</div>').format(Markup(" · ").join(bits)) if bits else Markup("")


def history_markup(card: Any) -> Markup:
    """Return who did what to a pair, with the words that changed and the way back to how it was."""
    rows = Markup("").join(_entry(decision) for decision in card.history)
    earlier = _earlier(card)
    words = Markup('<span class="faint">No decision yet.</span>')
    return Markup('<ul class="log">{}{}</ul>').format(rows, earlier) if rows else words


def _earlier(card: Any) -> Markup:
    """Return what came before the decisions shown."""
    left_out = Markup('<li class="faint">{} earlier</li>').format(fmt.plural(card.history_earlier, "decision"))
    left_out = left_out if card.history_earlier else Markup("")
    if card.first_version is None:
        return left_out
    button = _bring_back("Bring back", card.first_version)
    made = '{}<li><div class="step"><span class="faint">As it was made</span>{}</div></li>'
    return Markup(made).format(left_out, button)


def _bring_back(label: str, version: int) -> Markup:
    words = '<button class="quiet" data-do="restore:{}" title="Make the pair what it was then; undo takes it back">{}</button>'
    return Markup(words).format(version, label)


def quiet_button(action: Any) -> Markup:
    """Return a small button for what may be done beside the decision, or why it may not."""
    if not action.enabled:
        return _refused(action)
    return Markup('<button class="quiet" data-do="{}">{}</button>').format(action.name, action.label)


def _refused(action: Any) -> Markup:
    return Markup('<button class="quiet" disabled title="{}">{}</button>').format(action.reason, action.label)


def _entry(decision: Any) -> Markup:
    back = Markup("").join(
        _bring_back(action.label, decision.version) if action.enabled else _refused(action) for action in decision.actions
    )
    head = Markup('<div class="step"><span><b>{}</b> {} <span class="faint">{}</span></span>{}</div>').format(
        decision.actor, decision.label, fmt.moment(decision.logged_at), back
    )
    reason = (decision.after or {}).get("flag_reason")
    why = Markup('<div class="small ink-warning text">{}</div>').format(reason) if reason else Markup("")
    changed = word_diff(decision.response_diff) or word_diff(decision.prompt_diff)
    words = Markup('<div class="diff">{}</div>').format(changed) if changed else Markup("")
    return Markup('<li class="{}">{}{}{}</li>').format("undone" if decision.undone else "", head, why, words)
