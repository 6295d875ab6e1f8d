"""A LAMMPS that holds one system: particles move in it, its cell changes, and it tells energies and forces."""

from __future__ import annotations

import pathlib
import re
import tempfile
import weakref
from typing import Any

import numpy as np

from pelplug.configuration import Configuration
from pelplug.core.cells import upper_triangular
from pelplug.errors import InputError
from pelplug.execution.lammps import start_lammps
from pelplug.execution.lammps_input import FileName, line, temporary_folder
from pelplug.potentials.base import Evaluator
from pelplug.potentials.lammps_fragment import Command, Fragment

__all__ = ["COLUMNS", "LammpsEvaluator", "LammpsSystem"]

_SKIN = 0.3  # of the spacing
_LOG = "log"
_FIRST = ("units", "dimension", "atom_style", "boundary", "newton")
_BEFORE_BOX = (*_FIRST, "pair_style", "bond_style", "angle_style", "dihedral_style", "improper_style", "special_bonds")
# What LAMMPS says of a state that no minimum is near, where a line search goes on with a shorter step.
_BEYOND = re.compile(r"Bad FENE bond|Non-numeric atom coords|Out of range atoms|(Bond|Angle|Dihedral) atoms? .*missing")

COLUMNS = {
    "atomic": (1, None, 2),
    "charge": (1, 2, 3),
    "bond": (2, None, 3),
    "angle": (2, None, 3),
    "molecular": (2, None, 3),
    "full": (2, 3, 4),
}
"""By atom style, the columns of type, charge and x in the section Atoms of a data file."""


