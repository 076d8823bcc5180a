#pragma once

#include <string>
#include <vector>

#include "base/json.h"
#include "plan/plan.h"

namespace cleave::plan {

/// Modules whose names differ in numbers alone (layers, experts) and which are treated alike.
struct ModuleRow {
  std::string pattern;  // "model.layers.*.mlp.down_proj"
  int64_t count = 0;    // modules
  Treatment treatment = Treatment::Keep;
  std::string axis;  // what it is split by: "heads", "columns", "vocabulary", "experts"; empty where it is whole
  std::string why;   // the rule, or the override and its origin
  std::vector<int64_t> bytes;  // by rank, of one module, as stored
};

/// Exchanges of the same kind behind the same modules.
struct ExchangeRow {
  std::string kind;             // "all-reduce", "all-gather", "all-reduce of a norm's statistic"
  std::string of;               // the modules whose results they are
  int64_t count = 0;            // in a step
  int64_t bytes_per_token = 0;  // of one of them
};

/// A plan for people: how modules are split and why, what is exchanged, what every rank holds. Of all outputs of the
/// graph together.
struct Explanation {
  int ranks = 1;
  std::vector<ModuleRow> modules;
  std::vector<ExchangeRow> exchanges;
  std::vector<int64_t> weight_bytes;           // by rank, as stored: what the loader reads, each part once
  std::vector<int64_t> cache_bytes_per_token;  // by rank, as stored
  int64_t parameters = 0;                      // of the whole model, tied ones once
  int64_t stored_bytes = 0;                    // of the whole model
  int64_t collectives = 0;                     // in a step
  int64_t collective_bytes = 0;                // in a step of one token
};

Explanation explain(const graph::Graph& graph, const Plan& plan, const PlanOptions& options);

/// Tables with a line per row. The same text for the same plan: golden files hold it.
std::string text(const Explanation& explanation);
Json to_json(const Explanation& explanation);

/// What a plan with the same options costs on another number of ranks, of equal weight unless it is the options' own.
struct Prediction {
  int ranks;
  Cost cost;
  std::string limit;  // the larger part of a token's time: "weights and cache from memory" or "exchanges"
};
std::vector<Prediction> predict(const graph::Graph& graph, const PlanOptions& options, const std::vector<int>& ranks);

}  // namespace cleave::plan
