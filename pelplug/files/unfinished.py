"""Finished frames of a run that has not ended, so that the same command goes on where it was stopped."""

from __future__ import annotations

import dataclasses
import json
import os
import shutil
import tempfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np

from pelplug.core.outputs import disk_errors
from pelplug.errors import RunError

__all__ = ["FrameStore", "PartialStore"]

_MANIFEST = "manifest"
_FINGERPRINT = "fingerprint.json"


@dataclasses.dataclass(frozen=True)
class FrameStore:
    """Finished frames of one analysis with one set of parameters and inputs.

    Parameters
    ----------
    folder : pathlib.Path
        Where the frames lie, one ``.npz`` file a frame. Made at the first `put`.
    name : str
        Name of the analysis.
    fingerprint : str
        Digest of everything the frames depend on.

    Notes
    -----
    Each file is written to a temporary name and renamed: a process that is killed leaves whole frames only, and
    several processes may share the folder. It pickles, as it holds no open file.
    """

    folder: Path
    name: str
    fingerprint: str

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
            with np.load(self._path(frame), allow_pickle=False) as entries:
                manifest = json.loads(entries[_MANIFEST].tobytes())
                if manifest["fingerprint"] != self.fingerprint or manifest["frame"] != int(frame):
                    return None
                return {key: _decode(item, entries) for key, item in manifest["values"].items()}
        except (OSError, ValueError, KeyError, TypeError, EOFError, zipfile.BadZipFile, zipfile.LargeZipFile):
            return None  # not there, truncated or damaged: the frame is done again

    def put(self, frame: int, values: dict) -> None:
        """Keep the values of a finished frame.

        Parameters
        ----------
        frame : int
            Label of the frame.
        values : dict
            Arrays (no objects), numbers, strings, None, and lists or dictionaries of these.

        Raises
        ------
        RunError
            If the disk is full or the folder cannot be written.
        TypeError
            If a value is of another type.
        """
        arrays: dict[str, np.ndarray] = {}
        manifest = {
            "fingerprint": self.fingerprint,
            "frame": int(frame),
            "values": {str(key): _encode(value, arrays, str(key)) for key, value in values.items()},
        }
        arrays[_MANIFEST] = np.frombuffer(json.dumps(manifest).encode(), dtype=np.uint8)
        with disk_errors(self.folder):
            self._make()
            descriptor, temporary = tempfile.mkstemp(prefix=".put-", suffix=".tmp", dir=self.folder)
            try:
                with os.fdopen(descriptor, "wb") as file:
                    np.savez(file, **arrays)
                os.replace(temporary, self._path(frame))
            finally:
                Path(temporary).unlink(missing_ok=True)

    def frames(self) -> list[int]:
        """Labels of the frames kept, sorted; a damaged file is counted until `get` finds it out."""
        labels = (path.stem.removeprefix("frame-") for path in self.folder.glob("frame-*.npz"))
        return sorted(int(label) for label in labels if label.lstrip("-").isdigit())

    def __len__(self) -> int:
        return len(self.frames())

    def __bool__(self) -> bool:
        return True

    def _path(self, frame: int) -> Path:
        return self.folder / f"frame-{int(frame)}.npz"

    def _make(self) -> None:
        self.folder.mkdir(exist_ok=True)
        note = self.folder / _FINGERPRINT
        if not note.exists():
            note.write_text(json.dumps({"analysis": self.name, "fingerprint": self.fingerprint}))


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

    def for_analysis(self, name: str, fingerprint: str) -> FrameStore:
        """Return the frames of the analysis `name`.

        Parameters
        ----------
        name : str
            Name of the analysis.
        fingerprint : str
            Digest of what the frames depend on: input, parameters, model, versions. Another one never sees them.

        Returns
        -------
        FrameStore
        """
        key = (name, fingerprint)
        if key not in self._stores:
            folder = self.output.parent / f".{self.output.name}.{fingerprint[:8]}.partial"
            self._stores[key] = store = FrameStore(folder, name, fingerprint)
            if self._announce is not None and len(store):
                self._announce(name, len(store))
        return self._stores[key]

    def found(self) -> dict[str, int]:
        """How many frames of each analysis are kept now."""
        return {store.name: len(store) for store in self._stores.values() if len(store)}

    def leftovers(self) -> list[Path]:
        """Folders of finished frames for the same output that belong to other settings."""
        ours = {store.folder for store in self._stores.values()}
        prefix, suffix = f".{self.output.name}.", ".partial"
        return sorted(
            path
            for path in self.output.parent.iterdir()
            if path.name.startswith(prefix) and path.name.endswith(suffix) and path not in ours
        )

    def discard(self) -> None:
        """Remove the folders of this command; call it when the output is safely written.

        Raises
        ------
        RunError
            If a folder cannot be removed.
        """
        for store in self._stores.values():
            try:
                shutil.rmtree(store.folder)
            except FileNotFoundError:
                continue  # nothing was put, or another process was faster
            except OSError as error:
                raise RunError(f"The finished frames in {store.folder} could not be removed: {error}.") from None


def _encode(value, arrays: dict, where: str):
    """Describe a value in JSON; arrays go to `arrays` and are named by their index."""
    if value is None or (isinstance(value, (bool, int, str)) and not isinstance(value, np.generic)):
        return {"json": value}
    if isinstance(value, float) and not isinstance(value, np.generic):
        return {"json": value}  # repr round-trips every double; NaN and infinity by Python's extension
    if isinstance(value, (list, tuple)):
        return {"list": [_encode(item, arrays, where) for item in value], "tuple": isinstance(value, tuple)}
    if isinstance(value, dict):
        return {"dict": {str(key): _encode(item, arrays, where) for key, item in value.items()}}
    if isinstance(value, (np.ndarray, np.generic)):
        array = np.asarray(value)
        if array.dtype.kind == "O":
            array = np.asarray(array.tolist())
        if array.dtype.kind in "biufcUSmM":
            key = f"array-{len(arrays)}"
            arrays[key] = array
            return {"array": key, "scalar": isinstance(value, np.generic)}
    raise TypeError(f"{where} is a {type(value).__name__}; a frame may hold arrays, numbers, strings, lists and dicts.")


def _decode(item, entries):
    if "json" in item:
        return item["json"]
    if "list" in item:
        values = [_decode(entry, entries) for entry in item["list"]]
        return tuple(values) if item["tuple"] else values
    if "dict" in item:
        return {key: _decode(entry, entries) for key, entry in item["dict"].items()}
    array = entries[item["array"]]
    return array[()] if item["scalar"] else array
