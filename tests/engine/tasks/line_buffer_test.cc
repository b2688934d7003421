// Lines out of pieces.
#include "engine/tasks/line_buffer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <vector>

namespace stele::tasks {
namespace {

using testing::ElementsAre;

// Every line of `text`, given in pieces of `size` bytes; "!" for one that is too long.
std::vector<std::string> Lines(std::string_view text, size_t size, size_t max_bytes) {
  LineBuffer buffer(max_bytes);
  std::vector<std::string> lines;
  for (; !text.empty(); text.remove_prefix(std::min(size, text.size()))) {
    std::string_view piece = text.substr(0, size);
    std::string line;
    LineBuffer::Found found;
    while ((found = buffer.Take(piece, line)) != LineBuffer::Found::kNothing)
      lines.push_back(found == LineBuffer::Found::kLine ? line : "!");
    EXPECT_EQ(buffer.number(), lines.size());
  }
  lines.push_back("rest: " + buffer.TakeRest());
  return lines;
}

TEST(LineBuffer, PutsPiecesTogether) {
  for (const size_t size : {1, 2, 3, 100})
    EXPECT_THAT(Lines("one\n\ntwo\nend", size, 10), ElementsAre("one", "", "two", "rest: end"));
}

TEST(LineBuffer, TellsALineThatIsTooLongOnceAndGoesOnBehindIt) {
  for (const size_t size : {1, 2, 3, 100})
    EXPECT_THAT(Lines("four\nfive!\nlonger still\nfour\n", size, 4),
                ElementsAre("four", "!", "!", "four", "rest: "));
}

}  // namespace
}  // namespace stele::tasks
