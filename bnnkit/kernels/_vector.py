"""Registers of 32 bytes in compiled functions: one operation on 32 lanes of 8, or 16 of 16 bits.

numba has no name for such a register, so here are two types, `bytes32` and `halves16`, whose
values are vectors in LLVM's language. All operations are LLVM's own, which has machine code
for them on every processor. Inside a compiled function,

    x = load(array, place)         32 bytes from byte `place` of a contiguous array on
    store(array, place, x)         the same the other way
    store_word(array, place, word) a uint32 to the four bytes from byte `place` on
    splat(byte), splat16(half)     one number in every lane
    x & y, x | y, x ^ y, ~x        bit by bit
    x + y, x - y                   lane by lane, modulo 256 or 65,536
    x << n, x >> n                 each lane by n places; zeros enter
    popcount(x)                    ones in each lane
    less(x, y)                     lanes with x < y, unsigned: all ones there, zeros elsewhere
    top_bits(x)                    the highest bits of the 32 bytes as a uint32, lane 0 lowest
    as_halves(x), as_bytes(x)      the same 256 bits in other lanes, the even byte lowest
    merge_low(x, y), merge_high(x, y)   lanes of 16 in turn: x0 y0 x1 y1 .. and x8 y8 x9 y9 ..
    widen_low(x), widen_high(x)    bytes 0 to 15, or 16 to 31, as lanes of 16

Nothing checks the bounds of `load` and `store`: their arrays need as many bytes from every place.
"""

import operator

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.core.imputils import lower_builtin
from numba.core.typing.templates import AbstractTemplate, infer_global, signature
from numba.extending import intrinsic, models, register_model

VECTOR_BYTES = 32


