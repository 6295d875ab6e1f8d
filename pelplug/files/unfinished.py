"""What an interrupted run leaves: a hidden folder beside its output, from which the same command goes on.

::

    .OUTPUT.DIGEST.partial/
        manifest.json       what run this is, by which code, who began it, when and where
        frame-12.npz        a finished frame of an analysis
        checkpoint.npz      how far a simulation or Monte Carlo is, and the state it is in
        trajectory.gsd, ...  what it has written up to there, and perhaps beyond

DIGEST is of what decides the result, so runs of unlike settings never share a folder. Files are written under another
name and renamed: a kill at any moment leaves whole ones only. Who writes holds the lock of the output
(`pelplug.core.lock`).
"""

from __future__ import annotations

import contextlib
import datetime
import getpass
import hashlib
import json
import os
import shutil
import socket
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from pelplug.core.lock import command_line
from pelplug.core.outputs import disk_errors, replacing
from pelplug.core.versions import versions
from pelplug.errors import InputError, RunError
from pelplug.files.values import UNREADABLE, read_values, write_values

__all__ = ["ANALYSIS", "Unfinished", "folders_of"]

ANALYSIS = "analysis"
"""Kind of the runs whose finished frames are kept beside those of other settings, and stand in nobody's way."""

_LAYOUT = 1
_MANIFEST, _CHECKPOINT = "manifest.json", "checkpoint.npz"


class Unfinished:
    """The folder of one run.

    Parameters
    ----------
    output : path_like
        The file that the run will write.
    kind : str
        What it is, in words: "simulation".
    identity : mapping
        What decides the result, as plain numbers and text; with other values it is another run, in another folder.
    code : mapping of str to str, optional
        Of `pelplug.core.versions.code_of`: a run that other code has begun is not continued. None where `identity`
        covers the code.
    fingerprint : str, optional
        Digest of `identity`, where it has one already.
    """

    def __init__(self, output, kind: str, identity: Mapping, *, code=None, fingerprint: str | None = None):
        self.output, self.kind = Path(output), kind
        text = json.dumps(identity, sort_keys=True, default=_plain)
        self.identity: dict = json.loads(text)
        self.code = None if code is None else dict(code)
        self.fingerprint = fingerprint or hashlib.sha256(text.encode()).hexdigest()
        beside = _beside(self.output)
        self.folder = beside.with_name(f".{beside.name}.{self.fingerprint[:8]}.partial")
        self._dropped: list[Path] = []
        self._made = False

    # --- whose it is --------------------------------------------------------------------------------------

    def claim(self, overwrite: bool = False) -> None:
        """Make sure that nothing is lost or mixed; under the lock of the output, before work starts.

        Parameters
        ----------
        overwrite : bool
            Take this run's own folder anew if other code has begun it, and remove those of other commands at the end.

        Raises
        ------
        InputError
            If the unfinished run of another command, or of another version of pelplug, is in the way.
        """
        mine, theirs = self._in_the_way()
        if mine is not None and not overwrite:
            raise InputError(f"{mine}, remove the folder, choose another output name, or pass --overwrite.")
        if theirs and not overwrite:
            raise InputError(
                f"There is an unfinished {_kind(theirs[0])} for {self.output} made by {_maker(theirs[0])}, remove the "
                "folder, choose another output name, or pass --overwrite (overwrite=True)."
            )
        if mine is not None:
            self.discard()
        self._dropped = theirs

    def _in_the_way(self) -> tuple[str | None, list[Path]]:
        """Return why the folder of this run cannot be taken up, and the folders of others."""
        theirs = [folder for folder in folders_of(self.output) if folder != self.folder]
        if self.kind == ANALYSIS:
            return None, [folder for folder in theirs if _kind(folder) != ANALYSIS]
        if not _has_content(self.folder):
            return None, theirs
        manifest = _manifest(self.folder)
        if manifest is None or manifest.get("layout") != _LAYOUT:
            why = f"The unfinished {self.kind} in {self.folder} is of another version of pelplug; finish it with that"
        elif manifest["fingerprint"] != self.fingerprint:
            why = f"The unfinished {self.kind} in {self.folder} is of another command; repeat that one to finish it"
        elif manifest["code"] != self.code:
            words = _difference(manifest["code"] or {}, self.code or {})
            why = (
                f"The unfinished {self.kind} in {self.folder} was begun by other code ({words}), and one that is "
                "continued by this code would not be what either gives; finish it with that code"
            )
        else:
            return None, theirs
        return why, theirs

    def make(self) -> None:
        """Make the folder, with its manifest, if it is not there."""
        with disk_errors(self.output):
            self.folder.mkdir(exist_ok=True)
        self._made = True
        path = self.folder / _MANIFEST
        if path.exists():
            return
        manifest = {
            "layout": _LAYOUT,
            "kind": self.kind,
            "fingerprint": self.fingerprint,
            "identity": self.identity,
            "code": self.code,
            "versions": versions(),
            "command": command_line(),
            "output": str(self.output),
            "begun": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
            "user": _user(),
            "pid": os.getpid(),
            "host": socket.gethostname(),
        }
        with replacing(path, self.output) as temporary:
            temporary.write_text(json.dumps(manifest, indent=1))

    # --- how far it is ------------------------------------------------------------------------------------

    def load(self) -> dict | None:
        """Return the last checkpoint, None if there is none.

        Raises
        ------
        RunError
            If it cannot be read.
        """
        path = self.folder / _CHECKPOINT
        if not path.exists():
            return None
        try:
            return read_values(path)
        except UNREADABLE as error:
            raise RunError(
                f"The checkpoint {path} cannot be read ({error}); remove the folder to start anew."
            ) from error

    def save(self, values: Mapping) -> None:
        """Make a checkpoint that survives a kill, or the loss of power, at any moment.

        Parameters
        ----------
        values : mapping
            As `pelplug.files.values.write_values` takes them. Files that they count on are on the disk already.
        """
        self.make()
        with replacing(self.folder / _CHECKPOINT, self.output) as temporary:
            write_values(temporary, values)

    def clean(self, complete) -> None:
        """Remove what a kill after the end has left; an unfinished run that replaces its output stays.

        Parameters
        ----------
        complete : callable
            Whether a checkpoint, as `load` gives it, is one of a run whose output is written.
        """
        if self._in_the_way()[0] is None and ((kept := self.load()) is None or complete(kept)):
            self.discard()

    @property
    def has_checkpoint(self) -> bool:
        """Whether there is anything to go on from."""
        return (self.folder / _CHECKPOINT).exists()

    def path(self, name: str) -> Path:
        """Return where a file of the folder is."""
        return self.folder / name

    def release(self) -> None:
        """Remove what this process has begun if there is no checkpoint to go on from."""
        if self._made and not self.has_checkpoint:
            shutil.rmtree(self.folder, ignore_errors=True)

    def discard(self) -> None:
        """Remove the folder with all that is in it; the output is safely written, or nothing was done.

        Raises
        ------
        RunError
            If it cannot be removed.
        """
        for folder in (self.folder, *self._dropped):
            # The checkpoint first: what a kill leaves of the rest is nothing that anybody would go on with.
            with contextlib.suppress(OSError):
                (folder / _CHECKPOINT).unlink(missing_ok=True)
            try:
                shutil.rmtree(folder)
            except FileNotFoundError:
                continue  # nothing was kept, or another process was faster
            except OSError as error:
                raise RunError(f"The finished part in {folder} could not be removed: {error}.") from None
        self._dropped = []


