"""The one class behind every view: cheap to build, live once a browser shows it, gone with the session."""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection
from typing import Any, ClassVar

import panel as pn
import panel_material_ui as pmui
import param
from panel.io.state import set_curdoc

from workbench.client.live import LiveQuery
from workbench.ui.components.head import head
from workbench.ui.components.markup import retold
from workbench.ui.components.ready import Ready, left, release_with_session, session_document
from workbench.ui.components.states import ErrorState, skeleton
from workbench.ui.components.toasts import Toasts
from workbench.ui.notebook import draw
from workbench.ui.theme import theme_config


class View(pn.viewable.Viewer):
    """Show something of a workspace, in a page or in a notebook cell; there its head comes along.

    Subclasses override `build()` to return skeletons at once and call `live()` or `watch()` for what
    comes from the service. `url` names the parameters that are kept in a page's address, `keys` the keys it listens to.
    """

    url: ClassVar[tuple[str, ...]] = ()
    keys: ClassVar[tuple[tuple[str, str], ...]] = ()
    gap: ClassVar[int] = 2
    live_query: ClassVar[type[LiveQuery]] = LiveQuery

    ws = param.Parameter(doc="The workspace shown.")
    sentence = param.String("", doc="One line that says how things stand: text, or safe markup.")

    def __init__(self, ws: Any, *, frame: View | None = None, **arguments: Any) -> None:
        """Make the view; one that shares a page with `frame` also shares its signal and its toasts."""
        self.framed = frame is not None
        self.paged = False
        self.ready = frame.ready if frame is not None else Ready()
        self.toasts = frame.toasts if frame is not None else Toasts()
        self.parts: list[Part] = []
        self.guard = threading.RLock()
        self.document = session_document()
        super().__init__(ws=ws, **arguments)
        self._layout: pmui.Column | None = None
        if self.document is None and frame is None:
            self.ready.cell = True
            self.ready.visit = getattr(ws, "page", None)
        self.ready.on_ready(self.start)
        self.ready.on_gone(self.close)
        release_with_session(self.close)

    def build(self) -> list[Any]:
        """Return what the view consists of, without asking the service."""
        raise NotImplementedError

    def primary(self) -> Any | None:
        """Return the page's one primary action, or None."""
        return None

    def live(
        self,
        call: Callable[..., Any],
        draw: Callable[[Any], Any],
        *,
        height: int = 96,
        about: str | None = None,
        **arguments: Any,
    ) -> Part:
        """Return a part drawn from each new answer of a facade method, a skeleton until the first.

        `draw` returns what the part shows, or None when it has updated things in place. With `about` only
        changes of the thing with that id bring a new answer.
        """
        part = Part(self, self.live_query(call, arguments, about=about), draw, skeleton(height))
        self.parts.append(part)
        return part

    def watch(
        self,
        call: Callable[..., Any],
        take: Callable[[Any], None],
        *,
        about: str | None = None,
        topics: Collection[str] | None = None,
        **arguments: Any,
    ) -> Part:
        """Call `take` with each new answer of a facade method; shows nothing but its errors.

        With `topics` it is asked again when one of those changes, in place of the topics of its operation.
        """
        part = Part(self, self.live_query(call, arguments, topics, about=about), take, None)
        self.parts.append(part)
        return part

    def tie(self, other: param.Parameterized, **names: str) -> None:
        """Keep parameters of this view and of another thing equal: own name -> the other's name."""
        for mine, theirs in names.items():
            self.param.watch(lambda event, theirs=theirs: other.param.update(**{theirs: event.new}), mine)
            other.param.watch(lambda event, mine=mine: self.param.update(**{mine: event.new}), theirs)

    def run(self, task: Callable[[], Any]) -> None:
        """Run a task in the session this view belongs to; any thread may ask for it."""
        document = self.document
        if document is None:
            draw(task)
            return

        def in_session() -> None:
            # Without this Panel may take another session's stylesheets for this one's.
            with set_curdoc(document):
                task()

        try:
            document.add_next_tick_callback(in_session)
        except AttributeError as error:
            if not left(document, error):
                raise

    def start(self) -> None:
        """Start what is live; called once a browser has attached."""
        for part in self.parts:
            part.start()

    def close(self) -> None:
        """Release every live query."""
        for part in self.parts:
            part.close()

    def __panel__(self) -> pn.viewable.Viewable:
        if self._layout is None:
            # A page brings the theme for everything on it; a notebook cell has nothing around it.
            theme = {} if self.document is not None else {"theme_config": theme_config()}
            own = [] if self.framed else [self.ready, self.toasts]
            built = self.build()
            alone = self.document is None and not self.paged
            above = [head(self)] if alone and type(self).primary is not View.primary else []
            area = {"sx": {"gap": self.gap}, "margin": 0, "sizing_mode": "stretch_width"}
            self._layout = pmui.Column(*above, *built, *own, **area, **theme)
        return self._layout

    def admit(self, trouble: pn.viewable.Viewable) -> None:
        """Show what went wrong with something that has no place of its own."""
        if self._layout is not None:
            self._layout.append(trouble)


