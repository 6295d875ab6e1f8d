"""Silicon by the potential of T. Kumagai et al., Comput. Mater. Sci. 39, 457 (2007), as matscipy computes it."""

from matscipy.calculators.manybody import Manybody
from matscipy.calculators.manybody.explicit_forms import Kumagai
from matscipy.calculators.manybody.explicit_forms.kumagai import Kumagai_Comp_Mat_Sci_39_Si


def silicon():
    """Return the calculator, which has a Hessian of its own."""
    return Manybody(**Kumagai(Kumagai_Comp_Mat_Sci_39_Si))
