"""Models broken in one place, made from sound ones with a seed: what the checker is compared on."""

import random

import onnx
from onnx import TensorProto, helper, numpy_helper
import numpy as np


def messages(message, found=None):
    """The message and all inside it."""
    found = [] if found is None else found
    found.append(message)
    for field, value in message.ListFields():
        if field.message_type is None:
            continue
        for inner in value if field.is_repeated else [value]:
            messages(inner, found)
    return found


INTEGERS = [0, 1, -1, 2, 3, 5, 7, 11, 14, 15, 16, 99, 2**31 - 1, 2**31, -(2**31) - 1, 2**62, -(2**63)]


def texts_of(model):
    texts = {"", "x", "__internal", "ai.onnx", "ai.onnx.ml", "custom.domain", "Relu", "Affine", "Upsample", "Scatter"}
    for message in messages(model):
        for field, value in message.ListFields():
            if field.type == field.TYPE_STRING:
                texts.update(value if field.is_repeated else [value])
    return sorted(texts)


def mutate(model, chance):
    """Changes one field somewhere. Gives a description."""
    message = chance.choice(messages(model))
    fields = [field for field in message.DESCRIPTOR.fields if field.name not in ("doc_string", "training_info")]
    present = [field for field, _ in message.ListFields()]
    field = chance.choice(present if present and chance.random() < 0.8 else fields)
    where = f"{message.DESCRIPTOR.name}.{field.name}"
    if field.is_repeated:
        values = getattr(message, field.name)
        action = chance.choice(["delete", "repeat", "reverse", "add"] if values else ["add"])
        if action == "delete":
            del values[chance.randrange(len(values))]
        elif action == "repeat":
            value = chance.choice(values)
            if field.message_type is not None:
                values.add().CopyFrom(value)
            else:
                values.append(value)
        elif action == "reverse":
            copies = list(values)[::-1]
            if field.message_type is not None:
                copies = [type(copy).FromString(copy.SerializeToString()) for copy in copies]
            del values[:]
            values.extend(copies)
        elif field.message_type is not None:
            values.add()
        else:
            values.append(new_scalar(field, model, chance))
        return f"{where}: {action}"
    if field.message_type is not None:
        if message.HasField(field.name) and chance.random() < 0.7:
            message.ClearField(field.name)
            return f"{where}: clear"
        getattr(message, field.name).SetInParent()
        return f"{where}: set"
    if message.HasField(field.name) and chance.random() < 0.4:
        message.ClearField(field.name)
        return f"{where}: clear"
    value = new_scalar(field, model, chance)
    setattr(message, field.name, value)
    return f"{where} = {str(value)[:40]!r}"


def new_scalar(field, model, chance):
    if field.type == field.TYPE_STRING:
        return chance.choice(texts_of(model))
    if field.type == field.TYPE_BYTES:
        return bytes(chance.randrange(256) for _ in range(chance.choice([0, 1, 4, 24, 400])))
    if field.type == field.TYPE_ENUM:
        return chance.choice(field.enum_type.values).number
    if field.cpp_type in (field.CPPTYPE_FLOAT, field.CPPTYPE_DOUBLE):
        return chance.choice([0.0, 1.5, -2.0])
    values = INTEGERS if field.type == field.TYPE_INT64 else [v for v in INTEGERS if -(2**31) <= v < 2**31]
    if field.type == field.TYPE_UINT64:
        values = [v for v in INTEGERS if v >= 0]
    return chance.choice(values)


def value(name, dtype=TensorProto.FLOAT, shape=(2, 3)):
    return helper.make_tensor_value_info(name, dtype, shape)


