#include <optional>

#include "base/error.h"
#include "base/json_field.h"
#include "base/regex.h"
#include "base/untrusted_text.h"
#include "ckpt/quantized/quantization.h"

namespace cleave::ckpt {
namespace {

constexpr std::string_view kRegex = "re:";

bool matches(const std::string& expression, const std::string& module, const std::string& where) {
  return Regex(expression, Regex::Extent::Beginning, where).matches(module);
}

int whole_number(const JsonField& field) {
  const Json& value = field.json();
  if (!value.is_number_integer() || value.get<int64_t>() < -1 || value.get<int64_t>() > (1 << 30))
    field.wrong("a whole number");
  return static_cast<int>(value.get<int64_t>());
}

// The keys of one object, under the names that the tools give them.
void read_settings(const JsonField& field, IntSettings& settings) {
  if (!field.json().is_object()) return;
  for (const char* key : {"bits", "w_bit"})
    if (const auto bits = field.find(key)) settings.bits = whole_number(*bits);
  for (const char* key : {"group_size", "q_group_size"})
    if (const auto group = field.find(key)) settings.group = std::max(0, whole_number(*group));
  settings.symmetric = field.boolean_or("sym", settings.symmetric);
  settings.mode = field.string_or("mode", settings.mode);
}

// GPTQModel's `dynamic`: the first expression that matches counts.
void read_dynamic(const JsonField& dynamic, const std::string& module, IntSettings& settings) {
  for (const auto& [key, value] : dynamic.object().items()) {
    const bool left_out = key.starts_with("-:");
    const std::string expression = left_out || key.starts_with("+:") ? key.substr(2) : key;
    if (!matches(expression, module, dynamic.path())) continue;
    if (!left_out) read_settings(JsonField(value, dynamic.path()), settings);
    return;
  }
}

// AutoRound's `extra_config`: modules by name, or by an expression found anywhere in it.
void read_extra(const JsonField& extra, const std::string& module, IntSettings& settings) {
  if (const auto exact = extra.find(module)) return read_settings(*exact, settings);
  for (const auto& [key, value] : extra.object().items())
    if (key.find_first_of("*+?[(\\|^$") != std::string::npos &&
        matches("(?s:.*?)(?:" + key + ")", module, extra.path()))
      return read_settings(JsonField(value, extra.path()), settings);
}

enum class Match : uint8_t { Name, Expression, Class };

// Whether a target of compressed-tensors names the module in this way. A class is that of every linear: which class a
// module has, no file says.
bool names(const std::string& target, const std::string& module, Match match, const std::string& where) {
  const bool expression = target.starts_with(kRegex);
  switch (match) {
    case Match::Name:
      return target == module;
    case Match::Expression:
      return expression && matches(target.substr(kRegex.size()), module, where);
    case Match::Class:
      break;
  }
  return !expression && target.find('.') == std::string::npos;
}

}  // namespace

IntSettings int_settings(const Quantization& quantization, const std::string& module) {
  const JsonField field(quantization.settings, quantization.where + ":");
  IntSettings settings;
  read_settings(field, settings);
  if (const auto dynamic = field.find("dynamic"); dynamic && dynamic->json().is_object())
    read_dynamic(*dynamic, module, settings);
  if (const auto extra = field.find("extra_config"); extra && extra->json().is_object())
    read_extra(*extra, module, settings);
  if (const auto own = field.find(module); own && quantization.method == QuantMethod::Mlx)
    read_settings(*own, settings);
  return settings;
}

Json weights_settings(const Quantization& quantization, const std::string& module) {
  const JsonField field(quantization.settings, quantization.where + ":");
  const auto groups = field.find("config_groups");
  if (!groups) return nullptr;
  for (const Match match : {Match::Name, Match::Expression, Match::Class})
    for (const auto& [name, json] : groups->object().items()) {
      const JsonField group(json, groups->path() + "." + name);
      const auto targets = group.find("targets");
      const auto weights = group.find("weights");
      if (!targets || !weights) continue;
      for (const Json& target : targets->array())
        if (target.is_string() && names(target.get<std::string>(), module, match, targets->path()))
          return weights->json();
    }
  return nullptr;
}

}  // namespace cleave::ckpt
