#include "ckpt/gguf/writer.h"

#include <cstdint>
#include <span>
#include <string_view>
#include <type_traits>
#include <variant>

namespace cleave::ckpt {
namespace {

constexpr uint32_t kVersion = 3;

/// The bytes of a file that is being written.
class Writer {
 public:
  template <class T>
  void number(T value) {
    static_assert(std::is_arithmetic_v<T> || std::is_enum_v<T>);
    text_.append(reinterpret_cast<const char*>(&value), sizeof value);
  }
  void string(std::string_view text) {
    number<uint64_t>(text.size());
    text_ += text;
  }
  void array(const GgufArray& array) {
    number(array.type);
    number<uint64_t>(array.count);
    text_.append(reinterpret_cast<const char*>(array.bytes.data()), array.bytes.size());
    for (const std::string_view text : array.strings) string(text);
    for (const GgufArray& inner : array.arrays) this->array(inner);
  }
  void value(uint64_t x) { typed(GgufType::U64, x); }
  void value(int64_t x) { typed(GgufType::I64, x); }
  void value(float x) { typed(GgufType::F32, x); }
  void value(double x) { typed(GgufType::F64, x); }
  void value(bool x) { typed(GgufType::Bool, static_cast<uint8_t>(x)); }
  void value(std::string_view x) {
    number(GgufType::String);
    string(x);
  }
  void value(const GgufArray& x) {
    number(GgufType::Array);
    array(x);
  }

  std::string take() { return std::move(text_); }

 private:
  template <class T>
  void typed(GgufType type, T x) {
    number(type);
    number(x);
  }

  std::string text_ = "GGUF";
};

}  // namespace

std::string metadata_to_gguf(const GgufMetadata& metadata) {
  Writer writer;
  writer.number(kVersion);
  writer.number<uint64_t>(0);  // tensors
  writer.number<uint64_t>(metadata.values().size());
  for (const auto& [key, value] : metadata.values()) {
    writer.string(key);
    std::visit([&](const auto& x) { writer.value(x); }, value);
  }
  return writer.take();
}

}  // namespace cleave::ckpt
