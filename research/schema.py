"""The survey table as it should be: its columns, what each may hold, and what may be missing."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal, NamedTuple

TARGET = "class"
GROUP = "plate"
CLASSES = ("GALAXY", "QSO", "STAR")
# A made table carries this column, so that no copy of it in any format passes for the sky.
SYNTHETIC = "synthetic"

# The survey writes these where a measurement failed.
SENTINELS = (-9999.0, -999.0, -99.0, 9999.0, 999.0, 99.0)
# What people and programs write for no value, in lower case.
BLANKS = ("", "nan", "null", "none", "na", "n/a", "nat", "<na>", "--")


class InvalidTable(ValueError):
    """The table cannot be trusted; the message names the place and the mend."""


class Feature(NamedTuple):
    """What a person must know of a feature to give a value for it."""

    unit: str
    meaning: str
    nullable: bool = False
    domain: tuple[float | None, float | None] | None = None


@dataclass(frozen=True)
class Column:
    """What a column may hold: a value in it that is anything else rejects the row.

    A row without a needed value is rejected too; a table without a needed column is refused.
    """

    name: str
    meaning: str
    kind: Literal["number", "whole", "id", "class", "flag"]
    unit: str = ""
    low: float = 0.0
    high: float = 0.0
    needed: bool = False
    aliases: tuple[str, ...] = ()


# Zero flux is magnitude 24.6 in u; a negative one reaches a few magnitudes further.
_FAINTEST = 35.0
# 64 bits, which some databases show as signed.
_IDS = (-float(2**63), float(2**64 - 2**11))
_MAGNITUDE = "model magnitude in the {} band, asinh scale, not corrected for Galactic dust"
_REDSHIFT = "redshift measured in the object's spectrum"


def _band(name: str) -> Column:
    aliases = (f"modelmag_{name}", f"{name}mag", f"mag_{name}")
    meaning = _MAGNITUDE.format(name)
    return Column(name, meaning, "number", "mag", 0.0, _FAINTEST, needed=True, aliases=aliases)


# The bits of specobjid bound plate (14), fiberid (12) and mjd (14, from 50000); the instrument had
# 640 fibres, later 1000. Ranges are wide: they find a wrong column or a wrong unit, no odd object.
COLUMNS = (
    *(_band(name) for name in "ugriz"),
    Column("redshift", _REDSHIFT, "number", "", -0.1, 10.0, True, ("z_spec", "zspec", "specz")),
    Column(TARGET, "class of the object, from its spectrum", "class", needed=True),
    Column(GROUP, "plate of the spectrum", "whole", "", 1, 16383, True, ("plate_id",)),
    Column("mjd", "modified Julian date of the spectrum", "whole", "d", 50000, 66383),
    Column(
        "fiberid", "fibre of the spectrum", "whole", "", 1, 1000, aliases=("fiber_id", "fibreid")
    ),
    Column("ra", "right ascension, J2000", "number", "deg", 0, 360, aliases=("alpha", "raj2000")),
    Column(
        "dec", "declination, J2000", "number", "deg", -90, 90, aliases=("delta", "decl", "dej2000")
    ),
    Column("run", "imaging scan", "whole", "", 1, 65535, aliases=("run_id",)),
    Column("rerun", "processing of the imaging", "whole", "", 0, 2047, aliases=("rerun_id",)),
    Column("camcol", "column of the camera", "whole", "", 1, 6, aliases=("cam_col",)),
    Column("field", "field of the scan", "whole", "", 0, 4095, aliases=("field_id",)),
    Column("objid", "imaging object", "id", "", *_IDS, aliases=("obj_id",)),
    Column("specobjid", "spectrum", "id", "", *_IDS, aliases=("spec_obj_id", "spec_objid")),
    Column(SYNTHETIC, "the row is made, not measured", "flag"),
)
_BY_NAME = {column.name: column for column in COLUMNS}

# objid, specobjid, run, rerun, camcol and field are bookkeeping. ra and dec are where the survey
# happened to look, plate, mjd and fiberid when and how it took a spectrum: plates were drilled for
# one kind of target, so they tell the class for reasons no new object shares.
# The sample ends at u = 19.6 and g = 20: beyond lie other kinds of objects in other proportions.
DOMAIN = {"u": 19.6, "g": 20.0}
FEATURES = {
    **{
        band: Feature(
            "mag", _BY_NAME[band].meaning, domain=(None, DOMAIN[band]) if band in DOMAIN else None
        )
        for band in "ugriz"
    },
    "redshift": Feature("", _REDSHIFT, nullable=True),
}


def match_columns(names: Iterable[str], source: str) -> Mapping[str, str]:
    """Return by our name of a column the name the source gives it.

    Raises
    ------
    InvalidTable
        When a needed column is missing, or two columns claim to be the same.
    """
    names = list(names)
    ours = {alias: each.name for each in COLUMNS for alias in (each.name, *each.aliases)}
    found: dict[str, str] = {}
    for name in names:
        ours_is = ours.get(name.strip().lower())
        if ours_is in found:
            raise InvalidTable(
                f"{source} has two columns for {ours_is}: {found[ours_is]} and {name}. "
                "Remove or rename one."
            )
        if ours_is:
            found[ours_is] = name
    missing = [each.name for each in COLUMNS if each.needed and each.name not in found]
    if missing:
        raise InvalidTable(
            f"{source} has no column {', '.join(missing)}; it has {', '.join(names) or 'none'}. "
            "Name the columns as the survey does."
        )
    return {column.name: found[column.name] for column in COLUMNS if column.name in found}
