"""What authors of plugins write, for a strict type checker: a task of each kind, a model, a potential, an engine.

Read by mypy in .ci/run, and not run by anything.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Annotated, Any, ClassVar

import numpy as np
import xarray as xr

import pelplug

# --- plugins ----------------------------------------------------------------------------------------------------------


class Coordination(pelplug.Analysis):
    """How many neighbours each particle has."""

    name = "coordination"
    summary = "Neighbours of each particle"
    needs = pelplug.Need.POSITIONS
    provides: ClassVar = {"neighbours": pelplug.Field(("frame", "particle"), "1", "neighbours")}

    def __init__(
        self, trajectory: Any, *, distance: Annotated[float, pelplug.Param("how far", unit="length")] = 1.5, **base: Any
    ) -> None:
        super().__init__(trajectory, **base)
        self.distance = distance

    def compute(self, configuration: pelplug.Configuration) -> Mapping[str, Any]:
        points = configuration.freud()[1]
        potential: pelplug.Potential = self.potential_of(configuration)
        masses: np.ndarray = self.masses_of(configuration)
        return {"neighbours": np.zeros(configuration.n) + potential.energy(configuration) + masses + len(points)}

    def summarize(self, dataset: xr.Dataset) -> xr.Dataset:
        with self.part("the mean"):
            dataset["mean"] = dataset["neighbours"].mean()
        units: pelplug.Units = self.units
        dataset.attrs["unit"] = units.text("length")
        return dataset


class Minima(pelplug.QuenchingAnalysis):
    """Energies of minima."""

    name = "minima"
    provides: ClassVar = {"energy": pelplug.Field(("frame",), "energy", "energy")}

    def compute(self, configuration: pelplug.Configuration) -> Mapping[str, Any]:
        found: pelplug.QuenchResult = self.quench(configuration)
        return {"energy": found.energy}


class Mean(pelplug.Series):
    """The mean energy."""

    name = "mean-energy"

    def begin(self) -> None:
        self.total, self.count = 0.0, 0

    def add(self, energy: np.ndarray, begins: bool) -> None:
        self.total, self.count = self.total + float(energy.sum()), self.count + energy.size

    def evaluate(self, dataset: xr.Dataset) -> xr.Dataset:
        return dataset.assign(mean=self.total / self.count)


class Melting(pelplug.Study):
    """A study."""

    name = "melting"
    uses = ("coordination",)

    def compute(self, collection: pelplug.Collection) -> Mapping[str, Any]:
        return {"number": len(collection)}


class Wells(pelplug.LandscapeTheory):
    """A theory on traps."""

    name = "wells"

    def compute(self, collection: pelplug.Collection) -> Mapping[str, Any]:
        landscape: pelplug.TrapLandscape = self.landscape
        return {"mean": landscape.mean_energy(0.5)}


@pelplug.analysis(provides={"r2": pelplug.Field(("frame", "particle"), "length**2", "distance squared")})
def distances(
    configuration: pelplug.Configuration, *, scale: Annotated[float, pelplug.Param("a factor")] = 1.0
) -> dict[str, np.ndarray]:
    """Squared distance of every particle from the origin."""
    return {"r2": scale * (configuration.positions**2).sum(axis=1)}


class Columns(pelplug.Reader):
    """A format of one's own."""

    name = "columns"
    summary = "columns"
    suffixes = (".columns",)

    @property
    def n_frames(self) -> int:
        return 1

    def configuration(self, frame: int) -> pelplug.Configuration:
        return pelplug.Configuration([[0.0, 0.0], [1.0, 1.0]], [5.0, 5.0], ["A", "B"], step=frame)


@pelplug.hookimpl
def pelplug_analyses() -> list[type[pelplug.Analysis]]:
    return [Coordination, Minima, Mean]


@pelplug.kernel
def twice(value: float) -> float:
    return 2.0 * value


@pelplug.kernel(fastmath={"reassoc"})
def fill(begin: int, end: int, values: np.ndarray) -> None:
    values[begin:end] = twice(1.0)


def said(dataset: xr.Dataset) -> Iterator[str]:
    yield f"it is {dataset.attrs['title']}"


