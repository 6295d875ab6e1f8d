"""`study`: what is computed from the results of analyses, or from a theory alone."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

from pelplug.core.arguments import takes
from pelplug.execution.placement import Workers
from pelplug.host.functions import default_registry
from pelplug.host.told import told
from pelplug.tasks.parameter_file import ParameterFile
from pelplug.tasks.parts import Parts
from pelplug.tasks.provenance import failed_parts

if TYPE_CHECKING:
    import xarray as xr

    from pelplug.files.finished_frames import PartialStore
    from pelplug.host.registry import Registry
    from pelplug.tasks.study import Study

__all__ = ["make_study", "run_study", "study"]


@takes(file=ParameterFile, placement=Workers)
def study(
    name: str,
    results: Any = (),
    *,
    file: ParameterFile,
    placement: Workers,
    store: PartialStore | None = None,
    verbose: bool = False,
    registry: Registry | None = None,
    **values: Any,
) -> xr.Dataset:
    """Compute a study of results, or a theory.

    Parameters
    ----------
    name : str
        As ``pelplug plugins -v`` lists it.
    results : path, Dataset, mapping, or an iterable of these
        Results of the analyses that it uses: files, patterns of their names (``"run-*/kappa.nc"``), what
        `pelplug.analyze` returns. A theory needs none.
    file : ParameterFile
        Where parameters are written.
    placement : Workers
        How many processes compute.
    store : PartialStore, optional
        Keeps what is finished until the whole is.
    verbose : bool, optional
        Show progress.
    registry : Registry, optional
        Where to look; the installed plugins by default.
    **values
        Of the parameters of the study.

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
    parts = Parts(placement.workers, store, verbose)
    dataset = run_study(make_study(name, results, values, registry, file), registry, parts).to_dataset()
    for part, why in failed_parts(dataset).items():
        warnings.warn(f"{name} left out {part}, which failed ({why})", RuntimeWarning, stacklevel=3)
    return dataset


def make_study(
    name: str, results: Any, values: dict[str, Any], registry: Registry, file: ParameterFile | None = None
) -> Study:
    """Return a study of results, after all that can be refused without its work."""
    cls = registry.study(name)
    written = (file or ParameterFile()).values(name, cls.parameter_specs(), registry.studies())
    with told(cls, registry):
        made = cls(results, **{**written, **values})
        _ = made.collection
        return made


def run_study(made: Study, registry: Registry, parts: Parts | None = None) -> Study:
    """Run a study; what its author did not mean to raise is a sentence with the owner."""
    with told(type(made), registry):
        return made.run(parts)
