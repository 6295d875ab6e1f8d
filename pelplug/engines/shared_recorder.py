"""A recorder for several processes: the first one has the folder, the others follow."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pelplug.engines.recorder import Checkpoint, Recorder
from pelplug.execution.ranks import Ranks

__all__ = ["SharedRecorder"]


class SharedRecorder(Recorder):
    """`Recorder` on the first process; on the others everything but `command` and `close` waits for its answer.

    Parameters
    ----------
    output, command, code
        As for `Recorder`, the same on all.
    ranks : Ranks
        The processes.
    """

    def __init__(self, output, command: Mapping, code: Mapping[str, str] | None, ranks: Ranks):
        super().__init__(output, command, code)
        self._ranks = ranks

    @property
    def frames(self) -> int:
        """Frames written so far."""
        return self._ranks.first(lambda: Recorder.frames.fget(self))

    @property
    def moved(self) -> bool:
        """See `Recorder.moved`."""
        return self._ranks.first(lambda: Recorder.moved.fget(self))

    def clean(self) -> None:
        """See `Recorder.clean`."""
        self._ranks.first(super().clean)

    def finished(self) -> dict | None:
        """See `Recorder.finished`."""
        return self._ranks.first(super().finished)

    def lock(self, *others: Any, **patience: Any) -> None:
        """See `Recorder.lock`."""
        mine = super().lock
        self._ranks.first(lambda: mine(*others, **patience))

    def claim(self, overwrite: bool) -> None:
        """See `Recorder.claim`."""
        mine = super().claim
        self._ranks.first(lambda: mine(overwrite))

    def load(self) -> Checkpoint | None:
        """See `Recorder.load`."""
        return self._ranks.first(super().load)

    def begin(self, records: Mapping[str, Mapping], frames: int = 0) -> None:
        """See `Recorder.begin`."""
        mine = super().begin
        self._ranks.first(lambda: mine(records, frames))

    def write(self, configuration, log, time_step: float) -> None:
        """See `Recorder.write`."""
        mine = super().write
        self._ranks.first(lambda: mine(configuration, log, time_step))

    def save(self, checkpoint: Checkpoint) -> None:
        """See `Recorder.save`."""
        mine = super().save
        self._ranks.first(lambda: mine(checkpoint))

    def finish(self, overwrite: bool) -> None:
        """See `Recorder.finish`."""
        mine = super().finish
        self._ranks.first(lambda: mine(overwrite))

    def discard(self) -> None:
        """See `Recorder.discard`."""
        if self._ranks.rank == 0:
            super().discard()

    def close(self) -> None:
        """See `Recorder.close`; nobody waits, for it is also called after a failure."""
        if self._ranks.rank == 0:
            super().close()
