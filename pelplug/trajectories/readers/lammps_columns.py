"""Which columns of a table of thermo output are the clock and the potential energy, and what they are of."""

from __future__ import annotations

import numpy as np

from pelplug.trajectories.energy_file import EnergyRun
from pelplug.trajectories.readers.lammps_settings import Known

__all__ = ["Columns"]

_POTENTIAL = ("PotEng", "c_thermo_pe", "v_pe", "pe")
_KEYWORDS = {"step": "Step", "time": "Time", "dt": "Dt", "atoms": "Atoms", "pe": "PotEng"}
_NO_ENERGY = frozenset(
    [
        "Step",
        "Elapsed",
        "Elaplong",
        "Dt",
        "Time",
        "CPU",
        "T/CPU",
        "S/CPU",
        "CPULeft",
        "Part",
        "TimeoutR",
        "Atoms",
        "Temp",
        "Press",
        "Volume",
        "Density",
        "Lx",
        "Ly",
        "Lz",
        "Xlo",
        "Xhi",
        "Ylo",
        "Yhi",
        "Zlo",
        "Zhi",
        "Xy",
        "Xz",
        "Yz",
        "Pxx",
        "Pyy",
        "Pzz",
        "Pxy",
        "Pxz",
        "Pyz",
        "Fmax",
        "Fnorm",
        "Nbuild",
        "Ndanger",
    ]
)
_SAME = 1e-5  # relative: times are printed with eight digits


class Columns:
    """Places of the clock, the energy, and what else is of use.

    Parameters
    ----------
    names : list of str
        The header.
    known : Known
        What LAMMPS had been told when the table began.
    column : str
        Column that the user names; ``auto`` for the potential energy.
    path : path_like
        For messages.
    """

    def __init__(self, names: list[str], known: Known, column: str, path):
        self.known, self.problem = known, None
        self._names = [_KEYWORDS.get(known.names.get(name, ""), name) for name in names]
        self._keys: dict[str, int] = {}
        self.places: list[int] = []
        for name in ("Step", "Time", "Dt", "Atoms"):
            if name in self._names:
                self._keys[name] = self._place(self._names.index(name))
        energies = self._energies(names, column)
        self._energy = [
            self._place(names.index(name) if name in names else self._names.index(name)) for name in energies
        ]
        self.extensive = self._is_extensive(energies)
        if not {"Step", "Time"} & set(self._keys):
            self.problem = self.problem or f"the table has no column Step or Time among {', '.join(names)}"

    def _place(self, index: int) -> int:
        self.places.append(index)
        return len(self.places) - 1

    def _energies(self, names: list[str], column: str) -> list[str]:
        if column != "auto":
            if column in names and self._names[names.index(column)] in _NO_ENERGY:
                self.problem = f"{column} is no energy; name the column of the potential energy with --column"
                return [column]
            if column in names:
                return [column]
            self.problem = f"there is no column {column!r}; it has {', '.join(names)}"
            return []
        for name in _POTENTIAL:
            if name in self._names:
                return [name]
        if "E_pair" in self._names and "E_mol" in self._names and not self.known.adds_energy:
            return ["E_pair", "E_mol"]  # LAMMPS's default style; together they are PotEng
        self.problem = (
            f"there is no potential energy ({' or '.join(_POTENTIAL[:2])}) among the columns {', '.join(names)}; name "
            "the column with --column"
        )
        return []

    def _is_extensive(self, energies: list[str]) -> bool | None:
        by_norm = None if self.known.norm is None else not self.known.norm
        if not energies or not energies[0].startswith("v_"):
            return by_norm
        # LAMMPS does not normalise variables, but keywords within them.
        definition = self.known.variables.get(energies[0][2:], "").replace(" ", "")
        if definition == "pe":
            return by_norm
        return True if definition == "c_thermo_pe" else None

    def run(self, values: np.ndarray) -> EnergyRun:
        """Return the run of a table's rows, the columns of `places` alone."""
        known, problem = self.known, self.problem
        energy = values[:, self._energy].sum(axis=1)
        clock = "Step" if "Step" in self._keys else "Time"
        at = values[:, self._keys[clock]] if clock in self._keys else np.arange(len(values), dtype=float)
        time_step = 1.0 if clock == "Time" else known.time_step
        n = known.n
        if "Dt" in self._keys:
            steps = values[:, self._keys["Dt"]]
            if np.ptp(steps) <= _SAME * abs(steps[0]):
                time_step = time_step if known.time_step is not None else float(steps[0])
            elif "Time" in self._keys:
                at, time_step = values[:, self._keys["Time"]], 1.0
            else:
                problem = problem or "the time step changes while it runs, and there is no column Time"
        elif known.changes_step and "Time" in self._keys:
            at, time_step = values[:, self._keys["Time"]], 1.0
        elif known.changes_step:
            problem = problem or "a fix changes the time step while it runs, and there is no column Time to tell by"
        elif clock == "Step" and "Time" in self._keys and len(at) > 1 and time_step is None:
            times = values[:, self._keys["Time"]]
            found = (times[-1] - times[0]) / (at[-1] - at[0]) if at[-1] > at[0] else 0.0
            time_step = float(f"{found:.6g}") if found > 0 else None
        if known.command == "rerun" and clock == "Step" and "Time" not in self._keys:
            time_step = None  # of the run that wrote the dump, not of this one
        if "Atoms" in self._keys:
            atoms = values[:, self._keys["Atoms"]]
            n = int(atoms[-1]) if n is None else n
            if np.ptp(atoms) > 0:
                problem = problem or "the number of atoms changes while it runs, so that it is not one system"
        elif known.inserts is not None:
            problem = problem or (
                f"fix {known.inserts} may change the number of atoms, and no column Atoms says that it did not; "
                "log atoms too (thermo_style custom step pe atoms)"
            )
        if known.command not in (None, "run", "rerun", "minimize"):
            problem = problem or f"its table was made by {known.command}, which is no molecular dynamics of one system"
        units = "that of the LAMMPS run" if known.units is None else f"LAMMPS units {known.units}"
        return EnergyRun(
            at,
            energy,
            time_step=time_step,
            n=n,
            extensive=self.extensive,
            units=units,
            minimisation=known.command == "minimize",
            problem=None if problem is None else f"{problem.rstrip('.')}.",
            open=True,
        )
