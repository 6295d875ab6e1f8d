"""gromacs: a topology of GROMACS, computed by OpenMM with the settings of the mdp that are stated."""

from __future__ import annotations

import os
from typing import Annotated, Any, Literal

from scipy.special import erfcinv

from pelplug.core.checksum import checksum
from pelplug.core.outside import read_outside
from pelplug.core.parameters import Param
from pelplug.errors import InputError
from pelplug.execution.openmm import INSTALL, Ewald, gromacs_system, gromacs_topology, openmm_version
from pelplug.potentials.base import Potential
from pelplug.potentials.external.openmm import Platform
from pelplug.potentials.openmm.potential import OpenmmPotential, tell_jumps
from pelplug.potentials.provider import Provider

__all__ = ["GromacsProvider"]

_LENGTH: dict[str, Any] = {"exclusive_minimum": 0.0, "unit": "length"}
_SWITCH = "modifier=potential-switch switch=0.9 (each with --potential-param)"
_FLEXIBLE = "define=FLEXIBLE for water that has it, constraints=none"


class GromacsProvider(Provider):
    """A topology of GROMACS, by OpenMM.

    The mdp is not read: what it says of the energy is stated, in the mdp's words and units.
    """

    name = "gromacs"
    summary = "a topology of GROMACS, computed by OpenMM"
    takes = "topol.top"

    def __init__(
        self,
        *,
        cutoff: Annotated[float | None, Param("rvdw and rcoulomb, in nm; must be stated", **_LENGTH)] = None,
        modifier: Annotated[
            Literal["none", "potential-shift", "potential-switch"] | None,
            Param("vdw-modifier of the mdp; must be stated"),
        ] = None,
        switch: Annotated[float | None, Param("rvdw-switch, in nm, of potential-switch", **_LENGTH)] = None,
        electrostatics: Annotated[
            Literal["none", "ewald", "pme"] | None,
            Param("coulombtype of the mdp, with coulomb-modifier none; must be stated where there are charges"),
        ] = None,
        ewald_rtol: Annotated[
            float | None, Param("ewald-rtol, of ewald and pme", exclusive_minimum=0.0, maximum=0.1)
        ] = None,
        fourier_spacing: Annotated[float | None, Param("fourierspacing, in nm, of pme", **_LENGTH)] = None,
        constraints: Annotated[
            Literal["none", "h-bonds", "all-bonds"],
            Param("constraints of the mdp, besides those of the topology"),
        ] = "none",
        define: Annotated[
            str, Param("define of the mdp without -D, comma-separated: FLEXIBLE,POSRES", file=False)
        ] = "",
        include: Annotated[str, Param("folder of included files, if not GROMACS's own", file=False)] = "",
        platform: Platform = "Reference",
    ):
        super().__init__()

    @classmethod
    def missing(cls) -> str:
        """Return how to install OpenMM, where it is not."""
        return "" if openmm_version() else INSTALL

    def potential(self, file: str) -> Potential:
        """Return the potential of ``topol.top`` with the stated settings.

        Raises
        ------
        InputError
            If a file is missing, something is not stated, or OpenMM does not know a term.
        """
        read_outside(file, "topology")
        of = self.parameters
        self._require(file, [name for name in ("cutoff", "modifier") if of[name] is None])
        defines = dict(word.partition("=")[::2] for word in of["define"].replace("-D", "").replace(",", " ").split())
        edge = 10.0 * of["cutoff"]
        topology = gromacs_topology(
            file, edge, of["include"] or None, {key: one or "1" for key, one in defines.items()}
        )
        xml, names, charged = gromacs_system(
            topology, of["cutoff"], of["modifier"], self._switch(), of["electrostatics"] or "none", of["constraints"]
        )
        ewald = self._ewald(file, charged)
        files = {_named(path, file): checksum(path).rpartition(":")[2] for path in dict.fromkeys(topology.read)}
        settings = {name: value for name, value in of.items() if name not in ("platform", "include")}
        source = {"provider": self.name, "files": files, "parameters": settings}
        words = {"smoother": f"state {_SWITCH}", "flexible": f" (state {_FLEXIBLE})"}
        found = OpenmmPotential(xml, source, of["platform"], names=names, ewald=ewald, **words)
        tell_jumps(found)
        return found

    def _require(self, file: str, missing: list[str]) -> None:
        if missing:
            raise InputError(
                f"The mdp that belongs to {file} is not read; state its {', '.join(missing)} with --potential-param, "
                f"such as {' '.join(_EXAMPLES[name] for name in missing)} (in Python as keywords)."
            )

    def _switch(self) -> float | None:
        given, cutoff = self.parameters["switch"], self.parameters["cutoff"]
        if (self.parameters["modifier"] == "potential-switch") != (given is not None):
            raise InputError(
                "A switch (rvdw-switch) and modifier=potential-switch belong together; state both, or neither."
            )
        if given is not None and not given < cutoff:
            raise InputError(f"The switch begins at {given:g} nm, not below the cutoff {cutoff:g} nm; lower it.")
        return given

    def _ewald(self, file: str, charged: int) -> Ewald | None:
        of = self.parameters
        kind = of["electrostatics"]
        if charged and kind is None:
            self._require(file, ["electrostatics"])
        if charged and kind == "none":
            raise InputError(
                f"The topology {file} has {charged} charged atoms, and electrostatics=none leaves them out; state "
                "electrostatics=pme, or ewald."
            )
        if kind not in ("ewald", "pme"):
            return None
        needed = ["ewald_rtol", "fourier_spacing"] if kind == "pme" else ["ewald_rtol"]
        self._require(file, [name for name in needed if of[name] is None])
        screening = float(erfcinv(of["ewald_rtol"])) / of["cutoff"]
        return Ewald(screening, of["cutoff"], of["fourier_spacing"] if kind == "pme" else None)


_EXAMPLES = {
    "cutoff": "cutoff=1.0",
    "modifier": "modifier=potential-shift",
    "electrostatics": "electrostatics=pme",
    "ewald_rtol": "ewald_rtol=1e-5",
    "fourier_spacing": "fourier_spacing=0.12",
}


def _named(path: str, top: str) -> str:
    """Return how a file that was read is called: by its place below the topology's folder, else by its last folder."""
    own = os.path.dirname(os.path.abspath(top))
    whole = os.path.abspath(path)
    if whole.startswith(own + os.sep):
        return os.path.relpath(whole, own).replace(os.sep, "/")
    return "/".join(whole.replace(os.sep, "/").split("/")[-2:])
