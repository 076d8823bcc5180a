#include "plan/hardware.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <utility>

#include "base/error.h"
#include "base/strings.h"
#include "tensor/dtype.h"

namespace cleave::plan {
namespace {

template <class Owner>
struct FieldOf {
  const char* key;
  double Owner::*value;
};
using Field = FieldOf<Hardware>;
using FormatField = FieldOf<FormatRates>;

constexpr std::array kFields = {
    Field{"core_read_bytes_per_second", &Hardware::core_read},
    Field{"machine_read_bytes_per_second", &Hardware::machine_read},
    Field{"core_flops", &Hardware::core_flops},
    Field{"machine_flops", &Hardware::machine_flops},
    Field{"call_seconds", &Hardware::call_seconds},
    Field{"operation_seconds", &Hardware::operation_seconds},
    Field{"collective_latency_seconds", &Hardware::collective_latency},
    Field{"collective_bytes_per_second", &Hardware::collective_bandwidth},
    Field{"network_latency_seconds", &Hardware::network_latency},
    Field{"network_bytes_per_second", &Hardware::network_bandwidth},
};

constexpr std::array kFormatFields = {
    FormatField{"core_read_bytes_per_second", &FormatRates::core_read},
    FormatField{"machine_read_bytes_per_second", &FormatRates::machine_read},
    FormatField{"core_flops", &FormatRates::core_flops},
    FormatField{"machine_flops", &FormatRates::machine_flops},
};

constexpr int64_t kMostCores = 1 << 20;

double positive(const Json& value, const std::string& key) {
  if (!value.is_number() || !(value.get<double>() > 0))
    fail(ErrorKind::InvalidArgument, "hardware: {} is {}, wanted a number above 0", key, value.dump());
  return value.get<double>();
}

std::vector<std::string> known_keys() {
  std::vector<std::string> keys = {"name", "cores", "ranks_per_machine", "formats"};
  for (const Field& field : kFields) keys.emplace_back(field.key);
  return keys;
}

int count(const Json& value, const std::string& key, int64_t least) {
  if (!value.is_number_integer() || value < least || value > kMostCores)
    fail(ErrorKind::InvalidArgument, "hardware: {} is {}, wanted a whole number from {} to {}", key, value.dump(),
         least, kMostCores);
  return value.get<int>();
}

// All of a type's rates: half of them would mix measured and unmeasured figures.
FormatRates format_rates(const std::string& type, const Json& json) {
  const std::string key = "formats." + type;
  if (!dtype_from_name(type))
    fail(ErrorKind::InvalidArgument, "hardware: {} names no stored type such as BF16 or Q4_K", key);
  if (!json.is_object() || json.size() != kFormatFields.size())
    fail(ErrorKind::InvalidArgument, "hardware: {} is {}, wanted an object with {} rates", key, json.dump(),
         kFormatFields.size());
  FormatRates rates;
  for (const FormatField& field : kFormatFields) {
    if (!json.contains(field.key)) fail(ErrorKind::InvalidArgument, "hardware: {} lacks {}", key, field.key);
    rates.*(field.value) = positive(json[field.key], key + "." + field.key);
  }
  return rates;
}

void read_key(Hardware& hardware, const std::string& key, const Json& value) {
  const auto require = [&](bool good, const char* wanted) {
    if (!good) fail(ErrorKind::InvalidArgument, "hardware: {} is {}, wanted {}", key, value.dump(), wanted);
  };
  if (key == "name") {
    require(value.is_string(), "a text");
    hardware.name = value.get<std::string>();
  } else if (key == "cores") {
    hardware.cores = count(value, key, 1);
  } else if (key == "ranks_per_machine") {
    hardware.ranks_per_machine = count(value, key, 0);
  } else if (key == "formats") {
    require(value.is_object(), "an object with stored types as keys");
    for (const auto& [type, rates] : value.items()) hardware.formats[type] = format_rates(type, rates);
  } else {
    const auto* field = std::ranges::find_if(kFields, [&](const Field& f) { return key == f.key; });
    if (field == kFields.end())
      fail(ErrorKind::InvalidArgument, "hardware: unknown key {}; known are {}", key, join(known_keys(), ", "));
    hardware.*(field->value) = positive(value, key);
  }
}

Json rates_json(const FormatRates& rates) {
  Json json = Json::object();
  for (const FormatField& field : kFormatFields) json[field.key] = rates.*(field.value);
  return json;
}

// Of `ranks` ranks: machines, and ranks of each. A rank has a core at least, unless somebody says otherwise.
std::pair<int, int> machines(const Hardware& hardware, int ranks) {
  const int most = hardware.ranks_per_machine > 0 ? hardware.ranks_per_machine : hardware.cores;
  const int local = std::min(ranks, std::max(1, most));
  return {(ranks + local - 1) / local, local};
}

// One exchange in which everybody reads everybody's bytes, or two in which everybody sums a part of them.
double reduce_seconds(double latency, double bandwidth, int ranks, double bytes) {
  if (ranks <= 1) return 0;
  const double n = ranks;
  return std::min(latency + bytes * (n - 1) / bandwidth, 2 * latency + 2 * bytes * (n - 1) / n / bandwidth);
}

// Many messages leave and reach a machine one after another: about as long as a tree's rounds.
double network_latency(const Hardware& hardware, int machines) {
  return hardware.network_latency * std::max(1.0, std::log2(static_cast<double>(machines)));
}

double gather_seconds(double latency, double bandwidth, int ranks, double bytes) {
  return ranks <= 1 ? 0 : latency + bytes * (ranks - 1) / ranks / bandwidth;
}

}  // namespace

Hardware Hardware::from_json(const Json& json) {
  if (!json.is_object()) fail(ErrorKind::InvalidArgument, "hardware: wanted a JSON object with keys such as cores");
  Hardware hardware;
  for (const auto& [key, value] : json.items()) read_key(hardware, key, value);
  return hardware;
}

Json Hardware::to_json() const {
  Json json = {{"name", name}, {"cores", cores}, {"ranks_per_machine", ranks_per_machine}};
  for (const Field& field : kFields) json[field.key] = this->*(field.value);
  json["formats"] = Json::object();
  for (const auto& [type, rates] : formats) json["formats"][type] = rates_json(rates);
  return json;
}

RankRates rates_per_rank(const Hardware& hardware, int ranks, int threads_per_rank, const std::string& format) {
  const int local = machines(hardware, ranks).second;
  const int threads = threads_per_rank > 0 ? threads_per_rank : std::max(1, hardware.cores / local);
  // More threads than cores share what there is.
  const double scale = std::min(1.0, static_cast<double>(hardware.cores) / (threads * local));
  FormatRates rates = {hardware.core_read, hardware.machine_read, hardware.core_flops, hardware.machine_flops};
  if (const auto found = hardware.formats.find(format); found != hardware.formats.end()) rates = found->second;
  return {std::min(rates.core_read * threads * scale, rates.machine_read / local),
          std::min(rates.core_flops * threads * scale, rates.machine_flops / local)};
}

double all_reduce_seconds(const Hardware& hardware, int ranks, double bytes) {
  const auto [count, local] = machines(hardware, ranks);
  return reduce_seconds(hardware.collective_latency, hardware.collective_bandwidth, local, bytes) +
         reduce_seconds(network_latency(hardware, count), hardware.network_bandwidth, count, bytes);
}

double all_gather_seconds(const Hardware& hardware, int ranks, double bytes) {
  const auto [count, local] = machines(hardware, ranks);
  return gather_seconds(hardware.collective_latency, hardware.collective_bandwidth, local, bytes) +
         gather_seconds(network_latency(hardware, count), hardware.network_bandwidth, count, bytes);
}

}  // namespace cleave::plan
