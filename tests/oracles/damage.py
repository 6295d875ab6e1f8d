"""Random damage of trajectory files, read in a process of its own: ``python -P damage.py FILE TOPOLOGY BEGIN COUNT``.

Every damaged file is refused, or read; it never ends the process, hangs, or raises anything but one sentence.
"""

import collections
import faulthandler
import os
import signal
import subprocess
import sys
import tempfile

import numpy as np

HERE = os.path.abspath(__file__)
MEMORY = 8 << 30
SECONDS = 60


def damaged(data: bytes, number: int) -> bytes:
    """One of many kinds of damage, a third of it near the beginning."""
    rng = np.random.default_rng([1, number])
    text = bytearray(data)
    at = int(rng.integers(0, min(len(text), 400) if rng.random() < 0.3 else len(text)))
    kind = number % 6
    if kind == 0:
        text[at] ^= 1 << int(rng.integers(0, 8))
    elif kind == 1:
        text[at] = int(rng.integers(0, 256))
    elif kind == 2:
        text[at : at + 4] = rng.bytes(4)[: len(text) - at]
    elif kind == 3:
        del text[at:]
    elif kind == 4:
        text[at : at + 16] = (b"\0" if rng.random() < 0.5 else b"\xff") * len(text[at : at + 16])
    elif rng.random() < 0.5:
        del text[at : at + int(rng.integers(1, 40))]
    else:
        text[at:at] = rng.bytes(int(rng.integers(1, 40)))
    return bytes(text)


def read(path, topology):
    """Everything a file says of its frames."""
    import pelplug

    with pelplug.open_trajectory(path, topology=topology) as trajectory:
        frames = [(conf.positions, conf.cell, conf.step, conf.time, conf.images) for conf in trajectory]
        for _ in trajectory.unwrapped():
            pass
    return frames


def same(one, other) -> bool:
    """Whether two readings are equal."""
    return len(one) == len(other) and all(
        type(a) is type(b) and (np.array_equal(a, b) if isinstance(a, np.ndarray) else a == b)
        for mine, theirs in zip(one, other, strict=True)
        for a, b in zip(mine, theirs, strict=True)
    )


def main(path, topology, begin, count):
    """Read damaged copies, and print what became of each."""
    import resource
    import warnings

    import pelplug

    warnings.simplefilter("ignore")
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))

    def late(*_):
        raise KeyboardInterrupt

    signal.signal(signal.SIGALRM, late)
    good = read(path, topology)
    with open(path, "rb") as file:
        data = file.read()
    with tempfile.TemporaryDirectory() as folder:
        bad = os.path.join(folder, os.path.basename(path))
        for number in range(begin, count):
            with open(bad, "wb") as file:
                file.write(damaged(data, number))
            print("begin", number, flush=True)
            signal.alarm(SECONDS)
            faulthandler.dump_traceback_later(SECONDS + 20, exit=True)  # where C code hangs
            try:
                result = "same" if same(read(bad, topology), good) else "changed"
            except pelplug.PelplugError:
                result = "refused"
            except KeyboardInterrupt:
                result = "hangs"
            except BaseException as error:
                result = f"raises {type(error).__name__}: {error}"
            signal.alarm(0)
            faulthandler.cancel_dump_traceback_later()
            print("end", number, result, flush=True)


def tally(path, topology, count: int) -> collections.Counter:
    """How `count` damaged copies of a file are read; what is wrong has a key of its own."""
    found, begin = collections.Counter(), 0
    while begin < count:
        command = [sys.executable, "-P", HERE, str(path), str(topology or ""), str(begin), str(count)]
        process = subprocess.run(command, capture_output=True, text=True)
        open_one = None
        for line in process.stdout.splitlines():
            word, number, *rest = line.split(" ", 2)
            open_one = int(number) if word == "begin" else None
            found.update(rest)
        if open_one is None:
            assert process.returncode == 0, process.stderr
            break
        found[f"number {open_one} ends the process ({process.returncode})"] += 1
        begin = open_one + 1
    return found


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2] or None, int(sys.argv[3]), int(sys.argv[4]))
