"""Recorder: the trajectory of a running simulation and its checkpoint, in a hidden folder until it is complete."""

from __future__ import annotations

import contextlib
import dataclasses
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from pelplug.configuration import Configuration
from pelplug.core.lock import PATIENCE, lock_outputs
from pelplug.core.outputs import disk_errors, move_new, sync_file
from pelplug.engines.engine import EnergyLog
from pelplug.errors import PelplugError, RunError
from pelplug.files.gsd import GSDWriter
from pelplug.files.unfinished import Unfinished
from pelplug.trajectories.opening import open_trajectory

__all__ = ["Checkpoint", "Recorder"]

_ARRAYS = ("positions", "cell", "species", "diameters", "masses", "charges", "velocities", "images")


@dataclasses.dataclass(frozen=True)
class Checkpoint:
    """All it takes to go on with a simulation.

    Attributes
    ----------
    progress : dict
        Where the protocol is: plain numbers, text and lists.
    configuration : Configuration
        State of the system, velocities and images included.
    internal : dict of str to ndarray
        `Session.internal` of the engine.
    arrays : dict of str to ndarray
        What the stage of the protocol has gathered.
    log : EnergyLog
        Energies not yet written with a frame.
    frames : int
        Frames in the trajectory.
    """

    progress: dict
    configuration: Configuration
    internal: dict[str, np.ndarray]
    arrays: dict[str, np.ndarray]
    log: EnergyLog
    frames: int


