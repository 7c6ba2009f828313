"""The JSON Schema of configuration files holds what the check takes."""

from __future__ import annotations

import json
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from omeroadmin.schema.catalog import settings
from omeroadmin.schema.emit import configuration_schema, configuration_schema_text
from omeroadmin.schema.values.words import example

SCHEMA = configuration_schema()
VALIDATOR = Draft202012Validator(SCHEMA)


def test_it_is_a_schema() -> None:
    Draft202012Validator.check_schema(SCHEMA)
    assert json.loads(configuration_schema_text()) == SCHEMA


def test_every_property_is_described() -> None:
    properties = SCHEMA["properties"]
    assert set(properties) == set(settings())
    assert [name for name, form in properties.items() if not form["description"]] == []
    assert properties["omero.db.pass"]["writeOnly"]
    assert properties["omero.db.port"]["default"] == 5432
    obsolete = {setting.name for setting in settings().values() if setting.obsolete}
    assert {name for name, form in properties.items() if form.get("deprecated")} == obsolete


@pytest.mark.parametrize("setting", settings().values(), ids=lambda setting: setting.name)
def test_defaults_and_examples_fit(setting: Any) -> None:
    form = SCHEMA["properties"][setting.name]
    defaults = [] if setting.has_no_default else [form["default"], setting.default]
    for value in [*defaults, example(setting), *form.get("examples", ())]:
        if value != "":
            assert VALIDATOR.is_valid({setting.name: value}), value


@pytest.mark.parametrize(
    "document",
    [
        {},
        {"omero.db.port": "5433", "omero.db.statistics": True},
        {"omero.threads.min_threads.blitz": 5},
        {"omero.web.apps": ["omero_figure"]},
        {"omero.web.apps": '["omero_figure"]'},
        {"omero.db.port": "${omero.other}"},
        {"omero.glacier2.IceSSL.DH.2048": "x", "Ice.ThreadPool.Server.Size": 3},
        {"own.name": "x"},
    ],
)
def test_documents_that_fit(document: dict[str, Any]) -> None:
    assert [error.message for error in VALIDATOR.iter_errors(document)] == []


@pytest.mark.parametrize(
    "document",
    [
        [],
        {"omero.db.port": 0},
        {"omero.db.port": "x"},
        {"omero.db.statistics": "perhaps"},
        {"omero.threads.min_threads.nobody": 5},
        {"omero.threads.min_threads.blitz": "x"},
        {"omero.db.hots": "localhost"},
        {"Ice.Nonsense": 1},
        {"omero.jvmcfg.strategy": "fifth"},
    ],
)
def test_documents_that_do_not(document: Any) -> None:
    assert not VALIDATOR.is_valid(document)
