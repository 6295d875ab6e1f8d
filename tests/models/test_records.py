"""Models rebuilt from what files record: those of the last version, and units that are no file."""

import json

import pytest

import pelplug
from pelplug import models

METAL = {"boltzmann": 8.617333262145179e-05, "energy": "eV", "length": "Angstrom", "mass": "g/mol", "time": "ps"}
SCALES = {"epsilon": 1.0, "mass": None, "sigma": 1.0, "units": None}
ARGON = {"epsilon": 0.0103, "mass": 39.9, "sigma": 3.4, "units": "metal"}
# As version 0.1 wrote them before parameters of models were declared by Param; the models are made as they were then.
RECORDS = [
    (
        {"name": "kob-andersen", "parameters": {"cutoff": 1.8, "truncation": "smooth", **SCALES}},
        ("kalj", {"truncation": "smooth", "cutoff": 1.8}),
    ),
    (
        {"name": "kob-andersen-2d", "parameters": {"cutoff": 2.5, "truncation": "shift", **ARGON}, "units": METAL},
        ("kalj-2d", ARGON),
    ),
    (
        {
            "name": "modified-kob-andersen",
            "parameters": {"like_cutoff": 1.5, "truncation": "shifted-force", "unlike_cutoff": 2.5, **SCALES},
        },
        ("mka", {}),
    ),
    ({"name": "inverse-power-law", "parameters": {"cutoff": 1.48}}, ("ipl", {})),
    ({"name": "inverse-power-law-2d", "parameters": {"cutoff": 1.48}}, ("ipl-2d", {})),
    (
        {"name": "sticky-spheres", "parameters": {"cutoff": 1.3469544579712476, "density": 0.95}},
        ("ss", {"density": 0.95}),
    ),
    ({"name": "polydisperse-soft-spheres", "parameters": {"cutoff": 1.25}}, ("pss", {})),
    ({"name": "polydisperse-soft-spheres-2d", "parameters": {"cutoff": 1.25}}, ("pss-2d", {})),
    (
        {"name": "harmonic-spheres", "parameters": {"dimension": 3, "sizes": "auto", "volume_fraction": None}},
        ("harmonic", {"dimension": 3}),
    ),
    ({"name": "stillinger-weber", "parameters": {"three_body": 21.0, **SCALES}}, ("sw", {"three_body": 21})),
    (
        {
            "name": "mari-kurchan",
            "parameters": {
                "cutoff": 4.0,
                "dimension": 3,
                "planted_temperature": 0.1,
                "seed": 4611686018427387905,  # beyond the whole numbers of double precision
                "volume_fraction": 0.5,
            },
        },
        ("mk", {"seed": 2**62 + 1, "planted_temperature": 0.1}),
    ),
]


@pytest.mark.parametrize(("record", "made"), RECORDS, ids=[record["name"] for record, _ in RECORDS])
def test_records_of_the_last_version_give_the_same_model(record, made):
    name, parameters = made
    model = models.build(name, **parameters)
    text = json.dumps(record, sort_keys=True).encode()
    assert models.from_record(text) == model
    assert model.to_log().tobytes() == text  # and it is written as it was


def test_units_of_a_model_are_no_file_to_be_trusted():
    model = models.build("stillinger-weber", units="metal", sigma=2.0951, epsilon=2.1683, mass=28.0855)
    assert models.from_record(model.to_log()) == model
    with pytest.raises(pelplug.InputError, match=r"The parameter units of .*there are no units 'meta'"):
        models.build("stillinger-weber", units="meta")
