#include <fmt/format.h>

#include <algorithm>
#include <memory>

#include "app/commands.h"
#include "app/flags.h"
#include "app/hosts/started_by_mpi.h"
#include "app/run_model.h"
#include "app/terminal/terminal.h"
#include "app/verify/cases.h"
#include "app/verify/feed.h"
#include "app/verify/ranks.h"
#include "base/error.h"
#include "engine/ranks_step_model.h"
#include "graph/recompute_lengths.h"
#include "graph/rows.h"
#include "inference/chat.h"

namespace cleave::app {
namespace {

// f32 throughout differs from the reference by the order of its sums alone; 16-bit products and caches by far more.
constexpr double kExactTolerance = 1e-4;
constexpr double kDefaultTolerance = 5e-2;

struct VerifyFlags {
  ModelFlags model;
  std::filesystem::path expected;
  std::vector<int> ranks;
  std::optional<std::string> prompt;
  int64_t num_tokens = 16;
  std::optional<double> tolerance;
  std::vector<int64_t> chunks;  // empty: whole, 1, 3, 7 and mixed
};

double tolerance(const VerifyFlags& flags) {
  return flags.tolerance.value_or(flags.model.numbers.exact ? kExactTolerance : kDefaultTolerance);
}

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

// Each case that is longer than one of these lengths, as an answer that passes it: known to shortly before at first.
void add_growing(const std::vector<VerifyCase>& cases, const std::vector<int64_t>& recompute_lengths,
                 std::vector<Feeding>& feedings) {
  for (const VerifyCase& reference : cases)
    for (const int64_t passed : recompute_lengths)
      if (passed < length(reference))
        feedings.push_back({fmt::format("past {}", passed),
                            {Track{.reference = &reference, .chunk = 5, .prompt = std::max<int64_t>(1, passed - 1)}}});
}

// Each case at once, and all of them in one step.
std::vector<Feeding> plan_whole_feedings(const std::vector<VerifyCase>& cases) {
  std::vector<Feeding> feedings;
  add_alone(cases, 0, feedings);
  Feeding together{"together", {}};
  for (const VerifyCase& reference : cases)
    together.tracks.push_back(Track{.reference = &reference, .chunk = length(reference)});
  feedings.push_back(std::move(together));
  return feedings;
}

std::vector<Feeding> plan_feedings(const std::vector<VerifyCase>& cases, const std::vector<int64_t>& chunks,
                                   const std::vector<int64_t>& recompute_lengths) {
  std::vector<Feeding> feedings;
  for (const int64_t chunk : chunks.empty() ? std::vector<int64_t>{0, 1, 3, 7} : chunks)
    add_alone(cases, chunk, feedings);
  if (chunks.empty()) add_mixed(cases, feedings);
  if (chunks.empty()) add_growing(cases, recompute_lengths, feedings);
  return feedings;
}

// Tokens of tracks that must all go into one step; 0 where they need not.
int64_t whole_tokens(const Feeding& feeding) {
  int64_t tokens = 0;
  for (const Track& track : feeding.tracks) {
    if (track.chunk < length(*track.reference)) return 0;
    tokens += length(*track.reference);
  }
  return tokens;
}

// Steps as large as the longest input, with a row and a slot for each sequence, and a cache for the feeding that needs
// most.
runtime::Options options_for(const std::vector<VerifyCase>& cases, const std::vector<Feeding>& feedings) {
  runtime::Options options;
  runtime::Sizes& sizes = options.sizes;
  sizes.max_tokens = 1;
  for (const VerifyCase& reference : cases)
    sizes.max_tokens = std::max({sizes.max_tokens, length(reference), static_cast<int64_t>(reference.source.size())});
  for (const Feeding& feeding : feedings) sizes.max_tokens = std::max(sizes.max_tokens, whole_tokens(feeding));
  sizes.kv_tokens = 0;
  for (const Feeding& feeding : feedings) {
    sizes.max_tokens = std::max(sizes.max_tokens, static_cast<int64_t>(feeding.tracks.size()));
    int64_t positions = 0;
    for (const Track& track : feeding.tracks) {
      const int64_t tokens = length(*track.reference) + static_cast<int64_t>(track.reference->greedy.size());
      positions += tokens + runtime::kKvBlockSize;  // the last block of a sequence is not filled
      positions += static_cast<int64_t>(track.reference->source.size()) + runtime::kKvBlockSize;
    }
    sizes.kv_tokens = std::max(sizes.kv_tokens, positions);
  }
  sizes.max_output_rows = sizes.max_tokens;
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

VerifiedOutput output_of(const inference::OpenedModel& opened) {
  return {opened.vocab_size(), opened.output_width(), opened.is_encoder() ? "hidden" : "logits",
          opened.is_encoder_decoder()};
}

// Against recorded logits.
void verify_recorded(const VerifyFlags& flags, inference::Group& group) {
  const inference::OpenedModel opened = open_model(flags.model);
  opened.require_weights();
  const std::vector<VerifyCase> cases = read_cases(flags.expected, output_of(opened));
  const bool whole = opened.is_encoder() && graph::attends_to_later(opened.graph);
  if (whole && !flags.chunks.empty())
    throw CLI::ValidationError("--chunk", "the model's tokens attend to later ones, so that inputs go in whole");
  std::vector<Feeding> feedings =
      whole ? plan_whole_feedings(cases) : plan_feedings(cases, flags.chunks, graph::recompute_lengths(opened.graph));
  const inference::LoadedModel model = load_model(opened, flags.model, options_for(cases, feedings), group);
  engine::RanksStepModel steps(*model.split);
  if (group.num_ranks() > 1) print_shares(*model.split);
  Report report(flags.model.numbers.exact, tolerance(flags));
  for (Feeding& feeding : feedings) {
    feed(steps, feeding.tracks,
         [&](const runtime::StepInput& input) { model.split->step(input, opened.encode_program()); });
    for (const Track& track : feeding.tracks) report.add(feeding.name, track);
  }
  report.finish();
}

// Several ranks against one, node by node. What one rank computes is kept for further numbers of ranks.
void verify_ranks(const VerifyFlags& flags, inference::Group& group, std::optional<inference::OpenedModel>& opened,
                  std::optional<RankComparison>& comparison) {
  if (!comparison) {
    opened.emplace(open_model(flags.model));
    opened->require_weights();
    comparison.emplace(
        *opened, flags.model,
        flags.prompt ? inference::load_model_text(*opened, inference::ChatMode::Never).prompt(*flags.prompt, {}, 0)
                     : random_tokens(flags.num_tokens, opened->vocab_size()),
        tolerance(flags));
  }
  comparison->compare(group);
}

int verify(const VerifyFlags& flags) {
  if (started_by_mpi() && flags.ranks.size() > 1)
    throw CLI::ValidationError("--tp", "under mpirun a run has one number of ranks of each process");
  std::optional<inference::OpenedModel> opened;
  std::optional<RankComparison> comparison;
  for (const int ranks : flags.ranks)
    with_group(flags.model, ranks, [&](inference::Group& group) {
      if (flags.expected.empty())
        verify_ranks(flags, group, opened, comparison);
      else
        verify_recorded(flags, group);
      return 0;
    });
  return 0;
}

// --expected, --tp, --prompt, --tokens, --tolerance, --chunk.
void add_comparison_flags(CLI::App& command, VerifyFlags& flags) {
  CLI::Option* expected =
      command
          .add_option(
              "--expected", flags.expected,
              "safetensors file with input_ids_i, logits_i, greedy_i; of an encoder hidden_i, of one with a decoder "
              "decoder_input_ids_i, too")
          ->type_name("FILE");
  command
      .add_option("--tp", flags.ranks,
                  "numbers of ranks, such as 1,2,3 (default: 1 with --expected, else 2, compared with one rank)")
      ->delimiter(',')
      ->allow_extra_args(false)
      ->check(CLI::Range(1, 4096))
      ->type_name("N,N,...");
  command.add_option("-p,--prompt", flags.prompt, "text to compare ranks on (default: random tokens)")
      ->type_name("TEXT")
      ->excludes(expected);
  command.add_option("--tokens", flags.num_tokens, "number of random tokens (default: 16)")
      ->check(CLI::Range(1, 512))
      ->type_name("N")
      ->excludes(expected);
  command
      .add_option("--tolerance", flags.tolerance,
                  "largest error, relative to the largest value (default: 1e-4 with --exact, else 5e-2)")
      ->check(CLI::NonNegativeNumber)
      ->type_name("X");
  command.add_option("--chunk", flags.chunks, "feed inputs in chunks of N tokens only; can be given several times")
      ->check(CLI::PositiveNumber)
      ->allow_extra_args(false)
      ->needs(expected)
      ->type_name("N");
}

}  // namespace

void add_verify(CLI::App& app, Action& action) {
  CLI::App* command =
      app.add_subcommand("verify", "compare a model's logits with recorded ones, or several ranks with one");
  const auto flags = std::make_shared<VerifyFlags>();
  add_model_path(*command, flags->model);
  add_comparison_flags(*command, *flags);
  add_precision_flags(*command, flags->model);
  add_hosts_flag(*command);
  add_rank_threads_flag(*command, flags->model.split);
  add_plan_flags(*command, flags->model.split);
  command->callback([flags, &action] {
    if (flags->ranks.empty()) flags->ranks = {flags->expected.empty() ? 2 : 1};
    action = [flags] { return verify(*flags); };
  });
}

}  // namespace cleave::app
