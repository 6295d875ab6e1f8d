"""The loop over frames: what is checked before it, where it runs, and what it leaves of each frame."""

from __future__ import annotations

import os
import types
from typing import Any, Self

import numpy as np
from MDAnalysis.analysis.backends import BackendBase
from MDAnalysis.analysis.base import AnalysisBase
from MDAnalysis.analysis.results import Results, ResultsGroup

from pelplug.core.arguments import takes
from pelplug.core.fields import Need, check_needs
from pelplug.errors import InputError
from pelplug.execution.backends import make_backend
from pelplug.execution.progress import Progress
from pelplug.potentials.derivatives import check_derivatives
from pelplug.tasks.assembly import FrameFailure, FrameRecord, check_values, frames_of
from pelplug.trajectories.selection import select_frames
from pelplug.trajectories.source import Frames

__all__ = ["FrameLoop"]


class FrameLoop(AnalysisBase):
    """The part of `Analysis` that runs: frames are computed here or in other processes, and each fails alone."""

    _analysis_algorithm_is_parallelizable = True
    _label: int | None

    @classmethod
    def get_supported_backends(cls) -> tuple[str, ...]:
        """Return the names of the backends `run` takes."""
        return ("serial", "multiprocessing", "dask") if cls._analysis_algorithm_is_parallelizable else ("serial",)

    @takes(selection=Frames)
    def run(
        self,
        selection: Frames,
        verbose: bool | None = None,
        n_workers: int | None = None,
        n_parts: int | None = None,
        backend: str | BackendBase | None = None,
        *,
        scheduler: str | None = None,
        unsupported_backend: bool = False,
        progressbar_kwargs: dict | None = None,
    ) -> Self:
        """Compute the selected frames and join them.

        Parameters
        ----------
        selection : Frames
            Which frames.
        verbose : bool, optional
            Show progress.
        n_workers : int, optional
            Number of processes; all usable cores by default.
        n_parts : int, optional
            Number of groups the frames are split into.
        backend : {"serial", "multiprocessing", "dask"} or BackendBase, optional
            Where frames are computed; results are the same in all.
        scheduler : str, optional
            Address of a dask scheduler, for the dask backend.
        unsupported_backend, progressbar_kwargs
            As in `MDAnalysis.analysis.base.AnalysisBase.run`.

        Returns
        -------
        Analysis
            Itself, with `results`.

        Raises
        ------
        InputError
            If the frames do not exist, or something the analysis needs is missing.
        RunError
            If every frame failed.
        """
        if self.trajectory is None:
            raise InputError(f"The analysis {self.name} has no trajectory to run on; give it one.")
        source = os.fspath(self.trajectory.path)
        for one in self.trajectories:
            check_needs(self.name, self.needs, one, self.model is not None)
        if selection.frames is None:
            selected = self.joined.select(selection)
        else:  # numbers through all trajectories
            selected = select_frames(self.joined.n_frames, selection, source)
        if Need.IDENTITY in self.needs:
            self.joined.check_identity(selected)
        if self.model is not None and Need.POTENTIAL in self.needs:
            check_derivatives(self.model, self.trajectory, selected, Need.HESSIAN in self.needs)
        self.note_frames(selected)
        own = selected if self.reads_frames else self.selections[0]
        self.check_before(own)
        verbose = self._verbose if verbose is None else verbose
        self.survey(own)
        self._open_store()
        if not self.reads_frames:
            self.frames, self.n_frames = own, len(own)
            self.results = Results(records=[], failures=[])
            self.prepare()
            self._conclude()
            return self
        bar = {"desc": self.name, **(progressbar_kwargs or {})}
        if not isinstance(backend, BackendBase):
            name = backend or "serial"
            if name in ("multiprocessing", "dask") and not self.parallelizable:
                raise InputError(f"The analysis {self.name} cannot be split over processes; use the serial backend.")
            if name != "serial" and any(not one.parallelizable for one in self._trajectory.transformations):
                raise InputError(f"The frames of {source} depend on each other; use the serial backend.")
            backend = make_backend(name, n_workers, len(selected), bool(verbose), scheduler, bar["desc"])
            unsupported_backend = True
        serial = backend is None
        if not serial and n_parts is None:
            # Some groups a worker: progress is seen and slow frames even out.
            n_parts = min(len(selected), 4 * getattr(backend, "n_workers", 1))
        super().run(
            frames=selected,
            verbose=bool(verbose) if serial else False,
            n_parts=n_parts,
            backend="serial" if serial else backend,
            unsupported_backend=unsupported_backend,
            progressbar_kwargs=bar if serial else None,
        )
        self.start, self.stop, self.step = selection.start, selection.stop, selection.step
        return self

    def _open_store(self) -> None:
        self.attributes["fingerprint"] = self.fingerprint()
        if self._store is not None:
            self._frame_store = self._store.for_analysis(self.name, self.attributes["fingerprint"])

    def _prepare(self) -> None:
        self.results = Results(records=[], failures=[])
        self.prepare()

    def _compute(
        self, indexed_frames: np.ndarray, verbose: bool | None = None, *, progressbar_kwargs: dict | None = None
    ) -> types.SimpleNamespace:
        # The loop is ours, not MDAnalysis's: a frame that cannot be read fails alone, and one that is in the store is
        # not read again. What goes back from a worker is the result, not the whole analysis.
        labels = indexed_frames[:, 1]
        self._prepare_sliced_trajectory(labels)
        self._prepare()
        for index, label in enumerate(Progress(labels, verbose=bool(verbose), **(progressbar_kwargs or {}))):
            self._frame_index = index
            self._one_frame(int(label))
            self.frames[index] = label
        times = {record.label: record.time for record in self.results.records}
        self.times[:] = [np.nan if (time := times.get(int(label))) is None else time for label in labels]
        return types.SimpleNamespace(frames=self.frames, times=self.times, results=self.results)

    def _one_frame(self, label: int) -> None:
        stored = self._frame_store.get(label) if self._frame_store is not None else None
        if stored is not None:
            self.results.records.append(FrameRecord.from_store(label, stored))
            return
        self._label = label
        try:
            configuration = self.trajectory.configuration(label)
            self._ts = self._trajectory.ts
            values = self.compute(configuration)
        except Exception as error:
            where = self.joined.where(label) if len(self.trajectories) > 1 else ""
            self.results.failures.append(FrameFailure.of(label, error, where))
            return
        finally:
            self._label = None
        values = self.as_declared(values, configuration.n)
        record = FrameRecord(label, configuration.step, configuration.time, values, self.take_derivatives())
        if self._frame_store is not None:
            self._frame_store.put(label, record.to_store())
        self.results.records.append(record)

    def as_declared(self, values: Any, n: int) -> dict[str, np.ndarray]:
        """Return what `compute` gave of N particles as arrays.

        Raises
        ------
        RunError
            If it is not what `provides` declares.
        """
        return check_values(values, self.provides, n, self._owner)

    def _get_aggregator(self) -> ResultsGroup:
        joined = ResultsGroup.flatten_sequence
        return ResultsGroup({"records": joined, "failures": joined})

    def _part(self, labels: np.ndarray) -> FrameLoop:
        """Return a copy to send to a worker: its inputs hold only the frames it will ask for."""
        clone = object.__new__(type(self))
        clone.__dict__.update(self.__dict__)
        clone.results = Results()
        clone._store = None
        clone.inputs = {name: frames_of(dataset, labels) for name, dataset in self.inputs.items()}
        return clone
