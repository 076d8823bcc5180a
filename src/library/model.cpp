#include <fmt/format.h>

#include <utility>

#include "base/error.h"
#include "inference/option_files.h"
#include "inference/plan_report.h"
#include "inference/split.h"
#include "library/impl.h"

namespace cleave {

inference::ModelOptions model_options(const ModelOptions& options) {
  return {.path = options.path, .definitions = {options.definitions.begin(), options.definitions.end()}};
}

inference::NumberOptions number_options(const ModelOptions& options) {
  using kernels::WeightFormat;
  constexpr WeightFormat kFormats[] = {WeightFormat::AsStored, WeightFormat::Int8, WeightFormat::Int4};
  if (options.exact && (options.weights != ModelOptions::Weights::AsStored || options.int8_cache))
    fail(ErrorKind::InvalidArgument,
         "exact computes with the weights as stored and keeps keys and values in f32; leave out exact, or weights and "
         "int8_cache");
  return {
      .exact = options.exact, .weights = kFormats[static_cast<size_t>(options.weights)], .int8_kv = options.int8_cache};
}

inference::SplitOptions split_options(const SplitOptions& options) {
  inference::SplitOptions split{.rank_weights = options.rank_weights,
                                .policy = options.least_memory ? plan::Policy::Split : plan::Policy::Auto,
                                .strict = options.strict};
  for (const std::string& path : options.configs)
    split.overrides.configs.push_back(inference::read_override_file(path));
  for (const auto& [name, value] : options.environment) split.overrides.environment.push_back({name, value});
  const auto add = [&](const char* flag, const std::vector<std::string>& patterns) {
    for (const std::string& pattern : patterns) split.overrides.flags.push_back({flag, pattern});
  };
  add("--keep", options.keep);
  add("--all-reduce", options.all_reduce);
  add("--column", options.column);
  if (!options.hardware.empty()) split.hardware = inference::read_hardware_file(options.hardware);
  return split;
}

Model::Impl::Impl(const ModelOptions& wanted)
    : options(wanted), opened(inference::open(model_options(wanted), wanted.log)) {
  number_options(wanted);  // what contradicts itself is told before anything is loaded
}

const inference::ModelText& Model::Impl::text() const {
  const std::lock_guard lock(mutex_);
  if (!text_) text_ = inference::load_model_text(opened, inference::ChatMode::Automatic, options.log);
  return *text_;
}

Model::Model(const ModelOptions& options) : impl_(std::make_unique<Impl>(options)) {}
Model::Model(Model&&) noexcept = default;
Model& Model::operator=(Model&&) noexcept = default;
Model::~Model() = default;

const std::string& Model::architecture() const {
  return impl_->opened.traced.architecture;
}
int64_t Model::vocab_size() const {
  return impl_->opened.vocab_size();
}
std::optional<int64_t> Model::max_positions() const {
  return impl_->opened.max_positions();
}

Plan Model::plan(int ranks, const SplitOptions& options) const {
  constexpr int kMostRanks = 4096;
  if (ranks < 1 || ranks > kMostRanks)
    fail(ErrorKind::InvalidArgument, "a plan for {} ranks, wanted 1 to {}", ranks, kMostRanks);
  const inference::PlanReport report = inference::plan_report(
      impl_->opened, split_options(options), number_options(impl_->options), ranks, impl_->options.log);
  return {ranks, report.plan.hash(), inference::text(report), inference::to_json(report).dump(2)};
}

std::vector<int32_t> Model::tokenize(std::string_view text, bool special) const {
  return impl_->text().tokenizer->encode(text, special);
}
std::string Model::detokenize(std::span<const int32_t> ids) const {
  return impl_->text().tokenizer->decode(ids, false);
}
bool Model::has_chat_format() const {
  return impl_->text().chat != nullptr;
}

std::string Model::render(const std::vector<Message>& messages, int64_t now) const {
  const inference::ModelText& text = impl_->text();
  if (text.chat == nullptr)
    fail(ErrorKind::Unsupported, "{} has no chat template; tokenize the text as it stands",
         impl_->opened.checkpoint.path().string());
  std::vector<text::ChatMessage> list;
  for (const Message& message : messages) list.push_back({message.role, message.content});
  return text.prompt_text(list, now);
}

const char* version() {
  return CLEAVE_VERSION;
}

}  // namespace cleave
