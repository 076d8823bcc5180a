#include "plan/hardware.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <utility>

#include "base/error.h"
#include "base/strings.h"

namespace cleave::plan {
namespace {

struct Field {
  const char* key;
  double Hardware::* value;
};

constexpr std::array kFields = {
    Field{"core_read_bytes_per_second", &Hardware::core_read},
    Field{"machine_read_bytes_per_second", &Hardware::machine_read},
    Field{"core_flops", &Hardware::core_flops},
    Field{"machine_flops", &Hardware::machine_flops},
    Field{"call_seconds", &Hardware::call_seconds},
    Field{"collective_latency_seconds", &Hardware::collective_latency},
    Field{"collective_bytes_per_second", &Hardware::collective_bandwidth},
    Field{"network_latency_seconds", &Hardware::network_latency},
    Field{"network_bytes_per_second", &Hardware::network_bandwidth},
};

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

void read_format(Hardware& hardware, const std::string& type, const Json& rates) {
  if (!rates.is_array() || rates.size() != 2)
    fail(ErrorKind::InvalidArgument, "hardware: formats.{} is {}, wanted [bytes/s of a core, of the machine]", type,
         rates.dump());
  hardware.formats[type] = {positive(rates[0], "formats." + type), positive(rates[1], "formats." + type)};
}

void read_key(Hardware& hardware, const std::string& key, const Json& value) {
  if (key == "name" && value.is_string()) {
    hardware.name = value.get<std::string>();
  } else if (key == "cores") {
    hardware.cores = static_cast<int>(positive(value, key));
  } else if (key == "ranks_per_machine" && value.is_number_integer()) {
    hardware.ranks_per_machine = value.get<int>();
  } else if (key == "formats" && value.is_object()) {
    for (const auto& [type, rates] : value.items()) read_format(hardware, type, rates);
  } else {
    const auto* field = std::ranges::find_if(kFields, [&](const Field& f) { return key == f.key; });
    if (field == kFields.end())
      fail(ErrorKind::InvalidArgument, "hardware: unknown key {}; known are {}", key, join(known_keys(), ", "));
    hardware.*(field->value) = positive(value, key);
  }
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
  for (const auto& [type, rates] : formats) json["formats"][type] = {rates.first, rates.second};
  return json;
}

RankRates rates_per_rank(const Hardware& hardware, int ranks, int threads_per_rank, const std::string& format) {
  const int local = machines(hardware, ranks).second;
  const int threads = threads_per_rank > 0 ? threads_per_rank : std::max(1, hardware.cores / local);
  // More threads than cores share what there is.
  const double scale = std::min(1.0, static_cast<double>(hardware.cores) / (threads * local));
  std::pair<double, double> read = {hardware.core_read, hardware.machine_read};
  if (const auto found = hardware.formats.find(format); found != hardware.formats.end()) read = found->second;
  return {std::min(read.first * threads * scale, read.second / local),
          std::min(hardware.core_flops * threads * scale, hardware.machine_flops / local)};
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
