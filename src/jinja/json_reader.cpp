#include "jinja/json_reader.h"

#include "base/error.h"
#include "base/json.h"
#include "unicode/utf8.h"

namespace cleave::jinja {
namespace {

constexpr size_t kMaxDepth = 256;

// Makes values of the events of nlohmann's parser, because the library's own objects are sorted by key.
class Builder final : public nlohmann::json_sax<Json> {
 public:
  Builder(Context& context, const std::string& what) : context_(context), what_(what) {}

  Value take() { return std::move(result_); }

  bool null() override { return add({}); }
  bool boolean(bool value) override { return add(value); }
  bool number_integer(number_integer_t value) override { return add(int64_t{value}); }
  bool number_unsigned(number_unsigned_t value) override {
    return add(value <= INT64_MAX ? Value(static_cast<int64_t>(value)) : Value(static_cast<double>(value)));
  }
  bool number_float(number_float_t value, const string_t&) override { return add(value); }
  bool string(string_t& value) override { return add(context_.text(std::move(value))); }
  bool binary(binary_t&) override { return false; }

  bool start_object(size_t) override { return open(true); }
  bool start_array(size_t) override { return open(false); }
  bool key(string_t& value) override {
    open_.back().key = context_.text(std::move(value));
    return true;
  }
  bool end_object() override {
    Value value(std::shared_ptr<const Dict>(std::move(open_.back().dict)));
    open_.pop_back();
    return add(std::move(value));
  }
  bool end_array() override {
    Value value = context_.list(std::move(open_.back().items));
    open_.pop_back();
    return add(std::move(value));
  }
  bool parse_error(size_t position, const std::string&, const nlohmann::detail::exception& error) override {
    constexpr size_t kMaxMessage = 200;  // the library quotes what it read last
    fail(ErrorKind::Corrupt, "{}: not valid JSON at byte {}: {}", what_, position,
         std::string_view(error.what()).substr(0, kMaxMessage));
  }

 private:
  struct Open {
    std::shared_ptr<Dict> dict;  // null in an array
    Value key;
    std::vector<Value> items;
  };

  bool open(bool object) {
    if (open_.size() >= kMaxDepth) fail(ErrorKind::Corrupt, "{}: JSON nested deeper than {} levels", what_, kMaxDepth);
    open_.push_back({object ? std::make_shared<Dict>(&context_.meter()) : nullptr, {}, {}});
    return true;
  }

  bool add(Value value) {
    if (open_.empty())
      result_ = std::move(value);
    else if (open_.back().dict != nullptr)
      open_.back().dict->set(std::move(open_.back().key), std::move(value));
    else
      open_.back().items.push_back(std::move(value));
    return true;
  }

  Context& context_;
  const std::string& what_;
  std::vector<Open> open_;
  Value result_;
};

}  // namespace

Value read_json(std::string_view json, const std::string& what, Context& context) {
  Builder builder(context, what);
  Json::sax_parse(json, &builder);
  return builder.take();
}

}  // namespace cleave::jinja
