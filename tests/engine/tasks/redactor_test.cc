#include "engine/tasks/redactor.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "base/base64.h"
#include "base/json.h"
#include "task_harness.h"

namespace stele::tasks {
namespace {

TEST(Redactor, ReplacesEachOccurrenceAndTheLongestSecretFirst) {
  Redactor redactor({"key", "key-and-more"});
  EXPECT_EQ(redactor.Text("key, key-and-more, monkey"), "***, ***, mon***");
}

TEST(Redactor, FindsTheFormsThatASecretTakesOnItsWay) {
  Redactor redactor({"a b\"c/d\n"});
  EXPECT_EQ(redactor.Text("plain a b\"c/d."), "plain ***.");
  EXPECT_EQ(redactor.Text(R"({"x":"a b\"c/d"})"), R"({"x":"***"})");
  EXPECT_EQ(redactor.Text("q=a%20b%22c%2Fd&"), "q=***&");
  EXPECT_EQ(redactor.Text("Basic " + Base64("a b\"c/d")), "Basic ***");
}

TEST(Redactor, FindsBase64WhereverTheSecretStandsInTheEncodedText) {
  const std::string secret = "s3cr3t-?>value~";
  const Redactor redactor({secret});
  for (const std::string before : {"", "u", "us", "use", "user:"}) {
    for (const std::string after : {"", "x", "xy", "xyz"}) {
      const std::string shown = redactor.Text("[" + Base64(before + secret + after) + "]");
      EXPECT_NE(shown.find("***"), std::string::npos) << before << "," << after;
      // What is left of it: at most a character on each side.
      EXPECT_LE(shown.size(), 2 + 3 + (before.size() + after.size() + 4) / 3 * 4 + 4) << shown;
    }
  }
}

TEST(Redactor, FindsBase64OfTheOtherAlphabetAndInLines) {
  const std::string secret(90, '?');
  const Redactor redactor({secret});
  std::string encoded = Base64("ab" + secret);
  std::string other = encoded;
  std::ranges::replace(other, '/', '_');
  EXPECT_EQ(redactor.Text(other).find("Pz8_Pz8_"), std::string::npos);
  encoded.insert(76, "\n");
  encoded.insert(40, "\r\n");
  EXPECT_EQ(redactor.Text(encoded).find("Pz8/"), std::string::npos);
}

TEST(Redactor, FindsHexadecimalInEitherCaseAndInLines) {
  const Redactor redactor({"JKLMNO"});
  EXPECT_EQ(redactor.Text("4a4b4c4d4e4f 4A4B4C4D4E4F 4a4b4c\n4d4e4f."), "*** *** ***.");
  EXPECT_EQ(redactor.Text("4a4b4c\n\n4d4e4f."), "4a4b4c\n\n4d4e4f.");
}

TEST(Redactor, FindsTheEncodingsOfUrlsAndForms) {
  const Redactor redactor({"a b/ü(1)"});
  for (const char* form : {"a%20b%2F%C3%BC%281%29", "a%20b%2f%c3%bc%281%29", "a%20b%2F%C3%BC(1)",
                           "a+b%2F%C3%BC%281%29", "a%20b/%C3%BC%281%29"})
    EXPECT_EQ(redactor.Text(form), "***") << form;
}

TEST(Redactor, FindsTheEscapesOfOtherJsonWriters) {
  const Redactor redactor({"a/ü\"\xF0\x9F\x98\x80"});
  for (const char* form :
       {R"(a\/ü\"😀)", R"(a/\u00fc\"\ud83d\ude00)", R"(a\/\u00fc\"\ud83d\ude00)"})
    EXPECT_EQ(redactor.Text(form), "***") << form;
}

TEST(Redactor, LeavesWhatOnlyResemblesASecretAlone) {
  const Redactor redactor({"secret-value"});
  for (const std::string text :
       {"secret-valu", "c2VjcmV0", "7365637265742d76616c75", "secret value"})
    EXPECT_EQ(redactor.Text(text), text);
}

TEST(Redactor, PassesOverEmptyAndBlankSecrets) {
  Redactor redactor({"", " \n"});
  EXPECT_TRUE(redactor.empty());
  EXPECT_EQ(redactor.Text("as it was"), "as it was");
}

TEST(Redactor, ReachesNamesNestedTextsAndWholeNumbers) {
  Redactor redactor({"1234", "abc"});
  Value clean = redactor.Redact(Json(R"({"xabc":[{"y":"-abc-"},1234,12345,true,null]})"));
  EXPECT_EQ(ToJson(clean), R"({"x***":[{"y":"-***-"},"***",12345,true,null]})");
}

TEST(StreamRedactor, FindsASecretThatIsSplitAnywhere) {
  Redactor redactor({"secret"});
  const std::string text = "a secret, a secre";
  for (size_t split = 0; split <= text.size(); ++split) {
    StreamRedactor stream(redactor);
    std::string shown = stream.Push(text.substr(0, split));
    shown += stream.Push(text.substr(split));
    shown += stream.Finish();
    EXPECT_EQ(shown, "a ***, a secre") << "split at " << split;
  }
}

TEST(StreamRedactor, FindsAnEncodedSecretThatIsSplitAnywhere) {
  const Redactor redactor({"a long secret"});
  const std::string text = "x " + Base64("user:a long secret") + " y";
  const std::string expected = redactor.Text(text);
  ASSERT_NE(expected, text);
  for (size_t split = 0; split <= text.size(); ++split) {
    StreamRedactor stream(redactor);
    std::string shown = stream.Push(text.substr(0, split));
    shown += stream.Push(text.substr(split));
    shown += stream.Finish();
    EXPECT_EQ(shown, expected) << "split at " << split;
  }
}

TEST(StreamRedactor, HoldsBackOnlyWhatMayBecomeASecret) {
  Redactor redactor({"secret"});
  StreamRedactor stream(redactor);
  EXPECT_EQ(stream.Push("this se"), "this ");
  EXPECT_EQ(stream.Push("en"), "seen");
}

TEST(Redactor, FindsTheEscapesOfPagesAndOfUpperCaseDigits) {
  const Redactor redactor({"<a>&/ü\xF0\x9F\x98\x80"});
  for (const char* form :
       {R"(\u003ca\u003e\u0026/ü😀)", R"(\u003Ca\u003E\u0026/\u00FC\uD83D\uDE00)",
        R"(\u003ca\u003e\u0026/\u00fc\ud83d\ude00)", R"(<a>&\/\u00FC\uD83D\uDE00)"})
    EXPECT_EQ(redactor.Text(form), "***") << form;
}

TEST(Redactor, KeepsOneOfTheMembersWhoseNamesBecomeTheSame) {
  const Redactor redactor({"hunter2!", "swordfish"});
  EXPECT_EQ(ToJson(redactor.Redact(Json(R"({"hunter2!":1,"b":2,"swordfish":3})"))),
            R"({"***":3,"b":2})");
}

// Comparing each with each would take minutes.
TEST(Redactor, TakesObjectsOfManyMembers) {
  std::vector<Member> members;
  for (int i = 0; i < 500'000; ++i) members.push_back({std::to_string(i), "hunter2!"});
  const Value shown = Redactor({"hunter2!"}).Redact(Object::Of(std::move(members)));
  ASSERT_EQ(shown.as_object().size(), 500'000u);
  EXPECT_EQ(std::prev(shown.as_object().end())->key, "499999");
  EXPECT_EQ(std::prev(shown.as_object().end())->value, Value("***"));
}

TEST(Excerpt, MasksBeforeItCuts) {
  const Redactor redactor({"hunter2!"});
  EXPECT_EQ(Excerpt(redactor, "it is hunter2! indeed", 10), "it is *** ");
  EXPECT_EQ(Excerpt(redactor, "short", 10), "short");
}

}  // namespace
}  // namespace stele::tasks
