"""<phi>, its fluctuations, <B> and <I> over the frames, with errors over independent samples."""

from __future__ import annotations

import numpy as np

import pelplug

__all__ = ["averaged"]

MEANS = {
    "phi_mean": "phi_frame",
    "broken_mean": "broken_frame",
    "inserted_mean": "inserted_frame",
}


def averaged(dataset, name: str):
    """Add <phi>, chi, <B> and <I>.

    Parameters
    ----------
    dataset : Dataset
        Changed: of its frames ``phi_frame``, ``broken_frame`` and ``inserted_frame``, and the dimension ``particle``.
    name : str
        Of the analysis.

    Returns
    -------
    dataset : Dataset
        The same.
    few : list of str
        What to say if there are too few samples.
    """
    phi = dataset["phi_frame"].values
    unit, of = pelplug.independent_samples(dataset, phi, of="frames")
    jackknife = pelplug.Jackknife(int(unit.max()) + 1)
    sources = {name: dataset[source] for name, source in MEANS.items()}
    dataset = pelplug.average_frames(dataset, sources, unit, of, jackknife)
    moved = phi - phi.mean()  # so that the difference of squares keeps its digits
    counts = np.bincount(unit)
    squares, means = (jackknife.means(np.bincount(unit, part), counts) for part in (moved**2, moved))
    chi = dataset.sizes["particle"] * (squares - means**2)
    # One sample tells no fluctuations, however many frames it has.
    value = float(jackknife.unbiased(chi)) if jackknife.samples > 1 else np.nan
    error = float(jackknife.error(chi)) / pelplug.scatter_of_blocks(phi, unit, of, power=2)
    if jackknife.samples == phi.size > 1:
        # A variance that came out too low brings its jackknife error with it: not below that of a normal variable.
        error = np.fmax(error, value * np.sqrt(2.0 / (phi.size - 1))) if np.isfinite(error) else np.nan
    dataset["chi"], dataset["chi_error"] = ((), value), ((), error)
    attributes = jackknife.attributes(of)
    if jackknife.samples == phi.size:
        attributes["error_method"] += "; at least that of the variance of a normal variable"
    pelplug.state_errors(dataset, ["chi_error"], attributes)
    few = pelplug.too_few_samples(name, jackknife.samples, of)
    return dataset, [f"No chi: one of the {of} tells no fluctuations.", *few] if jackknife.samples == 1 else few
