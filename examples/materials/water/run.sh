#!/bin/sh
# SPC/E water, rigid, from the files of a GROMACS run: run.xtc, run.tpr, run.edr, and topol.top with GROMACS's own force field.
# Needs GROMACS (Debian's package gromacs has gmx and gmx_d) and pip install '.[openmm]'.
#
#     sh examples/materials/water/run.sh FOLDER             # 65 molecules, 100 ps
#     STEPS=500 sh examples/materials/water/run.sh FOLDER   # 1 ps
set -e
here=$(cd "$(dirname "$0")" && pwd)
mkdir -p "${1:?name a folder for the files}"
cd "$1"
box=${BOX:-1.3} steps=${STEPS:-50000}

cat >topol.top <<TOPOLOGY
#include "oplsaa.ff/forcefield.itp"
#include "oplsaa.ff/spce.itp"

[ system ]
water

[ molecules ]
TOPOLOGY
sed "s/^integrator.*/integrator = steep/; /nstxout/d" "$here/run.mdp" >steep.mdp
echo "nsteps = 200" >>steep.mdp
{
    cat "$here/run.mdp"
    echo "nsteps = $steps"
} >run.mdp
{
    gmx solvate -cs spc216.gro -box "$box" "$box" "$box" -p topol.top -o water.gro
    gmx grompp -f steep.mdp -c water.gro -p topol.top -o steep.tpr -maxwarn 2
    gmx mdrun -deffnm steep -ntmpi 1 -ntomp 1
    gmx grompp -f run.mdp -c steep.gro -p topol.top -o run.tpr -maxwarn 2
    gmx mdrun -deffnm run -ntmpi 1 -ntomp 1
    # For the comparison: GROMACS's energies, in double precision, of what is in the XTC.
    gmx_d grompp -f run.mdp -c steep.gro -p topol.top -o double.tpr -maxwarn 2
    gmx_d mdrun -s double.tpr -rerun run.xtc -deffnm again -ntmpi 1 -ntomp 1
    echo Potential | gmx_d energy -f again.edr -o again.xvg
} >gromacs.out 2>&1 || { tail -20 gromacs.out; exit 1; }

given="--topology run.tpr --potential gromacs:topol.top --potential-param cutoff=0.6
    --potential-param modifier=potential-switch --potential-param switch=0.5 --potential-param electrostatics=ewald
    --potential-param ewald_rtol=1e-6"
pelplug analyze run.xtc $given --plugin inherent-structures --step $((steps / 100)) --force-tolerance 1e-4 \
    -o structures.nc --plot structures.png --overwrite
pelplug analyze run.xtc --topology run.tpr --plugin dynamics -o dynamics.nc --plot dynamics.png --overwrite
pelplug msed run.edr --particles "$(sed -n 2p run.gro)" --temperature 300 --ensemble nvt -o msed.nc --plot msed.png --overwrite

python "$here/../compare.py" structures.nc initial_energy again.xvg 1e-5
