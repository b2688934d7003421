#include "projections/scratch_view.h"

#include <fmt/format.h>

#include <filesystem>
#include <string>
#include <vector>

#include "projections/feed.h"
#include "projections/limits.h"
#include "projections/log_mark.h"
#include "projections/removal.h"

namespace stele::projections {

Result<std::unique_ptr<ScratchView>> ScratchView::BuildOnce(const eventstore::EventStore& log,
                                                            ShardId shard,
                                                            const std::string& directory,
                                                            const MakeView& make, Position position,
                                                            const Progress& progress) {
  auto store = ViewStore::Open(directory, log.file_cipher());
  if (!store.has_value()) return std::unexpected(store.error());
  std::unique_ptr<ScratchView> scratch(new ScratchView);
  scratch->store_ = *std::move(store);
  std::unique_ptr<View> view = make();
  for (const auto& generation : scratch->store_->generations()) {
    const Result<bool> fits = IsOfLog(log, shard, *generation);
    if (!fits.has_value()) return std::unexpected(fits.error());
    if (*fits) {
      scratch->generation_ = generation;
    } else {
      STELE_RETURN_IF_ERROR(scratch->store_->Drop(generation));
    }
  }
  if (scratch->generation_ == nullptr) {
    auto generation = scratch->store_->Create(view->name(), view->version());
    if (!generation.has_value()) return std::unexpected(generation.error());
    scratch->generation_ = *std::move(generation);
    const Result<Position> cut = LastCutPurge(log, shard);
    if (!cut.has_value()) return std::unexpected(cut.error());
    STELE_RETURN_IF_ERROR(scratch->store_->NoteCutBefore(scratch->generation_, *cut));
  }
  Feed feed(log, shard, *scratch->store_, scratch->generation_->position());
  feed.Add(std::move(view), scratch->generation_);
  while (feed.position() < position) {
    const Result<uint64_t> records = feed.Step(kBatchRecords, position);
    if (!records.has_value()) return std::unexpected(records.error());
    if (*records == 0) break;
    scratch->records_read_ += *records;
    if (progress) progress(feed.position().value, position.value);
  }
  return scratch;
}

Result<std::unique_ptr<ScratchView>> ScratchView::Build(const eventstore::EventStore& log,
                                                        ShardId shard, const std::string& directory,
                                                        const MakeView& make, Position position,
                                                        const Progress& progress) {
  auto built = BuildOnce(log, shard, directory, make, position, progress);
  if (built.has_value() || built.error().code != ErrorCode::kInstanceErased) return built;
  // Instances were cut out of what it was being built of.
  Remove(directory);
  return BuildOnce(log, shard, directory, make, position, progress);
}

std::unique_ptr<ScratchView> ScratchView::Find(const eventstore::EventStore& log, ShardId shard,
                                               const std::string& directory, const MakeView& make,
                                               Position position) {
  auto store = ViewStore::OpenToRead(directory, log.file_cipher());
  if (!store.has_value()) return nullptr;
  std::unique_ptr<ScratchView> scratch(new ScratchView);
  scratch->store_ = *std::move(store);
  const std::unique_ptr<View> view = make();
  for (const auto& generation : scratch->store_->generations()) {
    const Result<bool> fits = IsOfLog(log, shard, *generation);
    if (!fits.has_value() || !*fits || generation->view() != view->name() ||
        generation->version() != view->version() || generation->position() != position)
      continue;
    scratch->generation_ = generation;
    return scratch;
  }
  return nullptr;
}

void ScratchView::Remove(const std::string& directory) {
  std::error_code ignored;
  std::filesystem::remove_all(directory, ignored);
}

namespace {

// What the names of directories end with.
Result<std::string> PurgeSuffix(const eventstore::EventStore& log, ShardId shard) {
  const Result<Position> cut = LastCutPurge(log, shard);
  if (!cut.has_value()) return std::unexpected(cut.error());
  return fmt::format("-purge-{}", cut->value);
}

}  // namespace

Result<std::string> AsOfDirectory(const std::string& path, const eventstore::EventStore& log,
                                  ShardId shard, const View& view, Position position) {
  const Result<std::string> suffix = PurgeSuffix(log, shard);
  if (!suffix.has_value()) return suffix;
  return fmt::format("{}/as-of/{}-{}-{}-{}{}", path, shard.value, view.name(), view.version(),
                     position.value, *suffix);
}

Status RemoveAsOfBeforePurge(const std::string& path, const eventstore::EventStore& log,
                             ShardId shard) {
  const Result<std::string> suffix = PurgeSuffix(log, shard);
  if (!suffix.has_value()) return std::unexpected(suffix.error());
  std::vector<std::string> stale;
  std::error_code ignored;
  for (const auto& entry : std::filesystem::directory_iterator(path + "/as-of", ignored)) {
    const std::string name = entry.path().filename().string();
    if (name.starts_with(fmt::format("{}-", shard.value)) && !name.ends_with(*suffix))
      stale.push_back(entry.path().string());
  }
  for (const std::string& directory : stale) ScratchView::Remove(directory);
  return {};
}

namespace {

// Where views are built to be compared.
std::string ComparisonsOf(const std::string& path) {
  return path + "/verify";
}

}  // namespace

void RemoveComparisons(const std::string& path, ShardId shard) {
  namespace fs = std::filesystem;
  const std::string own = fmt::format("{}-", shard.value);
  std::vector<std::string> left;
  std::error_code ignored;
  for (const auto& entry : fs::directory_iterator(ComparisonsOf(path), ignored))
    if (entry.path().filename().string().starts_with(own)) left.push_back(entry.path().string());
  for (const std::string& directory : left) ScratchView::Remove(directory);
  fs::remove(ComparisonsOf(path), ignored);  // unless another shard's are in it
}

Result<Comparison> CompareWithLog(const eventstore::EventStore& log, ShardId shard,
                                  const std::string& path, const MakeView& make,
                                  const ViewReader& serving, const Progress& progress) {
  const std::string directory =
      fmt::format("{}/{}-{}", ComparisonsOf(path), shard.value, make()->name());
  ScratchView::Remove(directory);
  Result<Comparison> found;
  {
    const auto built =
        ScratchView::Build(log, shard, directory, make, serving.position(), progress);
    if (!built.has_value()) return std::unexpected(built.error());
    found = Compare(serving, (*built)->Read());
  }
  ScratchView::Remove(directory);
  return found;
}

Result<Comparison> Compare(const ViewReader& serving, const ViewReader& built) {
  Comparison comparison{.position = serving.position()};
  KeyCursor left = serving.Keys("");
  KeyCursor right = built.Keys("");
  constexpr size_t kMaxExamples = 8;
  const auto differ = [&](std::string_view key, std::string_view how) {
    ++comparison.differing;
    if (comparison.examples.size() >= kMaxExamples) return;
    std::string text;
    for (const char c : key)
      text += c >= ' ' && c <= '~' ? std::string(1, c)
                                   : fmt::format("\\x{:02x}", static_cast<unsigned char>(c));
    comparison.examples.push_back(fmt::format("{} {}", text, how));
  };
  while (left.valid() || right.valid()) {
    const int order = !left.valid() ? 1 : !right.valid() ? -1 : left.key().compare(right.key());
    if (order < 0) {
      differ(left.key(), "is only in the one that serves");
      left.Next();
    } else if (order > 0) {
      differ(right.key(), "is only in the one that was built anew");
      right.Next();
    } else {
      if (left.value() == right.value()) {
        ++comparison.keys;
      } else {
        differ(left.key(), "has another value");
      }
      left.Next();
      right.Next();
    }
  }
  STELE_RETURN_IF_ERROR(left.status());
  STELE_RETURN_IF_ERROR(right.status());
  return comparison;
}

}  // namespace stele::projections
