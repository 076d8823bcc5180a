#include <fmt/format.h>

#include "jinja/arguments.h"
#include "jinja/objects.h"
#include "jinja/strftime.h"

namespace cleave::jinja {
namespace {

// The longest range that Jinja2's sandbox allows.
constexpr uint64_t kMaxRange = 100'000;

Value make_namespace(Context& context, const Arguments& arguments) {
  auto* result = context.make<Namespace>(context.meter());
  if (arguments.positional.size() > 1) raise("TypeError", "namespace() takes at most 1 positional argument");
  if (!arguments.positional.empty()) {
    const Value& values = arguments.positional.front();
    if (!values.is_dict()) raise("TypeError", fmt::format("'{}' object is not a dict", type_name(values)));
    for (const auto& [key, value] : values.as_dict().entries()) result->set(context.str(key), value);
  }
  for (const auto& [name, value] : arguments.named) result->set(name, value);
  return {result};
}

Value make_dict(Context& context, const Arguments& arguments) {
  auto dict = std::make_shared<Dict>(&context.meter());
  for (const Value& values : arguments.positional) {
    if (values.is_dict()) {
      for (const auto& [key, value] : values.as_dict().entries()) dict->set(key, value);
      continue;
    }
    for (const Value& pair : iterate(values, context.meter())) {
      const std::vector<Value> parts = iterate(pair, context.meter());
      if (parts.size() != 2)
        raise("ValueError",
              fmt::format("dictionary update sequence element has length {}; 2 is required", parts.size()));
      dict->set(parts[0], parts[1]);
    }
  }
  for (const auto& [name, value] : arguments.named) dict->set(context.text(name), value);
  return {std::shared_ptr<const Dict>(std::move(dict))};
}

Value make_range(Context& context, const Arguments& arguments) {
  const BoundArguments bound = positional_only(arguments, "range", {"start", "stop", "step"});
  bound.at(0);
  const bool has_stop = bound.find(1) != nullptr;
  const int64_t start = has_stop ? bound.integer(0, 0) : 0;
  const int64_t stop = has_stop ? bound.integer(1, 0) : bound.integer(0, 0);
  const int64_t step = bound.integer(2, 1);
  if (step == 0) raise("ValueError", "range() arg 3 must not be zero");
  // Computed in unsigned numbers, whose differences always fit.
  const auto distance = static_cast<uint64_t>(step > 0 ? stop : start) - static_cast<uint64_t>(step > 0 ? start : stop);
  const uint64_t stride = step > 0 ? static_cast<uint64_t>(step) : uint64_t{0} - static_cast<uint64_t>(step);
  const uint64_t count = (step > 0 ? start < stop : start > stop) ? (distance - 1) / stride + 1 : 0;
  if (count > kMaxRange)
    raise("OverflowError",
          fmt::format("Range too big. The sandbox blocks ranges larger than MAX_RANGE ({}).", kMaxRange));
  std::vector<Value> items;
  for (uint64_t i = 0; i < count; ++i)
    items.emplace_back(static_cast<int64_t>(static_cast<uint64_t>(start) + i * static_cast<uint64_t>(step)));
  return context.list(std::move(items), Sequence::Type::Range);
}

Value raise_exception(Context& context, const Arguments& arguments) {
  const BoundArguments bound(arguments, "raise_exception", {"message"});
  raise("TemplateError", context.str(bound.at(0)));
}

Value strftime_now(Context& context, const Arguments& arguments) {
  const BoundArguments bound(arguments, "strftime_now", {"format"});
  return context.text(format_time(bound.text(0), context.meter().limits().clock));
}

// cycler(a, b): next() gives them in turn.
class Cycler final : public Object {
 public:
  explicit Cycler(std::vector<Value> items) : items_(std::move(items)) {}
  std::string type_name() const override { return "Cycler"; }
  bool attribute(Context& context, const std::string& name, Value& value) override {
    if (name == "current") return value = items_[at_], true;
    if (name != "next" && name != "reset") return false;
    const bool is_next = name == "next";
    value = context.make<Builtin>(name, [this, is_next](Context&, const Arguments&) -> Value {
      const size_t at = at_;
      at_ = is_next ? (at_ + 1) % items_.size() : 0;
      return is_next ? items_[at] : Value();
    });
    return true;
  }

 private:
  std::vector<Value> items_;
  size_t at_ = 0;
};

Value make_cycler(Context& context, const Arguments& arguments) {
  if (arguments.positional.empty()) raise("RuntimeError", "at least one item has to be provided");
  return {context.make<Cycler>(arguments.positional)};
}

// joiner(", "): the first call gives nothing, later ones the text.
Value make_joiner(Context& context, const Arguments& arguments) {
  const BoundArguments bound(arguments, "joiner", {"sep"});
  const Value separator = bound.find(0) != nullptr ? *bound.find(0) : context.text(", ");
  return {
      context.make<Builtin>("joiner", [separator, used = false](Context& caller, const Arguments&) mutable -> Value {
        return std::exchange(used, true) ? separator : caller.text("");
      })};
}

}  // namespace

void define_globals(Context& context) {
  const auto define = [&](const char* name, Value (*function)(Context&, const Arguments&)) {
    context.assign(name, {context.make<Builtin>(name, function)});
  };
  define("namespace", make_namespace);
  define("dict", make_dict);
  define("range", make_range);
  define("raise_exception", raise_exception);
  define("strftime_now", strftime_now);
  define("cycler", make_cycler);
  define("joiner", make_joiner);
}

}  // namespace cleave::jinja
