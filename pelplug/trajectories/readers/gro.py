"""GRO files with all their frames, of which MDAnalysis reads the first."""

from __future__ import annotations

import io
import itertools
import re
import weakref

import numpy as np
from MDAnalysis.coordinates.base import ReaderBase
from MDAnalysis.coordinates.GRO import GROReader
from MDAnalysis.lib.util import NamedStream, store_init_arguments

from pelplug.errors import InputError
from pelplug.trajectories.readers.base import about_frame
from pelplug.trajectories.readers.text import DAMAGED, open_binary, text_of

__all__ = ["GROFrames"]

_NUMBER = r"([-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?)"
_TIME, _STEP = re.compile(rf"\bt=\s*{_NUMBER}"), re.compile(r"\bstep=\s*(\d+)")


class GROFrames(ReaderBase):
    """Reader of GRO files of one frame or many, with the times and steps of their titles (``t= 1.0 step= 500``).

    Parameters
    ----------
    filename : path_like
        As ``gmx trjconv -o traj.gro`` writes it.
    **keywords
        Of `MDAnalysis.coordinates.base.ReaderBase`, as ``convert_units``.
    """

    units = {"time": "ps", "length": "nm", "velocity": "nm/ps"}  # noqa: RUF012 (the attribute MDAnalysis looks up)
    single: type[GROReader] = GROReader  # what reads a frame

    @store_init_arguments
    def __init__(self, filename, **keywords):
        keywords.pop("n_atoms", None)
        super().__init__(str(filename), **keywords)
        self._offsets, self.n_atoms = self._scan()
        if not self._offsets:
            raise InputError(f"{filename} has no frames; check that the run which wrote it got that far.")
        self._read_frame(0)

    def _scan(self) -> tuple[list[int], int]:
        """Return where each frame begins, and the number of atoms of the first."""
        offsets, first = [], 0
        try:
            with open_binary(self.filename) as file:
                while title := file.readline():
                    start = file.tell() - len(title)
                    count = file.readline()
                    if not count.strip():
                        if title.strip():
                            raise InputError(f"it ends after a title (byte {start}); write it again")
                        continue  # empty lines at the end
                    try:
                        n = int(count)
                    except ValueError:
                        raise InputError(
                            f"frame {len(offsets)} does not give its number of atoms in its second line; write it again"
                        ) from None
                    first = first or n
                    offsets.append(start)
                    for _ in itertools.islice(file, n + 1):
                        pass
        except (InputError, *DAMAGED) as error:
            raise InputError(f"{self.filename} is truncated or damaged: {error}.") from None
        return offsets, first

    @property
    def n_frames(self) -> int:
        """Number of frames."""
        return len(self._offsets)

    def _read_frame(self, frame):
        try:
            return self._parse(int(frame))
        except InputError as error:
            raise InputError(f"{about_frame(frame, self.filename, error)}.") from None

    def _parse(self, frame):
        with open_binary(self.filename) as file:
            file.seek(self._offsets[frame])
            title, count = file.readline().decode(errors="replace"), file.readline()
            lines = [text_of(line) for line in itertools.islice(file, int(count) + 1)]
        if int(count) != self.n_atoms:
            raise InputError(
                f"it has {int(count)} particles, and frame 0 {self.n_atoms}; split the file where the number changes"
            )
        if len(lines) < self.n_atoms + 1:
            raise InputError("the file ends in the middle of it; use the frames before it")
        text = f"frame\n{self.n_atoms}\n{''.join(lines)}"
        one = self.single(NamedStream(io.StringIO(text), self.filename), convert_units=self.convert_units)
        ts = one.ts
        time, step = _TIME.search(title), _STEP.search(title)
        if frame and ((time is None) == self._timed):
            raise InputError("its title has no time (t=) although that of frame 0 has, or the other way round")
        self._timed = time is not None
        if time is not None:
            ts.data["time"] = float(time.group(1))
        if step is not None:
            ts.data["step"] = int(step.group(1))
        ts.frame, ts._reader = frame, weakref.ref(self)
        self.ts = ts
        return ts

    def _read_next_timestep(self, ts=None):
        if self.ts.frame + 1 >= self.n_frames:
            raise OSError("there is no further frame")
        return self._read_frame(self.ts.frame + 1)

    def _reopen(self) -> None:
        self.ts.frame = -1

    def _get_dt(self):
        """Time between the first two frames."""
        now = self.ts.frame
        times = [self._read_frame(k).data.get("time", float(k)) for k in range(min(2, self.n_frames))]
        self._read_frame(max(now, 0))
        return float(np.ptp(times)) or 1.0

    def close(self) -> None:
        """Do nothing: the file is open only while a frame is read."""
