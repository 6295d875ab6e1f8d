# ruff: noqa: RUF012
"""Analyses with one fault each."""

import itertools
import multiprocessing
import secrets
from typing import Annotated

import numpy as np

import pelplug
from faulty import Faulty

FIELD = pelplug.Field(("frame",), "1", "a number")
WHOLE = {"x": pelplug.Field(("mean",), "1", "a mean")}


def nearest_images(apart, configuration):
    """Shortest of the images of some vectors, shape (..., d), in a cell of any shape."""
    cell = configuration.cell
    shifts = np.array(list(itertools.product(range(-2, 3), repeat=len(cell)))) @ cell
    fractions = apart @ np.linalg.inv(cell)
    every = ((fractions - np.rint(fractions)) @ cell)[..., None, :] + shifts
    nearest = np.argmin(np.sum(every**2, axis=-1), axis=-1)
    return np.take_along_axis(every, nearest[..., None, None], axis=-2)[..., 0, :]


def separations(configuration):
    return nearest_images(configuration.positions[None] - configuration.positions[:, None], configuration)


def distances(configuration):
    apart = np.linalg.norm(separations(configuration), axis=-1)
    np.fill_diagonal(apart, np.inf)
    return apart


class Nearest(pelplug.Analysis):
    """Distance of each particle's nearest one."""

    name = "nearest"
    summary = "Distance of each particle's nearest one"
    needs = pelplug.Need.POSITIONS | pelplug.Need.CELL
    provides = {"x": pelplug.Field(("frame", "particle"), "length", "distance of the nearest one")}
    _analysis_algorithm_is_parallelizable = False

    def __init__(
        self, trajectory, *, scale: Annotated[float, pelplug.Param("factor", exclusive_minimum=0)] = 1.0, **base
    ):
        super().__init__(trajectory, **base)
        self.scale = scale

    def compute(self, configuration):
        return {"x": self.scale * self.values(configuration)}

    def values(self, configuration):
        return distances(configuration).min(axis=1)


class Parallel(Nearest):
    """Nothing is wrong with it."""

    name = "parallel"
    _analysis_algorithm_is_parallelizable = True


class Total(Nearest):
    """Nothing is wrong with it: it reads the frames itself."""

    name = "total"
    reads_frames = False
    provides = WHOLE

    def summarize(self, dataset):
        states = (self.trajectory.configuration(int(frame)) for frame in self.frames)
        return dataset.assign(x=("mean", [np.mean([self.values(one).mean() for one in states])]))


class NoSummary(Nearest):
    """Has no summary."""

    name = "no-summary"
    summary = ""


class PlainDims(Nearest):
    """Declares dimensions without a Field."""

    name = "plain-dims"
    provides = {"x": ("frame",)}


class NoCompute(pelplug.Analysis):
    """Forgot compute()."""

    name = "no-compute"
    summary = "Forgot compute"
    provides = {"x": FIELD}


class NoBase(Nearest):
    """Takes nothing from the host."""

    name = "no-base"

    def __init__(self, trajectory):
        super().__init__(trajectory)


class HalfDocumented(Nearest):
    """Distance of each particle's nearest one.

    Parameters
    ----------
    trajectory : Trajectory
        What to analyse.
    """

    name = "half-documented"


class Swallows(Nearest):
    """Takes whatever it is given."""

    name = "swallows"


def _swallow(self, trajectory, **anything):
    known = {name: value for name, value in anything.items() if name != "no_such_parameter"}
    Nearest.__init__(self, trajectory, **known)


Swallows.__init__ = _swallow


class KeepsBase(Nearest):
    """Passes on what its author has thought of."""

    name = "keeps-base"

    def __init__(self, trajectory, **base):
        known = ("scale", "model", "potential", "store", "verbose")
        super().__init__(trajectory, **{name: base[name] for name in known if name in base})


class FailsOnce(Nearest):
    """Fails in one frame."""

    name = "fails-once"

    def values(self, configuration):
        if configuration.frame == 2:
            raise ValueError("told to")
        return super().values(configuration)


class NoUnits(Nearest):
    """Takes its unit away."""

    name = "no-units"

    def summarize(self, dataset):
        dataset["x"].attrs["units"] = ""
        return dataset


class ForgetsParameters(Nearest):
    """Records none of its parameters."""

    name = "forgets-parameters"

    def prepare(self):
        self.attributes["parameters"] = "{}"


class SaysNothing(Total):
    """Gives an error and does not say where it comes from."""

    name = "says-nothing"
    provides = {**WHOLE, "x_error": pelplug.Field(("mean",), "1", "standard error of x")}

    def summarize(self, dataset):
        dataset = super().summarize(dataset)
        return dataset.assign(x_error=0.1 * dataset["x"])