class Part(pn.viewable.Viewer):
    """A region that follows one query: skeleton, then content, or what went wrong."""

    def __init__(self, view: View, query: LiveQuery, draw: Callable[[Any], Any], placeholder: Any) -> None:
        super().__init__()
        self.view = view
        self.query = query
        self._draw = draw
        self._placed = False
        self._content: list[Any] = [placeholder] if placeholder is not None else []
        self._shown: list[Any] | None = None
        self._box = pmui.Column(*self._content, margin=0, sizing_mode="stretch_width", sx={"gap": 2})
        self._due = False
        self.refuse: Callable[[BaseException], bool] | None = None  # takes over what went wrong, where it knows a better place
        query.param.watch(self._changed, ["revision", "error"])

    @property
    def box(self) -> pmui.Column:
        """Return what the region shows; whoever asks for it gives it a place."""
        self._placed = True
        return self._box

    def start(self) -> None:
        """Ask for the first time, away from the event loop."""
        threading.Thread(target=self.query.start, daemon=True).start()

    def ask(self, **arguments: Any) -> None:
        """Ask again with other arguments, away from the event loop."""
        # Threads may overtake each other, so what is asked for is settled before they start.
        self.query.aim(**arguments)
        threading.Thread(target=self.query.refresh, daemon=True).start()

    def replace(self, **arguments: Any) -> None:
        """Ask again with these arguments and no others."""
        self.query.forget(*(name for name in self.query.arguments if name not in arguments))
        self.ask(**arguments)

    def refresh(self) -> None:
        """Ask again."""
        self.ask()

    def close(self) -> None:
        """Stop following."""
        self.query.close()

    def _changed(self, *events: Any) -> None:
        """Draw in the session the view belongs to; answers arrive on threads of their own."""
        if not self._due:
            self._due = True  # answers that come before the page gets to draw are drawn once
            self.view.run(self._update)

    def _update(self) -> None:
        self._due = False
        with self.view.guard:
            if self.query.error is not None:
                self._fail(self.query.error)
                return
            try:
                drawn = self._draw(self.query.value)
            except Exception as error:  # noqa: BLE001  a view must never fall silent: what broke is shown in its place
                self._fail(error)
                return
            if drawn is not None:
                self._content = list(drawn) if isinstance(drawn, (list, tuple)) else [drawn]
            self.place(self._content)

    def _fail(self, error: BaseException) -> None:
        if self.refuse is not None and self.refuse(error):
            self.place([])
            return
        if not self._placed:
            self.view.admit(self.box)
        self.place([ErrorState(error, retry=self.refresh)])

    def place(self, things: list[Any]) -> None:
        """Show these things; the same ones are not placed again, which would draw and send all of them anew."""
        # Not compared with the objects of the box: those are what it made of the things.
        before = iter(self._shown or ())
        now = [retold(next(before, None), new) for new in things]
        if self._shown != now:
            self._shown = now
            self._box.objects = now

    def __panel__(self) -> pn.viewable.Viewable:
        return self.box
