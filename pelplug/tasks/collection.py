"""Collection: many results by their conditions, opened when their values are asked for; what a study reads."""

from __future__ import annotations

import glob
import json
import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import xarray as xr

from pelplug.core.conditions import Conditions
from pelplug.errors import InputError
from pelplug.files.record import version_of
from pelplug.files.results import read_outlines, read_results, read_variables
from pelplug.plotting.conditions import of_minima
from pelplug.tasks.provenance import check_version, failed_parts, frames_of_words, parameters_of, to_json

if TYPE_CHECKING:
    from pelplug.tasks.contents import Contents

__all__ = ["Collection", "Result", "files_of"]

_KIND = "analysis"
_FILE = ("file", "sha256")


class Result:
    """The result of an analysis, in memory or in a file, of which values are read when they are asked for.

    Attributes
    ----------
    analysis : str
        Name of the analysis.
    source : str
        The file, or which of the datasets that were given; for sentences.
    path : str or None
        The file.
    attributes : dict
        Those of the dataset.
    conditions : Conditions
        Of its states.
    parameters : dict
        Of the analysis.
    sizes : dict of str to int
        Length of each dimension.
    provenance_version : int
        In which way it is recorded.
    """

    def __init__(self, analysis: str, outline: xr.Dataset, source: str, path: str | None = None):
        check_version(outline)
        self.analysis, self.source, self.path = analysis, source, path
        self.attributes: dict[str, Any] = dict(outline.attrs)
        self.provenance_version = version_of(outline)
        self.parameters = parameters_of(outline)
        try:
            self.conditions = Conditions.of(outline)
        except InputError as error:
            raise InputError(f"{source}: {error}") from None
        self._dataset = outline
        said: Mapping[str, Any] = (
            outline.encoding if path is not None else {"variables": outline.variables, "sizes": outline.sizes}
        )
        self._names = frozenset(map(str, said["variables"]))
        self.sizes: dict[str, int] = {str(name): length for name, length in said["sizes"].items()}

    @property
    def dataset(self) -> xr.Dataset:
        """All of it; one in a file is read at each time, so that no more than one need be in memory."""
        if self.path is None:
            return self._dataset
        found = read_results(self.path).get(self.analysis)
        self._require_same({} if found is None else found.attrs)
        return found  # type: ignore[return-value]  # that of no attributes is not the same

    def _require_same(self, attributes: Mapping[Any, Any]) -> None:
        if any(attributes.get(key) != self.attributes.get(key) for key in ("analysis", "created", "fingerprint")):
            raise InputError(f"{self.path} was written anew while it was read; run the same command again.")

    def __contains__(self, name: object) -> bool:
        """Whether there is a variable of that name."""
        return name in self._names

    def condition(self, name: str) -> Any:
        """Return a condition that independent runs share, a field of `Conditions` or ``liquid_temperature``.

        Inherent structures of states that have a parent temperature too, as those of a glass do, are of that one.
        """
        minima = name == "liquid_temperature" and self._of_minima
        return getattr((self.conditions.quenched() if minima else self.conditions).group, name)

    @cached_property
    def _of_minima(self) -> bool:
        whose = {"positions": self["positions"]} if "positions" in self._names else {}
        return of_minima(xr.Dataset(whose, attrs=self.attributes))

    def __getitem__(self, name: str) -> xr.DataArray:
        """Return a variable; of a file that one alone is read.

        Raises
        ------
        InputError
            If there is none of that name; it tells of a part of the result that failed.
        """
        return self.read(name)[name]

    def read(self, *names: str) -> xr.Dataset:
        """Return several variables with their coordinates, of a file by opening it once.

        Raises
        ------
        InputError
            If there is none of a name; it tells of a part of the result that failed.
        """
        missing = next((name for name in names if name not in self), None)
        if missing is None and self.path is None:
            return self._dataset[list(names)]
        if missing is None:
            found = read_variables(self.path, self.analysis, names)  # type: ignore[arg-type]  # there is one
            self._require_same(found.attrs)
            return found
        lost = "".join(
            f"; {part} was left out, which failed ({why})" for part, why in failed_parts(self._dataset).items()
        )
        raise InputError(
            f"{self.source} has no {missing} among the variables of {self.analysis}{lost}; leave it out, or make it "
            "anew with --overwrite."
        )

    @property
    def identity(self) -> tuple | None:
        """What two results have in common that are one and the same; None where nothing is recorded of it."""
        if digest := self.attributes.get("request"):  # of all that decides it, trajectory and frames included
            return (self.analysis, digest)
        said = [self.attributes.get(key, "") for key in ("fingerprint", "created", "input_sha256", "conditions")]
        return (self.analysis, *said) if any(said[:3]) else None

    @property
    def trajectories(self) -> list[tuple[str, str, set[int] | None]]:
        """Name, checksum and numbers of the frames of each trajectory that it was made of; None for all of them."""
        said = self.attributes.get("trajectories")
        record = json.loads(said) if said else [{key: self.attributes.get(f"input_{key}", "") for key in _FILE}]
        return [
            (one["file"], one["sha256"], frames_of_words(words) if (words := one.get("frames")) else None)
            for one in record
            if one["sha256"]
        ]

    def __repr__(self) -> str:
        return f"<Result of {self.analysis}, {self.source}: {self.conditions}>"


