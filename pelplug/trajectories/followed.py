"""Which rows are the same particle: identity over frames, and positions that go on across the cell's faces."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator

import numpy as np

from pelplug.configuration import Configuration
from pelplug.errors import InputError
from pelplug.trajectories.part import TrajectoryPart
from pelplug.trajectories.readers.identity import Rows, check_same_particles, explain_unknown
from pelplug.trajectories.readers.labels import rename
from pelplug.trajectories.readers.unwrap import Follower

__all__ = ["FollowedParticles"]


class FollowedParticles(TrajectoryPart):
    """The part of a `Trajectory` that compares frames."""

    def unwrapped(
        self, start: int = 0, stop: int | None = None, step: int = 1, *, same_species: bool = True
    ) -> Iterator[Configuration]:
        """Yield configurations whose `unwrapped_positions` are continuous, also where the file has no image flags.

        Parameters
        ----------
        start, stop, step : int, optional
            Frames to yield, as in a slice with a positive step.
        same_species : bool, optional
            Whether to refuse frames in which a particle changes its species.

        Yields
        ------
        Configuration
            Images are the file's, or else count the crossings since frame `start`: a particle is taken to move less
            than half a cell vector between two frames of the file, so all in between are read whatever `step` is.
            Where the cell changes, displacements from frame to frame are added up, which images alone do not give.

        Raises
        ------
        InputError
            If rows are not the same particles in all frames, or nobody knows; if images must be counted and a particle
            comes so close to half a cell vector between two frames that another may have passed it unseen.

        Notes
        -----
        See `pelplug.trajectories.readers.unwrap.Follower`.
        """
        start, stop, step = slice(start, stop, step).indices(self.n_frames)
        if step < 1:
            raise InputError("Unwrapping goes forward in time; give a positive step.")
        if stop - start > 1:
            self._check_identity_known(start)

        def scan(most: int | None) -> Iterator[np.ndarray]:
            chosen = range(start, stop) if most is None else np.unique(np.linspace(start, stop - 1, most).astype(int))
            return (self.configuration(int(number)).fractional() for number in chosen)

        follower, first = Follower(self.path, self.positions, scan), None
        for number in range(start, stop):
            configuration = self.configuration(number)
            rows = Rows(number, self._ids_shown(), configuration.species if same_species else None)
            first = first or rows
            check_same_particles(first, rows, self.path)
            configuration = follower.follow(number, configuration)
            if (number - start) % step == 0:
                yield configuration

    def check_identity(self, frames: Iterable[int] | None = None, same_species: bool = True) -> None:
        """Refuse frames whose rows are not the same particles, before any work is done.

        Parameters
        ----------
        frames : iterable of int, optional
            Which are to be compared; all of them by default. Those that cannot be read are left to whoever reads them.
        same_species : bool, optional
            Whether to refuse frames in which a particle changes its species too.

        Raises
        ------
        InputError
            If the file has no ids and its writer does not keep the order of particles, or if ids or species change.
        """
        numbers = np.arange(self.n_frames) if frames is None else np.asarray(list(frames), dtype=np.int64)
        numbers = numbers[numbers < self.n_frames]
        if len(numbers) < 2 or (same_species and numbers.tobytes() in self._followed):
            return
        self._check_identity_known(int(numbers[0]))
        if self._generic is None or self._generic.has_ids:
            first = None
            for number in numbers:
                try:
                    rows = self._rows(int(number))
                except InputError:
                    continue
                if not same_species:
                    rows = dataclasses.replace(rows, species=None)
                first = first or rows
                check_same_particles(first, rows, self.path)
        if same_species:
            self._followed.add(numbers.tobytes())

    def why_not_followed(self, frames: Iterable[int] | None = None) -> str:
        """Return why rows are not the same particles in some frames, or all; empty if they are."""
        try:
            self.check_identity(frames, same_species=False)
        except InputError as error:
            return str(error)
        return ""

    def check_same_particles(self, frame: int, other: FollowedParticles, other_frame: int) -> None:
        """Refuse a frame of this file and one of another whose rows are not the same particles."""
        self._check_identity_known(frame)
        other._check_identity_known(other_frame)
        check_same_particles(self._rows(frame), other._rows(other_frame), self.path, other.path)

    def _check_identity_known(self, frame: int) -> None:
        if self.order_is_kept or self._generic is not None or not self.reader.unordered:
            return
        try:
            ids, _ = self.reader.rows(frame)
        except InputError:
            return
        if ids is None:
            raise InputError(explain_unknown(self.path, self.reader.unordered))

    def _rows(self, number: int) -> Rows:
        if self._generic is not None:
            return Rows(number, self._generic.ids(number), self.species)
        ids, labels = self.reader.rows(number)
        found = labels.get(self._kind.removeprefix("pelplug_"))
        return Rows(number, ids, self.species if found is None else rename(found, self.source.species))

    def _ids_shown(self) -> np.ndarray | None:
        """Return the ids of the frame that was read last."""
        ts = self.reader.ts
        return ts.data.get("pelplug_ids") if self._generic is None else self._generic.ids(ts.frame)
