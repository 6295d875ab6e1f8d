"""Which particle a row is: ids that are shuffled, change or lack, against displacements of a walk that is known."""

import gsd.hoomd
import h5py
import numpy as np
import pytest

import pelplug
from pelplug import InputError, open_trajectory

N, F, L = 30, 12, 6.0


@pytest.fixture(scope="module")
def walk():
    """Unwrapped positions, shape (F, N, 3), of a walk of small steps."""
    rng = np.random.default_rng(1)
    return rng.uniform(0, L, (1, N, 3)) + np.cumsum(rng.normal(0, 0.15, (F, N, 3)), axis=0)


def msd(walk, lag):
    """Mean over all particles and origins, of displacements less their mean."""
    moved = walk[lag:] - walk[:-lag]
    return float(np.mean(np.sum((moved - moved.mean(axis=1, keepdims=True)) ** 2, axis=2)))


def write_dump(path, walk, ids=None, columns="id type", types=None, seed=2):
    """Write wrapped positions in an order that changes from frame to frame; ids: those of every frame."""
    rng = np.random.default_rng(seed)
    with open(path, "w") as file:
        for k, state in enumerate(walk):
            own = np.arange(1, len(state) + 1) if ids is None else ids[k]
            file.write(f"ITEM: TIMESTEP\n{k}\nITEM: NUMBER OF ATOMS\n{len(state)}\nITEM: BOX BOUNDS pp pp pp\n")
            file.write(f"0 {L}\n" * 3 + f"ITEM: ATOMS {columns} x y z\n")
            for i in rng.permutation(len(state)):
                kind = 1 if types is None else types[k][i]
                words = {"id": own[i], "type": kind}
                head = " ".join(str(words[name]) for name in columns.split())
                file.write(f"{head} {' '.join(f'{x:.8f}' for x in state[i] % L)}\n")
    return path


def write_extxyz(path, walk, ids, key="id"):
    with open(path, "w") as file:
        for k, state in enumerate(walk):
            order = np.random.default_rng(k).permutation(len(state))
            lattice = f'Lattice="{L} 0 0 0 {L} 0 0 0 {L}"'
            file.write(f"{len(state)}\n{lattice} Properties=species:S:1:pos:R:3:{key}:I:1 Step={k}\n")
            for i in order:
                file.write(f"A {' '.join(f'{x:.8f}' for x in state[i] % L)} {ids[k][i]}\n")
    return path


def write_h5md(path, walk, ids, id_steps=None):
    with h5py.File(path, "w") as file:
        group = file.create_group("particles/all")
        box = group.create_group("box")
        box.attrs["boundary"] = ["periodic"] * 3
        box["edges"] = np.full(3, L)
        order = [np.random.default_rng(k).permutation(N) for k in range(F)]
        steps = np.arange(F)
        group["position/value"] = np.array([state[own] % L for state, own in zip(walk, order, strict=True)])
        group["position/step"] = steps
        group["species"] = np.ones(N, dtype=int)
        shown = steps if id_steps is None else np.asarray(id_steps)
        group["id/value"] = np.array([ids[k][order[k]] for k in shown])
        group["id/step"] = shown
    return path


def run(path, **keywords):
    return pelplug.analyze("dynamics", path, dt=1.0, quantities=("msd",), min_origins=1, per_decade=1000, **keywords)


SAME = [np.arange(1, N + 1)] * F
CHANGED = [np.arange(1, N + 1)] * 7 + [np.r_[np.arange(2, N + 1), 99]] * (F - 7)


@pytest.mark.parametrize("kind", ["dump", "extxyz", "h5md", "particle_id"])
def test_shuffled_rows_are_followed_by_id(tmp_path, walk, kind):
    path = {
        "dump": lambda: write_dump(tmp_path / "a.dump", walk),
        "extxyz": lambda: write_extxyz(tmp_path / "a.xyz", walk, SAME),
        "particle_id": lambda: write_extxyz(tmp_path / "a.extxyz", walk, SAME, key="particle_id"),
        "h5md": lambda: write_h5md(tmp_path / "a.h5md", walk, SAME),
    }[kind]()
    found = run(path).msd.isel(kind=0).values
    np.testing.assert_allclose(found[:5], [msd(walk, lag) for lag in range(1, 6)], rtol=1e-5)


