#include "eventstore/tail_index.h"

#include <algorithm>
#include <iterator>

namespace stele::eventstore {

void SortIndexEntries(std::vector<IndexEntry>* entries) {
  std::sort(entries->begin(), entries->end());
  const auto same = [](const IndexEntry& a, const IndexEntry& b) {
    return a.instance == b.instance && a.block == b.block;
  };
  entries->erase(std::unique(entries->begin(), entries->end(), same), entries->end());
}

void TrimInstanceBlocks(Seq from, std::vector<InstanceBlock>* blocks) {
  std::sort(blocks->begin(), blocks->end());
  const auto same = [](const InstanceBlock& a, const InstanceBlock& b) {
    return a.block == b.block;
  };
  blocks->erase(std::unique(blocks->begin(), blocks->end(), same), blocks->end());
  auto first = std::upper_bound(blocks->begin(), blocks->end(), from,
                                [](Seq seq, const InstanceBlock& b) { return seq < b.first_seq; });
  if (first != blocks->begin()) --first;
  blocks->erase(blocks->begin(), first);
}

size_t TailIndex::Add(Position block, Position end, std::span<const InstanceSeq> records) {
  auto run = std::make_shared<Run>();
  run->entries.reserve(records.size());
  for (const InstanceSeq& record : records)
    run->entries.push_back({record.instance, record.first_seq, block});
  run->end = end;
  run->records = records.size();
  std::lock_guard lock(mutex_);
  records_ += records.size();
  runs_.push_back(std::move(run));
  return runs_.size() - sorted_;
}

void TailIndex::Find(InstanceId instance, Seq from, std::vector<InstanceBlock>* blocks) const {
  std::vector<RunPointer> runs;
  {
    std::lock_guard lock(mutex_);
    runs = runs_;
  }
  const size_t old = blocks->size();
  for (const RunPointer& run : runs) {
    auto entry = run->entries.begin();
    const auto end = run->entries.end();
    if (run->sorted) {
      entry = std::upper_bound(entry, end, IndexEntry{instance, from, Position(UINT64_MAX)});
      if (entry != run->entries.begin()) --entry;
      for (; entry != end && entry->instance <= instance; ++entry)
        if (entry->instance == instance) blocks->push_back({entry->first_seq, entry->block});
    } else {
      for (; entry != end; ++entry)
        if (entry->instance == instance) blocks->push_back({entry->first_seq, entry->block});
    }
  }
  std::vector<InstanceBlock> found(blocks->begin() + old, blocks->end());
  blocks->resize(old);
  TrimInstanceBlocks(from, &found);
  blocks->insert(blocks->end(), found.begin(), found.end());
}

size_t TailIndex::records() const {
  std::lock_guard lock(mutex_);
  return records_;
}

TailIndex::RunPointer TailIndex::Merge(std::span<const RunPointer> runs) {
  auto merged = std::make_shared<Run>();
  size_t size = 0;
  for (const RunPointer& run : runs) size += run->entries.size();
  merged->entries.reserve(size);
  for (const RunPointer& run : runs) {
    merged->records += run->records;
    merged->end = run->end;
  }
  if (runs.size() == 2 && runs[0]->sorted && runs[1]->sorted) {
    std::merge(runs[0]->entries.begin(), runs[0]->entries.end(), runs[1]->entries.begin(),
               runs[1]->entries.end(), std::back_inserter(merged->entries));
  } else {
    for (const RunPointer& run : runs)
      merged->entries.insert(merged->entries.end(), run->entries.begin(), run->entries.end());
    SortIndexEntries(&merged->entries);
  }
  merged->sorted = true;
  return merged;
}

void TailIndex::Tidy() {
  std::vector<RunPointer> runs;
  size_t sorted = 0;
  {
    std::lock_guard lock(mutex_);
    runs = runs_;
    sorted = sorted_;
  }
  if (runs.size() == sorted) return;
  const size_t taken = runs.size();
  RunPointer last = Merge(std::span(runs).subspan(sorted));
  runs.resize(sorted);
  while (!runs.empty() && runs.back()->entries.size() < 2 * last->entries.size()) {
    const RunPointer pair[] = {runs.back(), last};
    last = Merge(pair);
    runs.pop_back();
  }
  runs.push_back(std::move(last));
  std::lock_guard lock(mutex_);
  sorted_ = runs.size();
  runs.insert(runs.end(), runs_.begin() + taken, runs_.end());
  runs_ = std::move(runs);
}

TailIndex::Chunk TailIndex::Collect() {
  std::vector<RunPointer> runs;
  {
    std::lock_guard lock(mutex_);
    runs = runs_;
  }
  Chunk chunk;
  if (runs.empty()) return chunk;
  chunk.end = runs.back()->end;
  chunk.entries = Merge(runs)->entries;
  return chunk;
}

void TailIndex::DropBefore(Position end) {
  std::lock_guard lock(mutex_);
  size_t dropped = 0;
  while (dropped < runs_.size() && runs_[dropped]->end <= end)
    records_ -= runs_[dropped++]->records;
  runs_.erase(runs_.begin(), runs_.begin() + dropped);
  sorted_ -= std::min(sorted_, dropped);
}

}  // namespace stele::eventstore
