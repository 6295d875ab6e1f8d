"""The forms that come with pelplug, one file each, found without a list. For models, and authors of forms."""

from __future__ import annotations

from pelplug.core import room
from pelplug.potentials.form import Form

__all__ = ["FORMS", "Form"]


def _found() -> dict[str, Form]:
    made = [
        (form, module) for module in room.modules(__name__) for form in vars(module).values() if isinstance(form, Form)
    ]
    return {form.name: form for form, module in made if form.function.__module__ == module.__name__}


FORMS = _found()
"""Every form of this folder by its name, in the order of the files' names."""
