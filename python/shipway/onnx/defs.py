"""onnx.defs: what ONNX declares of its operators, in every version, from the tables that the checker uses."""
import enum
import functools
import re
from typing import Any, Dict, List, NamedTuple, Set, Tuple, Union

from .. import _core
from ..errors import NotFound as SchemaError
from .messages import AttributeProto

ONNX_DOMAIN = ""
ONNX_ML_DOMAIN = "ai.onnx.ml"
AI_ONNX_PREVIEW_DOMAIN = "ai.onnx.preview"
AI_ONNX_PREVIEW_TRAINING_DOMAIN = "ai.onnx.preview.training"


class _FormalParameterOption(enum.Enum):
    Single = 0
    Optional = 1
    Variadic = 2


class _SupportType(enum.Enum):
    COMMON = 0
    EXPERIMENTAL = 1


_AttrType = enum.Enum("_AttrType", {name: number for name, number in AttributeProto.AttributeType.items() if number})  # type: ignore[misc]


class _FormalParameter(NamedTuple):
    name: str
    option: _FormalParameterOption
    is_homogeneous: bool
    min_arity: int
    type_str: str
    types: Set[str]


class _Attribute(NamedTuple):
    name: str
    type: Any
    required: bool
    default_value: Any


class _TypeConstraintParam(NamedTuple):
    type_param_str: str
    allowed_type_strs: List[str]


class OpSchema:
    """One version of an operator. `doc` is one line; parameters have no descriptions here."""

    AttrType = _AttrType
    Attribute = _Attribute
    FormalParameter = _FormalParameter
    FormalParameterOption = _FormalParameterOption
    SupportType = _SupportType
    TypeConstraintParam = _TypeConstraintParam

    def __init__(self, entry: Dict[str, Any]) -> None:
        self.domain: str = entry["domain"]
        self.name: str = entry["name"]
        self.doc: str = entry["doc"]
        self.since_version: int = entry["since_version"]
        self.deprecated: bool = entry["deprecated"]
        self.support_level = _SupportType.EXPERIMENTAL if entry["experimental"] else _SupportType.COMMON
        self.min_input: int = entry["min_input"]
        self.max_input: int = entry["max_input"]
        self.min_output: int = entry["min_output"]
        self.max_output: int = entry["max_output"]
        self.inputs = [_parameter(parameter) for parameter in entry["inputs"]]
        self.outputs = [_parameter(parameter) for parameter in entry["outputs"]]
        self.attributes = {name: _attribute(name, kind, required, default) for name, kind, required, default in entry["attributes"]}
        self.type_constraints = [_TypeConstraintParam(name, _as_onnx(types)) for name, types in entry["type_constraints"]]

    @staticmethod
    def is_infinite(v: int) -> bool:
        """Whether a number of inputs or outputs means any number."""
        return v == 2**31 - 1

    def __repr__(self) -> str:
        return f"OpSchema(name={self.name!r}, domain={self.domain!r}, since_version={self.since_version})"


def _as_onnx(types: List[str]) -> List[str]:
    """onnx writes "map(int64, float)" here, and "map(int64,tensor(float))" elsewhere."""
    return [re.sub(r"map\((\w+),tensor\((\w+)\)\)", r"map(\1, \2)", kind) for kind in types]


def _parameter(entry: Tuple[Any, ...]) -> _FormalParameter:
    name, option, homogeneous, least, type_str, types = entry
    return _FormalParameter(name, _FormalParameterOption(option), homogeneous, least, type_str, set(types))


def _attribute(name: str, kind: str, required: bool, default: Any) -> _Attribute:
    value = AttributeProto()
    number = AttributeProto.AttributeType.Value(kind.upper())
    if default is not None:
        from .helper import make_attribute
        value = make_attribute(name, default, attr_type=number)
    return _Attribute(name, _AttrType(number), required, value)


@functools.lru_cache(maxsize=None)
def _versions() -> Dict[Tuple[str, str], List[OpSchema]]:
    """The versions of each operator, by domain and name, oldest first."""
    versions: Dict[Tuple[str, str], List[OpSchema]] = {}
    for entry in _core.schemas():
        if entry["domain"] != "shipway":  # operators that only Shipway has are not ONNX's
            versions.setdefault((entry["domain"], entry["name"]), []).append(OpSchema(entry))
    return versions


def _find(op_type: str, version_or_domain: Union[int, str, None], domain: str) -> List[OpSchema]:
    if isinstance(version_or_domain, str):
        return _find(op_type, None, version_or_domain)
    found = _versions().get(("" if domain == "ai.onnx" else domain, op_type), [])
    return [schema for schema in found if version_or_domain is None or schema.since_version <= version_or_domain]


def has(op_type: str, max_inclusive_version: Union[int, str, None] = None, domain: str = "") -> bool:
    """Whether there is such an operator, at a version (when given). has("Conv", ""), has("Conv", 11, "")"""
    return bool(_find(op_type, max_inclusive_version, domain))


def get_schema(op_type: str, max_inclusive_version: Union[int, str, None] = None, domain: str = "") -> OpSchema:
    """The newest version of an operator, or the one that a version of its domain has. Raises SchemaError without one."""
    found = _find(op_type, max_inclusive_version, domain)
    if not found:
        if isinstance(max_inclusive_version, str):
            domain = max_inclusive_version
        raise SchemaError(f"there is no operator {op_type!r} in domain {domain or 'ai.onnx'!r}"
                          + (f" at version {max_inclusive_version}" if isinstance(max_inclusive_version, int) else ""))
    return found[-1]


def get_all_schemas() -> List[OpSchema]:
    """The newest version of every operator."""
    return [versions[-1] for versions in _versions().values()]


def get_all_schemas_with_history() -> List[OpSchema]:
    """Every version of every operator."""
    return [schema for versions in _versions().values() for schema in versions]


def onnx_opset_version() -> int:
    """The newest version of ai.onnx."""
    return _core.newest_opset("")


def onnx_ml_opset_version() -> int:
    """The newest version of ai.onnx.ml."""
    return _core.newest_opset(ONNX_ML_DOMAIN)


__all__ = [
    "AI_ONNX_PREVIEW_DOMAIN", "AI_ONNX_PREVIEW_TRAINING_DOMAIN", "ONNX_DOMAIN", "ONNX_ML_DOMAIN", "OpSchema", "SchemaError",
    "get_all_schemas", "get_all_schemas_with_history", "get_schema", "has", "onnx_ml_opset_version", "onnx_opset_version",
]
