#include "ckpt/safetensors.h"

#include <fmt/format.h>

#include "ckpt/testing/bytes.h"

namespace cleave::ckpt {
namespace {

constexpr const char* kFile = "m.safetensors";

void expect_refused(std::string_view header, size_t data_bytes, ErrorKind kind,
                    std::initializer_list<std::string_view> parts) {
  const std::string text = safetensors_text(header, data_bytes);
  SCOPED_TRACE(header);
  expect_error([&] { parse_safetensors(bytes_of(text), kFile); }, kind, {kFile});
  expect_error([&] { parse_safetensors(bytes_of(text), kFile); }, kind, parts);
}

void expect_corrupt(std::string_view header, size_t data_bytes, std::initializer_list<std::string_view> parts) {
  expect_refused(header, data_bytes, ErrorKind::Corrupt, parts);
}

TEST(Safetensors, ReadsEveryPlainType) {
  const std::pair<const char*, DType> types[] = {
      {"F64", DType::F64},         {"F32", DType::F32},         {"F16", DType::F16},  {"BF16", DType::BF16},
      {"F8_E4M3", DType::F8_E4M3}, {"F8_E5M2", DType::F8_E5M2}, {"I64", DType::I64},  {"I32", DType::I32},
      {"I16", DType::I16},         {"I8", DType::I8},           {"U64", DType::U64},  {"U32", DType::U32},
      {"U16", DType::U16},         {"U8", DType::U8},           {"BOOL", DType::Bool}};
  for (const auto& [name, dtype] : types) {
    const auto bytes = static_cast<size_t>(6 * info(dtype).block_bytes);
    const std::string text = safetensors_text(
        fmt::format(R"({{"w":{{"dtype":"{}","shape":[2,3],"data_offsets":[0,{}]}}}})", name, bytes), bytes);
    const SafetensorsContents contents = parse_safetensors(bytes_of(text), kFile);
    const TensorView& view = contents.tensors.at("w");
    EXPECT_EQ(view.dtype, dtype);
    EXPECT_EQ(view.shape, (Shape{2, 3}));
    EXPECT_EQ(view.bytes.size(), bytes);
    EXPECT_EQ(view.bytes.data() + bytes, bytes_of(text).data() + text.size());
  }
}

TEST(Safetensors, ReadsScalarsEmptyTensorsGapsAndMetadata) {
  const std::string text = safetensors_text(
      R"({"__metadata__":{"format":"pt"},"scalar":{"dtype":"F32","shape":[],"data_offsets":[8,12]},
          "empty":{"dtype":"F32","shape":[0,5],"data_offsets":[9,9]}}   )",
      20);
  const SafetensorsContents contents = parse_safetensors(bytes_of(text), kFile);
  EXPECT_EQ(contents.metadata.at("format"), "pt");
  EXPECT_EQ(contents.tensors.at("scalar").bytes.size(), 4u);
  EXPECT_EQ(contents.tensors.at("empty").bytes.size(), 0u);
  EXPECT_EQ(contents.tensors.size(), 2u);
}

TEST(Safetensors, RefusesAHeaderLengthBeyondTheFile) {
  const std::string file = ByteWriter().number<uint64_t>(1000).raw("{}").text();
  expect_error([&] { parse_safetensors(bytes_of(file), kFile); }, ErrorKind::Corrupt, {kFile, "1000", "10 bytes"});
  const std::string huge = ByteWriter().number<uint64_t>(UINT64_MAX).raw("{}").text();
  expect_error([&] { parse_safetensors(bytes_of(huge), kFile); }, ErrorKind::Corrupt, {kFile, "18446744073709551615"});
  const std::string tiny = "1234567";
  expect_error([&] { parse_safetensors(bytes_of(tiny), kFile); }, ErrorKind::Corrupt, {kFile, "8 bytes", "only 7"});
}

