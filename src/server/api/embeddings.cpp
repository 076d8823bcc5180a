#include "server/api/embeddings.h"

#include <bit>
#include <string_view>

#include "base/base64.h"
#include "server/api/failure.h"
#include "server/api/field.h"

namespace cleave::server::api {
namespace {

constexpr size_t kMostTexts = 2048;  // OpenAI's limit
constexpr int64_t kMostDimensions = 1 << 20;

bool holds_ids(const Field& list) {
  const OrderedJson& json = list.json();
  return json.is_array() && !json.empty() && json.front().is_number();
}

EmbeddingText text_of(const Field& input) {
  if (input.json().is_string()) {
    if (input.string().empty()) input.wrong("a text that is not empty");
    return {input.string(), input.path()};
  }
  if (!input.json().is_array()) input.wrong("a text or a list of tokens");
  std::vector<int32_t> ids;
  for (const Field& id : input.elements()) ids.push_back(static_cast<int32_t>(id.integer(0, INT32_MAX)));
  if (ids.empty()) refuse(input.path(), "{}: wanted one token at least, saw none", input.path());
  return {std::move(ids), input.path()};
}

// A text, its tokens, or a list of either.
std::vector<EmbeddingText> read_texts(const Field& input) {
  if (input.json().is_string() || holds_ids(input)) return {text_of(input)};
  if (!input.json().is_array()) input.wrong("a text, a list of tokens, or a list of such");
  const std::vector<Field> elements = input.elements();
  if (elements.empty() || elements.size() > kMostTexts)
    refuse(input.path(), "{}: wanted 1 to {} texts, saw {}", input.path(), kMostTexts, elements.size());
  std::vector<EmbeddingText> texts;
  for (const Field& element : elements) texts.push_back(text_of(element));
  return texts;
}

OrderedJson numbers_of(const std::vector<float>& vector, bool base64) {
  static_assert(std::endian::native == std::endian::little);
  if (!base64) return vector;
  return encode_base64({reinterpret_cast<const char*>(vector.data()), vector.size() * sizeof(float)});
}

}  // namespace

EmbeddingRequest read_embeddings(const OrderedJson& json) {
  const Field body(json);
  body.require_object();
  EmbeddingRequest request;
  request.model = body.string("model").value_or("");
  request.texts = read_texts(body.at("input"));
  const std::string format = body.string("encoding_format").value_or("float");
  if (format != "float" && format != "base64") body.at("encoding_format").wrong("float or base64");
  request.base64 = format == "base64";
  request.dimensions = body.integer("dimensions", 1, kMostDimensions);
  request.truncate = body.boolean("truncate", false);
  request.prompt_name = body.string("prompt_name");
  return request;
}

OrderedJson embeddings_reply(const std::vector<std::vector<float>>& vectors, bool base64, const std::string& model,
                             int64_t tokens) {
  OrderedJson data = OrderedJson::array();
  for (size_t i = 0; i < vectors.size(); ++i)
    data.push_back({{"object", "embedding"}, {"index", i}, {"embedding", numbers_of(vectors[i], base64)}});
  return {{"object", "list"},
          {"data", std::move(data)},
          {"model", model},
          {"usage", {{"prompt_tokens", tokens}, {"total_tokens", tokens}}}};
}

}  // namespace cleave::server::api
