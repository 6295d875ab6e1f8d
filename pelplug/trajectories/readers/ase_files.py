"""What ASE reads and MDAnalysis does not: its own trajectories, and XDATCAR, POSCAR and CONTCAR of VASP."""

from __future__ import annotations

import importlib.util
from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np

from pelplug.core.units import SYSTEMS
from pelplug.errors import InputError, reason_of
from pelplug.trajectories.readers.base import FrameReader, RawFrame

__all__ = ["PoscarReader", "TrajReader", "XdatcarReader", "frame_of_atoms"]

_VELOCITY = SYSTEMS["metal"].mass_unit ** -0.5  # ASE's unit of velocity, sqrt(eV / amu), in Angstrom / ps


class _ASEReader(FrameReader):
    """Reader of a file through ASE: lengths in Angstrom, energies in eV, masses in g/mol, times in ps."""

    handles = ("_frames",)
    stated_units = SYSTEMS["metal"]
    ase_format: ClassVar[str]
    _frames: Sequence[Any]

    def _open(self) -> None:
        self._connect()
        self._count = len(self._frames)

    def _connect(self) -> None:
        if importlib.util.find_spec("ase") is None:
            raise InputError(
                f"{self.filename} ({self.label}) is read with ASE, which is not installed; run: pip install "
                "'pelplug[ase]'"
            )
        try:
            self._frames = self._read()
        except InputError:
            raise
        except Exception as error:  # ASE's parsers raise whatever comes
            raise InputError(
                f"{self.filename} cannot be read as {self.label} ({reason_of(error)}); it is damaged or cut off: copy "
                "it again, or pass its true format (--format)."
            ) from None

    def _read(self) -> Sequence[Any]:
        """Return the frames, read now or when asked for."""
        import ase.io

        with open(self.filename, "rb") as file:
            file.seek(0, 2)
            file.seek(-1, 2)
            if file.read(1) != b"\n":  # without it the last number may have lost digits
                raise InputError(f"{self.filename} ends in the middle of a line: it is cut off; copy it again.")
        frames: Any = ase.io.read(self.filename, ":", format=self.ase_format)
        return frames

    def _load(self, frame: int) -> RawFrame:
        try:
            atoms = self._frames[frame]
        except Exception as error:
            raise InputError(
                f"it cannot be read ({reason_of(error)}); the file is cut off or damaged, use the frames before it."
            ) from None
        return frame_of_atoms(atoms)


class TrajReader(_ASEReader):
    """Reader of ASE's own trajectories, ``.traj``."""

    label, ase_format = "ASE trajectory", "traj"

    def _read(self) -> Sequence[Any]:
        from ase.io import Trajectory

        return Trajectory(self.filename, "r")

    def close(self) -> None:
        """Close the file."""
        if (frames := self.__dict__.get("_frames")) is not None:
            frames.close()


class XdatcarReader(_ASEReader):
    """Reader of VASP's XDATCAR, all frames at once."""

    label, ase_format = "XDATCAR of VASP", "vasp-xdatcar"


class PoscarReader(_ASEReader):
    """Reader of VASP's POSCAR and CONTCAR."""

    label, ase_format = "POSCAR of VASP", "vasp"


def frame_of_atoms(atoms: Any) -> RawFrame:
    """Return what ``ase.Atoms`` hold of a state: elements, masses and charges, velocities in Angstrom / ps.

    Parameters
    ----------
    atoms : ase.Atoms
    """
    cell = np.array(atoms.cell.array, dtype=np.float64)
    velocities = _VELOCITY * atoms.get_velocities() if atoms.has("momenta") else None
    return RawFrame(
        positions=np.array(atoms.positions, dtype=np.float64),
        cell=cell if np.linalg.det(cell) != 0 else None,
        velocities=velocities,
        masses=np.array(atoms.get_masses(), dtype=np.float64),
        charges=atoms.get_initial_charges() if atoms.has("initial_charges") else None,
        labels={"elements": np.array(atoms.get_chemical_symbols(), dtype=str)},
        periodic=tuple(bool(one) for one in atoms.pbc),
    )
