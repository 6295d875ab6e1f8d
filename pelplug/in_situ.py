"""Analyses that look at a simulation while it runs: no trajectory on disk."""

from __future__ import annotations

import xarray as xr
from MDAnalysis.analysis.results import Results

from pelplug.analysis import Analysis
from pelplug.assembly import FrameFailure, FrameRecord, check_values
from pelplug.configuration import Configuration
from pelplug.errors import InputError
from pelplug.fields import Need

__all__ = ["InSitu"]


class InSitu:
    """Let analyses compute the states of a running simulation; an observer for `pelplug.simulate.engine.Session`.

    Each state is a frame, numbered from 0; its step and time are coordinates of the datasets. A state that an
    analysis cannot compute is recorded as a failed frame, as in a run over a file, and the simulation goes on.

    Parameters
    ----------
    *analyses : Analysis
        Made without a trajectory: ``InherentStructures(None, model=model)``. They read one frame at a time and use no
        other analysis.

    Raises
    ------
    InputError
        If an analysis reads a series or the results of others, or needs a potential and has none.

    Examples
    --------
    >>> watch = pelplug.InSitu(InherentStructures(None, model=model))
    >>> session.observe(1000, watch)
    >>> session.advance(1_000_000)
    >>> watch.datasets()["inherent-structures"].energy_per_particle
    """

    def __init__(self, *analyses: Analysis):
        if not analyses:
            raise InputError("No analysis was given to look at the simulation; pass at least one.")
        for analysis in analyses:
            if not analysis.reads_frames or analysis.uses or Need.SERIES in analysis.needs:
                raise InputError(
                    f"The analysis {analysis.name} works on a series or on other results, not on one state at a time; "
                    "write a trajectory and run it on that."
                )
            if Need.POTENTIAL in analysis.needs and analysis.interactions() is None:
                raise InputError(f"The analysis {analysis.name} needs the model of the simulation; pass model= to it.")
            analysis.results = Results(records=[], failures=[])
            analysis.attributes["fingerprint"] = analysis.fingerprint()
            analysis.prepare()
        self.analyses = analyses
        self._label = 0

    def __call__(self, configuration: Configuration, potential_energy: float) -> None:
        """Compute one state."""
        configuration = configuration.replace(frame=self._label)
        for analysis in self.analyses:
            try:
                values = analysis.compute(configuration)
            except Exception as error:
                analysis.results.failures.append(FrameFailure.of(self._label, error))
                continue
            owner = f"analysis {analysis.name}"
            values = check_values(values, analysis.provides, configuration.n, owner)
            record = FrameRecord(self._label, configuration.step, configuration.time, values)
            analysis.results.records.append(record)
        self._label += 1

    def datasets(self) -> dict[str, xr.Dataset]:
        """Join what was computed and return one dataset an analysis, by its name; the end of the observation.

        Raises
        ------
        RunError
            If an analysis failed on every state.
        """
        for analysis in self.analyses:
            if "dataset" not in analysis.results:
                analysis._conclude()
        return {analysis.name: analysis.results.dataset for analysis in self.analyses}
