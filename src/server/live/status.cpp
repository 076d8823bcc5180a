#include "server/live/status.h"

#include <algorithm>
#include <utility>

namespace cleave::server {
namespace {

constexpr double kSampleSeconds = 1;
constexpr size_t kMostSamples = 300;
constexpr size_t kMostRequests = 50;  // in the list of those under way

// What of a state is told, by name.
template <class Add>
void for_each_number(double uptime, const EngineState& s, Add add) {
  add("uptime_seconds", uptime);
  add("running", s.running);
  add("waiting", s.waiting);
  add("waiting_tokens", s.waiting_tokens);
  add("connections", s.connections);
  add("kv_blocks", s.kv_blocks);
  add("kv_used", s.kv_used);
  add("kv_cached", s.kv_cached);
  add("prompt_tokens", s.prompt_tokens);
  add("cached_tokens", s.cached_tokens);
  add("computed_prompt_tokens", s.computed_prompt_tokens);
  add("generated_tokens", s.generated_tokens);
  add("preemptions", s.preemptions);
  add("steps", s.steps);
  add("step_seconds", s.step_seconds);
  add("exchange_seconds", s.exchange_seconds);
  add("host_seconds", s.host_seconds);
}

OrderedJson document_of(const Histogram& histogram) {
  const auto bounds = histogram.bounds();
  const auto counts = histogram.counts();
  return {{"bounds", std::vector<double>(bounds.begin(), bounds.end())},
          {"counts", std::vector<int64_t>(counts.begin(), counts.end())}};
}

OrderedJson model_of(const ServedModel& model) {
  return {{"name", model.name},       {"aliases", model.aliases},       {"architecture", model.architecture},
          {"context", model.context}, {"vocabulary", model.vocab_size}, {"cache_block_tokens", runtime::kKvBlockSize}};
}

OrderedJson ranks_of(const ServedModel& model) {
  OrderedJson list = OrderedJson::array();
  for (const runtime::RankReport& rank : model.ranks)
    list.push_back({{"host", std::string(rank.machine)},
                    {"pid", rank.process},
                    {"threads", rank.num_threads},
                    {"weight_bytes", rank.memory.weights},
                    {"cache_bytes", rank.memory.kv_cache},
                    {"activation_bytes", rank.memory.activations}});
  return list;
}

OrderedJson request_of(Exchange& exchange, Exchange::Clock::time_point now) {
  int64_t prompt = 0, generated = 0;
  for (const Exchange::Answer& answer : exchange.answers()) {
    prompt = std::max(prompt, answer.whole.usage.prompt);
    generated += answer.whole.usage.generated;
  }
  return {{"id", exchange.record().id},
          {"path", exchange.record().path},
          {"stream", exchange.record().stream},
          {"answers", exchange.answers().size()},
          {"prompt_tokens", prompt},
          {"generated_tokens", generated},
          {"seconds", std::chrono::duration<double>(now - exchange.arrival()).count()}};
}

// The oldest ones first.
OrderedJson requests_of(const std::unordered_set<std::shared_ptr<Exchange>>& exchanges) {
  std::vector<Exchange*> sorted;
  for (const auto& exchange : exchanges) sorted.push_back(exchange.get());
  std::ranges::sort(sorted, {}, &Exchange::arrival);
  sorted.resize(std::min(sorted.size(), kMostRequests));
  OrderedJson list = OrderedJson::array();
  for (Exchange* exchange : sorted) list.push_back(request_of(*exchange, Exchange::Clock::now()));
  return list;
}

}  // namespace

OrderedJson status_document(const Status& status) {
  OrderedJson now = OrderedJson::object();
  for_each_number(status.uptime, status.engine, [&](const char* name, auto value) { now[name] = value; });
  const ServedModel* model = status.model;
  return {{"state", status.state},
          {"problem", status.problem},
          {"model", model != nullptr ? model_of(*model) : OrderedJson()},
          {"ranks", model != nullptr ? ranks_of(*model) : OrderedJson::array()},
          {"now", std::move(now)},
          {"seconds_in_step", status.engine.seconds_in_step},
          {"finished", status.metrics.reasons()},
          {"refused", status.metrics.rejections()},
          {"first_token_seconds", document_of(status.metrics.first_token())},
          {"inter_token_seconds", document_of(status.metrics.gaps())},
          {"requests", requests_of(status.exchanges)}};
}

void History::add(double uptime, const EngineState& state) {
  if (!samples_.empty() && uptime < samples_.back().uptime + kSampleSeconds) return;
  if (samples_.size() == kMostSamples) samples_.pop_front();
  samples_.push_back({uptime, state});
}

OrderedJson History::document() const {
  OrderedJson columns = OrderedJson::object();
  for_each_number(0, {}, [&](const char* name, auto) { columns[name] = OrderedJson::array(); });
  for (const Sample& sample : samples_)
    for_each_number(sample.uptime, sample.state, [&](const char* name, auto value) { columns[name].push_back(value); });
  return columns;
}

}  // namespace cleave::server
