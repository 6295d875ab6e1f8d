"""Processes of this machine, by Linux's ``/proc``."""

import contextlib
import os
import pathlib
import signal
import time


def children(process: int) -> list[int]:
    found = []
    for folder in pathlib.Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if folder.joinpath("stat").read_text().rpartition(")")[2].split()[1] == str(process):
                found.append(int(folder.name))
    return found


def has_ended(process: int) -> bool:
    for _ in range(200):
        try:  # behind its name in brackets, the state: a zombie has ended too
            state = pathlib.Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0]
        except (FileNotFoundError, ProcessLookupError):
            return True
        if state == "Z":
            return True
        time.sleep(0.05)
    os.kill(process, signal.SIGKILL)
    return False
