// A layered drawing: each node one row below its lowest producer, rows ordered by the mean place of
// their producers.
#include <algorithm>
#include <map>
#include <unordered_map>

#include "base/text.h"
#include "operators/infer.h"
#include "operators/upgrade.h"
#include "shipway/viewer.h"

namespace shipway {
namespace {

constexpr double kCharacter = 7.2, kLine = 16, kPadding = 8, kGapAcross = 28, kGapDown = 44,
                 kMargin = 24;
constexpr size_t kMaxText = 48, kMaxLabels = 3;

std::string escape(std::string_view text) {
  std::string result;
  for (char c : text) {
    switch (c) {
      case '<':
        result += "&lt;";
        break;
      case '>':
        result += "&gt;";
        break;
      case '&':
        result += "&amp;";
        break;
      case '"':
        result += "&quot;";
        break;
      default:
        result += c;
    }
  }
  return result;
}

/// From a file: escaped for reading (well-formed UTF-8, no control characters) and cut.
std::string shown(std::string_view text, size_t limit = kMaxText) {
  const std::string safe = quoted(text, limit);
  return safe.substr(1, safe.size() - 2);
}

struct Box {
  std::vector<std::string> lines;
  std::string style;
  size_t row = 0;
  double x = 0, y = 0, width = 0, height = 0;
  double place = 0;  // for the order inside the row
};
struct Edge {
  size_t from, to;
  std::string label;
};

std::string attribute_text(const Attribute& attribute) {
  std::string text = shown(attribute.name) + " = ";
  const auto list = [&](const auto& values, auto&& one) {
    text += "[";
    for (size_t i = 0; i < values.size() && i < 8; ++i) text += (i ? ", " : "") + one(values[i]);
    text += values.size() > 8 ? ", ...]" : "]";
  };
  if (const auto* i = attribute.get<int64_t>())
    text += std::to_string(*i);
  else if (const auto* f = attribute.get<float>())
    text += to_text(*f);
  else if (const auto* s = attribute.get<std::string>())
    text += quoted(*s, kMaxText);
  else if (const auto* ints = attribute.get<std::vector<int64_t>>())
    list(*ints, [](int64_t v) { return std::to_string(v); });
  else if (const auto* floats = attribute.get<std::vector<float>>())
    list(*floats, [](float v) { return to_text(v); });
  else if (const auto* tensor = attribute.get<Tensor>())
    text += to_string(*tensor);
  else
    text += std::string("(") + std::string(to_string(attribute.kind())) + ")";
  return shown(text, kMaxText + 16);
}

class Drawing {
 public:
  explicit Drawing(const Model& model) : model_(model), typed_(model) {
    // Values keep their ids, so what the file does not say of them is found in a copy.
    Model inferred = model;
    if (upgrade(inferred, Registry::built_in()).is_ok() &&
        infer_shapes(inferred, Registry::built_in(), {.strict = false}).is_ok())
      typed_ = std::move(inferred);
  }

  std::string draw() {
    make_boxes();
    arrange();
    return write();
  }

 private:
  size_t add_box(std::vector<std::string> lines, std::string style, size_t row) {
    Box box;
    for (const std::string& line : lines)
      box.width = std::max(box.width, static_cast<double>(line.size()) * kCharacter);
    box.width += 2 * kPadding;
    box.height = static_cast<double>(lines.size()) * kLine + kPadding;
    box.lines = std::move(lines);
    box.style = std::move(style);
    box.row = row;
    boxes_.push_back(std::move(box));
    return boxes_.size() - 1;
  }

  std::string type_text(ValueId id) const {
    const Type& type = typed_.value(id).type();
    return type.kind() == TypeKind::kUnknown ? "" : shown(to_string(type, typed_.dims()));
  }

  void make_boxes() {
    std::unordered_map<int32_t, size_t> made_by;  // value -> box
    for (ValueId id : model_.graph().inputs()) {
      if (model_.value(id).is_initializer()) continue;
      made_by[id.index] = add_box({shown(model_.value(id).name()), type_text(id)}, "end", 0);
    }
    for (const Node& node : model_.nodes()) {
      std::vector<std::string> lines = {(node.domain().empty() ? "" : shown(node.domain()) + ".") +
                                        shown(node.op_type())};
      std::vector<Edge> edges;
      size_t row = 0;
      const auto connect = [&](ValueId id) {
        const auto from = id.is_valid() ? made_by.find(id.index) : made_by.end();
        if (from != made_by.end()) {
          row = std::max(row, boxes_[from->second].row + 1);
          edges.push_back({from->second, 0, type_text(id)});
        } else if (id.is_valid() && model_.value(id).is_initializer() && lines.size() < 8) {
          const Constant& constant = *model_.value(id).constant();
          lines.push_back(
              shown(model_.value(id).name()) + ": " +
              std::string(to_string(constant.sparse ? constant.sparse->values.dtype()
                                                    : constant.tensor.dtype())) +
              "[" + to_string(constant.sparse ? constant.sparse->shape : constant.tensor.shape()) +
              "]");
        }
      };
      for (ValueId id : node.inputs()) connect(id);
      for (ValueId id : node.captures()) connect(id);
      for (const Attribute& attribute : node.attributes())
        if (lines.size() < 12) lines.push_back(attribute_text(attribute));
      const size_t box = add_box(std::move(lines), "node", row);
      for (Edge& edge : edges) {
        edge.to = box;
        edges_.push_back(std::move(edge));
      }
      for (ValueId id : node.outputs())
        if (id.is_valid()) made_by[id.index] = box;
    }
    for (ValueId id : model_.graph().outputs()) {
      const auto from = made_by.find(id.index);
      const size_t row = from == made_by.end() ? 0 : boxes_[from->second].row + 1;
      const size_t box = add_box({shown(model_.value(id).name()), type_text(id)}, "end", row);
      if (from != made_by.end()) edges_.push_back({from->second, box, ""});
    }
  }

