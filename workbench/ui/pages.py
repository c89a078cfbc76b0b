"""The pages of the workbench and the frame around each: bar, navigation, title, footer."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import panel as pn
import panel_material_ui as pmui
import param
from panel.util import edit_readonly

from workbench.ui.components.head import head
from workbench.ui.components.history import PageHistory
from workbench.ui.components.narrow import NarrowSignal
from workbench.ui.components.preferred_theme import PreferredTheme
from workbench.ui.components.states import ErrorState
from workbench.ui.data import DataView
from workbench.ui.generate import GenerateView
from workbench.ui.home import HomeView
from workbench.ui.jobs import JobsView
from workbench.ui.label import LabelView
from workbench.ui.models import ModelsView
from workbench.ui.monitor import MonitorView
from workbench.ui.serving import ServingView
from workbench.ui.settings import SettingsView
from workbench.ui.theme import PAGE_WIDTH, STEP, TIP_CSS, theme_config
from workbench.ui.topbar import Footer, TopBar
from workbench.ui.train import TrainView
from workbench.ui.url import UrlState, page_location, query_of, search_of
from workbench.ui.view import View

NAVIGATION_WIDTH = 208


@dataclass(frozen=True)
class Screen:
    """One page: where it is, what it is called and the view that fills it."""

    path: str
    title: str
    icon: str
    view: Callable[..., View]


def titles(screens: Sequence[Screen] | None = None) -> dict[str, str]:
    """Return the browser title of each path."""
    return {screen.path: f"{screen.title} - Workbench" for screen in (SCREENS if screens is None else screens)}


def build_page(ws: Any, screen: Screen, screens: Sequence[Screen]) -> pmui.Page:
    """Return the whole page of one screen."""
    view = _view(ws, screen)
    bar = TopBar(ws, frame=view, page_keys=view.keys)
    dark = pn.config.theme == "dark"
    navigation = Navigation(screens, screen)
    page = pmui.Page(
        title="",
        header=[bar],
        sidebar=[navigation],
        main=[_main(ws, screen, view)],
        main_width=PAGE_WIDTH,
        sidebar_width=NAVIGATION_WIDTH,
        sidebar_resizable=False,
        theme_config=theme_config(),
        dark_theme=dark,
        busy_indicator=None,
        favicon="./favicon.ico",
        raw_css=[_CALM_LOADING, TIP_CSS],
        sx=_PAGE_SX,
    )
    # Nothing shows it, and with each event of the browser the whole page would be gone through and told, twice.
    with edit_readonly(page):
        page.busy = False
    theme = PreferredTheme()
    navigation.follow_theme(page, theme)
    # A phone has no room for the navigation: it opens on demand.
    signal = NarrowSignal(lambda: view.ready.on_ready(lambda: _close_navigation(page, signal)))
    page.main = [*page.main, signal, theme, PageHistory()]
    return page


def _close_navigation(page: pmui.Page, signal: NarrowSignal) -> None:
    page.sidebar_open = False
    signal.closed = True


def _view(ws: Any, screen: Screen) -> View:
    """Return the screen's view, or one that says why it could not be made."""
    try:
        view = screen.view(ws)
        view.paged = True
        UrlState(view, view.url)
        view.__panel__()
    except Exception as error:
        logging.getLogger(__name__).exception("the page %s could not be built", screen.path)
        return BrokenView(ws, error=error)
    return view


class BrokenView(View):
    """Say why a page could not be made."""

    error = param.Parameter(doc="What went wrong.")

    def build(self) -> list[Any]:
        """Return the error."""
        return [ErrorState(self.error, what="This page could not be shown")]


# The page shows its own skeletons while it loads, so the dark veil over everything stays away.
_CALM_LOADING = "#loader:not(.error) { background: none !important; pointer-events: none; } #loader .spinner { display: none; }"
_PAGE_SX = {
    # These two colors keep panel-material-ui from giving the bar a theme of its own.
    ".MuiAppBar-root": {
        "bgcolor": "primary.contrastText",
        "color": "primary.main",
        "boxShadow": "none",
        "borderBottom": "1px solid",
        "borderColor": "divider",
    },
    ".MuiToolbar-root": {"minHeight": "56px !important", "height": "56px", "m": 0},
    ".main": {"bgcolor": "background.default"},
    ".MuiDrawer-paper": {"bgcolor": "background.paper", "borderColor": "divider", "boxShadow": "none"},
}


def _main(ws: Any, screen: Screen, view: View) -> pn.viewable.Viewable:
    title = pmui.Typography(screen.title, variant="h5", margin=0)
    return pmui.Column(head(view, title), view, Footer(ws, frame=view), sx={"p": 3, "gap": 2}, margin=0, sizing_mode="stretch_width")


class Navigation(pn.viewable.Viewer):
    """List the pages that exist; the choice of light or dark travels with the links."""

    def __init__(self, screens: Sequence[Screen], current: Screen, **params: Any) -> None:
        super().__init__(**params)
        self._screens = screens
        self._list = pmui.MenuList(
            items=self._items(dark=pn.config.theme == "dark"),
            active=[screen.path for screen in screens].index(current.path),
            color="primary",
            dense=True,
            margin=(STEP, 0),
            sizing_mode="stretch_width",
        )

    def _items(self, *, dark: bool) -> list[dict[str, Any]]:
        query = search_of({"theme": "dark"} if dark else {})
        # Paths are relative, so that the pages also work below a prefix that a proxy strips.
        return [{"label": s.title, "icon": s.icon, "href": f".{s.path}{query}"} for s in self._screens]

    def follow_theme(self, page: pmui.Page, theme: PreferredTheme) -> None:
        """Keep light or dark when moving to another page and on reload; the address says what somebody chose."""
        location = page_location()

        def follow(event: Any) -> None:
            self._list.items = self._items(dark=event.new)
            if location is not None and not theme.dark:
                query = {k: v for k, v in query_of(location.search).items() if k != "theme"}
                location.search = search_of(query | ({"theme": "dark"} if event.new else {}))

        page.param.watch(follow, "dark_theme")

    def __panel__(self) -> pn.viewable.Viewable:
        return self._list


SCREENS: tuple[Screen, ...] = (
    Screen("/home", "Home", "home", HomeView),
    Screen("/data", "Data", "table_chart", DataView),
    Screen("/generate", "Generate", "auto_awesome", GenerateView),
    Screen("/label", "Label", "rate_review", LabelView),
    Screen("/train", "Train", "model_training", TrainView),
    Screen("/models", "Models", "inventory_2", ModelsView),
    Screen("/deploy", "Deploy", "rocket_launch", ServingView),
    Screen("/monitor", "Monitor", "monitor_heart", MonitorView),
    Screen("/jobs", "Jobs", "list_alt", JobsView),
    Screen("/settings", "Settings", "settings", SettingsView),
)
__all__ = ["SCREENS", "Navigation", "Screen", "build_page", "titles"]
