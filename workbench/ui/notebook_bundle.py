"""Send the code of panel-material-ui to a notebook once, not with every button.

Inline, each component carries the whole bundle: 1.4 MB apiece, 25 MB for one model. Here the loading
cell carries it, and components get a stub that waits for it.
"""

from __future__ import annotations

import base64
import json
import re
from typing import Any

from panel_material_ui.base import BUNDLE_PATH, DIST_PATH, MaterialComponent

STUB = """
while (!globalThis.workbench_material) { await new Promise((resume) => setTimeout(resume, 20)) }
export default (await globalThis.workbench_material).default
"""
BUNDLE = "workbench-material"
FONTS = ("material-icons", "material-icons-outlined", "roboto-latin-400-normal", "roboto-latin-700-normal")
_LOADER = """
globalThis.workbench_material ??= (async () => {
  while (!globalThis.importShim) { await new Promise((resume) => setTimeout(resume, 20)) }
  return importShim(URL.createObjectURL(new Blob([BUNDLE_TEXT], {type: "text/javascript"})))
})()
"""


def share_bundle() -> None:
    """Give components in notebooks the stub instead of the bundle."""
    original = MaterialComponent._get_model
    if getattr(original, "shares_bundle", False):
        return

    def get_model(self: Any, doc: Any, root: Any = None, parent: Any = None, comm: Any = None) -> Any:
        model = original(self, doc, root, parent, comm)
        if comm is not None and model.bundle is not None:
            model.update(bundle=BUNDLE, esm=STUB, css_bundle=icon_rules())
        return model

    get_model.shares_bundle = True  # type: ignore[attr-defined]
    MaterialComponent._get_model = get_model


def loader() -> str:
    """Return the script that brings the bundle into a browser page."""
    return _LOADER.replace("BUNDLE_TEXT", json.dumps(BUNDLE_PATH.read_text(encoding="utf-8")))


def icon_rules() -> str:
    """Return the rules by which a word becomes an icon."""
    css = BUNDLE_PATH.with_suffix(".css").read_text(encoding="utf-8")
    return "".join(re.findall(r"\.material-icons(?:-outlined)?\{[^}]*\}", css))


def font_faces() -> str:
    """Return the fonts of icons and text as rules that need no further file."""
    return "".join(_face(name) for name in FONTS)


def _face(name: str) -> str:
    path = next(path for path in sorted(DIST_PATH.glob(f"{name}-*.woff2")) if _stem(path.name) == name)
    family, weight = _KNOWN[name]
    data = base64.b64encode(path.read_bytes()).decode()
    source = f"url(data:font/woff2;base64,{data}) format('woff2')"
    return f"@font-face {{ font-family: '{family}'; font-weight: {weight}; src: {source}; }}\n"


def _stem(name: str) -> str:
    return name.rpartition("-")[0]


_KNOWN = {
    "material-icons": ("Material Icons", 400),
    "material-icons-outlined": ("Material Icons Outlined", 400),
    "roboto-latin-400-normal": ("Roboto", 400),
    "roboto-latin-700-normal": ("Roboto", 700),
}
