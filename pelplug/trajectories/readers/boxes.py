"""Cell vectors from what the formats of other programs say of the box."""

from __future__ import annotations

import re

import numpy as np
from MDAnalysis.lib.mdamath import triclinic_vectors
from MDAnalysis.lib.util import openany

from pelplug.errors import InputError

__all__ = ["angle_of_prmtop", "cell_of", "of_dcd", "of_gro", "of_inpcrd", "of_tpr", "scale_of_pdb", "turned_by_scale"]

_OF_BOX = ("POINTERS", "BOX_DIMENSIONS")
_SMALLEST_ANGLE = 30.0  # degrees; a box with a smaller one is not simulated, so the number is no angle


def cell_of(dimensions) -> np.ndarray | None:
    """Cell vectors (rows) of MDAnalysis's lengths and angles, or None where there is no box.

    Parameters
    ----------
    dimensions : array_like, shape (6,), or None
        Three lengths and three angles in degrees.

    Returns
    -------
    ndarray, shape (3, 3), or None
        a along x, b in the xy plane, as every format means it that gives lengths and angles.
    """
    if dimensions is None:
        return None
    dimensions = np.asarray(dimensions, dtype=np.float64)
    if not np.all(np.isfinite(dimensions)) or not np.all(dimensions[:2] > 0) or dimensions[2] < 0:
        return None
    # triclinic_vectors answers zeros for a flat cell, which a two-dimensional file may have.
    flat = dimensions[2] == 0
    with np.errstate(invalid="ignore"):  # angles that close no cell: zeros
        cell = triclinic_vectors(np.where([False, False, flat, False, False, False], 1.0, dimensions), dtype=np.float64)
    if not cell.any():
        return None
    # Cosines of 90 degrees leave rounding errors that would make a tilted cell of a straight one.
    cell[np.abs(cell) < 1e-14 * dimensions[:3].max()] = 0.0
    if flat:
        cell[2] = 0.0
    return cell


def of_dcd(numbers, remarks: str = "") -> np.ndarray | None:
    """Cell vectors of the six numbers of a DCD frame, or None if it has no box.

    Parameters
    ----------
    numbers : array_like, shape (6,)
        As they stand in the file.
    remarks : str, optional
        The titles of the file, which tell what wrote it.

    Returns
    -------
    ndarray, shape (3, 3), or None

    Raises
    ------
    InputError
        If they are a box by none of the conventions.

    Notes
    -----
    Nothing in the file says which of three conventions its numbers follow. CHARMM (whose titles begin with a star)
    writes the lower half of the symmetric matrix of its cell: vectors that lie as its positions do. LAMMPS, VMD and
    OpenMM write lengths and cosines, NAMD and MDAnalysis lengths and angles, in the order a, gamma, b, beta, alpha, c.
    """
    numbers = np.asarray(numbers, dtype=np.float64)
    lengths, others = numbers[[0, 2, 5]], numbers[[4, 3, 1]]
    if not lengths.any():
        return None
    if not np.all(np.isfinite(numbers)):
        raise InputError("the box contains NaN or infinity; the frame is damaged, leave it out or repair it")
    xx, xy, yy, xz, yz, zz = numbers
    matrix = np.array([[xx, xy, xz], [xy, yy, yz], [xz, yz, zz]])
    spanned = bool(np.all(np.linalg.eigvalsh(matrix) > 0))
    angular = bool(np.all(others >= 0) and np.all(others <= 180))
    if spanned and remarks.lstrip().startswith("*"):
        return matrix
    if np.all(np.abs(others) <= 1):
        return _of_cosines(lengths, others)
    if spanned and (not angular or others.min() < _SMALLEST_ANGLE):
        return matrix
    cell = cell_of([*lengths, *others]) if angular else None
    if cell is None:
        raise InputError(
            f"the box {' '.join(f'{number:.6g}' for number in numbers)} is neither cell vectors nor lengths and "
            "angles; the file is damaged, write it again"
        )
    return cell


def _of_cosines(lengths, cosines):
    """Cell with a along x and b in the xy plane, from lengths and cosines of alpha, beta and gamma."""
    (a, b, c), (alpha, beta, gamma) = lengths, cosines
    height = np.sqrt(1 - gamma**2)
    if a <= 0 or b <= 0 or c < 0 or height == 0:
        raise InputError("the box has no volume; write the file again")
    across = (alpha - beta * gamma) / height
    rest = 1 - beta**2 - across**2
    if rest <= 0:
        raise InputError("the angles of the box close no cell; the file is damaged, write it again")
    return np.array([[a, 0.0, 0.0], [b * gamma, b * height, 0.0], [c * beta, c * across, c * np.sqrt(rest)]])


