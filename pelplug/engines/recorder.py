"""Recorder: the trajectory of a running simulation and its checkpoint, in a hidden folder until it is complete."""

from __future__ import annotations

import contextlib
import dataclasses
import hashlib
import json
import os
import shutil
import time
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from pelplug.configuration import Configuration
from pelplug.core.outputs import atomic_output, disk_errors, move_new, sync_file
from pelplug.engines.engine import EnergyLog
from pelplug.errors import InputError, PelplugError, RunError
from pelplug.files.gsd import GSDWriter
from pelplug.trajectories.opening import open_trajectory

__all__ = ["Checkpoint", "Recorder", "find_unfinished"]

_TRAJECTORY, _CHECKPOINT, _COMMAND, _LOCK = "trajectory.gsd", "checkpoint.npz", "command.json", "lock"
_ARRAYS = ("positions", "cell", "species", "diameters", "masses", "velocities", "images")


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

    Notes
    -----
    The folder is ``.OUTPUT.XXXXXXXX.partial`` beside the output, with a digest of the command. A checkpoint is written
    to a temporary name and renamed after the trajectory was flushed to disk; frames that a killed run wrote after its
    last checkpoint are dropped, and computed again.
    """

    def __init__(self, output, command: Mapping):
        self.output = Path(output)
        self._text = json.dumps(command, sort_keys=True, default=str)
        self.command: dict = json.loads(self._text)
        digest = hashlib.sha256(self._text.encode()).hexdigest()[:8]
        self.folder = self.output.parent / f".{self.output.name}.{digest}.partial"
        self._writer: GSDWriter | None = None
        self._lock: int | None = None

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
        except PelplugError:
            return None
        return record if all(record.get(name, self) == value for name, value in self.command.items()) else None

    def lock(self, patience: float = 10.0) -> None:
        """Make sure that no other process simulates the same; the lock ends with the process, however that ends.

        Parameters
        ----------
        patience : float
            To wait for one that is about to end: a worker of a run that was killed [s].

        Raises
        ------
        InputError
            If another one is at it.
        """
        try:
            import fcntl
        except ImportError:  # Windows
            return
        path, begun = self.folder / _LOCK, time.monotonic()
        while True:
            self._make_folder()
            with disk_errors(self.output):
                descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
                try:
                    fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    # Who held it may have removed the folder just now.
                    if path.exists() and os.path.samestat(os.fstat(descriptor), os.stat(path)):
                        self._lock = descriptor
                        return
                except BlockingIOError:
                    pass
            os.close(descriptor)
            if time.monotonic() - begun > patience:
                raise InputError(
                    f"Another process is simulating {self.output} by the same command; wait for it, or end it."
                )
            time.sleep(0.1)

    def load(self) -> Checkpoint | None:
        """Return the checkpoint of an unfinished run of the same command, None if there is none.

        Raises
        ------
        RunError
            If it cannot be read.
        """
        path = self.folder / _CHECKPOINT
        if not path.exists():
            return None
        try:
            with np.load(path, allow_pickle=False) as archive:
                items = dict(archive)
        except (OSError, ValueError, EOFError) as error:
            raise RunError(
                f"The checkpoint {path} cannot be read ({error}); remove the folder to start anew."
            ) from error
        meta = json.loads(str(items["meta"]))
        state = {name: items[f"state/{name}"] for name in _ARRAYS if f"state/{name}" in items}
        return Checkpoint(
            progress=meta["progress"],
            configuration=Configuration(**state, step=meta["step"]),
            internal=_under("internal/", items),
            arrays=_under("arrays/", items),
            log=EnergyLog(items["log/step"], items["log/potential_energy"], items["log/temperature"]),
            frames=meta["frames"],
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
        path = self.folder / _TRAJECTORY
        self._make_folder()
        with disk_errors(path):
            if frames > 0:
                _keep_frames(path, frames)
            self._writer = GSDWriter(path, records, append=frames > 0)

    def write(self, configuration: Configuration, log: EnergyLog, time_step: float) -> None:
        """Append a frame with the energies logged since the last one."""
        if self._writer is None:
            raise RuntimeError("begin() comes first")
        with disk_errors(self.output):
            self._writer.write(
                configuration,
                log={
                    "time": time_step * configuration.step,
                    "energies/step": log.step,
                    "energies/potential_energy": log.potential_energy,
                    "energies/temperature": log.temperature,
                },
            )

    def save(self, checkpoint: Checkpoint) -> None:
        """Make a checkpoint that survives a kill, or the loss of power, at any moment."""
        self._make_folder()
        if self._writer is not None:
            with disk_errors(self.output):
                self._writer.flush()
                sync_file(self.folder / _TRAJECTORY)
        conf = checkpoint.configuration
        items = {
            "meta": np.array(
                json.dumps({"progress": checkpoint.progress, "step": conf.step, "frames": checkpoint.frames})
            ),
            **{f"state/{name}": getattr(conf, name) for name in _ARRAYS if getattr(conf, name) is not None},
            **{f"internal/{name}": value for name, value in checkpoint.internal.items()},
            **{f"arrays/{name}": value for name, value in checkpoint.arrays.items()},
            **{
                f"log/{field.name}": getattr(checkpoint.log, field.name) for field in dataclasses.fields(checkpoint.log)
            },
        }
        with atomic_output(self.folder / _CHECKPOINT, overwrite=True) as temporary, open(temporary, "wb") as file:
            np.savez(file, **items)

    def finish(self, overwrite: bool) -> None:
        """Move the complete trajectory to its name and remove the folder.

        Raises
        ------
        InputError
            If a file has appeared there meanwhile and may not be replaced; the run is kept.
        """
        self._writer.close()
        self._writer = None
        path = self.folder / _TRAJECTORY
        with disk_errors(self.output):
            sync_file(path)
            target = Path(os.path.realpath(self.output))
            if overwrite:
                os.replace(path, target)
            else:
                move_new(path, target)
        self.discard()

    def close(self) -> None:
        """Close the trajectory and let others have the folder, which goes if there is nothing to go on with."""
        if self._writer is not None:
            self._writer.close()
            self._writer = None
        if self._lock is not None:
            if not (self.folder / _CHECKPOINT).exists():
                shutil.rmtree(self.folder, ignore_errors=True)
            os.close(self._lock)
            self._lock = None

    def discard(self) -> None:
        """Remove the folder with all that is in it."""
        # The checkpoint first: what a kill leaves of the rest is nothing that anybody would go on with.
        with contextlib.suppress(OSError):
            (self.folder / _CHECKPOINT).unlink(missing_ok=True)
        shutil.rmtree(self.folder, ignore_errors=True)
        self.close()

    def _make_folder(self) -> None:
        with disk_errors(self.output):
            self.folder.mkdir(exist_ok=True)
            note = self.folder / _COMMAND
            if not note.exists():
                note.write_text(self._text)


def find_unfinished(output) -> list[Path]:
    """Return the folders of unfinished runs that were to write `output`."""
    output = Path(output)
    prefix, suffix = f".{output.name}.", ".partial"
    return sorted(
        path
        for path in output.parent.iterdir()
        if path.name.startswith(prefix) and path.name.endswith(suffix) and (path / _COMMAND).exists()
    )


def _under(prefix: str, items: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    return {name.removeprefix(prefix): value for name, value in items.items() if name.startswith(prefix)}


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
