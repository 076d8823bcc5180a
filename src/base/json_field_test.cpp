#include "base/json_field.h"

#include <gtest/gtest.h>

#include <functional>

#include "base/error.h"
#include "base/testing/error_of.h"

namespace cleave {
namespace {

const Json kDocument = Json::parse(R"({"model": {"type": "BPE", "vocab": [1, "two", null, -3], "dropout": null}})");

TEST(JsonField, ReadsValuesOfEachType) {
  const JsonField model = JsonField(kDocument, "t.json:").at("model");
  EXPECT_EQ(model.at("type").string(), "BPE");
  EXPECT_EQ(model.at("vocab").at(0).count(), 1u);
  EXPECT_EQ(model.string_or("type", "x"), "BPE");
  EXPECT_EQ(model.string_or("dropout", "x"), "x");
  EXPECT_TRUE(model.boolean_or("absent", true));
  EXPECT_FALSE(model.find("dropout"));
}

TEST(JsonField, NamesThePathAndWhatAProgramWrote) {
  const JsonField root(kDocument, "t.json:");
  const auto corrupt = [](const auto& read) { return error_of(ErrorKind::Corrupt, read); };
  EXPECT_EQ(corrupt([&] { root.at("model").at("type").object(); }),
            "t.json: model.type: wanted an object, saw the string \"BPE\"");
  EXPECT_EQ(corrupt([&] { root.at("model").at("vocab").at(3).count(); }),
            "t.json: model.vocab[3]: wanted a whole number that is not negative, saw the number -3");
  EXPECT_EQ(corrupt([&] { root.at("model").at("vocab").at(2).string(); }),
            "t.json: model.vocab[2]: wanted a string, saw null");
  EXPECT_EQ(corrupt([&] { root.at("model").at("vocab").boolean(); }),
            "t.json: model.vocab: wanted true or false, saw an array of 4 elements");
  EXPECT_EQ(corrupt([&] { root.at("decoder"); }), "t.json: the key \"decoder\" is missing");
}

TEST(JsonField, ShowsWhatAPersonWroteAsItStands) {
  const JsonField root(kDocument, "ds.json", JsonAuthor::Person);
  const auto invalid = [](const auto& read) { return error_of(ErrorKind::InvalidArgument, read); };
  EXPECT_EQ(invalid([&] { root.at("model").at("type").array(); }), "ds.json:model.type: wanted an array, saw 'BPE'");
  EXPECT_EQ(invalid([&] { root.at("model").at("vocab").at(0).string(); }),
            "ds.json:model.vocab[0]: wanted a string, saw 1");
}

TEST(JsonField, KeepsPathsOnOneLineAndValuesShort) {
  const Json document = {{"a\nb", std::string(1000, 'x')}};
  const JsonField field = JsonField(document, "t.json:").at("a\nb");
  EXPECT_EQ(field.path(), "t.json: a\\x0ab");
  EXPECT_EQ(
      error_of(ErrorKind::Corrupt, [&] { field.count(); }),
      "t.json: a\\x0ab: wanted a whole number that is not negative, saw the string \"" + std::string(59, 'x') + "...");
}

}  // namespace
}  // namespace cleave