@pytest.mark.parametrize("kind", ["dump", "extxyz", "h5md"])
def test_ids_that_change_are_refused_and_the_frames_before_are_not(tmp_path, walk, kind):
    path = {
        "dump": lambda: write_dump(tmp_path / "a.dump", walk, CHANGED),
        "extxyz": lambda: write_extxyz(tmp_path / "a.xyz", walk, CHANGED),
        "h5md": lambda: write_h5md(tmp_path / "a.h5md", walk, CHANGED),
    }[kind]()
    with pytest.raises(InputError, match=r"ids of frame 7 .*id 1 is gone and id 99 has come.*--stop 7"):
        run(path)
    np.testing.assert_allclose(run(path, stop=7).msd.isel(kind=0).values[0], msd(walk[:7], 1), rtol=1e-5)
    with pytest.raises(InputError, match="frame 7"):
        list(open_trajectory(path, dt=1.0).unwrapped())
    assert open_trajectory(path)[9].n == N  # a frame for itself is as good as any other


def test_dumps_without_ids_are_not_followed_unless_the_order_is_kept(tmp_path, walk):
    path = write_dump(tmp_path / "a.dump", walk, columns="type")
    with pytest.raises(InputError, match=r"can be followed.*LAMMPS sorts atoms.*dump custom.*--order-is-kept"):
        run(path)
    with pytest.raises(InputError, match="can be followed"):
        next(open_trajectory(path).unwrapped())
    next(open_trajectory(path).unwrapped(3, 4))  # one frame is compared with nothing
    kept = tmp_path / "kept.dump"
    with open(write_dump(tmp_path / "b.dump", walk)) as source, open(kept, "w") as target:
        rows = []
        for line in source:  # sorted by id, and the ids taken out
            if line.startswith("ITEM: ATOMS"):
                target.write("ITEM: ATOMS type x y z\n")
            elif len(words := line.split()) == 5:
                rows.append((int(words[0]), " ".join(words[1:])))
                if len(rows) == N:
                    target.writelines(text + "\n" for _, text in sorted(rows))
                    rows = []
            else:
                target.write(line)
    found = run(kept, order_is_kept=True).msd.isel(kind=0).values
    np.testing.assert_allclose(found[0], msd(walk, 1), rtol=1e-5)


def test_whatever_compares_frames_asks(tmp_path, walk):
    path = write_dump(tmp_path / "a.dump", walk, columns="type")
    for name, more in (
        ("hop-events", {}),
        ("inherent-structure-transitions", {"model": "harmonic-spheres"}),
        ("metabasins", {"model": "harmonic-spheres"}),
    ):
        with pytest.raises(InputError, match="can be followed"):
            pelplug.analyze(name, path, dt=1.0, **more)
    with pytest.raises(InputError, match="can be followed"):
        pelplug.analyze("defects-between", path, reference=str(path), sigma=1.0, x_eq=1.4)


def test_two_trajectories_are_compared_particle_by_particle(tmp_path, walk):
    one = write_dump(tmp_path / "a.dump", walk[:3])
    other = write_dump(tmp_path / "b.dump", walk[:3], [ids + 1 for ids in SAME], seed=3)
    with pytest.raises(InputError, match=r"ids of frame 0 of .*b.dump are not those of frame 0 of"):
        pelplug.analyze("defects-between", one, reference=str(other), sigma=1.0, x_eq=1.4)
    shuffled = write_dump(tmp_path / "c.dump", walk[:3], seed=4)
    found = pelplug.analyze("defects-between", one, reference=str(shuffled), sigma=1.0, x_eq=1.4)
    assert float(abs(found.displacement).max()) < 1e-6


def test_species_that_change_are_refused_by_name(tmp_path, walk):
    types = [[1] * N] * 5 + [[2] + [1] * (N - 1)] * (F - 5)
    path = write_dump(tmp_path / "swap.dump", walk, types=types)
    with pytest.raises(InputError, match=r"Species change at frame 5 .*id 1 is 2, and 1 in frame 0"):
        run(path)
    states = list(open_trajectory(path).unwrapped(same_species=False))  # the particles are the same all the same
    moved = states[-1].unwrapped_positions() - states[0].unwrapped_positions()
    np.testing.assert_allclose(moved, walk[-1] - walk[0], atol=1e-6)


def test_ids_that_occur_twice_are_refused_in_every_format(tmp_path, walk):
    twice = [np.r_[1, 1, np.arange(3, N + 1)]] * F
    for path in (
        write_dump(tmp_path / "a.dump", walk, twice),
        write_extxyz(tmp_path / "a.xyz", walk, twice),
        write_h5md(tmp_path / "a.h5md", walk, twice),
    ):
        with pytest.raises(InputError, match="same id"):
            open_trajectory(path)


def test_h5md_ids_of_other_steps(tmp_path, walk):
    path = write_h5md(tmp_path / "a.h5md", walk, SAME, id_steps=[0, 5])
    with pytest.raises(InputError, match=r"Frame 1 .* has no ids although frame 0 has"):
        run(path)


