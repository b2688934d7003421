// A log's export as lines, and lines imported, for tests.
#pragma once

#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <vector>

#include "engine/model/codec.h"
#include "engine/model/payload_spans.h"
#include "eventstore/block_sealer.h"
#include "eventstore/for_each_record.h"
#include "eventstore/log_import.h"
#include "eventstore/memory_store.h"
#include "replay/export/import.h"
#include "replay/export/json_lines.h"
#include "replay/export/log_walk.h"
#include "tests/eventstore/records.h"

namespace stele::replay {

inline constexpr ShardId kShard{0};

struct ExportOptions {
  Position from{1};
  Position end;  // 0: that of the log
  bool payloads = true;
  unsigned threads = 2;
  bool whole = true;
};

inline std::vector<std::string> LinesOf(std::string_view text) {
  std::vector<std::string> lines;
  while (!text.empty()) {
    const size_t end = text.find('\n');
    lines.emplace_back(text.substr(0, end));
    text.remove_prefix(end == text.npos ? text.size() : end + 1);
  }
  return lines;
}

// What a format makes of the log.
inline Result<std::string> TextOf(const eventstore::EventStore& store,
                                  std::function<std::unique_ptr<RecordFormat>()> make,
                                  const ExportOptions& options, ExportCounts* counts = nullptr) {
  const StoreSource source(store, kShard);
  const auto registry = ReadRegistry(source);
  if (!registry.has_value()) return std::unexpected(registry.error());
  InstanceDefinitions definitions(source, *registry, /*remembered=*/2);
  std::string text;
  const auto written = WalkLog(store, definitions,
                               {.shard = kShard,
                                .from = options.from,
                                .end = options.end ? options.end : store.NextPosition(kShard),
                                .payloads = options.payloads,
                                .threads = options.threads,
                                .make_format = std::move(make),
                                .progress = nullptr},
                               [&](std::string_view piece) -> Status {
                                 text += piece;
                                 return {};
                               });
  if (!written.has_value()) return std::unexpected(written.error());
  if (counts != nullptr) *counts = *written;
  return text;
}

// JSON Lines, with their first and last line.
inline Result<std::vector<std::string>> ExportLines(const eventstore::EventStore& store,
                                                    const ExportOptions& options = {}) {
  ExportCounts counts;
  const auto make = [&] { return std::make_unique<JsonLines>(options.whole); };
  auto body = TextOf(store, make, options, &counts);
  if (!body.has_value()) return std::unexpected(body.error());
  std::string text;
  WriteHead({.shard = kShard,
             .sealed = store.payload_keys() != nullptr,
             .partial = options.whole ? "" : "--since"},
            text);
  text += *body;
  const eventstore::LogTail tail = store.Tail(kShard);
  WriteEnd(counts, &tail.hash, text);
  return LinesOf(text);
}

// Chains blocks, and keeps none.
class UnkeptLog final : public eventstore::LogImport {
 public:
  std::string directory() const override { return {}; }
  Status Open(ShardId, const eventstore::RocksDbOptions&) override { return {}; }
  Result<eventstore::LogTail> Add(const eventstore::Batch& batch) override {
    STELE_RETURN_IF_ERROR(sealer_.Seal(kShard, tail_, batch, &block_));
    return tail_ = block_.after;
  }
  Result<eventstore::ChainReport> Finish() override { return eventstore::ChainReport{}; }
  const eventstore::LogTail& tail() const { return tail_; }

 private:
  eventstore::BlockSealer sealer_;
  eventstore::SealedBlock block_;
  eventstore::LogTail tail_;
};

// What is wrong with the lines; nothing when all are as they were written.
inline std::optional<Error> FaultOf(const std::vector<std::string>& lines, UnkeptLog& log) {
  JsonLinesImport import(log, /*seals=*/false);
  for (const std::string& line : lines)
    if (const Status taken = import.Take(line); !taken.has_value()) return taken.error();
  const auto report = import.Finish();
  return report.has_value() ? std::nullopt : std::optional(report.error());
}
inline std::optional<Error> FaultOf(const std::vector<std::string>& lines) {
  UnkeptLog log;
  return FaultOf(lines, log);
}

// Makes a data directory of lines; nothing of it is left when they are refused.
inline Result<ImportReport> ImportLines(const std::vector<std::string>& lines,
                                        const std::string& target,
                                        const eventstore::RocksDbOptions& options = {}) {
  auto log = eventstore::LogImport::Begin(target);
  if (!log.has_value()) return std::unexpected(log.error());
  STELE_RETURN_IF_ERROR((*log)->Open(kShard, options));
  JsonLinesImport import(**log, options.master_key.has_value());
  for (const std::string& line : lines) STELE_RETURN_IF_ERROR(import.Take(line));
  auto report = import.Finish();
  if (!report.has_value()) return report;
  const auto chain = (*log)->Finish();
  if (!chain.has_value()) return std::unexpected(chain.error());
  return report;
}

// The line with the check that belongs to its text: what somebody would write who changes it.
inline std::string WithItsCheck(const std::string& line) {
  std::string forged = line.substr(0, line.rfind(",\"check\":"));
  EndLine(0, forged);
  forged.pop_back();
  return forged;
}

// What a record is, to compare it.
inline std::vector<std::string> FramesOf(const eventstore::EventStore& store) {
  std::vector<std::string> frames;
  const Status read = eventstore::ForEachRecord(
      store.Read(kShard, Position(1)), [&](const eventstore::RecordView& record) -> Status {
        std::string& frame = frames.emplace_back();
        eventstore::AppendFrame(record.header, record.body, &frame);
        return {};
      });
  EXPECT_TRUE(read.has_value()) << read.error().message;
  return frames;
}

}  // namespace stele::replay
