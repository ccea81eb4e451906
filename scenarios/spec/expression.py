"""Rates by year as short arithmetic that is safe to read from a file: numbers, `year`, and a few functions."""

from __future__ import annotations

import ast
import math
import operator
from collections.abc import Callable

_LONGEST = 200
_OPERATORS: dict[type[ast.operator], Callable[[float, float], float]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.Pow: math.pow,
}
_FUNCTIONS: dict[str, Callable[..., float]] = {"min": min, "max": max, "exp": math.exp, "log": math.log}
_ALLOWED = "numbers, year, + - * / **, parentheses, and min, max, exp, log"


def rate_in(text: str, year: int) -> float:
    """Return the value of an expression of ``year``.

    Parameters
    ----------
    text : numbers, ``year``, ``+ - * / **``, parentheses, ``min``, ``max``, ``exp`` and ``log``
    year : calendar year

    Returns
    -------
    float, a rate: from 0 to 1

    Raises
    ------
    ValueError
        It is no such expression, or its value is no rate.

    Examples
    --------
    >>> rate_in("0.004 * 1.02 ** (year - 2020)", 2021)
    0.00408
    """
    if len(text) > _LONGEST:
        raise ValueError(f"the expression has {len(text)} characters; at most {_LONGEST} are read")
    try:
        tree = ast.parse(text.strip(), mode="eval")
    except SyntaxError as error:
        raise ValueError(f"{text!r} is no expression: {error.msg}; allowed are {_ALLOWED}") from error
    try:
        rate = _value(tree.body, float(year))
    except (ArithmeticError, TypeError) as error:
        raise ValueError(f"{text!r} has no value in {year}: {error}") from error
    if not 0 <= rate <= 1:
        raise ValueError(f"{text!r} is {rate:.4g} in {year}; a rate is from 0 to 1, as in max(0, ...)")
    return rate


def _value(node: ast.expr, year: float) -> float:
    match node:
        case ast.Constant(value=int() | float() as number) if not isinstance(number, bool):
            return float(number)
        case ast.Name(id="year"):
            return year
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            return -_value(operand, year)
        case ast.BinOp(left=left, op=op, right=right) if type(op) in _OPERATORS:
            return _calculate(_OPERATORS[type(op)], [_value(left, year), _value(right, year)])
        case ast.Call(func=ast.Name(id=name), args=[_, *_] as inside, keywords=[]) if name in _FUNCTIONS:
            return _calculate(_FUNCTIONS[name], [_value(each, year) for each in inside])
    raise ValueError(f"{ast.unparse(node)!r} is not allowed; allowed are {_ALLOWED}")


def _calculate(function: Callable[..., float], values: list[float]) -> float:
    try:
        return function(*values)
    except ValueError as error:  # the logarithm of nothing, the root of less
        raise ArithmeticError(str(error)) from error
