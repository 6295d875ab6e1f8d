"""openmm: a System that OpenMM has serialised, with whatever forces are in it."""

from __future__ import annotations

import hashlib
import os
from typing import Annotated, Any

from pelplug.core.outside import read_outside
from pelplug.core.parameters import Param
from pelplug.errors import InputError
from pelplug.execution.openmm import INSTALL, PLATFORMS, openmm_version
from pelplug.potentials.base import Potential
from pelplug.potentials.openmm.potential import OpenmmPotential, tell_jumps
from pelplug.potentials.provider import Provider

__all__ = ["OpenmmProvider", "Platform"]

Platform = Annotated[
    str,
    Param(
        "what computes: Reference in double precision, CPU in single (faster, too coarse for minima and Hessians), "
        "or a GPU's, in double precision",
        choices=PLATFORMS,
    ),
]


class OpenmmProvider(Provider):
    """A serialised System of OpenMM."""

    name = "openmm"
    summary = "a System that OpenMM has serialised"
    takes = "system.xml"

    def __init__(self, *, platform: Platform = "Reference"):
        super().__init__()

    @classmethod
    def missing(cls) -> str:
        """Return how to install OpenMM, where it is not."""
        return "" if openmm_version() else INSTALL

    def potential(self, file: str) -> Potential:
        """Return the potential of ``system.xml``, as ``XmlSerializer.serialize(system)`` writes it.

        Raises
        ------
        InputError
            If it is none, or holds what cannot be computed here.
        """
        content = read_outside(file, "System of OpenMM")
        try:
            xml = content.decode()
        except UnicodeDecodeError:
            raise InputError(f"The System of OpenMM {file} is no text; give one that XmlSerializer wrote.") from None
        source: dict[str, Any] = {"provider": self.name, "files": {os.path.basename(file): _digest(content)}}
        found = OpenmmPotential(
            xml,
            source,
            self.parameters["platform"],
            smoother="give its NonbondedForce a switching function",
            flexible=" (a System made with constraints=None, rigidWater=False)",
        )
        tell_jumps(found)
        return found


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
