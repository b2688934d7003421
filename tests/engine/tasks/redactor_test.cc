#include "engine/tasks/redactor.h"

#include <gtest/gtest.h>

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

TEST(StreamRedactor, HoldsBackOnlyWhatMayBecomeASecret) {
  Redactor redactor({"secret"});
  StreamRedactor stream(redactor);
  EXPECT_EQ(stream.Push("this se"), "this ");
  EXPECT_EQ(stream.Push("en"), "seen");
}

TEST(Base64, PadsAsTheStandardSays) {
  EXPECT_EQ(Base64(""), "");
  EXPECT_EQ(Base64("f"), "Zg==");
  EXPECT_EQ(Base64("fo"), "Zm8=");
  EXPECT_EQ(Base64("foobar"), "Zm9vYmFy");
  EXPECT_EQ(Base64("\xff\xfe\xfd"), "//79");
}

}  // namespace
}  // namespace stele::tasks
