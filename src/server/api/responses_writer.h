#pragma once

#include <map>
#include <memory>
#include <string>

#include "server/api/responses_input.h"
#include "server/api/writer.h"

namespace cleave::server::api {

/// Replies of the responses API (https://platform.openai.com/docs/api-reference/responses-streaming). `repeated`:
/// members of the response that repeat its request.
std::unique_ptr<Writer> make_responses_writer(ReplyHead head, OrderedJson repeated,
                                              std::map<std::string, ResponseTool> tools);

}  // namespace cleave::server::api
