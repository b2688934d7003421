// What may be written, what it means in one canonical text, and what is said about the rest.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <string>

#include "engine/triggers/cron.h"

namespace stele::triggers {
namespace {

using testing::HasSubstr;

std::string Canonical(std::string_view text) {
  const auto cron = Cron::Parse(text);
  return cron ? cron->ToText() : "refused: " + cron.error().message;
}

std::string Fault(std::string_view text) {
  const auto cron = Cron::Parse(text);
  if (cron) return "accepted as " + cron->ToText();
  EXPECT_EQ(cron.error().code, ErrorCode::kBadCron);
  return cron.error().message;
}

TEST(CronText, IsOneForAllSpellings) {
  EXPECT_EQ(Canonical("0 2 * * *"), "0 2 * * *");
  EXPECT_EQ(Canonical("  0\t2  * * * "), "0 2 * * *");
  EXPECT_EQ(Canonical("00 02 ? * ?"), "0 2 * * *");
  EXPECT_EQ(Canonical("*/1 0-23 * * *"), "* * * * *");
  EXPECT_EQ(Canonical("0,15,30,45 * * * *"), "*/15 * * * *");
  EXPECT_EQ(Canonical("5/15 * * * *"), "5/15 * * * *");
  EXPECT_EQ(Canonical("10-40/10 * * * *"), "10-40/10 * * * *");
  EXPECT_EQ(Canonical("5,1-3,2,9 * * * *"), "1-3,5,9 * * * *");
  EXPECT_EQ(Canonical("0 0 1 jan,MAR-May sun"), "0 0 1 1,3-5 0");
  EXPECT_EQ(Canonical("0 0 * * 7"), "0 0 * * 0");
  EXPECT_EQ(Canonical("0 0 * * FRI-SUN"), "0 0 * * 0,5,6");
  EXPECT_EQ(Canonical("0 0 * * 7-2"), "0 0 * * 0-2");
  EXPECT_EQ(Canonical("0 0 * * 1-7"), "0 0 * * 0-6");
}

TEST(CronText, LeavesOutSecondsThatAreZero) {
  EXPECT_EQ(Canonical("0 0 2 * * *"), "0 2 * * *");
  EXPECT_EQ(Canonical("30 0 2 * * *"), "30 0 2 * * *");
  EXPECT_EQ(Canonical("*/10 * * * * *"), "*/10 * * * * *");
}

TEST(CronText, KeepsWhetherADayFieldBeginsWithAStar) {
  EXPECT_EQ(Canonical("0 0 1-31 * MON"), "0 0 1-31 * 1");
  EXPECT_EQ(Canonical("0 0 */2 * MON"), "0 0 */2 * 1");
  EXPECT_EQ(Canonical("0 0 1/2 * MON"), "0 0 1/2 * 1");
  EXPECT_EQ(Canonical("0 0 */4,*/2 * *"), "0 0 */2 * *");
  EXPECT_EQ(Canonical("0 0 */15,7 * *"), "0 0 */15,7 * *");
}

TEST(CronText, KnowsTheSpecialDays) {
  EXPECT_EQ(Canonical("0 0 L * *"), "0 0 L * *");
  EXPECT_EQ(Canonical("0 0 l-3,lw,15w,3 * ?"), "0 0 3,15W,L-3,LW * *");
  EXPECT_EQ(Canonical("0 0 * * FRIL,mon#2,0#5"), "0 0 * * 0#5,1#2,5L");
  EXPECT_EQ(Canonical("0 0 * * 7L"), "0 0 * * 0L");
}

TEST(CronText, KnowsTheWords) {
  EXPECT_EQ(Canonical("@yearly"), "0 0 1 1 *");
  EXPECT_EQ(Canonical("@annually"), "0 0 1 1 *");
  EXPECT_EQ(Canonical("@Monthly"), "0 0 1 * *");
  EXPECT_EQ(Canonical("@weekly"), "0 0 * * 0");
  EXPECT_EQ(Canonical("@daily"), "0 0 * * *");
  EXPECT_EQ(Canonical("@midnight"), "0 0 * * *");
  EXPECT_EQ(Canonical(" @hourly "), "0 * * * *");
  EXPECT_EQ(Canonical("@every 90s"), "@every 1m30s");
  EXPECT_EQ(Canonical("@every 1h 30m"), "@every 1h30m");
  EXPECT_EQ(Canonical("@every 36h"), "@every 1d12h");
  EXPECT_EQ(Canonical("@every 1500ms"), "@every 1s500ms");
}

TEST(CronText, ReadsBackAsTheSameCron) {
  for (const std::string_view text :
       {"0 2 * * *", "*/7 1-5,9 L-2,15W,*/9 2,4 ?", "1-59/2 0/5 */3,2 FEB-APR,DEC MON#1,TUEL,3-5",
        "@every 1d2h3m4s5ms6us", "0-58/2,1 * 31 * *", "0 0 1 * */3", "59 59 23 31 12 SAT"}) {
    const auto cron = Cron::Parse(text);
    ASSERT_TRUE(cron.has_value()) << cron.error().message;
    const auto again = Cron::Parse(cron->ToText());
    ASSERT_TRUE(again.has_value()) << again.error().message;
    EXPECT_EQ(*again, *cron) << text << " as " << cron->ToText();
    EXPECT_EQ(again->ToText(), cron->ToText());
  }
}

TEST(CronText, SaysAtWhichColumnWhatWasExpectedAndFound) {
  EXPECT_EQ(Fault("0 24 * * *"),
            "Expected an hour from 0 to 23 at column 3 of the cron expression but found \"24\"");
  EXPECT_EQ(Fault("0,61 * * * *"),
            "Expected a minute from 0 to 59 at column 3 of the cron expression but found \"61\"");
  EXPECT_EQ(Fault("0 0 * Foo *"),
            "Expected a month (JAN to DEC, or a number) from 1 to 12 at column 7 of the cron "
            "expression but found \"Foo\"");
  EXPECT_EQ(Fault("0 0 * * 8"),
            "Expected a weekday (SUN to SAT, or a number) from 0 to 7 at column 9 of the cron "
            "expression but found \"8\"");
  EXPECT_EQ(Fault("5-2 * * * *"),
            "Expected a range that rises, so at least 5, at column 3 of the cron expression but "
            "found \"2\"");
  EXPECT_EQ(Fault("*/0 * * * *"),
            "Expected a step from 1 to 60 at column 3 of the cron expression but found \"0\"");
  EXPECT_EQ(Fault("*/90 * * * *"),
            "Expected a step from 1 to 60 at column 3 of the cron expression but found \"90\"");
  EXPECT_EQ(Fault("1, * * * *"),
            "Expected a minute from 0 to 59 at column 3 of the cron expression but found the end "
            "of the field");
  EXPECT_EQ(Fault("1,,2 * * * *"),
            "Expected a minute from 0 to 59 at column 3 of the cron expression but found \",\"");
  EXPECT_EQ(Fault("0 ? * * *"),
            "Expected an hour from 0 to 23 at column 3 of the cron expression but found \"?\"");
  EXPECT_EQ(Fault("1x * * * *"),
            "Expected a comma or the end of the field at column 2 of the cron expression but "
            "found \"x\"");
}

TEST(CronText, RefusesSpecialsThatCannotBe) {
  EXPECT_THAT(Fault("0 0 L-31 * *"), HasSubstr("column 7"));
  EXPECT_THAT(Fault("0 0 32W * *"), HasSubstr("from 1 to 31 at column 5"));
  EXPECT_THAT(Fault("0 0 * * MON#6"), HasSubstr("which one of the month from 1 to 5 at column 13"));
  EXPECT_THAT(Fault("0 0 * * L"), HasSubstr("Expected a weekday"));
  EXPECT_THAT(Fault("0 0 1-3W * *"), HasSubstr("column 8"));
  EXPECT_THAT(Fault("L * * * *"), HasSubstr("column 1"));
}

TEST(CronText, RefusesAWrongNumberOfFields) {
  EXPECT_THAT(Fault(""), HasSubstr("found none"));
  EXPECT_THAT(Fault("* * * *"), HasSubstr("5 fields"));
  EXPECT_THAT(Fault("0 0 2 * * * 2026"),
              HasSubstr("at column 13 of the cron expression but found 7"));
  EXPECT_THAT(Fault(std::string(300, '*')), HasSubstr("at most 256 bytes but found 300"));
}

TEST(CronText, RefusesWordsThatItDoesNotKnow) {
  EXPECT_THAT(Fault("@reboot"), HasSubstr("@hourly or @every at column 1"));
  EXPECT_THAT(Fault("@daily 5"), HasSubstr("Expected the end at column 8"));
  EXPECT_THAT(Fault("@every"), HasSubstr("column 7"));
  EXPECT_THAT(Fault("@every soon"),
              HasSubstr("at column 8 of the cron expression but found \"soon\""));
  EXPECT_THAT(Fault("@every 999ms"), HasSubstr("at least one second"));
}

TEST(CronText, RefusesWhatNoDayMatches) {
  EXPECT_EQ(
      Fault("0 0 30 2 *"),
      "Expected a cron expression with a day that comes but found \"0 0 30 2 *\", which no day "
      "of any year matches");
  EXPECT_THAT(Fault("0 0 31 4,6,9,11 *"), HasSubstr("no day of any year"));
  EXPECT_THAT(Fault("0 0 30W 2 *"), HasSubstr("no day of any year"));
  EXPECT_THAT(Fault("0 0 L-29 2 *"), HasSubstr("no day of any year"));
  EXPECT_THAT(Fault("0 0 */31 4 ?"), testing::StartsWith("accepted"));
  EXPECT_THAT(Fault("0 0 30 2 MON"), testing::StartsWith("accepted"));
  EXPECT_THAT(Fault("0 0 29 2 *"), testing::StartsWith("accepted"));
}

// Every expression in the page's table of examples is one.
TEST(CronText, IsAsThePageShows) {
  std::ifstream page(STELE_SOURCE_DIR "/docs/triggers.md");
  std::string line;
  bool in_table = false;
  int examples = 0;
  while (std::getline(page, line)) {
    if (line == "| expression | fires |") in_table = true;
    if (in_table && line.empty()) break;
    if (!in_table || !line.starts_with("| `")) continue;
    const std::string text = line.substr(3, line.find('`', 3) - 3);
    EXPECT_EQ(Canonical(text).find("refused"), std::string::npos) << Canonical(text);
    ++examples;
  }
  EXPECT_GE(examples, 8);
}

}  // namespace
}  // namespace stele::triggers
