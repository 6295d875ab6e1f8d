"""The Kob-Andersen mixture as a System of OpenMM, by its formula alone."""

from __future__ import annotations

__all__ = ["kob_andersen"]

SMOOTH = """step({cut}-x)*epsilon*(4*(x^-12-x^-6)+c0+c2*x^2+c4*x^4); x=r/sigma;
epsilon=select(t1*t2, 0.5, select(t1+t2, 1.5, 1)); sigma=0.1*select(t1*t2, 0.88, select(t1+t2, 0.8, 1));
c0={c0!r}; c2={c2!r}; c4={c4!r}"""


def kob_andersen(species, cut=2.5):
    """Return the mixture, each pair of which ends at its own cutoff, with a barostat that has no energy.

    Lengths are 0.1 nm = 1 Angstrom, energies kJ/mol and masses g/mol, so that numbers are those of reduced units.
    """
    import openmm

    c4 = 24 * cut**-10 - 84 * cut**-16
    c2 = 24 * cut**-14 - 12 * cut**-8 - 2 * c4 * cut**2
    c0 = -4 * (cut**-12 - cut**-6) - c2 * cut**2 - c4 * cut**4
    system, pairs = openmm.System(), openmm.CustomNonbondedForce(SMOOTH.format(cut=cut, c0=c0, c2=c2, c4=c4))
    pairs.addPerParticleParameter("t")
    pairs.setNonbondedMethod(pairs.CutoffPeriodic)
    pairs.setCutoffDistance(0.1 * cut)
    for name in species:
        system.addParticle(1.0)
        pairs.addParticle([float(name == "B")])
    system.addForce(pairs)
    system.addForce(openmm.CMMotionRemover())
    system.addForce(openmm.MonteCarloBarostat(1.0, 300.0))
    return system
