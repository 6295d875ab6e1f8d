"""The models that come with pelplug, one file each. For users, and authors of models.

Its classes are those of the bundled models, to derive one from: ``pelplug.models.KobAndersen``. The command
``pelplug models`` lists every model there is, third-party ones included.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import pluggy

from pelplug.core import room
from pelplug.core.parameters import closest
from pelplug.errors import InputError
from pelplug.models.base import Model
from pelplug.models.given import GivenModel
from pelplug.models.records import rebuild
from pelplug.models.scales import ScaledModel
from pelplug.models.user import UserModel, from_file
from pelplug.potentials.form import Form

hookimpl = pluggy.HookimplMarker("pelplug")

# Files in the order in which models are listed; a file that is not named here follows by its own name.
_ORDER = (
    "kob_andersen",
    "inverse_power_law",
    "sticky_spheres",
    "polydisperse_soft_spheres",
    "harmonic_spheres",
    "stillinger_weber",
    "mari_kurchan",
    "embedded_atom",
)


def _place(cls: type[Model]) -> tuple[int, str, str]:
    file = cls.__module__.rpartition(".")[2]
    return _ORDER.index(file) if file in _ORDER else len(_ORDER), file, cls.name


BUNDLED: tuple[type[Model], ...] = tuple(
    sorted((cls for cls in room.classes(__name__, Model) if cls not in (UserModel, GivenModel)), key=_place)
)
"""The model classes that come with pelplug: those of the files of this room, which are names of it too."""

globals().update({cls.__name__: cls for cls in BUNDLED})

if TYPE_CHECKING:  # they are found, not written

    def __getattr__(name: str) -> Any: ...


__all__ = [
    "BUNDLED",
    "Model",
    "ScaledModel",
    "UserModel",
    "build",
    "find",
    "from_file",
    "from_record",
    "pelplug_models",
    "suggest",
]
__all__ += [cls.__name__ for cls in BUNDLED]


@hookimpl
def pelplug_models() -> list[type[Model]]:
    """Return the bundled model classes: this package is itself a pelplug plugin."""
    return list(BUNDLED)


def find(name: str, classes: Iterable[type[Model]] | None = None) -> type[Model]:
    """Return the model class of a name or alias.

    Raises
    ------
    InputError
        If no model has that name; the nearest names are suggested.
    """
    names = {}
    for cls in BUNDLED if classes is None else classes:
        for key in (cls.name, *cls.aliases):
            names.setdefault(key, cls)
    if name in names:
        return names[name]
    hint = closest(str(name), names) or "; `pelplug models` lists them"
    raise InputError(f"There is no model {str(name)!r}{hint}.")


def build(name: str, classes: Iterable[type[Model]] | None = None, **parameters: Any) -> Model:
    """Build a model by name or alias.

    Parameters
    ----------
    name : str
        Name or alias.
    classes : iterable of type, optional
        Model classes to choose from; those of this room when left out.
    **parameters
        The model's parameters.

    Raises
    ------
    InputError
        If the name or a parameter is unknown, or a value is not allowed.
    """
    return find(name, classes)(**parameters)


def from_record(
    record: Mapping | np.ndarray | bytes | str,
    classes: Iterable[type[Model]] | None = None,
    forms: Mapping[str, Form] | None = None,
    *,
    trust: bool = False,
) -> Model:
    """Rebuild a model from what `Model.to_dict` or `Model.to_log` wrote.

    Parameters
    ----------
    record : mapping, ndarray of uint8, bytes or str
        The dictionary, or its JSON as stored in a GSD file under ``log/pelplug/model``.
    classes : iterable of type, optional
        Model classes to choose from; those of this room when left out.
    forms : mapping of str to Form, optional
        Functional forms a user's own model may name; those of pelplug when left out.
    trust : bool
        Whether files that the record names may be opened; each must have the SHA-256 that is recorded.

    Raises
    ------
    InputError
        If the record is damaged, names a model that is not installed, or names a file and is not trusted.
    """
    if isinstance(record, np.ndarray):
        record = record.astype(np.uint8).tobytes()
    return rebuild(record, lambda name: find(name, classes), forms, trust)


def suggest(
    species: Iterable[str], dimension: int, has_diameters: bool = False, classes: Iterable[type[Model]] | None = None
) -> list[str]:
    """Return the names of the models whose dimension and species fit a trajectory: those of this room, or `classes`."""
    species = set(species)
    models = (cls() for cls in (BUNDLED if classes is None else classes))
    return [model.name for model in models if model.fits(species, dimension, has_diameters)]
