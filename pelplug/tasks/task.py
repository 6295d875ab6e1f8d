"""Task: what everything that computes has in common, an analysis of frames as a study of results."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, ClassVar, Self

import xarray as xr
from MDAnalysis.analysis.results import Results

from pelplug.core.conditions import Conditions
from pelplug.core.fields import Field
from pelplug.core.parameters import present_name
from pelplug.core.parametrised import Parametrised
from pelplug.core.units import Units
from pelplug.errors import InputError, RunError
from pelplug.tasks import provenance
from pelplug.tasks.assembly import check_dataset, name_units, sentence_of

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["Task"]


class Task(Parametrised):
    """Base of `Analysis` and `Study`: a name, declared variables and parameters, a dataset, and figures of it.

    Each kind says what is given to it, and with that `conditions`, `units`, `fingerprint` and `_sources`, the record.

    Attributes
    ----------
    name : str
        Lower-case words joined by hyphens.
    summary : str
        One line.
    uses : tuple of str
        Names of analyses whose results it reads.
    provides : dict of str to Field
        Every variable of the dataset.
    cites : tuple of str
        Papers to cite.
    """

    noun = "task"
    summary: ClassVar[str] = ""
    uses: ClassVar[tuple[str, ...]] = ()
    provides: ClassVar[Mapping[str, Field]] = {}
    cites: ClassVar[tuple[str, ...]] = ()

    results: Results
    attributes: dict[str, str]
    _failed_parts: dict[str, str]
    _conditions: Conditions | None

    if TYPE_CHECKING:  # each kind has them

        @property
        def units(self) -> Units: ...  # noqa: D102

        @property
        def conditions(self) -> Conditions: ...  # noqa: D102

        def fingerprint(self) -> str: ...  # noqa: D102

        def _sources(self, failures: Iterable[Any]) -> dict[str, Any]: ...

    def plot(self, ax: Axes | None = None, **keywords: Any) -> Axes:
        """Draw one panel and return its Axes; by default the first variable, over time or as a histogram."""
        from pelplug.plotting.style import plot_variable

        return plot_variable(self.to_dataset(), next(iter(self.provides)), ax=ax, **keywords)

    def panels(self) -> list:
        """Return what `pelplug plot` draws of several results over each other: functions with the face of `plot`.

        Each gets ``ax``, and ``color`` and ``label`` of the result, which it passes on to `Axes.plot`.
        """
        return [self.plot]

    def figure(self) -> Figure:
        """Return a Figure, titled by the conditions: one panel of `plot`, unless a subclass draws several."""
        from pelplug.plotting.panel import Panel

        return Panel.figure(self.to_dataset(), [self.plot])

    def to_dataset(self) -> xr.Dataset:
        """Return the result with units, and where it comes from in its attributes.

        Raises
        ------
        RunError
            If it has not been run.
        """
        if "dataset" not in self.results:
            raise RunError(f"The {self._owner} has no result yet; call run() first.")
        return self.results.dataset

    @classmethod
    def from_dataset(cls, dataset: xr.Dataset) -> Self:
        """Return one that holds a dataset it once made, for plotting it again."""
        provenance.check_version(dataset)
        parameters = provenance.parameters_of(dataset)
        known = cls.parameter_specs()
        now = {present_name(name, known): value for name, value in parameters.items()}
        of_these = {name: value for name, value in now.items() if name in known}
        task = cls(None, **of_these)  # type: ignore[call-arg]  # each kind of task says what it takes first
        task.results.dataset, task.results.failures = dataset, []
        task._conditions = Conditions.of(dataset)
        return task

    @contextlib.contextmanager
    def part(self, name: str) -> Iterator[None]:
        """Let a part of the result fail alone: what is under ``with self.part("g(r)"):`` is left out, with its reason.

        Attributes of the dataset name the parts that failed (``failed_parts``), and the command line says so and ends
        with exit code 1. An `InputError` is the user's and ends the whole as ever.
        """
        try:
            yield
        except (InputError, MemoryError):
            raise
        except Exception as error:
            self._failed_parts[name] = sentence_of(error)

    def _finish(self, dataset: xr.Dataset, failures: Iterable[Any] = ()) -> None:
        """Take a dataset for the result, checked, with units and provenance."""
        dataset = name_units(check_dataset(dataset, self.provides, self._owner), self.units, self._dimension_of_space())
        attributes = {**dataset.attrs, **provenance.attributes(self), **self._sources(failures), **self.attributes}
        dataset.attrs = {name: provenance.readable(value) for name, value in attributes.items()}
        if self._failed_parts:
            dataset.attrs["failed_parts"] = provenance.to_json(self._failed_parts)
            self._failed_parts = {}
        self.results = Results(failures=list(failures), dataset=dataset)
        for name in dataset.data_vars:
            if name not in dir(self.results):
                self.results[name] = dataset[name].values

    def _dimension_of_space(self) -> int | None:
        return None
