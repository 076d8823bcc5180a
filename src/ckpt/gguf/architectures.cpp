#include "ckpt/gguf/architectures.h"

#include <algorithm>
#include <set>
#include <utility>

#include "base/check.h"

namespace cleave::ckpt {
namespace {

constexpr std::string_view kTable =
#include "ckpt/gguf/architectures.inc"
    ;

// A row of the table, or a list, as its lines stand there.
struct Block {
  bool is_list = false;
  std::vector<std::string_view> words;  // of the head, from the name on
  std::vector<std::string_view> lines;
};

std::string_view trimmed(std::string_view text) {
  const size_t begin = text.find_first_not_of(' ');
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(' ') + 1 - begin);
}

std::vector<std::string_view> split(std::string_view text, std::string_view separator) {
  std::vector<std::string_view> parts;
  for (size_t at = text.find(separator); at != std::string_view::npos; at = text.find(separator)) {
    if (!trimmed(text.substr(0, at)).empty()) parts.push_back(trimmed(text.substr(0, at)));
    text.remove_prefix(at + separator.size());
  }
  if (!trimmed(text).empty()) parts.push_back(trimmed(text));
  return parts;
}

std::vector<Block> read_blocks() {
  std::vector<Block> blocks;
  for (const std::string_view line : split(kTable, "\n")) {
    if (line.front() == '#') continue;
    const std::vector<std::string_view> words = split(line, " ");
    if (words[0] == "architecture" || words[0] == "list")
      blocks.push_back({words[0] == "list", {words.begin() + 1, words.end()}, {}});
    else
      blocks.back().lines.push_back(line);
  }
  return blocks;
}

const Block& find(const std::vector<Block>& blocks, std::string_view name) {
  // The last of several rows is the one without a condition.
  const auto found = std::find_if(blocks.rbegin(), blocks.rend(), [&](const Block& b) { return b.words[0] == name; });
  CHECK(found != blocks.rend());
  return *found;
}

// "attn_k_b + attn_v_b = .self_attn.kv_b_proj latent"
NameRule read_rule(std::string_view line) {
  const std::vector<std::string_view> sides = split(line, " = ");
  CHECK_EQ(sides.size(), 2u);
  NameRule rule = {split(sides[0], " + "), {}, false};
  for (const std::string_view target : split(sides[1], ", ")) {
    const std::vector<std::string_view> words = split(target, " ");
    rule.in_layer = words[0].front() == '.';
    rule.targets.push_back({words[0], words.size() > 1 ? words[1] : std::string_view()});
  }
  return rule;
}

// What is there already counts.
void add_constants(std::string_view text, Json& constants) {
  const Json added = Json::parse(text);
  for (const auto& [key, value] : added.items())
    if (!constants.contains(key)) constants[key] = value;
}

void read_line(std::string_view line, GgufArchitecture& row) {
  const std::vector<std::string_view> words = split(line, " ");
  if (words[0] == "layers")
    row.layers = row.layers.empty() ? words[1] : row.layers;
  else if (words[0] == "key")
    row.keys.push_back({words[1], words[3]});
  else if (words[0] == "has")
    row.has.push_back({words[1], words[3]});
  else if (words[0] == "numbers")
    row.numbers.push_back({words[1], words[3]});
  else if (words[0] == "varies")
    row.varies.push_back(words[1]);
  else if (words[0] == "derive")
    row.derived.insert(row.derived.end(), words.begin() + 1, words.end());
  else if (words[0] == "set")
    add_constants(line.substr(words[0].size()), row.constants);
  if (words.size() > 1 && (words[1] == "=" || words[1] == "+")) row.names.push_back(read_rule(line));
}

// Own lines before those that are taken over, as the first counts.
void add_lines(const std::vector<Block>& blocks, const Block& block, GgufArchitecture& row) {
  for (const std::string_view line : block.lines)
    if (!line.starts_with("like ")) read_line(line, row);
  for (const std::string_view line : block.lines)
    if (line.starts_with("like "))
      for (const std::string_view name : split(line.substr(5), " ")) add_lines(blocks, find(blocks, name), row);
}

}  // namespace

bool GgufArchitecture::may_vary(std::string_view key) const {
  return std::find(varies.begin(), varies.end(), key) != varies.end();
}

std::vector<GgufArchitecture> architectures_named(std::string_view name) {
  const std::vector<Block> blocks = read_blocks();
  std::vector<GgufArchitecture> rows;
  for (const Block& block : blocks) {
    if (block.is_list || block.words[0] != name) continue;
    GgufArchitecture row;
    row.name = block.words[0];
    row.hf_class = block.words[1];
    row.model_type = block.words[2];
    if (block.words.size() > 4) row.condition = {block.words[4].data(), block.words.back().end()};
    add_lines(blocks, block, row);
    if (row.layers.empty()) row.layers = "model.layers.{}";
    rows.push_back(std::move(row));
  }
  return rows;
}

std::vector<std::string> gguf_architectures() {
  std::set<std::string> names;
  for (const Block& block : read_blocks())
    if (!block.is_list) names.emplace(block.words[0]);
  return {names.begin(), names.end()};
}

}  // namespace cleave::ckpt
