#include "app/bench/report.h"

#include <fmt/format.h>

#include "base/strings.h"

namespace cleave::app {
namespace {

std::string limits_text(const BenchReport& report) {
  if (report.limits.empty()) return "";
  std::string heads = fmt::format("{:<24}", "LIMITS, GB/S, GFLOP/S"), read = fmt::format("{:<24}", "memory");
  for (const auto& [threads, limits] : report.limits) {
    heads += fmt::format("  {:>10}", fmt::format("{} THREAD{}", threads, threads == 1 ? "" : "S"));
    read += fmt::format("  {:10.1f}", limits.read / 1e9);
  }
  std::string out = heads + "\n" + read + "\n";
  for (const kernels::Arithmetic arithmetic : kernels::kArithmetics) {
    out +=
        fmt::format("{:<24}", fmt::format("{} {}", to_string(arithmetic), kernels::peak_loop(arithmetic).instruction));
    for (const auto& [threads, limits] : report.limits)
      out += fmt::format("  {:10.1f}", limits.peak[static_cast<size_t>(arithmetic)] / 1e9);
    out += "\n";
  }
  return out;
}

double load_rate(const BenchReport& report, const LoadRow& row) {
  return report.stored_bytes / row.seconds;
}

std::string loads_text(const BenchReport& report) {
  std::string out = fmt::format("\n{:<7}  {:>5}  {:>7}  {:>7}  {:>6}  {:>11}  {:>8}\n", "LOADING", "RANKS", "THREADS",
                                "SECONDS", "GB/S", "FILES, GB/S", "OF FILES");
  for (const LoadRow& row : report.loads) {
    const double rate = load_rate(report, row);
    const bool files = row.file_rate > 0;
    out += fmt::format("{:<7}  {:>5}  {:>7}  {:7.2f}  {:6.1f}  {:>11}  {:>8}\n", "", row.ranks, row.threads,
                       row.seconds, rate / 1e9, files ? fmt::format("{:.1f}", row.file_rate / 1e9) : "-",
                       files ? fmt::format("{:.0f}%", 100 * rate / row.file_rate) : "-");
  }
  return out;
}

// Of what is not known: a dash.
std::string rate_text(double rate) {
  return rate > 0 ? fmt::format("{:.1f}", rate) : "-";
}

std::string rates_text(const BenchReport& report, bool prefill) {
  std::string out;
  for (const BenchRow& row : report.rows) {
    if (row.what.prefill != prefill) continue;
    const std::string share = row.bound.seconds > 0 ? fmt::format("{:.0f}%", 100 * row.share_of_limit()) : "-";
    if (out.empty())
      out = fmt::format("\n{:<7}  {:>5}  {:>7}  {:>6}  {:>7}  {:>9}  {:>6}  {:>11}  {:>9}  {:>9}  {:>8}  {}\n",
                        prefill ? "PREFILL" : "DECODE", "RANKS", "THREADS", prefill ? "TOKENS" : "BATCH", "CONTEXT",
                        "TOKENS/S", "SPREAD", "UNDISTURBED", "PREDICTED", "LIMIT", "OF LIMIT", "LIMITED BY");
    out += fmt::format(
        "{:<7}  {:>5}  {:>7}  {:>6}  {:>7}  {:9.1f}  {:>5.0f}%  {:>11}  {:>9}  {:>9}  {:>8}  {}\n", "", row.ranks,
        row.threads, prefill ? row.what.tokens : row.what.batch, row.what.context, row.samples->rate(),
        100 * row.samples->spread(), rate_text(row.rate_of(row.samples->undisturbed_seconds())),
        rate_text(row.rate_of(row.predicted_seconds)), rate_text(row.rate_of(row.bound.seconds)), share, row.bound.by);
  }
  return out;
}

std::string case_text(const BenchRow& row) {
  return row.what.prefill ? fmt::format("prefill {}", row.what.tokens)
                          : fmt::format("decode {} behind {}", row.what.batch, row.what.context);
}

// Kinds that took no time anywhere are left out.
std::string kinds_text(const BenchReport& report) {
  std::vector<size_t> shown;
  for (size_t kind = 0; kind < kNumOpKinds; ++kind)
    for (const BenchRow& row : report.rows)
      if (row.samples->seconds_by_kind()[kind] > 0) {
        shown.push_back(kind);
        break;
      }
  std::string out = fmt::format("\n{:<24}  {:>5}  {:>7}  {:>9}", "TIME BY OPERATION, %", "RANKS", "THREADS", "ALL, MS");
  for (const size_t kind : shown) out += fmt::format("  {:>11}", kOpKindNames[kind]);
  out += "\n";
  for (const BenchRow& row : report.rows) {
    const auto seconds = row.samples->seconds_by_kind();
    double all = 0;
    for (const double s : seconds) all += s;
    out += fmt::format("{:<24}  {:>5}  {:>7}  {:9.2f}", case_text(row), row.ranks, row.threads, all * 1e3);
    for (const size_t kind : shown) out += fmt::format("  {:11.1f}", all > 0 ? 100 * seconds[kind] / all : 0);
    out += "\n";
  }
  return out;
}

Json row_json(const BenchRow& row) {
  Json kinds = Json::object();
  const auto seconds = row.samples->seconds_by_kind();
  for (size_t kind = 0; kind < kNumOpKinds; ++kind) kinds[std::string(kOpKindNames[kind])] = seconds[kind];
  Json json = {{"ranks", row.ranks},
               {"threads", row.threads},
               {"tokens", row.what.tokens},
               {"context", row.what.context},
               {"tokens_per_second", row.samples->rate()},
               {"spread", row.samples->spread()},
               {"samples", row.samples->rates()},
               {"undisturbed_tokens_per_second", row.rate_of(row.samples->undisturbed_seconds())},
               {"limit_tokens_per_second", row.rate_of(row.bound.seconds)},
               {"share_of_limit", row.share_of_limit()},
               {"limited_by", row.bound.by},
               {"seconds_by_operation", kinds}};
  if (!row.what.prefill) json["batch"] = row.what.batch;
  if (row.predicted_seconds > 0) json["predicted_tokens_per_second"] = row.rate_of(row.predicted_seconds);
  return json;
}

}  // namespace

std::string text(const BenchReport& report) {
  return fmt::format("{}: {}, weights {}\n{}\n\n", report.model, report.architecture, format_bytes(report.stored_bytes),
                     report.machine) +
         limits_text(report) + loads_text(report) + rates_text(report, true) + rates_text(report, false) +
         kinds_text(report);
}

Json to_json(const BenchReport& report) {
  Json json = {{"model", report.model},
               {"architecture", report.architecture},
               {"weight_bytes", report.stored_bytes},
               {"machine", report.machine},
               {"limits", Json::array()},
               {"loading", Json::array()},
               {"prefill", Json::array()},
               {"decode", Json::array()}};
  for (const auto& [threads, limits] : report.limits) {
    Json peaks = Json::object();
    for (const kernels::Arithmetic arithmetic : kernels::kArithmetics)
      peaks[std::string(to_string(arithmetic))] = {
          {"instruction", std::string(kernels::peak_loop(arithmetic).instruction)},
          {"operations_per_second", limits.peak[static_cast<size_t>(arithmetic)]}};
    json["limits"].push_back({{"threads", threads}, {"read_bytes_per_second", limits.read}, {"peaks", peaks}});
  }
  for (const LoadRow& row : report.loads) {
    Json load = {{"ranks", row.ranks},
                 {"threads", row.threads},
                 {"seconds", row.seconds},
                 {"bytes_per_second", load_rate(report, row)}};
    if (row.file_rate > 0) load["file_bytes_per_second"] = row.file_rate;
    json["loading"].push_back(std::move(load));
  }
  for (const BenchRow& row : report.rows) json[row.what.prefill ? "prefill" : "decode"].push_back(row_json(row));
  return json;
}

std::string plain_text(const std::vector<BenchRow>& rows) {
  std::string prefill = "-", decode = "-";
  for (const BenchRow& row : rows) (row.what.prefill ? prefill : decode) = fmt::format("{:.2f}", row.samples->rate());
  return prefill + " " + decode + "\n";
}

}  // namespace cleave::app