class Collection:
    """Results of analyses, opened when their values are asked for.

    Parameters
    ----------
    results : path, Dataset, mapping, Collection, or an iterable of these
        Files that pelplug wrote, patterns of their names (``"run-*/kappa.nc"``), datasets as `pelplug.analyze` returns
        them, or mappings of those by name.

    Raises
    ------
    InputError
        If a file cannot be read, a pattern fits none, or a dataset is no result of pelplug.

    Examples
    --------
    >>> for group in collection.groups():                                     # doctest: +SKIP
    ...     print(group.value("temperature"), [len(one.dataset.frame) for one in group])
    """

    def __init__(self, results: Any = ()):
        self.results: tuple[Result, ...] = tuple(_opened(results))

    def __len__(self) -> int:
        return len(self.results)

    def __iter__(self) -> Iterator[Result]:
        return iter(self.results)

    def __repr__(self) -> str:
        return f"<Collection of {len(self)} results of {', '.join(self.analyses) or 'nothing'}>"

    @property
    def analyses(self) -> tuple[str, ...]:
        """Names of the analyses whose results these are."""
        return tuple(dict.fromkeys(one.analysis for one in self))

    @cached_property
    def conditions(self) -> Conditions:
        """Those that all share; what differs is in `Conditions.several`."""
        return Conditions.joined([one.conditions for one in self]) if self.results else Conditions()

    def table(self) -> Contents:
        """Return a table of what it holds, and of what no study reads together; notebooks show it."""
        from pelplug.tasks.contents import contents_of

        return contents_of(self)

    def of(self, *analyses: str) -> Collection:
        """Return the results of some analyses, or of one."""
        return self._with(one for one in self if one.analysis in analyses)

    def groups(self, *names: str) -> list[Collection]:
        """Return the results by their conditions, in order: independent runs at the same ones are together.

        Parameters
        ----------
        *names : str
            Fields of `Conditions`, or ``liquid_temperature``, by which they are told apart; by default all but replica
            and seed.
        """
        groups: dict[Any, list[Result]] = {}
        for one in self:
            group = one.conditions.group
            told_by = tuple(_placed(one.condition(name)) for name in names)
            key = told_by or (group.rank, to_json(group.to_record()))
            groups.setdefault(key, []).append(one)
        return [self._with(groups[key]) for key in sorted(groups)]

    def value(self, name: str) -> Any:
        """Return a condition that all results share, a field of `Conditions` or ``liquid_temperature``.

        Raises
        ------
        InputError
            If one does not say it, or they differ.
        """
        values: dict[str, tuple[Any, str]] = {}
        for one in self:
            if (value := one.condition(name)) is None:
                raise InputError(f"{one.source} does not say its {words_of(name)}; {how_to_say(name)}.")
            values.setdefault(str(value), (value, one.source))
        if len(values) != 1:
            raise InputError(_differing(words_of(name), list(values.values())) if values else _NOTHING)
        return next(iter(values.values()))[0]

    def parameter(self, analysis: str, name: str) -> Any:
        """Return the value of a parameter with which all results of an analysis were made.

        Raises
        ------
        InputError
            If they differ.
        """
        values: dict[str, tuple[Any, str]] = {}
        for one in self.of(analysis):
            value = one.parameters.get(name)
            values.setdefault(str(value), (value, one.source))
        if len(values) != 1:
            raise InputError(
                _differing(f"parameter {name} of {analysis}", list(values.values())) if values else _NOTHING
            )
        return next(iter(values.values()))[0]

    def frames(self, values: Callable[[Result], Mapping[str, Any]]) -> xr.Dataset:
        """Return values of every frame of all results, one after another, with the run that each is of.

        What `pelplug.independent_samples` and `pelplug.Bootstrap` take errors over: a run is a trajectory, of whichever
        of the results, so that one that pooled several runs weighs as those runs by themselves.

        Parameters
        ----------
        values : callable
            Takes a `Result` and returns arrays of shape (frames, ...) by name; it is called once for each, so that no
            more than one need be in memory.

        Returns
        -------
        Dataset
            Variables over ``frame``, with the coordinate ``run``: 0, 1, ... in the order of the results.
        """
        runs: dict[Any, int] = {}
        found: dict[str, list[np.ndarray]] = {}
        of: list[np.ndarray] = []
        for one in self:
            arrays = {name: np.asarray(value) for name, value in values(one).items()}
            own = np.asarray(one["run"].values) if "run" in one else np.zeros(one.sizes["frame"], dtype=int)
            known = [checksum for _, checksum, _ in one.trajectories]
            keys = {k: known[k] if k < len(known) else (id(one), k) for k in np.unique(own).tolist()}
            for key in keys.values():
                runs.setdefault(key, len(runs))
            of.append(np.array([runs[keys[k]] for k in own.tolist()], dtype=int))
            for name, array in arrays.items():
                found.setdefault(name, []).append(array)
        return xr.Dataset(
            {name: _over_frames(name, np.concatenate(arrays)) for name, arrays in found.items()},
            coords={"run": ("frame", np.concatenate(of))},
        )

    def _with(self, results: Iterable[Result]) -> Collection:
        other = object.__new__(type(self))
        other.results = tuple(results)
        return other


