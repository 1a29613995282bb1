# SPDX-License-Identifier: Apache-2.0
"""Tables of the GELU: int8[256], entry x & 255 is the output for the int8 input x.

Presets:
  i_gelu    the integer polynomial of I-BERT as in pulp-transformer, with the constants of a
            typical export, b = -49 and one = 2674: q = min(|x|, -b),
            L = sgn(x) (-(q + b)^2 + one), y = (x (one + L)) >> 1, clip8((y tot) >> log2D).
            The input scale follows from I-BERT's b = -1.769 = -49 scale / sqrt(2): 0.051056.
            tot = 1569, log2D = 22 (1569/2^22 = 1.0003/2674) give the output the same scale.
  accurate  round half up of the exact x/2 (1 + erf(x/sqrt(2))), input and output scale 1/20.
"""

from __future__ import annotations

from decimal import ROUND_FLOOR, Context, Decimal

I_GELU = (-49, 2674, 1569, 22)
ACCURATE_STEPS_PER_UNIT = 20


def _clip8(value: int) -> int:
    return min(max(value, -128), 127)


def i_gelu_table(b: int, one: int, tot: int, log2_d: int) -> list[int]:
    """Output for x = -128..127."""
    table = []
    for x in range(-128, 128):
        sign = (x > 0) - (x < 0)
        poly = sign * (one - (min(abs(x), -b) + b) ** 2)
        table.append(_clip8((((x * (one + poly)) >> 1) * tot) >> log2_d))
    return table


def _erf_over_sqrt2(x: Decimal, context: Context) -> Decimal:
    """erf(x / sqrt(2)), by the series x sqrt(2/pi) sum (-x^2/2)^n / (n! (2n + 1))."""
    pi = Decimal("3.14159265358979323846264338327950288419716939937511")
    half_square = context.divide(context.multiply(x, x), Decimal(-2))
    term, total, n = Decimal(1), Decimal(0), 0
    while n < 4 or abs(term) > Decimal("1e-30"):
        total = context.add(total, context.divide(term, Decimal(2 * n + 1)))
        n += 1
        term = context.divide(context.multiply(term, half_square), Decimal(n))
    scale = context.sqrt(context.divide(Decimal(2), pi))
    return context.multiply(context.multiply(x, scale), total)


def accurate_table(steps_per_unit: int) -> list[int]:
    """Output for x = -128..127; decimal arithmetic, the same on every machine."""
    context = Context(prec=50)
    table = []
    for x in range(-128, 128):
        erf = _erf_over_sqrt2(context.divide(Decimal(x), Decimal(steps_per_unit)), context)
        half = context.divide(Decimal(x), Decimal(2))
        exact = context.multiply(half, context.add(Decimal(1), erf))
        rounded = context.add(exact, Decimal("0.5")).to_integral_value(rounding=ROUND_FLOOR)
        table.append(_clip8(int(rounded)))
    return table


def preset_table(preset: str) -> list[int]:
    """The table of a preset in the order of the operand (index x & 255)."""
    accurate = preset == "accurate"
    table = accurate_table(ACCURATE_STEPS_PER_UNIT) if accurate else i_gelu_table(*I_GELU)
    return table[128:] + table[:128]
