"""Field and Need: what an analysis gives and what it must be given."""

from __future__ import annotations

import dataclasses
import enum

__all__ = ["Field", "Need"]


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

    def __post_init__(self):
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
    """What an analysis must be given before it starts; combine with ``|``."""

    POSITIONS = enum.auto()
    CELL = enum.auto()
    VELOCITIES = enum.auto()
    IMAGES = enum.auto()
    DIAMETERS = enum.auto()
    TIME = enum.auto()
    SERIES = enum.auto()
    ENGINE = enum.auto()
    POTENTIAL = enum.auto()
    _SECOND_DERIVATIVE = enum.auto()
    HESSIAN = POTENTIAL | _SECOND_DERIVATIVE
