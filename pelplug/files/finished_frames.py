"""Finished frames of analyses that have not ended, so that the same command goes on where it was stopped."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path

from pelplug.core.outputs import replacing
from pelplug.files.unfinished import ANALYSIS, Unfinished, folders_of
from pelplug.files.values import UNREADABLE, read_values, write_values

__all__ = ["FrameStore", "PartialStore"]


@dataclasses.dataclass(frozen=True)
class FrameStore:
    """Finished frames of one analysis with one set of parameters and inputs, one ``.npz`` file a frame.

    Parameters
    ----------
    unfinished : Unfinished
        Its folder, made at the first `put`.
    name : str
        Name of the analysis.

    Notes
    -----
    Several processes may share the folder. It pickles, as it holds no open file.
    """

    unfinished: Unfinished
    name: str

    @property
    def folder(self) -> Path:
        """Where the frames lie."""
        return self.unfinished.folder

    def get(self, frame: int) -> dict | None:
        """Values of a finished frame, or None if there is none or its file is damaged.

        Parameters
        ----------
        frame : int
            Label of the frame.

        Returns
        -------
        dict or None
            What was given to `put`, arrays and numbers equal to the last bit.
        """
        try:
            kept = read_values(self._path(frame))
            whose = kept["fingerprint"], kept["frame"]
            return kept["values"] if whose == (self.unfinished.fingerprint, int(frame)) else None
        except UNREADABLE:
            return None  # not there, truncated or damaged: the frame is done again

    def put(self, frame: int, values: dict) -> None:
        """Keep the values of a finished frame.

        Parameters
        ----------
        frame : int
            Label of the frame.
        values : dict
            As `pelplug.files.values.write_values` takes them.

        Raises
        ------
        RunError
            If the disk is full or the folder cannot be written.
        TypeError
            If a value is of another type.
        """
        self.unfinished.make()
        kept = {"fingerprint": self.unfinished.fingerprint, "frame": int(frame), "values": values}
        with replacing(self._path(frame), self.folder, sync=False) as temporary:
            write_values(temporary, kept)

    def frames(self) -> list[int]:
        """Labels of the frames kept, sorted; a damaged file is counted until `get` finds it out."""
        labels = (path.stem.removeprefix("frame-") for path in self.folder.glob("frame-*.npz"))
        return sorted(int(label) for label in labels if label.lstrip("-").isdigit())

    def __len__(self) -> int:
        return len(self.frames())

    def __bool__(self) -> bool:
        return True

    def _path(self, frame: int) -> Path:
        return self.unfinished.path(f"frame-{int(frame)}.npz")


class PartialStore:
    """Finished frames of every analysis of one command, kept beside the output until it is written.

    Parameters
    ----------
    output_path : path_like
        The file the command will write. The frames lie in hidden folders beside it.
    announce : callable, optional
        Called with the name of an analysis and how many of its frames were found, if there are any.

    Examples
    --------
    >>> import tempfile
    >>> store = PartialStore(tempfile.mkdtemp() + "/kappa.nc")
    >>> frames = store.for_analysis("kappa", "0123456789abcdef")
    >>> frames.put(3, {"G": 21.5})
    >>> frames.get(3), frames.get(4)
    ({'G': 21.5}, None)
    >>> store.discard()
    """

    def __init__(self, output_path, announce: Callable[[str, int], None] | None = None):
        self.output = Path(output_path)
        self._announce = announce
        self._stores: dict[tuple[str, str], FrameStore] = {}
        self._claim = Unfinished(output_path, ANALYSIS, {})

    def for_analysis(self, name: str, fingerprint: str) -> FrameStore:
        """Return the frames of the analysis `name`.

        Parameters
        ----------
        name : str
            Name of the analysis.
        fingerprint : str
            Digest of what the frames depend on: input, parameters, model, code. Another one never sees them.

        Returns
        -------
        FrameStore
        """
        key = (name, fingerprint)
        if key not in self._stores:
            folder = Unfinished(self.output, ANALYSIS, {"analysis": name}, fingerprint=fingerprint)
            self._stores[key] = store = FrameStore(folder, name)
            if self._announce is not None and len(store):
                self._announce(name, len(store))
        return self._stores[key]

    def claim(self, overwrite: bool = False) -> None:
        """Make sure that no unfinished simulation is to write the same file; see `Unfinished.claim`."""
        self._claim.claim(overwrite)

    def found(self) -> dict[str, int]:
        """How many frames of each analysis are kept now."""
        return {store.name: len(store) for store in self._stores.values() if len(store)}

    def leftovers(self) -> list[Path]:
        """Folders of finished frames for the same output that belong to other settings, or to other code."""
        ours = {store.folder for store in self._stores.values()}
        return [folder for folder in folders_of(self.output) if folder not in ours]

    def discard(self) -> None:
        """Remove the folders of this command; call it when the output is safely written.

        Raises
        ------
        RunError
            If a folder cannot be removed.
        """
        for unfinished in (*(store.unfinished for store in self._stores.values()), self._claim):
            unfinished.discard()
