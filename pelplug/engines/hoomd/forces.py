"""The routes by which HOOMD-blue gets the forces of a model: its own pair force, a table, or pelplug's kernels.

A potential is asked ``native("hoomd")`` and ``native("table")``; docs/hooks/engines.md says what it may answer. Nothing
here goes by the name or the kind of a potential or of its form.
"""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable

import numpy as np

from pelplug.configuration import Configuration
from pelplug.engines.hoomd.tables import read_tables
from pelplug.engines.hoomd.view import HoomdView
from pelplug.engines.native import NativeData
from pelplug.errors import InputError
from pelplug.potentials.base import Capability, PairTerms, Potential, potential_name

__all__ = ["Route", "choose_route"]


_BUFFER = 0.4  # margin of HOOMD's neighbour list in units of the largest particle
_SHRINKING = 0.05  # of the box, left free for it at constant pressure
_LEAST_BUFFER = 0.1  # below this it would be rebuilt every few steps
_KNOWN = ("force", "mode", "pairs")
_HOMES = ("pair", "many_body")  # of HOOMD's forces that go by pairs of types


@dataclasses.dataclass(frozen=True)
class Route:
    """How the forces of a model reach HOOMD-blue.

    Attributes
    ----------
    kind : {"native", "table", "kernel"}
        HOOMD's pair force, HOOMD's interpolation of a table, or pelplug's own kernels.
    text : str
        The same with what does it.
    build : callable
        ``build(simulation, frame, configuration, raw)`` returns the `hoomd.md.force.Force`.
    interpolation_error : dict or None
        Of a table: largest error of pair ``energy`` [energy] and ``force`` [energy / length] anywhere from
        ``distance`` [units of the pair's sigma] on; ``jump``, the largest force at a cutoff, which HOOMD spreads over
        the last interval of the table, where the error is as large; and ``inside``, that of the force before it.
    cutoff, buffer : float
        Of HOOMD's neighbour list: the longest cutoff and its margin [length]; 0 where the route has its own list.
    errors : callable or None
        Of a table: what `pelplug.engines.agreement.summed_error` takes.
    """

    kind: str
    text: str
    build: Callable
    interpolation_error: dict[str, float] | None = None
    cutoff: float = 0.0
    buffer: float = 0.0
    errors: Callable | None = None

    @property
    def reach(self) -> float:
        """Of HOOMD's neighbour list [length]."""
        return self.cutoff + self.buffer


def choose_route(
    wanted: str,
    potential: Potential,
    frame: HoomdView,
    configuration: Configuration,
    kind: str,
    virial: bool = False,
) -> Route:
    """Return the route for a model on cpu, cuda or mpi.

    ``auto`` is the kernel on one process's CPU: it is in double precision, exact, right in small boxes, and was
    measured to be about twice as fast as HOOMD's ``pair.LJ`` there; but a potential without an evaluator is slower than
    HOOMD's own force. On a GPU and with MPI it is HOOMD's own force where the potential has a name for it, else a
    table, else (on a GPU) the CUDA kernel. A kernel that does not give the virial, which a barostat needs, is no kernel
    where ``virial`` is set; none on a GPU does.

    Raises
    ------
    InputError
        If there is no such route for the potential, the box or the device, or the potential's answer is malformed.
    """
    own = NativeData.asked(potential, "hoomd", _KNOWN) if wanted in ("auto", "native") else None
    table = None
    able = not virial or (kind == "cpu" and potential.evaluator(configuration.wrapped()).gives_virial)
    if wanted == "auto":
        if kind == "cpu" and able:
            wanted = "kernel" if own is None or potential.can(Capability.EVALUATOR) else "native"
        elif own is not None:
            wanted = "native"
        else:
            table = NativeData.asked(potential, "table", ("pairs",))
            wanted = "kernel" if table is None else "table"
    if wanted == "kernel":
        if not able:
            raise InputError(
                f"A pressure needs the virial, which pelplug's kernel does not give for {potential_name(potential)} on "
                f"{kind}; use --engine lammps, or leave out --pressure."
            )
        if kind == "mpi":
            raise InputError(
                "With MPI the engine hoomd runs pair potentials between species only, by HOOMD's own force or a table; "
                "leave --mpi out: in one process pelplug's kernels run in threads."
            )
        return _cuda(potential, configuration) if kind == "cuda" else _kernel(potential, virial)
    if wanted == "native":
        if own is None:
            raise InputError(
                "HOOMD-blue has no pair force of exactly this form; its pair.LJ is Lennard-Jones between species, cut "
                "or shifted in energy: use the route kernel or table."
            )
        return _native(own, potential, frame, virial)
    table = table or NativeData.asked(potential, "table", ("pairs",))
    if table is None:
        raise InputError(
            "A table serves a pair potential between species only, and this one has many-body terms or a diameter "
            "for each particle; use the route kernel."
        )
    return _table(table, potential, frame, virial)


