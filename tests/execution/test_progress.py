"""Progress lines say when kernels are compiled, and their estimate does not come from that time."""

import io

import pytest
import tqdm.std

import pelplug
from pelplug.execution import compile_events as compiling
from pelplug.execution.progress import COMPILING


@pytest.fixture
def clock(monkeypatch):
    class Clock:
        now = 1000.0

        def __call__(self):
            return self.now

    clock = Clock()
    monkeypatch.setattr(tqdm.std, "time", clock)
    return clock


def remaining(bar):
    shown = bar.format_dict
    return (shown["total"] - shown["n"]) / shown["rate"] if shown["rate"] else None


def test_compiling_is_said_and_is_no_part_of_the_estimate(clock):
    out = io.StringIO()
    with pelplug.Progress(total=10, file=out, mininterval=0.0) as bar:
        clock.now += 1.0
        compiling.begin()
        compiling.begin()  # a kernel that another one calls
        assert COMPILING in out.getvalue()
        clock.now += 30.0
        compiling.end()
        compiling.end()
        assert COMPILING in str(bar)  # until something has been done: kernels are compiled one after the other
        assert remaining(bar) is None
        clock.now += 1.0
        bar.update()
        assert COMPILING not in str(bar)
        assert remaining(bar) == pytest.approx(18.0)
        for _ in range(4):
            clock.now += 2.0
            bar.update()
        assert remaining(bar) == pytest.approx(10.0)
        compiling.begin()  # another kernel later
        clock.now += 50.0
        compiling.end()
        clock.now += 2.0
        bar.update()
        assert remaining(bar) == pytest.approx(8.0)
        assert bar.format_dict["elapsed"] == pytest.approx(92.0)


def test_frames_of_an_iterable(clock):
    out = io.StringIO()
    bar = pelplug.Progress(range(5), file=out, mininterval=0.0)
    for frame in bar:
        if frame == 0:
            compiling.begin()
            clock.now += 100.0
            compiling.end()
        clock.now += 3.0
        if frame == 3:
            assert remaining(bar) == pytest.approx(6.0)
    lines = out.getvalue().split("\r")
    assert any(COMPILING in line for line in lines) and COMPILING not in lines[-1]
    assert not any("01:4" in line.partition("<")[2] for line in lines)  # nowhere an estimate from the compilation


def test_what_workers_began_with_is_no_part_of_the_estimate(clock):
    with pelplug.Progress(total=12, file=io.StringIO(), mininterval=0.0, settle=2) as bar:
        for _ in range(2):
            assert remaining(bar) is None
            clock.now += 40.0
            bar.update(2)
        assert remaining(bar) is None
        clock.now += 1.0
        bar.update(2)
        assert remaining(bar) == pytest.approx(3.0)


def test_nobody_is_told_when_the_line_is_closed_or_off(clock):
    out = io.StringIO()
    with pelplug.Progress(total=1, file=out, disable=True) as off:
        compiling.begin()
        compiling.end()
        off.update()
    with pelplug.Progress(total=1, file=out):
        pass
    before = out.getvalue()
    compiling.begin()
    compiling.end()
    assert out.getvalue() == before and COMPILING not in before


def make_kernel():
    @pelplug.kernel
    def double(x):
        return 2 * x

    return double


def test_numba_is_heard():
    heard = []
    with compiling.watch(heard.append):
        assert make_kernel()(2) == 4
    assert heard == [True, False]


def test_workers_are_heard():
    heard = []
    with pelplug.WorkerPool(1, compiling=heard.append) as pool:
        assert [future.result() for future in pool.submit([(work, 3)])] == [6]
        while len(heard) < 2:  # another thread listens
            pass
    assert heard == [True, False]


def work(x):
    return make_kernel()(x)


def test_an_analysis_says_it(monkeypatch, tmp_path):
    out = io.StringIO()
    monkeypatch.setattr("sys.stderr", out)
    from pelplug.testing import make_trajectory

    class Doubled(pelplug.Analysis):
        """The number of particles, twice."""

        name = "doubled"
        provides = {"count": pelplug.Field(("frame",), "1", "twice the number of particles")}  # noqa: RUF012

        def compute(self, configuration):
            return {"count": make_kernel()(configuration.n)}

    with pelplug.open_trajectory(make_trajectory(tmp_path / "t.gsd", frames=2)) as trajectory:
        Doubled(trajectory).run(verbose=True)
    assert COMPILING in out.getvalue()
