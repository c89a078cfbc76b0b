"""Every visual decision: spacing, colors, type and the tone of each state word."""

from __future__ import annotations

from typing import Any, NamedTuple

STEP = 8
# A window as narrow as a phone; what a thumb has to hit is 44 px high there.
PHONE = "@media (max-width: 600px)"
RADIUS = 10
# Whether a phone shows the navigation: not while the page opens.
NAVIGATION = "--navigation"
PAGE_WIDTH = 1440
TEXT_WIDTH = "75ch"
PRIMARY = "#1f5fbf"
PRIMARY_ON_DARK = "#8ab6ff"
FONT = "Roboto, 'Helvetica Neue', Arial, sans-serif"
MONO = "ui-monospace, 'SF Mono', 'DejaVu Sans Mono', Menlo, Consolas, monospace"


class Tone(NamedTuple):
    """Colors of one state on light and on dark ground, and its icon (a path on a 16 x 16 grid)."""

    name: str
    ink: str
    ground: str
    dark_ink: str
    dark_ground: str
    icon: str


_DOT = "M8 5a3 3 0 100 6 3 3 0 000-6z"
_ARROW = "M8 2a6 6 0 105.7 4.1l-1.5.5A4.4 4.4 0 118 3.6V6l3.6-2.9L8 .2z"
_CHECK = "M6.4 12.6L2.2 8.4l1.3-1.3 2.9 2.9 6.1-6.1 1.3 1.3z"
_FLAG = "M8 1.4L15.4 14.4H.6zM7.2 6v4h1.6V6zm0 5v1.6h1.6V11z"
_CROSS = "M3.3 4.5l1.2-1.2L8 6.8l3.5-3.5 1.2 1.2L9.2 8l3.5 3.5-1.2 1.2L8 9.2l-3.5 3.5-1.2-1.2L6.8 8z"

NEUTRAL = Tone("neutral", "#414b57", "#e9edf2", "#c6ced8", "#2b323b", _DOT)
INFO = Tone("info", "#0b4f8a", "#e2effb", "#93c7fb", "#11304b", _ARROW)
SUCCESS = Tone("success", "#1b5e2a", "#e2f3e6", "#8fd9a0", "#14361e", _CHECK)
WARNING = Tone("warning", "#744600", "#fdefd3", "#fbcb7c", "#3d2b08", _FLAG)
ERROR = Tone("error", "#9b1c1c", "#fce6e6", "#ffaca7", "#471c1c", _CROSS)
TONES = {tone.name: tone for tone in (NEUTRAL, INFO, SUCCESS, WARNING, ERROR)}

_STATES = {
    NEUTRAL: "draft pending unknown unlabeled archived development retired cancelled canceled skipped stopped disabled idle open "
    "all deleted to_review",
    INFO: "queued running preparing rendering staging deploying cancelling claimed in_progress loading starting info assembling",
    SUCCESS: "labeled succeeded production ready published active approved healthy passed live enabled resolved completed edited "
    "serving positive success agreed good",
    WARNING: "flagged stale degraded warning paused conflict partial acknowledged insufficient_data drifting disputed incomplete "
    "pruned",
    ERROR: "rejected failed critical unhealthy error lost down blocked blocking negative",
}
TONE_OF_STATE = {word: tone for tone, words in _STATES.items() for word in words.split()}


def tone_of(state: str | None) -> Tone:
    """Return the tone of a state word; words nobody declared are neutral."""
    return TONE_OF_STATE.get((state or "").lower(), NEUTRAL)


LIGHT = {"ground": "#f5f7fa", "paper": "#ffffff", "ink": "#1b2430", "faint": "#566272", "line": "#dfe5ec"}
DARK = {"ground": "#11161d", "paper": "#1a2129", "ink": "#e6ebf1", "faint": "#a3afbd", "line": "#303945"}
TRAIN_LINE, VALIDATION_LINE = "#2f6fd0", "#d9822b"
LINES = (TRAIN_LINE, VALIDATION_LINE, "#3d9a5b", "#a05cc4", "#c4476b", "#5c8a9e", "#b8860b", "#7a6fd0", "#2a9d8f", "#8d6e63")
PLACEHOLDER = "#8a96a5"


def theme_config(primary: str = PRIMARY) -> dict[str, Any]:
    """Return the panel-material-ui theme for light and dark."""
    return {
        "light": _scheme(LIGHT, primary, "#ffffff", "ink", "ground"),
        "dark": _scheme(DARK, PRIMARY_ON_DARK if primary == PRIMARY else primary, "#0f1722", "dark_ink", "dark_ground"),
    }


