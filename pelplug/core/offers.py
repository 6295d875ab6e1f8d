"""What plugins offer, asked for by rooms below the host: they ask here, and who knows the plugins answers."""

from __future__ import annotations

import contextlib
import contextvars
import importlib
import sys
from collections.abc import Callable, Iterator
from typing import Any

__all__ = ["answering", "offered"]

_Answer = Callable[[str], dict[str, tuple[Any, str]]]

_chosen: contextvars.ContextVar[_Answer | None] = contextvars.ContextVar("pelplug_offers", default=None)


@contextlib.contextmanager
def answering(answer: _Answer) -> Iterator[None]:
    """Let a function answer for a while: that of a command's own plugins, or of those given to a run."""
    token = _chosen.set(answer)
    try:
        yield
    finally:
        _chosen.reset(token)


def offered(kind: str) -> dict[str, tuple[Any, str]]:
    """Return what plugins offer of a kind by name, as ``offered("readers")``: each thing with its owner, in words."""
    answer = _chosen.get()
    if answer is None:
        # The public face stands above all rooms, and names the function that answers where nobody else does.
        module, _, function = sys.modules["pelplug"]._PLUGINS_ASKED_BY.partition(":")
        answer = getattr(importlib.import_module(module), function)
    return answer(kind)