class Recorder:
    """Writes frames and checkpoints; after a kill at any moment, goes on without a lost or doubled frame.

    Parameters
    ----------
    output : path_like
        The trajectory, a GSD file, that `finish` leaves there.
    command : mapping
        What the simulation depends on; an unfinished run of another command is never continued.
    code : mapping of str to str, optional
        Of `pelplug.core.versions.code_of`; what other code has begun is not continued either.

    Notes
    -----
    Trajectory and checkpoint are in the folder of `pelplug.files.unfinished.Unfinished`. A checkpoint is written after
    the trajectory was flushed to disk; frames that a killed run wrote after its last checkpoint are dropped, and
    computed again.
    """

    def __init__(self, output, command: Mapping, code: Mapping[str, str] | None = None):
        self.output = Path(output)
        self.unfinished = Unfinished(output, "simulation", command, code=code or {})
        self.command: dict = self.unfinished.identity
        self._path = self.unfinished.path("trajectory.gsd")
        self._writer: GSDWriter | None = None
        self._lock = contextlib.ExitStack()

    @property
    def folder(self) -> Path:
        """Where trajectory and checkpoint are until the run is complete."""
        return self.unfinished.folder

    @property
    def frames(self) -> int:
        """Frames written so far."""
        return 0 if self._writer is None else len(self._writer)

    def finished(self) -> dict | None:
        """Return the record in the output if this command has written it already, None if it has not."""
        if not self.output.exists():
            return None
        try:
            with open_trajectory(self.output) as trajectory:
                record = (trajectory.simulation_record or {}) | {"model": trajectory.model_record}
                last = trajectory.configuration(trajectory.n_frames - 1).step
        except PelplugError:
            return None
        if any(record.get(name, self) != value for name, value in self.command.items()):
            return None
        # The record was written before anybody could know; at the very last step it may have converged or not.
        return record | ({"converged": True} if record["method"] == "fire" and last < record["steps"] else {})

    @property
    def moved(self) -> bool:
        """Whether the trajectory has left the folder for its name: a kill came before the folder went."""
        return self.unfinished.has_checkpoint and self._is_complete(self.unfinished.load())

    def clean(self) -> None:
        """Remove the folder if a kill left it behind; see `Unfinished.clean`."""
        self.unfinished.clean(self._is_complete)

    def _is_complete(self, kept: Mapping) -> bool:
        # A new name may have been given as a second one.
        there = self._path.exists() and not (self.output.exists() and os.path.samefile(self._path, self.output))
        return kept["frames"] > 0 and not there

    def lock(self, *others: Any, patience: float | None = None) -> None:
        """Make sure that no other process writes the same, or other outputs of the run, until `close`.

        Raises
        ------
        InputError
            If another one is at it.
        """
        patience = PATIENCE if patience is None else patience
        self._lock.enter_context(lock_outputs(self.output, *others, patience=patience))

    def claim(self, overwrite: bool) -> None:
        """Make sure that nobody's unfinished run is lost or mixed with this; see `Unfinished.claim`."""
        self.unfinished.claim(overwrite)

    def load(self) -> Checkpoint | None:
        """Return the checkpoint of an unfinished run of the same command, None if there is none.

        Raises
        ------
        RunError
            If it cannot be read.
        """
        kept = self.unfinished.load()
        if kept is None:
            return None
        return Checkpoint(
            progress=kept["progress"],
            configuration=Configuration(**kept["state"], step=kept["step"]),
            internal=kept["internal"],
            arrays=kept["arrays"],
            log=EnergyLog(**kept["log"]),
            frames=kept["frames"],
        )

    def begin(self, records: Mapping[str, Mapping], frames: int = 0) -> None:
        """Open the trajectory: a new one, or what an unfinished run has written up to its checkpoint.

        Parameters
        ----------
        records : mapping of str to mapping
            What goes into the first frame; see `GSDWriter`.
        frames : int
            Frames to keep of the one that is there; 0 starts a new one.
        """
        self.unfinished.make()
        with disk_errors(self._path):
            if frames > 0:
                _keep_frames(self._path, frames)
            self._writer = GSDWriter(self._path, records, append=frames > 0)

    def write(self, configuration: Configuration, log: EnergyLog, time_step: float) -> None:
        """Append a frame with the energies logged since the last one."""
        if self._writer is None:
            raise RuntimeError("begin() comes first")
        with disk_errors(self.output):
            self._writer.write(
                # Of continuous positions a file keeps how often they went round only in images.
                configuration.wrapped() if configuration.images is None else configuration,
                log={
                    "time": time_step * configuration.step,
                    "energies/step": log.step,
                    "energies/potential_energy": log.potential_energy,
                    "energies/kinetic_temperature": log.kinetic_temperature,
                    **{
                        f"energies/{name}": values
                        for name in ("volume", "pressure", "enthalpy")
                        if (values := getattr(log, name)) is not None
                    },
                },
            )

    def save(self, checkpoint: Checkpoint) -> None:
        """Make a checkpoint that survives a kill, or the loss of power, at any moment."""
        if self._writer is not None:
            with disk_errors(self.output):
                self._writer.flush()
                sync_file(self._path)
        conf, log = checkpoint.configuration, checkpoint.log
        self.unfinished.save(
            {
                "progress": checkpoint.progress,
                "step": conf.step,
                "frames": checkpoint.frames,
                "state": {name: getattr(conf, name) for name in _ARRAYS if getattr(conf, name) is not None},
                "internal": checkpoint.internal,
                "arrays": checkpoint.arrays,
                "log": {name: values for name, values in vars(log).items() if values is not None},
            }
        )

    def finish(self, overwrite: bool) -> None:
        """Move the complete trajectory to its name and remove the folder.

        Raises
        ------
        InputError
            If a file has appeared there meanwhile and may not be replaced; the run is kept.
        """
        self._writer.close()
        self._writer = None
        with disk_errors(self.output):
            sync_file(self._path)
            target = Path(os.path.realpath(self.output))
            if overwrite:
                os.replace(self._path, target)
            else:
                move_new(self._path, target)
        self.discard()

    def close(self) -> None:
        """Close the trajectory and let others have the output; the folder goes if there is nothing to go on with."""
        if self._writer is not None:
            self._writer.close()
            self._writer = None
        with self._lock:
            self.unfinished.release()

    def discard(self) -> None:
        """Remove the folder with all that is in it."""
        self.unfinished.discard()


def _keep_frames(path: Path, frames: int) -> None:
    """Cut a GSD file to its first frames; it may be that a kill has left half a frame at its end."""
    import gsd.fl

    try:
        with gsd.fl.open(str(path), "r") as source:
            found = source.nframes
            if found == frames:
                return
            if found < frames:
                raise RunError(f"The unfinished trajectory {path} has lost frames; remove its folder to start anew.")
            copy = path.with_name(f"cut-{path.name}")
            names = source.find_matching_chunk_names("")
            with gsd.fl.open(
                str(copy),
                "w",
                application=source.application,
                schema=source.schema,
                schema_version=source.schema_version,
            ) as target:
                for frame in range(frames):
                    for name in names:
                        if source.chunk_exists(frame=frame, name=name):
                            target.write_chunk(name, source.read_chunk(frame=frame, name=name))
                    target.end_frame()
    except (OSError, RuntimeError) as error:
        raise RunError(f"The unfinished trajectory {path} cannot be read ({error}); remove its folder.") from error
    sync_file(copy)
    os.replace(copy, path)
