"""Configurational entropy by thermodynamic integration: that of the liquid less that of vibrations in its basins."""

from __future__ import annotations

import json
from typing import Annotated, Literal

import numpy as np
from scipy.special import gammaln

import pelplug
from pelplug_local_diffusivity.integration import anharmonic, integral_over_beta, kauzmann
from pelplug_local_diffusivity.trial import minima

__all__ = ["ConfigurationalEntropy"]

AT = ("temperature",)
_VALUES = {
    "potential_energy": ("energy", "mean potential energy per particle"),
    "inherent_energy": ("energy", "mean inherent-structure energy per particle"),
    "anharmonic_energy": (
        "energy",
        "potential energy above the inherent structure and the harmonic part, per particle",
    ),
    "liquid_entropy": ("1", "entropy of the liquid per particle in k_B, with hbar = 1"),
    "harmonic_entropy": ("1", "entropy of harmonic vibrations per particle in k_B, with hbar = 1"),
    "anharmonic_entropy": ("1", "entropy that anharmonic vibrations have besides, per particle in k_B"),
    "configurational_entropy": ("1", "configurational entropy per particle in k_B"),
}
_SCALARS = {
    "kauzmann_temperature": ("temperature", "T_K, where s_0 - s_1 / T^2 is zero"),
    "entropy_limit": ("1", "s_0, configurational entropy per particle for T to infinity"),
    "entropy_slope": ("temperature**2", "s_1"),
}
_METHOD = "bootstrap over independent samples"
_UNSURE = 0.02  # k_B a particle by the extrapolation above the highest temperature


def _fields() -> dict:
    found = {"temperature": pelplug.Field(AT, "temperature", "temperature of the liquid")}
    for dims, table in ((AT, _VALUES), ((), _SCALARS)):
        for name, (unit, text) in table.items():
            found[name] = pelplug.Field(dims, unit, text)
            found[f"{name}_error"] = pelplug.Field(dims, unit, f"standard error of {name}")
    return found | {
        "samples": pelplug.Field(AT, "1", "independent samples"),
        "fitted": pelplug.Field(AT, "1", "1 if T_K is extrapolated from this temperature"),
        "extrapolated": pelplug.Field((), "1", "share of the integral over 1/T above the highest temperature"),
    }


def _key(result) -> tuple:
    """Return what puts results in one order, whichever they were given in."""
    said = result.conditions
    return ([checksum for _, checksum, _ in result.trajectories], said.replica or 0, said.seed or 0)


