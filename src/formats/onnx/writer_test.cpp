#include "formats/onnx/writer.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <protozero/pbf_writer.hpp>

#include "formats/onnx/reader.h"
#include "formats/onnx/value_proto.h"
#include "graph/builder.h"
#include "shipway/formats.h"

namespace shipway {
namespace {

using protozero::pbf_writer;
using ::testing::HasSubstr;
namespace fs = std::filesystem;

class OnnxFiles : public testing::Test {
 protected:
  void SetUp() override {
    folder_ = fs::path(testing::TempDir()) / ("onnx_files_" + std::to_string(::getpid()));
    fs::remove_all(folder_);
    fs::create_directories(folder_ / "models");
  }
  void TearDown() override { fs::remove_all(folder_); }
  std::string path(const std::string& name) const { return (folder_ / "models" / name).string(); }
  void write(const std::string& name, std::string_view bytes) const {
    std::ofstream(path(name), std::ios::binary) << bytes;
  }
  fs::path folder_;
};

Model model_with(const Tensor& tensor) {
  Model model;
  model.ir_version = 10;
  model.opset_imports = {{"", 21}};
  ModelBuilder builder(model);
  const ValueId value = builder.add_value(model.main_graph(), "w");
  builder.add_initializer(value, {tensor, nullptr, nullptr});
  return model;
}

// A model with one float initializer of `count` elements in an external file, made with protozero's
// writer.
std::string external_model(const std::string& location, int64_t count, int64_t offset) {
  std::string tensor, graph, bytes;
  pbf_writer t(tensor);
  t.add_int64(1, count);
  t.add_int32(2, 1);
  t.add_string(8, "w");
  for (const auto& [key, value] : {std::pair<std::string, std::string>{"location", location},
                                   {"offset", std::to_string(offset)},
                                   {"length", std::to_string(count * 4)}}) {
    std::string entry;
    pbf_writer e(entry);
    e.add_string(1, key);
    e.add_string(2, value);
    t.add_message(13, entry);
  }
  t.add_int32(14, 1);
  pbf_writer(graph).add_message(5, tensor);
  pbf_writer m(bytes);
  m.add_int64(1, 10);
  m.add_message(7, graph);
  return bytes;
}

const Tensor& first_tensor(const Model& model) {
  return model.value(model.graph().initializers()[0]).constant()->tensor;
}

TEST_F(OnnxFiles, SavingOverTheMappedFileKeepsTheModelReadable) {
  std::vector<float> numbers(100000);
  for (size_t i = 0; i < numbers.size(); ++i) numbers[i] = static_cast<float>(i);
  const Tensor tensor = Tensor::from<float>({100000}, numbers);
  ASSERT_TRUE(save_model(model_with(tensor), path("m.onnx")).is_ok());
  auto model = load_model(path("m.onnx"));
  ASSERT_TRUE(model.is_ok()) << model.status().message();
  ASSERT_TRUE(save_model(*model, path("m.onnx")).is_ok());
  EXPECT_TRUE(identical(first_tensor(*model), tensor));
  EXPECT_TRUE(identical(first_tensor(*load_model(path("m.onnx"))), tensor));
}

TEST_F(OnnxFiles, ElementsBorrowFromTheMappingWhenAligned) {
  const auto bytes = Tensor::zeros(DType::kInt8, {5000});
  ASSERT_TRUE(save_model(model_with(*bytes), path("m.onnx")).is_ok());
  const auto model = load_model(path("m.onnx"));
  EXPECT_TRUE(first_tensor(*model).storage()->is_read_only());
}

TEST_F(OnnxFiles, UnalignedElementsAreCopiedWhenTheyAreAskedFor) {
  std::vector<float> numbers(5000);
  for (size_t i = 0; i < numbers.size(); ++i) numbers[i] = static_cast<float>(i);
  const Tensor tensor = Tensor::from<float>({5000}, numbers);
  int deferred = 0;
  for (const char* offset : {"x", "xx", "xxx", "xxxx"}) {  // the producer's name moves the elements
    Model model = model_with(tensor);
    model.producer_name = offset;
    ASSERT_TRUE(save_model(model, path("m.onnx")).is_ok());
    const auto loaded = load_model(path("m.onnx"));
    const Tensor& first = first_tensor(*loaded);
    deferred += first.storage()->is_deferred();
    first.storage()->rest();  // the file has them still
    std::vector<float> copy(5000);
    first.storage()->copy_to(std::as_writable_bytes(std::span(copy)));
    EXPECT_EQ(copy, numbers);
    EXPECT_TRUE(identical(first, tensor));
    EXPECT_FALSE(first.storage()->is_deferred());
  }
  EXPECT_EQ(deferred, 3);
}

TEST_F(OnnxFiles, ExternalDataBeyondTwoGigabytesIsMapped) {
  constexpr int64_t kOffset = int64_t{3} << 30;
  write("m.onnx", external_model("w.bin", 4, kOffset));
  const int fd =
      ::open(path("w.bin").c_str(), O_CREAT | O_WRONLY, 0600);  // sparse: a few kilobytes on disk
  const float numbers[] = {1, 2, 3, 4};
  ASSERT_EQ(::pwrite(fd, numbers, sizeof numbers, kOffset), static_cast<ssize_t>(sizeof numbers));
  ::close(fd);
  const auto model = load_model(path("m.onnx"));
  ASSERT_TRUE(model.is_ok()) << model.status().message();
  EXPECT_EQ(first_tensor(*model).as<float>()[3], 4.0f);
  EXPECT_TRUE(first_tensor(*model).storage()->is_read_only());
}

TEST_F(OnnxFiles, ExternalDataNeverLeavesTheFolder) {
  std::ofstream(folder_ / "secret") << std::string(16, 'x');
  fs::create_symlink(folder_ / "secret", path("link"));
  ::mkfifo(path("pipe").c_str(), 0600);
  const auto message = [&](const std::string& location) {
    write("m.onnx", external_model(location, 4, 0));
    const auto model = load_model(path("m.onnx"));
    return model.is_ok() ? std::string("no error") : model.status().message();
  };
  EXPECT_THAT(message((folder_ / "secret").string()), HasSubstr("is absolute"));
  EXPECT_THAT(message("../secret"), HasSubstr("goes up by '..'"));
  EXPECT_THAT(message("a/../../secret"), HasSubstr("goes up by '..'"));
  EXPECT_THAT(message("link"), HasSubstr("leads out of the model's folder"));
  EXPECT_THAT(message("pipe"), HasSubstr("it is a pipe"));
  EXPECT_THAT(message(std::string("a\0b", 3)), HasSubstr("NUL byte"));
  EXPECT_THAT(message("missing"), HasSubstr("external data file 'missing' is missing"));
  EXPECT_THAT(message(""), HasSubstr("has no location"));
  write("short", "1234");
  EXPECT_THAT(message("short"), HasSubstr("needs 16 bytes from byte 0 of 'short' on, 4 left"));
}

TEST_F(OnnxFiles, SavingBesideLeavesTheDataOfTheOtherModelAlone) {
  const std::string data = "0123456789abcdef";  // four floats
  write("m.onnx", external_model("w.bin", 2, 8));
  write("w.bin", data);
  const auto model = load_model(path("m.onnx"));
  ASSERT_TRUE(model.is_ok()) << model.status().message();
  ASSERT_TRUE(save_model(*model, path("n.onnx")).is_ok());
  std::ifstream file(path("w.bin"), std::ios::binary);
  EXPECT_EQ(std::string(std::istreambuf_iterator<char>(file), {}), data);
  const auto copy = load_model(path("n.onnx"));
  ASSERT_TRUE(copy.is_ok()) << copy.status().message();
  EXPECT_TRUE(identical(first_tensor(*copy), first_tensor(*model)));
  EXPECT_EQ(copy->value(copy->graph().initializers()[0]).constant()->external->location,
            "n.onnx.data");
  fs::create_directories(folder_ / "elsewhere");
  ASSERT_TRUE(save_model(*model, (folder_ / "elsewhere" / "m.onnx").string()).is_ok());
  EXPECT_TRUE(fs::exists(folder_ / "elsewhere" / "w.bin"));
}

TEST_F(OnnxFiles, LargeTensorsGoToOneFileOnRequest) {
  const Tensor tensor = Tensor::from<float>({400}, std::vector<float>(400, 2.5f));
  SaveOptions options;
  options.external_data = ExternalDataLayout::kOneFile;
  ASSERT_TRUE(save_model(model_with(tensor), path("m.onnx"), options).is_ok());
  EXPECT_EQ(fs::file_size(path("m.onnx.data")), 1600u);
  const auto model = load_model(path("m.onnx"));
  ASSERT_TRUE(model.is_ok()) << model.status().message();
  EXPECT_TRUE(identical(first_tensor(*model), tensor));
  options.location = "../elsewhere";
  EXPECT_THAT(save_model(*model, path("n.onnx"), options).message(), HasSubstr("goes up by '..'"));
}

TEST_F(OnnxFiles, MoreThanTwoGigabytesNameTheOption) {
  // Memory that is never touched: the size is known before anything is written.
  const auto tensor = Tensor::allocate(DType::kUInt8, {int64_t{1} << 31});
  ASSERT_TRUE(tensor.is_ok());
  const Status status = save_model(model_with(*tensor), path("m.onnx"));
  EXPECT_EQ(status.code(), StatusCode::kLimit);
  EXPECT_THAT(status.message(), HasSubstr("ExternalDataLayout::kOneFile"));
  EXPECT_FALSE(fs::exists(path("m.onnx")));
}

TEST(OnnxWriter, AMillionNodesInAChainLoadAndSave) {
  constexpr int kNodes = 1000000;
  MessageWriter graph, model;
  std::string before = "x";
  for (int i = 0; i < kNodes; ++i) {
    const std::string name = "v" + std::to_string(i);
    MessageWriter node;
    node.add_text(1, before);
    node.add_text(2, name);
    node.add_text(4, "Neg");
    graph.add_message(1, std::move(node));
    before = name;
  }
  model.add_integer(1, 10);
  model.add_message(7, std::move(graph));
  const std::string bytes = model.to_string();
  const auto read = load_model_from_bytes(as_bytes(bytes));
  ASSERT_TRUE(read.is_ok()) << read.status().message();
  EXPECT_EQ(read->graph().node_count(), static_cast<size_t>(kNodes));
  EXPECT_TRUE(*serialize_model(*read) == bytes);
}

TEST(ForeignFiles, AreNamedAsWhatTheyAre) {
  using namespace std::string_literals;
  const std::pair<std::string, const char*> cases[] = {
      {"", "an empty file"},
      {"version https://git-lfs.github.com/spec/v1\noid sha256:", "a Git LFS pointer"},
      {"<!DOCTYPE html><html>", "a web page"},
      {"\n <html><body>", "a web page"},
      {"7767517\n75 83\n", "an ncnn .param file"},
      {"<?xml version=\"1.0\"?>\n<net name=\"x\" version=\"11\">", "an OpenVINO model"},
      {"name: \"LeNet\"\nlayer {\n  name: \"data\"\n", "a Caffe network"},
      {"\x89HDF\r\n\x1a\n", "an HDF5 file"},
      {"\x20\x00\x00\x00\x00\x00\x00\x00{\"a\":{\"dtype\":\"F32\"}}             "s,
       "a safetensors file"},
      {"GGUF\x03", "a GGUF file"},
      {"\x93NUMPY\x01", "a NumPy array"},
      {"\x89PNG\r\n\x1a\n", "a PNG picture"},
      {"\xff\xd8\xff\xe0", "a JPEG picture"},
      {"\x1f\x8b\x08", "a gzip archive"},
      {"PK\x03\x04 model/data.pkl", "a PyTorch checkpoint"},
      {"PK\x03\x04 model/constants.pkl model/data.pkl", "a TorchScript archive"},
      {"\x80\x02}q\x01", "a Python pickle"},
      {"\x08\x00\x00\x00TFL3\x00\x00\x00\x00"s, "a TensorFlow Lite model"},
      {"\x08\x00\x00\x00ORTM\x00\x00\x00\x00"s, "an ONNX Runtime model"},
      {"\x08\x01\x12\x02\x0a\x00"s, "a TensorFlow SavedModel"},
      {"\x0a\x08\x0a\x01x\x12\x03"s + "Neg", "a TensorFlow graph"},
      {"{\"format\": 1}", "a JSON file"},
      {"<ir_version: 7>", "ONNX's text syntax"},
      {"ir_version: 3\ngraph {", "protobuf's text form"},
      {std::string(100, '\0'), "a file of zeros"},
      {"# What is this?\n\tA r\xc3\xa9sum\xc3\xa9.\n", "a text file"},
      {"\x7fwhat is this?", "not a model file that Shipway knows"},
  };
  for (const auto& [bytes, expected] : cases) {
    const auto model = load_model_from_bytes(as_bytes(bytes));
    ASSERT_FALSE(model.is_ok()) << expected;
    EXPECT_THAT(model.status().message(), HasSubstr(expected));
  }
}

TEST(ValueProto, WritesWhatItReads) {
  const Tensor a = Tensor::from<float>({2}, {1, 2});
  const Tensor b = Tensor::from<std::string>({1}, {"x"});
  const Type tensor = Type::tensor(DType::kFloat32);
  const auto through = [](const RuntimeValue& value, const Type& type) {
    const auto bytes = write_value_proto(value, "v", type);
    EXPECT_TRUE(bytes.is_ok()) << bytes.status().message();
    const auto again = read_value_proto(as_bytes(*bytes), type);
    EXPECT_TRUE(again.is_ok()) << again.status().message();
    return *again;
  };
  EXPECT_TRUE(identical(*through(a, tensor).tensor(), a));
  const RuntimeValue sequence = through(Sequence{a, b}, Type::sequence(tensor));
  ASSERT_EQ(sequence.sequence()->size(), 2u);
  EXPECT_TRUE(identical(*(*sequence.sequence())[1].tensor(), b));
  EXPECT_TRUE(through(RuntimeValue(), Type::optional(tensor)).is_absent());
  EXPECT_TRUE(identical(*through(a, Type::optional(tensor)).tensor(), a));
  const Map map{std::map<std::string, RuntimeValue>{{"k", a}}};
  const RuntimeValue read_map = through(map, Type::map(DType::kString, tensor));
  EXPECT_TRUE(identical(*std::get<1>(read_map.map()->entries).at("k").tensor(), a));
}

}  // namespace
}  // namespace shipway
