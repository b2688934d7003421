#include "server/http/event_stream.h"

#include <gtest/gtest.h>

namespace stele::server::http {
namespace {

std::string Framed(Event event) {
  return FrameEvent(event).value();
}

TEST(FrameEvent, WritesEveryField) {
  EXPECT_EQ(Framed({.data = "x", .id = "7", .name = "step", .retry_ms = 3000}),
            "id: 7\nevent: step\nretry: 3000\ndata: x\n\n");
  EXPECT_EQ(Framed({.data = ""}), "data: \n\n");
}

TEST(FrameEvent, WritesALineOfDataForEachLine) {
  EXPECT_EQ(Framed({.data = "a\nb"}), "data: a\ndata: b\n\n");
  EXPECT_EQ(Framed({.data = "a\r\nb\rc"}), "data: a\ndata: b\ndata: c\n\n");
  EXPECT_EQ(Framed({.data = "a\n"}), "data: a\ndata: \n\n");
  EXPECT_EQ(Framed({.data = "\n\nid: 9"}), "data: \ndata: \ndata: id: 9\n\n");
}

TEST(FrameEvent, RefusesFieldsThatWouldBeginOthers) {
  EXPECT_FALSE(FrameEvent({.data = "", .id = "1\ndata: x"}).has_value());
  EXPECT_FALSE(FrameEvent({.data = "", .id = "1\r"}).has_value());
  EXPECT_FALSE(FrameEvent({.data = "", .id = std::string("1\0", 2)}).has_value());
  EXPECT_FALSE(FrameEvent({.data = "", .name = "a\nb"}).has_value());
}

}  // namespace
}  // namespace stele::server::http
