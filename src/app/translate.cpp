#include "app/translate.h"

#include <fmt/format.h>

#include <memory>

#include "app/run_model.h"
#include "app/terminal/terminal.h"
#include "base/error.h"
#include "base/untrusted_text.h"
#include "inference/answer.h"
#include "inference/log.h"
#include "inference/sampling.h"
#include "inference/tokenizer.h"
#include "inference/translation/translator.h"

namespace cleave::app {
namespace {

inference::TranslationSettings settings_of(const inference::OpenedModel& opened, const TranslateFlags& flags,
                                           const text::Tokenizer& tokenizer) {
  inference::TranslationOptions options{
      .sampling = flags.sampling, .max_new_tokens = flags.max_tokens, .beams = flags.beams};
  if (flags.first_token) {
    options.forced_first = tokenizer.token_id(*flags.first_token);
    if (!options.forced_first)
      fail(ErrorKind::InvalidArgument, "the vocabulary has no token {}", in_quotes(*flags.first_token));
  }
  return inference::translation_settings(opened, inference::generation_settings(opened.checkpoint), options);
}

// Where positions are computed, a longer text than the model was made for can be read.
void check_length(const inference::OpenedModel& opened, int64_t length) {
  const std::optional<int64_t> limit = inference::source_limit(opened);
  if (limit && length > *limit)
    fail(ErrorKind::InvalidArgument, "the text has {} tokens, where the model has learned {} positions; shorten it",
         length, *limit);
  if (const auto made_for = opened.max_positions(); !limit && made_for && length > *made_for)
    inference::write(
        log_to_terminal(), LogLevel::Warning,
        fmt::format("the text has {} tokens, where the model was made for {}; what it says may make no sense", length,
                    *made_for));
}

}  // namespace

int translate(const inference::OpenedModel& opened, const ModelFlags& model_flags, const TranslateFlags& flags,
              const std::string& text, inference::Group& group) {
  const std::unique_ptr<text::Tokenizer> tokenizer = inference::load_tokenizer(opened.checkpoint);
  const std::vector<int32_t> source = tokenizer->encode(text, true);
  const inference::TranslationSettings settings = settings_of(opened, flags, *tokenizer);
  const auto length = static_cast<int64_t>(source.size());
  check_length(opened, length);
  const inference::LoadedModel model =
      load_model(opened, model_flags, {.numerics = {}, .sizes = translation_sizes(length, settings)}, group);
  inference::Translator translator(opened, *model.split);
  const double start = inference::seconds_now();
  const std::vector<inference::Hypothesis> texts = translator.translate(source, settings);
  const double seconds = inference::seconds_now() - start;
  if (texts.empty()) fail(ErrorKind::Internal, "the search has found no text");
  Output output;
  output.write(tokenizer->decode(texts.front().tokens, true));
  end_answer_line(output);
  note(fmt::format("read {} tokens, wrote {} in {:.2f} s with {} beams", length, texts.front().tokens.size(), seconds,
                   settings.search.beams));
  return 0;
}

}  // namespace cleave::app
