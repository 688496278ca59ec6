from dataclasses import fields
from pathlib import Path

import pytest

from server.config import InvalidSettings, Settings
from tests.server.conftest import ROOT


def test_defaults_listen_on_loopback_only():
    assert Settings.from_environment({}) == Settings()
    assert (Settings().host, Settings().port) == ("127.0.0.1", 8080)


def test_each_setting_is_read_from_its_variable():
    settings = Settings.from_environment(
        {"SEXTANT_PORT": "9000", "SEXTANT_MODEL": "mine.onnx", "SEXTANT_COMMIT_TIMEOUT_S": "2.5"}
    )

    assert settings.port == 9000
    assert settings.model == Path("mine.onnx")
    assert settings.commit_timeout_s == 2.5


def test_an_empty_variable_means_the_default():
    assert Settings.from_environment({"SEXTANT_PORT": ""}).port == 8080


@pytest.mark.parametrize(
    ("variable", "text", "message"),
    [
        ("SEXTANT_PORT", "eighty", "SEXTANT_PORT: 'eighty' is not a whole number"),
        ("SEXTANT_PORT", "70000", "SEXTANT_PORT: 70000 is not between 0 and 65535"),
        ("SEXTANT_THREADS", "0", "SEXTANT_THREADS: 0 is not between 1 and 1000"),
        ("SEXTANT_STOP_TIMEOUT_S", "soon", "SEXTANT_STOP_TIMEOUT_S: 'soon' is not a number"),
        ("SEXTANT_STOP_TIMEOUT_S", "nan", "SEXTANT_STOP_TIMEOUT_S: nan is not between"),
        ("SEXTANT_COMMIT_TIMEOUT_S", "inf", "SEXTANT_COMMIT_TIMEOUT_S: inf is not between"),
        ("SEXTANT_MAX_CONNECTIONS", "110000", "SEXTANT_MAX_CONNECTIONS: 110000 is not between"),
        ("SEXTANT_MODEL_SHA256", "75315dcb", "'75315dcb' is not 64 hexadecimal digits"),
        ("SEXTANT_MAX_WAITING_ROWS", "5", "less than SEXTANT_MAX_INSTANCES, 10000"),
    ],
)
def test_a_bad_value_names_its_variable(variable, text, message):
    with pytest.raises(InvalidSettings, match=message):
        Settings.from_environment({variable: text})


def test_a_misspelt_variable_is_found():
    environment = {"SEXTANT_MODLE": "mine.onnx", "SEXTANT_PORT": "1", "HOME": "/"}

    assert Settings.unknown_variables(environment) == ["SEXTANT_MODLE"]


def test_every_setting_is_documented():
    documented = (ROOT / "docs" / "api.md").read_text()

    for field in fields(Settings):
        assert f"`SEXTANT_{field.name.upper()}`" in documented
