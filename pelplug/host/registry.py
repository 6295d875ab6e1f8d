"""Registry: finds the plugins, loads each inside a guard, and keeps what they offer, with its owner."""

from __future__ import annotations

import dataclasses
import importlib
import inspect
import os
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import pluggy

from pelplug.core.entry_points import ANY_FAILURE, GROUP, installed, normalise
from pelplug.core.parameters import closest
from pelplug.core.python_files import PythonFile
from pelplug.errors import InputError, PelplugError
from pelplug.host import checks, hookspecs
from pelplug.host.discovery import PluginRecord, describe_error, first_line, package_summary, unreadable

__all__ = ["DISABLE_VARIABLE", "PluginRecord", "Registry"]

DISABLE_VARIABLE = "PELPLUG_DISABLE_PLUGINS"


@dataclasses.dataclass(frozen=True)
class _Kind:
    """One sort of thing plugins offer."""

    hook: str
    word: str
    check: Callable[[Any], None]


class Registry:
    """All plugins of this installation.

    Parameters
    ----------
    third_party : bool, optional
        False leaves out all but the bundled plugins.
    disabled : iterable of str, optional
        Plugins or distributions to leave out; ``all`` or ``*`` means every third-party one. Those named in the
        environment variable PELPLUG_DISABLE_PLUGINS (separated by commas) by default.
    entry_points : iterable of EntryPoint, optional
        Where plugins are; the installed ones of the group ``pelplug`` by default.

    Notes
    -----
    Bundled plugins come first, then the others sorted by distribution and name. Of two plugins that offer the same
    name the first keeps it, and the failure of the other names both.
    """

    def __init__(self, *, third_party: bool = True, disabled: Iterable[str] | None = None, entry_points=None):
        if disabled is None:
            disabled = os.environ.get(DISABLE_VARIABLE, "").split(",")
        self._disabled = {normalise(name) for name in disabled if name.strip()}
        self._third_party = third_party
        self._manager = pluggy.PluginManager(GROUP)
        self._manager.add_hookspecs(hookspecs)
        self._loaded: list[tuple[PluginRecord, Any]] = []
        self._records: list[PluginRecord] = []
        self._offers: dict[str, dict[str, tuple[Any, PluginRecord]]] = {}
        for record, entry in self._found(entry_points):
            self._load(record, entry)

    # --- what there is ------------------------------------------------------------------------------------

    def plugins(self) -> list[PluginRecord]:
        """Return a record of every plugin, after asking each for all it offers."""
        for kind in _KINDS:
            self._offered(kind)
        return list(self._records)

    def failures(self) -> list[PluginRecord]:
        """Return the records of plugins that are known to have failed by now."""
        return [record for record in self._records if record.status == "failed"]

    def analyses(self) -> dict[str, type[Any]]:
        """Return every analysis class by name."""
        return self._named("analyses")

    def studies(self) -> dict[str, type[Any]]:
        """Return every study class by name."""
        return self._named("studies")

    def models(self) -> dict[str, type[Any]]:
        """Return every model class by name."""
        return self._named("models")

    def forms(self) -> dict[str, Any]:
        """Return every functional form by name."""
        return self._named("forms")

    def potentials(self) -> dict[str, type[Any]]:
        """Return every provider of potentials by name, usable here or not."""
        return self._named("potentials")

    def engines(self) -> dict[str, Any]:
        """Return every simulation engine by name."""
        return self._named("engines")

    def exporters(self) -> dict[str, Any]:
        """Return every exporter by name."""
        return self._named("exporters")

    def readers(self) -> dict[str, type[Any]]:
        """Return every reader of a file format by name."""
        return self._named("readers")

    def offers(self, kind: str) -> dict[str, tuple[Any, str]]:
        """Return all of a kind, as ``offers("readers")``, by every name: with its owner, in words."""
        return {name: (item, record.owner) for name, (item, record) in self._offered(kind).items()}

    def analysis(self, name: str) -> type[Any]:
        """Return an analysis class.

        Raises
        ------
        InputError
            If there is none of that name; says why if its plugin failed or is switched off.
        """
        return self._get("analyses", name)

    def study(self, name: str) -> type[Any]:
        """Return a study class; raise InputError, as `analysis` does, if there is none of that name."""
        return self._get("studies", name)

    def form(self, name: str) -> Any:
        """Return a functional form; raise InputError if there is none of that name."""
        return self._get("forms", name)

    def model_class(self, name: str) -> type[Any]:
        """Return a model class by its name or an alias; raise InputError if there is none."""
        return self._get("models", name)

    def model(self, name: str | os.PathLike, **parameters):
        """Build a model by name, alias, or from a TOML file; raise InputError if that cannot be done."""
        name = os.fspath(name)
        if not name.endswith(".toml"):
            return self.model_class(name)(**parameters)
        from pelplug.models import from_file

        if parameters:
            raise InputError(f"A model file holds its own parameters; write {', '.join(parameters)} into {name}.")
        return from_file(name, self.forms())

    def potential(self, given: Any, **parameters):
        """Return the potential that ``PROVIDER:FILE`` names, or that an object stands for.

        Raises
        ------
        InputError
            If there is no such provider, file or parameter, or nothing can be made of it.
        """
        from pelplug.potentials.given import as_potential

        if not isinstance(given, str | os.PathLike):
            if parameters:
                raise InputError(f"An object has no parameters to set; make it with its {', '.join(parameters)}.")
            return as_potential(given)
        name, _, file = os.fspath(given).partition(":")
        if not (name and file):
            raise InputError(f"A potential is PROVIDER:FILE, as python:calc.py, not {os.fspath(given)!r}.")
        cls = self._get("potentials", name)
        try:
            if missing := cls.missing():
                raise InputError(f"The provider {name} cannot be used here. {missing}")
            found = cls(**parameters).potential(file)
            if not hasattr(found, "energy_forces"):
                raise TypeError(f"it returned {found!r} where a potential is due")
            return as_potential(found)
        except PelplugError:
            raise
        except ANY_FAILURE as error:
            owner = self.owner_of("potentials", name).owner
            raise InputError(
                f"The provider {name} of the plugin {owner} failed with {file}: {describe_error(error)}; tell its "
                "author."
            ) from error

    def has_engine(self) -> bool:
        """Return whether a simulation engine can be used on this machine."""
        for name, engine in self.engines().items():
            try:
                if engine.available():
                    return True
            except ANY_FAILURE as error:
                self.owner_of("engines", name).fail(f"Its engine {name} failed: {describe_error(error)}", error)
        return False

    def owner_of(self, kind: str, name: str) -> PluginRecord:
        """Return the record of the plugin that offers something, as ``owner_of("analyses", "kappa")``."""
        return self._offered(kind)[name][1]

    # --- adding -------------------------------------------------------------------------------------------

    def register(
        self, plugin: Any, name: str, distribution: str = "", version: str = "", file: PythonFile | None = None
    ) -> PluginRecord:
        """Add a plugin that is not installed (in a notebook, a test or a file) and return its record."""
        record = PluginRecord(name, distribution or "not installed", version, file=file)
        self._records.append(record)
        self._add(record, plugin)
        self._offers.clear()
        return record

    def unregister(self, record: PluginRecord) -> None:
        """Take out a plugin that was added."""
        for one, plugin in self._loaded:
            if one is record:
                self._manager.unregister(plugin)
        self._loaded = [pair for pair in self._loaded if pair[0] is not record]
        self._records = [one for one in self._records if one is not record]
        self._offers.clear()

    def from_files(self) -> list[PluginRecord]:
        """Return the records of plugins that are files."""
        return [record for record in self._records if record.file is not None]

    def add_commands(self, group: Any) -> None:
        """Let plugins add commands to a click group; one that fails, or takes a name, changes nothing."""
        owners = {name: "pelplug" for name in group.commands}
        for record, plugin in self._loaded:
            before = dict(group.commands)
            try:
                self._call(plugin, "pelplug_commands", group=group)
            except ANY_FAILURE as error:
                group.commands.clear()
                group.commands.update(before)
                record.fail(f"Its hook pelplug_commands failed: {describe_error(error)}", error)
                continue
            for name, command in before.items():
                if group.commands.get(name) is not command:
                    group.commands[name] = command
                    record.fail(f"The command {name!r} is refused: {owners[name]} has one of that name")
            added = [name for name in group.commands if name not in before]
            owners.update(dict.fromkeys(added, record.owner))
            if added:
                record.provides["commands"] = added

    # --- finding and loading ------------------------------------------------------------------------------

    def _found(self, entry_points) -> list[tuple[PluginRecord, Any]]:
        found = []
        entries, problems = installed() if entry_points is None else (list(entry_points), [])
        self._records.extend(unreadable(*problem) for problem in problems)
        for entry in entries:
            record = PluginRecord(entry.name)
            try:
                if entry.dist is not None:
                    record.distribution, record.version = entry.dist.name or "", entry.dist.version or ""
            except ANY_FAILURE as error:
                record.fail(f"The metadata of its distribution cannot be read: {describe_error(error)}", error)
            record.bundled = normalise(record.distribution) == GROUP
            found.append((record, entry))
        found.sort(key=lambda pair: (not pair[0].bundled, normalise(pair[0].distribution), pair[0].name))
        return found

    def _load(self, record: PluginRecord, entry: Any) -> None:
        self._records.append(record)
        names = {normalise(record.name)}
        all_off = False
        if not record.bundled:  # what comes with pelplug is switched off by its own name only
            names.add(normalise(record.distribution))
            all_off = not self._third_party or bool(self._disabled & {"*", "all"})
        if all_off or self._disabled & names:
            record.status = "disabled"
        if record.status != "loaded":
            return
        try:
            if not record.bundled:  # numba's caching is told where before a plugin uses it
                importlib.import_module("pelplug.execution.compile")
            plugin = entry.load()
        except ANY_FAILURE as error:
            record.fail(f"It could not be imported: {describe_error(error)}", error)
            return
        record.summary = first_line(getattr(plugin, "__doc__", "")) or package_summary(entry)
        self._add(record, plugin)

    def _add(self, record: PluginRecord, plugin: Any) -> None:
        try:
            self._manager.register(plugin, f"{record.distribution}:{record.name}")
            self._check_hooks(record, plugin)
        except ANY_FAILURE as error:
            record.fail(f"It could not be registered: {describe_error(error)}", error)
            if self._manager.is_registered(plugin) and all(one is not plugin for _, one in self._loaded):
                self._manager.unregister(plugin)
            return
        record.summary = record.summary or first_line(getattr(plugin, "__doc__", ""))
        self._loaded.append((record, plugin))

    def _check_hooks(self, record: PluginRecord, plugin: Any) -> None:
        known = [name for name in dir(hookspecs) if name.startswith("pelplug_")]
        callers = self._manager.get_hookcallers(plugin) or []
        for caller in callers:
            if not caller.has_spec():
                record.fail(
                    f"It implements the hook {caller.name}, which pelplug does not have{closest(caller.name, known)}"
                )
        marked = {caller.name for caller in callers}
        for name in known:
            if name not in marked and inspect.isroutine(inspect.getattr_static(plugin, name, None)):
                record.fail(f"It defines {name} without @pelplug.hookimpl above it, so it is not called")
                marked.add(name)
        if not marked:
            record.fail("It implements no hook, so it offers nothing")

    # --- asking plugins -----------------------------------------------------------------------------------

    def _call(self, plugin: Any, hook: str, **arguments: Any) -> list:
        """Call one plugin's implementation of a hook, and no other's."""
        others = [one for _, one in self._loaded if one is not plugin]
        return self._manager.subset_hook_caller(hook, others)(**arguments)

    def _offered(self, kind: str) -> dict[str, tuple[Any, PluginRecord]]:
        if kind in self._offers:
            return self._offers[kind]
        offers: dict[str, tuple[Any, PluginRecord]] = {}
        self._offers[kind] = offers
        description = _KINDS[kind]
        for record, plugin in self._loaded:
            record.provides.pop(kind, None)
            try:
                items = [item for answer in self._call(plugin, description.hook) for item in _as_items(answer)]
            except ANY_FAILURE as error:
                record.fail(f"Its hook {description.hook} failed: {describe_error(error)}", error)
                continue
            for item in items:
                self._accept(kind, item, record, offers)
        return offers

    def _accept(self, kind: str, item: Any, record: PluginRecord, offers: dict) -> None:
        word = _KINDS[kind].word
        item = checks.analysis_class(item) if kind == "analyses" else item
        try:
            _KINDS[kind].check(item)
            # Of two for files of one ending none could be chosen.
            endings = map(str.lower, item.suffixes) if kind in ("readers", "exporters") else ()
            names = (item.name, *getattr(item, "aliases", ()), *endings)
        except ANY_FAILURE as error:
            record.fail(f"Its {word} is refused: {error}", error)
            return
        for name in names:
            if name in offers:
                holder = offers[name][1]
                whose = "it offers it twice" if holder is record else f"{holder.owner} has it already"
                record.fail(
                    f"The {word} {item.name!r} of {record.owner} is refused: the name {name!r} is taken, {whose}"
                )
                return
        for name in names:
            offers[name] = (item, record)
        record.provides.setdefault(kind, []).append(item.name)

    def _named(self, kind: str) -> dict[str, Any]:
        return {name: item for name, (item, _) in self._offered(kind).items() if name == item.name}

    def _get(self, kind: str, name: str) -> Any:
        offers = self._offered(kind)
        if name in offers:
            return offers[name][0]
        word = _KINDS[kind].word
        for record in self._records:
            if normalise(name) not in (record.name, record.distribution, record.distribution.removeprefix("pelplug-")):
                continue
            if record.status == "failed":
                raise InputError(
                    f"There is no {word} {name!r} because the plugin {record.owner} failed. {record.error}"
                )
            if record.status == "disabled":
                raise InputError(
                    f"There is no {word} {name!r} because the plugin {record.owner} is switched off; "
                    f"leave out --no-plugins and unset {DISABLE_VARIABLE}."
                )
        hint = closest(name, offers)
        there = f"there are {', '.join(self._named(kind))}" if offers else "none is installed"
        for other in _COMMANDS if kind in _COMMANDS else ():
            if other != kind and name in self._offered(other):
                hint = f": it is the {_KINDS[other].word} `{_COMMANDS[other].format(name=name)}`"
        raise InputError(f"There is no {word} {name!r}{hint or f'; {there}'}.")


def _as_items(answer: Any) -> list:
    if answer is None:
        return []
    if isinstance(answer, str | type) or not isinstance(answer, Iterable):
        raise TypeError(f"it returned {answer!r} where a list is due")
    return list(answer.values()) if isinstance(answer, Mapping) else list(answer)


_KINDS = {
    "analyses": _Kind("pelplug_analyses", "analysis", checks.check_analysis_contract),
    "studies": _Kind("pelplug_studies", "study", checks.check_study_contract),
    "models": _Kind("pelplug_models", "model", checks.check_model_contract),
    "forms": _Kind("pelplug_forms", "functional form", checks.check_form_contract),
    "potentials": _Kind("pelplug_potentials", "provider of potentials", checks.check_provider_contract),
    "engines": _Kind("pelplug_engines", "engine", checks.check_engine_contract),
    "readers": _Kind("pelplug_readers", "reader", checks.check_reader_contract),
    "exporters": _Kind("pelplug_exporters", "exporter", checks.check_exporter_contract),
}

# What is easily taken for one another, and how each is run.
_COMMANDS = {"analyses": "pelplug analyze --plugin {name}", "studies": "pelplug study {name}"}
