#include "text/files/protobuf.h"

#include <bit>

#include "base/error.h"

namespace cleave::text {
namespace {

void check_wire(const ProtobufField& field, ProtobufField::Wire wanted, const std::string& what) {
  if (field.wire != wanted)
    fail(ErrorKind::Corrupt, "{}: protobuf field {} has wire type {}, wanted {}", what, field.number,
         static_cast<int>(field.wire), static_cast<int>(wanted));
}

}  // namespace

uint64_t ProtobufField::as_integer(const std::string& what) const {
  check_wire(*this, Wire::Varint, what);
  return integer;
}

float ProtobufField::as_float(const std::string& what) const {
  check_wire(*this, Wire::Fixed32, what);
  return std::bit_cast<float>(static_cast<uint32_t>(integer));
}

std::string_view ProtobufField::as_bytes(const std::string& what) const {
  check_wire(*this, Wire::Bytes, what);
  return bytes;
}

std::optional<ProtobufField> ProtobufReader::next() {
  if (rest_.empty()) return std::nullopt;
  const uint64_t tag = varint();
  ProtobufField field;
  field.number = static_cast<uint32_t>(tag >> 3);
  if (tag >> 3 == 0 || tag >> 32 != 0) corrupt("a field number that no message has");
  field.wire = static_cast<ProtobufField::Wire>(tag & 7);
  switch (field.wire) {
    case ProtobufField::Wire::Varint:
      field.integer = varint();
      return field;
    case ProtobufField::Wire::Fixed64:
      field.integer = fixed(8);
      return field;
    case ProtobufField::Wire::Fixed32:
      field.integer = fixed(4);
      return field;
    case ProtobufField::Wire::Bytes: {
      const uint64_t size = varint();
      if (size > rest_.size()) corrupt("a value that is longer than what is left");
      field.bytes = rest_.substr(0, size);
      rest_.remove_prefix(size);
      return field;
    }
  }
  corrupt("a wire type that is not known");
}

uint64_t ProtobufReader::varint() {
  uint64_t value = 0;
  for (int shift = 0; shift < 64; shift += 7) {
    if (rest_.empty()) corrupt("a number that is cut off");
    const auto byte = static_cast<uint8_t>(rest_.front());
    rest_.remove_prefix(1);
    value |= uint64_t{byte & 0x7Fu} << shift;
    if (byte < 0x80) return value;
  }
  corrupt("a number of more than 64 bits");
}

uint64_t ProtobufReader::fixed(size_t size) {
  if (size > rest_.size()) corrupt("a number that is cut off");
  uint64_t value = 0;
  for (size_t i = 0; i < size; ++i) value |= uint64_t{static_cast<uint8_t>(rest_[i])} << 8 * i;
  rest_.remove_prefix(size);
  return value;
}

void ProtobufReader::corrupt(const char* message) const {
  fail(ErrorKind::Corrupt, "{}: not a valid protobuf message: {} at byte {} of {}", what_, message,
       size_ - rest_.size(), size_);
}

}  // namespace cleave::text
