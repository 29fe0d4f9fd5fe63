"""Registers in compiled functions: 16 lanes of float32 or 64 lanes of int8, in 64 bytes.

What a register holds follows from the array that it is loaded from. All operations are LLVM's
own, which has machine code for them on every processor; where registers are shorter it uses
two or four. Inside a compiled function, for contiguous arrays and places in bytes (uint64),

    x = load(array, place)      64 bytes of float32 or int8
    store(array, place, x)      the same the other way, from `bnnkit.kernels._vector`
    zeros(array)                what `load` would give if all were 0
    floats(array, place)        16 numbers of any type as float32
    splat(number)               one float32 or float64 in 16 lanes
    wide(x)                     float32 as float64
    x + y, x - y, x * y, x / y  lane by lane; int8 modulo 256
    not_negative(x)             int8 ones where x >= 0
    within(x)                   float32 ones where abs(x) <= 1
    keep(x, count)              zeros in all but the first `count` lanes
    add_to(array, place, x)     add to numbers of the array, which may be wider than those of x
    fused(x, y, z)              x * y + z, rounded once where the processor can
    total(array, place)         sum of 16 numbers, as float64
    transpose(a, place, step, b, to, to_step)
                                16 times 16 numbers of a, `step` bytes apart, with rows and
                                columns exchanged, to b, `to_step` bytes apart

Nothing checks the bounds. Places that are multiples of 64 in arrays made by `aligned` are fast.
"""

import operator

import numpy as np
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.core.imputils import lower_builtin
from numba.core.typing.templates import AbstractTemplate, infer_global, signature
from numba.extending import intrinsic, models, register_model

from bnnkit.kernels._vector import address_of, spread

REGISTER = 64  # bytes
_FLOATS = 16
_PAGE = 1 << 21


def aligned(shape, dtype):
    """An array of zeros that starts at a multiple of 64 bytes.

    From 256 KiB on it starts at a multiple of 2 MiB, in an allocation for which NumPy asks the
    system for large pages: addresses are then translated in far fewer steps.
    """
    count = int(np.prod(shape)) * np.dtype(dtype).itemsize
    unit, least = (_PAGE, 2 * _PAGE) if count >= _PAGE // 8 else (REGISTER, 0)
    memory = np.zeros(max(count + unit, least), np.uint8)
    start = -memory.ctypes.data % unit
    return memory[start : start + count].view(dtype).reshape(shape)


class Lanes(types.Type):
    """The type of a register of `count` numbers of type `element`."""

    def __init__(self, element, count):
        self.element, self.count = element, count
        super().__init__(name=f"Lanes({element}, {count})")


_F32, _F64 = Lanes(types.float32, _FLOATS), Lanes(types.float64, _FLOATS)


@register_model(Lanes)
class _LanesModel(models.PrimitiveModel):
    def __init__(self, manager, lanes):
        element = manager[lanes.element].get_value_type()
        super().__init__(manager, lanes, ir.VectorType(element, lanes.count))


