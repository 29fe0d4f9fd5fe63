import gzip
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from helpers import random_network
from interop.mutations import check_reader
from interop.onnx.graphs import Graph, exact, fractions, random_graph, save
from onnx import TensorProto, helper, numpy_helper

from bnnkit import BinaryNetwork, RealNetwork
from bnnkit.interop import onnx, read_network
from bnnkit.interop.onnx import reading


def as_input(imported, images):
    """Images (N, C, H, W) of the network as the file's flat inputs (N, C * H * W)."""
    flat = np.empty((len(images), imported.order.size), images.dtype)
    flat[:, imported.order] = images.reshape(len(images), -1)
    return flat


def outputs(path, images):
    runtime = pytest.importorskip("onnxruntime")
    session = runtime.InferenceSession(path.read_bytes())
    name = session.get_inputs()[0].name
    return session.run(None, {name: images.astype(np.float32)})[0]


def images_with_ties(rng, shape, quantised):
    """Pixels in 0 .. 1 that are often where two levels of step 1/4 meet; small halves otherwise."""
    if quantised:
        return rng.integers(0, 9, (12, *shape)) / 8
    return rng.integers(-3, 4, (12, *shape)) / 2


SEEDS = [*range(70), *(pytest.param(seed, marks=pytest.mark.slow) for seed in range(70, 400))]


@pytest.mark.parametrize("quantised", [False, True])
@pytest.mark.parametrize("seed", SEEDS)
def test_random_graphs_equal_their_definition(tmp_path, seed, quantised):
    """All numbers of these graphs are exact in float32, so a runtime computes them as well."""
    rng = np.random.default_rng([seed, quantised])
    graph = random_graph(rng, quantised)
    model, path = graph.model(), tmp_path / "net.onnx"
    imported = onnx.read(save(model, path))
    network = imported.network
    assert isinstance(network, BinaryNetwork if quantised else RealNetwork)
    images = images_with_ties(rng, network.input_shape, quantised)
    flat = as_input(imported, images).reshape(len(images), *graph.input_shape)
    expected = np.array([exact(model, fractions(x))[0] for x in flat])
    scores = network.scores(images)
    if imported.unit is not None:
        assert (scores.astype(object) * imported.unit == expected).all()
    assert (leads(scores) == leads(expected)).all()
    assert (outputs(path, flat).argmax(axis=1) == scores.argmax(axis=1)).all()


def leads(scores):
    """Which class is ahead of which, and which tie."""
    return np.sign((scores[:, :, None] - scores[:, None]).astype(float))


def dense_graph(*middle, size=4, hidden=3, weights=None):
    """Pixels, a dense layer, the given nodes (op, *operands), and a dense head of two classes."""
    rng = np.random.default_rng(0)
    graph = Graph(rng, (size,))
    weights = rng.choice([-1, 1], (size, hidden)) if weights is None else np.asarray(weights)
    graph.add("MatMul", weights.astype(np.float32))
    for op, *operands in middle:
        attributes = operands.pop() if operands and isinstance(operands[-1], dict) else {}
        graph.add(op, *operands, **attributes)
    graph.add("MatMul", np.float32([[1, -1]] * hidden))
    return graph


F = np.float32
TWO_SIGNS = (("Sign",), ("Add", F(0.1)), ("Sign",))


