"""Registers that hold a plane: one bit of each of 256 or 512 images.

A plane is eight words of an array, uint32 words for 256 images and uint64 words for 512. The
type of the array decides about the register, so one source is compiled for both. Inside a
compiled function,

    x = load_plane(planes, place)      the plane that starts at word `place`
    store_plane(planes, place, x)      the same the other way
    full_plane(planes, word)           a register of the same width with `word` in each lane

and registers have the operators of `bnnkit.kernels._vector`. Nothing checks bounds.
"""

from llvmlite import ir
from numba import types
from numba.extending import intrinsic, models, register_model

from bnnkit.kernels._vector import Vector, spread

WORDS = 8  # of a plane


class Plane(Vector):
    """The type of a register of eight words."""

    def __init__(self, word):
        self.llvm = ir.VectorType(ir.IntType(word.bitwidth), WORDS)
        types.Type.__init__(self, name=f"Plane({word})")


@register_model(Plane)
class _PlaneModel(models.PrimitiveModel):
    def __init__(self, manager, plane):
        super().__init__(manager, plane, plane.llvm)


def _address(context, builder, signature, planes, place):
    data = context.make_array(signature.args[0])(context, builder, planes).data
    vector = Plane(signature.args[0].dtype).llvm
    return builder.bitcast(builder.gep(data, [place]), vector.as_pointer())


@intrinsic
def load_plane(typing, planes, place):
    """The register of the eight words of `planes` from index `place` (uint64) on."""

    def code(context, builder, signature, arguments):
        address = _address(context, builder, signature, *arguments)
        return builder.load(address, align=planes.dtype.bitwidth // 8)

    return Plane(planes.dtype)(planes, types.uint64), code


@intrinsic
def store_plane(typing, planes, place, plane):
    """Write a register to the eight words of `planes` from index `place` (uint64) on."""

    def code(context, builder, signature, arguments):
        address = _address(context, builder, signature, *arguments[:2])
        builder.store(arguments[2], address, align=planes.dtype.bitwidth // 8)
        return context.get_dummy_value()

    return types.void(planes, types.uint64, plane), code


@intrinsic
def full_plane(typing, planes, word):
    """A register for `planes` with the low bits of `word` (uint64) in each lane."""

    def code(context, builder, signature, arguments):
        vector = signature.return_type.llvm
        lane = arguments[1]
        if vector.element.width < lane.type.width:
            lane = builder.trunc(lane, vector.element)
        return spread(builder, lane, vector)

    return Plane(planes.dtype)(planes, types.uint64), code
