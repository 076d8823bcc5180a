#include "inference/generation_settings.h"

#include <fmt/format.h>

#include <array>
#include <cmath>

#include "base/error.h"

namespace cleave::inference {
namespace {

// The largest number that is an integer in a double.
constexpr double kMaxInteger = 9007199254740992.0;
constexpr size_t kMaxShown = 40;

[[noreturn]] void fail_type(const char* key, const Json& value, const char* wanted) {
  fail(ErrorKind::Corrupt, "generation_config.json: {} is {}, wanted {}", key, value.dump().substr(0, kMaxShown),
       wanted);
}

int32_t read_id(const char* key, const Json& value) {
  if (!value.is_number_integer() || value.get<int64_t>() < INT32_MIN || value.get<int64_t>() > INT32_MAX)
    fail_type(key, value, "the id of a token");
  return value.get<int32_t>();
}

std::vector<int32_t> read_ids(const char* key, const Json& value) {
  std::vector<int32_t> ids;
  if (!value.is_array()) return {read_id(key, value)};
  for (const Json& id : value) ids.push_back(read_id(key, id));
  return ids;
}

/// A setting that is not done, the value at which it does nothing, and whether only sampling looks at it.
struct Unread {
  const char* key;
  double neutral;
  bool sampling_only = false;
};

// Numbers: at `neutral` or missing they change nothing.
constexpr std::array<Unread, 10> kUnreadNumbers = {{{"num_beams", 1},
                                                    {"num_beam_groups", 1},
                                                    {"penalty_alpha", 0},
                                                    {"guidance_scale", 1},
                                                    {"encoder_repetition_penalty", 1},
                                                    {"encoder_no_repeat_ngram_size", 0},
                                                    {"typical_p", 1, true},
                                                    {"epsilon_cutoff", 0, true},
                                                    {"eta_cutoff", 0, true},
                                                    {"top_h", 1, true}}};

// Lists, objects and texts: present and not empty they change something.
constexpr std::array<const char*, 9> kUnreadOthers = {"sequence_bias",
                                                      "exponential_decay_length_penalty",
                                                      "watermarking_config",
                                                      "stop_strings",
                                                      "forced_decoder_ids",
                                                      "constraints",
                                                      "force_words_ids",
                                                      "dola_layers",
                                                      "max_time"};

}  // namespace

const Json* GenerationSettings::find(const char* key) const {
  const auto found = json_.find(key);
  return found == json_.end() || found->is_null() ? nullptr : &*found;
}

bool GenerationSettings::is_true(const char* key) const {
  const Json* value = find(key);
  return value != nullptr && *value == true;
}

std::optional<double> GenerationSettings::number(const char* key) const {
  const Json* value = find(key);
  if (value == nullptr) return std::nullopt;
  if (!value->is_number()) fail_type(key, *value, "a number");
  return value->get<double>();
}

std::optional<int64_t> GenerationSettings::integer(const char* key) const {
  const std::optional<double> value = number(key);
  if (!value) return std::nullopt;
  if (std::trunc(*value) != *value || std::abs(*value) > kMaxInteger) fail_type(key, *find(key), "a whole number");
  return static_cast<int64_t>(*value);
}

std::optional<int32_t> GenerationSettings::id(const char* key) const {
  const Json* value = find(key);
  return value == nullptr ? std::nullopt : std::optional(read_id(key, *value));
}

std::vector<int32_t> GenerationSettings::ids(const char* key) const {
  const Json* value = find(key);
  return value == nullptr ? std::vector<int32_t>() : read_ids(key, *value);
}

std::vector<std::vector<int32_t>> GenerationSettings::id_lists(const char* key) const {
  std::vector<std::vector<int32_t>> lists;
  const Json* value = find(key);
  if (value == nullptr) return lists;
  if (!value->is_array()) fail_type(key, *value, "a list of lists of ids");
  for (const Json& list : *value) {
    if (!list.is_array()) fail_type(key, list, "a list of ids");
    lists.push_back(read_ids(key, list));
  }
  return lists;
}

std::vector<std::string> GenerationSettings::unread(bool searches) const {
  std::vector<std::string> found;
  const auto add = [&](const char* key, const Json& value) {
    found.push_back(fmt::format("{} {}", key, value.dump().substr(0, kMaxShown)));
  };
  const bool samples = is_true("do_sample");
  for (const Unread& setting : kUnreadNumbers) {
    if (searches && std::string_view(setting.key) == "num_beams") continue;
    const Json* value = find(setting.key);
    const bool counts = value != nullptr && (samples || !setting.sampling_only);
    if (counts && value->is_number() && value->get<double>() != setting.neutral) add(setting.key, *value);
  }
  for (const char* key : kUnreadOthers)
    if (const Json* value = find(key); value != nullptr && !value->empty() && *value != false) add(key, *value);
  if (searches && is_true("renormalize_logits")) add("renormalize_logits", *find("renormalize_logits"));
  return found;
}

}  // namespace cleave::inference
