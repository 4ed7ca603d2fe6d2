#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>

#include "base/text.h"
#include "graph/builder.h"
#include "graph/text.h"
#include "shipway/viewer.h"

namespace shipway {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

std::string drawing_of(const std::string& text) {
  const auto model = parse(text);
  EXPECT_TRUE(model.is_ok()) << model.status().message();
  const auto svg = draw_svg(*model);
  EXPECT_TRUE(svg.is_ok()) << svg.status().message();
  return *svg;
}

struct Box {
  double x, y, width, height;
};

/// The number after `name="` in an element.
double number(std::string_view element, std::string_view name) {
  const size_t at = element.find(" " + std::string(name) + "=\"");
  const std::string_view rest = element.substr(at + name.size() + 3);
  return parse_double(rest.substr(0, rest.find('"'))).value_or(-1);
}

std::vector<Box> boxes(std::string_view svg) {
  std::vector<Box> found;
  for (size_t at = 0; (at = svg.find("<rect class=", at)) != svg.npos; ++at) {
    const std::string_view element = svg.substr(at, svg.find('>', at) - at);
    found.push_back({number(element, "x"), number(element, "y"), number(element, "width"),
                     number(element, "height")});
  }
  return found;
}

size_t count(std::string_view text, std::string_view part) {
  size_t count = 0;
  for (size_t at = 0; (at = text.find(part, at)) != text.npos; at += part.size()) ++count;
  return count;
}

void expect_no_overlap(const std::string& svg) {
  const std::vector<Box> all = boxes(svg);
  const double width = number(svg.substr(0, 200), "width"),
               height = number(svg.substr(0, 200), "height");
  std::map<double, std::vector<Box>> rows;
  for (const Box& box : all) {
    EXPECT_GE(box.x, 0);
    EXPECT_GE(box.y, 0);
    EXPECT_LE(box.x + box.width, width);
    EXPECT_LE(box.y + box.height, height);
    rows[box.y].push_back(box);
  }
  double bottom = 0;
  for (auto& [y, row] : rows) {
    EXPECT_GE(y, bottom);  // rows do not touch
    std::sort(row.begin(), row.end(), [](const Box& a, const Box& b) { return a.x < b.x; });
    for (size_t i = 0; i < row.size(); ++i) {
      bottom = std::max(bottom, y + row[i].height);
      if (i > 0) {
        EXPECT_GE(row[i].x, row[i - 1].x + row[i - 1].width);
      }
    }
  }
}

constexpr char kNet[] = R"(opset 17
graph main (image: float[N,3,H,W]) -> (scores: float[N,8,H,W], raw: float[N,8,H,W]) {
  weights: float[8,3,3,3] = seeded 1
  a: float[N,8,H,W] = Conv[pads=[1, 1, 1, 1]](image, weights) @first
  b: float[N,8,H,W] = Relu(a)
  raw = Neg(a)
  scores = Add(b, raw)
}
)";

TEST(DrawSvg, ShowsInputsNodesOutputsAndTypes) {
  const std::string svg = drawing_of(kNet);
  EXPECT_THAT(svg, ::testing::StartsWith("<svg xmlns=\"http://www.w3.org/2000/svg\""));
  EXPECT_THAT(svg, ::testing::EndsWith("</svg>\n"));
  for (const char* text : {">image<", ">scores<", ">raw<", ">Conv<", ">Relu<", ">Neg<", ">Add<",
                           ">pads = [1, 1, 1, 1]<", ">weights: float[8x3x3x3]<"})
    EXPECT_THAT(svg, HasSubstr(text));
  EXPECT_EQ(boxes(svg).size(), 7u);  // an input, four nodes, two outputs
  EXPECT_EQ(count(svg, "<path d="), 7u);
  // Once below each of three nodes whose value goes to a node, and in two outputs.
  EXPECT_EQ(count(svg, ">float[N,8,H,W]<"), 5u);
  expect_no_overlap(svg);
}

