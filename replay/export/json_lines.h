// JSON Lines: an event a line, and what `import` needs to make the same log of them again.
// docs/export.md has the lines, docs/schemas/event.schema.json their schema.
//
//   {"export":"stele","format":1,…,"check":"…"}        the first line: what follows
//   {"position":1,"ordinal":0,…,"data":{…},"check":…}  an event
//   {"position":7,"purged":2,…}                        records that were cut out
//   {"end":{"records":…,"hash":…},"check":"…"}         the last line: what came before
//
// `check` is the beginning of the SHA-256 of the line before `,"check"`: a changed byte is told by
// the number of its line, whatever it is part of. What nobody can make up are the hashes of the
// chain: `hash` of a record, `block` of a block.
//
// Thread: any; a JsonLines one at a time.
#pragma once

#include <string>
#include <string_view>

#include "engine/model/codec.h"
#include "replay/export/record_format.h"

namespace stele::replay {

inline constexpr int kJsonLinesFormat = 1;
inline constexpr size_t kCheckDigits = 16;

// The first line.
struct ExportHead {
  ShardId shard;
  bool sealed = false;  // the log's payloads are: they stand here in clear
  // Why it is not the whole log as it was recorded, so that it cannot be imported; empty: it is.
  std::string partial;
};
void WriteHead(const ExportHead& head, std::string& out);

// The last line. `hash`: of the last block; null for what is no whole log.
void WriteEnd(const ExportCounts& counts, const eventstore::Hash* hash, std::string& out);

// Appends the check and the end of the line, which begins at `begin` and lacks both and its brace.
void EndLine(size_t begin, std::string& out);
// Whether the line has the check that belongs to it. `without`: the line without it. Otherwise what
// was expected, and what was found.
bool CheckLine(std::string_view line, std::string* without, std::string* expected,
               std::string* found);

class JsonLines final : public RecordFormat {
 public:
  // `whole`: with what an import needs. REQUIRES: then of each record its leaf is given.
  explicit JsonLines(bool whole) : whole_(whole) {}
  Result<uint64_t> Write(const ExportedRecord& record, std::string& out) override;
  void WritePurged(const PurgedRecords& purged, std::string& out) override;

 private:
  void WriteRecord(const ExportedRecord& record, size_t events, bool exact, std::string& out);

  const bool whole_;
  model::RecordEncoder encoder_;
  std::string frame_;
  std::string line_;
};

}  // namespace stele::replay
