"""The keys of a model file, declared as the parameters of everything else are."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pelplug.core.parameters import Param
from pelplug.core.parametrised import Parametrised
from pelplug.potentials.truncations import TRUNCATIONS

__all__ = ["Definition"]


class Definition(Parametrised):
    """A pair model chosen by its form, with parameters for each pair of species or for given diameters.

    A mixture has ``species`` and one ``[[pair]]`` table a pair of species (``species``, ``sigma``, the form's
    parameters, ``cutoff`` where it differs); particles with a diameter each have ``sigma = "diameters"`` and one
    table ``[parameters]``.
    """

    noun, name = "definition", "of a model"

    def __init__(
        self,
        *,
        form: Annotated[str, Param("name of a functional form")],
        name: Annotated[str, Param("name of the model; the file's by default")] = "user",
        summary: Annotated[str | None, Param("one line about it")] = None,
        dimension: Annotated[int | None, Param("dimension of space; any by default", minimum=2, maximum=8)] = None,
        species: Annotated[list[str] | None, Param("names of the species of a mixture")] = None,
        composition: Annotated[dict[str, Any] | None, Param("fraction of each species")] = None,
        density: Annotated[
            float | None, Param("number density", exclusive_minimum=0.0, unit="1 / length**dimension")
        ] = None,
        time_step: Annotated[
            float | None, Param("time step of molecular dynamics", exclusive_minimum=0.0, unit="time")
        ] = None,
        units: Annotated[
            Any, Param("what the numbers are in: metal, real, lj, gromacs, ..., or a table", metavar="NAME|TABLE")
        ] = "reduced",
        masses: Annotated[dict[str, Any] | None, Param("mass of each species")] = None,
        truncation: Annotated[
            str | None,
            Param(
                "what is done at the cutoff; shift, or cut where the form ends by itself", choices=tuple(TRUNCATIONS)
            ),
        ] = None,
        cutoff: Annotated[
            float | None, Param("cutoff of every pair that has none of its own", exclusive_minimum=0.0, unit="sigma_ij")
        ] = None,
        sigma: Annotated[
            Literal["diameters"] | None,
            Param("that particles have diameters; a mixture has a sigma in each [[pair]]"),
        ] = None,
        mixing: Annotated[
            Literal["additive", "non-additive"], Param("rule by which two diameters make the length of their pair")
        ] = "additive",
        parameters: Annotated[
            dict[str, Any] | None, Param("numbers of the form, where particles have diameters")
        ] = None,
        pair: Annotated[Any, Param("tables headed [[pair]], one for each pair of species", metavar="TABLES")] = (),
        cites: Annotated[list[str] | None, Param("where the model comes from")] = None,
    ):
        pass