def compute_with() -> list[Any]:
    command = pelplug.file_command("mean", "pelplug_mean.mean:Mean", "energies", {"column": "a name"}, said, help="x")
    values = np.zeros(10)
    pelplug.run_ranges(fill, 10, values)
    with (
        pelplug.Progress(total=10, settle=2) as bar,
        pelplug.WorkerPool(pelplug.available_cores() // pelplug.thread_count()) as pool,
    ):
        futures = pool.submit([(twice, 1.0)])
        bar.update(1)
    label: str = pelplug.unit_label("$r$", xr.DataArray(values))
    panel = pelplug.Panel(xr.Dataset({"x": ("r", values)})).axes(("$r$", xr.DataArray(values)), "$x$", log="y")
    panel.curve(values, values, xr.DataArray(values)).fit(
        [1.0, 2.0], [1.0, 2.0], panel.number("$a$", xr.DataArray(1.0))
    )
    figure = pelplug.Panel.figure(panel.dataset, [lambda ax: panel.finish()], count="10 runs")
    figure.savefig("x.png")
    return [command, futures[0].result(), label, pelplug.load_lammps().lammps, pelplug.testing]


# --- models and potentials --------------------------------------------------------------------------------------------


class Spring(pelplug.Potential):
    """Each particle on a spring of its own."""

    capabilities = pelplug.Capability.HESSIAN | pelplug.Capability.PAIRS
    units = pelplug.Units()
    cutoff = None

    def energy_forces(self, configuration: pelplug.Configuration) -> tuple[float, np.ndarray]:
        return 0.5 * float((configuration.positions**2).sum()), -configuration.positions

    def record(self) -> dict[str, Any]:
        return {"potential": "spring"}

    def sizes(self, configuration: pelplug.Configuration) -> np.ndarray | None:
        return None

    def native(self, engine: str) -> Mapping[str, Any] | None:
        return {"pair_style": "none"} if engine == "lammps" else None


class Springs(pelplug.Model):
    """Such particles."""

    name = "springs"
    summary = "particles on springs"
    formula = "r^2 / 2"
    species = ("A",)
    composition: ClassVar = {"A": 1.0}
    density = 1.0

    @property
    def constants(self) -> dict[str, Any]:
        return {"stiffness": self.parameters["stiffness"]}

    @property
    def largest_size(self) -> float:
        return 1.0

    def __init__(self, *, stiffness: Annotated[float, pelplug.Param("of a spring")] = 1.0) -> None:
        super().__init__()

    def potential_of(self, configuration: pelplug.Configuration) -> pelplug.Potential:
        return pelplug.PairPotential(
            FORM,
            sigma=[[1.0]],
            cutoff=2.5,
            parameters={"epsilon": 1.0},
            species=("A",),
            truncation="smooth",
        )


def soft(x: float, p: Sequence[float]) -> tuple[float, float, float]:
    u = p[0] * x**-12
    return u, -12 * u / x, 156 * u / x**2


FORM: pelplug.Form = pelplug.form("lennard-jones") or pelplug.Form("soft", soft, ("epsilon",), "epsilon x^-12")


class Files(pelplug.Provider):
    """Springs of a file."""

    name = "springs"
    summary = "springs of a file"

    def potential(self, file: str) -> pelplug.Potential:
        return Spring()


class Mine(pelplug.models.KobAndersen):  # type: ignore[misc]  # the classes of the bundled models are found, not written
    """A bundled model under another name."""


def derivatives(state: pelplug.Configuration) -> list[Any]:
    potential = pelplug.FromForces(Spring(), reach="all")
    tables: pelplug.EAMTables = pelplug.read_eam("CuZr.eam.fs")
    pairs: pelplug.Pairs = potential.pairs(state)
    strain: pelplug.StrainDerivatives = potential.strain_derivatives(state)
    evaluate: pelplug.Evaluator = potential.evaluator(state)
    forces = np.empty_like(state.positions)
    energy: float = evaluate(state.positions, forces)
    wells: type[pelplug.Potential] = pelplug.StillingerWeberPotential
    return [pelplug.EAMPotential(tables), pairs.distances, strain.second, energy, wells]


class Rigid(Spring):
    """Two particles at one distance."""

    capabilities = pelplug.Capability.CONSTRAINTS

    def constraints(self, configuration: pelplug.Configuration) -> pelplug.Constraints:
        return pelplug.Constraints(np.array([0]), np.array([1]), np.array([1.0]))


def bonded(state: pelplug.Configuration, potential: pelplug.Potential) -> np.ndarray:
    """Return distances of near pairs in units of sigma_ij."""
    scale: pelplug.LengthScale = pelplug.length_scale(state, potential, "auto")
    near: pelplug.NearPairs = pelplug.near_pairs(state.positions, state.cell, 1.5 * scale.largest)
    scaled: np.ndarray = near.distances / scale.of(near.i, near.j)
    shells: pelplug.FirstShells = pelplug.first_shells([state])
    drawn: pelplug.ParticleSizes = pelplug.particle_sizes(state, potential)
    scaled = scaled[scaled * scale.largest < drawn.diameters.max()]
    shell: float = pelplug.first_minimum(np.histogram(scaled, 100)[0] * 1.0, 0.01, 0.02)
    return scaled[scaled < min(shell, float(shells.minima.max()))]


# --- engines ----------------------------------------------------------------------------------------------------------


class Still(pelplug.Engine):
    """An engine in which nothing moves."""

    name = "still"
    summary = "nothing moves"

    @classmethod
    def status(cls) -> pelplug.EngineStatus:
        return pelplug.EngineStatus(True, "1", ("cpu",))

    def session(
        self,
        configuration: pelplug.Configuration,
        model: pelplug.Model,
        dynamics: pelplug.EquationsOfMotion,
        *,
        seed: int,
        log_every: int = 0,
        internal: Mapping[str, np.ndarray] | None = None,
    ) -> pelplug.Session:
        if dynamics.minimises:
            raise pelplug.InputError("The engine still does not minimise; use another engine.")
        return Standing(pelplug.thermalised(configuration, model, 1.0, seed), model)


class Standing(pelplug.Session):
    """A session of it."""

    def __init__(self, state: pelplug.Configuration, model: pelplug.Model) -> None:
        self.state, self.model = state, model

    def run(self, steps: int) -> pelplug.EnergyLog:
        energy, _ = self.energy_forces()
        return pelplug.EnergyLog.of([(steps, energy, pelplug.kinetic_temperature(self.state, self.model))])

    def configuration(self) -> pelplug.Configuration:
        return self.state

    def energy_forces(self) -> tuple[float, np.ndarray]:
        return self.model.potential(self.state).energy_forces(self.state)


watch: Callable[[pelplug.Configuration, float], None] = pelplug.InSitu(Coordination(None), every=10)


def errors(series: np.ndarray, dataset: xr.Dataset) -> xr.Dataset:
    """State an error over blocks, and one over runs."""
    inefficiency: float = pelplug.statistical_inefficiency(series)
    blocks = int(min(20.0, pelplug.effective_samples(series) / 2.0, len(series) / inefficiency))
    counts = np.bincount(pelplug.block_of(len(series), blocks))
    bootstrap = pelplug.Bootstrap(blocks, resamples=500, seed=1)
    means = bootstrap.means(pelplug.block_sums(series, blocks), counts)
    low, high = bootstrap.interval(means, 0.9)
    jackknife = pelplug.Jackknife(blocks)
    variance = jackknife.apply(np.var, series[:blocks])
    over_runs: np.ndarray = pelplug.standard_error(series) * pelplug.student_factor(5)
    dataset["mean_error"] = ((), float(bootstrap.error(means)) + float(jackknife.error(variance)) + float(over_runs))
    assert low < high and pelplug.FEWEST_FOR_ERROR < pelplug.FEWEST_FOR_INTERVAL
    two_thirds: float = pelplug.ONE_SIGMA
    assert two_thirds < 0.7
    return pelplug.state_errors(dataset, ["mean_error"], bootstrap.attributes("blocks of the series"))


def errors_over_structures(dataset: xr.Dataset) -> xr.Dataset:
    """State an error over what is independent among the frames."""
    unit, what = pelplug.independent_samples(dataset, dataset["kappa_frame"].values)
    bootstrap = pelplug.Bootstrap(int(unit.max()) + 1)
    means = bootstrap.means(pelplug.unit_sums(dataset["kappa_frame"].values, unit), np.bincount(unit))
    dataset["kappa_mean_error"] = ((), bootstrap.error(means))
    sums, numbers = pelplug.frame_sums(dataset, "kappa_ij")
    growth, of_growth = pelplug.relative_to(sums / numbers, np.sqrt(sums))
    dataset["growth"], dataset["growth_error"] = ("frame", growth), ("frame", of_growth)
    dataset = pelplug.average_frames(dataset, {"phi_mean": dataset["phi_frame"]}, unit, what, bootstrap)
    edges = np.linspace(0.0, 2.0, 11)
    counts: np.ndarray = pelplug.sample_histograms(dataset["kappa_frame"].values, unit, edges)
    error, interval = pelplug.bin_errors(bootstrap.means(counts, np.bincount(unit)), counts, bootstrap, 0.9)
    assert error.shape == interval.shape[1:]
    alike: float = pelplug.scatter_of_blocks(dataset["kappa_frame"].values, unit, what, power=2)
    assert alike <= 1.0
    few: list[str] = pelplug.too_few_samples("kappa", bootstrap.samples, what)
    dataset.attrs["not_found"] = "".join(few)
    return pelplug.state_errors(dataset, ["kappa_mean_error"], bootstrap.attributes(what))
