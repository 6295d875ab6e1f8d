"""What a potential answers to `native(engine)`, looked at before an engine has it: plain data, and all of it."""

from __future__ import annotations

import itertools
import math
import numbers
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from pelplug.errors import InputError, PelplugError, reason_of
from pelplug.potentials.base import Potential, potential_name

__all__ = ["NativeData", "is_number"]


class NativeData:
    """An answer, or a part of one.

    Parameters
    ----------
    potential : Potential
        Who gave it.
    engine : str
        Who asked for it.
    data : object
        The answer.

    Raises
    ------
    InputError
        If it is no mapping; as all methods, in a sentence that names the potential and what is wrong.
    """

    def __init__(self, potential: Potential, engine: str, data: Any, known: Sequence[str] = (), where: str = ""):
        self._who, self._engine, self._where = potential_name(potential), engine, where
        self._potential = potential
        if not isinstance(data, Mapping):
            raise self.wrong(f"{_shown(data)} where a mapping of names to plain data belongs")
        if unknown := sorted(str(name) for name in data if name not in known):
            raise self.wrong(f"the unknown {', '.join(unknown)} (known: {', '.join(known)})")
        self._data = data

    @classmethod
    def asked(cls, potential: Potential, engine: str, known: Sequence[str]) -> NativeData | None:
        """Ask a potential; None where it knows nothing.

        Parameters
        ----------
        potential : Potential
            Who is asked.
        engine : str
            By whom.
        known : sequence of str
            What may be in the answer.
        """
        try:
            found = potential.native(engine)
        except PelplugError:
            raise
        except Exception as error:
            said = f"{type(error).__name__}: {reason_of(error)}"
            raise cls(potential, engine, {}).wrong(f"an error ({said})") from error
        return None if found is None else cls(potential, engine, found, known)

    def __contains__(self, name: str) -> bool:
        return self._data.get(name) is not None

    def wrong(self, what: str) -> InputError:
        """Return the refusal of an answer."""
        return InputError(
            f"{self._who}.native({self._engine!r}) answers with {what}{self._where}; correct the potential, or let "
            "pelplug compute the forces (--route kernel)."
        )

    def flag(self, name: str) -> bool:
        """Return a yes or no; no where nothing is said."""
        found = self._data.get(name, False)
        if not isinstance(found, bool):
            raise self.wrong(f"{name} = {_shown(found)} where true or false belongs")
        return found

    def is_word(self, name: str) -> bool:
        """Return whether there is a text."""
        return isinstance(self._data.get(name), str)

    def word(self, name: str) -> str:
        """Return a text."""
        if not self.is_word(name):
            raise self.wrong(f"{name} = {_shown(self._data.get(name))} where a name belongs")
        return self._data[name]

    def number(self, name: str, default: float | None = None, least: float = -math.inf) -> float:
        """Return a finite number, of at least some value."""
        found = self._data.get(name, default)
        if not is_number(found) or not found >= least:
            raise self.wrong(f"{name} = {_shown(found)} where a finite number belongs")
        return float(found)

    def list(self, name: str) -> list:
        """Return a list that is not empty."""
        found = self._data.get(name)
        if isinstance(found, str | bytes) or not isinstance(found, Sequence) or not found:
            raise self.wrong(f"{name} = {_shown(found)} where a list belongs")
        return list(found)

    def column(self, name: str) -> np.ndarray:
        """Return finite numbers, shape (K,)."""
        try:
            found = np.array(self._data.get(name), dtype=np.float64)
        except (TypeError, ValueError):
            found = np.empty(())
        if found.ndim != 1 or not np.all(np.isfinite(found)):
            raise self.wrong(f"{name} = {_shown(self._data.get(name))} where a list of finite numbers belongs")
        return found

    def part(self, name: str, known: Sequence[str]) -> NativeData:
        """Return a mapping inside."""
        return NativeData(self._potential, self._engine, self._data.get(name), known, f" in {name}")

    def mapping(self, name: str) -> Mapping[str, Any]:
        """Return a mapping inside whose names are the engine's."""
        found = self._data.get(name)
        if not isinstance(found, Mapping) or not all(isinstance(key, str) for key in found):
            raise self.wrong(f"{name} = {_shown(found)} where a mapping of names belongs")
        return found

    def pairs(
        self, names: Sequence[str], known: Sequence[str], *, several: bool = False
    ) -> Iterator[tuple[tuple[int, int], NativeData]]:
        """Go through the pairs of some species, each with the entries that are for it.

        Parameters
        ----------
        names : sequence of str
            The species there are, a pair of which is two places in it.
        known : sequence of str
            What an entry may have besides ``species``: two names, or None for every pair that no other entry names.
        several : bool
            Whether there may be more than one for a pair.
        """
        entries: dict[frozenset | None, list[NativeData]] = {}
        for number, entry in enumerate(self.list("pairs")):
            found = NativeData(
                self._potential, self._engine, entry, ("species", *known), f" in entry {number} of pairs"
            )
            entries.setdefault(found._species(), []).append(found)
        for a, b in itertools.combinations_with_replacement(range(len(names)), 2):
            of_pair = entries.get(frozenset((names[a], names[b]))) or entries.get(None)
            if of_pair is None:
                raise self.wrong(f"no entry of pairs for the species {names[a]} and {names[b]}")
            if len(of_pair) > 1 and not several:
                raise self.wrong(f"{len(of_pair)} entries of pairs for the species {names[a]} and {names[b]}")
            for entry in of_pair:
                yield (a, b), entry

    def _species(self) -> frozenset | None:
        found = self._data.get("species")
        if found is None:
            return None
        two = [found] if isinstance(found, str) or not isinstance(found, Sequence) else list(found)
        if len(two) != 2 or not all(isinstance(name, str) for name in two):
            raise self.wrong(f"species = {_shown(found)} where two names or None belong")
        return frozenset(two)


def is_number(value: Any) -> bool:
    """Return whether a value is a finite real number."""
    return isinstance(value, numbers.Real) and not isinstance(value, bool) and math.isfinite(value)


def _shown(value: Any) -> str:
    text = " ".join(repr(value).split())
    return text if len(text) <= 60 else f"{text[:60]}..."
