#include "load/workload/job.h"

namespace cleave::load {

std::string path_of(Api api) {
  return api == Api::Chat ? "/v1/chat/completions" : "/v1/completions";
}

std::string body_of(const Job& job, const RequestSettings& settings) {
  Json body = {{"model", settings.model}};
  if (settings.temperature) body["temperature"] = *settings.temperature;
  if (settings.ignore_eos) body["ignore_eos"] = true;
  body.update(settings.extra);
  body.update(job.fields);
  body["stream"] = true;
  body["stream_options"] = {{"include_usage", true}};
  return body.dump(-1, ' ', false, Json::error_handler_t::replace);
}

}  // namespace cleave::load
