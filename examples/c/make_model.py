#!/usr/bin/env python3
"""Writes weighted_pool.onnx: a small model with an operator that only its user knows (see custom_operator.c).

    python examples/c/make_model.py        (needs the package onnx)
"""
import pathlib

import onnx
from onnx import TensorProto, helper

graph = helper.make_graph(
    [helper.make_node("Relu", ["x"], ["positive"], name="rectify"),
     helper.make_node("WeightedPool", ["positive", "weights"], ["pooled", "windows"], name="pool",
                      domain="example.signal", stride=2, mode="mean"),
     helper.make_node("Neg", ["pooled"], ["y"], name="negate")],
    "weighted_pool",
    [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["N", 2, "L"]),
     helper.make_tensor_value_info("weights", TensorProto.FLOAT, ["K"])],
    [helper.make_tensor_value_info("y", TensorProto.FLOAT, ["N", 2, None]),
     helper.make_tensor_value_info("windows", TensorProto.INT64, [])])
model = helper.make_model(graph, ir_version=10, producer_name="make_model.py", opset_imports=[
    helper.make_opsetid("", 20), helper.make_opsetid("example.signal", 1)])
onnx.save(model, pathlib.Path(__file__).with_name("weighted_pool.onnx"))
