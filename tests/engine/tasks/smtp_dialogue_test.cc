#include "engine/tasks/smtp_dialogue.h"

#include <gtest/gtest.h>

namespace stele::tasks {
namespace {

using State = SmtpDialogue::State;

TEST(SmtpDialogue, HandsAMailToEveryRecipient) {
  SmtpDialogue dialogue("a@x", {"b@x", "c@x"}, "H: v\r\n\r\ntext\r\n");
  EXPECT_EQ(dialogue.Begin(), "MAIL FROM:<a@x>\r\n");
  EXPECT_EQ(dialogue.Answer(250), "RCPT TO:<b@x>\r\n");
  EXPECT_EQ(dialogue.Answer(250), "RCPT TO:<c@x>\r\n");
  EXPECT_EQ(dialogue.Answer(251), "DATA\r\n");
  EXPECT_EQ(dialogue.Answer(354), "H: v\r\n\r\ntext\r\n.\r\n");
  EXPECT_EQ(dialogue.state(), State::kMessage);
  EXPECT_EQ(dialogue.Answer(250), "QUIT\r\n");
  EXPECT_EQ(dialogue.state(), State::kAccepted);
}

TEST(SmtpDialogue, EndsAtTheFirstRefusalWithoutTheMail) {
  for (int refused_at = 0; refused_at < 5; ++refused_at) {
    SmtpDialogue dialogue("a@x", {"b@x", "c@x"}, "text\r\n");
    dialogue.Begin();
    for (int i = 0; i < refused_at; ++i) dialogue.Answer(i == 3 ? 354 : 250);
    EXPECT_EQ(dialogue.Answer(550), "QUIT\r\n") << refused_at;
    EXPECT_EQ(dialogue.state(), State::kRefused);
  }
}

TEST(SmtpDialogue, SendsNoMailUnlessItIsAskedFor) {
  SmtpDialogue dialogue("a@x", {"b@x"}, "text\r\n");
  dialogue.Answer(250);
  dialogue.Answer(250);
  EXPECT_EQ(dialogue.Answer(250), "QUIT\r\n");
  EXPECT_EQ(dialogue.state(), State::kRefused);
}

TEST(SmtpDialogue, DoublesPointsAtTheBeginningOfLines) {
  SmtpDialogue dialogue("a@x", {"b@x"}, ".\r\n..\r\na.b\r\n.c\r\n");
  dialogue.Answer(250);
  dialogue.Answer(250);
  EXPECT_EQ(dialogue.Answer(354), "..\r\n...\r\na.b\r\n..c\r\n.\r\n");
}

TEST(SmtpReplyReader, PutsRepliesTogetherHoweverTheyCome) {
  std::string bytes = "250-first\r\n250 second\r\n354\r\n550 5.1.1 no\n";
  for (size_t piece = 1; piece <= bytes.size(); ++piece) {
    SmtpReplyReader reader;
    std::string seen;
    for (size_t at = 0; at < bytes.size(); at += piece) {
      reader.Push(bytes.substr(at, piece));
      while (auto reply = reader.Next())
        seen += std::to_string(reply->code) + "|" + reply->text + ";";
    }
    EXPECT_EQ(seen, "250|250-first\n250 second;354|354;550|550 5.1.1 no;") << piece;
    EXPECT_FALSE(reader.broken());
  }
}

TEST(SmtpReplyReader, GivesUpOnWhatIsNoSmtp) {
  for (const std::string& bytes :
       {std::string("HTTP/1.1 400 Bad Request\r\n"), std::string("\r\n"), std::string("25\r\n"),
        std::string("999 x\r\n"), std::string(10'000, '2'),
        "250 " + std::string(10'000, 'x') + "\r\n"}) {
    SmtpReplyReader reader;
    reader.Push(bytes);
    EXPECT_FALSE(reader.Next().has_value());
    EXPECT_TRUE(reader.broken()) << bytes.substr(0, 10);
  }
}

TEST(SmtpReplyReader, KeepsTheBeginningOfALongReply) {
  SmtpReplyReader reader;
  for (int i = 0; i < 10'000; ++i) {
    reader.Push("250-a line of an endless reply\r\n");
    EXPECT_FALSE(reader.Next().has_value());
  }
  reader.Push("250 its end\r\n");
  auto reply = reader.Next();
  ASSERT_TRUE(reply.has_value());
  EXPECT_LT(reply->text.size(), 5'000U);
}

TEST(SmtpReplyReader, DoesNotCutALineThatItKeeps) {
  SmtpReplyReader reader;
  reader.Push("250-" + std::string(1500, 'a') + "\r\n250 " + std::string(1500, 'b') + "\r\n");
  auto reply = reader.Next();
  ASSERT_TRUE(reply.has_value());
  EXPECT_TRUE(reply->text.ends_with(std::string(1500, 'b'))) << "a secret may lie on the cut";
}

}  // namespace
}  // namespace stele::tasks
