// One Cap'n Proto segment without a segment table: how codec.cc and snapshot.cc write and read.
// Internal to this folder: the only headers of Cap'n Proto that leave it are those of `schemas`.
#pragma once

#include <capnp/message.h>
#include <fmt/format.h>
#include <kj/exception.h>

#include <cstring>
#include <string_view>
#include <utility>
#include <vector>

#include "base/error.h"
#include "engine/model/scratch.h"

namespace stele::model {

// Builds in a scratch; what does not fit goes to segments of their own and is thrown away with
// them.
class SegmentBuilder final : public capnp::MessageBuilder {
 public:
  explicit SegmentBuilder(Scratch& scratch) : scratch_(scratch) {}
  kj::ArrayPtr<capnp::word> allocateSegment(unsigned minimum_words) override;

  bool overflowed() const { return !overflow_.empty(); }

 private:
  Scratch& scratch_;
  bool given_ = false;
  std::vector<Scratch> overflow_;
};

// The words that were built, of all segments.
size_t WordsOf(SegmentBuilder& builder);

// fill(MessageBuilder&) until the message fits into one segment. The bytes live in the scratch.
template <class Fill>
std::string_view BuildSegment(Scratch& scratch, size_t expected_words, Fill fill) {
  scratch.Clear(expected_words);
  while (true) {
    size_t words = 0;
    {
      SegmentBuilder builder(scratch);
      fill(static_cast<capnp::MessageBuilder&>(builder));
      words = WordsOf(builder);
      if (!builder.overflowed()) {
        scratch.NoteUsed(words);
        return {reinterpret_cast<const char*>(scratch.words()), words * sizeof(uint64_t)};
      }
    }
    // A message that is cut into segments holds far pointers; as one it is no longer.
    scratch.NoteUsed(scratch.size());
    scratch.Clear(words + Scratch::kFirstWords);
  }
}

// The damage of a message, in one sentence.
Error DamagedSegment(std::string_view what, std::string_view found);

// Calls read(MessageReader&) -> Status over the segment. Whatever Cap'n Proto throws becomes
// kStoreCorrupt; `what` ("a record") is for the message. Memory is bounded: each word is read at
// most twice, whatever the pointers say.
template <class Read>
::stele::Status ReadSegment(std::string_view bytes, std::string_view what, Read read) {
  if (bytes.empty() || bytes.size() % sizeof(capnp::word) != 0) {
    return std::unexpected(
        DamagedSegment(what, fmt::format("{} bytes, no multiple of 8", bytes.size())));
  }
  const size_t words = bytes.size() / sizeof(capnp::word);
  std::vector<uint64_t> aligned;
  if (reinterpret_cast<uintptr_t>(bytes.data()) % alignof(capnp::word) != 0) {
    aligned.resize(words);
    std::memcpy(aligned.data(), bytes.data(), bytes.size());
    bytes = {reinterpret_cast<const char*>(aligned.data()), bytes.size()};
  }
  try {
    const kj::ArrayPtr<const capnp::word> segments[] = {
        {reinterpret_cast<const capnp::word*>(bytes.data()), words}};
    capnp::SegmentArrayMessageReader reader(segments, {2 * words + 64, 16});
    return read(static_cast<capnp::MessageReader&>(reader));
  } catch (const kj::Exception& e) {
    return std::unexpected(DamagedSegment(what, e.getDescription().cStr()));
  }
}

}  // namespace stele::model
