#include <fmt/format.h>

#include <algorithm>
#include <memory>

#include "app/commands.h"
#include "app/flags.h"
#include "app/open_model.h"
#include "app/terminal.h"
#include "app/verify_cases.h"
#include "app/verify_feed.h"
#include "base/error.h"
#include "engine/loaded_model.h"

namespace cleave::app {
namespace {

// f32 throughout differs from the reference by the order of its sums alone; 16-bit products and caches by far more.
constexpr double kExactTolerance = 1e-4;
constexpr double kDefaultTolerance = 5e-2;

struct VerifyFlags {
  ModelFlags model;
  std::filesystem::path expected;
  std::optional<double> tolerance;
  std::vector<int64_t> chunks;  // empty: whole, 1, 3, 7 and mixed
};

// Tracks that are fed together, under one name.
struct Feeding {
  std::string name;
  std::vector<Track> tracks;
};

int64_t length(const VerifyCase& reference) {
  return static_cast<int64_t>(reference.input_ids.size());
}

// Each case alone in chunks of that size; 0 for the whole input at once.
void add_alone(const std::vector<VerifyCase>& cases, int64_t chunk, std::vector<Feeding>& feedings) {
  for (const VerifyCase& reference : cases)
    feedings.push_back({chunk == 0 ? "at once" : fmt::format("chunks of {}", chunk),
                        {Track{.reference = &reference, .chunk = chunk == 0 ? length(reference) : chunk}}});
}

// Every case twice, in chunks of different sizes and a few steps apart, so that steps hold inputs and single greedy
// tokens of different sequences.
void add_mixed(const std::vector<VerifyCase>& cases, std::vector<Feeding>& feedings) {
  Feeding mixed{"mixed", {}};
  for (size_t i = 0; i < cases.size(); ++i) {
    const auto number = static_cast<int64_t>(i);
    mixed.tracks.push_back(Track{.reference = &cases[i], .chunk = 3 + number % 4});
    mixed.tracks.push_back(Track{.reference = &cases[i], .chunk = 5, .delay = 2 + number % 3});
  }
  feedings.push_back(std::move(mixed));
}

std::vector<Feeding> plan_feedings(const std::vector<VerifyCase>& cases, const std::vector<int64_t>& chunks) {
  std::vector<Feeding> feedings;
  for (const int64_t chunk : chunks.empty() ? std::vector<int64_t>{0, 1, 3, 7} : chunks)
    add_alone(cases, chunk, feedings);
  if (chunks.empty()) add_mixed(cases, feedings);
  return feedings;
}

// Steps as large as the longest input, and a cache for the feeding that needs most.
runtime::Options options_for(const std::vector<VerifyCase>& cases, const std::vector<Feeding>& feedings) {
  runtime::Options options;
  options.max_tokens = 1;
  for (const VerifyCase& reference : cases) options.max_tokens = std::max(options.max_tokens, length(reference));
  options.max_output_rows = options.max_tokens;
  options.kv_tokens = 0;
  for (const Feeding& feeding : feedings) {
    int64_t positions = 0;
    for (const Track& track : feeding.tracks) {
      const int64_t tokens = length(*track.reference) + static_cast<int64_t>(track.reference->greedy.size());
      positions += tokens + runtime::Model::kBlockSize;  // the last block of a sequence is not filled
    }
    options.kv_tokens = std::max(options.kv_tokens, positions);
  }
  return options;
}

/// Prints a row per track and remembers the worst.
class Report {
 public:
  Report(bool exact, double tolerance) : exact_(exact), tolerance_(tolerance) {
    output_.write("CASE  TOKENS  FED           LARGEST RELATIVE ERROR  GREEDY TOKENS EQUAL\n");
  }

