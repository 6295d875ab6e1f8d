"""What LAMMPS has been told so far in a log, reset as LAMMPS itself resets it."""

from __future__ import annotations

import dataclasses
import itertools

__all__ = ["Known", "ThermoSettings"]

_TIME_STEPS = {
    "lj": 0.005, "real": 1.0, "metal": 0.001, "si": 1e-8, "cgs": 1e-8, "electron": 0.001, "micro": 2.0, "nano": 0.00045,
}  # fmt: skip
_YES, _NO = ("yes", "on", "true"), ("no", "off", "false")
_RUNS = ("run", "minimize", "rerun")
_OTHERS = ("neb", "neb/spin", "tad", "prd", "hyper", "temper", "temper/npt", "temper/grem", "dynamical_matrix")
_CHANGES_N = ("gcmc", "deposit", "pour", "evaporate", "sgcmc", "widom", "bond/react", "append/atoms")
_COMMANDS = frozenset(
    (*_RUNS, *_OTHERS, "units", "clear", "thermo", "thermo_style", "thermo_modify", "timestep", "pair_style",
     "atom_style", "read_data", "read_restart", "create_box", "create_atoms", "fix", "velocity", "pair_coeff")
)  # fmt: skip
_UNSET = object()  # nobody told since LAMMPS began: its own default


@dataclasses.dataclass(frozen=True)
class Known:
    """What was known when a table of thermo output began.

    Attributes
    ----------
    units : str or None
        Style of units.
    norm : bool or None
        Whether extensive numbers are divided by N.
    time_step : float or None
    n : int or None
        Number of atoms.
    command : str or None
        What made the table: run, minimize, rerun, or another.
    variables : dict of str to str
        Definitions of equal-style variables.
    names : dict of str to str
        Columns that were renamed, new name to old.
    inserts : str or None
        A fix that changes the number of atoms, or adds its energy.
    changes_step : bool
        Whether a fix changes the time step.
    adds_energy : bool
        Whether a fix adds to the potential energy.
    """

    units: str | None
    norm: bool | None
    time_step: float | None
    n: int | None
    command: str | None
    variables: dict[str, str]
    names: dict[str, str]
    inserts: str | None
    changes_step: bool
    adds_energy: bool


class ThermoSettings:
    """The settings of one LAMMPS process that matter for its thermo output.

    Parameters
    ----------
    begun : bool
        Whether the log shows the beginning of the process, so that what was not set has its default value.
    """

    def __init__(self, begun: bool = False):
        self.begun, self.echo, self.printed = begun, False, False
        self.command: str | None = None
        self.setup, self.in_force = True, None
        self.reset()

    def reset(self) -> None:
        """Go back to the defaults, as `clear` does."""
        self.units: str | None = None  # lj if nobody says, but a log without the command is not taken at its silence
        self.norm = _UNSET if self.begun else None
        self.time_step: float | None = None
        self.n: int | None = None
        self.told_units = self.told_step = self.adds_energy = False
        self.variables: dict[str, str] = {}
        self.names: dict[str, str] = {}
        self.fixes: dict[str, str] = {}

    def swallows(self, text: str) -> bool:
        """Tell whether a line is what `print` wrote, or the command itself, and to be passed over."""
        if text.startswith("print "):
            self.printed = True
            return True
        printed, self.printed = self.printed, False
        return printed

    def snapshot(self) -> Known:
        """Return what is known now."""
        norm = self.norm
        if norm is _UNSET:
            norm = None if self.units is None else self.units == "lj"
        if not self.setup:  # run ... pre no: nothing is set up anew, and thermo_modify waits for the next setup
            norm = self.in_force
        self.in_force, self.setup = norm, True
        styles = self.fixes.values()
        return Known(
            self.units if self.echo or self.told_units else None,
            # Without an echo of commands thermo_modify would not be seen.
            norm if self.echo else None,
            self.time_step if self.echo or self.told_step else None,
            self.n,
            self.command,
            dict(self.variables),
            dict(self.names),
            next((style for style in styles if style.startswith(_CHANGES_N)), None),
            any(style.startswith("dt/reset") for style in styles),
            self.adds_energy,
        )

    def take(self, text: str, words: list[str]) -> None:
        """Take a line that is no row of a table: a command that was echoed, or something that LAMMPS says."""
        if self._says(text, words) or text[0].isspace() or "$" in text:
            return  # a command with variables comes again with their values
        first = words[0]
        self.echo = self.echo or first in _COMMANDS
        if first == "clear" and len(words) == 1:
            self.begun = True
            self.reset()
        elif first in _RUNS or first in _OTHERS:
            self.command = first
            self.setup = not (first == "run" and any(pair == ("pre", "no") for pair in itertools.pairwise(words)))
        elif len(words) > 1 and (method := getattr(self, f"_on_{first}", None)) is not None:
            method(words[1:])

    # --- commands ----------------------------------------------------------------------------------------------------

    def _on_units(self, words):
        if not self.begun:  # only at the beginning of a process can units be set
            self.begun = True
            self.reset()
        self.units, self.time_step, self.told_units = words[0], _TIME_STEPS.get(words[0]), True

    def _on_timestep(self, words):
        self.time_step = _number(words[0])

    def _on_thermo_style(self, words):
        # LAMMPS makes a new table and forgets every thermo_modify.
        self.norm, self.names = _UNSET, {}

    def _on_thermo_modify(self, words):
        for key, value in itertools.pairwise(words):
            if key == "norm" and value in (*_YES, *_NO):
                self.norm = value in _YES
        for k in range(len(words) - 2):
            if words[k] == "colname":
                self.names[words[k + 2].strip("'\"")] = words[k + 1]

    def _on_read_restart(self, words):
        self.time_step = None  # that of the restart file, which the log does not say

    def _on_variable(self, words):
        if len(words) > 2 and words[1] == "equal":
            self.variables[words[0]] = " ".join(words[2:]).strip("\"'")

    def _on_fix(self, words):
        if len(words) > 2:
            self.fixes[words[0]] = words[2]

    def _on_unfix(self, words):
        self.fixes.pop(words[0], None)

    def _on_fix_modify(self, words):
        pairs = list(itertools.pairwise(words))
        self.adds_energy = self.adds_energy or any(key == "energy" and value in _YES for key, value in pairs)

    def _on_echo(self, words):
        if words[0] in ("none", "screen"):
            self.echo = False

    # --- what LAMMPS says --------------------------------------------------------------------------------------------

    def _says(self, text: str, words: list[str]) -> bool:
        if words[:2] == ["Unit", "style"]:
            self.units, self.told_units = words[-1], True
        elif words[:2] == ["Time", "step"] and words[2:3] == [":"]:
            self.time_step, self.told_step = _number(words[-1]), True
        elif text.startswith("Setting up") and "minimization" in text:
            self.command = "minimize"
        elif text.startswith(("Setting up Verlet", "Setting up r-RESPA")):
            self.command = "run"
        elif words[0] == "Created" and words[-1] == "atoms" and len(words) == 3 and words[1].isdigit():
            self.n = (self.n or 0) + int(words[1])
        elif words[0] == "Deleted" and "total" in words and words[-1].isdigit():
            self.n = int(words[-1])
        elif len(words) == 2 and words[1] == "atoms" and words[0].isdigit() and text[0].isspace():
            self.n = int(words[0])
        else:
            return False
        return True


def _number(word: str) -> float | None:
    try:
        return float(word)
    except ValueError:
        return None
