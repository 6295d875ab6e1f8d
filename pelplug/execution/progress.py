"""Progress lines, in a terminal and in a notebook, that know that kernels are compiled once and frames many times."""

from __future__ import annotations

import contextlib
from typing import Any

from MDAnalysis.lib.log import ProgressBar

from pelplug.execution.compile_events import watch

__all__ = ["COMPILING", "Progress"]

COMPILING = "compiling kernels, once"


class Progress(ProgressBar):
    """A progress bar that says when kernels are compiled and leaves that time out of its estimate.

    Parameters
    ----------
    *args, **kwargs
        Of `MDAnalysis.lib.log.ProgressBar`, which is tqdm's.
    settle : int, optional
        Updates before the estimate begins: work that comes back from that many workers has their start in it.
    """

    def __init__(self, *args: Any, settle: int = 0, **kwargs: Any) -> None:
        self.last_print_t: float  # tqdm's
        self._settle = settle
        self._compiling_since: float | None = None
        self._compiled = 0.0  # seconds
        self._origin: tuple[float, float] | None = None  # what was done, and when, where the estimate begins
        self._watching = contextlib.ExitStack()
        super().__init__(*args, **kwargs)
        if not self.disable:
            self._watching.enter_context(watch(self.compiling))

    def compiling(self, begins: bool) -> None:
        """Show that kernels are being compiled, or leave the time that it took out of the estimate."""
        if self.disable:
            return
        if begins:
            self._compiling_since = self._time()
            self.set_postfix_str(COMPILING)
        elif self._compiling_since is not None:
            took = self._time() - self._compiling_since
            self._compiling_since = None
            self._compiled += took
            self.last_print_t = min(self.last_print_t + took, self._time())

    def update(self, n: float = 1) -> bool | None:
        """Count what has been done; the note about kernels goes with the first of it."""
        if not self.disable:
            if self.postfix == COMPILING and self._compiling_since is None:
                self.set_postfix_str("", refresh=False)
            self._settle -= 1
            if self._settle == 0:
                self._origin = (self.n + n, self._time())
        return super().update(n)

    @property
    def format_dict(self) -> dict:
        """What the line shows; a rate of 0 stands for an unknown one."""
        shown = super().format_dict
        if self.disable or not hasattr(self, "start_t"):
            return shown
        now = self._time()
        if self._settle > 0:
            shown["rate"] = 0.0
        elif self._origin is not None:
            done, since = self._origin
            shown["rate"] = (self.n - done) / (now - since) if self.n > done and now > since else 0.0
        elif shown["rate"] is None:
            running = now - self._compiling_since if self._compiling_since is not None else 0.0
            spent = now - self.start_t - self._compiled - running
            shown["rate"] = (self.n - self.initial) / spent if spent > 0.0 else 0.0
        return shown

    def close(self) -> None:
        """Leave the line as it is."""
        if hasattr(self, "_watching"):
            self._watching.close()
        if getattr(self, "postfix", None) == COMPILING:
            self.postfix = None
        super().close()
