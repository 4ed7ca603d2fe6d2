"""The declared operators, field by field, against those of the onnx package."""

import json
import os
import pathlib
import re
import subprocess

import numpy as np
import onnx.defs
import pytest

BUILD = pathlib.Path(os.environ.get("SHIPWAY_BUILD", pathlib.Path(__file__).parents[2] / "build/release"))


def declared_by_shipway():
    program = BUILD / "tests" / "schema_dump"
    if not program.exists():
        pytest.skip(f"{program} is not built (target schema_dump; SHIPWAY_BUILD names another build folder)")
    return json.loads(subprocess.run([program], check=True, capture_output=True).stdout)


def type_text(text):
    """onnx writes the values of some maps without tensor(): map(int64, float) is map(int64,tensor(float))."""
    return re.sub(r"map\((\w+),(\w+)\)", r"map(\1,tensor(\2))", text.replace(" ", ""))


def parameters(declared):
    return [
        {
            "name": parameter.name,
            "option": parameter.option.name,
            "homogeneous": parameter.is_homogeneous,
            "min_arity": parameter.min_arity,
            "type": parameter.type_str,
            "types": sorted({type_text(text) for text in parameter.types}),
        }
        for parameter in declared
    ]


def default(attribute):
    value = attribute.default_value
    if not value.name:
        return None
    value = onnx.helper.get_attribute_value(value)
    if isinstance(value, bytes):
        return value.decode()
    if isinstance(value, list):
        return [item.decode() if isinstance(item, bytes) else item for item in value]
    return value


def declared_by_onnx():
    return [
        {
            "domain": schema.domain,
            "name": schema.name,
            "since": schema.since_version,
            "deprecated": schema.deprecated,
            "experimental": schema.support_level == onnx.defs.OpSchema.SupportType.EXPERIMENTAL,
            "inputs": parameters(schema.inputs),
            "outputs": parameters(schema.outputs),
            "arity": [schema.min_input, schema.max_input, schema.min_output, schema.max_output],
            "attributes": {
                name: (attribute.type.name.lower(), attribute.required, default(attribute))
                for name, attribute in schema.attributes.items()
            },
            "constraints": [
                (constraint.type_param_str, sorted({type_text(t) for t in constraint.allowed_type_strs}))
                for constraint in schema.type_constraints
            ],
        }
        for schema in onnx.defs.get_all_schemas_with_history()
    ]


def same_default(ours, theirs):
    if isinstance(theirs, float):
        return np.float32(ours) == np.float32(theirs)
    return ours == theirs


def test_all_versions_agree_with_onnx():
    key = lambda schema: (schema["domain"], schema["name"], schema["since"])  # noqa: E731
    ours = {key(schema): schema for schema in declared_by_shipway()}
    theirs = {key(schema): schema for schema in declared_by_onnx()}
    assert ours.keys() == theirs.keys()
    for at, expected in theirs.items():
        found = ours[at]
        for side in ("inputs", "outputs"):
            for parameter in found[side]:
                parameter["types"] = sorted(parameter["types"])
        for field in ("deprecated", "experimental", "inputs", "outputs", "arity"):
            assert found[field] == expected[field], (at, field)
        assert [
            (constraint["name"], sorted(constraint["types"])) for constraint in found["constraints"]
        ] == expected["constraints"], at
        attributes = {attribute["name"]: attribute for attribute in found["attributes"]}
        assert attributes.keys() == expected["attributes"].keys(), at
        for name, (type_name, required, value) in expected["attributes"].items():
            attribute = attributes[name]
            assert (attribute["type"], attribute["required"]) == (type_name, required), (at, name)
            assert same_default(attribute["default"], value), (at, name)
