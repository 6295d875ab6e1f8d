"""What is known at one density and temperature, from the results of several analyses."""

from __future__ import annotations

import json

import numpy as np

import pelplug
from pelplug_mesoelastic.variables import COUNTS

__all__ = ["State", "largest_kind"]


def largest_kind(results) -> str:
    """Return the species of the largest mean diameter, by results of kappa: that whose motion the paper looks at."""
    for one in results:
        if "diameter" not in one or "species" not in one:
            continue
        read = one.read("diameter", "species")
        diameter, species = read["diameter"].values.mean(axis=0), read["species"].values.astype(str)
        names = sorted(set(species.tolist()))
        sizes = [diameter[species == name].mean() for name in names]
        return str(names[int(np.argmax(sizes))]) if np.ptp(sizes) > 0 else "all" if len(names) > 1 else str(names[0])
    return "all"


class State:
    """One density and temperature.

    Parameters
    ----------
    group : Collection
        Its results.
    kind : str
        Whose motion: a species or ``all``.
    bootstrap : dict
        Resamples and seed.

    Attributes
    ----------
    values : dict of str to (float, float)
        Numbers and standard errors, NaN where there is none.
    counts : dict of str to int
        Runs, structures and samples of kappa.
    remarks : list of str
        Why numbers are missing.
    methods : dict of str to str
        How errors were found.
    """

    def __init__(self, group, kind: str, bootstrap: dict):
        self.group, self.kind = group, kind
        self.values: dict[str, tuple[float, float]] = {}
        self.counts = dict.fromkeys(COUNTS, 0)
        self.remarks: list[str] = []
        self.methods: dict[str, str] = {}
        self.temperature = float(group.value("liquid_temperature"))
        if len(kappa := group.of("kappa")):
            self._elasticity(kappa, bootstrap)
        if len(dynamics := group.of("dynamics")):
            self._motion(dynamics)
        of = {"motion_runs": "dynamics", "rate_runs": "inherent-structure-transitions", "spearman_runs": "propensity"}
        for name, analysis in of.items():
            self.counts[name] = sum(max(1, len(one.trajectories)) for one in group.of(analysis))
        for analysis, name, source in (
            ("inherent-structure-transitions", "reduced_rate", "reduced_rate"),
            ("propensity", "spearman", "spearman_mean"),
        ):
            results = [one for one in group.of(analysis) if source in one]
            error = "spearman_error" if source == "spearman_mean" else f"{source}_error"
            pairs = [(float(one[source]), float(one[error])) for one in results]
            self.values[name] = self._over_results(name, [pair for pair in pairs if np.isfinite(pair[0])])

    def _elasticity(self, results, bootstrap: dict) -> None:
        frames = results.frames(_of_structures)
        unit, of = pelplug.independent_samples(frames, series=frames["sum"] / frames["pairs"])
        boot = pelplug.Bootstrap(int(unit.max()) + 1, **bootstrap)
        kappa = boot.means(*(pelplug.unit_sums(frames[name].values, unit) for name in ("sum", "pairs")))
        modulus = boot.means(
            pelplug.unit_sums(frames["modulus"].values, unit), pelplug.unit_sums(np.ones(unit.size), unit)
        )
        for name, means in (("kappa", kappa), ("shear_modulus", modulus)):
            self.values[name] = (float(means[0]), float(boot.error(means)))
            self.methods[name] = f"bootstrap over {of}"
        self.counts |= {
            "runs": np.unique(frames["run"]).size,
            "structures": frames.sizes["frame"],
            "samples": boot.samples,
        }

    def _motion(self, results) -> None:
        tau, diffusion, reasons = [], [], []
        for one in results:
            found = self._of_kind(one, "reduced_tau_alpha")
            if np.isfinite(found[0]):
                tau.append(found)
            else:
                said = json.loads(one.attributes.get("not_found") or "[]")
                reasons += [text for text in said if text.startswith(f"tau_alpha of {self.kind}")][:1]
            if "reduced_diffusion_coefficient" in one:
                found = self._of_kind(one, "reduced_diffusion_coefficient")
                if np.isfinite(found[0]):
                    diffusion.append(found)
        if reasons:
            self.remarks.append(
                f"{len(reasons)} of {len(results)} results of dynamics at T = {self.temperature:g} show no tau_alpha: "
                f"{reasons[0]}"
            )
        self.values["reduced_tau_alpha"] = self._over_results("reduced_tau_alpha", tau, logarithmic=True)
        self.values["reduced_diffusion"] = self._over_results("reduced_diffusion", diffusion, logarithmic=True)

    def _of_kind(self, one, name: str) -> tuple[float, float]:
        if name not in one:
            raise pelplug.InputError(
                f"{one.source} has no tau_alpha, for F_s was not asked for; make it anew with --quantities msd,fs "
                "(quantities= in Python) and --overwrite, or leave it out."
            )
        read = one.read(name, f"{name}_error")
        kinds = read["kind"].values.astype(str).tolist()
        if self.kind not in kinds:
            raise pelplug.InputError(
                f"{one.source} tells no motion of {self.kind}; choose one of {', '.join(kinds)} (--kind)."
            )
        read = read.isel(kind=kinds.index(self.kind))
        if read.sizes.get("wave_number", 1) > 1:
            raise pelplug.InputError(
                f"{one.source} has tau_alpha at {read.sizes['wave_number']} wave numbers; make it anew with one "
                "(--wave-number) and --overwrite."
            )
        return float(read[name].values.squeeze()), float(read[f"{name}_error"].values.squeeze())

    def _over_results(self, name: str, pairs: list, logarithmic: bool = False) -> tuple[float, float]:
        """Return the mean of several results, each a run or more, and its error: by their scatter from three on."""
        if not pairs:
            return np.nan, np.nan
        self.methods[name] = "that of the result" if len(pairs) == 1 else "over results"
        if len(pairs) == 1:
            return pairs[0]
        values, errors = np.array(pairs).T
        if logarithmic:
            values, errors = np.log(values), errors / values
        mean = float(values.mean())
        if len(pairs) >= pelplug.FEWEST_FOR_ERROR:
            error = float(pelplug.standard_error(values))
        else:
            error = float(np.sqrt(np.sum(errors**2)) / len(pairs))
        return (float(np.exp(mean)), float(np.exp(mean) * error)) if logarithmic else (mean, error)


def _of_structures(result) -> dict[str, np.ndarray]:
    """Return the sum of kappa over pairs, their number and the shear modulus of each inherent structure."""
    read = result.read("kappa_ij", "shear_modulus", "frame")
    sums, pairs = pelplug.frame_sums(read, "kappa_ij")
    return {"sum": sums, "pairs": pairs, "modulus": read["shear_modulus"].mean("plane").values}