def _buffer(potential: Potential, configuration: Configuration, reach: float, virial: bool = False) -> float:
    sizes = potential.sizes(configuration)
    scale = 0.4 * reach if sizes is None else float(sizes.max())
    room = (0.5 - _SHRINKING * virial) * float(np.min(configuration.heights)) - reach
    if room < _LEAST_BUFFER * scale and virial:
        raise InputError(
            f"HOOMD's neighbour list needs 0.45 of the box ({0.45 * np.min(configuration.heights):.6g}), which may "
            f"shrink, to be larger than the cutoff {reach:.6g} by {_LEAST_BUFFER * scale:.3g} at least; use "
            "--engine lammps, or a larger system."
        )
    if room < _LEAST_BUFFER * scale:
        raise InputError(
            f"HOOMD's neighbour list needs half the box ({0.5 * np.min(configuration.heights):.6g}) to be larger than "
            f"the cutoff {reach:.6g} by {_LEAST_BUFFER * scale:.3g} at least; use the route kernel, which "
            "sums over images, or a larger system."
        )
    return min(_BUFFER * scale, 0.999 * room)


def _native(answer: NativeData, potential: Potential, frame: HoomdView, virial: bool) -> Route:
    name = answer.word("force")
    home, _, kind = name.partition(".")
    if home not in _HOMES or not kind.isidentifier() or kind.startswith("_"):
        raise answer.wrong(f"force = {name!r}, where pair.NAME or many_body.NAME of hoomd.md belongs")
    mode = {"mode": answer.word("mode")} if "mode" in answer else {}
    parameters, cutoffs = {}, {}
    for (a, b), entry in answer.pairs(frame.species, ("parameters", "cutoff")):
        types = frame.names[a], frame.names[b]
        parameters[types], cutoffs[types] = dict(entry.mapping("parameters")), entry.number("cutoff", least=0.0)
    cutoff = max(cutoffs.values())
    buffer = _buffer(potential, frame.start, cutoff, virial)

    def build(simulation, frame, configuration, raw):
        import hoomd

        force = getattr(getattr(hoomd.md, home), kind, None)
        if not (isinstance(force, type) and issubclass(force, hoomd.md.force.Force)):
            raise answer.wrong(f"force = {name!r}, which this HOOMD-blue does not have")
        try:
            made = force(hoomd.md.nlist.Cell(buffer=buffer), **mode)
            for types, values in parameters.items():
                made.params[types] = values
                made.r_cut[types] = cutoffs[types]
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            said = " ".join(str(error).split()).rstrip(".") or type(error).__name__
            raise answer.wrong(f"numbers that hoomd.md.{name} does not take ({said})") from error
        return made

    return Route("native", f"native: hoomd.md.{name}", build, cutoff=cutoff, buffer=buffer)


def _table(answer: NativeData, potential: Potential, frame: HoomdView, virial: bool) -> Route:
    tables = read_tables(answer, frame)
    buffer = _buffer(potential, frame.start, tables.cutoff, virial)

    def build(simulation, frame, configuration, raw):
        import hoomd

        force = hoomd.md.pair.Table(hoomd.md.nlist.Cell(buffer=buffer))
        for types, values in tables.parameters.items():
            force.params[types] = values
            force.r_cut[types] = tables.cutoffs[types]
        return force

    error, width = tables.error, max(len(values["U"]) for values in tables.parameters.values())
    text = f"table: hoomd.md.pair.Table, {width} values, errors up to {error['energy']:.1e} in the energy and "
    text += f"{error['force']:.1e} in the force of a pair"
    if error["jump"] > error["inside"]:
        text += f" (its jump at the cutoff; {error['inside']:.1e} elsewhere)"
    return Route("table", text, build, error, tables.cutoff, buffer, functools.partial(tables.errors, frame.types))


def _kernel(potential: Potential, virial: bool) -> Route:
    def build(simulation, frame, configuration, raw):
        from pelplug.engines.hoomd.kernel import evaluator_force

        return evaluator_force(potential.evaluator(configuration.wrapped()), frame, raw.image, virial)

    text = f"kernel: pelplug's {potential_name(potential)} by hoomd.md.force.Custom, on the CPU"
    return Route("kernel", text, build)


def _cuda(potential: Potential, configuration: Configuration) -> Route:
    terms: PairTerms | None = potential.pair_terms(configuration)
    if terms is None:
        raise InputError(
            f"There is no CUDA kernel for {potential_name(potential)}, only for pair potentials; use device cpu."
        )
    buffer = _buffer(potential, configuration, terms.reach)

    def build(simulation, frame, configuration, raw):
        from pelplug.engines.hoomd.cuda import cuda_force

        return cuda_force(terms, simulation, frame, buffer)

    text = f"kernel: pelplug's {potential_name(potential)} by hoomd.md.force.Custom and numba.cuda"
    return Route("kernel", text, build)
