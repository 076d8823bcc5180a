#include "inference/opening_notes.h"

#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <vector>

#include "base/untrusted_text.h"
#include "define/config.h"
#include "graph/head.h"
#include "graph/stored_name.h"

namespace cleave::inference {
namespace {

void note_unfound(const ckpt::Checkpoint& checkpoint, const Log& log) {
  const std::vector<std::string>& names = checkpoint.unfound();
  if (names.empty()) return;
  write(log, LogLevel::Note,
        fmt::format("the index of {} lists {} that no file holds, {}{}", checkpoint.path().string(),
                    names.size() == 1 ? "a tensor" : fmt::format("{} tensors", names.size()), in_quotes(names.front()),
                    names.size() == 1 ? "" : " among them"));
}

void note_architecture(const ckpt::Checkpoint& checkpoint, const graph::ModelGraph& traced, const Log& log) {
  const Json& config = checkpoint.config();
  const auto list = config.find("architectures");
  const bool named = list != config.end() && list->is_array() && !list->empty() && list->front().is_string();
  if (named && list->front() == traced.architecture) return;
  write(log, LogLevel::Note,
        fmt::format("the configuration names {}; it is computed as {}, as its model_type tells",
                    named ? "architecture " + in_quotes(list->front().get<std::string>()) : "no architecture",
                    traced.architecture));
}

// Name of the tensor that a node stands for; "" for none.
std::string stored_tensor(const graph::Graph& graph, graph::NodeId node) {
  if (node < 0 || graph.node(node).op != graph::Op::Weight) return "";
  return graph::stored_name(graph.node(node).as<graph::WeightAttributes>(), 0);
}

bool are_equal(const ckpt::Tensor& a, const ckpt::Tensor& b) {
  if (a.dtype() != b.dtype() || a.view.shape != b.view.shape) return false;
  if (!a.reader && !b.reader) return std::ranges::equal(a.view.bytes, b.view.bytes);
  const int64_t columns = std::max<int64_t>(1, a.view.row_elements()), total = num_elements(a.view.shape);
  const auto size = static_cast<size_t>(row_bytes(a.dtype(), columns));
  std::vector<std::byte> row_a(size), row_b(size);
  for (int64_t element = 0; element < total; element += columns) {
    ckpt::read_elements(a, element, row_a);
    ckpt::read_elements(b, element, row_b);
    if (row_a != row_b) return false;
  }
  return true;
}

void note_own_head(const ckpt::Checkpoint& checkpoint, const graph::Graph& graph, const Json& config, const Log& log) {
  const Json by_default = config.value(define::kTiedByDefault, Json());
  if (config.value("tie_word_embeddings", by_default) != true) return;
  const std::string head = stored_tensor(graph, graph::find_head(graph));
  const std::string embedding = stored_tensor(graph, graph::find_token_embedding(graph));
  const ckpt::Tensor* a = checkpoint.find(head);
  const ckpt::Tensor* b = checkpoint.find(embedding);
  if (head == embedding || a == nullptr || b == nullptr) return;
  if (!are_equal(*a, *b))
    write(log, LogLevel::Warning,
          fmt::format("the configuration ties the head to the embedding, but {} and {} are both stored and differ; the "
                      "stored head counts",
                      head, embedding));
  for (const ckpt::Tensor* tensor : {a, b})
    for (const TensorView& part : tensor->parts()) checkpoint.release(part);
}

}  // namespace

void write_opening_notes(const ckpt::Checkpoint& checkpoint, const graph::ModelGraph& traced, const Json& config,
                         const Log& log) {
  if (!checkpoint.adapter().empty()) write(log, LogLevel::Note, checkpoint.adapter());
  note_unfound(checkpoint, log);
  note_architecture(checkpoint, traced, log);
  note_own_head(checkpoint, traced.graph, config, log);
}

}  // namespace cleave::inference
