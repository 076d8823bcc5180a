#include "ckpt/safetensors_header.h"

#include <fmt/format.h>

#include <array>
#include <optional>
#include <utility>

#include "base/error.h"
#include "base/json.h"
#include "base/untrusted_text.h"

namespace cleave::ckpt {
namespace {

constexpr size_t kMaxDimensions = 16;
constexpr const char* kMetadata = "__metadata__";

// A state machine over the events of the JSON parser: a document tree would take twenty times the memory of a hostile
// header, and the library's filtering tree builder takes time quadratic in the number of tensors.
class HeaderHandler : public nlohmann::json_sax<Json> {
 public:
  explicit HeaderHandler(const std::string& file) : file_(file) {}

  SafetensorsHeader take() { return std::move(header_); }

  bool start_object(size_t) override {
    if (place_ == Place::Start)
      place_ = Place::Header;
    else if (place_ == Place::Header)
      place_ = name_ == kMetadata ? Place::Metadata : Place::Entry;
    else
      refuse("an object");
    return true;
  }

  bool key(std::string& name) override {
    if (place_ == Place::Header) {
      name_ = name;
      entry_ = {name, DType::F32, {}, 0, 0};
      offsets_.clear();
      seen_ = {};
    } else if (place_ == Place::Metadata) {
      metadata_key_ = name;
    } else {
      start_member(name);
    }
    return true;
  }

  bool end_object() override {
    if (place_ == Place::Entry) finish_entry();
    place_ = place_ == Place::Header ? Place::Start : Place::Header;
    return true;
  }

  bool start_array(size_t) override {
    if (place_ != Place::Entry || member_ == kDtype) refuse("an array");
    place_ = member_ == kShape ? Place::Shape : Place::Offsets;
    return true;
  }

  bool end_array() override {
    if (place_ == Place::Offsets && offsets_.size() != 2) refuse(fmt::format("an array of {}", offsets_.size()));
    place_ = Place::Entry;
    return true;
  }

  bool string(std::string& text) override {
    if (place_ == Place::Metadata) {
      if (!header_.metadata.emplace(metadata_key_, std::move(text)).second)
        fail(ErrorKind::Corrupt, "{}: {} names {} twice", file_, kMetadata, in_quotes(metadata_key_));
    } else if (place_ == Place::Entry && member_ == kDtype) {
      set_dtype(text);
    } else {
      refuse(in_quotes(text));
    }
    return true;
  }

  bool number_unsigned(uint64_t value) override {
    if (place_ == Place::Shape && value <= INT64_MAX) {
      entry_.shape.push_back(static_cast<int64_t>(value));
      if (entry_.shape.size() > kMaxDimensions) refuse(fmt::format("more than {} extents", kMaxDimensions));
    } else if (place_ == Place::Offsets) {
      offsets_.push_back(value);
      if (offsets_.size() > 2) refuse("more than two numbers");
    } else {
      refuse(std::to_string(value));
    }
    return true;
  }

  bool null() override { refuse("null"); }
  bool boolean(bool value) override { refuse(value ? "true" : "false"); }
  bool number_integer(int64_t value) override { refuse(std::to_string(value)); }
  bool number_float(double, const std::string& text) override { refuse(text); }
  bool binary(Json::binary_t&) override { refuse("binary data"); }

  bool parse_error(size_t position, const std::string&, const Json::exception&) override {
    fail(ErrorKind::Corrupt, "{}: header is not valid JSON at byte {}", file_, position);
  }

 private:
  // What the parser is inside of.
  enum class Place { Start, Header, Entry, Shape, Offsets, Metadata };

  // The members of an entry, in this order in seen_.
  static constexpr std::array<std::string_view, 3> kMembers = {"dtype", "shape", "data_offsets"};
  static constexpr size_t kDtype = 0;
  static constexpr size_t kShape = 1;
  static constexpr std::array<std::string_view, 3> kWanted = {
      "a string", "an array of at most 16 extents from 0 to 2^63 - 1", "an array of two byte offsets"};

  [[noreturn]] void refuse(std::string_view seen) const {
    switch (place_) {
      case Place::Start:
        fail(ErrorKind::Corrupt, "{}: header is {}, expected a JSON object", file_, seen);
      case Place::Header:
        fail(ErrorKind::Corrupt, "{}: tensor {} is {}, expected an object", file_, in_quotes(name_), seen);
      case Place::Metadata:
        fail(ErrorKind::Corrupt, "{}: {} {} is {}, expected a string", file_, kMetadata, in_quotes(metadata_key_),
             seen);
      case Place::Entry:
      case Place::Shape:
      case Place::Offsets:
        break;
    }
    fail(ErrorKind::Corrupt, "{}: tensor {} has {} in {}, expected {}", file_, in_quotes(name_), seen,
         kMembers[member_], kWanted[member_]);
  }

  void start_member(const std::string& name) {
    for (member_ = 0; member_ < kMembers.size() && kMembers[member_] != name;) ++member_;
    if (member_ == kMembers.size())
      fail(ErrorKind::Corrupt, "{}: tensor {} has an unknown member {}", file_, in_quotes(name_), in_quotes(name));
    if (std::exchange(seen_[member_], true))
      fail(ErrorKind::Corrupt, "{}: tensor {} has {} twice", file_, in_quotes(name_), name);
  }

  void finish_entry() {
    for (size_t i = 0; i < kMembers.size(); ++i)
      if (!seen_[i]) fail(ErrorKind::Corrupt, "{}: tensor {} has no {}", file_, in_quotes(name_), kMembers[i]);
    entry_.begin = offsets_[0];
    entry_.end = offsets_[1];
    header_.entries.push_back(std::move(entry_));
  }

  // A type that is not read is no error before somebody asks for the tensor.
  void set_dtype(const std::string& text) {
    const std::optional<DType> dtype = dtype_from_name(text);
    if (dtype && !is_block(*dtype))
      entry_.dtype = *dtype;
    else
      entry_.unread_type = text.empty() ? "without a name" : text;
  }

  const std::string& file_;
  SafetensorsHeader header_;
  Place place_ = Place::Start;
  std::string name_;          // of the tensor being read
  std::string metadata_key_;  // of the metadata being read
  size_t member_ = 0;         // of the entry being read, an index into kMembers
  HeaderEntry entry_;
  std::vector<uint64_t> offsets_;
  std::array<bool, 3> seen_ = {};
};

}  // namespace

SafetensorsHeader parse_safetensors_header(std::string_view text, const std::string& file) {
  HeaderHandler handler(file);
  Json::sax_parse(text, &handler);
  return handler.take();
}

}  // namespace cleave::ckpt
