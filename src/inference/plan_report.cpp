#include "inference/plan_report.h"

#include <fmt/format.h>

#include <utility>

#include "base/cpus.h"
#include "inference/packed_model.h"
#include "inference/split.h"

namespace cleave::inference {
namespace {

// 1, 2, 4, ... and the number asked for.
std::vector<int> counts_up_to(int ranks) {
  std::vector<int> counts;
  for (int count = 1; count < ranks; count *= 2) counts.push_back(count);
  counts.push_back(ranks);
  return counts;
}

std::string prediction_text(const std::vector<plan::Prediction>& predictions, const plan::CostModel& model) {
  std::string out = fmt::format(
      "\npredicted for {} (cache of {} tokens; prompts of {})\nRANKS  DECODE TOKENS/S  OF WHICH EXCHANGES  PREFILL "
      "TOKENS/S"
      "  DECODE LIMITED BY\n",
      model.hardware.name, model.context, model.prompt_tokens);
  for (const plan::Prediction& p : predictions)
    out += fmt::format("{:5}  {:15.1f}  {:17.1f}%  {:16.0f}  {}\n", p.ranks, 1 / p.cost.decode_seconds,
                       100 * p.cost.decode_exchange / p.cost.decode_seconds,
                       static_cast<double>(model.prompt_tokens) / p.cost.prefill_seconds, p.limit);
  return out;
}

Json prediction_json(const std::vector<plan::Prediction>& predictions) {
  Json list = Json::array();
  for (const plan::Prediction& p : predictions)
    list.push_back({{"ranks", p.ranks},
                    {"decode_seconds", p.cost.decode_seconds},
                    {"decode_exchange_seconds", p.cost.decode_exchange},
                    {"prefill_seconds", p.cost.prefill_seconds},
                    {"prefill_exchange_seconds", p.cost.prefill_exchange},
                    {"limited_by", p.limit}});
  return list;
}

PlanReport report_of(const OpenedModel& opened, const plan::PlanOptions& request, plan::Plan plan) {
  const int ranks = plan.ranks;
  plan::Explanation explanation = plan::explain(opened.graph, plan, request);
  return {.architecture = opened.traced.architecture,
          .plan = std::move(plan),
          .cost = request.cost,
          .explanation = std::move(explanation),
          .predictions = plan::predict(opened.graph, request, counts_up_to(ranks))};
}

}  // namespace

plan::PlanOptions request_for(const OpenedModel& opened, const SplitOptions& split, const NumberOptions& numbers,
                              int ranks, const Log& log) {
  std::vector<std::string> notes;
  if (opened.packed) require_as_packed(*opened.packed, numbers, split, ranks);
  const PlanInputs inputs =
      opened.packed ? opened.packed->message.plan : plan_inputs(opened.checkpoint, split, numbers, usable_cpus());
  plan::PlanOptions request =
      plan_request(inputs, opened.checkpoint.config(), opened.graph, opened.tensors, ranks, notes);
  for (const std::string& line : notes) write(log, LogLevel::Note, line);
  return request;
}

PlanReport plan_report(const OpenedModel& opened, const SplitOptions& split, const NumberOptions& numbers, int ranks,
                       const Log& log, std::optional<int64_t> context) {
  plan::PlanOptions request = request_for(opened, split, numbers, ranks, log);
  if (context) request.cost.context = *context;
  plan::Plan plan = plan::make_plan(opened.graph, request);
  for (const std::string& line : plan.warnings) write(log, LogLevel::Warning, line);
  return report_of(opened, request, std::move(plan));
}

PlanReport plan_report(const OpenedModel& opened, const LoadedModel& loaded) {
  return report_of(opened, loaded.request, loaded.plan);
}

std::string text(const PlanReport& report) {
  return fmt::format("{} over {} rank{}, plan {:016x}\n\n", report.architecture, report.plan.ranks,
                     report.plan.ranks == 1 ? "" : "s", report.plan.hash()) +
         plan::text(report.explanation) + prediction_text(report.predictions, report.cost);
}

Json to_json(const PlanReport& report) {
  Json json = plan::to_json(report.explanation);
  json["architecture"] = report.architecture;
  json["hash"] = fmt::format("{:016x}", report.plan.hash());
  json["predictions"] = prediction_json(report.predictions);
  return json;
}

}  // namespace cleave::inference
