#include <fmt/format.h>

#include <algorithm>

#include "base/strings.h"
#include "plan/explain.h"

namespace cleave::plan {
namespace {

std::string bytes_text(int64_t bytes) {
  return format_bytes(static_cast<double>(bytes));
}

std::string range_text(const std::vector<int64_t>& bytes) {
  const auto [least, most] = std::ranges::minmax(bytes);
  return least == most ? bytes_text(most) : fmt::format("{} - {}", bytes_text(least), bytes_text(most));
}

/// Rows of cells, columns as wide as their widest cell.
std::string table(const std::vector<std::vector<std::string>>& rows) {
  std::vector<size_t> widths(rows[0].size());
  for (const auto& row : rows)
    for (size_t c = 0; c < row.size(); ++c) widths[c] = std::max(widths[c], row[c].size());
  std::string out;
  for (const auto& row : rows) {
    std::string line;
    for (size_t c = 0; c < row.size(); ++c) line += fmt::format("{:{}}  ", row[c], widths[c]);
    out += line.substr(0, line.find_last_not_of(' ') + 1) + '\n';
  }
  return out;
}

}  // namespace

std::string text(const Explanation& e) {
  std::vector<std::vector<std::string>> modules = {
      {"MODULE", "COUNT", "PLACEMENT", "SPLIT BY", "EACH, PER RANK", "WHY"}};
  for (const ModuleRow& row : e.modules)
    modules.push_back({row.pattern, std::to_string(row.count),
                       row.treatment == Treatment::Keep ? "whole" : std::string(to_string(row.treatment)),
                       row.axis.empty() ? "-" : row.axis, range_text(row.bytes), row.why});
  std::string out = table(modules);
  if (!e.exchanges.empty()) {
    std::vector<std::vector<std::string>> exchanges = {{"EXCHANGE", "COUNT", "EACH, PER TOKEN", "OF"}};
    for (const ExchangeRow& row : e.exchanges)
      exchanges.push_back({row.kind, std::to_string(row.count), bytes_text(row.bytes_per_token), row.of});
    out += '\n' + table(exchanges);
  }
  out += fmt::format("\nweights {} ({} parameters); per rank {}\n", bytes_text(e.stored_bytes), e.parameters,
                     range_text(e.weight_bytes));
  out += fmt::format("cache per token and rank {}; {} exchanges of {} in all per token\n",
                     range_text(e.cache_bytes_per_token), e.collectives, bytes_text(e.collective_bytes));
  return out;
}

Json to_json(const Explanation& e) {
  Json modules = Json::array(), exchanges = Json::array();
  for (const ModuleRow& row : e.modules)
    modules.push_back({{"module", row.pattern},
                       {"count", row.count},
                       {"placement", to_string(row.treatment)},
                       {"split_by", row.axis},
                       {"why", row.why},
                       {"bytes_per_rank", row.bytes}});
  for (const ExchangeRow& row : e.exchanges)
    exchanges.push_back(
        {{"kind", row.kind}, {"of", row.of}, {"count", row.count}, {"bytes_per_token", row.bytes_per_token}});
  return {{"ranks", e.ranks},
          {"modules", modules},
          {"exchanges", exchanges},
          {"parameters", e.parameters},
          {"stored_bytes", e.stored_bytes},
          {"weight_bytes_per_rank", e.weight_bytes},
          {"cache_bytes_per_token_and_rank", e.cache_bytes_per_token},
          {"collectives_per_step", e.collectives},
          {"collective_bytes_per_token", e.collective_bytes}};
}

}  // namespace cleave::plan
