"""Filters as chips, and a search field; what is chosen goes into the address."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import panel_material_ui as pmui
import param
from markupsafe import Markup
from panel.custom import JSComponent

from workbench.ui import format as fmt
from workbench.ui.theme import PRIMARY

# Beside other things in a row the chips move to a line of their own where it is narrow.
WRAPPING = {"flex": "1 1 320px"}
_CSS = f"""
.frame {{ display: flex; flex-wrap: wrap; gap: 6px 0; }}
.frame.apart {{ min-height: 62px; align-content: flex-start; }}
.frame.apart .group:first-child {{ flex: 1 1 100%; }}
.group {{ display: inline-flex; align-items: center; gap: 6px; flex-wrap: wrap; margin-right: 16px; }}
.label {{ font: 12px/1 Roboto, Arial, sans-serif; color: var(--mui-palette-text-secondary, #566272); margin-right: 2px; }}
button {{ all: unset; cursor: pointer; box-sizing: border-box; height: 28px; padding: 0 12px; border-radius: 14px;
  font: 13px/26px Roboto, Arial, sans-serif; color: var(--mui-palette-text-primary, #1b2430);
  border: 1px solid var(--mui-palette-divider, #dfe5ec); background: var(--mui-palette-background-paper, #fff); }}
button:hover {{ border-color: var(--mui-palette-primary-main, {PRIMARY}); }}
button[aria-pressed=true] {{ background: var(--mui-palette-primary-main, {PRIMARY}); border-color: transparent;
  color: var(--mui-palette-primary-contrastText, #fff); }}
button:focus-visible {{ outline: 2px solid var(--mui-palette-primary-main, {PRIMARY}); outline-offset: 2px; }}
@media (max-width: 600px) {{ .frame.apart {{ min-height: 0; }} }}
@media (max-width: 600px) {{ button {{ height: 44px; border-radius: 22px; line-height: 42px; padding: 0 16px; }} }}
.count {{ opacity: .75; margin-left: 6px; font-variant-numeric: tabular-nums; }}
"""


class FilterChips(JSComponent):
    """Offer the values of some arguments as chips; a second click takes the choice back."""

    groups = param.List([], doc="Groups: name, label and options, each with value, label and count.")
    value = param.Dict({}, doc="Chosen value by group name.")

    apart = param.Boolean(
        False, doc="True where the first group has a line of its own: what joins the others moves nothing below."
    )

    _esm = """
export function render({model, el}) {
  const frame = document.createElement("div")
  frame.className = model.apart ? "frame apart" : "frame"
  el.append(frame)
  const draw = () => {
    frame.replaceChildren(...model.groups.map((group) => {
      const box = document.createElement("span")
      box.className = "group"
      box.setAttribute("role", "group")
      box.setAttribute("aria-label", group.label)
      const label = document.createElement("span")
      label.className = "label"
      label.textContent = group.label
      box.append(label)
      for (const option of group.options) {
        const chip = document.createElement("button")
        const on = model.value[group.name] === option.value
        chip.textContent = option.label
        chip.setAttribute("aria-pressed", on)
        if (option.count) {
          const count = document.createElement("span")
          count.className = "count"
          count.textContent = option.count
          chip.append(count)
        }
        chip.onclick = () => {
          const value = {...model.value}
          if (on) { delete value[group.name] } else { value[group.name] = option.value }
          model.value = value
        }
        box.append(chip)
      }
      return box
    }))
  }
  draw()
  model.on(["groups", "value"], draw)
}
"""
    _stylesheets = [_CSS]

    def __init__(self, **params: Any) -> None:
        super().__init__(**{"margin": 0, "sizing_mode": "stretch_width", **params})


def chip_group(
    name: str, label: str, values: Sequence[Any], *, counts: dict[Any, int] | None = None, told: Callable[[str], Any] = fmt.choice
) -> dict[str, Any]:
    """Return a group of chips for the words of a closed set, with the service's counts where given; `told` words them."""
    shown = {v: Markup(fmt.integer(c)).striptags() for v, c in (counts or {}).items()}
    options = [{"value": v, "label": str(told(str(v))), "count": shown.get(v, "")} for v in values]
    return {"name": name, "label": label, "options": options}


def bind_chips(chips: FilterChips, view: param.Parameterized, names: Sequence[str]) -> FilterChips:
    """Tie the chips to the string parameters of a view, both ways; an empty string means no choice."""

    def chosen(*events: Any) -> None:
        view.param.update(**{name: chips.value.get(name, "") for name in names})

    def told(*events: Any) -> None:
        chips.value = {name: getattr(view, name) for name in names if getattr(view, name)}

    told()
    chips.param.watch(chosen, "value")
    view.param.watch(told, list(names))
    return chips


def search_field(view: param.Parameterized, name: str = "search", *, label: str = "Search") -> Any:
    """Return a search field tied to a string parameter of a view."""
    field = pmui.TextInput(
        value=getattr(view, name), placeholder=label, label="", size="small", width=240, margin=0, css_classes=["search"]
    )
    field.link(view, value=name, bidirectional=True)
    return field