  void add(const std::string& feeding, const Track& track) {
    const VerifyCase& reference = *track.reference;
    const auto wanted = static_cast<int64_t>(reference.greedy.size());
    const bool near_tie = track.greedy_equal < wanted && greedy_passes(track);
    output_.write(fmt::format("{:4}  {:6}  {:12}  {:22.2e}  {}{}\n", reference.name.empty() ? "-" : reference.name,
                              length(reference), feeding, track.relative_error(),
                              wanted == 0 ? "-" : fmt::format("{} of {}", track.greedy_equal, wanted),
                              near_tie ? " (the rest within the tolerance)" : ""));
    worst_ = std::max(worst_, track.relative_error());
    if (first_failure_.empty()) first_failure_ = failure(feeding, track);
  }

  /// Throws Error where a track was beyond the tolerance.
  void finish() {
    output_.write(fmt::format("{}: largest relative error {:.2e}, tolerance {:.0e}\n",
                              first_failure_.empty() ? "passed" : "failed", worst_, tolerance_));
    if (!first_failure_.empty()) fail(ErrorKind::InvalidArgument, "verification failed: {}", first_failure_);
  }

 private:
  bool greedy_passes(const Track& track) const {
    return track.greedy_equal == static_cast<int64_t>(track.reference->greedy.size()) ||
           (!exact_ && track.greedy_distance <= tolerance_);
  }

  std::string failure(const std::string& feeding, const Track& track) const {
    const std::string where = fmt::format("{}{}, fed {}", track.reference->name.empty() ? "the input" : "input ",
                                          track.reference->name, feeding);
    if (!(track.relative_error() <= tolerance_))
      return fmt::format("{}: logits differ by {:.2e} of the largest, wanted at most {:.0e}", where,
                         track.relative_error(), tolerance_);
    if (!greedy_passes(track))
      return fmt::format(
          "{}: {} of {} greedy tokens differ, where the model prefers its own by up to {:.2e} of its largest logit",
          where, static_cast<int64_t>(track.reference->greedy.size()) - track.greedy_equal,
          track.reference->greedy.size(), track.greedy_distance);
    return "";
  }

  bool exact_;
  double tolerance_;
  Output output_;
  float worst_ = 0;
  std::string first_failure_;
};

int verify(const VerifyFlags& flags) {
  const OpenedModel opened = open_model(flags.model);
  opened.checkpoint.require_weights();
  const std::vector<VerifyCase> cases = read_cases(flags.expected, opened.vocab_size());
  std::vector<Feeding> feedings = plan_feedings(cases, flags.chunks);
  const LoadedRanks model = load_model(opened, flags.model, options_for(cases, feedings));
  engine::LoadedModel steps(*model.ranks);
  Report report(flags.model.exact, flags.tolerance.value_or(flags.model.exact ? kExactTolerance : kDefaultTolerance));
  for (Feeding& feeding : feedings) {
    feed(steps, feeding.tracks);
    for (const Track& track : feeding.tracks) report.add(feeding.name, track);
  }
  report.finish();
  return 0;
}

}  // namespace

void add_verify(CLI::App& app, Action& action) {
  CLI::App* command = app.add_subcommand("verify", "compare a model's logits with recorded ones");
  const auto flags = std::make_shared<VerifyFlags>();
  add_model_path(*command, flags->model);
  command->add_option("--expected", flags->expected, "safetensors file with input_ids_i, logits_i, greedy_i")
      ->required()
      ->type_name("FILE");
  command
      ->add_option("--tolerance", flags->tolerance,
                   "largest error, relative to the largest logit (default: 1e-4 with --exact, else 5e-2)")
      ->check(CLI::NonNegativeNumber)
      ->type_name("X");
  command->add_option("--chunk", flags->chunks, "feed inputs in chunks of N tokens only; can be given several times")
      ->check(CLI::PositiveNumber)
      ->allow_extra_args(false)
      ->type_name("N");
  add_compute_flags(*command, flags->model);
  command->callback([flags, &action] { action = [flags] { return verify(*flags); }; });
}

}  // namespace cleave::app
