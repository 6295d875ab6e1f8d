"""Threads, counted as they run."""

import threading

from pelplug.execution.threads import run_ranges


def count_threads(monkeypatch, module: str, expected: int) -> list[tuple[int, int]]:
    """Have the kernels of a module counted; return a list that gets the parts and threads of each of their calls.

    Each part waits until ``expected`` of them have begun, so that all run at once, each on a thread of its own.
    """
    seen = []

    def counted(kernel, n, *arguments, **keywords):
        barrier, idents = threading.Barrier(expected, timeout=60), set()

        def part(*given):
            idents.add(threading.get_ident())
            barrier.wait()
            return kernel(*given)

        parts = run_ranges(part, n, *arguments, **keywords)
        seen.append((len(parts), len(idents)))
        return parts

    monkeypatch.setattr(f"{module}.run_ranges", counted)
    return seen
