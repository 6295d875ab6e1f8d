"""Hooks, discovery, registry, pipeline, and the functions that users call. For the face and `cli`.

``pelplug.host.plugins()``, ``models()`` and ``engines()`` say what there is.
"""

__all__ = ["engines", "models", "plugins"]


def __getattr__(name: str):
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from pelplug.host import functions

    return getattr(functions, name)
