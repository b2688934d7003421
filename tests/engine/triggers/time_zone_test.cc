// Zones: names and offsets, and that offsets agree with the C library over two centuries.
#include "engine/triggers/time_zone.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <ctime>

#include "engine/triggers/posix_rule.h"

namespace stele::triggers {
namespace {

constexpr int64_t kSummer2026 = 1782864000;  // 2026-07-01T00:00:00Z

TEST(TimeZone, ReadsOffsets) {
  const auto offset = [](std::string_view name) {
    const auto zone = TimeZone::Find(name);
    return zone ? zone->name() + " " + std::to_string(zone->At(0).offset_s) : "refused";
  };
  EXPECT_EQ(offset("+08:00"), "+08:00 28800");
  EXPECT_EQ(offset("-0330"), "-03:30 -12600");
  EXPECT_EQ(offset("+8"), "+08:00 28800");
  EXPECT_EQ(offset("UTC+8"), "+08:00 28800");
  EXPECT_EQ(offset("GMT-03:30"), "-03:30 -12600");
  EXPECT_EQ(offset("Z"), "UTC 0");
  EXPECT_EQ(offset("UTC"), "UTC 0");
  EXPECT_EQ(offset("+00:00"), "UTC 0");
  EXPECT_EQ(offset("+18:00"), "+18:00 64800");
  for (const std::string_view bad :
       {"+18:01", "+8:5", "+:30", "+08:60", "+12345", "+", "8", "+0x", "UTC+", ""})
    EXPECT_EQ(offset(bad), "refused") << bad;
}

TEST(TimeZone, SaysWhatItExpects) {
  for (const std::string name :
       {"Europe/Atlantis", "../../etc/passwd", "/etc/passwd", "tzdata.zi"}) {
    const auto zone = TimeZone::Find(name);
    ASSERT_FALSE(zone.has_value()) << name;
    EXPECT_EQ(zone.error().code, ErrorCode::kBadTimeZone);
    EXPECT_EQ(
        zone.error().message,
        "Expected a time zone like \"Europe/Berlin\" or \"+08:00\" but found \"" + name + "\"");
  }
}

TEST(TimeZone, KnowsWhenAnOffsetHolds) {
  const auto zone = TimeZone::Find("Europe/Berlin");
  ASSERT_TRUE(zone.has_value());
  EXPECT_EQ(zone->At(kSummer2026), (TimeZone::Period{1774746000, 1792890000, 7200}));
  // 2045-03-26T01:00:00Z to 2045-10-29T01:00:00Z: by the rule, not by the list.
  EXPECT_EQ(zone->At(2382480000), (TimeZone::Period{2374102800, 2392851600, 7200}));
}

TEST(TimeZone, JoinsPeriodsOfOneOffset) {
  for (const char* name : {"Europe/Berlin", "Europe/Lisbon", "Asia/Kathmandu", "America/Anchorage",
                           "Africa/Casablanca", "Asia/Shanghai", "Antarctica/Troll"}) {
    const TimeZone zone = *TimeZone::Find(name);
    TimeZone::Period period = zone.At(-4'000'000'000);
    EXPECT_EQ(period.begin_s, INT64_MIN) << name;
    for (int i = 0; i < 500 && period.end_s != INT64_MAX; ++i) {
      const TimeZone::Period next = zone.At(period.end_s);
      ASSERT_EQ(next.begin_s, period.end_s) << name;
      ASSERT_NE(next.offset_s, period.offset_s) << name << " at " << period.end_s;
      ASSERT_EQ(zone.At(next.begin_s - 1), period) << name;
      period = next;
    }
  }
}

// The C library reads the same files with code of its own, the rule at their end included.
TEST(TimeZone, AgreesWithTheCLibrary) {
  for (const char* name :
       {"Europe/Berlin", "Europe/Dublin", "America/New_York", "America/Nuuk", "America/Santiago",
        "Australia/Lord_Howe", "Asia/Kathmandu", "Africa/Casablanca", "Pacific/Apia",
        "America/Sao_Paulo", "Asia/Shanghai", "Africa/Cairo", "Antarctica/Troll", "Asia/Gaza",
        "Pacific/Auckland", "US/Eastern", "Etc/GMT+5", "EST5EDT"}) {
    const auto zone = TimeZone::Find(name);
    ASSERT_TRUE(zone.has_value()) << name;
    setenv("TZ", (std::string(":") + name).c_str(), 1);
    tzset();
    // 1900 to 2120, every 21 hours or so.
    for (int64_t at = -2'208'988'800; at < 4'733'510'400; at += 75'391) {
      const time_t moment = at;
      tm shown{};
      localtime_r(&moment, &shown);
      ASSERT_EQ(zone->At(at).offset_s, shown.tm_gmtoff) << name << " at " << at;
    }
  }
}

TEST(PosixRule, ReadsTheThreeKindsOfDays) {
  const auto weekday = PosixRule::Parse("<-02>2<-01>,M3.5.0/-1,M10.5.0/0");
  ASSERT_TRUE(weekday.has_value());
  EXPECT_EQ(weekday->standard_offset_s(), -7200);
  // 60 is 1 March in every year for J60, and 1 March or 29 February for 60 counted from zero.
  const auto julian = PosixRule::Parse("AAA0BBB,J60/0,J300/0");
  ASSERT_TRUE(julian.has_value());
  EXPECT_EQ(julian->ChangesOf(2024)[0].at_s, 1709251200);  // 2024-03-01
  const auto from_zero = PosixRule::Parse("AAA0BBB,59/0,300/0");
  ASSERT_TRUE(from_zero.has_value());
  EXPECT_EQ(from_zero->ChangesOf(2024)[0].at_s, 1709164800);  // 2024-02-29
  EXPECT_EQ(from_zero->ChangesOf(2023)[0].at_s, 1677628800);  // 2023-03-01
  EXPECT_TRUE(PosixRule::Parse("CST-8")->ChangesOf(2026).empty());
}

TEST(PosixRule, RefusesWhatIsNone) {
  for (const std::string_view bad :
       {"", "C", "CET", "CET-1CEST", "CET-1CEST,M3.5.0", "CET-1CEST,M3.6.0,M10.5.0",
        "CET-1CEST,M13.5.0,M10.5.0", "CET-1CEST,M3.5.0,M10.5.0x", "<CET-1", "CET-1CEST,J0,J5",
        "12"})
    EXPECT_FALSE(PosixRule::Parse(bad).has_value()) << bad;
}

}  // namespace
}  // namespace stele::triggers
