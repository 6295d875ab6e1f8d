"""Form: the functional form of a pair potential, and how a form is made of another one."""

from __future__ import annotations

import dataclasses
import functools
import hashlib
import pickle
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from pelplug.core.python_files import is_pelplugs
from pelplug.errors import InputError
from pelplug.execution.kernel_cache import content_of

__all__ = ["Form", "code_record", "label_of", "made"]


@dataclasses.dataclass(frozen=True)
class Form:
    """A functional form and what there is to say about it.

    Its functions are plain Python that numba compiles, for the processor and for CUDA alike, so they keep to scalar
    arithmetic and `math`: powers are written as products, and only what differs by region has a branch.

    Parameters
    ----------
    name : str
        Name by which a user's model file asks for the form.
    function : callable
        ``function(x, p) -> (u, du, ddu)``: energy [energy] at ``x = r / sigma_ij`` [1] with its first two derivatives
        by x; ``p`` holds the parameters of the pair, then `constants`. Importable, so that it can be pickled.
    parameters : tuple of str
        Names of the first entries of ``p``, in order.
    formula : str
        The energy as text, for people.
    cutoff : float, optional
        Where the form itself ends [sigma_ij]; None where the user must choose a cutoff.
    squared : callable, optional
        ``squared(s, p) -> (u, w)`` with ``s = x**2`` and ``w = (du/dx) / x``: the same form for kernels that need
        forces only. Worth giving for forms in even powers of x, which then need no square root.
    expression : str, optional
        The energy as a formula of ``x``, ``p[0]``, ``p[1]``, ... in Lepton's language (``^`` for powers,
        ``select(step(a-x),inside,outside)`` for branches), for engines that compile one.
    repulsive : bool
        Whether particles only repel each other, so that a dilute state may have no energy at all.
    constants : callable, optional
        ``constants(p, cutoff) -> numbers`` that follow the parameters in ``p``, found once for each pair of species
        from its parameters and its cutoff [sigma_ij].
    adds : int
        How many numbers those are.
    native : mapping, optional
        What engines that have this very form call it, by their names; plain data that `pelplug_engines` documents. In
        it a number of a pair of species is a formula of its parameters by name, ``sigma`` and ``cutoff``; ``ends``
        has, by a word that truncations ask for with `ended`, what is different where the form is truncated so.
    origin : tuple, optional
        Set by `derived`: the function that makes this form, and the form that it takes.
    """

    name: str
    function: Callable
    parameters: tuple[str, ...]
    formula: str
    cutoff: float | None = None
    squared: Callable | None = None
    expression: str | None = None
    repulsive: bool = False
    constants: Callable | None = None
    adds: int = 0
    native: Mapping[str, Mapping[str, Any]] = dataclasses.field(default_factory=dict, repr=False, hash=False)
    origin: tuple[Callable, Form] | None = dataclasses.field(default=None, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "parameters", tuple(self.parameters))

    @property
    def size(self) -> int:
        """Length of ``p``: parameters and constants."""
        return len(self.parameters) + self.adds

    @property
    def ends(self) -> bool:
        """Whether it has an end of its own, or a truncation gave it one."""
        return self.cutoff is not None or self.constants is not None

    def numbers(self, parameters: Sequence[float] | Sequence[np.ndarray], cutoff: float) -> np.ndarray:
        """Return ``p``: the parameters, followed by the constants.

        Parameters
        ----------
        parameters : sequence of float
            In the order of `parameters`.
        cutoff : float
            Of the pair [sigma_ij].

        Returns
        -------
        ndarray, shape (size,)

        Raises
        ------
        InputError
            If there are not as many constants as the form says, or one is not finite.
        """
        p = np.array(parameters, dtype=np.float64)
        if self.constants is None:
            return p
        found = np.array(self.constants(p, cutoff), dtype=np.float64)
        if found.shape != (self.adds,):
            raise InputError(f"The form {self.name} has {found.size} constants where it adds {self.adds}; correct it.")
        return np.concatenate((p, found))

    def ended(self, end: str) -> dict[str, dict[str, Any]]:
        """Return what engines call this form where it is truncated: for `derived`.

        Parameters
        ----------
        end : str
            What the truncation does, in a word under which the form has it: of pelplug's own ``shift`` and
            ``shifted-force``.
        """
        return {
            engine: {**data, **data["ends"][end], "ends": {}}
            for engine, data in self.native.items()
            if end in data.get("ends", {})
        }

    def derived(
        self,
        by: Callable[[Form], Form],
        function: Callable,
        constants: Callable | None = None,
        adds: int = 0,
        *,
        squared: Callable | None = None,
        expression: str | None = None,
        native: Mapping[str, Mapping[str, Any]] | None = None,
    ) -> Form:
        """Return the form that a truncation makes of this one.

        Parameters
        ----------
        by : callable
            The truncation itself, ``by(form) -> Form``, importable: so the result can be pickled; its name is added
            to that of the form.
        function : callable
            As that of a form; it may call this form's, and finds constants of its own at ``p[form.size]`` and beyond.
        constants : callable, optional
            ``constants(p, cutoff) -> numbers``: those constants, from all that is before them in ``p``.
        adds : int
            How many.
        squared, expression : callable, str, optional
            As those of a form; left out where this form has none.
        native : mapping, optional
            As that of a form, of what comes out; `ended` gives it where this form has it.
        """
        mine = self.constants
        label = label_of(by)

        def all_constants(p: np.ndarray, cutoff: float) -> tuple:
            first = () if mine is None else tuple(mine(p, cutoff))
            return (*first, *(() if constants is None else constants(np.concatenate((p, first)), cutoff)))

        return Form(
            name=f"{self.name}-{label}",
            function=function,
            parameters=self.parameters,
            formula=f"{self.formula}, {label}",
            cutoff=self.cutoff,
            squared=None if self.squared is None else squared,
            expression=None if self.expression is None else expression,
            repulsive=self.repulsive,
            constants=all_constants,
            adds=self.adds + adds,
            native=native or {},
            origin=(by, self),
        )

    def record(self) -> dict[str, Any]:
        """Return what identifies the form: its name, and for one that is not pelplug's own a digest of its functions.

        A name is no proof: another's form of the same name is another function.
        """
        base = self if self.origin is None else self.origin[1]
        by = [] if self.origin is None else [self.origin[0]]
        while base.origin is not None:
            by.insert(0, base.origin[0])
            base = base.origin[1]
        return {"name": self.name, **code_record(base.function, base.squared, base.constants, *by)}

    def __reduce__(self) -> tuple:
        if self.origin is not None:  # functions inside functions cannot be pickled, but made again
            return made, self.origin
        return Form, tuple(getattr(self, field.name) for field in dataclasses.fields(self))


def code_record(*functions: Callable | None) -> dict[str, str]:
    """Return a digest of those of some functions that are not pelplug's own; nothing where all are."""
    foreign = [one for one in functions if one is not None and not is_pelplugs(one)]
    if not foreign:
        return {}
    code = content_of([getattr(one, "__wrapped__", one) for one in foreign], versioned=False)
    return {"code": code or hashlib.sha256(pickle.dumps(foreign)).hexdigest()}


@functools.cache
def made(by: Callable[[Form], Form], form: Form) -> Form:
    """Return what a truncation makes of a form: the same object for the same two, so kernels are compiled once."""
    found = by(form)
    if not isinstance(found, Form) or found.parameters != form.parameters:
        raise InputError(
            f"The truncation {label_of(by)!r} returns {found!r}; let it return form.derived(...), a form with the same "
            "parameters."
        )
    return found


def label_of(function: Callable) -> str:
    """Return the name of a function as names of forms are written."""
    return getattr(function, "__name__", type(function).__name__).strip("_<>").replace("_", "-").lower()
