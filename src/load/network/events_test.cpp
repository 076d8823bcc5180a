#include "load/network/events.h"

#include <gtest/gtest.h>

#include <vector>

#include "base/testing/error_of.h"

namespace cleave::load {
namespace {

// The data of events of a stream that comes in pieces of `size` bytes.
std::vector<std::string> events_of(std::string_view stream, size_t size) {
  EventReader reader;
  std::vector<std::string> events;
  for (; !stream.empty(); stream.remove_prefix(std::min(size, stream.size())))
    reader.push(stream.substr(0, size), [&](const std::string& data) { events.push_back(data); });
  return events;
}

TEST(EventReader, ReadsEveryKindOfLineHoweverItIsCut) {
  const std::string stream =
      "\xEF\xBB\xBF"
      "data: a\n\n: ping\n\ndata:b\r\n\r\nevent: x\rdata: c\rdata:  d\r\rid: 3\ndata\n\nretry: 1\n\nevent: y\n\n";
  const std::vector<std::string> expected = {"a", "b", "c\n d", ""};
  for (const size_t size : {size_t{1}, size_t{2}, size_t{3}, size_t{7}, stream.size()})
    EXPECT_EQ(events_of(stream, size), expected) << size;
}

TEST(EventReader, KeepsWhatIsNotCompleteToItself) {
  EventReader reader;
  reader.push("data: half\n", [](const std::string&) { FAIL(); });
}

TEST(EventReader, HoldsNoMoreThanOneEvent) {
  const auto ignore = [](const std::string&) {};
  const std::string piece(64 << 10, 'x');
  EventReader one_line, many_lines;
  EXPECT_EQ(error_of(ErrorKind::Corrupt,
                     [&] {
                       for (int i = 0; i < 20; ++i) one_line.push(piece, ignore);
                     }),
            "an event of the stream has more than 1048576 bytes");
  error_of(ErrorKind::Corrupt, [&] {
    for (int i = 0; i < 20; ++i) many_lines.push("data: " + piece + "\n", ignore);
  });
}

}  // namespace
}  // namespace cleave::load