class Vector(types.Type):
    """The type of a register of `lanes` unsigned integers."""

    def __init__(self, lanes):
        self.llvm = ir.VectorType(ir.IntType(8 * VECTOR_BYTES // lanes), lanes)
        super().__init__(name=f"Vector({lanes})")


bytes32 = Vector(32)
halves16 = Vector(16)


@register_model(Vector)
class _VectorModel(models.PrimitiveModel):
    def __init__(self, manager, vector):
        super().__init__(manager, vector, vector.llvm)


def address_of(context, builder, array_type, array, place, content):
    """Pointer to `content`, an LLVM type, at byte `place` of an array."""
    data = context.make_array(array_type)(context, builder, array).data
    start = builder.ptrtoint(data, place.type)
    return builder.inttoptr(builder.add(start, place), content.as_pointer())


@intrinsic
def load(typing, array, place):
    """32 bytes of `array` from byte `place` (uint64) on, as bytes32."""

    def code(context, builder, signature, arguments):
        address = address_of(context, builder, array, *arguments, bytes32.llvm)
        return builder.load(address, align=1)

    return bytes32(array, types.uint64), code


@intrinsic
def store(typing, array, place, value):
    """Write the bytes of `value`, any register, to `array` from byte `place` (uint64) on."""

    def code(context, builder, signature, arguments):
        *where, register = arguments
        address = address_of(context, builder, array, *where, register.type)
        builder.store(register, address, align=1)
        return context.get_dummy_value()

    return types.void(array, types.uint64, value), code


@intrinsic
def store_word(typing, array, place, word):
    """Write a uint32 to the four bytes of `array` from byte `place` (uint64) on."""

    def code(context, builder, signature, arguments):
        *where, number = arguments
        address = address_of(context, builder, array, *where, ir.IntType(32))
        builder.store(number, address, align=1)
        return context.get_dummy_value()

    return types.void(array, types.uint64, types.uint32), code


def spread(builder, number, vector):
    """`number` in every lane of `vector`, an LLVM type."""
    one = builder.insert_element(ir.Constant(vector, ir.Undefined), number, ir.IntType(32)(0))
    first = ir.Constant(ir.VectorType(ir.IntType(32), vector.count), None)  # lane 0, for each
    return builder.shuffle_vector(one, ir.Constant(vector, ir.Undefined), first)


@intrinsic
def splat(typing, byte):
    """A uint8 in all 32 lanes."""
    return bytes32(types.uint8), lambda _, builder, __, xs: spread(builder, xs[0], bytes32.llvm)


@intrinsic
def splat16(typing, half):
    """A uint16 in all 16 lanes."""
    return halves16(types.uint16), lambda _, builder, __, xs: spread(builder, xs[0], halves16.llvm)


@intrinsic
def as_halves(typing, x):
    """The same 256 bits in lanes of 16."""
    return halves16(x), lambda _, builder, __, xs: builder.bitcast(xs[0], halves16.llvm)


@intrinsic
def as_bytes(typing, x):
    """The same 256 bits in lanes of 8."""
    return bytes32(x), lambda _, builder, __, xs: builder.bitcast(xs[0], bytes32.llvm)


def _merge(x, y, start):
    lanes = [lane for i in range(start, start + 8) for lane in (i, i + 16)]
    chosen = ir.Constant(ir.VectorType(ir.IntType(32), 16), lanes)
    return halves16(x, y), lambda _, builder, __, xs: builder.shuffle_vector(*xs, chosen)


@intrinsic
def merge_low(typing, x, y):
    """Lanes 0 to 7 of two halves16 in turn."""
    return _merge(x, y, 0)


@intrinsic
def merge_high(typing, x, y):
    """Lanes 8 to 15 of two halves16 in turn."""
    return _merge(x, y, 8)


def _widen(x, start):
    half = ir.Constant(ir.VectorType(ir.IntType(32), 16), [*range(start, start + 16)])

    def code(context, builder, signature, arguments):
        return builder.zext(builder.shuffle_vector(arguments[0], arguments[0], half), halves16.llvm)

    return halves16(x), code


@intrinsic
def widen_low(typing, x):
    """The first 16 bytes as halves16."""
    return _widen(x, 0)


@intrinsic
def widen_high(typing, x):
    """The last 16 bytes as halves16."""
    return _widen(x, 16)


def llvm_call(builder, name, arguments):
    """Call the LLVM intrinsic `name`, whose result and arguments are vectors of one type."""
    vector = arguments[0].type
    function_type = ir.FunctionType(vector, [vector] * len(arguments))
    return builder.call(
        cgutils.get_or_insert_function(builder.module, function_type, name), arguments
    )


def _kind(x):
    return f"{x.llvm.count}{x.llvm.element}"


@intrinsic
def popcount(typing, x):
    """Number of ones in each lane."""
    return x(x), lambda _, builder, __, xs: llvm_call(builder, f"llvm.ctpop.v{_kind(x)}", xs)


@intrinsic
def less(typing, x, y):
    """Lanes of ones where x < y, unsigned."""

    def code(context, builder, signature, arguments):
        return builder.sext(builder.icmp_unsigned("<", *arguments), x.llvm)

    return x(x, x), code


@intrinsic
def top_bits(typing, x):
    """The highest bit of each byte, as a uint32."""

    def code(context, builder, signature, arguments):
        negative = builder.icmp_signed("<", arguments[0], ir.Constant(bytes32.llvm, None))
        return builder.bitcast(negative, ir.IntType(32))

    return types.uint32(bytes32), code


def _operator(symbol, code):
    """Give two vectors of one type the operator `symbol`."""

    @infer_global(symbol)
    class _Typing(AbstractTemplate):
        def generic(self, args, kws):
            if len(args) == 2 and isinstance(args[0], Vector) and args[0] == args[1]:
                return signature(args[0], *args)

    @lower_builtin(symbol, Vector, Vector)
    def _lowering(context, builder, signature, arguments):
        return code(builder, *arguments)


def _shift(symbol, code):
    """Give a vector and a number of places the shift `symbol`."""

    @infer_global(symbol)
    class _Typing(AbstractTemplate):
        def generic(self, args, kws):
            if (
                len(args) == 2
                and isinstance(args[0], Vector)
                and isinstance(args[1], types.Integer)
            ):
                return signature(args[0], *args)

    @lower_builtin(symbol, Vector, types.Integer)
    def _lowering(context, builder, signature, arguments):
        vector, places = signature.args[0].llvm, arguments[1]
        places = _as_lane(builder, places, vector.element)
        return code(builder, arguments[0], spread(builder, places, vector))


def _as_lane(builder, number, lane):
    if number.type.width > lane.width:
        return builder.trunc(number, lane)
    return builder.zext(number, lane) if number.type.width < lane.width else number


_operator(operator.and_, lambda builder, x, y: builder.and_(x, y))
_operator(operator.or_, lambda builder, x, y: builder.or_(x, y))
_operator(operator.xor, lambda builder, x, y: builder.xor(x, y))
_operator(operator.add, lambda builder, x, y: builder.add(x, y))
_operator(operator.sub, lambda builder, x, y: builder.sub(x, y))
_shift(operator.lshift, lambda builder, x, places: builder.shl(x, places))
_shift(operator.rshift, lambda builder, x, places: builder.lshr(x, places))


@infer_global(operator.invert)
class _Invert(AbstractTemplate):
    def generic(self, args, kws):
        if len(args) == 1 and isinstance(args[0], Vector):
            return signature(args[0], *args)


@lower_builtin(operator.invert, Vector)
def _invert(context, builder, signature, arguments):
    return builder.not_(arguments[0])