class ConfigurationalEntropy(pelplug.Study):
    """Entropy of the liquid by integration of U over 1/T from the ideal gas, less that of vibrations; T_K.

    Notes
    -----
    ``S_liquid = S_ideal + U/T - int_0^(1/T) U d(1/T')``, at constant density. Vibrations are harmonic, by the
    frequencies of inherent structures (``inherent-structures --log-frequency-sum``), and anharmonic, by
    ``U - e_IS - (3/2) k_B T = c_2 T^2 + c_3 T^3``. Planck's constant cancels.

    References
    ----------
    F. Sciortino, W. Kob and P. Tartaglia, Phys. Rev. Lett. 83, 3214 (1999); S. Sastry, Nature 409, 164 (2001).
    """

    name = "configurational-entropy"
    summary = "Configurational entropy by thermodynamic integration less vibrations, and T_K"
    uses = ("inherent-structures",)
    needs = ("n", "density", "model")
    varies = ("liquid_temperature",)
    compares = ("liquid_temperature",)
    provides = _fields()
    trial = {"results": minima}  # noqa: RUF012
    cites = (
        "F. Sciortino, W. Kob and P. Tartaglia, Phys. Rev. Lett. 83, 3214 (1999)",
        "S. Sastry, Nature 409, 164 (2001)",
    )

    def __init__(
        self,
        collection=None,
        *,
        core: Annotated[
            float,
            pelplug.Param("exponent n of the repulsion r^-n at short distances; 0: particles overlap", minimum=0),
        ] = 12.0,
        cold: Annotated[
            Literal["auto"] | float,
            pelplug.Param(
                "highest temperature of the anharmonic fit and the extrapolation to T_K; auto: twice the lowest",
                exclusive_minimum=0,
                unit="temperature",
            ),
        ] = "auto",
        resamples: Annotated[
            int, pelplug.Param("bootstrap resamples", minimum=100, maximum=100_000, meaning=False)
        ] = 300,
        seed: Annotated[int, pelplug.Param("seed of the bootstrap", minimum=0, meaning=False)] = 0,
        **base,
    ):
        super().__init__(collection, **base)
        self.core, self.cold, self.resamples, self.seed = core, cold, resamples, seed

    def compute(self, collection):
        """Integrate over 1/T and subtract."""
        self._said: list[str] = []
        groups = collection.groups("liquid_temperature")
        temperature = np.array([group.value("liquid_temperature") for group in groups])
        n, thermal = collection.value("n"), np.array([self.units.thermal(one) for one in temperature])
        if len(groups) < 4:
            raise pelplug.InputError(
                f"There are {len(groups)} temperatures, and U is integrated over 1/T; give results of four or more, "
                "some far above where the liquid is cold."
            )
        cold = 2.0 * temperature[0] if self.cold == "auto" else self.cold
        fitted = temperature <= cold * (1 + 1e-9)
        if fitted.sum() < 3:
            raise pelplug.InputError(
                f"{fitted.sum()} temperatures are {cold:g} or below, and vibrations and T_K are fitted to three or "
                "more; give more, or a larger --cold (cold= in Python)."
            )
        means, samples = self._means(groups, n)
        beta = 1.0 / thermal
        found, share, off = integral_over_beta(beta, means["energy"], self._power(collection))
        rows = {"potential_energy": means["energy"] / n, "inherent_energy": means["inherent"] / n}
        ideal, dimension = self._ideal(collection, n, thermal)
        rows["liquid_entropy"] = (ideal + means["energy"] * beta - found) / n
        d = dimension
        modes = means["modes"]
        rows["anharmonic_energy"] = (means["energy"] - means["inherent"] - 0.5 * modes * thermal) / n
        rows["harmonic_entropy"] = (
            modes * (1 + np.log(thermal)) - means["logarithms"] + self._of_centre(collection, n, thermal, d)
        ) / n
        # Beyond the temperatures of the fit its powers of T mean nothing.
        rows["anharmonic_entropy"] = np.where(fitted, anharmonic(thermal, rows["anharmonic_energy"], fitted), np.nan)
        rows["configurational_entropy"] = rows["liquid_entropy"] - rows["harmonic_entropy"] - rows["anharmonic_entropy"]
        limit, slope, point = kauzmann(temperature, rows["configurational_entropy"], fitted)
        values = {"temperature": temperature, "samples": samples, "fitted": fitted.astype(int), "extrapolated": share}
        boot = pelplug.Bootstrap(int(samples.min()), resamples=self.resamples, seed=self.seed)
        for name, one in rows.items():
            values[name], values[f"{name}_error"] = one[0], boot.error(one, samples)
        few = int(samples[fitted].min())
        for name, one in (("entropy_limit", limit), ("entropy_slope", slope), ("kauzmann_temperature", point)):
            values[name], values[f"{name}_error"] = one[0], boot.error(one, few)
        # What lies above the highest temperature shifts all of them together.
        for name in ("liquid_entropy", "configurational_entropy"):
            values[f"{name}_error"] = np.hypot(values[f"{name}_error"], off / n)
        moved = kauzmann(temperature, rows["configurational_entropy"][:1] + off / n, fitted)
        names = ("entropy_limit", "entropy_slope", "kauzmann_temperature")
        for name, one, other in zip(names, (limit, slope, point), moved, strict=True):
            values[f"{name}_error"] = np.hypot(values[f"{name}_error"], other[0] - one[0])
        self._judge(values, n, off)
        return values

    # --- parts ----------------------------------------------------------------------------------------------------

    def _means(self, groups, n: int):
        """Return means over the frames of each temperature, shape (1 + R, T), and how many samples there are."""
        found: dict[str, list] = {"energy": [], "inherent": [], "logarithms": [], "modes": []}
        samples = []
        for k, group in enumerate(groups):
            frames = pelplug.Collection(sorted(group, key=_key)).frames(self._frames)
            unit, _ = pelplug.independent_samples(frames, series=frames["inherent"])
            boot = pelplug.Bootstrap(int(unit.max()) + 1, resamples=self.resamples, seed=self.seed + k)
            counts = np.bincount(unit).astype(float)
            for name, rows in found.items():
                rows.append(boot.means(pelplug.unit_sums(frames[name].values, unit), counts))
            samples.append(boot.samples)
            if int(frames["rattlers"].sum()):
                raise pelplug.InputError(
                    f"Inherent structures at T = {group.value('liquid_temperature'):g} have rattlers, whose entropy "
                    "is not that of vibrations; leave that temperature out."
                )
        return {name: np.stack(rows, axis=1) for name, rows in found.items()}, np.array(samples)

    @staticmethod
    def _frames(result):
        if "log_frequency_sum" not in result:
            raise pelplug.InputError(
                f"{result.source} has no log_frequency_sum; make it anew with --log-frequency-sum and --overwrite."
            )
        read = result.read("initial_energy", "energy", "log_frequency_sum", "modes", "n_rattlers")
        names = {"initial_energy": "energy", "energy": "inherent", "log_frequency_sum": "logarithms", "modes": "modes"}
        return {**{new: read[old].values for old, new in names.items()}, "rattlers": read["n_rattlers"].values}

    def _dimension(self, collection) -> int:
        return next((one.sizes["dimension"] for one in collection if "dimension" in one.sizes), 3)

    def _power(self, collection) -> float:
        return 1.0 if self.core == 0 else self._dimension(collection) / self.core

    def _model(self, collection):
        record = collection.value("model")
        known = {name: value for name, value in record.get("parameters", {}).items() if value is not None}
        return pelplug.model(record["name"], **known)

    def _counted(self, collection, n: int):
        """Return how many particles each species has, and their masses."""
        model = self._model(collection)
        counts = model.species_counts(n)
        masses = model.masses or {}
        return [(number, float(masses.get(name, 1.0))) for name, number in counts.items()]

    def _ideal(self, collection, n: int, thermal):
        """Return the entropy of the ideal gas at each temperature, shape (T,), for hbar = 1."""
        d, volume = self._dimension(collection), n / collection.value("density")
        scale = self.units.mass_unit
        found = 0.0
        for number, mass in self._counted(collection, n):
            kinetic = 0.5 * d * (1 + np.log(scale * mass * thermal / (2 * np.pi)))
            found = found + number * (np.log(volume) + kinetic) - gammaln(number + 1)
        return found, d

    def _of_centre(self, collection, n: int, thermal, d: int):
        """Return the entropy of the centre of mass, which may be anywhere, shape (T,)."""
        whole = sum(number * mass for number, mass in self._counted(collection, n)) * self.units.mass_unit
        return np.log(n / collection.value("density")) + 0.5 * d * (1 + np.log(whole * thermal / (2 * np.pi)))

    def _judge(self, values, n: int, off: float) -> None:
        if off / n > _UNSURE:
            self._said.append(
                f"Above the highest temperature, {values['temperature'][-1]:g}, U is extrapolated, by which entropies "
                f"may be off by {off / n:.2g} k_B a particle; give results of higher temperatures."
            )
        names = [name for name in _SCALARS if not np.isfinite(values[name])]
        if names:
            self._said.append(
                f"{', '.join(names)}: the configurational entropy does not fall on cooling towards zero; give results "
                "of lower temperatures."
            )

    # --- result -----------------------------------------------------------------------------------------------------

    def summarize(self, dataset):
        """Say how errors were found."""
        fewest = int(dataset["samples"].min())
        pelplug.state_errors(dataset, [f"{name}_error" for name in _SCALARS], _METHOD, fewest)
        pelplug.state_errors(dataset, [f"{name}_error" for name in _VALUES], _METHOD, "samples")
        if fewest < pelplug.FEWEST_FOR_ERROR:
            self._said.append(
                f"No errors: a temperature has {fewest} independent samples, fewer than {pelplug.FEWEST_FOR_ERROR}; "
                "give results of more runs there (pelplug analyze --plugin inherent-structures --log-frequency-sum)."
            )
        dataset.attrs["not_found"] = json.dumps(self._said)
        return dataset

    def plot(self, ax=None, **keywords):
        """Draw the configurational entropy over temperature, with the extrapolation to T_K."""
        from pelplug_local_diffusivity.entropy_drawing import draw_entropy

        return draw_entropy(self.to_dataset(), ax, **keywords)

    def figure(self):
        """Return a Figure of the energies, the entropies and S_conf."""
        from pelplug_local_diffusivity.entropy_drawing import draw_study

        return draw_study(self.to_dataset())
