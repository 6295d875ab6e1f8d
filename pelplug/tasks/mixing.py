"""What results a study may read together: refusals of those that are missing, mixed or given twice."""

from __future__ import annotations

import dataclasses
import itertools
import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from pelplug.core.conditions import Conditions
from pelplug.errors import InputError
from pelplug.files.record import CHANGES
from pelplug.tasks.collection import Collection, Result, how_to_say, words_of

__all__ = ["CONDITIONS", "readable_by"]

CONDITIONS = (
    *(field.name for field in dataclasses.fields(Conditions) if field.name not in ("units", "several")),
    "liquid_temperature",
)
"""What a study may ask of its results, or let differ."""

_PARTS = {"liquid_temperature": ("temperature", "parent_temperature", "ramp")}
_INDEPENDENT = ("replica", "seed")  # runs at the same conditions


def readable_by(
    collection: Collection,
    owner: str,
    uses: Iterable[str],
    needs: Iterable[str],
    varies: Iterable[str],
    unsaid: Iterable[str] = (),
    compares: Iterable[str] = (),
    takes: Iterable[str] = (),
) -> Collection:
    """Return the results that a study reads, after refusing what it cannot read together.

    Parameters
    ----------
    collection : Collection
        All that was given.
    owner : str
        The study, for sentences: ``"study mesoelastic"``.
    uses : iterable of str
        Names of the analyses whose results it reads; none of a theory.
    needs : iterable of str
        Conditions that each result must say; see `CONDITIONS`.
    varies : iterable of str
        Those in which results may differ, which each must say too. Replica and seed always may. Also parameters of
        analyses, as ``"dynamics.wave_number"``.
    unsaid : iterable of str, optional
        Those in which results may differ, said or not.
    compares : iterable of str, optional
        Those of which there must be more than one value.
    takes : iterable of str, optional
        Names of further analyses whose results it can use and need not.

    Returns
    -------
    Collection
        The results of `uses` and `takes`.

    Raises
    ------
    InputError
        If there are none of an analysis that it uses; if a file has none of those; if one is given twice, or frames of
        one trajectory are; if units, models or other conditions are mixed, parameters that change what numbers mean, or
        the ways in which results are recorded; if a condition is missing, or is one and the same where several are
        compared.
    """
    uses, takes = tuple(uses), tuple(takes)
    if not uses and (not takes or not len(collection)):
        if len(collection):
            raise InputError(
                f"The {owner} is a theory, which reads no results; leave {collection.results[0].source} out."
            )
        return collection
    _refuse_missing(collection, owner, uses, takes)
    found = collection.of(*uses, *takes)
    _refuse_twice(found)
    _refuse_versions(found)
    varies = tuple(varies)
    conditions = [name for name in varies if "." not in name]
    _refuse_silent(found, owner, (*needs, *conditions))
    _refuse_mixed(found, owner, {part for name in (*conditions, *unsaid) for part in (name, *_PARTS.get(name, ()))})
    _refuse_other_parameters(found, varies)
    _refuse_common_frames(found, varies)
    _refuse_single(found, owner, compares)
    return found


def _refuse_missing(collection: Collection, owner: str, uses: tuple[str, ...], takes: tuple[str, ...]) -> None:
    """Refuse an empty collection, files that have nothing to read, and an analysis of which there is no result."""
    how = "; ".join(f"pelplug analyze --plugin {name}" for name in uses)
    if not len(collection):
        raise InputError(f"The {owner} reads results of {_and(uses)}, and there are none; give the files ({how}).")
    known = (*uses, *takes)
    useful = {one.source for one in collection if one.analysis in known}
    for one in collection:
        if one.source not in useful:
            raise InputError(
                f"{_begin(one.source)} holds a result of {one.analysis}, and the {owner} reads those of {_and(known)}; "
                "leave it out."
            )
    for name in uses:
        if name not in collection.analyses:
            raise InputError(
                f"The {owner} reads results of {_and(uses)}, and there is none of {name}; give one (pelplug analyze "
                f"--plugin {name})."
            )


