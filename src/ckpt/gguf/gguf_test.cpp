#include "ckpt/gguf/gguf.h"

#include "ckpt/testing/bytes.h"

namespace cleave::ckpt {
namespace {

constexpr const char* kFile = "m.gguf";

void expect_refused(const std::string& text, ErrorKind kind, std::initializer_list<std::string_view> parts) {
  expect_error([&] { parse_gguf(bytes_of(text), kFile); }, kind, {kFile});
  expect_error([&] { parse_gguf(bytes_of(text), kFile); }, kind, parts);
}

// A metadata entry whose value is the given bytes.
std::string entry(std::string_view key, GgufType type, const ByteWriter& value) {
  return ByteWriter().string(key).number(static_cast<uint32_t>(type)).raw(value.text()).text();
}

ByteWriter array_header(GgufType type, uint64_t count) {
  return ByteWriter().number(static_cast<uint32_t>(type)).number(count);
}

TEST(Gguf, ReadsEveryMetadataType) {
  GgufBuilder builder;
  builder.key("u8", GgufType::U8, uint8_t{200}).key("i8", GgufType::I8, int8_t{-3});
  builder.key("u16", GgufType::U16, uint16_t{60000}).key("i16", GgufType::I16, int16_t{-300});
  builder.key("u32", GgufType::U32, 4000000000u).key("i32", GgufType::I32, -70000);
  builder.key("u64", GgufType::U64, UINT64_MAX).key("i64", GgufType::I64, INT64_MIN);
  builder.key("f32", GgufType::F32, 0.5f).key("f64", GgufType::F64, 0.1);
  builder.key("bool", GgufType::Bool, uint8_t{1}).key("string", "text");
  builder.raw_key(
      entry("numbers", GgufType::Array, array_header(GgufType::I16, 2).number<int16_t>(-1).number<int16_t>(2)));
  builder.raw_key(entry("floats", GgufType::Array, array_header(GgufType::F32, 1).number(0.25f)));
  builder.raw_key(entry("strings", GgufType::Array, array_header(GgufType::String, 2).string("a").string("")));
  builder.raw_key(entry("nested", GgufType::Array,
                        array_header(GgufType::Array, 1).raw(array_header(GgufType::U8, 1).number<uint8_t>(7).text())));
  const std::string text = builder.text();
  const GgufContents contents = parse_gguf(bytes_of(text), kFile);
  const GgufMetadata& metadata = contents.metadata;
  EXPECT_EQ(metadata.integer("u8"), 200);
  EXPECT_EQ(metadata.integer("i8"), -3);
  EXPECT_EQ(metadata.integer("u16"), 60000);
  EXPECT_EQ(metadata.integer("i16"), -300);
  EXPECT_EQ(metadata.integer("u32"), 4000000000);
  EXPECT_EQ(metadata.integer("i32"), -70000);
  EXPECT_EQ(metadata.integer("i64"), INT64_MIN);
  EXPECT_EQ(std::get<uint64_t>(metadata.values().at("u64")), UINT64_MAX);
  EXPECT_EQ(metadata.number("f32"), 0.5);
  EXPECT_EQ(metadata.number("f64"), 0.1);
  EXPECT_EQ(metadata.number("u8"), 200.0);
  EXPECT_EQ(metadata.boolean("bool"), true);
  EXPECT_EQ(metadata.string("string"), "text");
  EXPECT_EQ(metadata.integers("numbers"), (std::vector<int64_t>{-1, 2}));
  EXPECT_EQ(metadata.numbers("floats"), std::vector<double>{0.25});
  EXPECT_EQ(*metadata.strings("strings"), (std::vector<std::string_view>{"a", ""}));
  EXPECT_EQ(std::get<GgufArray>(metadata.values().at("nested")).arrays.at(0).bytes[0], std::byte{7});
  EXPECT_EQ(metadata.integer("absent"), std::nullopt);
  EXPECT_EQ(metadata.strings("absent"), nullptr);
}

TEST(Gguf, NamesFileAndKeyOfAWrongType) {
  const std::string text = GgufBuilder().key("s", "text").key("u64", GgufType::U64, UINT64_MAX).text();
  const GgufContents contents = parse_gguf(bytes_of(text), kFile);
  expect_error([&] { contents.metadata.integer("s"); }, ErrorKind::Corrupt, {kFile, "\"s\"", "integer"});
  expect_error([&] { contents.metadata.integer("u64"); }, ErrorKind::Corrupt, {kFile, "\"u64\"", "2^63"});
  expect_error([&] { contents.metadata.string("u64"); }, ErrorKind::Corrupt, {"\"u64\"", "a string"});
  expect_error([&] { contents.metadata.strings("s"); }, ErrorKind::Corrupt, {"\"s\"", "an array"});
}

TEST(Gguf, ReversesExtentsAndHonoursAlignment) {
  GgufBuilder builder;
  builder.u32("general.alignment", 64).tensor("a", {2, 3}, 0, 0).tensor("b", {32}, 2, 64).data(64 + 18 + 32);
  const std::string text = builder.text(2);
  const GgufContents contents = parse_gguf(bytes_of(text), kFile);
  EXPECT_EQ(contents.tensors.at("a").shape, (Shape{3, 2}));
  EXPECT_EQ(contents.tensors.at("b").dtype, DType::Q4_0);
  EXPECT_EQ(contents.tensors.at("b").bytes.size(), 18u);
  EXPECT_EQ((contents.tensors.at("b").bytes.data() - bytes_of(text).data()) % 64, 0);
}

TEST(Gguf, RefusesOtherVersionsAndByteOrders) {
  expect_refused("GGML....", ErrorKind::Corrupt, {"\"GGUF\""});
  expect_refused(GgufBuilder().text(1), ErrorKind::Unsupported, {"version 1", "2 or 3"});
  expect_refused(GgufBuilder().text(4), ErrorKind::Unsupported, {"version 4"});
  expect_refused(GgufBuilder().text(0x03000000), ErrorKind::Unsupported, {"big-endian"});
}

TEST(Gguf, ChecksCountsAgainstTheFileBeforeReserving) {
  const auto file = [](uint64_t tensors, uint64_t keys) {
    return ByteWriter().raw("GGUF").number(3u).number(tensors).number(keys).zeros(100).text();
  };
  expect_refused(file(1ull << 60, 0), ErrorKind::Corrupt, {"number of tensors", "1152921504606846976", "at most 3"});
  expect_refused(file(0, 1ull << 60), ErrorKind::Corrupt,
                 {"number of metadata keys", "1152921504606846976", "at most 7"});
  for (const GgufType type : {GgufType::U8, GgufType::U64, GgufType::String, GgufType::Array})
    expect_refused(GgufBuilder().raw_key(entry("k", GgufType::Array, array_header(type, 1ull << 61))).text(),
                   ErrorKind::Corrupt, {"length of a metadata array", "2305843009213693952"});
  expect_refused(GgufBuilder().raw_key(entry("k", GgufType::String, ByteWriter().number(UINT64_MAX))).text(),
                 ErrorKind::Corrupt, {"metadata value", "18446744073709551615"});
}

TEST(Gguf, RefusesBadMetadata) {
  expect_refused(GgufBuilder().key("k", static_cast<GgufType>(13), 0).text(), ErrorKind::Corrupt,
                 {"\"k\"", "type number 13"});
  expect_refused(GgufBuilder().u32("k", 1).u32("k", 2).text(), ErrorKind::Corrupt, {"\"k\"", "twice"});
  ByteWriter nested;
  for (int i = 0; i < 6; ++i) nested.raw(array_header(GgufType::Array, 1).text());
  expect_refused(GgufBuilder().raw_key(entry("k", GgufType::Array, nested)).data(64).text(), ErrorKind::Corrupt,
                 {"\"k\"", "deeper than 4"});
  for (const uint32_t alignment : {0u, 24u, 1u << 30})
    expect_refused(GgufBuilder().u32("general.alignment", alignment).text(), ErrorKind::Corrupt,
                   {"general.alignment", std::to_string(alignment), "power of two"});
}

TEST(Gguf, RejectsTensorBeyondFile) {
  expect_refused(GgufBuilder().tensor("w", {8}, 0, 32).data(63).text(), ErrorKind::Corrupt,
                 {"\"w\"", "32 bytes", "offset 32", "63 bytes of data", "truncated"});
  expect_refused(GgufBuilder().tensor("w", {8}, 0, 0xffffffffffffffe0).data(64).text(), ErrorKind::Corrupt,
                 {"\"w\"", "offset 18446744073709551584"});
}

TEST(Gguf, RejectsBadTensors) {
  expect_refused(GgufBuilder().tensor("w", {}, 0, 0).data(64).text(), ErrorKind::Corrupt, {"\"w\"", "0 dimensions"});
  expect_refused(GgufBuilder().tensor("w", {1, 1, 1, 1, 1}, 0, 0).data(64).text(), ErrorKind::Corrupt,
                 {"\"w\"", "5 dimensions"});
  expect_refused(GgufBuilder().tensor("w", {4, 0}, 0, 0).data(64).text(), ErrorKind::Corrupt, {"\"w\"", "extent of 0"});
  expect_refused(GgufBuilder().tensor("w", {UINT64_MAX}, 0, 0).data(64).text(), ErrorKind::Corrupt,
                 {"\"w\"", "18446744073709551615"});
  expect_refused(GgufBuilder().tensor("w", {1ull << 32, 1ull << 32}, 0, 0).data(64).text(), ErrorKind::Corrupt,
                 {"\"w\"", "impossible shape", "4294967296"});
  expect_refused(GgufBuilder().tensor("w", {33}, 2, 0).data(64).text(), ErrorKind::Corrupt,
                 {"\"w\"", "Q4_0", "33", "multiple of 32"});
  expect_refused(GgufBuilder().tensor("w", {4}, 0, 16).data(64).text(), ErrorKind::Corrupt,
                 {"\"w\"", "offset 16", "alignment 32"});
  expect_refused(GgufBuilder().tensor("w", {4}, 77, 0).data(64).text(), ErrorKind::Corrupt, {"\"w\"", "77"});
  expect_refused(GgufBuilder().tensor("w", {256}, 15, 0).data(64).text(), ErrorKind::Unsupported, {"\"w\"", "Q8_K"});
}

TEST(Gguf, RejectsOverlapsAndDuplicates) {
  expect_refused(GgufBuilder().tensor("a", {16}, 0, 0).tensor("b", {4}, 0, 32).data(96).text(), ErrorKind::Corrupt,
                 {"\"a\"", "\"b\"", "0 to 64", "overlap"});
  expect_refused(GgufBuilder().tensor("a", {4}, 0, 0).tensor("a", {4}, 0, 32).data(96).text(), ErrorKind::Corrupt,
                 {"\"a\"", "twice"});
}

TEST(Gguf, RefusesEveryTruncation) {
  GgufBuilder builder;
  builder.u32("k", 1)
      .key("s", "text")
      .raw_key(entry("strings", GgufType::Array, array_header(GgufType::String, 2).string("ab").string("c")));
  const std::string text = builder.tensor("w", {2, 4}, 0, 0).data(32).text();
  for (size_t size = 0; size < text.size(); ++size) {
    const std::string part = text.substr(0, size);
    expect_error([&] { parse_gguf(bytes_of(part), kFile); }, ErrorKind::Corrupt, {kFile});
  }
  EXPECT_NO_THROW(parse_gguf(bytes_of(text), kFile));
}

}  // namespace
}  // namespace cleave::ckpt