TEST(Safetensors, RefusesHeadersThatAreNoObjectOfTensors) {
  expect_corrupt("{", 0, {"not valid JSON"});
  expect_corrupt("", 0, {"not valid JSON"});
  expect_corrupt("{} {}", 0, {"not valid JSON"});
  expect_corrupt("[]", 0, {"an array", "a JSON object"});
  expect_corrupt("7", 0, {"7", "a JSON object"});
  expect_corrupt(R"({"w":3})", 0, {"\"w\"", "3", "an object"});
  expect_corrupt(R"({"w":{"shape":[1],"data_offsets":[0,4]}})", 4, {"\"w\"", "has no dtype"});
  expect_corrupt(R"({"w":{"dtype":"F32","data_offsets":[0,4]}})", 4, {"\"w\"", "has no shape"});
  expect_corrupt(R"({"w":{"dtype":"F32","shape":[1]}})", 4, {"\"w\"", "has no data_offsets"});
  expect_corrupt(R"({"w":{"dtype":7,"shape":[1],"data_offsets":[0,4]}})", 4, {"\"w\"", "7 in dtype", "a string"});
  expect_corrupt(R"({"w":{"dtype":null}})", 4, {"\"w\"", "null in dtype"});
  expect_corrupt(R"({"w":{"dtype":["F32"]}})", 4, {"\"w\"", "an array in dtype"});
  expect_corrupt(R"({"w":{"shape":{}}})", 4, {"\"w\"", "an object in shape"});
  expect_corrupt(R"({"w":{"shape":[true]}})", 4, {"\"w\"", "true in shape"});
  expect_corrupt(R"({"w":{"shape":["1"]}})", 4, {"\"w\"", "\"1\" in shape"});
  expect_corrupt(R"({"w":{"shape":[[1]]}})", 4, {"\"w\"", "an array in shape"});
  expect_corrupt(R"({"w":{"strides":[1]}})", 4, {"\"w\"", "unknown member \"strides\""});
  expect_corrupt(R"({"__metadata__":{"a":1}})", 0, {"__metadata__", "\"a\"", "1", "a string"});
  expect_corrupt(R"({"__metadata__":{"a":"b","a":"c"}})", 0, {"__metadata__", "\"a\" twice"});
  expect_corrupt(R"({"__metadata__":[]})", 0, {"__metadata__", "an array"});
}

TEST(Safetensors, SetsTensorsOfUnknownAndBlockTypesApart) {
  const std::string file = safetensors_text(
      R"({"a":{"dtype":"C64","shape":[2],"data_offsets":[0,16]},"b":{"dtype":"F32","shape":[1],"data_offsets":[16,20]},
          "c":{"dtype":"Q4_0","shape":[32],"data_offsets":[20,38]},"d":{"dtype":"","shape":[],"data_offsets":[38,38]}})",
      38);
  const SafetensorsContents contents = parse_safetensors(bytes_of(file), kFile);
  EXPECT_EQ(contents.tensors.size(), 1u);
  EXPECT_EQ(contents.tensors.at("b").bytes.data(), bytes_of(file).data() + file.size() - 22);
  ASSERT_EQ(contents.unread.size(), 3u);
  EXPECT_EQ(contents.unread.at("a").unread_type, "C64");
  EXPECT_EQ(contents.unread.at("a").shape, Shape{2});
  EXPECT_EQ(contents.unread.at("c").unread_type, "Q4_0");
  EXPECT_NE(contents.unread.at("d").unread_type, "");
}

TEST(Safetensors, ChecksThePlacesOfTensorsOfUnknownTypes) {
  expect_corrupt(R"({"w":{"dtype":"C64","shape":[1],"data_offsets":[0,9]}})", 8, {"\"w\"", "byte 9", "only 8"});
  expect_corrupt(R"({"w":{"dtype":"C64","shape":[1],"data_offsets":[8,0]}})", 8, {"\"w\"", "[8, 0]"});
  expect_corrupt(
      R"({"a":{"dtype":"C64","shape":[1],"data_offsets":[0,8]},"b":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}})",
      8, {"\"a\"", "\"b\"", "overlap"});
  expect_corrupt(
      R"({"a":{"dtype":"C64","shape":[1],"data_offsets":[0,8]},"a":{"dtype":"F32","shape":[1],"data_offsets":[8,12]}})",
      12, {"\"a\" twice"});
}