@pytest.mark.parametrize(
    ("middle", "says"),
    [
        ([("Sign",)], r"the Sign of node 'Sign_1' .* can be 0 .*third value"),
        ([], "there must be a Sign or a comparison"),
        ([("Tanh",)], r"node 'Tanh_1' \(Tanh\): this operator is not supported"),
        ([("Relu",)], r"node 'Relu_1' \(Relu\): reads numbers where"),
        (
            [("Clip", F(0), F(1)), *TWO_SIGNS],
            r"\(Clip\): clips to 0 .. 1, which does not keep signs",
        ),
        (
            [("Clip", F(-1), F(1)), ("Add", F(0.5))],
            r"node 'Add_2' .*after a Clip there must be a Sign",
        ),
        ([("Softmax",), *TWO_SIGNS], r"node 'Sign_2' .*after a Softmax nothing"),
        ([("Add", "input"), *TWO_SIGNS], r"node 'Add_1' .*joins two branches"),
        ([("Add", np.ones((2, 3), F)), *TWO_SIGNS], r"\(2, 3\) does not fit a tensor \(1, 3\)"),
        ([("Div", np.zeros(3, F)), *TWO_SIGNS], r"\(Div\): divides by 0"),
        ([("Where", F(1), F(0))], r"\(Where\): reads numbers where"),
        ([("Reshape", np.array([2, 2])), *TWO_SIGNS], r"\(Reshape\): cannot reshape"),
        ([("Cast", {"to": TensorProto.INT32}), *TWO_SIGNS], r"\(Cast\): casts to integers"),
        ([("Round",), *TWO_SIGNS], r"\(Round\): rounds what is no multiple of a pixel"),
        ([("MaxPool", {"kernel_shape": [1, 1]}), *TWO_SIGNS], r"\(MaxPool\): pools what"),
        ([("Add", "nothing")], "reads 'nothing', which nothing before it makes"),
        ([("Add", F(np.inf)), *TWO_SIGNS], "numbers that are not finite"),
    ],
)
def test_what_is_not_binarized_is_named(tmp_path, middle, says):
    with pytest.raises(ValueError, match=says) as caught:
        onnx.load(save(dense_graph(*middle).model(), tmp_path / "net.onnx"))
    assert str(caught.value).startswith(f"{tmp_path / 'net.onnx'}: ")


def test_weights_that_are_not_binary_are_named(tmp_path):
    weights = np.ones((4, 3))
    weights[1, 2] = 0.75
    graph = dense_graph(*TWO_SIGNS, weights=weights)
    says = r"node 'MatMul_0' \(MatMul\): the weights of output 2 are not binary.* 0.75 and 1"
    with pytest.raises(ValueError, match=says):
        onnx.load(save(graph.model(), tmp_path / "net.onnx"))


def test_scores_with_a_scale_for_each_class(tmp_path):
    graph = dense_graph(*TWO_SIGNS)
    graph.add("Mul", F([1, 2]))
    with pytest.raises(ValueError, match=r"the same a, not 0, for all classes.* from 2 to 4"):
        onnx.load(save(graph.model(), tmp_path / "net.onnx"))


@pytest.mark.parametrize(
    ("op", "attributes", "says"),
    [
        ("Softmax", {"axis": 0}, "not over the classes"),
        ("ArgMax", {}, "not over the classes"),
        ("ArgMax", {"axis": 1, "select_last_index": 1}, "a tie to the last class"),
        ("ArgMax", {"axis": 1}, None),
        ("LogSoftmax", {"axis": 1}, None),
        ("Sigmoid", {}, None),
    ],
)
def test_what_may_come_last(tmp_path, op, attributes, says):
    graph = dense_graph(*TWO_SIGNS)
    graph.add(op, **attributes)
    path = save(graph.model(), tmp_path / "net.onnx")
    if says is None:
        assert onnx.read(path).unit is None
        return
    with pytest.raises(ValueError, match=says):
        onnx.load(path)


def test_a_bare_sign_is_fine_where_it_cannot_be_0(tmp_path):
    """Three values of +-1 have an odd sum; four can be 0, unless a bias is in the way."""
    for hidden, bias, fine in [
        (3, 0, True),
        (4, 0, False),
        (4, 0.5, True),
        (4, 5, True),
        (4, 4, False),
    ]:
        graph = dense_graph(
            *TWO_SIGNS,
            ("MatMul", np.ones((hidden, 3), F)),
            ("Add", F(bias)),
            ("Sign",),
            hidden=hidden,
        )
        graph.nodes[-1].input[1] = graph.constant(np.ones((3, 2), F))
        path = save(graph.model(), tmp_path / "net.onnx")
        if fine:
            assert len(onnx.load(path).tail.layers) == 1
        else:
            with pytest.raises(ValueError, match=r"can be 0 \(where a sum is"):
                onnx.load(path)


