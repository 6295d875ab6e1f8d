"""The outcome of an analysis: its dataset, made of the frames' records, checked, with units and provenance."""

from __future__ import annotations

import xarray as xr
from MDAnalysis.analysis.results import Results

from pelplug.errors import InputError, PelplugError, RunError
from pelplug.tasks import provenance
from pelplug.tasks.assembly import check_dataset, join_frames, name_units, raise_all_failed, sentence_of

__all__ = ["Outcome"]


class Outcome:
    """The part of `Analysis` that holds its dataset."""

    def to_dataset(self) -> xr.Dataset:
        """Return the result with units, and where it comes from in its attributes.

        Raises
        ------
        RunError
            If the analysis has not been run.
        """
        if "dataset" not in self.results:
            raise RunError(f"The analysis {self.name} has no result yet; call run() first.")
        return self.results.dataset

    def conclude(self) -> Outcome:
        """Make the dataset without `run`: of states or a series that did not come from a trajectory."""
        if "records" not in self.results:
            self.results = Results(records=[], failures=[])
        self.attributes.setdefault("fingerprint", self.fingerprint())
        self._conclude()
        return self

    def _conclude(self) -> None:
        records, failures = self.results.records, self.results.failures
        if failures and not records:
            raise_all_failed(self._owner, failures)
        dataset = join_frames(records, self.provides, self._owner) if self.reads_frames else xr.Dataset()
        try:
            dataset = self.summarize(dataset)
        except (InputError, MemoryError):
            raise
        except Exception as error:
            if not records and isinstance(error, PelplugError):
                raise
            if not records:
                raise RunError(
                    f"The {self._owner} failed after its frames, in summarize(): {sentence_of(error)}; tell its author."
                ) from error
            self._failed_parts["what is taken over all frames"] = sentence_of(error)  # each frame is there all the same
        dataset = name_units(check_dataset(dataset, self.provides, self._owner), self.units, self._dimension_of_space())
        self._look_at_density()
        attributes = {**dataset.attrs, **provenance.attributes(self, failures), **self.attributes}
        dataset.attrs = {name: provenance.readable(value) for name, value in attributes.items()}
        if self._failed_parts:
            dataset.attrs["failed_parts"] = provenance.to_json(self._failed_parts)
            self._failed_parts = {}
        self.results = Results(failures=failures, dataset=dataset)
        for name in dataset.data_vars:
            if name not in dir(self.results):
                self.results[name] = dataset[name].values