  void arrange() {
    std::map<size_t, std::vector<size_t>> rows;
    for (size_t i = 0; i < boxes_.size(); ++i) rows[boxes_[i].row].push_back(i);
    std::vector<std::vector<size_t>> producers(boxes_.size());
    for (const Edge& edge : edges_) producers[edge.to].push_back(edge.from);
    double y = kMargin;
    for (auto& [row, members] : rows) {
      for (size_t i : members) {
        double sum = 0;
        for (size_t from : producers[i]) sum += boxes_[from].x;
        boxes_[i].place = producers[i].empty() ? 0 : sum / static_cast<double>(producers[i].size());
      }
      std::stable_sort(members.begin(), members.end(),
                       [&](size_t a, size_t b) { return boxes_[a].place < boxes_[b].place; });
      double width = -kGapAcross, mean = 0, height = 0;
      for (size_t i : members) {
        width += boxes_[i].width + kGapAcross;
        mean += boxes_[i].place / static_cast<double>(members.size());
        height = std::max(height, boxes_[i].height);
      }
      double x = mean - width / 2;
      for (size_t i : members) {
        boxes_[i].x = x + boxes_[i].width / 2;  // of its middle
        boxes_[i].y = y;
        x += boxes_[i].width + kGapAcross;
      }
      y += height + kGapDown;
    }
    double left = 0, right = 0;
    for (const Box& box : boxes_) {
      left = std::min(left, box.x - box.width / 2);
      right = std::max(right, box.x + box.width / 2);
    }
    for (Box& box : boxes_) box.x += kMargin - left;
    width_ = right - left + 2 * kMargin;
    height_ = y - kGapDown + kMargin;
  }

  static std::string number(double value) {
    return to_text(static_cast<double>(static_cast<int64_t>(value * 10)) / 10);
  }

  std::string write() const {
    std::string svg =
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"" + number(width_) + "\" height=\"" +
        number(height_) +
        "\" font-family=\"DejaVu Sans Mono, monospace\" font-size=\"12\">\n"
        "<style>.node{fill:#eef3fb;stroke:#3b5b92}.end{fill:#f6f6f6;stroke:#888}.title{font-weight:"
        "bold}"
        "path{fill:none;stroke:#666}.label{fill:#666;font-size:10px}</style>\n"
        "<defs><marker id=\"arrow\" viewBox=\"0 0 8 8\" refX=\"8\" refY=\"4\" markerWidth=\"7\" "
        "markerHeight=\"7\" "
        "orient=\"auto\"><polygon points=\"0,0 8,4 0,8\" fill=\"#666\"/></marker></defs>\n"
        "<rect width=\"100%\" height=\"100%\" fill=\"white\"/>\n";
    std::unordered_map<size_t, std::vector<std::string>> labelled;
    for (const Edge& edge : edges_) {
      const Box &from = boxes_[edge.from], &to = boxes_[edge.to];
      const double y0 = from.y + from.height, y1 = to.y, bend = (y1 - y0) / 2;
      svg += "<path d=\"M" + number(from.x) + "," + number(y0) + " C" + number(from.x) + "," +
             number(y0 + bend) + " " + number(to.x) + "," + number(y1 - bend) + " " + number(to.x) +
             "," + number(y1) + "\" marker-end=\"url(#arrow)\"/>\n";
      // Beside the start of the edge, each type once.
      std::vector<std::string>& labels = labelled[edge.from];
      if (edge.label.empty() || labels.size() == kMaxLabels ||
          std::find(labels.begin(), labels.end(), edge.label) != labels.end())
        continue;
      labels.push_back(edge.label);
      svg += "<text class=\"label\" x=\"" + number(from.x + 6) + "\" y=\"" +
             number(y0 + 12 * static_cast<double>(labels.size())) + "\">" + escape(edge.label) +
             "</text>\n";
    }
    for (const Box& box : boxes_) {
      svg += "<rect class=\"" + box.style + "\" x=\"" + number(box.x - box.width / 2) + "\" y=\"" +
             number(box.y) + "\" width=\"" + number(box.width) + "\" height=\"" +
             number(box.height) + "\" rx=\"5\"/>\n";
      for (size_t i = 0; i < box.lines.size(); ++i)
        svg += std::string("<text") + (i == 0 ? " class=\"title\"" : "") + " x=\"" +
               number(box.x - box.width / 2 + kPadding) + "\" y=\"" +
               number(box.y + kLine * static_cast<double>(i + 1)) + "\">" + escape(box.lines[i]) +
               "</text>\n";
    }
    return svg + "</svg>\n";
  }

  const Model& model_;
  Model typed_;  // with the types that follow
  std::vector<Box> boxes_;
  std::vector<Edge> edges_;
  double width_ = 0, height_ = 0;
};

}  // namespace

Result<std::string> draw_svg(const Model& model, const SvgOptions& options) {
  if (static_cast<int64_t>(model.graph().node_count()) > options.max_nodes)
    return Status::unsupported("the graph has {} nodes, drawings show up to {}",
                               model.graph().node_count(), options.max_nodes);
  return Drawing(model).draw();
}

}  // namespace shipway