def test_constants_in_the_graph_and_older_forms(tmp_path):
    """Weights that are binarized in the graph, attributes that became inputs, decomposed norms."""
    rng = np.random.default_rng(0)
    graph = Graph(rng, (1, 12, 12))
    latent = rng.normal(size=(6, 1, 2, 2)).astype(F)
    graph.nodes.append(helper.make_node("Sign", [graph.constant(latent)], ["signs"], "Sign_w"))
    half = numpy_helper.from_array(F(0.5), "")
    graph.nodes.append(helper.make_node("Constant", [], ["half"], "half", value=half))
    graph.nodes.append(helper.make_node("Mul", ["signs", "half"], ["weights"], "Mul_w"))
    graph.add("Conv", "weights", dilations=[2, 2], strides=[1, 1], auto_pad="VALID")
    variance = rng.uniform(1, 4, 6).astype(F)
    for op, name, made in [
        ("Sqrt", graph.constant(variance), "root"),
        ("Reciprocal", "root", "slope"),
    ]:
        graph.nodes.append(helper.make_node(op, [name], [made], f"{op}_v"))
    axes = helper.make_node("Unsqueeze", ["slope"], ["slopes"], "Unsqueeze_v", axes=[1, 2])
    graph.nodes.append(axes)
    graph.add("Mul", "slopes", first=False)
    graph.add("Clip", min=-1.0, max=1.0)
    graph.add("Dropout")
    graph.add("Sign")
    graph.add("Add", F(0.5))
    graph.add("Sign")
    graph.add("Identity")
    graph.add("GlobalMaxPool")
    graph.add("Squeeze", axes=[2, 3])
    graph.add("MatMul", rng.choice([-1, 1], (6, 9)).astype(F))
    graph.add("Greater", F(0.5))
    graph.add("Cast", to=TensorProto.FLOAT)
    graph.add("MatMul", rng.choice([-1, 0, 1], (9, 5)).astype(F))
    path = save(graph.model(opset=9), tmp_path / "net.onnx")
    network = onnx.load(path)
    assert [type(layer).__name__ for layer in network.tail.layers] == ["Pool2d", "Conv2d"]
    steps = rng.integers(-2, 3, (3, 200, 1, 1, 1))  # slopes, with which few signs are alike
    images = 9 * steps[0] + steps[1] * np.arange(12) + steps[2] * np.arange(12)[:, None]
    images = images.astype(F)
    assert (outputs(path, images) == network.scores(images)).all()
    assert len(set(network.predict(images))) > 2


POOL = ("MaxPool", {"kernel_shape": [2, 2], "strides": [1, 1]})
CLIP = ("Clip", F(-1), F(1))


