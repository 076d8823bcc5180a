#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>

#include "app/flags.h"
#include "app/launch.h"
#include "ckpt/checkpoint.h"
#include "define/definitions.h"
#include "graph/graph.h"
#include "plan/plan.h"
#include "runtime/ranks.h"

namespace cleave::app {

/// A checkpoint and the graphs that its definition makes of it.
struct OpenedModel {
  ckpt::Checkpoint checkpoint;
  define::Definition definition;  // that serves it
  graph::Model graphs;
  Json config;  // normalised (define/config.h)

  /// Tokens that the model was made for; nothing where the configuration does not say.
  std::optional<int64_t> max_positions() const;
  /// Extent of the logits of the graph "decode".
  int64_t vocab_size() const;
};

/// Reads headers and traces the definition; no weights. Throws Error.
OpenedModel open_model(const ModelFlags& flags);

/// A model split over its ranks and ready to compute.
struct LoadedRanks {
  std::unique_ptr<const graph::Graph> graph;  // what the plan is about
  plan::Plan plan;
  std::unique_ptr<runtime::Ranks> ranks;
};

/// Plans the split and tells other processes of it, then reads and packs the weights behind a progress bar, all ranks
/// at once. What `options` has to say on precision comes from the flags. REQUIRES: launch.leads(); once for a launch.
LoadedRanks load_model(const OpenedModel& opened, const ModelFlags& flags, runtime::Options options, Launch& launch);

/// Runs `lead` in the process that has rank 0; it has let go of all ranks when it returns. The other processes take
/// their part of the model that it loads and compute with it until it is done. Gives the exit code.
int with_launch(const ModelFlags& flags, int ranks, const std::function<int(Launch&)>& lead);

/// Length of sequences where a prompt has `prompt` tokens and the answer up to `answer`: what the user asked for,
/// otherwise what is needed, up to what the model was made for. Notes it where the user goes beyond that.
int64_t context_length(const OpenedModel& opened, std::optional<int64_t> asked, int64_t prompt, int64_t answer);

}  // namespace cleave::app
