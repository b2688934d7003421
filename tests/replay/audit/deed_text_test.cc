#include "replay/audit/deed_text.h"

#include <gtest/gtest.h>

#include "base/json.h"

namespace stele::replay {
namespace {

Deed Cancelling() {
  return {.position = Position(128),
          .seq = Seq(17),
          .instance = InstanceId(42),
          .time = TimeUs(1'772'368'205'250'000),
          .actor = "anna",
          .source = "rest 10.0.0.7",
          .kind = DeedKind::kOperate,
          .action = "cancel",
          .definition = "pay",
          .target = "with compensation",
          .reason = "withdrawn",
          .outcome = "cancelled"};
}

std::string LineWith(const std::string& reason) {
  Deed deed = Cancelling();
  deed.reason = reason;
  const std::string line = CsvLine(deed);
  const size_t from = line.find("with compensation,") + 18;
  return line.substr(from, line.rfind(",cancelled") - from);
}

TEST(DeedAsCsv, HasAFieldForEachColumn) {
  EXPECT_EQ(CsvHead(),
            "time,position,seq,instance,definition,kind,action,actor,source,target,reason,"
            "outcome\r\n");
  EXPECT_EQ(CsvLine(Cancelling()),
            "2026-03-01T12:30:05.250000Z,128,17,42,pay,operate,cancel,anna,rest 10.0.0.7,"
            "with compensation,withdrawn,cancelled\r\n");
}

TEST(DeedAsCsv, HasNothingWhereThereIsNothing) {
  EXPECT_EQ(CsvLine({.position = Position(2), .seq = Seq(1), .time = TimeUs(0)}),
            "1970-01-01T00:00:00.000000Z,2,1,,,engine,,,,,,\r\n");
}

TEST(DeedAsCsv, QuotesWhatWouldEndAField) {
  EXPECT_EQ(LineWith("a, b"), "\"a, b\"");
  EXPECT_EQ(LineWith("he said \"no\""), "\"he said \"\"no\"\"\"");
  EXPECT_EQ(LineWith("one\ntwo"), "\"one\ntwo\"");
  EXPECT_EQ(LineWith("plain"), "plain");
}

TEST(DeedAsCsv, IsNoFormulaForASpreadsheet) {
  for (const char* text : {"=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\uFF1D1+1", "\uFF0B1",
                           "\uFF0D1", "\uFF20SUM(A1)"})
    EXPECT_TRUE(LineWith(text).starts_with("\"'")) << text;
  EXPECT_EQ(LineWith("=HYPERLINK(\"http://x\")"), "\"'=HYPERLINK(\"\"http://x\"\")\"");
  EXPECT_EQ(LineWith("1=1"), "1=1");
  EXPECT_EQ(LineWith("\uFF11"), "\uFF11");
}

TEST(DeedAsJson, IsReadAgain) {
  for (Deed deed : {Cancelling(), Deed{.kind = DeedKind::kDenied, .outcome = "denied"}}) {
    const auto again = ParseDeed(ToJson(deed));
    ASSERT_TRUE(again.has_value()) << again.error().message;
    EXPECT_EQ(CsvLine(*again), CsvLine(deed));
  }
  EXPECT_EQ(ParseDeed(Object{{"kind", "nothing"}}).error().code, ErrorCode::kInvalidInput);
  EXPECT_EQ(ParseDeed(Value("text")).error().code, ErrorCode::kInvalidInput);
}

TEST(DeedAsJson, LeavesOutWhatSaysNothing) {
  Deed deed = Cancelling();
  deed.instance = InstanceId();
  deed.reason.clear();
  const Object shown = ToJson(deed);
  EXPECT_EQ(shown.Find("instance"), nullptr);
  EXPECT_EQ(shown.Find("reason"), nullptr);
  EXPECT_EQ(shown.Find("erased"), nullptr);
  EXPECT_EQ(shown.Find("action")->as_string(), "cancel");
}

TEST(DeedKinds, HaveNamesThatAreFoundAgain) {
  for (const DeedKind kind : {DeedKind::kStart, DeedKind::kRemoval, DeedKind::kEngine})
    EXPECT_EQ(FindDeedKind(DeedKindName(kind)), kind);
  EXPECT_EQ(FindDeedKind("nothing"), std::nullopt);
  EXPECT_TRUE(DeedKindNames().starts_with("start, operate, "));
}

}  // namespace
}  // namespace stele::replay
