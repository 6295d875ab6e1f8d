#!/bin/sh
# A Lennard-Jones mixture from the files of a GROMACS run: run.xtc, run.tpr, run.edr, topol.top.
# Needs GROMACS (Debian's package gromacs has gmx and gmx_d) and pip install '.[openmm]'.
#
#     sh examples/materials/gromacs-mixture/run.sh FOLDER                     # N = 320, 80 ps
#     CELLS=3 STEPS=500 sh examples/materials/gromacs-mixture/run.sh FOLDER   # N = 135, 2 ps
set -e
here=$(cd "$(dirname "$0")" && pwd)
mkdir -p "${1:?name a folder for the files}"
cd "$1"
cells=${CELLS:-4} steps=${STEPS:-20000}

{
    cat "$here/topol.top"
    echo "AAAAB $((cells * cells * cells))"
} >topol.top
sed "s/^integrator.*/integrator = steep/; /nstxout/d" "$here/run.mdp" >steep.mdp
echo "nsteps = 100" >>steep.mdp
{
    cat "$here/run.mdp"
    echo "nsteps = $steps"
} >run.mdp
{
    gmx genconf -f "$here/cell.gro" -nbox "$cells" "$cells" "$cells" -o crystal.gro
    gmx grompp -f steep.mdp -c crystal.gro -p topol.top -o steep.tpr -maxwarn 2
    gmx mdrun -deffnm steep -ntmpi 1 -ntomp 1
    gmx grompp -f run.mdp -c steep.gro -p topol.top -o run.tpr -maxwarn 2
    gmx mdrun -deffnm run -ntmpi 1 -ntomp 1
    # For the comparison: GROMACS's energies, in double precision, of what is in the XTC.
    gmx_d grompp -f run.mdp -c steep.gro -p topol.top -o double.tpr -maxwarn 2
    gmx_d mdrun -s double.tpr -rerun run.xtc -deffnm again -ntmpi 1 -ntomp 1
    echo Potential | gmx_d energy -f again.edr -o again.xvg
} >gromacs.out 2>&1 || { tail -20 gromacs.out; exit 1; }

given="--topology run.tpr --potential gromacs:topol.top --potential-param cutoff=0.7
    --potential-param modifier=potential-switch --potential-param switch=0.55"
pelplug analyze run.xtc $given --plugin inherent-structures --plugin kappa --plugin vibrations --start -1 \
    -o structures.nc --plot structures.png --overwrite
pelplug analyze run.xtc --topology run.tpr --plugin dynamics -o dynamics.nc --plot dynamics.png --overwrite
pelplug msed run.edr --particles $((5 * cells * cells * cells)) --temperature 90 --ensemble nvt -o msed.nc --plot msed.png --overwrite

python "$here/../compare.py" structures.nc initial_energy again.xvg 1e-6
