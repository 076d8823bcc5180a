#include "jinja/objects.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/error.h"

namespace cleave::jinja {

bool Namespace::attribute(Context&, const std::string& name, Value& value) {
  for (const auto& [known, stored] : attributes_)
    if (known == name) {
      value = stored;
      return true;
    }
  return false;
}

std::string Namespace::repr() const {
  // Its values are not shown: one of them may be the namespace itself.
  std::string names;
  for (const auto& [name, value] : attributes_) names += fmt::format("{}'{}'", names.empty() ? "" : ", ", name);
  return fmt::format("<Namespace {{{}}}>", names);
}

void Namespace::set(const std::string& name, Value value) {
  for (auto& [known, stored] : attributes_)
    if (known == name) {
      stored = std::move(value);
      return;
    }
  meter_.take_memory(sizeof attributes_.front() + name.size());  // never given back, as names are never removed
  attributes_.emplace_back(name, std::move(value));
}

Value Macro::call(Context& context, const Arguments& arguments) {
  const Context::DepthGuard depth(context);
  const Context::ScopeGuard scope(context, scope_);
  bind(context, arguments);
  Context::Capture capture(context);
  execute_all(definition_.body, context);
  return context.text(capture.take());
}

void Macro::bind(Context& context, const Arguments& arguments) const {
  const std::vector<std::string>& names = definition_.parameters;
  std::vector<const Value*> given(names.size(), nullptr);
  const size_t count = std::min(names.size(), arguments.positional.size());
  for (size_t i = 0; i < count; ++i) given[i] = &arguments.positional[i];
  bind_more(context, arguments, given);
  const size_t first_default = names.size() - definition_.defaults.size();
  for (size_t i = 0; i < names.size(); ++i) {
    if (given[i] != nullptr)
      context.assign(names[i], *given[i]);
    else if (i >= first_default)
      context.assign(names[i], definition_.defaults[i - first_default]->evaluate(context));
    else
      context.assign(names[i],
                     Value::undefined(fmt::format("UndefinedError: parameter '{}' was not provided", names[i])));
  }
}

// Binds the arguments that are given by name, and those beyond the parameters.
void Macro::bind_more(Context& context, const Arguments& arguments, std::vector<const Value*>& given) const {
  const std::vector<std::string>& names = definition_.parameters;
  auto kwargs = std::make_shared<Dict>(&context.meter());
  for (const auto& [name, value] : arguments.named) {
    const auto index = static_cast<size_t>(std::find(names.begin(), names.end(), name) - names.begin());
    if (index < names.size() && given[index] == nullptr)
      given[index] = &value;
    else if (name == "caller")
      context.assign(name, value);
    else if (definition_.uses_kwargs)
      kwargs->set(context.text(name), value);
    else
      raise("TypeError", fmt::format("macro '{}' takes no keyword argument '{}'", definition_.name, name));
  }
  std::vector<Value> varargs;
  if (arguments.positional.size() > names.size())
    varargs.assign(arguments.positional.begin() + static_cast<std::ptrdiff_t>(names.size()),
                   arguments.positional.end());
  if (!varargs.empty() && !definition_.uses_varargs)
    raise("TypeError", fmt::format("macro '{}' takes not more than {} argument(s)", definition_.name, names.size()));
  if (definition_.uses_varargs) context.assign("varargs", context.list(std::move(varargs), Sequence::Type::Tuple));
  if (definition_.uses_kwargs) context.assign("kwargs", {std::shared_ptr<const Dict>(std::move(kwargs))});
}

bool Macro::attribute(Context& context, const std::string& name, Value& value) {
  if (name != "name") return false;
  value = context.text(definition_.name);
  return true;
}

std::string Macro::repr() const {
  return fmt::format("<Macro '{}'>", definition_.name);
}

std::string Builtin::repr() const {
  return fmt::format("<function {}>", name_);
}

Value Loop::call(Context&, const Arguments& arguments) {
  if (recurse_ == nullptr) raise("TypeError", "The loop must have the 'recursive' marker to be called recursively.");
  if (arguments.positional.size() != 1) raise("TypeError", "loop() takes 1 argument");
  return recurse_(arguments.positional.front());
}

Value Loop::neighbour(std::ptrdiff_t offset, const char* name) const {
  const std::ptrdiff_t index = static_cast<std::ptrdiff_t>(index_) + offset;
  if (index >= 0 && index < static_cast<std::ptrdiff_t>(items_.size())) return items_[static_cast<size_t>(index)];
  return Value::undefined(fmt::format("UndefinedError: there is no {} item", name));
}

bool Loop::attribute(Context& context, const std::string& name, Value& value) {
  const auto index = static_cast<int64_t>(index_);
  const auto count = static_cast<int64_t>(items_.size());
  if (name == "index") return value = index + 1, true;
  if (name == "index0") return value = index, true;
  if (name == "revindex") return value = count - index, true;
  if (name == "revindex0") return value = count - index - 1, true;
  if (name == "first") return value = index == 0, true;
  if (name == "last") return value = index + 1 == count, true;
  if (name == "length") return value = count, true;
  if (name == "depth") return value = depth_, true;
  if (name == "depth0") return value = depth_ - 1, true;
  if (name == "previtem") return value = neighbour(-1, "previous"), true;
  if (name == "nextitem") return value = neighbour(1, "next"), true;
  if (name == "cycle") {
    value = context.make<Builtin>("cycle", [this](Context&, const Arguments& arguments) -> Value {
      if (arguments.positional.empty()) raise("TypeError", "no items for cycling given");
      return arguments.positional[index_ % arguments.positional.size()];
    });
    return true;
  }
  if (name != "changed") return false;
  value = context.make<Builtin>("changed", [this](Context& caller, const Arguments& arguments) -> Value {
    const bool same = std::equal(last_.begin(), last_.end(), arguments.positional.begin(), arguments.positional.end(),
                                 [&](const Value& a, const Value& b) { return equal(a, b, caller.meter()); });
    last_ = arguments.positional;
    return !same;
  });
  return true;
}

}  // namespace cleave::jinja
