"""H5MD in double precision: positions, images, velocities, species and any cell, in any dimension."""

from __future__ import annotations

import numpy as np

from pelplug.core.outside import refuse_links
from pelplug.core.units import Units
from pelplug.errors import InputError, reason_of
from pelplug.trajectories.readers.base import FrameReader, RawFrame
from pelplug.trajectories.readers.hdf5 import check_heaps
from pelplug.trajectories.readers.identity import order_by_id
from pelplug.trajectories.readers.text import text_of

__all__ = ["H5MDReader"]


class H5MDReader(FrameReader):
    """Reader of H5MD files, in the units of the file; MDAnalysis's own rounds to float32 and drops images and species.

    Notes
    -----
    The particle group is the only one with positions, else the one called "all" or "trajectory". Elements recorded at
    other steps than the positions are matched by step. The layout is that of de Buyl, Colberg and Höfling, Comput.
    Phys. Commun. 185, 1546 (2014).
    """

    label = "H5MD file"
    handles = ("_file", "_group")

    def _open(self) -> None:
        self._connect()
        self._count = len(self._group["position/value"])

    def _connect(self) -> None:
        try:
            import h5py
        except ImportError:
            raise InputError(f"Reading {self.filename} needs h5py; install it with 'pip install h5py'.") from None
        check_heaps(self.filename)
        try:
            self._file = h5py.File(self.filename, "r")
            refuse_links(self._file, self.filename)
        except InputError:
            raise
        except OSError as error:
            reason = reason_of(error)
            raise InputError(f"{self.filename} is not an HDF5 file, or truncated ({reason}); check the file.") from None
        groups = self._file.get("particles")
        names = [name for name in groups or () if "position/value" in groups[name]]
        if not names:
            raise InputError(
                f"{self.filename} has no particles/*/position: it is not an H5MD trajectory; pass its true format."
            )
        chosen = names if len(names) == 1 else [name for name in ("all", "trajectory") if name in names]
        if not chosen:
            raise InputError(
                f"{self.filename} has several particle groups ({', '.join(names)}); keep one, or call one 'all'."
            )
        self._group = groups[chosen[0]]
        self.stated_units = self._read_units()

    def _read_units(self):
        """Return what the attributes `unit` say; a unit that nobody knows, such as "sigma", counts as not stated."""
        places = {"length": "position/value", "time": "position/time", "mass": "mass"}
        found = {}
        for dimension, place in places.items():
            element = self._group.get(place)
            if element is not None and "value" in (element.keys() if hasattr(element, "keys") else ()):
                element = element["value"]
            text = None if element is None else element.attrs.get("unit")
            if text is not None:
                found[dimension] = text.decode() if isinstance(text, bytes) else str(text)
        return Units.known(**found)

    @property
    def unordered(self) -> str:
        """Why rows are not the same particles where a frame has no ids: other frames have some."""
        return "its ids are recorded at other steps than its positions; write id and position together" * (
            "id" in self._group
        )

    def close(self) -> None:
        """Close the file."""
        if (file := self.__dict__.get("_file")) is not None:
            file.close()

    def _load(self, frame):
        group = self._group
        try:
            step, time = self._steps(frame)
            positions = np.asarray(group["position/value"][frame], dtype=np.float64)
            if positions.ndim != 2:
                raise InputError(f"positions have shape {positions.shape} instead of (N, d); write the file again.")
            velocities, images = self._at("velocity", frame, step), self._at("image", frame, step)
            masses, diameters = self._at("mass", frame, step), self._at("diameter", frame, step)
            charges = self._at("charge", frame, step)
            cell, periodic = self._box(frame, step, positions.shape[1])
            labels = self._labels(frame, step)
            ids = self._at("id", frame, step)
            order = np.arange(len(positions)) if ids is None else order_by_id(ids)
        except (OSError, KeyError, ValueError, RuntimeError) as error:
            if isinstance(error, InputError):
                raise
            reason = reason_of(error)
            raise InputError(f"it cannot be read ({reason}); the file is damaged, use the frames before it.") from None

        def pick(array, dtype=np.float64):
            return None if array is None else np.ascontiguousarray(np.asarray(array)[order]).astype(dtype)

        return RawFrame(
            positions=pick(positions),
            cell=cell,
            images=pick(images),
            velocities=pick(velocities),
            diameters=pick(diameters),
            masses=pick(masses) if np.ndim(masses) else None,
            charges=pick(charges) if np.ndim(charges) else None,
            labels={"types": labels[order]} if labels is not None else {},
            step=step,
            time=time,
            periodic=periodic,
            dimension=2 if positions.shape[1] == 2 else None,
            ids=pick(ids, np.int64),
        )

    def _steps(self, frame):
        element = self._group["position"]
        step = _sampled(element, "step", frame)
        time = _sampled(element, "time", frame)
        return None if step is None else int(step), None if time is None else float(time)

    def _at(self, name, frame, step):
        """Value of an element in a frame: constant, of the same index, or of the same step; else None."""
        element = self._group.get(name)
        if element is None:
            return None
        if not hasattr(element, "keys"):
            return element[()]
        values = element["value"]
        own = element.get("step")
        listed = step is not None and own is not None and own.shape  # one by one: they may be other ones
        if len(values) == self._count and not (listed and own[frame] != step):
            return values[frame]
        for index in range(len(values)):
            if step is not None and _sampled(element, "step", index) == step:
                return values[index]
        return None

    def _box(self, frame, step, d):
        if "box" not in self._group:
            return None, None
        boundary = np.atleast_1d(self._group["box"].attrs.get("boundary", ["periodic"] * d))
        words = [word.decode() if isinstance(word, bytes) else str(word) for word in boundary]
        periodic = tuple(word in ("periodic", "True") for word in (words * d if len(words) == 1 else words))
        edges = self._at("box/edges", frame, step)
        if edges is None:
            return None, periodic
        edges = np.asarray(edges, dtype=np.float64)
        if edges.ndim == 1 and np.any(edges < 0):
            raise InputError("a length of the box is negative; the frame is damaged, use the frames before it.")
        return np.diag(edges) if edges.ndim == 1 else edges, periodic

    def _labels(self, frame, step):
        species = self._at("species", frame, step)
        if species is None:
            return None
        element = self._group["species"]
        values = element["value"] if hasattr(element, "keys") else element
        import h5py

        names = h5py.check_enum_dtype(values.dtype)
        species = np.asarray(species)
        if species.dtype.kind == "f" and np.all(species == np.rint(species)):
            species = species.astype(np.int64)  # "29" reads better than "29.0"
        if names:
            named = {value: name for name, value in names.items()}
            return np.array([named.get(int(value), str(value)) for value in species])
        if species.dtype.kind not in "SO":
            return species.astype(str)
        return np.array([text_of(one) if isinstance(one, bytes) else str(one) for one in species.tolist()])

    def log(self, frame):
        """Return the observables recorded with every frame, by name."""
        result = {}

        def collect(name, item):
            value = item.get("value") if hasattr(item, "keys") else None
            if value is not None and value.shape and len(value) == self._count:
                result[name] = value[frame]

        if "observables" in self._file:
            self._file["observables"].visititems(collect)
        return result


def _sampled(element, name, index):
    """Step or time of an entry: listed one by one, or an increment with an offset (H5MD 1.1)."""
    data = element.get(name)
    if data is None:
        return None
    if data.shape:
        return data[index]
    return data[()] * index + data.attrs.get("offset", 0)