class LammpsSystem:
    """Particles of fixed types and charges in a LAMMPS of their own.

    Parameters
    ----------
    fragment : Fragment
        The force field.
    configuration : Configuration
        Cell and positions at the start.
    types : ndarray of int, shape (N,)
        Type of each particle, from 1.
    charges : ndarray, shape (N,), optional
        Where the force field needs some.
    style : str
        Atom style.

    Raises
    ------
    InputError
        With what LAMMPS says, and of which line.
    """

    def __init__(
        self,
        fragment: Fragment,
        configuration: Configuration,
        types: np.ndarray,
        charges: np.ndarray | None,
        style: str,
    ):
        self.fragment, self._n, self.dimension = fragment, configuration.n, configuration.dimension
        self._types, self._charges, self._style = types, charges, style
        self._folder = temporary_folder()
        for name, content in fragment.files.items():
            pathlib.Path(self._folder.name, name).write_bytes(content)
        self._skin = _SKIN * float((configuration.volume / configuration.n) ** (1.0 / configuration.dimension))
        self._reference: np.ndarray | None = None
        self._lmp = start_lammps(("-screen", "none", "-log", str(pathlib.Path(self._folder.name, _LOG))))
        self._end = weakref.finalize(self, _ended, self._lmp, self._folder)
        try:
            self._build(configuration)
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """End LAMMPS."""
        self._end()

    # --- asking -------------------------------------------------------------------------------------------------

    def set_cell(self, cell: np.ndarray) -> None:
        """Change the cell, shape (d, d) [length]; positions have to follow."""
        if np.array_equal(cell, self._cell):
            return
        self._take_cell(cell)
        box = self._box()
        edges = [word for name, k in (("x", 0), ("y", 1), ("z", 2)) for word in (name, "final", 0.0, float(box[k, k]))]
        if self.dimension == 2:
            edges = edges[:8]
        tilts = [("xy", box[1, 0]), ("xz", box[2, 0]), ("yz", box[2, 1])][: 3 if self.dimension == 3 else 1]
        words = [word for name, value in tilts for word in (name, "final", float(value))]
        self._run("change_box", "all", *edges, *words, "units", "box")

    def __call__(self, positions: np.ndarray, forces: np.ndarray) -> float:
        """Fill ``forces`` and return the energy at some positions, both of shape (N, d) in the axes of the cell."""
        if not np.all(np.isfinite(positions)):
            forces[...] = 0.0
            return float("inf")
        try:
            if self._reference is None or self._moved(positions) > 0.25 * self._skin**2:
                self._place(positions)
                self._run("run", 0, "post", "no")
                self._find_arrays()
            else:
                self._x[:] = (positions @ self._turn + self._shift)[self._order]
                self._run("run", 1, "pre", "no", "post", "no")
        except InputError as error:
            self._reference = None
            if not _BEYOND.search(str(error)):
                raise
            forces[...] = 0.0
            return float("inf")
        forces[self._order] = self._f @ self._turn.T
        return float(self._lmp.get_thermo("pe"))

    @property
    def cutoff(self) -> float:
        """Distance beyond which LAMMPS lists no pairs [length]."""
        return self._cutoff

    # --- setting up ---------------------------------------------------------------------------------------------

    def _build(self, configuration: Configuration) -> None:
        self._take_cell(configuration.cell)
        box = self._box()
        fragment, d = self.fragment, self.dimension
        stated = fragment.setting("dimension", str(d))
        if stated != str(d):
            raise InputError(f"{fragment.name} says dimension {stated}, and the configuration has d = {d}.")
        self._run("units", fragment.setting("units", "lj"))
        self._run("dimension", d)
        self._run("atom_style", self._style)
        self._run("newton", *(next(fragment.all("newton"), Command(("newton", "on"), 0)).words[1:]))
        self._run("atom_modify", "map", "array", "sort", 0, 0.0)
        self._run("boundary", "p", "p", "p")
        self._run("box", "tilt", "large")
        made = False
        for command in fragment.commands:
            if command.name in _FIRST:
                continue
            if command.name == "read_data":
                self._read_data(command, configuration, box)
                made = True
                continue
            if not made and command.name not in _BEFORE_BOX and fragment.data is None:
                self._create(box, configuration)
                made = True
            words = [FileName(word) if word in fragment.files else word for word in command.words]
            self._run(*words, of=command)
        if not made:
            self._create(box, configuration)
        if self._charges is not None:
            self._lmp.scatter_atoms("q", 1, 1, np.ascontiguousarray(self._charges).ctypes)
        for settings in (
            ("neighbor", self._skin, "bin"),
            ("neigh_modify", "once", "yes", "one", 20000, "page", 400000),
            ("thermo_style", "custom", "step", "pe"),
            ("thermo_modify", "norm", "no", "lost", "error"),
            ("thermo", 0),
        ):
            self._run(*settings)
        self._place(configuration.positions)
        self._run("run", 0, "post", "no")
        self._find_arrays()
        text = pathlib.Path(self._folder.name, _LOG).read_text(errors="replace")
        found = re.findall(r"master list distance cutoff = (\S+)", text)
        self._cutoff = float(found[-1]) - self._skin if found else 0.0
        self._run("log", "none")

    def _create(self, box: np.ndarray, configuration: Configuration) -> None:
        low, high = (0.0, box[2][2]) if self.dimension == 3 else (-0.5, 0.5)
        edges = (0.0, box[0][0], 0.0, box[1][1], low, high, box[1][0], box[2][0], box[2][1])
        self._run("region", "box", "prism", *map(float, edges))
        self._run("create_box", max(self.fragment.number_of_types, int(self._types.max())), "box")
        self._run("mass", "*", 1.0)
        positions = self._wrapped(configuration.positions)[0]
        ids = list(range(1, self._n + 1))
        made = self._lmp.create_atoms(self._n, ids, self._types.tolist(), positions.ravel().tolist())
        if made != self._n:
            raise InputError(f"LAMMPS took {made} of {self._n} particles; look for positions that are damaged.")

    def _read_data(self, command: Command, configuration: Configuration, box: np.ndarray) -> None:
        data, d = self.fragment.data, self.dimension
        assert data is not None
        edges = [f"0.0 {float(box[k, k])!r} {name}lo {name}hi" for k, name in enumerate("xyz")]
        if d == 2:
            edges[2] = "-0.5 0.5 zlo zhi"
        tilts = f"{float(box[1, 0])!r} {float(box[2, 0])!r} {float(box[2, 1])!r} xy xz yz"
        place = COLUMNS[self._style][2]
        text = data.text([*edges, tilts], self._wrapped(configuration.positions)[0], place)
        pathlib.Path(self._folder.name, command.words[1]).write_text(text, encoding="utf-8")
        self._run("read_data", FileName(command.words[1]), of=command)
        ids = self._lmp.numpy.extract_atom("id")[: self._n]
        if not np.array_equal(np.sort(ids), np.arange(1, self._n + 1)):
            raise InputError(f"The ids in {data.name} are not 1 to {self._n}; number them so (reset_atoms id).")

    def _take_cell(self, cell: np.ndarray) -> None:
        self._cell = np.array(cell)
        self._lower, self._turn = upper_triangular(cell)  # LAMMPS's = ours @ turn
        self._reference = None

    def _box(self) -> np.ndarray:
        box = np.eye(3)
        box[: self.dimension, : self.dimension] = self._lower
        return box

    # --- moving -------------------------------------------------------------------------------------------------

    def _wrapped(self, positions: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return positions in LAMMPS's box, shape (N, 3), and how far each is from where it was, in its axes."""
        fractional = positions @ np.linalg.inv(self._cell)
        inside = fractional - np.floor(fractional)
        inside[inside >= 1.0] = 0.0
        found, d = np.zeros((self._n, 3)), self.dimension
        found[:, :d] = inside @ self._lower
        return found, found[:, :d] - positions @ self._turn

    def _place(self, positions: np.ndarray) -> None:
        wrapped, self._shift = self._wrapped(positions)
        local = self._lmp.numpy
        local.extract_atom("x")[: self._n] = wrapped[local.extract_atom("id")[: self._n] - 1]
        self._reference = np.array(positions)

    def _moved(self, positions: np.ndarray) -> float:
        apart = positions - self._reference
        return float(np.einsum("ij,ij->i", apart, apart).max())

    def _find_arrays(self) -> None:
        local, d = self._lmp.numpy, self.dimension
        self._order = local.extract_atom("id")[: self._n] - 1
        self._x, self._f = local.extract_atom("x")[: self._n, :d], local.extract_atom("f")[: self._n, :d]

    def _run(self, *words: Any, of: Command | None = None) -> None:
        """Give LAMMPS a command; ``of`` is the fragment's, whose words are looked at where it is read."""
        text = " ".join(_written(word, self._folder.name) for word in words)
        try:
            self._lmp.command(text)
        except Exception as error:
            said = re.sub(r"^ERROR( on proc \d+)?: ", "", " ".join(str(error).split()))
            said = re.sub(r" ?\(\S+\.(cpp|h):\d+\)|Last input line:.*|For more information see \S+", "", said).strip()
            said = said.replace(f"{self._folder.name}/", "").rstrip(".")
            where = f"line {of.line} of {self.fragment.name}" if of is not None else self.fragment.name
            raise InputError(f"LAMMPS refuses {where}: {said}.") from None


def _ended(lmp: Any, folder: tempfile.TemporaryDirectory) -> None:
    lmp.close()
    folder.cleanup()


def _written(word: Any, folder: str) -> str:
    if isinstance(word, str):  # pelplug's own, or looked at where the fragment was read
        return f'"{word}"' if " " in word or ";" in word else word
    return line(word, folder=folder)


class LammpsEvaluator(Evaluator):
    """Energy and forces of a `LammpsSystem` while its particles move."""

    def __init__(self, system: LammpsSystem):
        self.evaluations = 0
        self._system = system

    def __call__(self, positions: np.ndarray, forces: np.ndarray) -> float:
        """Fill ``forces`` and return the energy; see `Evaluator`."""
        self.evaluations += 1
        return self._system(positions, forces)
