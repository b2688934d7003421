// Who did what: pages of deeds out of the log, for auditors. Of every definition: what one of them
// hides from others is told here, too.
//
// Thread: the loop's; the log is read on threads of its own.
#pragma once

#include <string>
#include <vector>

#include "replay/audit/deed_reader.h"
#include "server/operations/desk.h"

namespace stele::server {

struct DeedPage {
  std::vector<replay::Deed> deeds;
  std::string next;   // where the next one begins; empty: there is no more
  Position position;  // the last record that was looked at
};

// At most `limit` deeds from where a page before has ended; empty: from the begin. One that has
// looked at kMaxDeedRecords ends there, perhaps without any; so does one with kMaxDeedPageBytes.
// kInvalidInput: there was no such page.
Promised<DeedPage> ReadDeeds(Desk& desk, const Caller& caller, replay::DeedFilter filter,
                             const std::string& from, size_t limit);

// What somebody asks for by words. kInvalidInput: a kind that there is none of.
Result<std::vector<replay::DeedKind>> DeedKindsOf(const std::vector<std::string>& names);

}  // namespace stele::server
