#include "inference/scorer.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

namespace cleave::inference {

double nll_of(std::span<const float> logits, int32_t token) {
  const float largest = *std::ranges::max_element(logits);
  double sum = 0;
  for (const float logit : logits) sum += std::exp(logit - largest);
  return std::log(sum) - static_cast<double>(logits[static_cast<size_t>(token)] - largest);
}

Scorer::Scorer(engine::StepModel& model, ThreadPool& pool)
    : model_(model),
      limits_(model.limits()),
      pool_(pool),
      blocks_(static_cast<size_t>(limits_.num_blocks)),
      rows_(static_cast<size_t>(limits_.max_output_rows)),
      scores_(rows_.size()) {
  std::iota(blocks_.begin(), blocks_.end(), 0);
}

void Scorer::score(std::span<const int32_t> tokens, int64_t first_counted, FunctionRef<void(double nll)> take) {
  const auto fed = static_cast<int64_t>(tokens.size()) - 1;
  const auto width = static_cast<size_t>(limits_.vocab_size);
  for (int64_t done = 0; done < fed;) {
    const int64_t silent = std::max<int64_t>(0, first_counted - 1 - done);  // tokens whose logits nobody wants
    const int64_t count =
        std::min({fed - done, limits_.max_tokens, silent > 0 ? silent : std::numeric_limits<int64_t>::max(),
                  silent > 0 ? limits_.max_tokens : limits_.max_output_rows});
    const int64_t num_rows = silent > 0 ? 0 : count;
    std::iota(rows_.begin(), rows_.begin() + num_rows, 0);
    const runtime::SequenceStep sequence{.num_tokens = count,
                                         .start_position = done,
                                         .rope_length = fed,
                                         .blocks = blocks_,
                                         .kind = kernels::kind_of_prompt(fed)};
    const std::span<const float> logits =
        model_
            .step({tokens.subspan(static_cast<size_t>(done), static_cast<size_t>(count)),
                   {&sequence, 1},
                   std::span(rows_).first(static_cast<size_t>(num_rows))})
            .logits;
    pool_.parallel_for(num_rows, 1, [&](int64_t begin, int64_t end) {
      for (int64_t row = begin; row < end; ++row)
        scores_[static_cast<size_t>(row)] = nll_of(logits.subspan(static_cast<size_t>(row) * width, width),
                                                   tokens[static_cast<size_t>(done + row + 1)]);
    });
    for (int64_t row = 0; row < num_rows; ++row) take(scores_[static_cast<size_t>(row)]);
    done += count;
  }
}

}  // namespace cleave::inference