TEST(Safetensors, RefusesShapesThatDoNotFit) {
  expect_corrupt(R"({"w":{"dtype":"F32","shape":[-1],"data_offsets":[0,4]}})", 4, {"\"w\"", "-1 in shape"});
  expect_corrupt(R"({"w":{"dtype":"F32","shape":[1.5],"data_offsets":[0,4]}})", 4, {"\"w\"", "1.5 in shape"});
  expect_corrupt(R"({"w":{"dtype":"F32","shape":[18446744073709551615],"data_offsets":[0,4]}})", 4,
                 {"\"w\"", "18446744073709551615"});
  expect_corrupt(R"({"w":{"dtype":"F32","shape":[4294967296,4294967296],"data_offsets":[0,4]}})", 4,
                 {"\"w\"", "impossible shape", "4294967296"});
  expect_corrupt(R"({"w":{"dtype":"F32","shape":[4611686018427387904],"data_offsets":[0,4]}})", 4,
                 {"\"w\"", "impossible shape", "4611686018427387904"});
  expect_corrupt(R"({"w":{"dtype":"F32","shape":[1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1],"data_offsets":[0,4]}})", 4,
                 {"\"w\"", "more than 16"});
  expect_corrupt(R"({"w":{"dtype":"F32","shape":[2],"data_offsets":[0,4]}})", 4, {"\"w\"", "takes 8 bytes", "[0, 4]"});
}

TEST(Safetensors, RefusesOffsetsThatDoNotFit) {
  expect_corrupt(R"({"w":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}})", 7,
                 {"\"w\"", "byte 8", "only 7", "truncated"});
  expect_corrupt(R"({"w":{"dtype":"F32","shape":[1],"data_offsets":[18446744073709551612,0]}})", 8,
                 {"\"w\"", "[18446744073709551612, 0]"});
  expect_corrupt(R"({"w":{"dtype":"F32","shape":[1],"data_offsets":[8,4]}})", 8, {"\"w\"", "[8, 4]"});
  expect_corrupt(R"({"w":{"dtype":"F32","shape":[1],"data_offsets":[0]}})", 8,
                 {"\"w\"", "array of 1", "two byte offsets"});
  expect_corrupt(R"({"w":{"dtype":"F32","shape":[1],"data_offsets":[0,4,8]}})", 8, {"\"w\"", "more than two"});
  expect_corrupt(R"({"w":{"dtype":"F32","shape":[1],"data_offsets":[-4,0]}})", 8, {"\"w\"", "-4 in data_offsets"});
}

TEST(Safetensors, RefusesOverlapsAndDuplicates) {
  expect_corrupt(
      R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"b":{"dtype":"F32","shape":[2],"data_offsets":[4,12]}})",
      12, {"\"a\"", "\"b\"", "overlap", "4 to 12"});
  expect_corrupt(
      R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"a":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}})",
      8, {"names tensor \"a\" twice"});
  expect_corrupt(R"({"a":{"dtype":"F32","shape":[1],"shape":[2],"data_offsets":[0,4]}})", 8, {"\"a\" has shape twice"});
}

TEST(Safetensors, ReadsAHundredThousandTensorsInLinearTime) {
  // A header that took minutes while the time was quadratic; a time limit of the test run would have caught it.
  std::string header = "{";
  constexpr size_t kCount = 100'000;
  for (size_t i = 0; i < kCount; ++i)
    header +=
        fmt::format(R"({}"t{}":{{"dtype":"U8","shape":[1],"data_offsets":[{},{}]}})", i == 0 ? "" : ",", i, i, i + 1);
  const std::string text = safetensors_text(header + "}", kCount);
  EXPECT_EQ(parse_safetensors(bytes_of(text), kFile).tensors.size(), kCount);
}

TEST(Safetensors, EscapesNamesInMessages) {
  expect_corrupt("{\"a\\nb\\u001b\":3}", 0, {R"("a\x0ab\x1b")"});
}

TEST(Safetensors, RefusesEveryTruncation) {
  const std::string text = safetensors_text(R"({"w":{"dtype":"F32","shape":[2,3],"data_offsets":[0,24]}})", 24);
  for (size_t size = 0; size < text.size(); ++size) {
    const std::string part = text.substr(0, size);
    expect_error([&] { parse_safetensors(bytes_of(part), kFile); }, ErrorKind::Corrupt, {kFile});
  }
  EXPECT_NO_THROW(parse_safetensors(bytes_of(text), kFile));
}

TEST(SafetensorsFile, FindsRecordedLogits) {
  const SafetensorsFile file(CLEAVE_TEST_DATA "/models/llama/expected.safetensors");
  ASSERT_NE(file.find("logits_0"), nullptr);
  EXPECT_EQ(file.find("logits_0")->shape, (Shape{19, 131}));
  EXPECT_EQ(file.find("greedy_1")->dtype, DType::I32);
  EXPECT_EQ(file.find("nothing"), nullptr);
}

}  // namespace
}  // namespace cleave::ckpt