def of_gro(line: str) -> np.ndarray:
    """Cell vectors [nm] of the last line of a GRO frame: three or nine numbers."""
    try:
        numbers = np.array(line.split(), dtype=np.float64)
    except ValueError:  # numbers that touch each other
        numbers = np.array(re.findall(r"-?\d+\.\d{5}", line), dtype=np.float64)
    if numbers.size not in (3, 9):
        raise InputError("the last line, the box, is not three or nine numbers; write the file again")
    x, y, z, xy, xz, yx, yz, zx, zy = np.concatenate([numbers, np.zeros(9 - numbers.size)])
    return np.array([[x, xy, xz], [yx, y, yz], [zx, zy, z]])


def of_tpr(path) -> np.ndarray | None:
    """Cell vectors [nm] of a TPR file, or None."""
    from MDAnalysis.topology.tpr import setting, utils

    with openany(path, mode="rb") as file:
        data = utils.TPXUnpacker(file.read())
    header = utils.read_tpxheader(data)
    if not header.bBox:
        return None
    if header.fver >= setting.tpxv_AddSizeField and header.fgen >= 27:
        data = utils.TPXUnpacker2020.from_unpacker(data)
    return np.array(utils.extract_box_info(data, header.fver).size, dtype=np.float64)


def of_inpcrd(path, n: int) -> np.ndarray | None:
    """Cell vectors of an Amber coordinate or restart file: what stands behind positions and velocities, or None."""
    with open(path) as file:
        lines = [line.rstrip("\n") for line in file][2:]
    rows = (n + 1) // 2
    while lines and not lines[-1].strip():
        lines.pop()
    if len(lines) not in (rows + 1, 2 * rows + 1):
        return None
    last = lines[-1]
    try:
        numbers = [float(last[k : k + 12]) for k in range(0, len(last), 12)]
    except ValueError:
        return None
    if n == 1 and len(lines) == 2:
        return None  # one line more is a box or a velocity
    return cell_of([*numbers, 90.0, 90.0, 90.0][:6]) if len(numbers) in (3, 6) else None


def angle_of_prmtop(path) -> float | None:
    """Angle between the vectors of the box of an Amber topology, all three alike [degrees]; None for right angles.

    Raises
    ------
    InputError
        If the box is of a general shape, of which a text trajectory keeps the lengths only.
    """
    sections, current = {}, None
    with openany(path, mode="rt") as file:
        for line in file:
            if line.startswith("%FLAG"):
                current = sections.setdefault(line.split()[1], []) if line.split()[1] in _OF_BOX else None
            elif current is not None and not line.startswith("%"):
                current += line.split()
    try:
        shape, angle = int(sections["POINTERS"][27]), float(sections["BOX_DIMENSIONS"][0])
    except (KeyError, IndexError, ValueError):
        return None
    if shape == 2:
        return float(np.degrees(np.arccos(-1 / 3)))  # a truncated octahedron
    if shape == 3 or (shape == 1 and abs(angle - 90) > 1e-3):
        raise InputError(
            f"The box of {path} has no right angles, and an Amber text trajectory keeps its lengths only; write the "
            "trajectory as NetCDF (ioutfm=1, or cpptraj)."
        )
    return None


def scale_of_pdb(path) -> np.ndarray | None:
    """Matrix of the SCALE records of a PDB file, which takes positions to fractions of the cell, or None."""
    rows = {}
    with openany(path, mode="rt") as file:
        for line in file:
            if line.startswith(("ATOM", "HETATM")):
                break
            if line.startswith("SCALE") and line[5:6] in ("1", "2", "3"):
                try:
                    rows[line[5]] = [float(line[k : k + 10]) for k in (10, 20, 30)]
                except ValueError:
                    return None
    return np.array([rows[k] for k in "123"]) if len(rows) == 3 else None


def turned_by_scale(cell: np.ndarray | None, scale: np.ndarray | None) -> np.ndarray | None:
    """Turn the cell of a CRYST1 record as the SCALE records have it, if they are of the same cell.

    Parameters
    ----------
    cell : ndarray, shape (3, 3), or None
        With a along x and b in the xy plane.
    scale : ndarray, shape (3, 3), or None
        From `scale_of_pdb`. Six digits only: it gives the orientation, CRYST1 the cell.
    """
    if cell is None or scale is None or abs(np.linalg.det(scale)) < 1e-12:
        return cell
    inverse = np.linalg.inv(cell).T
    if np.abs(scale - inverse).max() < 1e-5:
        return cell
    metric, given = inverse @ inverse.T, scale @ scale.T
    if np.abs(metric - given).max() > 1e-5 * np.sqrt(metric.max()) + 1e-3 * metric.max():
        return cell  # of another cell: left over, or a placeholder
    left, _, right = np.linalg.svd(np.linalg.inv(inverse) @ scale)
    return cell @ (left @ right)
