#include "define/config_classes.h"

#include <map>

namespace cleave::define {
namespace {

class ClassTable {
 public:
  ClassTable() : json_(parse_json(embedded_defaults(), "models/defaults.json")) {
    for (const auto& [model_type, line] : json_.items()) {
      const ConfigClass entry = {model_type, field(line, "defaults"), field(line, "names"), line.value("text", "")};
      if (const Json* architectures = field(line, "architectures"))
        for (const Json& name : *architectures) by_architecture_.emplace(name.get<std::string>(), model_type);
      classes_.emplace(model_type, entry);
    }
  }

  const std::map<std::string, ConfigClass, std::less<>>& classes() const { return classes_; }

  const ConfigClass* of_architecture(std::string_view architecture) const {
    const auto found = by_architecture_.find(architecture);
    return found == by_architecture_.end() ? nullptr : &classes_.at(found->second);
  }

 private:
  static const Json* field(const Json& line, const char* name) {
    const auto found = line.find(name);
    return found == line.end() ? nullptr : &*found;
  }

  Json json_;
  std::map<std::string, ConfigClass, std::less<>> classes_;
  std::map<std::string, std::string, std::less<>> by_architecture_;  // a text part's class after its whole's
};

const ClassTable& table() {
  static const ClassTable parsed;
  return parsed;
}

}  // namespace

const Json* ConfigClass::default_of(std::string_view key) const {
  if (defaults == nullptr) return nullptr;
  const auto found = defaults->find(key);
  return found == defaults->end() ? nullptr : &*found;
}

const ConfigClass* class_named(std::string_view model_type) {
  const auto found = table().classes().find(model_type);
  return found == table().classes().end() ? nullptr : &found->second;
}

const ConfigClass* class_of(const Json& config) {
  if (const auto type = config.find("model_type"); type != config.end() && type->is_string())
    return class_named(type->get_ref<const std::string&>());
  const auto architectures = config.find("architectures");
  if (architectures == config.end() || !architectures->is_array() || architectures->empty() ||
      !architectures->front().is_string())
    return nullptr;
  return table().of_architecture(architectures->front().get_ref<const std::string&>());
}

}  // namespace cleave::define
