"""The outcome of an analysis: its dataset, made of the frames' records."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np
import xarray as xr
from MDAnalysis.analysis.results import Results

from pelplug.errors import InputError, PelplugError, RunError
from pelplug.tasks import provenance
from pelplug.tasks.assembly import join_frames, raise_all_failed, sentence_of, with_runs
from pelplug.tasks.task import Task

__all__ = ["Outcome"]


class Outcome(Task):
    """The part of `Analysis` that makes its dataset."""

    reads_frames: ClassVar[bool]
    inputs: dict[str, xr.Dataset]
    trajectories: tuple[Any, ...]
    trajectory: Any
    joined: Any
    selections: tuple[np.ndarray, ...]

    if TYPE_CHECKING:

        def summarize(self, dataset: xr.Dataset) -> xr.Dataset: ...  # noqa: D102

        def _look_at_density(self) -> None: ...

    def conclude(self) -> Self:
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
        if self.reads_frames and len(self.trajectories) > 1:
            dataset = with_runs(dataset, self.joined)
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
        self._look_at_density()
        self._finish(dataset, failures)

    def _sources(self, failures: Iterable[Any]) -> dict[str, Any]:
        """Return the attributes that say of what the result was made."""
        inputs = {
            name: {key: dataset.attrs.get(key, "") for key in ("plugin", "fingerprint")}
            | {
                "parameters": provenance.parameters_of(dataset),
                "free_parameters": provenance.free_parameters_of(dataset),
            }
            | {"failed_frames": provenance.failed_frames(dataset)}
            for name, dataset in self.inputs.items()
        }
        trajectory = self.joined
        measured = {one.label: one.derivatives for one in self.results.records if one.derivatives is not None}
        return {
            "inputs": provenance.to_json(inputs),
            # Without a file the states came from a running simulation.
            **(
                {"input_file": "", "input_sha256": "", "trajectories": "[]"}
                if trajectory is None
                else provenance.input_files(trajectory, self.selections)
            ),
            **({"reading": provenance.to_json(said)} if (said := provenance.said_of(trajectory)) else {}),
            **({"derivatives": provenance.joined_derivatives(measured)} if measured else {}),
            "failed_frames": provenance.to_json({failure.label: failure.sentence for failure in failures}),
        }
