#include "app/verify/ranks.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <mutex>
#include <numeric>
#include <optional>
#include <random>

#include "app/terminal/terminal.h"
#include "base/error.h"
#include "base/strings.h"
#include "graph/rows.h"
#include "lower/part.h"

namespace cleave::app {
namespace {

constexpr double kIndexDiffers = INFINITY;  // of a value that holds indices: any difference is one

/// A value of the split model against the same one of the whole model.
struct Difference {
  graph::NodeId node = -1;
  int rank = 0;
  double relative = 0;
};

// Largest difference of `part`, rows of the elements in `share`, from `whole` rows; relative to the largest value.
double compare_rows(std::span<const float> part, std::span<const float> whole, size_t rows,
                    const std::vector<plan::Interval>& share, bool indices) {
  double largest = 0, difference = 0;
  for (const float value : whole)
    if (!indices) largest = std::max(largest, std::abs(static_cast<double>(value)));
  const size_t width = whole.size() / rows;
  size_t next = 0;
  for (size_t row = 0; row < rows; ++row)
    for (const plan::Interval& interval : share)
      for (int64_t i = interval.begin; i < interval.end; ++i, ++next) {
        const float a = part[next], b = whole[row * width + static_cast<size_t>(i)];
        if (indices && std::bit_cast<int32_t>(a) != std::bit_cast<int32_t>(b)) return kIndexDiffers;
        if (!indices && !(std::abs(static_cast<double>(a) - b) <= difference))
          difference = std::isfinite(a) ? std::abs(static_cast<double>(a) - b) : INFINITY;
      }
  return largest > 0 ? difference / largest : difference;
}

runtime::Options options_for(size_t tokens) {
  runtime::Options options;
  options.sizes.max_tokens = options.sizes.max_output_rows = static_cast<int64_t>(tokens);
  options.sizes.kv_tokens = 2 * static_cast<int64_t>(tokens) + runtime::kKvBlockSize;
  return options;
}

// One step with all tokens; behind the same tokens as the text that is read, where the model reads one.
void run(const inference::OpenedModel& opened, runtime::SplitModel& model, std::span<const int32_t> tokens) {
  std::vector<int32_t> blocks(static_cast<size_t>(model.num_blocks())), rows(tokens.size());
  std::iota(blocks.begin(), blocks.end(), 0);
  std::iota(rows.begin(), rows.end(), 0);
  const auto count = static_cast<int64_t>(tokens.size());
  const std::span<const int32_t> first = std::span(blocks).first(blocks.size() / 2);
  runtime::SequenceStep sequence{count, 0, count, first};
  if (opened.is_encoder_decoder()) {
    model.step({tokens, {&sequence, 1}, rows}, opened.encode_program());
    sequence.source_blocks = first;
    sequence.source_length = count;
    sequence.blocks = std::span(blocks).subspan(first.size());
  }
  model.step({tokens, {&sequence, 1}, rows});
}

/// Compares what instructions compute, on all ranks at once.
class Comparison {
 public:
  Comparison(const inference::LoadedModel& model, const std::map<graph::NodeId, std::vector<float>>& values)
      : model_(model), values_(values) {
    for (int rank = 0; rank < model.plan.ranks; ++rank) parts_.emplace_back(*model.graph, model.plan, rank);
  }

  void see(int rank, const lower::Instruction& instruction, std::span<const float> output) {
    const std::optional<plan::AxisId> axis = axis_of(instruction, rank);
    const auto found = values_.find(instruction.node);
    if (!axis || found == values_.end() || output.empty()) return;
    const graph::Node& node = model_.graph->node(instruction.node);
    const bool routed = graph::rows_of(*model_.graph, instruction.node) == graph::Rows::Routed;
    if (routed && output.size() != found->second.size() && *axis == plan::kNoAxis) return;
    const auto shares = parts_[static_cast<size_t>(rank)].shares(instruction.node, *axis);
    int64_t width = 0;
    for (const plan::Interval& i : shares[static_cast<size_t>(rank)]) width += i.size();
    const size_t rows = output.size() / static_cast<size_t>(width);
    if (found->second.size() % rows != 0) return;
    const double relative = compare_rows(output, found->second, rows, shares[static_cast<size_t>(rank)],
                                         node.element == graph::Element::Index);
    const std::lock_guard lock(mutex_);
    ++compared_;
    if (worst_.node < 0 || relative > worst_.relative) worst_ = {instruction.node, rank, relative};
    all_.push_back({instruction.node, rank, relative});
  }

  const Difference& worst() const { return worst_; }
  int64_t compared() const { return compared_; }
  std::optional<Difference> first_beyond(double tolerance) const {
    std::optional<Difference> first;
    for (const Difference& d : all_)
      if (!(d.relative <= tolerance) && (!first || d.node < first->node)) first = d;
    return first;
  }

