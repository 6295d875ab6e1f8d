"""Provider: what makes potentials of files that are not pelplug's, by a program or library that can compute them."""

from __future__ import annotations

import abc
from typing import ClassVar

from pelplug.core.parametrised import Parametrised
from pelplug.potentials.base import Potential

__all__ = ["Provider"]


class Provider(Parametrised, abc.ABC):
    """Makes a `Potential` of a file: somebody else's force field, by the program or library that it was written for.

    A subclass sets the class attributes and writes `potential`; what may be set besides the file are keyword-only
    arguments of its ``__init__``, annotated with `pelplug.Param`. It is named before the file, as in
    ``--potential python:calc.py``. A heavy library is imported in `potential`, not by the module.

    Attributes
    ----------
    name : str
        Lower-case words joined by hyphens; what stands before the colon.
    summary : str
        One line.
    takes : str
        What stands after the colon, for lists: ``"FILE.py[:NAME]"``.
    parameters : dict
        Value of every parameter, defaults included.

    Examples
    --------
    >>> class Tables(pelplug.Provider):
    ...     name, summary, takes = "tables", "pair energies from a table of numbers", "FILE.dat"
    ...
    ...     def __init__(self, *, degree: Annotated[int, pelplug.Param("of the splines", minimum=3)] = 5):
    ...         super().__init__()
    ...
    ...     def potential(self, file):
    ...         return TabulatedPotential(file, self.parameters["degree"])
    """

    noun = "provider"
    summary: ClassVar[str]
    takes: ClassVar[str] = "FILE"

    def __init__(self) -> None:
        super().__init__()

    @classmethod
    def missing(cls) -> str:
        """Return what to do to have what it needs, in one sentence; empty where it can be used here."""
        return ""

    @classmethod
    def available(cls) -> bool:
        """Return whether it can be used on this machine."""
        return not cls.missing()

    @abc.abstractmethod
    def potential(self, file: str) -> Potential:
        """Return the potential of a file, the same for every configuration that it will be asked about.

        Its `Potential.record` names the file by its content (a SHA-256, not a path), and all else that decides the
        numbers: parameters, the version of the library.

        Parameters
        ----------
        file : str
            What stands after the colon, most often a path.

        Raises
        ------
        InputError
            If there is no such file, or nothing can be made of it; what else is raised ends in a sentence that names
            the plugin.
        """