def _loaded(array):
    """What `load` gives for an array."""
    return Lanes(array.dtype, REGISTER * 8 // array.dtype.bitwidth)


def _read(context, builder, array, value, place, vector):
    return builder.load(address_of(context, builder, array, value, place, vector), align=1)


@intrinsic
def load(typing, array, place):
    """The 64 bytes of `array` from byte `place` on."""
    lanes = _loaded(array)

    def code(context, builder, signature, arguments):
        return _read(context, builder, array, *arguments, context.get_value_type(lanes))

    return lanes(array, types.uint64), code


@intrinsic
def zeros(typing, array):
    """A register of zeros, as `load` from `array` would give it."""
    lanes = _loaded(array)
    return lanes(array), lambda context, *_: ir.Constant(context.get_value_type(lanes), None)


@intrinsic
def floats(typing, array, place):
    """16 numbers of `array` from byte `place` on, as float32."""

    def code(context, builder, signature, arguments):
        return _read_floats(context, builder, array, *arguments)

    return _F32(array, types.uint64), code


def _read_floats(context, builder, array, value, place):
    vector = ir.VectorType(context.get_value_type(array.dtype), _FLOATS)
    numbers = _read(context, builder, array, value, place, vector)
    if array.dtype == types.float32:
        return numbers
    convert = builder.sitofp if array.dtype.signed else builder.uitofp
    return convert(numbers, context.get_value_type(_F32))


@intrinsic
def splat(typing, number):
    """A float32 or float64 in 16 lanes."""
    lanes = Lanes(number, _FLOATS)

    def code(context, builder, signature, arguments):
        return spread(builder, arguments[0], context.get_value_type(lanes))

    return lanes(number), code


@intrinsic
def wide(typing, x):
    """float32 as float64."""
    return _F64(x), lambda context, builder, _, xs: builder.fpext(
        xs[0], context.get_value_type(_F64)
    )


@intrinsic
def not_negative(typing, x):
    """int8 ones in the lanes where x >= 0, zeros elsewhere."""

    def code(context, builder, signature, arguments):
        vector = arguments[0]
        holds = builder.fcmp_ordered(">=", vector, ir.Constant(vector.type, None))
        return builder.zext(holds, ir.VectorType(ir.IntType(8), _FLOATS))

    return Lanes(types.int8, _FLOATS)(x), code


@intrinsic
def within(typing, x):
    """float32 ones in the lanes where abs(x) <= 1, zeros elsewhere."""

    def code(context, builder, signature, arguments):
        vector = arguments[0]
        least = builder.fcmp_ordered(">=", vector, ir.Constant(vector.type, [-1.0] * _FLOATS))
        most = builder.fcmp_ordered("<=", vector, ir.Constant(vector.type, [1.0] * _FLOATS))
        return builder.uitofp(builder.and_(least, most), vector.type)

    return x(x), code


@intrinsic
def keep(typing, x, count):
    """Zeros in all but the first `count` (uint64) of 16 lanes."""

    def code(context, builder, signature, arguments):
        vector, count = arguments
        lanes = ir.VectorType(count.type, _FLOATS)
        limit = spread(builder, count, lanes)
        kept = builder.icmp_unsigned("<", ir.Constant(lanes, list(range(_FLOATS))), limit)
        return builder.select(kept, vector, ir.Constant(vector.type, None))

    return x(x, types.uint64), code


@intrinsic
def add_to(typing, array, place, lanes):
    """Add `lanes` to as many numbers of `array` from byte `place` on."""

    def code(context, builder, signature, arguments):
        *where, vector = arguments
        total = ir.VectorType(context.get_value_type(array.dtype), lanes.count)
        address = address_of(context, builder, array, *where, total)
        if array.dtype != lanes.element:
            widen = builder.fpext if _is_real(vector) else builder.sext
            vector = widen(vector, total)
        builder.store(_add(builder, builder.load(address, align=1), vector), address, align=1)
        return context.get_dummy_value()

    return types.void(array, types.uint64, lanes), code


@intrinsic
def total(typing, array, place):
    """Sum of the 16 numbers (float32 or float64) of `array` from byte `place` on, as float64."""

    def code(context, builder, signature, arguments):
        vector = ir.VectorType(context.get_value_type(array.dtype), _FLOATS)
        numbers = _read(context, builder, array, *arguments, vector)
        wide_vector = context.get_value_type(_F64)
        if vector != wide_vector:
            numbers = builder.fpext(numbers, wide_vector)
        for half in (8, 4, 2, 1):
            moved = builder.shuffle_vector(
                numbers, numbers, _mask([*range(half, 16), *range(half)])
            )
            numbers = builder.fadd(numbers, moved)
        return builder.extract_element(numbers, ir.IntType(32)(0))

    return types.float64(array, types.uint64), code


@intrinsic
def fused(typing, x, y, z):
    """Product plus `z`, rounded once where the processor can."""

    def code(context, builder, signature, arguments):
        vector = arguments[0].type
        kind = ir.FunctionType(vector, [vector] * 3)
        function = cgutils.get_or_insert_function(builder.module, kind, "llvm.fmuladd.v16f32")
        return builder.call(function, arguments)

    return _F32(_F32, _F32, _F32), code


@intrinsic
def transpose(typing, source, place, step, target, to, to_step):
    """Write the 16 numbers from `place` on, and those of 15 more rows, as columns."""

    def code(context, builder, signature, arguments):
        values, place, step, target_values, to, to_step = arguments
        rows = []
        for _ in range(_FLOATS):
            rows.append(_read_floats(context, builder, source, values, place))
            place = builder.add(place, step)
        vector = ir.VectorType(context.get_value_type(target.dtype), _FLOATS)
        for row in _transposed(builder, rows):
            numbers = row if row.type == vector else builder.fptosi(row, vector)
            address = address_of(context, builder, target, target_values, to, vector)
            builder.store(numbers, address, align=1)
            to = builder.add(to, to_step)
        return context.get_dummy_value()

    places = types.uint64
    return types.void(source, places, places, target, places, places), code


def _transposed(builder, rows):
    """Exchange halves of pairs of rows, then quarters, eighths and single lanes."""
    for step in (8, 4, 2, 1):
        exchanged = list(rows)
        for i in (i for i in range(_FLOATS) if not i & step):
            low = [k - step + _FLOATS if k & step else k for k in range(_FLOATS)]
            high = [k + _FLOATS if k & step else k + step for k in range(_FLOATS)]
            pair = rows[i], rows[i + step]
            exchanged[i], exchanged[i + step] = (
                builder.shuffle_vector(*pair, _mask(places)) for places in (low, high)
            )
        rows = exchanged
    return rows


def _mask(places):
    return ir.Constant(ir.VectorType(ir.IntType(32), _FLOATS), places)


def _is_real(vector):
    return not isinstance(vector.type.element, ir.IntType)


def _add(builder, x, y):
    return builder.fadd(x, y) if _is_real(x) else builder.add(x, y)


def _subtract(builder, x, y):
    return builder.fsub(x, y) if _is_real(x) else builder.sub(x, y)


def _operator(symbol, code):
    """Give two registers of one type the operator `symbol`."""

    @infer_global(symbol)
    class _Typing(AbstractTemplate):
        def generic(self, args, kws):
            if len(args) == 2 and isinstance(args[0], Lanes) and args[0] == args[1]:
                return signature(args[0], *args)

    @lower_builtin(symbol, Lanes, Lanes)
    def _lowering(context, builder, signature, arguments):
        return code(builder, *arguments)


_operator(operator.add, _add)
_operator(operator.sub, _subtract)
_operator(operator.mul, lambda builder, x, y: builder.fmul(x, y))
_operator(operator.truediv, lambda builder, x, y: builder.fdiv(x, y))
