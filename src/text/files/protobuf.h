#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace cleave::text {

/// One field of a protobuf message: its number and its value, which has one of four wire types.
struct ProtobufField {
  enum class Wire { Varint = 0, Fixed64 = 1, Bytes = 2, Fixed32 = 5 };
  uint32_t number = 0;
  Wire wire = Wire::Varint;
  uint64_t integer = 0;    // of the wire types of fixed size
  std::string_view bytes;  // of a string, bytes or message

  // The value as a C++ type. Throw Error(Corrupt), naming `what`, if it has another wire type.
  uint64_t as_integer(const std::string& what) const;
  float as_float(const std::string& what) const;
  std::string_view as_bytes(const std::string& what) const;
};

/// A reader of the fields of an untrusted protobuf message, one by one (protobuf.dev, "Encoding"). Borrows the bytes.
class ProtobufReader {
 public:
  ProtobufReader(std::string_view bytes, const std::string& what) : rest_(bytes), size_(bytes.size()), what_(what) {}
  /// The next field; nothing at the end. Throws Error(Corrupt).
  std::optional<ProtobufField> next();

 private:
  uint64_t varint();
  uint64_t fixed(size_t size);
  [[noreturn]] void corrupt(const char* message) const;

  std::string_view rest_;
  size_t size_;
  const std::string& what_;
};

}  // namespace cleave::text
