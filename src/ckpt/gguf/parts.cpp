#include "ckpt/gguf/parts.h"

#include <fmt/format.h>

#include <string>
#include <system_error>
#include <utility>

#include "base/error.h"
#include "base/untrusted_text.h"

namespace cleave::ckpt {
namespace {

constexpr int64_t kMostParts = 99999;  // five digits

int64_t part_count(const GgufContents& contents) {
  const int64_t parts = contents.metadata.integer("split.count").value_or(1);
  if (parts < 0 || parts > kMostParts)
    fail(ErrorKind::Corrupt, "{}: split.count is {}, expected up to {}", contents.metadata.file(), parts, kMostParts);
  return parts;
}

std::string ending(int64_t part, int64_t parts) {
  return fmt::format("-{:05}-of-{:05}.gguf", part + 1, parts);
}

// What all parts' paths begin with, after the name of one.
std::string common_path(const GgufContents& contents, int64_t parts) {
  const std::string& path = contents.metadata.file();
  const std::string own = ending(contents.metadata.integer("split.no").value_or(0), parts);
  if (!path.ends_with(own))
    fail(ErrorKind::InvalidArgument, "{}: part of a split model, whose name should end in {}; rename it", path, own);
  return path.substr(0, path.size() - own.size());
}

MappedFile open_part(const std::string& path, int64_t parts) {
  std::error_code error;
  if (!std::filesystem::exists(path, error))
    fail(ErrorKind::NotFound, "{} is missing: a model of {} parts needs all of them in one folder", path, parts);
  return MappedFile(path);
}

void add_part(GgufContents part, int64_t number, int64_t parts, GgufContents& all) {
  if (part.metadata.integer("split.no").value_or(-1) != number || part_count(part) != parts)
    fail(ErrorKind::Corrupt, "{}: says that it is part {} of {}, expected {} of {}", part.metadata.file(),
         part.metadata.integer("split.no").value_or(-1) + 1, part_count(part), number + 1, parts);
  for (auto& [name, view] : part.tensors)
    if (!all.tensors.emplace(name, std::move(view)).second)
      fail(ErrorKind::Corrupt, "{}: tensor {} is in another part, too", part.metadata.file(), in_quotes(name));
}

}  // namespace

GgufFiles open_gguf_files(MappedFile file) {
  GgufContents contents = parse_gguf(file.bytes(), file.path().string());
  const int64_t parts = part_count(contents);
  if (parts <= 1) {
    GgufFiles whole = {{}, std::move(contents)};
    whole.files.push_back(std::move(file));
    return whole;
  }
  const std::string common = common_path(contents, parts);
  std::vector<MappedFile> files;
  GgufContents all{GgufMetadata(common + ending(0, parts)), {}};
  for (int64_t part = 0; part < parts; ++part) {
    files.push_back(open_part(common + ending(part, parts), parts));
    GgufContents own = parse_gguf(files.back().bytes(), files.back().path().string());
    if (part == 0) all.metadata = own.metadata;
    add_part(std::move(own), part, parts, all);
  }
  const auto wanted = all.metadata.integer("split.tensors.count");
  if (wanted && *wanted != static_cast<int64_t>(all.tensors.size()))
    fail(ErrorKind::Corrupt, "{}: its {} parts hold {} tensors, expected {}", all.metadata.file(), parts,
         all.tensors.size(), *wanted);
  return {std::move(files), std::move(all)};
}

MappedFile open_gguf_metadata(MappedFile file) {
  const GgufContents contents = parse_gguf(file.bytes(), file.path().string());
  const int64_t parts = part_count(contents);
  if (parts <= 1 || contents.metadata.integer("split.no") == 0) return file;
  return open_part(common_path(contents, parts) + ending(0, parts), parts);
}

}  // namespace cleave::ckpt