@pytest.mark.parametrize("flip", [(), (("Neg",),)])
@pytest.mark.parametrize("sign", [TWO_SIGNS, (("Less", F(0)), ("Cast", {"to": TensorProto.FLOAT}))])
@pytest.mark.parametrize(
    ("before", "after"),
    [
        ([POOL, ("Neg",), POOL], []),
        ([POOL, ("Add", F(0.5)), POOL, ("Mul", F(-2))], []),
        ([CLIP, POOL], []),
        ([POOL, CLIP, POOL], []),
        ([("Mul", F([[[0]], [[1]], [[-2]]])), POOL], []),
        ([POOL, ("Mul", F([[[0]], [[1]], [[-2]]])), ("Add", F(-0.5))], []),
        ([("Mul", F([[[2]], [[1]], [[-2]]])), POOL, ("Sub", F([[[0]], [[1]], [[-1]]])), POOL], []),
        ([], [POOL, ("Neg",), POOL]),
        ([POOL], [("Neg",), POOL, ("Neg",)]),
    ],
)
def test_pools_of_pools_and_pools_of_what_is_negated(tmp_path, before, after, sign, flip):
    rng = np.random.default_rng(len(before) + len(after))
    graph = Graph(rng, (1, 5, 5))
    graph.add("Conv", rng.choice([-1, 1], (3, 1, 2, 2)).astype(F), strides=[1, 1], pads=[0] * 4)
    if sign is not TWO_SIGNS:
        before = [node for node in before if node is not CLIP]  # which needs a Sign
    for op, *operands in (*flip, *before, *sign, *after):
        attributes = operands[-1] if operands and isinstance(operands[-1], dict) else {}
        graph.add(op, *operands[: len(operands) - bool(attributes)], **attributes)
    graph.add("Flatten")
    side = 4 - [*before, *after].count(POOL)
    graph.add("MatMul", rng.choice([-1, 0, 1], (3 * side**2, 5)).astype(F))
    model, path = graph.model(), tmp_path / "net.onnx"
    network = onnx.load(save(model, path))
    images = rng.integers(-2, 3, (60, 1, 5, 5)) / 2
    expected = [exact(model, fractions(x))[0] for x in images]
    assert (network.scores(images) == expected).all()
    assert (outputs(path, images) == network.scores(images)).all()


def test_the_input_is_found_in_several_shapes(tmp_path):
    network = onnx.load(save(dense_graph(*TWO_SIGNS).model(batch=1), tmp_path / "net.onnx"))
    assert network.input_shape == (1, 1, 4)
    shaped = onnx.load(tmp_path / "net.onnx", input_shape=(1, 2, 2), input_range=(-1, 1))
    assert shaped.input_shape == (1, 2, 2)
    assert shaped.input_range == (-1, 1)
    assert (shaped.scores(np.eye(4).reshape(4, 1, 2, 2)) == network.scores(np.eye(4))).all()
    with pytest.raises(ValueError, match="does not fit an input of shape"):
        onnx.load(tmp_path / "net.onnx", input_shape=(1, 2, 3))


def test_rows_columns_channels_of_a_flattened_image(tmp_path):
    """(H, W, C) by the number of channels; VNN-LIB numbers the pixels as the file has them."""
    graph = Graph(np.random.default_rng(0), (5, 4, 3))
    graph.add("Flatten")
    graph.add("MatMul", np.eye(60, 2, dtype=F))
    for op, *operands in TWO_SIGNS:
        graph.add(op, *operands)
    graph.add("MatMul", np.eye(2, dtype=F))
    imported = onnx.read(save(graph.model(), tmp_path / "net.onnx"))
    assert imported.network.input_shape == (3, 5, 4)
    image = -np.ones((1, 3, 5, 4))
    image[0, 1, 0, 0] = 1  # channel 1 of the first pixel is the file's second number
    assert as_input(imported, image)[0, :3].tolist() == [-1, 1, -1]
    assert imported.network.predict(image).tolist() == [1]


def test_levels_that_were_made_outside_of_the_file(tmp_path):
    path = save(dense_graph(*TWO_SIGNS).model(), tmp_path / "net.onnx")
    network, real = onnx.load(path, quant_step=Fraction(1, 4)), onnx.load(path)
    x = np.random.default_rng(0).random((50, 4))
    levels = np.round(x * 4) / 4
    assert network.quantiser.step == Fraction(1, 4)
    assert (leads(network.scores(x)) == leads(real.scores(levels))).all()
    assert read_network(path, quant_step=Fraction(1, 4)) == network


@pytest.mark.parametrize("shape", [(), (0,), (2, 3, 4, 5), (2**13, 2**13)])
def test_inputs_that_are_no_images(tmp_path, shape):
    graph = dense_graph(*TWO_SIGNS)
    graph.input_shape = shape
    with pytest.raises(ValueError, match="the input 'input' must be"):
        onnx.load(save(graph.model(), tmp_path / "net.onnx"))


