#include "jinja/context.h"

#include <fmt/format.h>

namespace cleave::jinja {

const Value* Scope::find(const std::string& name) const {
  for (const Scope* scope = this; scope != nullptr; scope = scope->parent.get())
    if (const auto found = scope->variables.find(name); found != scope->variables.end()) return &found->second;
  return nullptr;
}

Value Context::look_up(const std::string& name) const {
  if (const Value* value = scope_->find(name)) return *value;
  return Value::undefined(fmt::format("UndefinedError: '{}' is undefined", name));
}

void Context::write(std::string_view text) {
  if (output_.size() + text.size() > meter_.limits().output_bytes)
    raise("MemoryError", fmt::format("the text is longer than {} bytes", meter_.limits().output_bytes));
  meter_.step(text.size() / 64);
  output_ += text;
}

Context::DepthGuard::DepthGuard(Context& context) : context_(context) {
  if (++context_.depth_ <= context_.meter_.limits().depth) return;
  --context_.depth_;
  raise("RecursionError", "maximum recursion depth exceeded");
}

}  // namespace cleave::jinja