def _refuse_twice(found: Collection) -> None:
    seen: dict[Any, Result] = {}
    for one in found:
        if one.identity is None:
            continue
        if (other := seen.setdefault(one.identity, one)) is not one:
            raise InputError(
                f"{_begin(other.source)} and {one.source} are one result of {one.analysis}, which would count twice; "
                "give it once."
            )


def _refuse_versions(found: Collection) -> None:
    """Refuse results that are recorded in different ways: what the one leaves out the other may not know of."""
    versions = [(one.provenance_version, one) for one in found]
    (old, older), (new, newer) = (pick(versions, key=lambda pair: pair[0]) for pick in (min, max))
    if old != new:
        lacks = ", and ".join(text for number, text in CHANGES.items() if old < number <= new)
        raise InputError(
            f"{_begin(older.source)} was written by an earlier version of pelplug (provenance {old}) than "
            f"{newer.source} ({new}), without {lacks}; make {older.source} anew, with --overwrite, or leave it out."
        )


def _refuse_other_parameters(found: Collection, varies: tuple[str, ...]) -> None:
    """Refuse results that were made with parameters by which their numbers mean different things."""
    for name in found.analyses:
        first, *others = found.of(name)
        for other in others:
            for whose, mine, theirs in _settings(first, other):
                odd = _odd(mine, theirs, _parameters(varies, whose))
                if odd is None:
                    continue
                what = _difference({odd: mine[odd]}, {odd: theirs[odd]}, first, other)
                under = "" if whose == name else f", which {name} uses"
                raise InputError(
                    f"The results are of different parameters of {whose}{under}: {what}, with which their numbers mean "
                    "different things; give those of one, or make the others anew with it and --overwrite."
                )


def _parameters(varies: tuple[str, ...], analysis: str) -> list[str]:
    """Return the parameters of an analysis that may differ."""
    return [name.partition(".")[2] for name in varies if name.startswith(f"{analysis}.")]


def _settings(first: Result, other: Result) -> Iterator[tuple[str, dict[str, Any], dict[str, Any]]]:
    """Yield the parameters that change a meaning, of two results of an analysis and of those that it used."""
    here, there = _uses(first), _uses(other)
    for name in (one for one in here if one in there):
        free = {*here[name][1], *there[name][1]}
        mine, theirs = ({key: value for key, value in one[name][0].items() if key not in free} for one in (here, there))
        yield name, mine, theirs


def _uses(one: Result) -> dict[str, tuple[dict[str, Any], list[str]]]:
    own = {one.analysis: (one.parameters, json.loads(one.attributes.get("free_parameters") or "[]"))}
    used = json.loads(one.attributes.get("inputs") or "{}")
    return own | {name: (said["parameters"], said.get("free_parameters", [])) for name, said in used.items()}


def _odd(mine: Mapping[str, Any], theirs: Mapping[str, Any], varies: list[str]) -> str | None:
    """Return the first parameter that differs; one that only one of them has came later, and tells nothing."""
    return next((k for k in mine if k in theirs and mine[k] != theirs[k] and k not in varies), None)


def _refuse_common_frames(found: Collection, varies: tuple[str, ...]) -> None:
    """Refuse results that share frames: they are not independent."""
    for name in found.analyses:
        apart = _parameters(varies, name)
        seen: dict[Any, list[tuple[Result, set[int] | None]]] = {}
        for one in found.of(name):
            for file, checksum, frames in one.trajectories:
                group = seen.setdefault((checksum, *(str(one.parameters.get(key)) for key in apart)), [])
                for other, theirs in group:
                    if frames is None or theirs is None or frames & theirs:
                        raise InputError(
                            f"{_begin(other.source)} and {one.source} are of the same frames of {file}, which would "
                            "count twice; leave one of them out."
                        )
                group.append((one, frames))


