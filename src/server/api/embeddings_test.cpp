#include "server/api/embeddings.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "server/api/failure.h"
#include "server/api/field.h"

namespace cleave::server::api {
namespace {

using testing::HasSubstr;

EmbeddingRequest read(const std::string& body) {
  return read_embeddings(parse_body(body));
}

Failure failure(const std::string& body) {
  try {
    read(body);
  } catch (const Refusal& refusal) {
    return refusal.failure();
  }
  return {.status = 200};
}

std::string described(const EmbeddingRequest& request) {
  std::string text;
  for (const EmbeddingText& input : request.texts) {
    text += input.path + "=";
    if (const auto* words = std::get_if<std::string>(&input.text)) text += *words;
    if (const auto* ids = std::get_if<std::vector<int32_t>>(&input.text))
      for (const int32_t id : *ids) text += std::to_string(id) + ",";
    text += ";";
  }
  return text;
}

TEST(ReadEmbeddings, TakesTextsTokensAndListsOfThem) {
  EXPECT_EQ(described(read(R"({"input":"a"})")), "input=a;");
  EXPECT_EQ(described(read(R"({"input":["a","b"]})")), "input[0]=a;input[1]=b;");
  EXPECT_EQ(described(read(R"({"input":[1,2]})")), "input=1,2,;");
  EXPECT_EQ(described(read(R"({"input":[[1,2],[3]]})")), "input[0]=1,2,;input[1]=3,;");
  EXPECT_EQ(described(read(R"({"input":["a",[3]]})")), "input[0]=a;input[1]=3,;");
}

TEST(ReadEmbeddings, ReadsHowVectorsAreWanted) {
  const EmbeddingRequest plain = read(R"({"input":"a","user":"x","encoding_format":null})");
  EXPECT_FALSE(plain.base64 || plain.truncate || plain.dimensions || plain.prompt_name);
  const EmbeddingRequest all = read(R"({"model":"m","input":"a","encoding_format":"base64","dimensions":7,
    "truncate":true,"prompt_name":"query"})");
  EXPECT_TRUE(all.base64 && all.truncate);
  EXPECT_EQ(all.model, "m");
  EXPECT_EQ(all.dimensions, 7);
  EXPECT_EQ(all.prompt_name, "query");
}

TEST(ReadEmbeddings, NamesWhatIsWrong) {
  const std::pair<const char*, const char*> kCases[] = {
      {R"({})", "input"},
      {R"({"input":null})", "input"},
      {R"({"input":""})", "input"},
      {R"({"input":[]})", "input"},
      {R"({"input":5})", "input"},
      {R"({"input":{"a":1}})", "input"},
      {R"({"input":["a",""]})", "input[1]"},
      {R"({"input":[[]]})", "input[0]"},
      {R"({"input":[[1],["a"]]})", "input[1][0]"},
      {R"({"input":[1,-1]})", "input[1]"},
      {R"({"input":[1,2.5]})", "input[1]"},
      {R"({"input":["a",1]})", "input[1]"},
      {R"({"input":[1,"a"]})", "input[1]"},
      {R"({"input":["a",null]})", "input[1]"},
      {R"({"input":"a","encoding_format":"int8"})", "encoding_format"},
      {R"({"input":"a","encoding_format":1})", "encoding_format"},
      {R"({"input":"a","dimensions":0})", "dimensions"},
      {R"({"input":"a","dimensions":"7"})", "dimensions"},
      {R"({"input":"a","truncate":1})", "truncate"},
      {R"({"input":"a","model":1})", "model"}};
  for (const auto& [body, param] : kCases) {
    EXPECT_EQ(failure(body).status, 400) << body;
    EXPECT_EQ(failure(body).param, param) << body;
  }
  std::string many = R"({"input":["a")";
  for (int i = 0; i < 2048; ++i) many += ",\"a\"";
  EXPECT_THAT(failure(many + "]}").message, HasSubstr("wanted 1 to 2048 texts, saw 2049"));
}

TEST(EmbeddingsReply, TellsVectorsAsNumbersAndAsBytes) {
  const std::vector<std::vector<float>> vectors = {{1, -0.5F}, {0.1F, 0}};
  EXPECT_EQ(embeddings_reply(vectors, false, "m", 5), parse_body(R"({"object":"list","data":[
              {"object":"embedding","index":0,"embedding":[1.0,-0.5]},
              {"object":"embedding","index":1,"embedding":[0.10000000149011612,0.0]}],
              "model":"m","usage":{"prompt_tokens":5,"total_tokens":5}})"));
  const OrderedJson bytes = embeddings_reply(vectors, true, "m", 5);
  EXPECT_EQ(bytes["data"][0]["embedding"], "AACAPwAAAL8=");
}

}  // namespace
}  // namespace cleave::server::api
