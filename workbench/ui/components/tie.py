"""Keep parameters of two objects equal."""

from __future__ import annotations

import param


def tie(first: param.Parameterized, second: param.Parameterized, *names: str, **renamed: str) -> None:
    """Make parameters equal in both directions, starting with the values of `second`.

    `names` are called the same on both; `renamed` maps a name of `first` to one of `second`.
    """
    pairs = {**{name: name for name in names}, **renamed}
    first.param.update(**{mine: getattr(second, other) for mine, other in pairs.items()})
    first.param.watch(lambda *events: second.param.update(**{pairs[e.name]: e.new for e in events}), list(pairs))
    back = {other: mine for mine, other in pairs.items()}
    second.param.watch(lambda *events: first.param.update(**{back[e.name]: e.new for e in events}), list(back))
