"""Study: the base class of what is computed from the results of analyses, at many conditions, or from a theory."""

from __future__ import annotations

import abc
import functools
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any, ClassVar, Self

import xarray as xr
from MDAnalysis.analysis.results import Results

from pelplug.core.checksum import checksum
from pelplug.core.conditions import Conditions
from pelplug.core.units import Units
from pelplug.core.versions import code_of
from pelplug.errors import RunError
from pelplug.tasks import provenance
from pelplug.tasks.assembly import check_values
from pelplug.tasks.collection import Collection
from pelplug.tasks.mixing import readable_by
from pelplug.tasks.parts import Parts
from pelplug.tasks.reserved import RESERVED_OF_STUDIES
from pelplug.tasks.task import Task

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["Study"]


class Study(Task, abc.ABC):
    """Base of every study: results of analyses go in, values with units come out as an `xarray.Dataset`.

    A subclass sets the class attributes and writes `compute`; its parameters are keyword-only arguments annotated with
    `pelplug.Param`, as those of an analysis::

        class MeanStiffness(pelplug.Study):
            name = "mean-stiffness"
            summary = "Mean dipole stiffness over temperature"
            uses = ("kappa",)
            varies = ("parent_temperature",)
            provides = {
                "temperature": pelplug.Field(("temperature",), "temperature", "parent temperature"),
                "stiffness": pelplug.Field(("temperature",), "energy / length**2", "mean dipole stiffness"),
            }

            def compute(self, collection):
                groups = collection.groups("parent_temperature")
                return {
                    "temperature": [one.value("parent_temperature") for one in groups],
                    "stiffness": [numpy.mean([float(result["kappa"].mean()) for result in one]) for one in groups],
                }

    A study that uses nothing is a theory: what it computes follows from its parameters alone.

    Parameters
    ----------
    collection : Collection, or whatever it is made of
        The results; None only for a theory and for a study rebuilt from its dataset.

    Attributes
    ----------
    name : str
        Lower-case words joined by hyphens; what ``pelplug study`` takes.
    summary : str
        One line.
    uses : tuple of str
        Names of the analyses whose results it reads; results of others are refused. None: a theory.
    takes : tuple of str
        Names of analyses whose results it can use and need not: measurements beside a theory. `collection` holds those
        that are given, perhaps none.
    needs : tuple of str
        Conditions that each result must say: fields of `Conditions`, or ``liquid_temperature``, which is the
        temperature or of inherent structures their parent's.
    varies : tuple of str
        Conditions in which results may differ; each must say them. All else (model, units, N, density, ...) must be the
        same, but for replica and seed, which tell independent runs apart. Also parameters of analyses, as
        ``"dynamics.wave_number"``; of the others all that change what numbers mean (`Param`) must be the same.
    allows : tuple of str
        Conditions in which results may differ, said or not: the density of runs at constant pressure.
    compares : tuple of str
        Those of `varies` of which there must be more than one value: results at one temperature alone are refused.
    provides : dict of str to Field
        Every variable of the dataset. One that is named as its only dimension is a coordinate.
    prints : tuple of str
        Those that the command line prints, all short ones by default. The others are in the file.
    cites : tuple of str
        Papers to cite.
    parameters : dict
        Value of every parameter, defaults included.
    collection : Collection
        The results of `uses`, none of them mixed.

    Raises
    ------
    InputError
        If a parameter is unknown or out of range; if results are missing, mixed, or of other analyses.
    """

    noun = "study"
    not_parameters = ("collection",)
    reserved = RESERVED_OF_STUDIES
    entries_before = ("collection : Collection, or whatever it is made of\n    The results.",)
    entries_after = ("**base\n    Of `pelplug.Study`.",)
    takes: ClassVar[tuple[str, ...]] = ()
    needs: ClassVar[tuple[str, ...]] = ()
    varies: ClassVar[tuple[str, ...]] = ()
    allows: ClassVar[tuple[str, ...]] = ()
    compares: ClassVar[tuple[str, ...]] = ()
    prints: ClassVar[tuple[str, ...]] = ()

    def __init__(self, collection: Any = None) -> None:
        self.results = Results()
        self.attributes = {}
        self._failed_parts = {}
        self._conditions = None
        self._given = None if collection is None else Collection(collection)
        self._read: Collection | None = None
        self._parts = Parts()

    # --- what an author writes ----------------------------------------------------------------------------

    @abc.abstractmethod
    def compute(self, collection: Collection) -> Mapping[str, Any]:
        """Return the values of the declared variables.

        Parameters
        ----------
        collection : Collection
            Results of the analyses in `uses`; `Collection.groups` puts them in the order of their conditions.

        Returns
        -------
        dict of str to array_like
            Those that cannot be had may be left out.
        """

    def each_part(
        self, function: Callable[..., dict[str, Any]], calls: Iterable[tuple], desc: str = ""
    ) -> list[dict[str, Any]]:
        """Return what a function gives for each of its calls, in their order; for `compute`.

        The calls run in worker processes, and each that is finished is kept beside the output: the same command goes on
        after a kill. How many workers there are changes no result.

        Parameters
        ----------
        function : callable
            At the top of a module, so that another process finds it. What it returns, arrays, numbers and text by their
            names, depends on its arguments alone.
        calls : iterable of tuple
            Arguments of each call. For one study they are always the same, in the same order.
        desc : str, optional
            What the progress line is called; the study's name by default.
        """
        return self._parts.run(function, calls, desc or self.name)

    def summarize(self, dataset: xr.Dataset) -> xr.Dataset:
        """Return the dataset of what `compute` gave, with what is said of it: how errors were found, names of places.

        By default as it is.
        """
        return dataset

    def plot(self, ax: Axes | None = None, **keywords: Any) -> Axes:
        """Draw one panel and return its Axes; by default the first variable over its coordinate, with its errors."""
        from pelplug.plotting.style import plot_curve

        dataset = self.to_dataset()
        return plot_curve(dataset, str(next(iter(dataset.data_vars))), ax=ax, **keywords)

    # --- what runs it -------------------------------------------------------------------------------------

    @property
    def collection(self) -> Collection:
        """The results it reads; what it cannot read together is refused.

        Raises
        ------
        InputError
            With the remedy.
        """
        if self._read is None:
            given = Collection() if self._given is None else self._given
            self._read = readable_by(
                given, self._owner, self.uses, self.needs, self.varies, self.allows, self.compares, self.takes
            )
        return self._read

    def run(self, parts: Parts | None = None) -> Self:
        """Compute the result of `to_dataset`.

        Parameters
        ----------
        parts : Parts, optional
            What computes its parts (`each_part`), and keeps them.

        Raises
        ------
        InputError
            If results are missing, mixed, or of other analyses.
        RunError
            If it gives other variables than it declares, or none.
        """
        self.attributes.setdefault("fingerprint", self.fingerprint())
        self._parts = Parts() if parts is None else parts
        self._parts.open(self.name, self.attributes["fingerprint"])
        values = check_values(self.compute(self.collection), self.provides, None, self._owner, per_frame=False)
        variables = {
            name: (field.dims, values[name], {"units": field.unit, "long_name": field.long_name})
            for name, field in self.provides.items()
            if name in values
        }
        dataset = xr.Dataset(variables)
        if not dataset.data_vars:
            raise RunError(f"The {self._owner} gave no values; tell its author.")
        self._finish(self.summarize(dataset))
        return self

    @property
    def has_parts(self) -> bool:
        """Whether the last run computed parts."""
        return self._parts.number > 0

    @property
    def conditions(self) -> Conditions:
        """Those that all results share; what differs is in `Conditions.several`."""
        return self.collection.conditions if self._conditions is None else self._conditions

    @property
    def units(self) -> Units:
        """What the numbers are in: those of the results; reduced ones of a theory."""
        return self.conditions.units

    def fingerprint(self) -> str:
        """Return the sha256 of all that decides the result: code, parameters, and the results that it reads."""
        return provenance.fingerprint(
            study=self.name,
            code=code_of(self),
            parameters=self.parameters,
            files=provenance.named_files(self.parameters),
            results=sorted(provenance.to_json({**one, "file": ""}) for one in self._records),
        )

    @functools.cached_property
    def _records(self) -> list[dict[str, Any]]:
        """Return what identifies each result that it reads."""
        return [
            {
                "analysis": one.analysis,
                "file": "" if one.path is None else one.source,
                "sha256": "" if one.path is None else checksum(one.path),
                "fingerprint": one.attributes.get("fingerprint", ""),
                "request": one.attributes.get("request", ""),
                "conditions": one.conditions.to_record(model=False),
            }
            for one in self.collection
        ]

    def _sources(self, failures: Iterable[Any]) -> dict[str, Any]:
        return {"collection": provenance.to_json(self._records)}

    def _dimension_of_space(self) -> int | None:
        """Return that of the states, where all results say the same by vectors that they have."""
        found = {one.sizes.get("dimension") for one in self.collection}
        return next(iter(found)) if len(found) == 1 else None
