#pragma once

#include <memory>

#include "server/api/writer.h"

namespace cleave::server::api {

/// Replies of Anthropic's messages API (https://docs.anthropic.com/en/docs/build-with-claude/streaming).
std::unique_ptr<Writer> make_messages_writer(ReplyHead head);

}  // namespace cleave::server::api