def _refuse_silent(found: Collection, owner: str, needs: Iterable[str]) -> None:
    for one, name in itertools.product(found, dict.fromkeys(needs)):
        if one.condition(name) is not None:
            continue
        several = one.conditions.several
        if name in several or any(part in several for part in _PARTS.get(name, ())):
            raise InputError(
                f"{_begin(one.source)} is of states of more than one {words_of(name)}, and the {owner} needs one; "
                "make it anew of states of one (--start, --stop) and --overwrite, or leave it out."
            )
        raise InputError(
            f"{_begin(one.source)} does not say its {words_of(name)}, which the {owner} needs; {how_to_say(name)}."
        )


def _refuse_single(found: Collection, owner: str, compares: Iterable[str]) -> None:
    """Refuse results of one value of what is to be compared."""
    for name in compares:
        values = {str(one.condition(name)): one for one in found}
        if len(values) == 1:
            ((value, one),) = values.items()
            what = "temperature" if name == "liquid_temperature" else words_of(name)
            raise InputError(
                f"The {owner} compares results of more than one {what}, and all of these are of {value}; give results "
                f"of another too (pelplug analyze --plugin {one.analysis})."
            )


def _refuse_mixed(found: Collection, owner: str, varies: set[str]) -> None:
    first = found.results[0]
    for one in found.results[1:]:
        if first.conditions.units != one.conditions.units:
            what = _difference(first.conditions.units.to_dict(), one.conditions.units.to_dict(), first, one)
            raise InputError(
                f"The results are in different units, {what}; give those of one system of units, or make the others "
                "anew with --units and --overwrite."
            )
        here, there = first.conditions.group, one.conditions.group
        for field in dataclasses.fields(Conditions):
            name = field.name
            mine, theirs = getattr(here, name), getattr(there, name)
            if name in varies or name in _INDEPENDENT or mine == theirs:
                continue
            if name == "several":
                mine, theirs = (tuple(one for one in some if one not in varies) for some in (mine, theirs))
                if mine == theirs:
                    continue
                odd = first if mine else one
                raise InputError(
                    f"{_begin(odd.source)} is of states of more than one {words_of((mine or theirs)[0])}, unlike "
                    f"{(one if odd is first else first).source}; leave one of them out."
                )
            if name == "model":
                what = _difference(mine or {}, theirs or {}, first, one)
                raise InputError(
                    f"The results are of different models, {what}, which the {owner} does not compare; give those of "
                    "one model."
                )
            raise InputError(
                f"The results differ in the {words_of(name)} {_values(mine, theirs, first, one)}, which the {owner} "
                f"does not compare; give those of one {words_of(name)}."
            )


def _difference(mine: Mapping, theirs: Mapping, first: Result, other: Result) -> str:
    """Return where two records differ first: ``truncation (cut in a.nc, smooth in b.nc)``."""
    for name in dict.fromkeys((*mine, *theirs)):
        one, two = mine.get(name), theirs.get(name)
        if isinstance(one, Mapping) and isinstance(two, Mapping):
            if one != two:
                return _difference(one, two, first, other)
        elif one != two:
            return f"{name} {_values(one, two, first, other)}"
    return f"({first.source} and {other.source})"


def _values(mine: Any, theirs: Any, first: Result, other: Result) -> str:
    return f"({_shown(mine)} in {first.source}, {_shown(theirs)} in {other.source})"


def _shown(value: Any) -> str:
    text = "unsaid" if value is None else f"{value:.6g}" if isinstance(value, float) else str(value)
    return text if len(text) <= 60 else f"{text[:57]}..."


def _and(names: Iterable[str]) -> str:
    return " and ".join(names)


def _begin(source: str) -> str:
    """Return a source that begins a sentence: a dataset has a number, a file its name as it is."""
    return source.capitalize() if source.startswith("dataset ") else source