def _scheme(colors: dict[str, str], primary: str, on_primary: str, ink: str, ground: str) -> dict[str, Any]:
    states = {f"{t.name}{part}": getattr(t, name) for t in TONES.values() for part, name in (("Ink", ink), ("Ground", ground))}
    return {
        "palette": {
            "primary": {"main": primary, "contrastText": on_primary},
            "success": {"main": getattr(SUCCESS, ink)},
            "warning": {"main": getattr(WARNING, ink)},
            "error": {"main": getattr(ERROR, ink)},
            "info": {"main": getattr(INFO, ink)},
            "background": {"default": colors["ground"], "paper": colors["paper"]},
            "text": {"primary": colors["ink"], "secondary": colors["faint"]},
            "divider": colors["line"],
            "state": states,
        },
        "shape": {"borderRadius": RADIUS},
        "spacing": STEP,
        "typography": _TYPE,
        "components": _COMPONENTS,
    }


_TYPE = {
    "fontFamily": FONT,
    "fontSize": 14,
    "h5": {"fontSize": "22px", "fontWeight": 700, "lineHeight": 1.3, "letterSpacing": "-0.01em"},
    "h6": {"fontSize": "15px", "fontWeight": 700, "lineHeight": 1.4},
    "body1": {"fontSize": "14px", "lineHeight": 1.5},
    "body2": {"fontSize": "14px", "lineHeight": 1.5},
    "button": {"textTransform": "none", "fontWeight": 700, "fontSize": "13px"},
}
_COMPONENTS = {
    "MuiButton": {
        "defaultProps": {"disableElevation": True},
        "styleOverrides": {"root": {"borderRadius": "8px", "boxShadow": "none"}},
    },
    "MuiToggleButton": {"styleOverrides": {"sizeSmall": {"padding": "7px 12px", "whiteSpace": "nowrap"}}},
    # A select is as high as a text field and its label as large, so that the two can stand side by side.
    "MuiSelect": {"styleOverrides": {"select": {"paddingTop": "8.5px !important", "paddingBottom": "8.5px !important"}}},
    "MuiFormControl": {
        "styleOverrides": {
            "root": {
                "&:not(.MuiTextField-root) > .MuiInputLabel-outlined:not(.MuiInputLabel-shrink)": {
                    "transform": "translate(14px, 9px) scale(1)"
                }
            }
        }
    },
    "MuiInputLabel": {"styleOverrides": {"root": {"fontSize": "14px !important"}}},
    "MuiDrawer": {"styleOverrides": {"root": {PHONE: {"&:has(> .sidebar)": {"visibility": f"var({NAVIGATION}, hidden)"}}}}},
    "MuiDialogContent": {"styleOverrides": {"root": {"padding": "0 24px 24px !important"}}},
    "MuiPaper": {"styleOverrides": {"root": {"backgroundImage": "none"}}},
    "MuiTooltip": {"styleOverrides": {"tooltip": {"fontSize": "12px", "maxWidth": "360px"}}},
}
# Panel puts every part of a line at its top, whatever the line itself wishes for.
MIDDLE: dict[str, Any] = {"alignItems": "center", "& > .child-wrapper > *": {"alignSelf": "center"}}
CARD_SX = {"border": "1px solid", "borderColor": "divider", "borderRadius": f"{RADIUS}px", "boxShadow": "none", "p": 2}

# Texts that people wrote in Markdown, inside a dialog.
PROSE_CSS = f"""
:host {{ font: 14px/1.5 {FONT}; }}
code {{ font: 12px ui-monospace, Menlo, Consolas, monospace; color: inherit; padding: 1px 4px; border-radius: 4px;
  background: var(--mui-palette-background-default, #f5f7fa); }}
h1, h2, h3 {{ font-size: 16px; margin: 12px 0 4px; }}
p, ul, ol {{ margin: 4px 0 8px; max-width: {TEXT_WIDTH}; }}
table {{ border-collapse: collapse; }}
th, td {{ border: 1px solid var(--mui-palette-divider, #dfe5ec); padding: 4px 12px; text-align: left; }}
"""
# Label and value twice in a line, where there is room.
WIDE_FACTS = """
.wide dl.facts { grid-template-columns: minmax(96px, max-content) 1fr minmax(96px, max-content) 1fr; }
@media (max-width: 600px) { .wide dl.facts { grid-template-columns: minmax(96px, max-content) 1fr; } }
"""
# What Bokeh shows under the pointer hangs on the page itself, white on light and dark alike.
_TIP = (
    "{} {{ --tooltip-color: {paper}; --tooltip-text: {ink}; --tooltip-border: {line}; --tooltip-arrow-color: {paper}; "
    "--tooltip-arrow-inner-color: {paper}; font: 12px/1.5 {font}; border-radius: 6px; }}"
)
TIP_CSS = "".join(
    _TIP.format(place, font=FONT, **colors) for place, colors in ((".bk-Tooltip", LIGHT), ("html[data-dark] .bk-Tooltip", DARK))
)

