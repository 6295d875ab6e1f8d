"""Units against constants and conversions that others publish."""

import math

import pytest
from scipy import constants as si

from pelplug import InputError, Units


def test_constants_of_metal_units():
    metal = Units.of("metal")
    assert metal.boltzmann == pytest.approx(8.617333262e-5, rel=1e-9)  # CODATA 2018 [eV/K]
    # phonopy's VASPToTHz, sqrt(eV / Angstrom**2 / amu) in THz.
    assert metal.mass_unit**-0.5 / (2 * math.pi) == pytest.approx(15.633302, rel=1e-6)
    assert metal.temperature == "K"


def test_constants_of_ase():
    ase = pytest.importorskip("ase.units")
    metal, real = Units.of("metal"), Units.of("real")
    assert metal.boltzmann == pytest.approx(ase.kB, rel=1e-6)
    assert metal.mass_unit == pytest.approx(1.0 / (1e3 * ase.fs) ** 2, rel=1e-6)  # ASE: time in Angstrom sqrt(amu / eV)
    assert real.mass_unit == pytest.approx(1.0 / ase.fs**2 / (ase.kcal / ase.mol), rel=1e-6)


def test_gromacs_units_are_consistent():
    gromacs = Units.of("gromacs")
    assert gromacs.mass_unit == pytest.approx(1.0, rel=1e-9)  # (g/mol) nm**2 / ps**2 is a kJ/mol
    assert gromacs.boltzmann == pytest.approx(si.R * 1e-3, rel=1e-9)  # kJ/mol/K
    assert gromacs.factor(Units.of("metal"), "length") == 10.0


@pytest.mark.parametrize("name", ["si", "cgs", "nano", "micro"])
def test_mechanical_units_are_consistent(name):
    assert Units.of(name).mass_unit == pytest.approx(1.0, rel=1e-9)


def test_akma_time_is_charmms():
    assert Units(time="AKMA").factor(Units(time="ps"), "time") == pytest.approx(4.88882129e-2, rel=1e-6)


@pytest.mark.parametrize(
    ("expression", "metal", "gromacs"),
    [
        ("energy / length**2", "eV / Angstrom**2", "kJ/mol / nm**2"),
        ("energy / length**dimension", "eV / Angstrom**3", "kJ/mol / nm**3"),
        ("1 / energy", "1 / eV", "1 / (kJ/mol)"),
        ("energy**2", "eV**2", "(kJ/mol)**2"),
        ("energy / k_B", "K", "K"),
        ("rad / time", "rad / ps", "rad / ps"),
        ("time**dimension", "ps**3", "ps**3"),
        ("1", "1", "1"),
    ],
)
def test_dimensions_become_units(expression, metal, gromacs):
    assert Units.of("metal").text(expression, 3) == metal
    assert Units.of("gromacs").text(expression, 3) == gromacs
    assert Units.of("lj").text(expression, 3) == expression.replace("dimension", "3")
    assert Units.of("metal").text(metal, 3) == metal


def test_what_a_file_leaves_unsaid_stays_a_dimension():
    file = Units(length="angstroms", time="picosecond")
    assert file.text("length**2 / time") == "Angstrom**2 / ps"
    assert file.text("energy / length") == "energy / Angstrom"
    with pytest.raises(InputError, match=r"unit of energy is not known.*units=metal"):
        _ = file.mass_unit


def test_tables_of_names_and_numbers():
    table = {"length": "Angstrom", "energy": "kJ/mol", "mass": "g/mol", "time": "ps"}
    units = Units.of(table)
    assert units.mass_unit == pytest.approx(0.01, rel=1e-9)
    assert Units.of({**table, "boltzmann": 0.00831446262}).temperature == "K"
    assert Units.of({**table, "boltzmann": 1.0}).temperature == "kJ/mol"
    sizes = Units.of({"length": 1e-10, "energy": 1e3 / si.N_A, "mass": 1e-3 / si.N_A, "time": 1e-12})
    assert sizes.mass_unit == pytest.approx(0.01, rel=1e-9)
    argon = Units.of({"length": "3.4 Angstrom", "energy": "0.996 kJ/mol", "mass": "39.948 g/mol", "time": "1 ps"})
    assert argon.size("length") == pytest.approx(3.4e-10)
    assert Units.of({"length": 1, "energy": 1, "mass": 1, "time": 1}).is_reduced
    assert Units.of(units.to_dict()) == units
    assert Units.of(Units.of("lj").to_dict()).is_reduced


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ("Angstrom, kJ/mol", "metal, real, lj"),
        ({**{"length": "foot"}, "energy": "eV", "mass": "g/mol", "time": "ps"}, "Angstrom, nm"),
        ({"lenght": "nm"}, "did you mean length"),
        ({"length": "nm", "mass": "g/mol", "time": "ps"}, "energy = "),
        ({"length": "nm", "energy": "eV", "mass": "g/mol", "time": "ps", "boltzmann": -1}, "positive"),
        ({"length": -1.0, "energy": "eV", "mass": "g/mol", "time": "ps"}, "length"),
    ],
)
def test_unknown_units_are_refused(given, words):
    with pytest.raises(InputError, match=words):
        Units.of(given)
