"""Analysis: the base class of every analysis plugin, built on MDAnalysis's AnalysisBase."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import xarray as xr

from pelplug.configuration import Configuration
from pelplug.core.conditions import Conditions
from pelplug.core.fields import Need
from pelplug.core.given import Given
from pelplug.core.versions import code_of
from pelplug.errors import InputError, PelplugError, RunError
from pelplug.models.base import Model, stated_masses
from pelplug.models.given import either
from pelplug.potentials.base import Potential
from pelplug.potentials.from_forces.potential import FromForces, completed
from pelplug.tasks import provenance
from pelplug.tasks.assembly import frame_of
from pelplug.tasks.frame_loop import FrameLoop
from pelplug.tasks.outcome import Outcome
from pelplug.tasks.reserved import NOT_PARAMETERS, RESERVED
from pelplug.tasks.sampled_states import SampledStates
from pelplug.trajectories.matching import matched
from pelplug.trajectories.several import opened

if TYPE_CHECKING:
    from pelplug.engines.engine import Engine
    from pelplug.models.base import Model
    from pelplug.potentials.base import Potential

__all__ = ["Analysis"]


class Analysis(SampledStates, Outcome, FrameLoop):
    """Base of every analysis: one frame goes in, values with units come out as an `xarray.Dataset`.

    A subclass sets the class attributes and writes `compute`; its parameters are keyword-only arguments
    annotated with `pelplug.Param`, and ``**base`` is passed on::

        class Kappa(pelplug.Analysis):
            name = "kappa"
            summary = "Local dipole stiffness of every interacting pair"
            needs = pelplug.Need.POSITIONS | pelplug.Need.HESSIAN
            uses = ("inherent-structures",)
            provides = {"kappa": pelplug.Field(("frame", "particle"), "energy / length**2", "mean stiffness")}

            def __init__(self, trajectory, *, pairs: Annotated[str, pelplug.Param("all, or how many")] = "all", **base):
                super().__init__(trajectory, **base)
                self.pairs = pairs

            def compute(self, configuration):
                return {"kappa": ...}

    Parameters
    ----------
    trajectory : Trajectory, path or None
        What to analyse; None only for an analysis rebuilt from its dataset.
    potential : Potential, optional
        Interactions, if they are not those of `model`.
    model : Model, optional
        Model of the particles.
    inputs : dict of str to Dataset, optional
        Results of the analyses named in `uses`; the host runs them.
    store : PartialStore, optional
        Where finished frames are kept, so that an interrupted run goes on.
    verbose : bool, optional
        Show progress.

    Attributes
    ----------
    name : str
        Lower-case words joined by hyphens; what ``--plugin`` takes.
    summary : str
        One line.
    needs : Need
        What must be given; checked before anything runs.
    uses : tuple of str
        Names of analyses whose results this one reads with `input`.
    provides : dict of str to Field
        Every variable of the dataset.
    cites : tuple of str
        Papers to cite.
    reads_frames : bool
        False for an analysis of a series or of other results; `summarize` then does all the work.
    pools : bool or None
        Whether it takes several trajectories, independent runs at one state point. By default (None) an analysis of
        frames does, unless it needs an engine, and gets those of all; another reads `trajectories` itself, and says so
        with True.
    keeps : bool
        Whether `pelplug analyze` keeps the result beside that of an analysis that uses it, for the next one.
    parameters : dict
        Value of every parameter, defaults included.
    trajectory : Trajectory
        As given; the first of several, which gives `compute` and `survey` the frames of all by their numbers.
    trajectories : tuple of Trajectory
        Each of those given.
    selections : tuple of ndarray of int
        The selected frames of each, numbers in its file.
    joined : Trajectory
        The frames of all of them in order, numbered on; `joined_frames` are the selected ones.
    model : Model or None
        As given; one around the potential, where that was given.

    Raises
    ------
    InputError
        If a parameter is unknown, of another type or out of range.
    """

    noun = "analysis"
    not_parameters = NOT_PARAMETERS
    reserved = RESERVED
    entries_before = ("trajectory : Trajectory\n    What to analyse.",)
    entries_after = ("**base\n    Of `pelplug.Analysis`.",)
    needs: ClassVar[Need] = Need.POSITIONS
    reads_frames: ClassVar[bool] = True
    pools: ClassVar[bool | None] = None
    keeps: ClassVar[bool] = False

    def __init__(
        self,
        trajectory: Any,
        *,
        potential: Potential | None = None,
        model: Model | None = None,
        inputs: Mapping[str, xr.Dataset] | None = None,
        store: Any = None,
        verbose: bool = False,
        **said: Any,
    ) -> None:
        conditions = Conditions(**Given(**said).given())
        if isinstance(model, str):
            raise InputError(f"Pass a model, not its name: model=pelplug.model({model!r}).")
        if isinstance(potential, str):
            raise InputError(f"Pass a potential, not its name: potential=pelplug.potential({potential!r}).")
        model = either(model, potential)
        trajectory = matched(None if trajectory is None else opened(trajectory), model)
        if trajectory is not None and conditions != Conditions():
            trajectory = trajectory.under(conditions)
        self.model = model
        self._is_given(trajectory)
        super().__init__(None if trajectory is None else self.trajectory.reader, verbose=verbose)
        self.inputs = dict(inputs or {})
        self.attributes: dict[str, str] = {}
        self.engines: tuple[type[Engine], ...] = ()  # those that it simulates with, as the host finds them
        self._failed_parts: dict[str, str] = {}
        self._derived: FromForces | None = None
        self._store = store
        self._frame_store = None
        self._label: int | None = None
        self._said, self._conditions = conditions, None
        self.joined_frames: np.ndarray | None = None
        self.selections: tuple[np.ndarray, ...] = ()

    # --- what an author writes ----------------------------------------------------------------------------

    def prepare(self) -> None:
        """Set up what frames share; runs in every worker, before its frames."""

    def compute(self, configuration: Configuration) -> Mapping[str, Any]:
        """Return the values of the declared per-frame variables for one frame, without the frame dimension.

        Parameters
        ----------
        configuration : Configuration
            The frame. An exception raised here fails this frame only.

        Returns
        -------
        dict of str to array_like
        """
        raise NotImplementedError(f"{type(self).__name__} has no compute()")

    @classmethod
    def demands(cls, parameters: Mapping[str, Any]) -> tuple[tuple[str, ...], Need]:
        """Return what it uses and needs with some parameters: `uses` and `needs`, unless a subclass knows better."""
        return cls.uses, cls.needs

    def check_before(self, frames: np.ndarray) -> None:
        """Refuse what cannot end well, before any frame is worked on: by this analysis or one that it uses.

        By default nothing. What is looked at must cost next to nothing: the parameters, `trajectory`, `model`, a frame
        or two. The results of used analyses are not there yet.

        Parameters
        ----------
        frames : ndarray of int
            The selected frames.

        Raises
        ------
        InputError
            With the remedy.
        """

    def survey(self, frames: np.ndarray) -> None:
        """Look at the selected frames together, before any is computed: once, in the first process. By default nothing.

        What it finds belongs in `fingerprint`, for a frame's result depends on it.

        Parameters
        ----------
        frames : ndarray of int
            Their numbers.
        """

    def summarize(self, dataset: xr.Dataset) -> xr.Dataset:
        """Return the dataset with variables over all frames (means, intervals, histograms) added."""
        return dataset

    # --- what an author calls -----------------------------------------------------------------------------

    def potential_of(self, configuration: Configuration) -> Potential:
        """Return the `Potential` for a configuration: the one given, or the model's, with all derivatives.

        Those that it does not have are made from its forces, and what was measured of them is recorded with the result
        (attribute ``derivatives``).

        Raises
        ------
        InputError
            If neither a potential nor a model was given, or the model does not fit the configuration.
        """
        if self.model is None:
            raise InputError(f"The analysis {self.name} has no potential; pass model= or potential=.")
        potential = completed(self.model.potential(configuration))
        if isinstance(potential, FromForces):
            potential = self._derived = potential.fresh()
        return potential

    def take_derivatives(self) -> str | None:
        """Return, once, what was measured of derivatives by differences since the last time, as JSON."""
        derived, self._derived = self._derived, None
        found = derived.found() if derived is not None else {}
        return provenance.to_json(found) if found else None

    def masses_of(self, configuration: Configuration) -> np.ndarray:
        """Return the masses of a configuration, shape (N,) [mass]: the file's, the model's, or 1 in reduced units.

        Raises
        ------
        InputError
            If nobody knows them and the units are not reduced.
        """
        if self.model is not None:
            return self.model.masses_of(configuration)
        return stated_masses(configuration, configuration.masses, self.units)

    def check_minima(self, frames: np.ndarray, force_tolerance: float) -> None:
        """Refuse a model whose minima no minimiser can reach: for `check_before` of what minimises.

        Parameters
        ----------
        frames : ndarray of int
            The selected frames; the first is looked at.
        force_tolerance : float
            Of the minimiser [energy / length].

        Raises
        ------
        InputError
            With the remedy.
        """
        from pelplug.landscape.minimise.minimisable import check_minimisable

        with contextlib.suppress(RunError):
            first = self._readable(frames)
            if first is not None:
                check_minimisable(self.potential_of(first), first, force_tolerance)

    def _readable(self, frames: np.ndarray) -> Configuration | None:
        """Return the first of some frames, None if it cannot be read: the run records that."""
        try:
            return self.trajectory.configuration(int(frames[0]))
        except PelplugError:
            return None

    def input(self, name: str) -> xr.Dataset:
        """Return the result of a used analysis: at the current frame in `compute`, whole elsewhere.

        Raises
        ------
        RunError
            If that analysis has no result for the current frame.
        """
        if name not in self.inputs:
            raise InputError(
                f"The analysis {self.name} uses {name}, which was not given; "
                "run it with pelplug.analyze, or pass inputs={name: dataset}."
            )
        dataset = self.inputs[name]
        if self._label is None:
            return dataset
        try:
            return frame_of(dataset, self._label)
        except KeyError:
            reason = provenance.failed_frames(dataset).get(self._label, "it was not analysed")
            raise RunError(f"{name} has no result for this frame: {reason}") from None

    # --- what it is ---------------------------------------------------------------------------------------

    def fingerprint(self) -> str:
        """Return the sha256 of all that decides the result of a frame, code included; it names the partial results."""
        return provenance.fingerprint(
            analysis=self.name,
            code={
                **code_of(self, self.model, *self.engines),
                **{one.name: one.status().version for one in self.engines},
            },
            parameters=self.parameters,
            files=provenance.named_files(self.parameters),
            model=self.interactions(),
            input=None if self.joined is None else provenance.input_record(self.joined),
            temperature=self.conditions.temperature if Need.TEMPERATURE in self.needs else None,
            uses={name: ds.attrs.get("fingerprint", "") for name, ds in self.inputs.items()},
        )
