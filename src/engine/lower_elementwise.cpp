// Element-wise operators: which instructions each becomes, and how neighbours become one program.
#include <algorithm>
#include <map>
#include <set>

#include "engine/lowering.h"
#include "tensor/convert.h"

namespace shipway {
namespace {

using kernels::ElementwiseProgram;
using kernels::Instruction;
using kernels::Opcode;

constexpr uint8_t kLocal = ElementwiseForm::kLocal;

struct UnaryRow {
  std::string_view op_type;
  Opcode op;
};
constexpr UnaryRow kUnary[] = {
    {"Abs", Opcode::kAbs},
    {"Neg", Opcode::kNeg},
    {"Sign", Opcode::kSign},
    {"Relu", Opcode::kRelu},
    {"Sigmoid", Opcode::kSigmoid},
    {"HardSwish", Opcode::kHardSwish},
    {"Tanh", Opcode::kTanh},
    {"Erf", Opcode::kErf},
    {"Mish", Opcode::kMish},
    {"Softplus", Opcode::kSoftplus},
    {"Softsign", Opcode::kSoftsign},
    {"Exp", Opcode::kExp},
    {"Log", Opcode::kLog},
    {"Sqrt", Opcode::kSqrt},
    {"Reciprocal", Opcode::kReciprocal},
    {"Floor", Opcode::kFloor},
    {"Ceil", Opcode::kCeil},
    {"Round", Opcode::kRound},
    {"Sin", Opcode::kSin},
    {"Cos", Opcode::kCos},
    {"Not", Opcode::kNot},
    {"IsNaN", Opcode::kIsNan},
    {"Identity", Opcode::kCopy},
};
constexpr UnaryRow kBinary[] = {
    {"Add", Opcode::kAdd},
    {"Sub", Opcode::kSub},
    {"Mul", Opcode::kMul},
    {"Div", Opcode::kDiv},
    {"Min", Opcode::kMin},
    {"Max", Opcode::kMax},
    {"Pow", Opcode::kPow},
    {"PRelu", Opcode::kPrelu},
    {"Equal", Opcode::kEqual},
    {"Less", Opcode::kLess},
    {"LessOrEqual", Opcode::kLessOrEqual},
    {"Greater", Opcode::kGreater},
    {"GreaterOrEqual", Opcode::kGreaterOrEqual},
    {"And", Opcode::kAnd},
    {"Or", Opcode::kOr},
    {"Xor", Opcode::kXor},
};

/// With attributes, or more or fewer inputs: elementwise_form knows each.
constexpr std::string_view kOthers[] = {"Cast",
                                        "Celu",
                                        "Clip",
                                        "Elu",
                                        "Gelu",
                                        "HardSigmoid",
                                        "LeakyRelu",
                                        "Selu",
                                        "Sum",
                                        "Swish",
                                        "ThresholdedRelu",
                                        "Where"};

Instruction make(Opcode op, uint8_t a, uint8_t b = 0, uint8_t c = 0, float p = 0, float q = 0) {
  return {op, {a, b, c}, p, q};
}

/// The value of a constant scalar, or `otherwise` when there is no such input; nothing when it is
/// not constant.
std::optional<float> scalar_or(const Lowering& lowering, ValueId id, float otherwise) {
  if (!id.is_valid()) return otherwise;
  const Tensor* tensor = lowering.constant(id);
  if (!tensor || tensor->element_count() != 1) return std::nullopt;
  const auto values = to_doubles(*tensor);
  if (!values.is_ok()) return std::nullopt;
  return static_cast<float>((*values)[0]);
}

bool is_program_type(DType dtype) { return dtype == DType::kFloat32 || dtype == DType::kBool; }

}  // namespace

std::optional<ElementwiseForm> elementwise_form(const Lowering& lowering, const Node& node) {
  if (!node.domain().empty() || node.outputs().size() != 1) return std::nullopt;
  const auto of_type = [&](ValueId id, DType dtype) {
    return id.is_valid() && lowering.dtype(id) == dtype;
  };
  const ValueId x = node.input(0), out = node.output(0);
  if (!x.is_valid() || !is_program_type(lowering.dtype(x)) || !is_program_type(lowering.dtype(out)))
    return std::nullopt;
  const std::string& op = node.op_type();
  const auto one = [&](Opcode opcode, float p = 0, float q = 0) {
    return ElementwiseForm{{make(opcode, 0, 0, 0, p, q)}, {x}};
  };
  for (const UnaryRow& row : kUnary)
    if (row.op_type == op && node.inputs().size() == 1) return one(row.op);
  const AttributeReader read = lowering.attributes(node);
  if (op == "LeakyRelu") return one(Opcode::kLeakyRelu, read.float_attribute("alpha"));
  if (op == "ThresholdedRelu") return one(Opcode::kThresholdedRelu, read.float_attribute("alpha"));
  if (op == "Elu") return one(Opcode::kElu, read.float_attribute("alpha"));
  if (op == "Celu") return one(Opcode::kCelu, read.float_attribute("alpha"));
  if (op == "Selu")
    return one(Opcode::kSelu, read.float_attribute("alpha"), read.float_attribute("gamma"));
  if (op == "HardSigmoid")
    return one(Opcode::kHardSigmoid, read.float_attribute("alpha"), read.float_attribute("beta"));
  if (op == "Gelu")
    return one(read.string_attribute("approximate") == "tanh" ? Opcode::kGeluTanh : Opcode::kGelu);
  if (op == "Swish") return one(Opcode::kSilu, read.float_attribute("alpha"));
  if (op == "Clip") {
    const auto low = scalar_or(lowering, node.input(1), std::numeric_limits<float>::lowest());
    const auto high = scalar_or(lowering, node.input(2), std::numeric_limits<float>::max());
    if (!low || !high || !of_type(x, DType::kFloat32)) return std::nullopt;
    return one(Opcode::kClip, *low, *high);
  }
  if (op == "Cast" && is_program_type(lowering.dtype(out))) {
    if (of_type(x, DType::kBool) || of_type(out, DType::kFloat32)) return one(Opcode::kCopy);
    return std::nullopt;  // float to bool is "not zero", which no instruction says
  }
  if (op == "Where" && node.inputs().size() == 3 && of_type(node.input(1), lowering.dtype(out)))
    return ElementwiseForm{{make(Opcode::kSelect, 0, 1, 2)}, {x, node.input(1), node.input(2)}};
  for (const UnaryRow& row : kBinary) {
    if (row.op_type != op || node.inputs().size() != 2) continue;
    const ValueId y = node.input(1);
    if (!is_program_type(lowering.dtype(y))) return std::nullopt;
    if (op == "Pow") {
      const auto exponent = scalar_or(lowering, y, 0);
      if (exponent && *exponent == 2) return one(Opcode::kSquare);
      if (exponent) return one(Opcode::kPowConstant, *exponent);
    }
    return ElementwiseForm{{make(row.op, 0, 1)}, {x, y}};
  }
  if ((op == "Sum" || op == "Min" || op == "Max") && node.inputs().size() > 2) {
    const Opcode opcode = op == "Sum" ? Opcode::kAdd : op == "Min" ? Opcode::kMin : Opcode::kMax;
    ElementwiseForm form;
    form.inputs.assign(node.inputs().begin(), node.inputs().end());
    if (form.inputs.size() > ElementwiseProgram::kMaxInputs) return std::nullopt;
    form.instructions.push_back(make(opcode, 0, 1));
    for (uint8_t i = 2; i < form.inputs.size(); ++i)
      form.instructions.push_back(make(opcode, static_cast<uint8_t>(kLocal + i - 2), i));
    return form;
  }
  return std::nullopt;
}

bool is_elementwise_operator(const Node& node) {
  const auto is_it = [&](std::string_view op_type) { return node.is(op_type); };
  return std::ranges::any_of(kUnary, is_it, &UnaryRow::op_type) ||
         std::ranges::any_of(kBinary, is_it, &UnaryRow::op_type) ||
         std::ranges::any_of(kOthers, is_it);
}

/// Why no group has the node.
bool Lowering::refuse_elementwise(const Node& node) {
  using Code = kernels::RefusalCode;
  const auto has_type = [this](ValueId id) { return !id.is_valid() || is_program_type(dtype(id)); };
  if (!std::ranges::all_of(node.inputs(), has_type) ||
      !std::ranges::all_of(node.outputs(), has_type))
    return refuse(Code::kType, "element-wise kernels compute fp32 and bool");
  if (!elementwise_form(*this, node)) return refuse(Code::kMode, "this form of it has no kernel");
  if (!dims(node.output(0))) return refuse(Code::kRank, "its rank is not known");
  if (dims(node.output(0))->size() > static_cast<size_t>(kernels::ElementwiseDims::kMaxRank - 1))
    return refuse(Code::kRank, "it has more axes than element-wise kernels take");
  return refuse(Code::kEpilogue, "no kernel takes the chain that it is part of");
}

/// Groups: a node that ends a group takes in its producers as long as all their users are inside
/// and their shape is the group's, so that the whole group is one loop without intermediate results
/// in memory.
void Lowering::find_groups() {
  std::vector<NodeId> order;
  for (const Node& node : model_.nodes(graph())) order.push_back(node.id());
  for (size_t i = order.size(); i-- > 0;) {
    const Node& root = model_.node(order[i]);
    if (taken_.contains(root.id().index)) continue;
    const std::optional<ElementwiseForm> form = elementwise_form(*this, root);
    if (!form || root.is("Identity")) continue;
    const Dims* shape = dims(root.output(0));
    if (!shape || shape->size() > static_cast<size_t>(kernels::ElementwiseDims::kMaxRank - 1))
      continue;

    std::set<NodeId> members = {root.id()};
    std::set<ValueId> inputs(form->inputs.begin(), form->inputs.end());
    size_t instructions = form->instructions.size();
    bool grew = true;
    while (grew) {
      grew = false;
      for (ValueId candidate : std::vector<ValueId>(inputs.begin(), inputs.end())) {
        const Value& value = model_.value(candidate);
        if (!value.producer().is_valid() || value.output_count() > 0 || value.graph() != graph())
          continue;
        const Node& producer = model_.node(value.producer());
        if (taken_.contains(producer.id().index) || !value.type().dims() ||
            !(*value.type().dims() == *shape))
          continue;
        const bool private_to_group =
            std::all_of(value.uses().begin(), value.uses().end(), [&](const Use& use) {
              return use.input != Use::kCapture && members.contains(use.node);
            });
        const auto inner = private_to_group ? elementwise_form(*this, producer) : std::nullopt;
        if (!inner ||
            instructions + inner->instructions.size() > ElementwiseProgram::kMaxInstructions)
          continue;
        std::set<ValueId> merged = inputs;
        merged.erase(candidate);
        merged.insert(inner->inputs.begin(), inner->inputs.end());
        if (merged.size() > ElementwiseProgram::kMaxInputs) continue;
        inputs = std::move(merged);
        members.insert(producer.id());
        instructions += inner->instructions.size();
        grew = true;
      }
    }
    Group group;
    for (size_t j = 0; j <= i; ++j)  // in graph order; members lie close before the root
      if (members.contains(order[j])) group.nodes.push_back(order[j]);
    for (NodeId member : group.nodes) taken_[member.index] = root.id();
    groups_[root.id().index] = std::move(group);
  }
}

Result<bool> Lowering::lower_group(const Node& root, const Group& group) {
  ElementwiseProgram program;
  std::vector<ValueId> inputs;
  std::map<ValueId, uint8_t> number;  // of every value the program knows
  for (NodeId id : group.nodes) {
    const ElementwiseForm form = *elementwise_form(*this, model_.node(id));
    for (ValueId input : form.inputs) {
      const NodeId maker = model_.value(input).producer();
      const bool inside = maker.is_valid() && std::find(group.nodes.begin(), group.nodes.end(),
                                                        maker) != group.nodes.end();
      if (inside || std::find(inputs.begin(), inputs.end(), input) != inputs.end()) continue;
      number[input] = static_cast<uint8_t>(inputs.size());
      inputs.push_back(input);
    }
  }
  program.input_count = static_cast<uint8_t>(inputs.size());
  for (NodeId id : group.nodes) {
    const ElementwiseForm form = *elementwise_form(*this, model_.node(id));
    const auto first = static_cast<uint8_t>(program.input_count + program.instruction_count);
    for (Instruction instruction : form.instructions) {
      const int count = kernels::argument_count(instruction.op);
      for (int a = 0; a < count; ++a) {
        uint8_t& argument = instruction.arguments[static_cast<size_t>(a)];
        argument = argument >= kLocal ? static_cast<uint8_t>(first + argument - kLocal)
                                      : number.at(form.inputs[argument]);
      }
      program.instructions[program.instruction_count++] = instruction;
    }
    number[model_.node(id).output(0)] =
        static_cast<uint8_t>(program.input_count + program.instruction_count - 1);
  }
  program.output_count = 1;
  program.outputs[0] = number.at(root.output(0));
  const auto element = [&](ValueId id) {
    return dtype(id) == DType::kBool ? kernels::ElementType::kBool : kernels::ElementType::kFloat32;
  };
  program.output_types[0] = element(root.output(0));
  for (size_t i = 0; i < inputs.size(); ++i) program.input_types[i] = element(inputs[i]);

  // Blocked when a full-sized input was made blocked, everything is fp32, and the tail stays zero.
  const Dims& shape = *dims(root.output(0));
  kernels::Layout layout = kernels::Layout::plain();
  for (ValueId input : inputs)
    if (made_in(input).is_blocked() && dims(input) && *dims(input) == shape)
      layout = made_in(input);
  if (layout.is_blocked()) {
    bool keeps = shape.size() >= 3 && shape[1].is_constant();
    const bool has_tail = keeps && shape[1].value() % layout.block != 0;
    for (int i = 0; i < program.instruction_count; ++i) {
      const Instruction& instruction = program.instructions[static_cast<size_t>(i)];
      if (has_tail && !kernels::preserves_zero_tail(instruction.op, instruction.p, instruction.q))
        keeps = false;
    }
    for (ValueId input : inputs) {
      const Dims* own = dims(input);
      if (dtype(input) != DType::kFloat32 || !own) keeps = false;
      // A scalar broadcasts in any layout; other inputs must have channels to block.
      else if (!own->empty() && constant_shape(input) != Shape{1} &&
               (own->size() != shape.size() || !((*own)[1] == shape[1])))
        keeps = false;
    }
    if (!keeps || dtype(root.output(0)) != DType::kFloat32) layout = kernels::Layout::plain();
  }
  std::vector<int32_t> lowered;
  for (ValueId input : inputs) {
    const bool scalar = dims(input) && (dims(input)->empty() || constant_shape(input) == Shape{1});
    SHIPWAY_ASSIGN_OR_RETURN(const int32_t value,
                             use(input, scalar ? kernels::Layout::plain() : layout));
    lowered.push_back(value);
  }
  BindRule rule;
  rule.kind = BindRule::Kind::kElementwise;
  const int32_t output = define(root.output(0), layout);
  return add_kernel(program, rule, std::move(lowered), {output}, group.nodes);
}

}  // namespace shipway
