// Bodies: operators that are several of ai.onnx in one, said in those. ONNX Runtime's fused and
// quantised operators are most of them.
//
// An operator's body is the `upgrade` step of its newest version: what comes after it is plain
// ONNX. Unlike the steps between versions it may ask for the types of its inputs, and refuse when
// they do not tell enough. Files keep such operators whole: looking, checking and converting see
// what the file says. The engine puts the body in the node's place before it plans, so that the
// kernels of the standard operators do the work; the reference evaluates the body on the tensors
// that come, whose types tell everything.
#pragma once

#include "operators/operator.h"
#include "operators/registry.h"

namespace shipway {

/// True when the operator has one.
bool has_body(const Operator& op);

/// Puts the bodies of all nodes that have one in their places, as far as types allow; the others
/// stay, unless no sizes could help: an error then names all that is not computed. `model` must be
/// at the newest opsets, without calls of its own functions. Values keep ids and names; the types
/// of all values are inferred on the way when there is anything to do.
Status expand_bodies(Model& model, const Registry& registry);

/// The inference of an operator that has a body: what follows for the body. Where the types do not
/// tell enough for it, the element types that the schema's constraints share.
Status infer_by_body(InferContext& context);

/// The evaluation of an operator that has a body: the body, on the inputs at hand.
Status evaluate_by_body(EvaluateContext& context);

/// For bodies: the element type of input `i`, or an error that says it is not known.
Result<DType> known_dtype(const NodeRewrite& rewrite, size_t i);

/// For bodies: a new node that makes output `i`, or a value of its own where the node has no such
/// output; gives what it makes.
ValueId make_output(NodeRewrite& rewrite, size_t i, std::string op_type,
                    std::vector<ValueId> inputs, std::vector<Attribute> attributes = {});

}  // namespace shipway
