"""A plugin whose import fails."""

import a_library_nobody_has  # noqa: F401