def changed(tmp_path, change):
    model = dense_graph(*TWO_SIGNS).model()
    change(model)
    return save(model, tmp_path / "net.onnx")


def external(model):
    tensor = model.graph.initializer[0]
    tensor.data_location = TensorProto.EXTERNAL
    entry = tensor.external_data.add()
    entry.key, entry.value = "location", "/etc/passwd"


def of_type(model, data_type):
    model.graph.initializer[0].data_type = data_type


def reads(model, data_type):
    model.graph.input[0].type.tensor_type.elem_type = data_type


def huge(model):
    tensor = model.graph.initializer[0]
    del tensor.dims[:]
    tensor.dims.extend([2**31, 2**31])


def wide_pads(model):
    graph = Graph(np.random.default_rng(0), (1, 4, 4))
    graph.add("Conv", np.ones((1, 1, 1, 1), F), pads=[2**20] * 4)
    for op, *operands in TWO_SIGNS:
        graph.add(op, *operands)
    model.CopyFrom(graph.model())


def towering(model):
    """Constants that broadcast to 2**40 values."""
    graph = Graph(np.random.default_rng(0), (4,))
    for shape in ((2**20, 1), (1, 2**20)):
        graph.constant(np.ones(shape, F))
    graph.nodes.append(helper.make_node("Add", ["c0", "c1"], ["tower"], "Add_tower"))
    graph.add("MatMul", "tower")
    model.CopyFrom(graph.model())


def without_stride(model):
    graph = Graph(np.random.default_rng(0), (1, 4, 4))
    graph.add("Conv", np.ones((1, 1, 1, 1), F), strides=[0, 0])
    for op, *operands in TWO_SIGNS:
        graph.add(op, *operands)
    model.CopyFrom(graph.model())


def many_sums(n):
    """A network behind whose weights are `n` sums of constants of 400 bytes."""
    graph = Graph(np.random.default_rng(0), (4,))
    last = graph.constant(np.ones((4, 25), F))
    other = graph.constant(np.zeros((4, 25), F))
    for i in range(n):
        graph.nodes.append(helper.make_node("Add", [last, other], [f"s{i}"], f"Sum_{i}"))
        last = f"s{i}"
    graph.add("MatMul", last)
    graph.add("Sign")
    graph.add("Add", F(0.5))
    graph.add("Sign")
    graph.add("MatMul", np.ones((25, 3), F))
    return graph.model()


def test_one_budget_for_all_constants_that_are_computed(tmp_path, monkeypatch):
    monkeypatch.setattr(reading, "MOST_BYTES", 1600)
    onnx.load(save(many_sums(3), tmp_path / "net.onnx"))
    with pytest.raises(ValueError, match=r"node 'Sum_3' \(Add\): a constant of 100 values; all"):
        onnx.load(save(many_sums(4), tmp_path / "net.onnx"))


