"""Minimiser: the base of the algorithms that go from a state to a minimum."""

from __future__ import annotations

import abc
from typing import TYPE_CHECKING, Any, ClassVar

from pelplug.core.parametrised import Parametrised

if TYPE_CHECKING:
    from pelplug.landscape.descent.trace import Descent

__all__ = ["Minimiser"]


class Minimiser(Parametrised, abc.ABC):
    """An algorithm for quenches, with its parameters: each is an attribute too.

    Attributes
    ----------
    name : str
        What ``method`` takes.
    summary : str
        One line.
    parameters : dict
        Value of every parameter, defaults included.
    """

    noun = "minimiser"
    summary: ClassVar[str]

    def __init__(self) -> None:
        vars(self).update(self.parameters)

    if TYPE_CHECKING:

        def __getattr__(self, name: str) -> Any: ...

    @abc.abstractmethod
    def minimise(self, descent: Descent) -> None:
        """Move ``descent.current`` until it is converged.

        Raises
        ------
        Stopped
            With the reason.
        """
