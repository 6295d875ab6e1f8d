"""What the figure says: the omega**4 law with its amplitude, the free power law with its exponent, where both hold."""

import numpy as np
import xarray as xr
from pelplug_vibrations.drawing import draw_density


def test_each_line_is_labelled_with_its_own_number():
    # 40 modes of 300 below omega = 2, spread as omega**4.
    limit, share = 2.0, 40 / 300
    low = limit * ((np.arange(40) + 0.5) / 40) ** 0.2
    edges = np.geomspace(0.9, 30.0, 25)
    omega = np.concatenate([low, np.linspace(2.1, 29.0, 260)])
    counts, _ = np.histogram(omega, edges)
    ps = {"units": "ps"}
    rate = {"units": "rad / ps"}
    dataset = xr.Dataset(
        {
            "omega": (("frame", "mode"), omega[None], rate),
            "omega_edges": ("edge", edges, rate),
            "counts": ("omega_bin", counts),
            "density_of_states": ("omega_bin", counts / 300 / np.diff(edges), ps),
            "omega_phonon": ("frame", [4.0], rate),
            "debye_mean": ((), 1e-3, {"units": "ps**3"}),
            "fit_limit": ((), limit, rate),
            "n_fitted": ((), 40),
            "exponent": ((), 3.2),
            "exponent_error": ((), 0.6),
            "quartic": ((), 5 * share / limit**5, {"units": "ps**5"}),
            "quartic_error": ((), 0.003),
        },
        {"omega_bin": np.sqrt(edges[1:] * edges[:-1])},
    )
    ax = draw_density(dataset)
    quartic, free = (line for line in ax.lines if line.get_gid() == "fit")
    for line in (quartic, free):
        omega, density = line.get_data()
        np.testing.assert_allclose(omega[[0, -1]], [low.min(), limit])
        # Both hold the modes that were fitted.
        power = np.polyfit(np.log(omega), np.log(density), 1)[0]
        np.testing.assert_allclose(density[-1] * limit / (power + 1), share)
    assert quartic.get_label() == r"$A_4\,\omega^4$: $A_4$ = 0.0208 ± 0.0030 ps$^{5}$"
    assert free.get_label() == r"$\omega^s$, 40 modes: $s$ = 3.20 ± 0.60"
    np.testing.assert_allclose(np.polyfit(*np.log(free.get_data()), 1)[0], 3.2)
    assert (ax.get_xlabel(), ax.get_ylabel()) == (r"$\omega$ (rad / ps)", r"$D(\omega)$ (ps)")