def _over_frames(name: str, array: np.ndarray) -> tuple[tuple[str, ...], np.ndarray]:
    return ("frame", *(f"{name}_{k}" for k in range(1, array.ndim))), array


_NOTHING = "There are no results; give some, names of files or what pelplug.analyze returns."
_WORDS = {"n": "number of particles"}
_GIVEN = ("temperature", "parent_temperature", "pressure", "replica", "label")


def _placed(value: Any) -> tuple[int, Any]:
    """Return a key that sorts values of a condition: what is not known first, then numbers, then all else as text."""
    if isinstance(value, int | float):
        return 1, value
    return (0, "") if value is None else (2, str(value))


def words_of(name: str) -> str:
    """Return what a condition is called in a sentence."""
    return _WORDS.get(name, name.replace("_", " "))


def how_to_say(name: str) -> str:
    """Return the remedy for a result that does not say a condition."""
    name = "temperature" if name == "liquid_temperature" else name
    if name in _GIVEN:
        return f"make it anew with --{name.replace('_', '-')} ({name}= in Python) and --overwrite"
    if name == "model":
        return "make it anew with --model (model= in Python) and --overwrite"
    return "leave it out, or make it anew with this version of pelplug and --overwrite"


def _differing(what: str, values: list[tuple[Any, str]]) -> str:
    (one, here), (other, there) = values[:2]
    return f"The {what} is {one} in {here} and {other} in {there}; give results of one {what}."


def _opened(results: Any) -> Iterator[Result]:
    """Yield every result of what was given; a file that was named twice once."""
    seen: set[str] = set()
    for place, given in enumerate(_flat(results), 1):
        if isinstance(given, Result):
            yield given
        elif isinstance(given, xr.Dataset):
            source = f"dataset {place}"
            if not (name := given.attrs.get(_KIND)):
                raise InputError(
                    f"{source[0].upper()}{source[1:]} is no result of pelplug, for it has no attribute {_KIND}; give "
                    "what pelplug.analyze returns, or the name of a file."
                )
            yield Result(str(name), given, source)
        elif (path := os.path.realpath(given)) not in seen:
            seen.add(path)
            for name, outline in read_outlines(given).items():
                yield Result(name, outline, str(given), path)


def _flat(results: Any) -> Iterator[Any]:
    """Yield datasets, results and names of files."""
    if isinstance(results, str | os.PathLike):
        yield from files_of(os.fspath(results))
    elif isinstance(results, xr.Dataset | Result):
        yield results
    elif isinstance(results, Mapping):
        yield from _flat(results.values())
    elif isinstance(results, Iterable):
        for one in results:
            yield from _flat(one)
    else:
        raise InputError(f"Results are files, datasets or lists of them, not {results!r}.")


def files_of(name: str) -> list[str]:
    """Return the files of a name, or of a pattern of names."""
    if os.path.isdir(name):
        raise InputError(f"{name} is a folder; give the results in it: '{os.path.join(name, '*.nc')}'.")
    if os.path.exists(name) or not glob.has_magic(name):
        return [name]
    if not (found := sorted(glob.glob(name, recursive=True))):
        raise InputError(f"No file fits {name}; check the pattern, or name the files.")
    return found
