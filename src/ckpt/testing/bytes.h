#pragma once

#include <gtest/gtest.h>

#include <cstring>
#include <initializer_list>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/error.h"
#include "ckpt/gguf/metadata.h"

/// Builders of small files, good and bad, for the tests of this folder.
namespace cleave::ckpt {

/// Bytes in memory, written little-endian.
class ByteWriter {
 public:
  template <class T>
  ByteWriter& number(T value) {
    const auto* bytes = reinterpret_cast<const char*>(&value);
    text_.append(bytes, sizeof(T));
    return *this;
  }
  ByteWriter& raw(std::string_view text) {
    text_.append(text);
    return *this;
  }
  ByteWriter& string(std::string_view text) { return number<uint64_t>(text.size()).raw(text); }
  ByteWriter& zeros(size_t count) {
    text_.append(count, '\0');
    return *this;
  }
  const std::string& text() const { return text_; }

 private:
  std::string text_;
};

inline std::span<const std::byte> bytes_of(const std::string& text) {
  return std::as_bytes(std::span(text));
}

/// A safetensors file with that header and `data_bytes` zeros.
inline std::string safetensors_text(std::string_view header, size_t data_bytes) {
  return ByteWriter().string(header).zeros(data_bytes).text();
}

/// Builds a GGUF file: metadata and tensors in the order they are added, data of zeros.
class GgufBuilder {
 public:
  template <class T>
  GgufBuilder& key(std::string_view name, GgufType type, T value) {
    return raw_key(ByteWriter().string(name).number(static_cast<uint32_t>(type)).number(value).text());
  }
  GgufBuilder& key(std::string_view name, std::string_view value) {
    return raw_key(ByteWriter().string(name).number(static_cast<uint32_t>(GgufType::String)).string(value).text());
  }
  GgufBuilder& u32(std::string_view name, uint32_t value) { return key(name, GgufType::U32, value); }
  GgufBuilder& f32(std::string_view name, float value) { return key(name, GgufType::F32, value); }
  GgufBuilder& raw_key(std::string_view bytes) {
    keys_.raw(bytes);
    ++num_keys_;
    return *this;
  }

  /// Extents innermost first, as in the file.
  GgufBuilder& tensor(std::string_view name, std::vector<uint64_t> extents, uint32_t type, uint64_t offset) {
    tensors_.string(name).number(static_cast<uint32_t>(extents.size()));
    for (const uint64_t extent : extents) tensors_.number(extent);
    tensors_.number(type).number(offset);
    ++num_tensors_;
    return *this;
  }

  /// An F32 tensor behind all others, extents outermost first.
  GgufBuilder& f32_tensor(std::string_view name, std::vector<uint64_t> shape) {
    uint64_t bytes = sizeof(float);
    for (const uint64_t extent : shape) bytes *= extent;
    tensor(name, {shape.rbegin(), shape.rend()}, 0, data_bytes_);
    data_bytes_ += (bytes + 31) / 32 * 32;
    return *this;
  }

  GgufBuilder& data(uint64_t bytes) {
    data_bytes_ = bytes;
    return *this;
  }

  std::string text(uint32_t version = 3) const {
    ByteWriter file;
    file.raw("GGUF").number(version).number(num_tensors_).number(num_keys_).raw(keys_.text()).raw(tensors_.text());
    file.zeros((32 - file.text().size() % 32) % 32 + data_bytes_);
    return file.text();
  }

 private:
  ByteWriter keys_;
  ByteWriter tensors_;
  uint64_t num_keys_ = 0;
  uint64_t num_tensors_ = 0;
  uint64_t data_bytes_ = 0;
};

/// Expects `run` to throw Error of that kind whose message holds all of `parts`.
template <class F>
void expect_error(F run, ErrorKind kind, std::initializer_list<std::string_view> parts) {
  try {
    run();
    ADD_FAILURE() << "no error";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), kind) << error.what();
    for (const std::string_view part : parts)
      EXPECT_NE(std::string_view(error.what()).find(part), std::string_view::npos)
          << part << " not in: " << error.what();
  }
}

}  // namespace cleave::ckpt