def test_too_little_memory_is_a_sentence(tmp_path, monkeypatch):
    def exhausted(*arguments):
        raise MemoryError

    monkeypatch.setattr(reading, "fold", exhausted)
    with pytest.raises(ValueError, match=r"net\.onnx: needs more memory than there is"):
        onnx.load(save(many_sums(1), tmp_path / "net.onnx"))


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (external, "data in other files is not read"),
        (huge, "an array of shape .* that holds"),
        (wide_pads, r"\(Conv\): a layer of 1 x .* outputs is beyond the limit"),
        (without_stride, r"\(Conv\): strides \[0, 0\] must be at least 1"),
        (towering, r"node 'Add_tower' \(Add\): a constant of \d+ values"),
        (lambda m: m.graph.ClearField("node"), "one without a graph"),
        (lambda m: m.graph.output.add(), "one input and one output"),
        (lambda m: m.graph.input.add(name="other"), "one input and one output"),
        (lambda m: m.graph.sparse_initializer.add(), "sparse"),
        (
            lambda m: setattr(m.graph.node[1], "domain", "custom"),
            "operators of the domain 'custom'",
        ),
        (lambda m: m.graph.node.insert(0, m.graph.node[0]), "which is there already"),
        (
            lambda m: setattr(m.graph.initializer[0], "data_type", TensorProto.STRING),
            "are not supported",
        ),
        (lambda m: setattr(m.graph.initializer[0], "data_type", 77), "unknown data type 77"),
        (lambda m: setattr(m.graph.output[0], "name", "c0"), "does not depend on the input"),
        (lambda m: setattr(m.graph.output[0], "name", "t0"), "there is no layer of bits"),
        (lambda m: setattr(m.graph.output[0], "name", "t1"), "the sums of a dense layer"),
        (lambda m: helper.set_model_props(m, {"bnnkit.quant_step": "1/4"}), "does not begin with"),
        (lambda m: helper.set_model_props(m, {"bnnkit.quant_step": "1e999"}), "is no fraction"),
        (lambda m: helper.set_model_props(m, {"bnnkit.input_range": "0"}), "input_range"),
    ],
)
def test_files_that_are_wrong_are_refused(tmp_path, change, says):
    with pytest.raises(ValueError, match=says):
        onnx.load(changed(tmp_path, change))


def test_damaged_files_are_refused_or_read(tmp_path):
    rng = np.random.default_rng(3)
    content = save(random_graph(rng).model(), tmp_path / "net.onnx").read_bytes()
    check_reader(onnx.load, tmp_path / "net.onnx", content, count=400)
    onnx.save(random_network(rng, (1, 4, 4), ("conv", "dense")), tmp_path / "net.onnx")
    check_reader(onnx.load, tmp_path / "net.onnx", (tmp_path / "net.onnx").read_bytes(), count=200)


def test_files_that_are_missing_or_of_another_kind(tmp_path):
    with pytest.raises(FileNotFoundError):
        onnx.load(tmp_path / "none.onnx")
    (tmp_path / "text.onnx").write_text("not a model\n")
    with pytest.raises(ValueError, match=r"text\.onnx: not an ONNX file"):
        onnx.load(tmp_path / "text.onnx")


NAMES = ("3_30_30", "3_48_48", "3_64_64")


@pytest.mark.parametrize("name", NAMES)
def test_networks_of_the_competition(name, tmp_path):
    """Classes as in onnxruntime; both read images (H, W, C), and net 48 has folded batch-norms."""
    runtime = pytest.importorskip("onnxruntime")
    folder = Path(__file__).parents[4] / "shared" / "vnncomp" / "onnx"
    if not folder.is_dir():
        pytest.skip(f"no benchmark files in {folder}")
    (path,) = folder.glob(f"{name}*.onnx.gz")
    imported = onnx.read(path)
    network, rng = imported.network, np.random.default_rng(0)
    c, h, w = network.input_shape
    coarse = rng.integers(0, 256, (16, c, h // 6 + 1, w // 6 + 1)).repeat(6, 2).repeat(6, 3)
    images = np.clip(coarse[:, :, :h, :w] + rng.normal(0, 4, (16, c, h, w)), 0, 255)
    images = images.astype(np.float32)
    flat = as_input(imported, images).reshape(-1, h, w, c)
    assert (flat.transpose(0, 3, 1, 2) == images).all()
    session = runtime.InferenceSession(gzip.decompress(path.read_bytes()))
    made = session.run(None, {session.get_inputs()[0].name: flat})[0]
    scores = network.scores(images)
    softmax = np.exp(scores - scores.max(axis=1, keepdims=True))
    assert np.allclose(softmax / softmax.sum(axis=1, keepdims=True), made, atol=1e-3)
    assert len(set(made.argmax(axis=1))) > 1
