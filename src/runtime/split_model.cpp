#include "runtime/split_model.h"

#include "base/check.h"

namespace cleave::runtime {

SplitModel::SplitModel(RankGroup& group, const ModelSource& source, std::string_view description,
                       const Progress& progress)
    : group_(group), options_(source.options), number_(group.load(source, description, progress)) {}

SplitModel::~SplitModel() {
  group_.unload(number_);
}

int64_t SplitModel::output_width(int program) const {
  return group_.part(number_).output_widths.at(static_cast<size_t>(program));
}

int64_t SplitModel::num_blocks() const {
  return options_.sizes.num_kv_blocks();
}

int64_t SplitModel::num_state_slots() const {
  return group_.part(number_).keeps_states ? options_.sizes.num_state_slots() : 0;
}

int64_t SplitModel::num_snapshots() const {
  return group_.part(number_).keeps_states ? options_.sizes.num_snapshots : 0;
}

const graph::Turning& SplitModel::turning() const {
  return group_.part(number_).turning;
}

const std::vector<int64_t>& SplitModel::recompute_lengths() const {
  return group_.part(number_).recompute_lengths;
}

const std::vector<RankReport>& SplitModel::reports() const {
  return group_.part(number_).reports;
}

void SplitModel::observe(const Observer& observer) {
  group_.observe(number_, observer);
}

StepOutput SplitModel::step(const StepInput& input, int program) {
  return group_.step(number_, program, input);
}

std::span<const RowLogits> SplitModel::logits(std::span<const int32_t> rows, int program) {
  return group_.logits(number_, program, rows);
}

}  // namespace cleave::runtime