class SaysWhatIsNotThere(SaysNothing):
    """Gives an error that rests on a number of samples which nobody finds."""

    name = "says-what-is-not-there"

    def summarize(self, dataset):
        dataset = super().summarize(dataset)
        return pelplug.state_errors(dataset, ["x_error"], "standard error over frames", "samples")


class Unpicklable(Nearest):
    """Holds something that does not pickle."""

    name = "unpicklable"

    def __init__(self, trajectory, **base):
        super().__init__(trajectory, **base)
        self.function = lambda x: x


class CountsFrames(Nearest):
    """Numbers the frames in the order in which its process has them; the first process knows better."""

    name = "counts-frames"
    _analysis_algorithm_is_parallelizable = True

    def values(self, configuration):
        alone = multiprocessing.parent_process() is None
        return super().values(configuration) + (0 if alone else next(_COUNT))


_COUNT = itertools.count(1)


class ConvertsTwice(Total):
    """Converts its result whenever it is asked for it, also one that was read."""

    name = "converts-twice"

    def to_dataset(self):
        dataset = super().to_dataset()
        return dataset.assign(x=(2 * dataset["x"]).assign_attrs(dataset["x"].attrs))


class DrawsWhatItSaw(Nearest):
    """Draws what only the run knew."""

    name = "draws-what-it-saw"

    def values(self, configuration):
        self.last = super().values(configuration)
        return self.last

    def plot(self, ax=None, **keywords):
        from matplotlib.figure import Figure

        ax = Figure().add_subplot() if ax is None else ax
        ax.plot(self.last, **keywords)
        return ax


class LeavesAxesBare(Nearest):
    """Draws numbers and does not say which."""

    name = "leaves-axes-bare"

    def plot(self, ax=None, **keywords):
        panel = pelplug.Panel(self.to_dataset(), ax, **keywords).axes("$r$", "")
        return panel.curve([1.0, 2.0], [1.0, 2.0]).finish()


class NamesNothing(Nearest):
    """Has a title of its own, in which the state does not stand."""

    name = "names-nothing"

    def figure(self):
        figure = super().figure()
        figure.suptitle("what I found")
        return figure


class FromTheOrigin(Nearest):
    """Distance from the origin."""

    name = "from-the-origin"

    def values(self, configuration):
        return np.linalg.norm(nearest_images(configuration.positions, configuration), axis=-1)


class WithoutImages(Nearest):
    """Distance from the mean of all positions, in whatever cells they are."""

    name = "without-images"

    def values(self, configuration):
        return np.linalg.norm(configuration.positions - configuration.positions.mean(axis=0), axis=1)


class FromTheFirst(Nearest):
    """Distance from the particle that comes first."""

    name = "from-the-first"

    def values(self, configuration):
        return np.linalg.norm(separations(configuration)[0], axis=-1)


class AlongX(Nearest):
    """Looks along x."""

    name = "along-x"

    def values(self, configuration):
        every = separations(configuration)
        nearest = np.argmin(distances(configuration), axis=1)
        return np.abs(every[np.arange(configuration.n), nearest, 0])


