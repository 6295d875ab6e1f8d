"""pelplug: the potential energy landscape of glass-forming liquids, as a small host with plugins.

Everything a plugin or a notebook may use is a name of this package. ``__init__.pyi`` beside this file says which names
there are and where each lives, to editors, to type checkers and, read here, to Python; a name is imported when it is
first used, so that ``import pelplug`` costs nothing.
"""

import lazy_loader

_PLUGINS_ASKED_BY = "pelplug.host.functions:offered_by_plugins"  # named for core/offers.py, which stands below the host
_imported, _, __all__ = lazy_loader.attach_stub(__name__, __file__)
__all__ += ["__version__"]


def __dir__() -> list[str]:
    return __all__.copy()


def __getattr__(name: str) -> object:
    if name == "__version__":
        from importlib.metadata import version

        return version("pelplug")
    if name in __all__:
        return _imported(name)
    # Python asks for names of its own (__path__), and for those of sub-modules before it imports them. Nothing of
    # pelplug is imported here to word it: what imports the face would import that, and plugins import nothing else.
    near = ""
    if not name.startswith("_"):
        import difflib

        near = "".join(f" (did you mean {one}?)" for one in difflib.get_close_matches(name, __all__, n=1))
    raise AttributeError(f"module 'pelplug' has no public name {name!r}{near}", name=name)
