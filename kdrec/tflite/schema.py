"""Names for the numbers of the TensorFlow Lite schema: operators and element types."""

import numpy as np
from ai_edge_litert import schema_py_generated as schema

_OPERATORS = {code: name for name, code in vars(schema.BuiltinOperator).items() if not name.startswith("_")}
_TYPES = {code: name.lower() for name, code in vars(schema.TensorType).items() if not name.startswith("_")}

BUILTIN_OPERATORS = frozenset(_OPERATORS.values())


def operator_name(code: schema.OperatorCodeT) -> str:
    """The name of an operator: `FULLY_CONNECTED`, or for a custom one its own name.

    Files older than schema version 3a keep the number in a field of one byte; the larger field counts.

    >>> operator_name(schema.OperatorCodeT(builtinCode=schema.BuiltinOperator.GATHER))
    'GATHER'
    """
    number = max(code.builtinCode, code.deprecatedBuiltinCode)
    if number == schema.BuiltinOperator.CUSTOM:
        custom = code.customCode
        return custom.decode() if custom else "CUSTOM"
    return _OPERATORS.get(number, f"UNKNOWN_{number}")


def type_name(code: int) -> str:
    """The name of an element type, as numpy spells it where numpy has it.

    >>> type_name(schema.TensorType.INT8)
    'int8'
    """
    return _TYPES.get(code, f"unknown_{code}")


def numpy_type(code: int) -> np.dtype:
    """The numpy type of a tensor's elements.

    Raises:
        TypeError: numpy has no such type (int4, strings, resources).

    >>> numpy_type(schema.TensorType.FLOAT16)
    dtype('float16')
    """
    return np.dtype(type_name(code))