TEST(DrawSvg, ShowsTypesThatFollow) {
  const std::string svg = drawing_of(
      "opset 11\ngraph main (x: float[1,3,H,W]) -> (y: float[1,3,A,B]) {\n"
      "s: float[4] = {1, 1, 3, 3}  r: float[0] = {}\n"
      "u = Resize[mode=\"nearest\"](x, r, s)  y = Relu(u) }");
  EXPECT_THAT(svg, HasSubstr(">float[1,3,H*3,W*3]<"));
}

TEST(DrawSvg, DrawsTheSamePictureTwice) { EXPECT_EQ(drawing_of(kNet), drawing_of(kNet)); }

TEST(DrawSvg, ShowsOptionalInputsCapturesAndForeignDomains) {
  const std::string svg = drawing_of(R"(opset 17
opset com.example 1
graph main (x: float[2], c: bool[]) -> (y: float[2]) {
  k = com.example.Shrink(x, _)
  y = If[then_branch=graph t () -> (p: float[2]) { p = Neg(k) },
         else_branch=graph e () -> (q: float[2]) { q = Abs(x) }](c)
}
)");
  EXPECT_THAT(svg, HasSubstr(">com.example.Shrink<"));
  EXPECT_THAT(svg, HasSubstr(">then_branch = (graph)<"));
  // x to Shrink; c, k and x (which the branches use) to If; If to y.
  EXPECT_EQ(count(svg, "<path d="), 5u);
}

TEST(DrawSvg, MakesHostileTextHarmless) {
  Model model;
  model.opset_imports = {{"", 17}};
  ModelBuilder builder(model);
  const GraphId graph = model.main_graph();
  const std::string hostile = "</text><script>alert(\"1\")</script>&\x01\x1b[31m\xff\xc3\n\t";
  const ValueId x = builder.add_value(graph, hostile), y = builder.add_value(graph, hostile + "y");
  builder.set_type(x, Type::tensor(DType::kFloat32, {model.dims().symbol(hostile)}));
  builder.add_input(graph, x);
  NodeSpec spec;
  spec.op_type = "<b>" + hostile;
  spec.domain = "\"&";
  spec.inputs = {x};
  spec.outputs = {y};
  spec.attributes = {{hostile, hostile},
                     {"long", std::string(61, 'a') + std::string("\xc3\xa9\xc3\xa9\xc3\xa9")}};
  ASSERT_TRUE(builder.add_node(graph, std::move(spec)).is_ok());
  builder.add_output(graph, y);
  const auto svg = draw_svg(model);
  ASSERT_TRUE(svg.is_ok()) << svg.status().message();
  EXPECT_THAT(*svg, Not(HasSubstr("<script")));
  EXPECT_THAT(*svg, Not(HasSubstr("<b>")));
  EXPECT_THAT(*svg, HasSubstr("&lt;/text&gt;&lt;script&gt;alert(&quot;1&quot;)"));
  EXPECT_TRUE(is_utf8(*svg));
  for (const char c : *svg) EXPECT_TRUE(c == '\n' || static_cast<unsigned char>(c) >= ' ');
  // Every tag is one that the drawing makes itself.
  EXPECT_EQ(count(*svg, "<text"), count(*svg, "</text>"));
}

TEST(DrawSvg, DrawsTwoThousandNodesWithoutOverlap) {
  std::string text = "opset 17\ngraph main (v0: float[4]) -> (v2000: float[4]) {\n";
  for (int i = 1; i <= 2000; ++i) {  // each from its neighbour and from one farther back
    const int other = i % 7 == 0 ? i / 2 : i - 1;
    text += "v" + std::to_string(i) + " = Add(v" + std::to_string(i % 3 == 0 ? other : i - 1) +
            ", v" + std::to_string(other) + ")\n";
    if (i % 5 == 0) text += "u" + std::to_string(i) + " = Neg(v" + std::to_string(i / 3) + ")\n";
  }
  const std::string svg = drawing_of(text + "}\n");
  EXPECT_EQ(boxes(svg).size(), 2402u);
  expect_no_overlap(svg);
}

TEST(DrawSvg, RefusesGraphsThatNobodyCouldRead) {
  const auto model = parse(kNet);
  EXPECT_EQ(draw_svg(*model, {.max_nodes = 3}).status().message(),
            "the graph has 4 nodes, drawings show up to 3");
}

}  // namespace
}  // namespace shipway
