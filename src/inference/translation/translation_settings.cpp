#include "inference/translation/translation_settings.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>

#include "base/error.h"
#include "base/strings.h"
#include "engine/sampler.h"
#include "graph/tables.h"
#include "inference/generation_settings.h"
#include "runtime/device/kv_blocks.h"

namespace cleave::inference {
namespace {

constexpr int64_t kDefaultLength = 256;  // tokens of a text where nothing says how long it may be

void refuse_what_is_not_done(const GenerationSettings& settings) {
  if (settings.is_true("do_sample"))
    fail(ErrorKind::Unsupported,
         "generation_config.json: do_sample is true, but texts that depend on another are "
         "searched for, not drawn; set it to false");
  if (const std::vector<std::string> unread = settings.unread(true); !unread.empty())
    fail(ErrorKind::Unsupported, "generation_config.json sets what is not done here: {}; take it out",
         join(unread, ", "));
}

// As Transformers looks for it, but that a config.json counts beside a generation_config.json.
int32_t start_token(const OpenedModel& opened, const GenerationSettings& settings) {
  const GenerationSettings config(opened.config);
  for (const GenerationSettings* source : {&settings, &config})
    for (const char* key : {"decoder_start_token_id", "bos_token_id"})
      if (const std::optional<int32_t> id = source->id(key)) return *id;
  fail(ErrorKind::Unsupported, "no file tells the token that texts begin with (decoder_start_token_id)");
}

BeamSettings::Stopping stopping(const GenerationSettings& settings) {
  using Stopping = BeamSettings::Stopping;
  const Json* value = settings.find("early_stopping");
  if (value == nullptr || *value == false) return Stopping::Heuristic;
  if (*value == true) return Stopping::AtOnce;
  if (*value == "never") return Stopping::Never;
  fail(ErrorKind::Corrupt, "generation_config.json: early_stopping is {}, wanted true, false or \"never\"",
       value->dump());
}

int64_t beams(const GenerationSettings& settings, std::optional<int64_t> asked) {
  const int64_t beams = asked ? *asked : settings.integer("num_beams").value_or(1);
  if (beams < 1 || beams > kMostBeams)
    fail(ErrorKind::InvalidArgument, "num_beams is {}, wanted 1 to {}", beams, kMostBeams);
  return beams;
}

// A text's last token needs no position, but its start has one.
int64_t longest(const OpenedModel& opened, const Json& settings, std::optional<int64_t> asked) {
  const int64_t otherwise = std::min(kDefaultLength, opened.max_positions().value_or(kDefaultLength));
  const int64_t wanted = max_new_tokens(asked, settings, 1).value_or(otherwise);
  if (wanted < 1) fail(ErrorKind::InvalidArgument, "texts of {} tokens, wanted at least 1", wanted);
  return std::min(wanted, opened.position_limit().value_or(wanted));
}

void set_rules(TranslationSettings& result, const OpenedModel& opened, const Json& settings,
               const TranslationOptions& options) {
  const engine::SamplingParams params = sampling_params(options.sampling, settings);
  if (params.rules != nullptr) result.rules = *params.rules;
  if (options.forced_first) result.rules.forced_first = options.forced_first;
  result.repeat_penalty = params.repeat_penalty;
  engine::check_ids(result.rules, opened.output_width());
}

}  // namespace

TranslationSettings translation_settings(const OpenedModel& opened, const Json& json,
                                         const TranslationOptions& options) {
  const GenerationSettings settings(json);
  refuse_what_is_not_done(settings);
  TranslationSettings result;
  result.start = start_token(opened, settings);
  if (result.start < 0 || result.start >= opened.output_width())
    fail(ErrorKind::InvalidArgument, "texts begin with token {}, outside the model's vocabulary of {}", result.start,
         opened.output_width());
  result.search.beams = beams(settings, options.beams);
  result.search.length_penalty = settings.number("length_penalty").value_or(1);
  result.search.stopping = stopping(settings);
  result.search.end_tokens = settings.ids("eos_token_id");
  result.search.max_new_tokens = longest(opened, json, options.max_new_tokens);
  set_rules(result, opened, json, options);
  return result;
}

std::optional<int64_t> source_limit(const OpenedModel& opened) {
  const graph::Graph& graph = opened.traced.graph;
  return graph::fewest_rows(graph, graph.outputs()[static_cast<size_t>(opened.encode_program())],
                            graph::InputKind::Positions);
}

runtime::Sizes translation_sizes(int64_t source, const TranslationSettings& settings) {
  runtime::Sizes sizes;
  const int64_t beams = settings.search.beams;
  sizes.max_tokens = std::max({source, beams * runtime::kKvBlockSize, int64_t{1}});
  sizes.max_output_rows = beams;
  // While beams change, old and new blocks are there.
  const int64_t each = settings.search.max_new_tokens / runtime::kKvBlockSize + 2;
  const int64_t most = std::numeric_limits<int32_t>::max() / runtime::kKvBlockSize;
  if (each > (most - runtime::kv_blocks_for(source)) / (2 * beams))
    fail(ErrorKind::InvalidArgument,
         "{} texts at a time of up to {} tokens are too much; ask for shorter or fewer ones", beams,
         settings.search.max_new_tokens);
  sizes.kv_tokens = (runtime::kv_blocks_for(source) + 2 * beams * each) * runtime::kKvBlockSize;
  return sizes;
}

}  // namespace cleave::inference
