// JSON Lines (json_lines.h) become the log again that they are of: the same records at the same
// positions, with the same hashes and the same chain. What is changed, missing, added or moved is
// refused with the number of the line, what was expected and what was found.
//
// Thread: one at a time. Its memory is that of a block.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "engine/model/codec.h"
#include "eventstore/hash.h"
#include "eventstore/log_import.h"
#include "eventstore/record_tree.h"
#include "replay/export/json_scan.h"
#include "replay/export/record_format.h"

namespace stele::replay {

struct ImportReport {
  ExportCounts counts;
  eventstore::Hash exported{};  // of the last block, as the export has it
  eventstore::Hash imported{};  // and as it is now: another one when payloads are sealed anew
};

class JsonLinesImport {
 public:
  // The log that it is built into. `seals`: payloads are sealed there. REQUIRES: it is open.
  // Outlives this.
  JsonLinesImport(eventstore::LogImport& log, bool seals) : log_(log), seals_(seals) {}

  // The next line, without its end. kBackupDamaged: it is not what an export wrote there;
  // kUnsupported: no import can make a log of the export, kMasterKey: not without a key.
  Status Take(std::string_view line);
  // There are no more lines. REQUIRES: all of them were taken.
  Result<ImportReport> Finish();

 private:
  using Members = std::vector<JsonMember>;

  Status TakeHead();
  Status TakeEvent();
  Status TakeEnd();
  Status BeginRecord();
  Status CheckGoesOn();
  Status EndRecord();
  Status EndBlock();
  Status AddRecord(std::string_view body);
  Status CheckEvents(std::string_view body) const;

  // The line's member; empty: it has none.
  std::string_view Member(std::string_view key) const;
  Status TakeNumber(std::string_view key, uint64_t* number) const;
  Status TakeHash(std::string_view literal, eventstore::Hash* hash) const;
  std::unexpected<Error> Wrong(const std::string& expected, const std::string& found,
                               ErrorCode code = ErrorCode::kBackupDamaged) const;

  eventstore::LogImport& log_;
  const bool seals_;
  uint64_t line_ = 0;
  std::string text_;
  Members members_;
  bool begun_ = false, ended_ = false, sealed_ = false;
  ImportReport report_;

  // The record whose lines come.
  uint64_t awaited_ = 0;  // of its events; 0: none is under way
  std::string first_;     // what its first line says of all its lines
  std::string actor_, source_, body_;
  eventstore::RecordHeader header_;
  eventstore::Hash leaf_{}, clear_{}, block_hash_{};
  bool has_body_ = false, ends_block_ = false;
  std::vector<model::Event> events_;
  std::vector<std::string> data_;  // as the lines have it; of records with a body

  // The block that they belong to.
  eventstore::LogTail tail_;  // of the exported chain
  eventstore::Batch batch_;
  std::vector<eventstore::Hash> leaves_;
  model::RecordEncoder encoder_;
};

}  // namespace stele::replay
