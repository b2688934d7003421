#include "engine/tasks/event_stream.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace stele::tasks {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

// What comes of `text` when it arrives in pieces of `size` bytes.
std::vector<std::string> Events(std::string_view text, size_t size) {
  EventStream stream(1000);
  std::vector<std::string> events;
  for (size_t at = 0; at < text.size(); at += size) {
    EXPECT_TRUE(stream.Push(text.substr(at, size), events));
  }
  return events;
}

TEST(EventStream, HasTheSameEventsHoweverItArrives) {
  constexpr std::string_view kText =
      "\xEF\xBB\xBF: a comment\r\n"
      "event: message\r\n"
      "data: one\r\n"
      "\r\n"
      "data:two\rdata: lines\r\r"
      "data\ndata\n\n"
      "id: 7\n\n"
      "data:  spaced\n\n"
      "data: unfinished";
  for (size_t size = 1; size <= kText.size(); ++size) {
    EXPECT_THAT(Events(kText, size), ElementsAre("one", "two\nlines", "\n", " spaced")) << size;
  }
}

TEST(EventStream, PassesOverWhatIsNoData) {
  EXPECT_THAT(Events("retry: 10\n\ndatabase: x\n\n:\n\n\n\n", 100), IsEmpty());
}

TEST(EventStream, EndsAtAnEventBeyondTheLimit) {
  std::vector<std::string> events;
  EventStream line(10);
  EXPECT_TRUE(line.Push("data: 1234", events));
  EXPECT_FALSE(line.Push("5", events));
  EventStream lines(20);
  EXPECT_TRUE(lines.Push("data: 1234567890\n", events));
  EXPECT_FALSE(lines.Push("data: 12345\n", events));
  EXPECT_THAT(events, IsEmpty());
}

TEST(EventStream, CountsEachEventByItself) {
  EventStream stream(20);
  std::vector<std::string> events;
  for (int i = 0; i < 10; ++i) EXPECT_TRUE(stream.Push("data: 1234567890\n\n", events));
  EXPECT_EQ(events.size(), 10u);
}

}  // namespace
}  // namespace stele::tasks
