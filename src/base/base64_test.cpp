#include "base/base64.h"

#include <gtest/gtest.h>

namespace cleave {
namespace {

// RFC 4648, section 10.
TEST(Base64, EncodesAsTheStandardShows) {
  const std::pair<const char*, const char*> kCases[] = {{"", ""},
                                                        {"f", "Zg=="},
                                                        {"fo", "Zm8="},
                                                        {"foo", "Zm9v"},
                                                        {"foob", "Zm9vYg=="},
                                                        {"fooba", "Zm9vYmE="},
                                                        {"foobar", "Zm9vYmFy"}};
  for (const auto& [bytes, text] : kCases) EXPECT_EQ(encode_base64(bytes), text);
}

TEST(Base64, ReadsBackWhatItWrites) {
  std::string bytes;
  for (int i = 0; i < 256; ++i) {
    bytes.push_back(static_cast<char>(i * 37));
    EXPECT_EQ(decode_base64(encode_base64(bytes)), bytes);
  }
}

}  // namespace
}  // namespace cleave
