#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <memory>

#include "app/commands.h"
#include "app/flags.h"
#include "app/perplexity_windows.h"
#include "app/run_model.h"
#include "app/terminal/terminal.h"
#include "base/cpus.h"
#include "base/error.h"
#include "base/files.h"
#include "engine/ranks_step_model.h"
#include "inference/answer.h"
#include "inference/scorer.h"
#include "inference/tokenizer.h"

namespace cleave::app {
namespace {

constexpr int64_t kMaxStep = 512;                    // tokens
constexpr int64_t kLogitsBytes = int64_t{64} << 20;  // of a step
constexpr int64_t kLeastRows = 16, kMostRows = 512;

struct PerplexityFlags {
  ModelFlags model;
  std::filesystem::path file;
  int64_t context = 512;
  std::optional<int64_t> stride, tokens;
  bool json = false;
};

// What the tokenizer writes before every text: the token that begins a window, too.
std::optional<int32_t> beginning_token(const text::Tokenizer& tokenizer, std::span<const int32_t> tokens) {
  const std::vector<int32_t> empty = tokenizer.encode("", true);
  if (empty.empty() || tokens.empty() || tokens.front() != empty.front()) return std::nullopt;
  return empty.front();
}

std::vector<int32_t> tokens_of(const PerplexityFlags& flags, const text::Tokenizer& tokenizer) {
  std::vector<int32_t> tokens = tokenizer.encode(read_file(flags.file), true);
  if (flags.tokens && *flags.tokens < static_cast<int64_t>(tokens.size()))
    tokens.resize(static_cast<size_t>(*flags.tokens));
  return tokens;
}

std::vector<TextWindow> windows_of(const PerplexityFlags& flags, const std::vector<int32_t>& tokens) {
  const auto count = static_cast<int64_t>(tokens.size());
  std::vector<TextWindow> windows = text_windows(count, flags.context, flags.stride);
  if (windows.empty())
    fail(ErrorKind::InvalidArgument, "{} has {} tokens, wanted at least {}{}", flags.file.string(), count,
         flags.stride ? 2 : flags.context, flags.stride ? "" : ": a window; give a smaller --context");
  return windows;
}

runtime::Options options_for(const PerplexityFlags& flags, int64_t vocab_size) {
  runtime::Options options;
  options.sizes.max_tokens = std::min(kMaxStep, flags.context);
  options.sizes.max_output_rows =
      std::min(std::clamp(kLogitsBytes / (vocab_size * static_cast<int64_t>(sizeof(float))), kLeastRows, kMostRows),
               flags.context);
  options.sizes.kv_tokens = flags.context;
  return options;
}

struct Result {
  Nll nll;
  size_t windows = 0;
  int64_t fed = 0;
  double seconds = 0;
};

Result measure(const PerplexityFlags& flags, engine::StepModel& model, std::vector<int32_t>& tokens,
               const std::vector<TextWindow>& windows, std::optional<int32_t> beginning) {
  Result result;
  ThreadPool pool(flags.model.threads.value_or(usable_cpus()));
  inference::Scorer scorer(model, pool);
  ProgressBar bar("perplexity", "windows");
  const double start = inference::seconds_now();
  for (const TextWindow& window : windows) {
    const std::span<int32_t> part =
        std::span(tokens).subspan(static_cast<size_t>(window.begin), static_cast<size_t>(window.end - window.begin));
    const int32_t first = part.front();
    if (beginning && !flags.stride) part.front() = *beginning;
    scorer.score(part, window.first_counted - window.begin, [&](double nll) { result.nll.add(nll); });
    part.front() = first;
    result.fed += window.end - window.begin;
    bar.update(static_cast<int64_t>(++result.windows), static_cast<int64_t>(windows.size()));
  }
  result.seconds = inference::seconds_now() - start;
  return result;
}

std::string report(const PerplexityFlags& flags, const Result& result) {
  const Nll& nll = result.nll;
  const double error = nll.standard_error();
  if (!flags.json)
    return fmt::format(
        "perplexity {:.4f} +/- {:.4f}\nmean NLL {:.5f} +/- {:.5f} over {} tokens, in {} windows of {} tokens, {}\n",
        nll.perplexity(), nll.perplexity() * error, nll.mean(), error, nll.count(), result.windows, flags.context,
        flags.stride ? fmt::format("{} apart", *flags.stride) : "of which the second half counts");
  Json json = {{"perplexity", nll.perplexity()},
               {"perplexity_standard_error", nll.perplexity() * error},
               {"nll", nll.mean()},
               {"nll_standard_error", error},
               {"tokens", nll.count()},
               {"windows", result.windows},
               {"context", flags.context},
               {"stride", flags.stride ? Json(*flags.stride) : Json()},
               {"tokens_per_second", static_cast<double>(result.fed) / result.seconds}};
  return json.dump(2) + "\n";
}

int perplexity(const PerplexityFlags& flags, inference::Group& group) {
  if (flags.stride && *flags.stride > flags.context)
    throw CLI::ValidationError("--stride",
                               fmt::format("{} is more than a window ({} tokens, --context): tokens between "
                                           "windows would be left out",
                                           *flags.stride, flags.context));
  const inference::OpenedModel opened = open_model(flags.model);
  opened.require_weights();
  const std::unique_ptr<text::Tokenizer> tokenizer = inference::load_tokenizer(opened.checkpoint);
  std::vector<int32_t> tokens = tokens_of(flags, *tokenizer);
  const std::vector<TextWindow> windows = windows_of(flags, tokens);
  inference::context_length(opened, flags.context, 0, log_to_terminal());  // for its warning
  const inference::LoadedModel model = load_model(opened, flags.model, options_for(flags, opened.vocab_size()), group);
  engine::RanksStepModel steps(*model.split);
  const Result result = measure(flags, steps, tokens, windows, beginning_token(*tokenizer, tokens));
  Output().write(report(flags, result));
  note(fmt::format("{} tokens in {:.1f} s, {:.1f} tokens/s", result.fed, result.seconds,
                   static_cast<double>(result.fed) / result.seconds));
  return 0;
}

}  // namespace

void add_perplexity(CLI::App& app, Action& action) {
  CLI::App* command = app.add_subcommand("perplexity", "how well a model predicts a text");
  const auto flags = std::make_shared<PerplexityFlags>();
  constexpr int64_t kMost = std::numeric_limits<int32_t>::max();
  add_model_path(*command, flags->model);
  command->add_option("-f,--file", flags->file, "the text, taken as it stands")->required()->type_name("FILE");
  command
      ->add_option("--context", flags->context,
                   "tokens of a window, which the model sees behind nothing (default: 512)")
      ->check(CLI::Range(int64_t{2}, kMost))
      ->type_name("N");
  command
      ->add_option("--stride", flags->stride,
                   "windows begin N tokens apart and count what is new (default: --context apart, second halves count)")
      ->check(CLI::Range(int64_t{1}, kMost))
      ->type_name("N");
  command->add_option("--tokens", flags->tokens, "take only the first N tokens of the text")
      ->check(CLI::Range(int64_t{2}, kMost))
      ->type_name("N");
  command->add_flag("--json", flags->json, "print JSON");
  add_compute_flags(*command, flags->model);
  act_in_group(*command, action, flags, perplexity);
}

}  // namespace cleave::app
