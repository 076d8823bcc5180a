#pragma once

#include "base/ordered_json.h"
#include "server/live/embedding_loop.h"
#include "server/live/served_model.h"

namespace cleave::server {

/// A request to POST /v1/embeddings, with its texts as tokens and everything compared with the model. Takes time in
/// proportion to the texts; runs on any thread. Throws api::Refusal. REQUIRES: the model makes vectors.
EmbeddingLoop::Job prepare_embeddings(const OrderedJson& body, const ServedModel& model);

/// Writes the reply of a job that has its vectors, which it uses up. Takes time in proportion to them; runs on any
/// thread.
void write_reply(EmbeddingJob& job, const ServedModel& model);

}  // namespace cleave::server
