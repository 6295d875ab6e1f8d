"""The formats that are read without a plugin: their names, and the endings of their files."""

from __future__ import annotations

__all__ = ["ALIASES", "COMPRESSED", "ENDINGS", "NAMES", "OWN", "holder"]

OWN = {
    "GSD": "pelplug.trajectories.readers.gsd:GSDReader",
    "LAMMPSDUMP": "pelplug.trajectories.readers.lammps:DumpReader",
    "EXTXYZ": "pelplug.trajectories.readers.xyz:XYZReader",
    "DATA": "pelplug.trajectories.readers.lammps_data:DataReader",
    "H5MD": "pelplug.trajectories.readers.h5md:H5MDReader",
    "PELPLUG": "pelplug.trajectories.readers.netcdf:NetCDFReader",
    "LAMMPSYAML": "pelplug.trajectories.readers.lammps_yaml:YamlReader",
    "LAMMPSNC": "pelplug.trajectories.readers.lammps_netcdf:LammpsNetCDFReader",
    "ASETRAJ": "pelplug.trajectories.readers.ase_files:TrajReader",
    "XDATCAR": "pelplug.trajectories.readers.ase_files:XdatcarReader",
    "POSCAR": "pelplug.trajectories.readers.ase_files:PoscarReader",
}
ALIASES = {"DUMP": "LAMMPSDUMP", "LAMMPSTRJ": "LAMMPSDUMP", "LAMMPS": "LAMMPSDUMP", "XYZ": "EXTXYZ", "NC": "PELPLUG"}
ALIASES |= {"YAML": "LAMMPSYAML", "YML": "LAMMPSYAML", "TRAJ": "ASETRAJ", "CONTCAR": "POSCAR"}
ENDINGS = {
    ".gsd": "GSD",
    ".dump": "LAMMPSDUMP",
    ".lammpstrj": "LAMMPSDUMP",
    ".lammpsdump": "LAMMPSDUMP",
    ".lammpstraj": "LAMMPSDUMP",
    ".xyz": "EXTXYZ",
    ".extxyz": "EXTXYZ",
    ".exyz": "EXTXYZ",
    ".h5md": "H5MD",
    ".data": "DATA",
    ".lmp": "DATA",
    ".lammps": "DATA",
    ".rst7": "INPCRD",
    ".yaml": "LAMMPSYAML",
    ".yml": "LAMMPSYAML",
    ".traj": "ASETRAJ",
    ".xdatcar": "XDATCAR",
    ".poscar": "POSCAR",
    ".contcar": "POSCAR",
    ".vasp": "POSCAR",
}
# DL_POLY and VASP call their files so, without ending.
NAMES = {"CONFIG": "CONFIG", "REVCON": "CONFIG", "HISTORY": "HISTORY", "XDATCAR": "XDATCAR", "POSCAR": "POSCAR"}
NAMES |= {"CONTCAR": "POSCAR"}
COMPRESSED = (".gz", ".bz2", ".xz")


def holder(name: str, suffix: str = "") -> str | None:
    """Return who reads a format already, "pelplug" or "MDAnalysis"; None if nobody does.

    Parameters
    ----------
    name : str
        Of the format, in capitals.
    suffix : str, optional
        An ending of its files, asked for instead.
    """
    import MDAnalysis

    if suffix:
        name = suffix.removeprefix(".").upper()
    if name in OWN or name in ALIASES or suffix in (*ENDINGS, *COMPRESSED):
        return "pelplug"
    return "MDAnalysis" if name in MDAnalysis._READERS or name in MDAnalysis._PARSERS else None