def seeds():
    """Sound models that between them use every part of the format."""
    weight = numpy_helper.from_array(np.arange(12, dtype=np.float32).reshape(3, 4), "w")
    chain = helper.make_graph(
        [
            helper.make_node("MatMul", ["x", "w"], ["a"], name="product"),
            helper.make_node("Relu", ["a"], ["b"]),
            helper.make_node("Cast", ["b"], ["y"], to=TensorProto.DOUBLE),
        ],
        "chain", [value("x")], [value("y", TensorProto.DOUBLE, (2, 4))], [weight],
        value_info=[value("a", shape=(2, 4))],
    )
    yield "chain", helper.make_model(chain, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)

    old = helper.make_graph(
        [helper.make_node("Reshape", ["x"], ["y"], shape=[3, 2], consumed_inputs=[0])],
        "old", [value("x"), value("unused", shape=(1,))], [value("y", shape=(3, 2))],
        [helper.make_tensor("unused", TensorProto.FLOAT, [1], [1.0])],
    )
    model = helper.make_model(old, ir_version=2)
    del model.opset_import[:]
    yield "before opsets", model

    then_branch = helper.make_graph(
        [helper.make_node("Add", ["x", "x"], ["t"])], "then", [], [value("t")])
    else_branch = helper.make_graph(
        [helper.make_node("Identity", ["inner"], ["e"])], "else", [], [value("e")],
        [helper.make_tensor("inner", TensorProto.FLOAT, [2, 3], [0.0] * 6)])
    branches = helper.make_graph(
        [helper.make_node("If", ["c"], ["y"], name="choice", then_branch=then_branch, else_branch=else_branch)],
        "branches", [value("c", TensorProto.BOOL, ()), value("x")], [value("y")])
    yield "subgraphs", helper.make_model(branches, opset_imports=[helper.make_opsetid("", 16)], ir_version=8)

    inner = helper.make_function(
        "mine", "Inner", ["p"], ["q"], [helper.make_node("Relu", ["p"], ["q"])], [helper.make_opsetid("", 15)])
    leaky = helper.make_node("LeakyRelu", ["i"], ["l"])
    reference = leaky.attribute.add()
    reference.name, reference.ref_attr_name, reference.type = "alpha", "slope", onnx.AttributeProto.FLOAT
    outer = helper.make_function(
        "mine", "Outer", ["i"], ["o"], [leaky, helper.make_node("Inner", ["l"], ["o"], domain="mine")],
        [helper.make_opsetid("", 15), helper.make_opsetid("mine", 1)], attributes=["slope"])
    calls = helper.make_graph(
        [helper.make_node("Outer", ["x"], ["y"], domain="mine", slope=0.5)], "calls", [value("x")], [value("y")])
    yield "functions", helper.make_model(
        calls, functions=[inner, outer], ir_version=9,
        opset_imports=[helper.make_opsetid("", 15), helper.make_opsetid("mine", 1)])

    def sparse(name, indices):
        return helper.make_sparse_tensor(
            helper.make_tensor(name, TensorProto.FLOAT, [2], [1.0, 2.0]),
            numpy_helper.from_array(np.array(indices, np.int64), name + "_indices"), [3, 4])

    constants = helper.make_graph(
        [
            helper.make_node("Constant", [], ["s"], sparse_value=sparse("", [1, 7])),
            helper.make_node("Constant", [], ["n"], value_ints=[1, 2, 3]),
            helper.make_node("Constant", [], ["half"], value=helper.make_tensor(
                "h", TensorProto.FLOAT16, [2], np.array([1, 2], np.float16))),
            helper.make_node("MatMul", ["x", "dense"], ["y"]),
        ],
        "constants", [value("x")], [value("y", shape=(2, 4))],
        [numpy_helper.from_array(np.ones((3, 4), np.float32), "dense"),
         helper.make_tensor("text", TensorProto.STRING, [2], [b"a", b"b"]),
         helper.make_tensor("four", TensorProto.INT4, [3], [1, 2, 3]),
         helper.make_tensor("long", TensorProto.INT64, [2], [1, 2]),
         helper.make_tensor("wide", TensorProto.COMPLEX64, [1], [1 + 2j]),
         helper.make_tensor("flags", TensorProto.BOOL, [2], [True, False]),
         helper.make_tensor("unsigned", TensorProto.UINT64, [2], [1, 2])])
    constants.sparse_initializer.append(sparse("scattered", [[0, 1], [2, 3]]))
    yield "constants", helper.make_model(constants, opset_imports=[helper.make_opsetid("", 21)], ir_version=10)

    sequences = helper.make_graph(
        [
            helper.make_node("SequenceConstruct", ["x", "x"], ["s"]),
            helper.make_node("SequenceAt", ["s", "i"], ["y"]),
            helper.make_node("Mystery", ["y"], ["z"], domain="custom.domain", anything=[1, 2]),
        ],
        "sequences", [value("x"), value("i", TensorProto.INT64, ())],
        [helper.make_tensor_sequence_value_info("s", TensorProto.FLOAT, None), value("y"), value("z")])
    yield "sequences", helper.make_model(
        sequences, ir_version=8,
        opset_imports=[helper.make_opsetid("", 17), helper.make_opsetid("custom.domain", 3)])

    trees = helper.make_graph(
        [
            helper.make_node("Scaler", ["x"], ["a"], domain="ai.onnx.ml", offset=[0.0], scale=[2.0]),
            helper.make_node("Normalizer", ["a"], ["y"], domain="ai.onnx.ml", norm="L2"),
        ],
        "ml", [value("x")], [value("y")])
    yield "ml", helper.make_model(
        trees, ir_version=8, opset_imports=[helper.make_opsetid("ai.onnx.ml", 3), helper.make_opsetid("", 15)])


def mutated(seed, count, per_model=1):
    """`count` broken (or, now and then, still sound) models: description, model."""
    chance = random.Random(seed)
    sound = list(seeds())
    for _ in range(count):
        name, original = chance.choice(sound)
        model = onnx.ModelProto()
        model.CopyFrom(original)
        steps = [mutate(model, chance) for _ in range(per_model)]
        yield f"{name}: " + "; ".join(steps), model