def test_numbers_of_particles_that_change(tmp_path, walk):
    path = tmp_path / "a.dump"
    write_dump(path, walk[:3])
    more = write_dump(tmp_path / "b.dump", np.concatenate([walk[:2], walk[:2, :1]], axis=1)).read_text()
    path.write_text(path.read_text() + more)
    with pytest.raises(InputError, match=r"frame 3 .*id 31 has come.*--stop 3"):
        run(path)


def test_what_is_made_of_frames_nobody_can_follow_is_not_followed_either(tmp_path, walk):
    path = write_dump(tmp_path / "a.dump", walk, columns="type")
    source = open_trajectory(path)
    for name in ("copy.gsd", "copy.nc"):
        pelplug.write_trajectory(tmp_path / name, source)
        with pytest.raises(InputError, match=r"made from other frames: .*no ids"):
            run(tmp_path / name)
        assert open_trajectory(tmp_path / name)[3].n == N
        with pytest.raises(InputError, match="wrapped positions without image flags"):  # the order was not kept
            run(tmp_path / name, order_is_kept=True)
    with_ids = open_trajectory(write_dump(tmp_path / "b.dump", walk))
    pelplug.write_trajectory(tmp_path / "good.gsd", with_ids)
    np.testing.assert_allclose(run(tmp_path / "good.gsd").msd.isel(kind=0).values[0], msd(walk, 1), rtol=1e-4)


# --- images --------------------------------------------------------------------------------------------------------


def gsd_frames(walk, images):
    """Frames as gsd.hoomd writes them; images: an array a frame, or None."""
    for k, state in enumerate(walk):
        frame = gsd.hoomd.Frame()
        frame.configuration.step, frame.configuration.box = k, [L, L, L, 0, 0, 0]
        frame.particles.N, frame.particles.types = N, ["A"]
        frame.particles.position = (state + L / 2) % L - L / 2
        if images is not None:
            frame.particles.image = images[k]
        yield frame


def test_images_that_a_gsd_has_in_frame_0_only_are_unknown(tmp_path, walk):
    start = np.random.default_rng(3).integers(-3, 4, (N, 3))
    with gsd.hoomd.open(tmp_path / "copy.gsd", "w") as file:
        for frame in gsd_frames(walk, [start] * F):
            file.append(frame)
    traj = open_trajectory(tmp_path / "copy.gsd")
    assert not traj.has("images") and traj[0].images is None
    np.testing.assert_allclose(run(tmp_path / "copy.gsd").msd.isel(kind=0).values[0], msd(walk, 1), rtol=1e-5)
    # Recorded as the particles went, they hold.
    true = np.floor((walk + L / 2) / L).astype(int)
    with gsd.hoomd.open(tmp_path / "true.gsd", "w") as file:
        for frame in gsd_frames(walk, true):
            file.append(frame)
    assert open_trajectory(tmp_path / "true.gsd").has("images")
    np.testing.assert_allclose(run(tmp_path / "true.gsd").msd.isel(kind=0).values[0], msd(walk, 1), rtol=1e-5)


def with_flags(path, walk, flags):
    """A dump with image flags: wrapped positions, or unwrapped ones beside flags."""
    with open(path, "w") as file:
        for k, state in enumerate(walk):
            file.write(f"ITEM: TIMESTEP\n{k}\nITEM: NUMBER OF ATOMS\n{N}\nITEM: BOX BOUNDS pp pp pp\n")
            file.write(f"0 {L}\n" * 3 + "ITEM: ATOMS id type x y z ix iy iz\n")
            for i in range(N):
                words = [i + 1, 1, *(f"{x:.8f}" for x in state[i]), *flags[k][i]]
                file.write(" ".join(map(str, words)) + "\n")
    return path


def test_image_flags_that_nobody_followed(tmp_path, walk):
    path = with_flags(tmp_path / "a.dump", walk % L, np.zeros((F, N, 3), dtype=int))
    with pytest.raises(InputError, match=r"do not change while positions jump.*--positions wrapped"):
        run(path)
    np.testing.assert_allclose(run(path, positions="wrapped").msd.isel(kind=0).values[0], msd(walk, 1), rtol=1e-5)


def test_image_flags_beside_unwrapped_positions(tmp_path, walk):
    flags = np.floor(walk / L).astype(int)
    path = with_flags(tmp_path / "a.dump", walk, flags)
    with pytest.raises(InputError, match=r"unwrapped already.*--positions unwrapped"):
        run(path)
    np.testing.assert_allclose(run(path, positions="unwrapped").msd.isel(kind=0).values[0], msd(walk, 1), rtol=1e-5)
    named = tmp_path / "b.dump"  # columns that say so need no option
    named.write_text(path.read_text().replace("x y z", "xu yu zu"))
    np.testing.assert_allclose(run(named).msd.isel(kind=0).values[0], msd(walk, 1), rtol=1e-5)


