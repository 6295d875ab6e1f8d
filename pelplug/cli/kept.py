"""Costly results of analyses that others use, kept beside the output for other settings of those."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from pelplug.cli.output import note
from pelplug.errors import InputError

__all__ = ["KeptResults"]


class KeptResults:
    """Finds results that an earlier command left beside its output, and leaves those of this one.

    Parameters
    ----------
    output : path_like
        What the command writes: ``mb.nc`` has the file ``mb.NAME.nc`` beside it.
    quiet : bool
        Say nothing.
    """

    def __init__(self, output, quiet: bool = False):
        self.output, self.quiet = Path(output), quiet
        self.taken: set[str] = set()

    def __call__(self, name: str, fingerprint: str, frames: np.ndarray):
        """Return the result of an analysis of these frames with this fingerprint, or None."""
        from pelplug.files.results import read_results
        from pelplug.tasks.provenance import failed_frames

        for path in sorted(self.output.parent.glob(f"*.{name}.nc")):
            try:
                dataset = read_results(path).get(name)
            except InputError:
                continue
            if dataset is None or dataset.attrs.get("fingerprint") != fingerprint or "frame" not in dataset.coords:
                continue
            if np.array_equal(np.sort([*dataset["frame"].values, *failed_frames(dataset)]), np.sort(frames)):
                self.taken.add(name)
                if not self.quiet:
                    note(f"took {name} of the same frames and settings from {path}; nothing is computed again.")
                return dataset
        return None

    def write(self, run, overwrite: bool) -> list[Path]:
        """Write what was computed, and return the files."""
        from pelplug.files.results import write_netcdf

        written = []
        for name, analysis in run.analyses.items():
            if not analysis.keeps or name in run.requested or name in self.taken:
                continue
            path = self.output.with_name(f"{self.output.stem}.{name}.nc")
            if path.exists() and not overwrite:
                note(f"{path} exists, so {name} is not kept; pass --overwrite to replace it.")
                continue
            write_netcdf(path, {name: run.datasets[name]}, overwrite)
            written.append(path)
        return written
