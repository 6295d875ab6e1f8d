"""Rejection-free kinetic Monte Carlo of the coupled landscape model."""

from __future__ import annotations

import numpy as np

import pelplug
from pelplug_coupled_landscape import kernels
from pelplug_coupled_landscape.lattice import RULES, Coupling, Lattice, largest_rate
from pelplug_coupled_landscape.observed import Observed, observe
from pelplug_coupled_landscape.tables import energy_tables, normal_table

__all__ = ["PASSIVE_RATES", "Simulation"]

PASSIVE_RATES = ("found", "entered")
_ENERGY_BINS = 128
_LINE = 8  # doubles in a line of the processor's cache
_STATE = ("clock", "counts", "rng", "tree", "rows", "intervals", "energies")
_END = 1e300  # a time at which nothing happens where all rates are 0
_NEVER = 2**62
_LARGEST_LOG = 160.0


class Simulation:
    """A lattice of elementary systems, each with an energy and a rate, that redraw what their neighbours have.

    A system relaxes with its rate gamma: the active process. It draws its new energy from ``p_eq(e) Gamma(e)``. Each
    neighbour may then draw one by the coupling's probability and rule: the passive process.

    Parameters
    ----------
    landscape : TrapLandscape
        Density of the energies, and rates.
    temperature : float
        [temperature]
    lattice : Lattice
    coupling : Coupling
    seed : int or sequence of int
        Of the random numbers.
    factors : sequence of float
        By what each active process multiplies S(k, t): c of ``S(k, t) = <c^N>``, N active processes of a system in t.
    passive_rates : {"found", "entered"}
        Which rate a passive process draws where rates at one energy are broadened: as systems have it at a random time,
        which keeps p_eq(e, gamma), and with it D and <tau>; or as a system has it that has just relaxed, faster by
        ``exp(sigma_gamma**2)``. The second keeps neither, and does not start in equilibrium: let it run, then `begin`.

    Raises
    ------
    InputError
        If what is asked for does not go together.

    References
    ----------
    C. Rehwald and A. Heuer, Phys. Rev. E 86, 051504 (2012), Sec. III D and Appendix B.
    """

    def __init__(
        self,
        landscape: pelplug.TrapLandscape,
        temperature: float,
        lattice: Lattice | None = None,
        coupling: Coupling | None = None,
        seed=0,
        factors=(),
        passive_rates: str = "found",
    ):
        self.lattice = lattice = Lattice() if lattice is None else lattice
        coupling = Coupling() if coupling is None else coupling
        coupling.check(lattice, landscape, temperature)
        if passive_rates not in PASSIVE_RATES:
            raise pelplug.InputError(
                f"There are no passive rates {passive_rates!r}; give one of {', '.join(PASSIVE_RATES)}."
            )
        self.factors = np.array(factors, dtype=float).reshape(-1)
        if not np.all((self.factors >= 0.0) & (self.factors < 1.0)):
            raise pelplug.InputError("A factor of S(k, t) is 0 or more and less than 1.")
        numbers = np.random.default_rng(np.random.SeedSequence(seed))
        self.check_rates(landscape, temperature)
        energy = landscape.draw(lattice.systems, temperature, numbers)
        rates = landscape.draw_rates(energy, temperature, numbers)
        self._typical = round(-float(landscape.log_moment(1, temperature)) / np.log(2.0))  # as a power of two
        self._make_law(landscape, temperature, coupling, passive_rates)
        self._make_neighbours(coupling, landscape, temperature)
        self._make_tree(rates)
        kinds = kernels.RELAXED + 1 + self.factors.size
        width = 4 if kinds < 4 else -(-(1 + kinds) // _LINE) * _LINE
        self._rows = _aligned(lattice.systems * width).reshape(lattice.systems, width)
        self._rows[:, kernels.ENERGY] = energy
        self._intervals = _aligned(kinds * kernels.bin_edges(self._typical).size * 4).reshape(kinds, -1, 4)
        self._energies = _aligned(_ENERGY_BINS * 4).reshape(-1, 4)
        self._counts = np.zeros(4, np.int64)
        self._rng = np.array([numbers.integers(2**64, dtype=np.uint64), _steps(numbers)])
        # when the next event is, and since when is observed
        first = numbers.exponential() / self._tree[self._starts[-1] :].sum()
        self._clock = np.array([0.0, first, 0.0])

    # --- what is done ---------------------------------------------------------------------------------------------

    @property
    def time(self) -> float:
        """Time that was simulated [time]."""
        return float(self._clock[0])

    def run(self, until: float | None = None, events: int | None = None) -> Simulation:
        """Go on to a time, or for so many active processes more, whichever is first.

        Parameters
        ----------
        until : float, optional
            [time]
        events : int, optional
            Active processes.

        Returns
        -------
        Simulation
            This one.
        """
        if until is None and events is None:
            raise pelplug.InputError("Give the time until which to run, or the number of active processes.")
        end = _END if until is None else min(float(until), _END)
        if not end >= self.time:
            raise pelplug.InputError(f"The simulation is at {self.time:g} already, past {end:g}; give a later time.")
        kernels.run(
            end, np.int64(_NEVER if events is None else events), self._clock, self._counts, self._rng, self._tree,
            self._starts, self._rows, self._intervals, self._energies, self._law, self._keep, self._other,
            self._normal_keep, self._normal_other, np.int64(self.lattice.side), self._offsets, self._hazard,
            self._guide, self.factors,
        )  # fmt: skip
        return self

    def begin(self) -> Simulation:
        """Observe from here on; what was observed so far is forgotten."""
        self._rows[:, kernels.SINCE :] = self.time
        self._clock[2] = self.time
        for one in (self._intervals, self._energies, self._counts):
            one[...] = 0
        return self

    def observed(self) -> Observed:
        """Return what was observed; the simulation stays as it is."""
        kinds = len(self._intervals)
        running = self.time - self._rows[:, kernels.SINCE : kernels.SINCE + kinds].T
        energies, energy = self._energies.copy(), self._rows[:, kernels.ENERGY]
        at = np.clip((energy - self._edges[0]) * self._law[kernels.PER_ENERGY], 0, _ENERGY_BINS - 1).astype(int)
        for power in range(3):
            energies[:, power] += np.bincount(at, running[kernels.CHANGE] * energy**power, minlength=_ENERGY_BINS)
        return observe(
            self.lattice.systems, self.time - float(self._clock[2]), self._counts, self._intervals, running, energies,
            self._edges, kernels.bin_edges(self._typical),
        )  # fmt: skip

    def state(self) -> dict[str, np.ndarray]:
        """Return all that `restore` needs to go on with the same numbers."""
        return {name: np.array(getattr(self, f"_{name}")) for name in _STATE}

    def restore(self, state: dict[str, np.ndarray]) -> Simulation:
        """Go on from a state of a simulation that was made with the same arguments.

        Raises
        ------
        InputError
            If it is of another lattice, or of other factors.
        """
        for name in _STATE:
            own = getattr(self, f"_{name}")
            if name not in state or np.shape(state[name]) != own.shape:
                raise pelplug.InputError(
                    "The state is of another lattice or other factors; give it to a simulation made with the same "
                    "arguments."
                )
        for name in _STATE:
            getattr(self, f"_{name}")[...] = state[name]
        return self

    # --- what it is made of -----------------------------------------------------------------------------------------

    @staticmethod
    def check_rates(landscape, temperature: float) -> None:
        """Refuse rates whose times, to the fourth power, are no numbers any more."""
        passive, active = energy_tables(landscape, temperature)
        logs = landscape.log_rate([passive.nodes[0], active.nodes[-1], landscape.crossover], temperature)
        if np.max(np.abs(logs)) > _LARGEST_LOG:
            raise pelplug.InputError(
                f"At T = {temperature:g} rates are exp({np.min(logs):.0f}) to exp({np.max(logs):.0f}), further than "
                f"the exp(-{_LARGEST_LOG:.0f}) to exp({_LARGEST_LOG:.0f}) that are simulated; give a higher "
                "temperature or cutoff, or another unit of time."
            )

    def _make_law(self, landscape, temperature: float, coupling: Coupling, passive_rates: str) -> None:
        passive, active = energy_tables(landscape, temperature)
        normal = normal_table()
        self._keep, self._other = np.stack([passive.keep, active.keep]), np.stack([passive.other, active.other])
        self._normal_keep, self._normal_other = normal.keep, normal.other
        self._edges = np.linspace(passive.nodes[0], passive.nodes[-1], _ENERGY_BINS + 1)
        spread = float(landscape.sigma_gamma)
        width = coupling.gaussian_width(landscape)
        law = {
            "TOP": float(landscape.log_rate(landscape.crossover, temperature)),
            "SLOPE": float(landscape.slope(temperature)),
            "CROSSOVER": landscape.crossover,
            "LIMIT": 0.0 if landscape.plateau else np.inf,
            "SPREAD": spread,
            "ACTIVE_SHIFT": 0.5 * spread**2,
            "PASSIVE_SHIFT": (0.5 if passive_rates == "entered" else -0.5) * spread**2,
            "FIRST_EDGE": self._edges[0],
            "PER_ENERGY": _ENERGY_BINS / (self._edges[-1] - self._edges[0]),
            "RULE": RULES.index(coupling.rule),
            "CERTAIN": 0,
            "MEMORY": np.sqrt(1.0 - min(width / landscape.sigma, 1.0) ** 2),
            "PEAK": float(landscape.peak(temperature)),
            "WIDTH": width,
            "CUTOFF": landscape.cutoff,
            "FASTEST": largest_rate(landscape, temperature),
            "FIRST": passive.first,
            "SPACING": passive.spacing,
            "NORMAL_FIRST": normal.first,
            "NORMAL_SPACING": normal.spacing,
            "LOWEST": kernels.lowest_bin(self._typical),
        }
        self._law = np.zeros(len(law))
        for name, value in law.items():
            self._law[getattr(kernels, name)] = value

    def _make_neighbours(self, coupling: Coupling, landscape, temperature: float) -> None:
        self._offsets, self._hazard = np.zeros((1, self.lattice.dimension), np.int32), np.zeros(1)
        self._guide = np.zeros(1, np.int32)
        if coupling.q == 0.0 or self.lattice.systems == 1:
            return
        self._offsets, weights = coupling.neighbours(self.lattice)
        chance = coupling.q * weights
        if coupling.rule == "rate":  # of the fastest; others are touched less often
            chance = np.minimum(chance * largest_rate(landscape, temperature), 1.0)
        certain = int(np.count_nonzero(chance >= 1.0))
        self._law[kernels.CERTAIN] = certain
        self._hazard = np.concatenate([[0.0], np.cumsum(-np.log1p(-chance[certain:]))])
        if self._hazard[-1] > 0.0:
            begins = np.linspace(0.0, self._hazard[-1], 2 * chance.size + 1)[:-1]
            begins = np.append(begins, begins[-1])  # where rounding leads beyond the last
            self._guide = (np.searchsorted(self._hazard, begins, side="right") - 1).astype(np.int32)

    def _make_tree(self, rates: np.ndarray) -> None:
        sizes = [_padded(rates.size)]
        while sizes[-1] > _LINE:
            sizes.append(_padded(sizes[-1] // _LINE))
        self._starts = np.concatenate([[0], np.cumsum(sizes[:-1])]).astype(np.int64)
        self._tree = _aligned(sum(sizes))
        self._tree[: rates.size] = rates
        kernels.fill(self._tree, self._starts)


def _steps(numbers: np.random.Generator) -> np.uint64:
    """Return by how much a generator counts up: odd, with bits that change often, as its authors ask for."""
    while True:
        step = int(numbers.integers(2**64, dtype=np.uint64)) | 1
        if (step ^ (step >> 1)).bit_count() >= 24:
            return np.uint64(step)


def _padded(size: int) -> int:
    return -(-size // _LINE) * _LINE


def _aligned(size: int) -> np.ndarray:
    """Return zeros that begin where a line of the processor's cache does."""
    raw = np.zeros(size + _LINE)
    begin = (-raw.ctypes.data // raw.itemsize) % _LINE
    return raw[begin : begin + size]