def test_long_moves_are_right_with_image_flags(tmp_path):
    rng = np.random.default_rng(5)
    far = rng.uniform(0, L, (1, N, 3)) + np.cumsum(rng.normal(0, 5.0, (F, N, 3)), axis=0)
    path = with_flags(tmp_path / "a.dump", far % L, np.floor(far / L).astype(int))
    np.testing.assert_allclose(run(path).msd.isel(kind=0).values[:3], [msd(far, lag) for lag in (1, 2, 3)], rtol=1e-5)
    hop = np.repeat(rng.uniform(0, L, (1, N, 3)), F, axis=0) + rng.normal(0, 0.01, (F, N, 3))
    hop[:, 0, 0] += 0.7 * L * np.arange(F)
    path = with_flags(tmp_path / "b.dump", hop % L, np.floor(hop / L).astype(int))
    np.testing.assert_allclose(run(path).msd.isel(kind=0).values[:3], [msd(hop, lag) for lag in (1, 2, 3)], rtol=1e-5)


def test_image_flags_of_two_runs(tmp_path, walk):
    # What becomes of flags where frames without them are appended: gsd gives those of frame 0.
    flags = np.floor(walk / L).astype(int)
    flags[6:] = flags[0]
    assert np.count_nonzero((flags[6] != np.floor(walk[6] / L)).any(axis=1)) > 1
    path = with_flags(tmp_path / "a.dump", walk % L, flags)
    with pytest.raises(InputError, match=r"image flags.*--positions wrapped"):
        run(path)
    np.testing.assert_allclose(run(path, positions="wrapped").msd.isel(kind=0).values[0], msd(walk, 1), rtol=1e-5)


def test_images_that_are_recorded_rarely(tmp_path, walk):
    path = write_h5md(tmp_path / "a.h5md", walk, SAME)
    with h5py.File(path, "r+") as file:
        group = file["particles/all"]
        order = [np.random.default_rng(k).permutation(N) for k in range(F)]
        group["image/value"] = np.array([np.floor(walk[k] / L).astype(int)[order[k]] for k in (2, 6, 10)])
        group["image/step"] = [2, 6, 10]
    found = np.array([state.unwrapped_positions() for state in open_trajectory(path).unwrapped()])
    np.testing.assert_allclose(found - found[0], walk - walk[0], atol=1e-9)


def test_exports_of_frames_nobody_can_follow(tmp_path, walk):
    source = open_trajectory(write_dump(tmp_path / "a.dump", walk, columns="type"))
    import xarray

    fields = xarray.Dataset({"x": (("frame", "particle"), np.ones((F, N)))}, {"frame": np.arange(F)})
    from pelplug.files.exporters import export

    for name in ("o.gsd", "o.xyz"):
        export(fields, tmp_path / name, source)
        with pytest.raises(InputError, match=r"made from other frames: .*no ids"):
            run(tmp_path / name)
    good = open_trajectory(write_dump(tmp_path / "b.dump", walk))
    export(fields, tmp_path / "good.xyz", good)
    assert open_trajectory(tmp_path / "good.xyz").why_not_followed() == ""


def test_netcdf_of_lammps_has_ids(tmp_path, walk):
    import MDAnalysis
    from scipy.io import netcdf_file

    universe = MDAnalysis.Universe.empty(N, trajectory=True)
    universe.add_TopologyAttr("names", ["A"] * N)
    universe.atoms.positions = walk[0]
    universe.dimensions = [L, L, L, 90, 90, 90]
    universe.atoms.write(str(tmp_path / "top.gro"))
    path, order = str(tmp_path / "a.ncdf"), [np.random.default_rng(k).permutation(N) for k in range(F)]
    with MDAnalysis.Writer(path, n_atoms=N) as writer:
        for k in range(F):
            universe.atoms.positions = (walk[k] % L)[order[k]]
            writer.write(universe.atoms)

    def with_ids(ids):
        with netcdf_file(path, "a", mmap=False) as file:
            if "id" not in file.variables:
                file.createVariable("id", "i4", ("frame", "atom"))
            file.variables["id"][:] = ids
        return open_trajectory(path, topology=tmp_path / "top.gro")

    found = np.array([one.unwrapped_positions() for one in with_ids([own + 1 for own in order]).unwrapped()])
    np.testing.assert_allclose(found - found[0], walk - walk[0], atol=1e-4)
    changed = [np.where(own == 3, 77, own + 1) if k > 4 else own + 1 for k, own in enumerate(order)]
    with pytest.raises(InputError, match="ids of frame 5"):
        with_ids(changed).check_identity()
