"""What a swap Monte Carlo run keeps beside its output until that is complete, so that a killed run can go on."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np

from pelplug.core.outputs import atomic_output, disk_errors, sync_file
from pelplug.errors import RunError

__all__ = ["Unfinished"]

_FRAMES, _CHECKPOINT, _COMMAND = "positions.bin", "checkpoint.npz", "command.json"


class Unfinished:
    """Sampled positions and the last checkpoint, in a hidden folder ``.OUTPUT.DIGEST.partial``.

    Parameters
    ----------
    output : path_like
        The trajectory that the run will write.
    command : mapping
        All that decides what the run does; with other values it is another run, in another folder.

    Notes
    -----
    A checkpoint takes its name when it and all frames before it are on the disk. Frames that were written after it
    are dropped and sampled again, which gives the same.
    """

    def __init__(self, output, command: Mapping):
        output = Path(output)
        self._output = output
        self._text = json.dumps(command, sort_keys=True, default=_plain)
        digest = hashlib.sha256(self._text.encode()).hexdigest()[:8]
        self.folder = output.parent / f".{output.name}.{digest}.partial"
        self._file = None

    def load(self) -> dict | None:
        """Return the last checkpoint, None if there is none; RunError if it cannot be read."""
        path = self.folder / _CHECKPOINT
        if not path.exists():
            return None
        try:
            with np.load(path, allow_pickle=False) as archive:
                return dict(archive)
        except (OSError, ValueError, EOFError, KeyError) as error:
            raise RunError(
                f"The checkpoint {path} cannot be read ({error}); remove its folder to start anew."
            ) from error

    def begin(self, frames: int, frame_bytes: int) -> None:
        """Open the file of positions and keep what was there before the checkpoint."""
        path = self.folder / _FRAMES
        with disk_errors(self._output):
            self.folder.mkdir(exist_ok=True)
            (self.folder / _COMMAND).write_text(self._text)
            self._file = open(path, "ab")  # noqa: SIM115 (stays open while the run goes on)
            if self._file.tell() < frames * frame_bytes:
                self.close()
                raise RunError(f"The unfinished run in {self.folder} has lost frames; remove the folder to start anew.")
            self._file.truncate(frames * frame_bytes)

    def append(self, positions: np.ndarray) -> None:
        """Write a frame."""
        with disk_errors(self._output):
            self._file.write(np.ascontiguousarray(positions, dtype="<f8").tobytes())

    def save(self, items: Mapping[str, object]) -> None:
        """Make a checkpoint of arrays and numbers."""
        with disk_errors(self._output):
            self._file.flush()
            sync_file(self.folder / _FRAMES)
        with atomic_output(self.folder / _CHECKPOINT, overwrite=True) as temporary, open(temporary, "wb") as file:
            np.savez(file, **items)

    def frames(self, shape: tuple[int, int]) -> Iterator[np.ndarray]:
        """Yield the positions of each frame, one at a time in memory."""
        with disk_errors(self._output):
            self._file.flush()
        with open(self.folder / _FRAMES, "rb") as file:
            while chunk := file.read(8 * shape[0] * shape[1]):
                yield np.frombuffer(chunk, dtype="<f8").reshape(shape)

    def close(self) -> None:
        """Close the file of positions."""
        if self._file is not None:
            self._file.close()
            self._file = None

    def discard(self) -> None:
        """Remove the folder with all that is in it."""
        self.close()
        shutil.rmtree(self.folder, ignore_errors=True)


def _plain(value):
    return value.tolist() if isinstance(value, np.ndarray | np.generic) else str(value)