 private:
  // By which axis the output is split; nothing where it is no value of the graph: a sum still owed, rows of some
  // experts alone, or what rank 0 alone has.
  std::optional<plan::AxisId> axis_of(const lower::Instruction& instruction, int rank) const {
    const plan::Placement& result = model_.plan.placed[instruction.node].result;
    switch (instruction.action) {
      case lower::Action::AllReduce:
        if (instruction.inputs.size() > 1) return std::nullopt;  // its values follow, one by one
        return plan::kNoAxis;
      case lower::Action::AllGather:
      case lower::Action::SplitJointSum:
        return plan::kNoAxis;
      case lower::Action::Compute:
        if (result.partial || (instruction.routing >= 0 && by_expert(instruction, result.axis))) return std::nullopt;
        return result.axis;
      case lower::Action::Gather:
        return rank == 0 ? std::optional(plan::kNoAxis) : std::nullopt;
      case lower::Action::Narrow:
      case lower::Action::Zero:
      case lower::Action::Keep:
        break;
    }
    return std::nullopt;
  }

  bool by_expert(const lower::Instruction& instruction, plan::AxisId axis) const {
    const auto first = model_.plan.axes.in_dim(model_.graph->dims(), model_.graph->node(instruction.node).dims[0]);
    return axis != plan::kNoAxis && std::ranges::count(first, axis) > 0;
  }

  const inference::LoadedModel& model_;
  const std::map<graph::NodeId, std::vector<float>>& values_;
  std::vector<lower::Part> parts_;  // by rank
  std::mutex mutex_;
  Difference worst_;
  std::vector<Difference> all_;
  int64_t compared_ = 0;
};

}  // namespace

std::vector<int32_t> random_tokens(int64_t count, int64_t vocab_size) {
  std::mt19937 random(1);
  std::vector<int32_t> tokens;
  for (int64_t i = 0; i < count; ++i)
    tokens.push_back(static_cast<int32_t>(random() % static_cast<uint64_t>(vocab_size)));
  return tokens;
}

void print_shares(const runtime::SplitModel& model) {
  Output output;
  int64_t total = 0;
  for (const runtime::RankReport& report : model.reports()) total += report.memory.stored;
  for (size_t r = 0; r < model.reports().size(); ++r) {
    const runtime::MemoryUse& memory = model.reports()[r].memory;
    output.write(
        fmt::format("rank {} of {}: weights {} ({:.1f}% of all ranks'), in memory {}\n", r, model.num_ranks(),
                    format_bytes(static_cast<double>(memory.stored)),
                    100 * static_cast<double>(memory.stored) / static_cast<double>(std::max<int64_t>(1, total)),
                    format_bytes(static_cast<double>(memory.weights))));
  }
}

RankComparison::RankComparison(const inference::OpenedModel& opened, const ModelFlags& flags,
                               std::span<const int32_t> tokens, double tolerance)
    : opened_(opened), flags_(flags), tokens_(tokens.begin(), tokens.end()), tolerance_(tolerance) {
  ModelFlags single = flags;
  single.split = {};
  single.split.tp = 1;
  inference::Group group(local_group_options(single, 1));
  const inference::LoadedModel model = load_model(opened, single, options_for(tokens_.size()), group);
  model.split->observe([&](int, const lower::Instruction& instruction, std::span<const float> output) {
    values_[instruction.node].assign(output.begin(), output.end());
  });
  run(opened_, *model.split, tokens_);
}

void RankComparison::compare(inference::Group& group) const {
  const int ranks = group.num_ranks();
  inference::LoadedModel model = load_model(opened_, flags_, options_for(tokens_.size()), group);
  print_shares(*model.split);
  Comparison comparison(model, values_);
  model.split->observe([&](int rank, const lower::Instruction& instruction, std::span<const float> output) {
    comparison.see(rank, instruction, output);
  });
  run(opened_, *model.split, tokens_);
  model.split.reset();  // the last rank has been compared, too
  const auto describe = [&](const Difference& d) {
    const graph::Node& node = model.graph->node(d.node);
    return fmt::format("%{} {}{}{} on rank {}", d.node, graph::op_info(node.op).name, node.name.empty() ? "" : " of ",
                       node.name, d.rank);
  };
  const std::optional<Difference> first = comparison.first_beyond(tolerance_);
  Output().write(
      fmt::format("{}: {} values of {} ranks against one, {} tokens; largest relative difference {:.2e} at {}\n",
                  first ? "failed" : "passed", comparison.compared(), ranks, tokens_.size(),
                  comparison.worst().relative, describe(comparison.worst())));
  if (first)
    fail(ErrorKind::InvalidArgument, "{} ranks differ from one: first at {}, by {:.2e} where {:.0e} is allowed", ranks,
         describe(*first), first->relative, tolerance_);
}

}  // namespace cleave::app
