"""`study`: what is computed from the results of analyses, or from a theory alone."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

from pelplug.core.arguments import takes
from pelplug.host.functions import default_registry
from pelplug.host.told import told
from pelplug.tasks.provenance import failed_parts

if TYPE_CHECKING:
    import xarray as xr

    from pelplug.host.registry import Registry
    from pelplug.tasks.study import Study

__all__ = ["make_study", "run_study", "study"]


@takes()
def study(name: str, results: Any = (), *, registry: Registry | None = None, **parameters: Any) -> xr.Dataset:
    """Compute a study of results, or a theory.

    Parameters
    ----------
    name : str
        As ``pelplug plugins -v`` lists it.
    results : path, Dataset, mapping, or an iterable of these
        Results of the analyses that it uses: files, patterns of their names (``"run-*/kappa.nc"``), what
        `pelplug.analyze` returns. None for a theory.
    registry : Registry, optional
        Where to look; the installed plugins by default.
    **parameters
        Of the study.

    Returns
    -------
    Dataset
        With units and provenance; `pelplug.plot` draws it.

    Raises
    ------
    InputError
        If there is no such study or parameter, or results are missing, mixed, or of other analyses.
    RunError
        If the study failed.
    """
    registry = registry or default_registry()
    dataset = run_study(make_study(name, results, parameters, registry), registry).to_dataset()
    for part, why in failed_parts(dataset).items():
        warnings.warn(f"{name} left out {part}, which failed ({why})", RuntimeWarning, stacklevel=3)
    return dataset


def make_study(name: str, results: Any, parameters: dict[str, Any], registry: Registry) -> Study:
    """Return a study of results, after all that can be refused without its work."""
    cls = registry.study(name)
    with told(cls, registry):
        made = cls(results, **parameters)
        _ = made.collection
        return made


def run_study(made: Study, registry: Registry) -> Study:
    """Run a study; what its author did not mean to raise is a sentence with the owner."""
    with told(type(made), registry):
        return made.run()
