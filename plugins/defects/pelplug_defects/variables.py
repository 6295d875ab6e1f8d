"""What defects provides."""

from __future__ import annotations

import pelplug

__all__ = ["VARIABLES"]

VARIABLES = {
    "phi": pelplug.Field(("frame", "particle"), "1", "defect field: 1 where a bond breaks or forms"),
    "broken": pelplug.Field(("frame", "particle"), "1", "bonds that the particle loses"),
    "inserted": pelplug.Field(("frame", "particle"), "1", "bonds that the particle gains"),
    "d2min": pelplug.Field(("frame", "particle"), "length**2", "non-affine squared displacement D2min per neighbour"),
    "displacement": pelplug.Field(("frame", "particle", "dimension"), "length", "r(0) - r(IS), without drift"),
    "displacement_magnitude": pelplug.Field(("frame", "particle"), "length", "|r(0) - r(IS)|, without drift"),
    "phi_frame": pelplug.Field(("frame",), "1", "share of particles in defects"),
    "broken_frame": pelplug.Field(("frame",), "1", "mean number of bonds a particle loses"),
    "inserted_frame": pelplug.Field(("frame",), "1", "mean number of bonds a particle gains"),
    "x_eq": pelplug.Field(("frame",), "1", "neighbours in the frame are closer than this x"),
    "x_broken": pelplug.Field(("frame",), "1", "neighbours in the inherent structure are closer than this x"),
    "g": pelplug.Field(("frame", "x"), "1", "radial distribution of x = r_ij / d_ij in the frame"),
    "g_is": pelplug.Field(("frame", "x"), "1", "radial distribution of x = r_ij / d_ij in the inherent structure"),
    "positions": pelplug.Field(("frame", "particle", "dimension"), "length", "positions in the frame, unwrapped"),
    "cell": pelplug.Field(("frame", "vector", "dimension"), "length", "cell vectors"),
    "diameter": pelplug.Field(("frame", "particle"), "length", "particle diameter"),
    "species": pelplug.Field(("particle",), "1", "species"),
    "phi_mean": pelplug.Field((), "1", "mean share of particles in defects"),
    "phi_mean_error": pelplug.Field((), "1", "standard error of phi_mean"),
    "chi": pelplug.Field((), "1", "N (<phi**2> - <phi>**2), without the bias of few samples"),
    "chi_error": pelplug.Field((), "1", "standard error of chi"),
    "broken_mean": pelplug.Field((), "1", "mean number of broken bonds a particle"),
    "broken_mean_error": pelplug.Field((), "1", "standard error of broken_mean"),
    "inserted_mean": pelplug.Field((), "1", "mean number of inserted bonds a particle"),
    "inserted_mean_error": pelplug.Field((), "1", "standard error of inserted_mean"),
    "x_eq_mean_g": pelplug.Field((), "1", "first minimum of g(x) averaged over the frames"),
}
