#include "define/rotary_settings.h"

#include <algorithm>
#include <string>

#include "base/error.h"

namespace cleave::define {
namespace {

constexpr const char* kParameters = "rope_parameters";
constexpr const char* kLocalBase = "rope_local_base_freq";  // of layers with a window (Gemma 3)
constexpr double kTheta = 10000.0;                          // of the first models, which do not write it out

Json no_rope() {
  return {{"rope_type", "none"}};
}

bool says_no_rope(const Completion& c) {
  return c.config().contains(kParameters) && !c.has(kParameters) && !c.has("rope_theta") && !c.has("rope_scaling");
}

// A settings object with `key` in it, the configuration's where it has none.
void take(const Completion& c, Json& rope, const char* key) {
  if (!rope.contains(key) && c.has(key)) rope[key] = c.config()[key];
}

void complete_rope(const Completion& c, Json& rope, const ConfigClass* of_class) {
  if (!rope.contains("rope_type")) rope["rope_type"] = rope.contains("type") ? Json(rope["type"]) : Json("default");
  if (rope["rope_type"] == "su") rope["rope_type"] = "longrope";         // its first name
  if (rope["rope_type"] == "deepseek_yarn") rope["rope_type"] = "yarn";  // Sarvam's
  take(c, rope, "rope_theta");
  if (!rope.contains("rope_theta")) rope["rope_theta"] = kTheta;
  take(c, rope, "partial_rotary_factor");
  constexpr const char* kOriginal = "original_max_position_embeddings";
  if (of_class != nullptr && of_class->default_of(kOriginal) != nullptr)
    rope.erase(kOriginal);  // the class's own counts
  take(c, rope, kOriginal);
}

// Rotary settings of a version-4 configuration, in version 5's form.
Json rope_of_version_4(const Completion& c, const ConfigClass* of_class) {
  Json rope =
      c.has("rope_scaling") && c.config()["rope_scaling"].is_object() ? c.config()["rope_scaling"] : Json::object();
  if (!c.has(kLocalBase)) return rope;
  complete_rope(c, rope, of_class);
  return {{"full_attention", rope}, {"sliding_attention", Json::object()}};
}

void complete_nested(const Completion& c, Json& rope, const ConfigClass* of_class) {
  if (c.has(kLocalBase) || (of_class != nullptr && of_class->model_type == "olmo3"))
    for (const char* layers : {"full_attention", "sliding_attention"})
      if (!rope.contains(layers)) rope[layers] = Json::object();
  for (auto& [layers, parameters] : rope.items()) {
    if (parameters.is_null()) parameters = no_rope();
    if (!parameters.is_object()) continue;
    if (layers == "sliding_attention" && c.has(kLocalBase) && !parameters.contains("rope_theta"))
      parameters["rope_theta"] = c.config()[kLocalBase];
    complete_rope(c, parameters, of_class);
  }
}

}  // namespace

void read_absent_rope(Completion& c, const ConfigClass* of_class) {
  c.copy("rotary_emb_base", "rope_theta");
  c.copy("global_rope_theta", "rope_theta");
  c.copy("local_rope_theta", kLocalBase);
  c.copy("rotary_pct", "partial_rotary_factor");
  // Of the models that a class reads only OLMo Hybrid means it; the class itself takes its default.
  const bool meant = of_class == nullptr || of_class->model_type == "olmo_hybrid";
  if (meant && says_no_rope(c)) c.config()[kParameters] = no_rope();
  const bool scaled = c.has("rope_scaling");
  if (!c.has(kParameters)) c.config().erase(kParameters);
  if (scaled || of_class == nullptr || c.has(kParameters)) return;
  if (const Json* whole = of_class->default_of(kParameters)) c.fill(kParameters, *whole);
}

void normalize_rope(Completion& c, const ConfigClass* of_class) {
  if (!c.has(kParameters)) c.config()[kParameters] = rope_of_version_4(c, of_class);
  Json& rope = c.config()[kParameters];
  if (!rope.is_object()) fail(ErrorKind::Corrupt, "config: rope_parameters is {}, wanted an object", rope.dump());
  const bool flat = rope.contains("rope_type") || rope.contains("type") || rope.contains("rope_theta");
  if (!flat && std::ranges::any_of(rope, [](const Json& value) { return value.is_object(); }))
    complete_nested(c, rope, of_class);
  else
    complete_rope(c, rope, of_class);
}

}  // namespace cleave::define
