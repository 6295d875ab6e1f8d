"""The lengths d_ij that distances of pairs are measured by, whatever the material."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

import pelplug

__all__ = ["PairLengths"]


class PairLengths:
    """One length that was given, else those of the interactions, else the first peaks of g(r) of each two species.

    Parameters
    ----------
    sigma : "auto" or float
        What was given [length].
    """

    def __init__(self, sigma: Literal["auto"] | float):
        self.sigma = sigma
        self._shells: pelplug.FirstShells | None = None
        self._each_by_itself = False

    def known(self, state: pelplug.Configuration, potential: pelplug.Potential | None) -> pelplug.LengthScale | None:
        """Return those that were given or that the interactions have; None where there are none.

        Parameters
        ----------
        state : Configuration
        potential : Potential or None
        """
        try:
            return pelplug.length_scale(state, potential, self.sigma)
        except pelplug.InputError:
            if potential is not None and potential.shifted:  # nobody is near anybody in space
                raise
            return None

    def find_peaks(self, states: Iterable[pelplug.Configuration]) -> None:
        """Look for the first peaks of g(r) averaged over some states, which then are the lengths."""
        self._shells = pelplug.first_shells(states)

    def of(self, state: pelplug.Configuration, potential: pelplug.Potential | None) -> pelplug.LengthScale:
        """Return the lengths in a state, by its own g(r) where no peaks were looked for.

        Parameters
        ----------
        state : Configuration
        potential : Potential or None

        Raises
        ------
        InputError
            If a peak is needed and is not clear.
        """
        if (known := self.known(state, potential)) is not None:
            return known
        shells = self._shells
        if shells is None:  # inside a running simulation each state is all there is
            shells, self._each_by_itself = pelplug.first_shells([state]), True
        return pelplug.length_scale(state, None, self.sigma, shells)

    def key(self) -> list[str]:
        """Return what of several states decides the lengths of each."""
        return [] if self._shells is None else [self._shells.text(12, of="peaks")]

    def text(self) -> str:
        """Return in words where the lengths are from."""
        if self.sigma != "auto":
            return f"{self.sigma:g}, as given"
        if self._shells is not None:
            return f"first peaks of g(r): {self._shells.text(of='peaks')}"
        return "first peaks of g(r) of each state" if self._each_by_itself else "of the interactions"