# Custom properties come from the theme above, so these few rules follow light and dark by themselves.
MARKUP_CSS = f"""
:host, :host > div, .wb {{ font: 14px/1.5 {
    FONT
}; color: var(--mui-palette-text-primary, inherit); font-variant-numeric: tabular-nums; }}
.faint {{ color: var(--mui-palette-text-secondary, #566272); }}
.title {{ font-weight: 700; font-size: 15px; }}
.figure {{ font-size: 28px; line-height: 1.2; font-weight: 700; letter-spacing: -.01em; white-space: nowrap; }}
.unit {{ font-size: 14px; font-weight: 400; margin-left: 4px; }}
.small {{ font-size: 12px; }}
.num {{ text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }}
.mono, wb-id {{ font-family: {MONO}; font-size: 12.5px; }}
.cut {{ overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }}
.middle {{ display: inline-flex; min-width: 0; max-width: 100%; vertical-align: bottom; }}
.middle > span {{ white-space: pre; flex: none; }}
.middle > span:first-child {{ flex: 0 1 auto; overflow: hidden; text-overflow: ellipsis; }}
.text {{ max-width: {TEXT_WIDTH}; }}
a {{ color: var(--mui-palette-primary-main, {PRIMARY}); text-decoration: none; }}
a:hover {{ text-decoration: underline; }}
.chip {{ display: inline-flex; align-items: center; gap: 4px; height: 22px; padding: 0 8px; border-radius: 11px; font-size: 12px;
  font-weight: 700; white-space: nowrap; box-sizing: border-box; }}
.chip svg {{ width: 12px; height: 12px; fill: currentColor; flex: none; }}
{
    "".join(
        f".tone-{name} {{ color: var(--mui-palette-state-{name}Ink, {tone.ink}); "
        f"background: var(--mui-palette-state-{name}Ground, {tone.ground}); }} "
        f".ink-{name} {{ color: var(--mui-palette-state-{name}Ink, {tone.ink}); }} "
        for name, tone in TONES.items()
    )
}
wb-id {{ cursor: copy; }}
wb-id:hover, wb-time {{ text-decoration: underline dotted; text-decoration-color: var(--mui-palette-divider, #ccc);
  text-underline-offset: 3px; }}
.wait {{ border-radius: 4px; margin: 2px 0; background: var(--mui-palette-divider, #dfe5ec); animation: wait 1.6s ease-in-out infinite; }}
@keyframes wait {{ 50% {{ opacity: .45; }} }}
@media (prefers-reduced-motion: reduce) {{ .wait {{ animation: none; }} }}
dl.facts {{ display: grid; grid-template-columns: minmax(96px, max-content) 1fr; gap: 6px 16px; margin: 0; }}
dl.facts dt {{ color: var(--mui-palette-text-secondary, #566272); }}
dl.facts dd {{ margin: 0; min-width: 0; overflow-wrap: anywhere; }}
.scroll {{ overflow-x: auto; }}
.scroll table {{ border-collapse: collapse; font-size: 12px; }}
.scroll th, .scroll td {{ text-align: left; vertical-align: top; padding: 3px 12px 3px 0; white-space: nowrap;
  border-bottom: 1px solid var(--mui-palette-divider, #dfe5ec); }}
.scroll th {{ color: var(--mui-palette-text-secondary, #566272); }}
pre {{ font: 12.5px/1.5 {MONO}; white-space: pre-wrap; overflow-wrap: anywhere; margin: 0; }}
ins {{ background: var(--mui-palette-state-successGround, #e2f3e6); color: var(--mui-palette-state-successInk, #1b5e2a);
  text-decoration: none; }}
del {{ background: var(--mui-palette-state-errorGround, #fce6e6); color: var(--mui-palette-state-errorInk, #9b1c1c); }}
"""