def folders_of(output) -> list[Path]:
    """Return the folders of unfinished runs that were to write `output`, those of earlier versions too."""
    beside = _beside(Path(output))
    prefix, suffix = f".{beside.name}.", ".partial"
    with contextlib.suppress(OSError):
        return sorted(
            path
            for path in beside.parent.iterdir()
            if path.name.startswith(prefix) and path.name.endswith(suffix) and _has_content(path)
        )
    return []


def _beside(output: Path) -> Path:
    """Return the file that is written: what a symbolic link leads to."""
    return Path(os.path.realpath(output)) if output.is_symlink() else output


def _has_content(folder: Path) -> bool:
    """Whether anything is in a folder but the manifest, which a kill may leave alone."""
    try:
        return any(name != _MANIFEST and not name.startswith(".") for name in os.listdir(folder))
    except OSError:
        return False


def _manifest(folder: Path) -> dict | None:
    """Return the manifest of a folder; None if there is none, as in those of earlier versions."""
    try:
        manifest = json.loads((folder / _MANIFEST).read_text())
        return manifest if isinstance(manifest, dict) and "fingerprint" in manifest and "code" in manifest else None
    except (OSError, ValueError):
        return None


def _kind(folder: Path) -> str:
    manifest = _manifest(folder)
    if manifest is not None:
        return str(manifest.get("kind", "run"))
    # Earlier versions: frames of analyses, Monte Carlo, or a simulation.
    known = {"fingerprint.json": ANALYSIS, "positions.bin": "swap Monte Carlo"}
    return next((kind for name, kind in known.items() if (folder / name).exists()), "simulation")


def _maker(folder: Path) -> str:
    """Return what began a run, and how to finish it."""
    manifest = _manifest(folder)
    if manifest is None:
        return f"another version of pelplug ({folder}); repeat its command with that version to finish it"
    command = str(manifest.get("command", ""))
    shown = f": {command[:200]}" if command.startswith("pelplug ") else ""
    return f"another command ({folder}{shown}); repeat that command to finish it"


def _difference(before: Mapping[str, str], now: Mapping[str, str]) -> str:
    names = sorted(name for name in {*before, *now} if before.get(name) != now.get(name))
    return ", ".join(f"{name} {before.get(name, 'none')} then, {now.get(name, 'none')} now" for name in names)


def _user() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError):  # a container without an entry for its user
        return str(os.getuid())


def _plain(value):
    return value.tolist() if isinstance(value, np.ndarray | np.generic) else str(value)
