// The notes are what a plain map would be, whatever is written down when, and in a crash.
#include "engine/runtime/notes.h"

#include <gtest/gtest.h>

#include <random>

#include "eventstore/memory_store.h"

namespace stele::runtime {
namespace {

using Plain = std::map<std::string, std::string>;

Plain Scanned(const Notes& notes, const std::string& prefix, size_t most = SIZE_MAX) {
  Plain seen;
  std::string last;
  const Status status = notes.Scan(prefix, [&](std::string_view key, std::string_view value) {
    EXPECT_LT(last, key) << "in order, each once";
    last = key;
    seen.emplace(key, value);
    return seen.size() < most;
  });
  EXPECT_TRUE(status.has_value());
  return seen;
}

Plain Expected(const Plain& plain, const std::string& prefix, size_t most = SIZE_MAX) {
  Plain seen;
  for (const auto& [key, value] : plain)
    if (key.starts_with(prefix) && seen.size() < most) seen.emplace(key, value);
  return seen;
}

class Disturbed {
 public:
  explicit Disturbed(uint32_t seed) : random_(seed) { notes_.Recovered(); }

  void Move() {
    const std::string key = Key();
    switch (random_() % 8) {
      case 0:
      case 1:
        notes_.Put(key, std::to_string(++count_));
        plain_[key] = std::to_string(count_);
        break;
      case 2:
      case 3: {
        const std::string fresh = key + std::to_string(++count_);
        notes_.PutNew(fresh, "new");
        plain_[fresh] = "new";
        break;
      }
      case 4:
      case 5: {
        const auto at = plain_.lower_bound(key);
        const std::string erased = at == plain_.end() ? key : at->first;
        notes_.Erase(erased);
        plain_.erase(erased);
        break;
      }
      case 6:
        if (!writing_) writing_ = &notes_.BeginWriting();
        break;
      case 7:
        if (writing_) Write();
        break;
    }
  }

  void Compare() {
    for (const std::string prefix : {"", "a", "b", "ab", "ba", "c"}) {
      EXPECT_EQ(Scanned(notes_, prefix), Expected(plain_, prefix));
      EXPECT_EQ(Scanned(notes_, prefix, 2), Expected(plain_, prefix, 2));
    }
    const std::string key = Key();
    const auto found = notes_.Get(key);
    ASSERT_TRUE(found.has_value());
    EXPECT_EQ(found->has_value(), plain_.contains(key));
    if (found->has_value()) {
      EXPECT_EQ(**found, plain_[key]);
    }
  }

 private:
  std::string Key() {
    std::string key;
    for (size_t i = 1 + random_() % 3; i > 0; --i) key += static_cast<char>('a' + random_() % 2);
    return key;
  }
  void Write() {
    for (const auto& [key, change] : *writing_) {
      const Status put = change.value.has_value() ? store_.PutNote(ShardId(), key, *change.value)
                                                  : store_.EraseNote(ShardId(), key);
      EXPECT_TRUE(put.has_value());
    }
    notes_.EndWriting();
    writing_ = nullptr;
  }

  std::mt19937 random_;
  eventstore::MemoryStore store_;
  Notes notes_{store_, ShardId()};
  Plain plain_;
  const NoteChanges* writing_ = nullptr;
  int count_ = 0;
};

TEST(Notes, AreWhatAPlainMapIs) {
  for (uint32_t seed = 1; seed <= 100; ++seed) {
    SCOPED_TRACE(seed);
    Disturbed notes(seed);
    for (int i = 0; i < 200; ++i) {
      notes.Move();
      notes.Compare();
    }
    if (testing::Test::HasFailure()) return;
  }
}

TEST(Notes, LeaveNothingOfWhatCameAndWent) {
  eventstore::MemoryStore store;
  Notes notes(store, ShardId());
  notes.Recovered();
  notes.PutNew("a", "1");
  notes.PutNew("b", "2");
  notes.Erase("a");
  const NoteChanges& changes = notes.BeginWriting();
  ASSERT_EQ(changes.size(), 1u);
  EXPECT_EQ(changes.begin()->first, "b");
  notes.Erase("b");
  EXPECT_EQ(Scanned(notes, ""), Plain()) << "erased, though it is about to be written";
}

}  // namespace
}  // namespace stele::runtime
