"""A swap Monte Carlo run that goes on after a kill, to the same end."""

from __future__ import annotations

import io
import time
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from pelplug.core.lock import lock_outputs
from pelplug.core.outputs import check_output, disk_errors, sync_file
from pelplug.core.versions import code_of
from pelplug.errors import RunError
from pelplug.files.unfinished import Unfinished
from pelplug.files.values import UNREADABLE, read_values, write_values
from pelplug.trajectories.readers.write import read_record, write_trajectory

__all__ = ["sample_resumably"]

CHECKPOINT_SECONDS = 10.0
_RECORD, _STATE = "preparation", "preparation_state"


def sample_resumably(output, overwrite, chain, blocks, command: Mapping, model, record, conditions, progress) -> bool:
    """Sample to the end from wherever an earlier run of the same command was, and write the trajectory.

    Parameters
    ----------
    output, overwrite, progress
        As in `pelplug.swap_monte_carlo`.
    chain : pelplug.engines.swap.chain.Chain
        At its start; at the end of the run when this returns.
    blocks : iterator of int or None
        Advances the chain; gives the step of a frame, or None.
    command : mapping
        All that decides what the run does.
    model : Model or PairPotential
        Whose code the run depends on.
    record : dict or None
        Of the model.
    conditions : Conditions
        To be recorded in the file.

    Returns
    -------
    bool
        False if this command had written the trajectory already, and nothing was done.
    """
    unfinished = Unfinished(output, "swap Monte Carlo", command, code=code_of(model))
    with lock_outputs(output):
        if not overwrite and (state := _finished(output, unfinished.identity)) is not None:
            unfinished.clean(lambda kept: kept["sweeps"][0] == state["sweeps"][0])
            chain.restore(state)
            if progress is not None:
                progress(chain.done)
            return False
        check_output(output, overwrite)
        unfinished.claim(overwrite)
        frames = 0
        if (state := unfinished.load()) is not None:
            frames = chain.restore(state)
            if progress is not None:
                progress(chain.done)
        with _Samples(unfinished, frames, chain.positions.shape) as samples:
            saved = time.monotonic()
            for step in blocks:
                if step is not None:
                    samples.append(chain.positions)
                if time.monotonic() - saved >= CHECKPOINT_SECONDS:
                    samples.save(chain)
                    saved = time.monotonic()
            samples.save(chain)
            content = io.BytesIO()
            write_values(content, chain.state(len(samples)))
            records = {_RECORD: unfinished.identity, _STATE: content.getvalue()}
            every = command["sample_every"]
            sampled = (
                chain.start.replace(positions=positions, step=(frame + 1) * every)
                for frame, positions in enumerate(samples.read())
            )
            write_trajectory(
                output, sampled, model_record=record, conditions=conditions, overwrite=overwrite, records=records
            )
        unfinished.discard()
    return True


def _finished(output, identity: Mapping) -> dict | None:
    """Return the state at the end of a run that this command has completed; None if the file is another."""
    if read_record(output, _RECORD) != identity:
        return None
    try:
        return read_values(io.BytesIO(read_record(output, _STATE)))
    except UNREADABLE:
        return None


class _Samples:
    """Positions of the frames sampled so far, in a file of the folder that holds the checkpoint too.

    A checkpoint is made when it and all frames before it are on the disk. Frames that were written after it are
    dropped and sampled again, which gives the same.
    """

    def __init__(self, unfinished: Unfinished, frames: int, shape: tuple[int, ...]):
        self._unfinished, self._path = unfinished, unfinished.path("positions.bin")
        self._frames, self._shape, self._bytes = frames, shape, 8 * int(np.prod(shape))
        unfinished.make()
        with disk_errors(unfinished.output):
            self._file = open(self._path, "ab")  # noqa: SIM115 (stays open while the run goes on)
            if self._file.tell() < frames * self._bytes:
                self._file.close()
                raise RunError(
                    f"The unfinished run in {unfinished.folder} has lost frames; remove the folder to start anew."
                )
            self._file.truncate(frames * self._bytes)

    def __enter__(self) -> _Samples:
        return self

    def __exit__(self, *exception: Any) -> None:
        self._file.close()

    def __len__(self) -> int:
        return self._frames

    def append(self, positions: np.ndarray) -> None:
        with disk_errors(self._unfinished.output):
            self._file.write(np.ascontiguousarray(positions, dtype="<f8").tobytes())
        self._frames += 1

    def save(self, chain) -> None:
        with disk_errors(self._unfinished.output):
            self._file.flush()
            sync_file(self._path)
        self._unfinished.save(chain.state(self._frames))

    def read(self) -> Iterator[np.ndarray]:
        """Yield the positions of each frame, one at a time in memory."""
        with open(self._path, "rb") as file:
            while chunk := file.read(self._bytes):
                yield np.frombuffer(chunk, dtype="<f8").reshape(self._shape)
