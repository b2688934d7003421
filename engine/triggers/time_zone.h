// Zones: from UTC to a clock on a wall and back, by the system's zone files (/usr/share/zoneinfo,
// through Howard Hinnant's date library) or by a fixed offset. Nothing is ever downloaded; whoever
// updates the package `tzdata` and starts the program again gets the new rules.
//
// A TimeZone is a small value; copies share what was read. It may be used from several threads.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "base/error.h"

namespace stele::triggers {

class TimeZone {
 public:
  // A time during which the offset from UTC stays the same; neighbours differ in their offset.
  // Seconds since 1970-01-01T00:00:00Z. The first one begins at INT64_MIN, the last one ends at
  // INT64_MAX.
  struct Period {
    int64_t begin_s;
    int64_t end_s;  // exclusive
    int32_t offset_s;
    bool operator==(const Period&) const = default;
  };

  // UTC.
  TimeZone();
  // A name of the IANA database ("Europe/Berlin"), "UTC", "Z", or an offset "+08:00", "-0330",
  // "UTC+8". Fails with kBadTimeZone.
  static Result<TimeZone> Find(std::string_view name);

  // The period that holds `utc_s`.
  Period At(int64_t utc_s) const;
  // The moment at which a clock of the zone shows `local_s`: the first of two, and the first moment
  // after a gap for a time that does not exist.
  int64_t ToUtc(int64_t local_s) const;
  // As an offset is written in full: "+08:00"; otherwise the name that Find was given.
  const std::string& name() const { return name_; }

 private:
  struct Rules;  // what the zone's file says; null for a fixed offset
  static std::shared_ptr<const Rules> ReadRules(const std::string& name);

  std::string name_;
  int32_t fixed_offset_s_ = 0;
  std::shared_ptr<const Rules> rules_;
};

}  // namespace stele::triggers
