#pragma once

#include "server/api/common_fields.h"

namespace cleave::server::api {

/// POST /v1/responses (https://platform.openai.com/docs/api-reference/responses), without state: the whole history
/// comes with every request. Throws Refusal.
Translation read_responses(const OrderedJson& body, const Context& context);

}  // namespace cleave::server::api
