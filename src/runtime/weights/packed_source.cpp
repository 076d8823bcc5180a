#include "runtime/weights/packed_source.h"

#include <vector>

#include "base/check.h"
#include "base/error.h"
#include "base/files.h"
#include "runtime/device/packed_part.h"

namespace cleave::runtime {
namespace {

class PackedSource final : public WeightSource {
 public:
  PackedSource(std::shared_ptr<const PackedPart> part, bool map) : part_(std::move(part)), map_(map) {
    for (const PackedPiece& piece : part_->description().pieces) layouts_.push_back(piece.layout);
  }

  std::span<const RowLayout> layouts() const override { return layouts_; }
  int64_t stored_bytes() const override { return part_->description().stored_bytes; }
  const WeightRows& next() override { fail(ErrorKind::Internal, "rows of weights that are packed"); }
  std::shared_ptr<const PackedPart> packed() const override { return part_; }
  bool stays_mapped() const override { return map_; }

 private:
  std::shared_ptr<const PackedPart> part_;
  std::vector<RowLayout> layouts_;
  bool map_;
};

void check_identity(const PackedPart& part, const PartIdentity& wanted) {
  const PartIdentity& found = part.description().identity;
  if (found == wanted) return;
  fail(ErrorKind::InvalidArgument,
       "{} is part {} of {} of model {}, wanted part {} of {} of model {}: parts of two runs do not mix",
       part.path().string(), found.rank, found.ranks, found.model, wanted.rank, wanted.ranks, wanted.model);
}

void check_shapes(const PackedPart& part, std::span<const lower::Parameter> parameters) {
  const std::vector<PackedPiece>& pieces = part.description().pieces;
  if (pieces.size() != parameters.size())
    fail(ErrorKind::InvalidArgument, "{} holds {} weights, the split of this run wants {}; make the parts again",
         part.path().string(), pieces.size(), parameters.size());
  for (size_t p = 0; p < pieces.size(); ++p) {
    const RowLayout& layout = pieces[p].layout;
    const Shape& shape = parameters[p].view.shape;
    if (layout.row_elements == shape.back() && layout.num_rows == num_elements(shape) / shape.back()) continue;
    fail(ErrorKind::InvalidArgument,
         "{} holds {} x {} numbers of {}, the split of this run wants {}; make the parts again", part.path().string(),
         layout.num_rows, layout.row_elements, parameters[p].name, to_string(shape));
  }
}

}  // namespace

std::unique_ptr<WeightSource> packed_weights(const PackedParts& parts, int rank, int ranks,
                                             std::span<const lower::Parameter> parameters) {
  const PartIdentity identity{parts.model, rank, ranks};
  const std::filesystem::path file = parts.directory / part_file(identity);
  if (!is_there(file))
    fail(ErrorKind::NotFound, "{} is missing: the packed weights of rank {} of {}", file.string(), rank, ranks);
  auto part = std::make_shared<const PackedPart>(file);
  check_identity(*part, identity);
  check_shapes(*part, parameters);
  const bool map = parts.map.value_or(part->is_in_memory());
  return std::make_unique<PackedSource>(std::move(part), map);
}

}  // namespace cleave::runtime
