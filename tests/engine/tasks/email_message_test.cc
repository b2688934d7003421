#include "engine/tasks/email_message.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace stele::tasks {
namespace {

using testing::Each;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;
using testing::SizeIs;

EmailMessage Letter() {
  EmailMessage message;
  message.from = {"Ann", "ann@example.org"};
  message.to = {{"", "bob@example.org"}};
  message.subject = "Hello";
  message.text = "One line";
  message.message_id = "<1@example.org>";
  message.time = TimeUs(0);
  return message;
}

std::vector<std::string> Lines(const std::string& text) {
  std::vector<std::string> lines;
  for (size_t at = 0; at < text.size();) {
    size_t end = text.find("\r\n", at);
    EXPECT_NE(end, std::string::npos) << "a last line without its end";
    lines.push_back(text.substr(at, end - at));
    at = end + 2;
  }
  return lines;
}

std::string Unfolded(std::string text) {
  for (size_t at = 0; (at = text.find("\r\n ", at)) != std::string::npos;) text.erase(at, 2);
  return text;
}

TEST(EmailMessage, IsHeadersAndText) {
  EXPECT_EQ(BuildMessage(Letter()),
            "Date: Thu, 1 Jan 1970 00:00:00 +0000\r\n"
            "From: Ann <ann@example.org>\r\n"
            "To: bob@example.org\r\n"
            "Subject: Hello\r\n"
            "Message-ID: <1@example.org>\r\n"
            "MIME-Version: 1.0\r\n"
            "Content-Type: text/plain; charset=us-ascii\r\n"
            "Content-Transfer-Encoding: 7bit\r\n"
            "\r\n"
            "One line\r\n");
}

TEST(EmailMessage, NestsTextsInsideOfWhatHasAttachments) {
  EmailMessage message = Letter();
  message.html = "<p>";
  message.attachments = {{"f", "a/b", "xyz"}};
  EXPECT_THAT(BuildMessage(message),
              HasSubstr("Content-Type: multipart/mixed;\r\n boundary=\"=_stele_mixed\"\r\n\r\n"
                        "--=_stele_mixed\r\n"
                        "Content-Type: multipart/alternative;\r\n"
                        " boundary=\"=_stele_alternative\"\r\n\r\n"
                        "--=_stele_alternative\r\n"
                        "Content-Type: text/plain; charset=us-ascii\r\n"
                        "Content-Transfer-Encoding: 7bit\r\n\r\n"
                        "One line\r\n"
                        "--=_stele_alternative\r\n"
                        "Content-Type: text/html; charset=us-ascii\r\n"
                        "Content-Transfer-Encoding: 7bit\r\n\r\n"
                        "<p>\r\n"
                        "--=_stele_alternative--\r\n"
                        "--=_stele_mixed\r\n"
                        "Content-Type: a/b\r\n"
                        "Content-Disposition: attachment;\r\n filename=\"f\"\r\n"
                        "Content-Transfer-Encoding: base64\r\n\r\n"
                        "eHl6\r\n"
                        "--=_stele_mixed--\r\n"));
}

TEST(EmailMessage, EncodesATextThatHasABoundary) {
  EmailMessage message = Letter();
  message.html = "<p>";
  message.text = "--=_stele_alternative--\n";
  EXPECT_THAT(BuildMessage(message), HasSubstr("LS09X3N0ZWxlX2FsdGVybmF0aXZlLS0NCg==\r\n"));
}

TEST(EmailMessage, EndsEveryLineAsMailDoes) {
  EmailMessage message = Letter();
  message.text = "a\nb\r\nc\rd\n\n";
  EXPECT_TRUE(BuildMessage(message).ends_with("\r\n\r\na\r\nb\r\nc\r\nd\r\n\r\n"));
}

TEST(EmailMessage, HasNoLineThatIsTooLong) {
  EmailMessage message = Letter();
  message.text = std::string(5000, 'x');
  message.subject = std::string(5000, 'y');
  message.from.name = std::string(5000, 'z');
  message.headers = {{"X-Words", "word " + std::string(2000, 'w') + " word"}};
  message.attachments = {{std::string(250, '"'), "a/b", std::string(5000, '\0')}};
  for (const std::string& line : Lines(BuildMessage(message))) {
    EXPECT_LE(line.size(), 998U);
    for (unsigned char c : line) EXPECT_LT(c, 0x80);
  }
}

TEST(EmailMessage, NamesNobodyWhenAllRecipientsAreHidden) {
  EmailMessage message = Letter();
  message.to.clear();
  EXPECT_THAT(BuildMessage(message), HasSubstr("\r\nTo: undisclosed-recipients:;\r\n"));
}

TEST(TextHeader, FoldsAtBlanksAndLosesNothing) {
  std::string text;
  for (int i = 0; i < 40; ++i) text += std::string(static_cast<size_t>(i % 3 + 1), ' ') + "word";
  text = text.substr(1);
  std::string header = TextHeader("Subject", text);
  std::vector<std::string> lines = Lines(header);
  EXPECT_GT(lines.size(), 2U);
  for (const std::string& line : lines) {
    EXPECT_LE(line.size(), 80U);
    EXPECT_NE(line.find_first_not_of(' '), std::string::npos) << "a line of blanks";
  }
  EXPECT_EQ(Unfolded(header), "Subject: " + text + "\r\n");
}

TEST(TextHeader, EncodesWhatIsNotAsciiInWordsOfWholeCharacters) {
  EXPECT_EQ(TextHeader("Subject", "Größe"), "Subject: =?UTF-8?B?R3LDtsOfZQ==?=\r\n");
  // Characters of 3 and 2 bytes, from every offset: no word may begin inside of one.
  for (std::string text = "发é发é发é发é发é发é发é发é发é发é发é发é发é发é发é"; text.size() < 90;
       text.insert(0, "x")) {
    std::vector<std::string> lines = Lines(TextHeader("Subject", text));
    EXPECT_THAT(lines, SizeIs(testing::Ge(2U)));
    for (const std::string& line : lines) EXPECT_LE(line.size(), 76U);
    for (const std::string& line : lines) {
      size_t word = line.find("?B?") + 3;
      // In base64, a first byte of 10xxxxxx is one of "g" to "v".
      EXPECT_FALSE(line[word] >= 'g' && line[word] <= 'v') << line;
    }
  }
  std::string long_name(69, 'X');
  EXPECT_EQ(TextHeader(long_name, "é"), long_name + ":\r\n =?UTF-8?B?w6k=?=\r\n");
}

TEST(TextHeader, EncodesWhatWouldBeReadAsAnEncodedWord) {
  EXPECT_EQ(TextHeader("Subject", "=?x?="), "Subject: =?UTF-8?B?PT94Pz0=?=\r\n");
}

TEST(MailDate, IsInUniversalTime) {
  EXPECT_EQ(MailDate(TimeUs(1'795'244'856'999'999)), "Sat, 21 Nov 2026 07:07:36 +0000");
  EXPECT_EQ(MailDate(TimeUs(951'782'400'000'000)), "Tue, 29 Feb 2000 00:00:00 +0000");
}

std::vector<Mailbox> Parsed(std::string_view text) {
  Result<std::vector<Mailbox>> mailboxes = ParseMailboxes(text);
  EXPECT_TRUE(mailboxes.has_value()) << text;
  return mailboxes.value_or(std::vector<Mailbox>());
}

TEST(Mailboxes, AreReadFromAText) {
  EXPECT_THAT(Parsed("ann@x.org"), ElementsAre(Mailbox{"", "ann@x.org"}));
  EXPECT_THAT(Parsed(" Ann B. Lee < ann@x.org > "),
              ElementsAre(Mailbox{"Ann B. Lee", "ann@x.org"}));
  EXPECT_THAT(Parsed("\"Lee, \\\"Ann\\\"\" <ann@x.org>,b@y.org"),
              ElementsAre(Mailbox{"Lee, \"Ann\"", "ann@x.org"}, Mailbox{"", "b@y.org"}));
  EXPECT_THAT(Parsed("安 <ann@x.org>"), ElementsAre(Mailbox{"安", "ann@x.org"}));
}

TEST(Mailboxes, AreRefusedWhenAnyIsNone) {
  for (std::string_view text :
       {"", "ann", "@x.org", "ann@", "a@b@c", "ann@x.org,", "ann@x.org>", "ann x@y.org", "<>",
        "Ann <ann@x.org> Lee", "a@x.org\r\nBcc: b@y.org", "Ann\n <a@x.org>", "ann@müller.example",
        "a<b@x.org", "\"a@x.org"}) {
    EXPECT_FALSE(ParseMailboxes(text).has_value()) << text;
  }
}

}  // namespace
}  // namespace stele::tasks
