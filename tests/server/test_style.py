"""The colours of the classes, as the eyes of everybody see them."""

import itertools
import re

import numpy as np
import pytest

from tests.server.conftest import ROOT

STYLE = (ROOT / "server" / "static" / "style.css").read_text()
# G. M. Machado, M. M. Oliveira, L. A. F. Fernandes: A physiologically-based model for simulation
# of color vision deficiency, 2009, for the severity 1.
SEEN = {
    "normal": np.eye(3),
    "protanopia": [
        [0.152286, 1.052583, -0.204868],
        [0.114503, 0.786281, 0.099216],
        [-0.003882, -0.048116, 1.051998],
    ],
    "deuteranopia": [
        [0.367322, 0.860646, -0.227968],
        [0.280085, 0.672501, 0.047413],
        [-0.011820, 0.042940, 0.968881],
    ],
    "tritanopia": [
        [1.255528, -0.076749, -0.178779],
        [-0.078411, 0.930809, 0.147602],
        [0.004733, 0.691367, 0.303900],
    ],
}
TO_XYZ = [[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]]


def linear(colour):
    parts = np.array([int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)])
    return np.where(parts <= 0.04045, parts / 12.92, ((parts + 0.055) / 1.055) ** 2.4)


def lab(light):
    x, y, z = (np.array(TO_XYZ) @ np.clip(light, 0, 1)) / [0.95047, 1, 1.08883]
    x, y, z = (np.cbrt(t) if t > 0.008856 else 7.787 * t + 16 / 116 for t in (x, y, z))
    return np.array([116 * y - 16, 500 * (x - y), 200 * (y - z)])


def colours(name):
    """Return the values of a custom property: the light one, then the dark one."""
    return re.findall(rf"--{name}: (#[0-9a-f]{{6}})", STYLE)


@pytest.mark.parametrize("scheme", [0, 1], ids=["light", "dark"])
@pytest.mark.parametrize("eyes", SEEN)
def test_every_two_classes_can_be_told_apart(eyes, scheme):
    seen = [
        lab(np.array(SEEN[eyes]) @ linear(colours(f"class-{number}")[scheme]))
        for number in range(8)
    ]

    least = min(np.linalg.norm(a - b) for a, b in itertools.combinations(seen, 2))

    assert least >= 17


@pytest.mark.parametrize("scheme", [0, 1], ids=["light", "dark"])
@pytest.mark.parametrize("number", range(8))
def test_every_class_stands_out_from_the_paper(number, scheme):
    luminances = [
        np.dot(TO_XYZ[1], linear(colours(name)[scheme])) for name in ("paper", f"class-{number}")
    ]

    assert (max(luminances) + 0.05) / (min(luminances) + 0.05) >= 3
