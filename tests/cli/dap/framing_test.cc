// What comes of any bytes that an editor may send.
#include "cli/dap/framing.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>

#include "cli/dap/message.h"

namespace stele::cli::dap {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

// The messages in the bytes, which come in pieces of that size, and what was wrong behind them.
std::vector<std::string> Read(std::string_view bytes, size_t piece) {
  Framing framing;
  std::vector<std::string> read;
  for (size_t at = 0; at < bytes.size(); at += piece) {
    framing.Feed(bytes.substr(at, piece));
    for (;;) {
      const auto message = framing.Next();
      if (!message.has_value()) {
        read.push_back("! " + message.error().message);
        return read;
      }
      if (!message->has_value()) break;
      read.push_back(**message);
    }
  }
  if (framing.is_inside()) read.emplace_back("…");
  return read;
}

TEST(Framing, GivesMessagesHoweverTheyCome) {
  const std::string bytes = Framed("{\"a\":1}") + Framed("") + Framed("zwei");
  for (size_t piece = 1; piece <= bytes.size(); ++piece)
    EXPECT_THAT(Read(bytes, piece), ElementsAre("{\"a\":1}", "", "zwei")) << piece;
}

TEST(Framing, LeavesOtherFieldsAlone) {
  EXPECT_THAT(Read("Content-Type: x\r\ncontent-LENGTH:  2 \r\n\r\n{}", 3), ElementsAre("{}"));
  EXPECT_THAT(Read("Content-Length: 2\n\n{}", 3), ElementsAre("{}"));
}

TEST(Framing, KnowsThatSomethingIsMissing) {
  EXPECT_THAT(Read("Content-Length: 3\r\n\r\n{}", 5), ElementsAre("…"));
  EXPECT_THAT(Read("Content-Le", 5), ElementsAre("…"));
}

TEST(Framing, RefusesWhatIsNoHeader) {
  const auto fault = [](std::string_view bytes) { return Read(bytes, 7).back(); };
  EXPECT_THAT(fault("hello\r\n\r\n"), HasSubstr("Expected a field as \"Content-Length: 119\""));
  EXPECT_THAT(fault("A: 1\r\n\r\n"), HasSubstr("Expected Content-Length in a header"));
  for (const std::string_view length : {"", "x", "-1", "1.5", "0x10", "99999999999999999999"})
    EXPECT_THAT(fault("Content-Length: " + std::string(length) + "\r\n\r\n"),
                HasSubstr("Expected a number of bytes"))
        << length;
  EXPECT_THAT(fault("Content-Length: 1\r\nContent-Length: 2\r\n\r\n"),
              HasSubstr("Expected one Content-Length but found 1 and 2"));
  EXPECT_THAT(fault("Content-Length: 8388609\r\n\r\n"), HasSubstr("at most 8388608 bytes"));
  EXPECT_THAT(fault(std::string(kMaxHeaderBytes, 'a')), HasSubstr("a header of at most 4096"));
}

TEST(Framing, SaysTheSameOnceItIsLost) {
  Framing framing;
  framing.Feed("x\r\n\r\n" + Framed("{}"));
  const auto first = framing.Next();
  ASSERT_FALSE(first.has_value());
  const auto second = framing.Next();
  ASSERT_FALSE(second.has_value());
  EXPECT_EQ(first.error(), second.error());
}

// Good messages that are changed here and there: every one of them gives messages or a fault.
TEST(Framing, EndsWhateverTheBytesAre) {
  std::mt19937_64 random(20);
  const std::string good = Framed(R"({"seq":1,"type":"request","command":"threads"})") +
                           Framed(R"({"seq":2,"type":"request","command":"next"})");
  size_t faults = 0;
  for (int round = 0; round < 20'000; ++round) {
    std::string bytes = good;
    for (uint64_t change = random() % 4; change > 0; --change) {
      const size_t at = random() % bytes.size();
      switch (random() % 3) {
        case 0:
          bytes[at] = static_cast<char>(random());
          break;
        case 1:
          bytes.erase(at, random() % 8);
          break;
        default:
          bytes.insert(at, std::string(random() % 8, static_cast<char>(random())));
      }
    }
    for (const std::string& message : Read(bytes, 1 + random() % bytes.size())) {
      faults += message.starts_with("! ") ? 1 : 0;
      const auto request = ParseRequest(message);
      if (!request.has_value()) EXPECT_FALSE(request.error().message.empty());
    }
  }
  EXPECT_GT(faults, 1000u);
}

TEST(ParseRequest, TakesRequestsAlone) {
  const auto fault = [](std::string_view text) {
    const auto request = ParseRequest(text);
    return request.has_value() ? "" : request.error().message;
  };
  EXPECT_EQ(fault(R"({"seq":1,"type":"request","command":"next"})"), "");
  EXPECT_THAT(fault("{"), HasSubstr("Expected"));
  EXPECT_THAT(fault("[]"), HasSubstr("Expected a message to be an object but found array"));
  EXPECT_THAT(fault(R"({"type":"response"})"), HasSubstr("but found \"response\""));
  EXPECT_THAT(fault(R"({"type":"request","command":"next"})"), HasSubstr("Expected `seq`"));
  EXPECT_THAT(fault(R"({"type":"request","seq":1,"command":5})"),
              HasSubstr("Expected `command` to be a string but found integer"));
}

TEST(Fields, GiveWhatIsThereInItsKind) {
  const auto request =
      ParseRequest(R"({"seq":1,"type":"request","command":"x","arguments":{"n":1,"t":"a","b":true,)"
                   R"("o":{"n":2},"l":[{"n":3},4,"five"]}})");
  ASSERT_TRUE(request.has_value());
  const Fields& fields = request->arguments;
  EXPECT_EQ(fields.Integer("n"), Result<int64_t>(1));
  EXPECT_EQ(fields.Text("t"), Result<std::string>("a"));
  EXPECT_FALSE(fields.Integer("t").has_value());
  EXPECT_FALSE(fields.Text("absent").has_value());
  EXPECT_EQ(fields.IntegerOr("t", 7), 7);
  EXPECT_EQ(fields.TextOr("n", "no"), "no");
  EXPECT_TRUE(fields.BoolOr("b", false));
  EXPECT_EQ(fields.Inside("o").IntegerOr("n", 0), 2);
  EXPECT_EQ(fields.Inside("l").IntegerOr("n", 0), 0);
  ASSERT_EQ(fields.List("l").size(), 1u);
  EXPECT_THAT(fields.Texts("l"), ElementsAre("five"));
}

TEST(Outbox, NumbersWhatItSends) {
  std::vector<std::string> sent;
  Outbox outbox([&](std::string_view message) { sent.emplace_back(message); });
  outbox.Event("initialized");
  outbox.Respond({7, "next", Fields()}, Object());
  outbox.Respond({8, "x", Fields()}, Fail(ErrorCode::kUnsupported, "Expected y {z}"));
  ASSERT_EQ(sent.size(), 3u);
  EXPECT_EQ(sent[0], R"({"seq":1,"type":"event","event":"initialized"})");
  EXPECT_EQ(sent[1],
            R"({"seq":2,"type":"response","request_seq":7,"success":true,"command":"next"})");
  EXPECT_EQ(sent[2],
            R"({"seq":3,"type":"response","request_seq":8,"success":false,"command":"x",)"
            R"("message":"STL0004: Expected y {z}","body":{"error":{"id":4,"format":"{text}",)"
            R"("variables":{"text":"STL0004: Expected y {z}"},"showUser":true}}})");
}

}  // namespace
}  // namespace stele::cli::dap