class RoundsFractions(Nearest):
    """Takes the nearest image by rounding fractions of the cell vectors, which is right in cells with right angles."""

    name = "rounds-fractions"

    def values(self, configuration):
        apart = configuration.fractional()[None] - configuration.fractional()[:, None]
        length = np.linalg.norm((apart - np.rint(apart)) @ configuration.cell, axis=-1)
        return np.sort(length, axis=1)[:, configuration.n // 2]


class NewEachTime(Nearest):
    """Finds none of the frames that it has finished."""

    name = "new-each-time"

    def fingerprint(self):
        return secrets.token_hex()


class AsksTheFile(Nearest):
    """Asks the trajectory, which a running simulation does not have."""

    name = "asks-the-file"

    def values(self, configuration):
        return super().values(configuration) * self.trajectory.n / configuration.n


class Forgets(pelplug.Series):
    """Mean of a series, of which it forgets how much it was."""

    name = "forgets"
    summary = "Mean energy"
    provides = {"x": pelplug.Field(("mean",), "energy", "mean energy")}

    def begin(self):
        self.sum, self.count = 0.0, 0

    def add(self, energy, begins):
        self.sum += energy.sum()
        self.count += len(energy)

    def evaluate(self, dataset):
        return dataset.assign(x=("mean", [self.sum / self.count]))

    def state(self):
        return {"count": np.array(self.count)}

    def restore(self, state):
        self.count = int(state["count"])


class InSpace(Nearest):
    """Takes it that there is a third dimension."""

    name = "in-space"

    def values(self, configuration):
        return super().values(configuration) + 0 * configuration.positions[:, 2]


class WantsVelocities(Nearest):
    """Uses velocities that it does not ask for."""

    name = "wants-velocities"

    def values(self, configuration):
        return np.linalg.norm(configuration.velocities, axis=1)


class LeavesOut(Total):
    """Leaves out in silence what cannot be read."""

    name = "leaves-out"

    def summarize(self, dataset):
        found = []
        for frame in self.frames:
            try:
                found.append(self.values(self.trajectory.configuration(int(frame))).mean())
            except pelplug.InputError:
                continue
        return dataset.assign(x=("mean", [np.mean(found)]))


class FirstAlone(Total):
    """Says that it takes several trajectories, and reads the first."""

    name = "first-alone"
    pools = True


class LosesRuns(Nearest):
    """Forgets which trajectory a frame is of."""

    name = "loses-runs"

    def summarize(self, dataset):
        return dataset.drop_vars("run", errors="ignore")


class RunsAnyway(Nearest):
    """Runs on all frames, whatever it is told."""

    name = "runs-anyway"

    def run(self, *arguments, **keywords):
        return super().run()


class KnowsBetter(Nearest):
    """Takes a model of its own, whatever it is given."""

    name = "knows-better"
    needs = pelplug.Need.POSITIONS | pelplug.Need.POTENTIAL

    def __init__(self, trajectory, **base):
        super().__init__(trajectory, **base)
        if trajectory is not None:
            self.model = pelplug.model(f"kob-andersen{'-2d' if self.trajectory.dimension == 2 else ''}")

    def values(self, configuration):
        return np.full(configuration.n, self.potential_of(configuration).energy(configuration))


GOOD = (Parallel, Total)
FAULTY = (
    Faulty(NoSummary, "check_declared", "has no summary"),
    Faulty(PlainDims, "check_declared", "pelplug.Field"),
    Faulty(NoCompute, "check_declared", "has no compute"),
    Faulty(NoBase, "check_declared", r"must take \*\*base"),
    Faulty(HalfDocumented, "check_documented", "does not describe scale"),
    Faulty(Swallows, "check_refuses_parameters", "no_such_parameter = 1 is not refused"),
    Faulty(KeepsBase, "check_base_is_passed_on", "inputs, label never reach"),
    Faulty(FailsOnce, "check_runs", "frames failed.*told to"),
    Faulty(NoUnits, "check_units", "x has no units"),
    Faulty(ForgetsParameters, "check_provenance", "scale differ"),
    Faulty(SaysNothing, "check_errors_say_how", "x_error does not say its error_method"),
    Faulty(SaysWhatIsNotThere, "check_errors_say_how", "samples, which is no variable"),
    Faulty(Unpicklable, "check_pickles", "cannot be pickled"),
    Faulty(CountsFrames, "check_several_processes", "x differs between one process and several"),
    Faulty(ConvertsTwice, "check_round_trip", "read back from NetCDF differs"),
    Faulty(DrawsWhatItSaw, "check_draws", "has no attribute 'last'"),
    Faulty(LeavesAxesBare, "check_figure_says", "no label on its y axis"),
    Faulty(NamesNothing, "check_figure_says", "lacks the model, N"),
    Faulty(FromTheOrigin, "check_translation", "x changes with a translation"),
    Faulty(WithoutImages, "check_images", "x changes with whole cells"),
    Faulty(FromTheFirst, "check_permutation", "x changes with the order of the particles"),
    Faulty(AlongX, "check_rotation", "x changes with a rotation"),
    Faulty(RoundsFractions, "check_cell_vectors", "x changes with the choice of the cell vectors"),
    Faulty(NewEachTime, "check_resumes", "of 2 finished frames 0 are taken up again"),
    Faulty(AsksTheFile, "check_in_situ", "'NoneType' object"),
    Faulty(Forgets, "check_in_situ_resumes", "x differs", kit={"parameters": {"time_step": 0.005}}),
    Faulty(InSpace, "check_two_dimensions", "in two dimensions it fails"),
    Faulty(WantsVelocities, "check_declares_needs", "on a file of positions, cell and species alone it fails"),
    Faulty(LeavesOut, "check_refuses_nan", "has passed"),
    Faulty(FirstAlone, "check_several_trajectories", "gives what the first gives alone"),
    Faulty(LosesRuns, "check_several_trajectories", "run does not tell the frames of both in order"),
    Faulty(RunsAnyway, "check_refuses_no_frames", "is not refused"),
    Faulty(KnowsBetter, "check_refuses_another_model", "it runs with the model kob-andersen-2d"),
)
