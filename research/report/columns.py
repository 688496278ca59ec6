"""What every column of the table is, who measured it, and what is done with it."""

from typing import NamedTuple


class Column(NamedTuple):
    """A column of the survey table."""

    meaning: str
    source: str
    unit: str
    decision: str


_IMAGE = "imaging camera, photo pipeline"
_SPECTRUM = "spectrograph, idlspec2d pipeline"
_BOOKKEEPING = "left out: bookkeeping"

COLUMNS = {
    "objid": Column("id of the detection in an image", "catalogue", "", "left out: 15 digits left"),
    "ra": Column("right ascension, J2000", _IMAGE, "degree", "left out: where was looked"),
    "dec": Column("declination, J2000", _IMAGE, "degree", "left out: where was looked"),
    "u": Column("model magnitude, ultraviolet", _IMAGE, "mag", "kept, as the colour u-g"),
    "g": Column("model magnitude, green", _IMAGE, "mag", "kept, in two colours"),
    "r": Column("model magnitude, red", _IMAGE, "mag", "kept, alone and in two colours"),
    "i": Column("model magnitude, near infrared", _IMAGE, "mag", "kept, in two colours"),
    "z": Column("model magnitude, infrared", _IMAGE, "mag", "kept, as the colour i-z"),
    "run": Column("number of the scan", _IMAGE, "", _BOOKKEEPING),
    "rerun": Column("number of the processing", _IMAGE, "", "left out: constant"),
    "camcol": Column("column of the camera", _IMAGE, "", _BOOKKEEPING),
    "field": Column("part of the scan", _IMAGE, "", _BOOKKEEPING),
    "specobjid": Column("id of the spectrum", "catalogue", "", "left out: holds plate and date"),
    "class": Column("what the spectrum's best fit is", _SPECTRUM, "", "the target"),
    "redshift": Column("redshift of that same fit", _SPECTRUM, "", "kept for one of two heads"),
    "plate": Column("plate that held the fibre", "targeting", "", "left out; groups the folds"),
    "mjd": Column("night of the spectrum", "targeting", "day", "left out: an era of the survey"),
    "fiberid": Column("fibre on the plate", "targeting", "", _BOOKKEEPING),
}
