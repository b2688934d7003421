// The payloads that the walk along a body's bytes finds, against those that Cap'n Proto's own
// readers find.
#include "engine/model/payload_spans.h"

#include <capnp/dynamic.h>
#include <capnp/message.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <random>
#include <string>

#include "engine/model/codec.h"
#include "schemas/record.capnp.h"
#include "tests/engine/model/random_values.h"

namespace stele::model {
namespace {

constexpr uint64_t kPayloadMark = 0xd3a1c0f2b7e64590;

// What the library reads: texts of marked fields as spans, all others as they are.
class Reading {
 public:
  explicit Reading(std::string_view body) : body_(body) {
    const kj::ArrayPtr<const capnp::word> segments[] = {
        {reinterpret_cast<const capnp::word*>(body.data()), body.size() / 8}};
    capnp::SegmentArrayMessageReader reader(segments, {1u << 20, 64});
    Add(reader.getRoot<capnp::DynamicStruct>(capnp::Schema::from<schema::Record>().asStruct()));
    std::ranges::sort(marked, {}, &PayloadSpan::begin);
  }

  std::vector<PayloadSpan> marked;
  std::vector<std::string> clear;

 private:
  void Add(const capnp::DynamicStruct::Reader& value) {
    for (const auto field : value.getSchema().getNonUnionFields()) AddField(value, field);
    if (const auto field = value.which(); field != nullptr)
      AddField(value, *kj::_::readMaybe(field));
  }
  void AddField(const capnp::DynamicStruct::Reader& value, capnp::StructSchema::Field field) {
    if (!value.has(field)) return;
    bool is_marked = false;
    for (const auto mark : field.getProto().getAnnotations())
      is_marked |= mark.getId() == kPayloadMark;
    AddValue(value.get(field), is_marked);
  }
  void AddValue(const capnp::DynamicValue::Reader& value, bool is_marked) {
    if (value.getType() == capnp::DynamicValue::STRUCT) {
      Add(value.as<capnp::DynamicStruct>());
    } else if (value.getType() == capnp::DynamicValue::LIST) {
      for (const auto element : value.as<capnp::DynamicList>()) AddValue(element, is_marked);
    } else if (value.getType() == capnp::DynamicValue::TEXT) {
      const auto text = value.as<capnp::Text>();
      if (!is_marked)
        clear.emplace_back(text.begin(), text.size());
      else if (text.size() != 0)
        marked.push_back({0, static_cast<uint32_t>(text.begin() - body_.data()),
                          static_cast<uint32_t>(text.size())});
    }
  }

  const std::string_view body_;
};

// Aligned, as bodies in a log are.
struct Body {
  explicit Body(std::string_view text) : words((text.size() + 7) / 8) {
    std::memcpy(words.data(), text.data(), text.size());
  }
  char* bytes() { return reinterpret_cast<char*>(words.data()); }
  std::string_view view() { return {bytes(), words.size() * 8}; }
  std::vector<uint64_t> words;
};

TEST(RecordPayloads, AreThoseThatTheSchemaMarks) {
  const RecordPayloads payloads;
  RandomValues values(11, 20);
  RecordEncoder encoder;
  std::vector<PayloadSpan> spans;
  size_t found = 0;
  for (int round = 0; round < 1000; ++round) {
    Body body(encoder.Encode(values.Events(1 + values.Below(5))));
    ASSERT_TRUE(payloads.Find(body.view(), &spans)) << round;
    const Reading reading(body.view());
    ASSERT_EQ(spans.size(), reading.marked.size()) << round;
    for (size_t i = 0; i < spans.size(); ++i) {
      EXPECT_EQ(spans[i].begin, reading.marked[i].begin) << round;
      EXPECT_EQ(spans[i].size, reading.marked[i].size) << round;
    }
    found += spans.size();
  }
  EXPECT_GT(found, 1000u);
}

TEST(RecordPayloads, AreAbsentWhenTheirReferencesAreZeroAndNothingElseIs) {
  const RecordPayloads payloads;
  RandomValues values(12, 20);
  RecordEncoder encoder;
  std::vector<PayloadSpan> spans;
  for (int round = 0; round < 1000; ++round) {
    Body body(encoder.Encode(values.Events(1 + values.Below(5))));
    const Reading before(body.view());
    ASSERT_TRUE(payloads.Find(body.view(), &spans));
    for (const PayloadSpan& span : spans) std::memset(body.bytes() + span.begin, 0, span.size);
    for (const PayloadSpan& span : spans) std::memset(body.bytes() + span.reference, 0, 8);
    const Reading after(body.view());
    EXPECT_TRUE(after.marked.empty()) << round;
    EXPECT_EQ(after.clear, before.clear) << round;
    const auto decoded = Decode(body.view());
    ASSERT_TRUE(decoded) << decoded.error().ToString();
    ASSERT_TRUE(payloads.Find(body.view(), &spans));
    EXPECT_TRUE(spans.empty());
  }
}

TEST(RecordPayloads, AreFoundWhateverTheyHold) {
  const RecordPayloads payloads;
  RandomValues values(13);
  RecordEncoder encoder;
  std::vector<PayloadSpan> before, after;
  for (int round = 0; round < 500; ++round) {
    Body body(encoder.Encode(values.Events(1 + values.Below(5))));
    ASSERT_TRUE(payloads.Find(body.view(), &before));
    for (const PayloadSpan& span : before)
      for (uint32_t i = 0; i < span.size; ++i)
        body.bytes()[span.begin + i] = static_cast<char>(values.Below(256));
    ASSERT_TRUE(payloads.Find(body.view(), &after));
    ASSERT_EQ(after.size(), before.size());
    for (size_t i = 0; i < after.size(); ++i) {
      EXPECT_EQ(after[i].reference, before[i].reference);
      EXPECT_EQ(after[i].begin, before[i].begin);
      EXPECT_EQ(after[i].size, before[i].size);
    }
  }
}

void ExpectSound(std::string_view body, const std::vector<PayloadSpan>& spans) {
  size_t end = 0;
  for (const PayloadSpan& span : spans) {
    ASSERT_GE(span.begin, end);
    ASSERT_LE(size_t{span.begin} + span.size, body.size());
    ASSERT_LE(size_t{span.reference} + 8, body.size());
    for (const PayloadSpan& other : spans)
      ASSERT_TRUE(span.reference + 8 <= other.begin || span.reference >= other.begin + other.size);
    end = size_t{span.begin} + span.size;
  }
}

TEST(RecordPayloads, StayInsideABodyWhateverItsBytes) {
  const RecordPayloads payloads;
  RandomValues values(14);
  RecordEncoder encoder;
  std::vector<PayloadSpan> spans;
  size_t refused = 0, accepted = 0;
  for (int round = 0; round < 20'000; ++round) {
    Body body(encoder.Encode(values.Events(1 + values.Below(3))));
    for (uint64_t i = 0, changes = 1 + values.Below(4); i < changes; ++i)
      body.bytes()[values.Below(body.view().size())] ^= static_cast<char>(1 << values.Below(8));
    const std::string_view part = body.view().substr(0, 8 * (1 + values.Below(body.words.size())));
    if (payloads.Find(part, &spans)) {
      ++accepted;
      ExpectSound(part, spans);
    } else {
      ++refused;
      EXPECT_TRUE(spans.empty());
    }
  }
  EXPECT_GT(refused, 1000u);
  EXPECT_GT(accepted, 1000u);
}

TEST(RecordPayloads, AreNotLookedForInWhatIsNoMessage) {
  const RecordPayloads payloads;
  std::vector<PayloadSpan> spans;
  EXPECT_FALSE(payloads.Find("", &spans));
  EXPECT_FALSE(payloads.Find("seven b", &spans));
  EXPECT_FALSE(payloads.Find(std::string(16, '\xFF'), &spans));
}

// A list whose elements all lead to the same list, and so on: few words, many ways through them.
TEST(RecordPayloads, TakeTimeThatIsBoundByTheBody) {
  constexpr uint64_t kWords = 4096;
  std::vector<uint64_t> words(kWords);
  words[0] = uint64_t{1} << 32 | uint64_t{1} << 48;       // a record: 1 data word, 1 pointer, at 1
  words[2] = 1 | uint64_t{7} << 32 | (kWords - 4) << 35;  // its events: composite, at 3
  const uint64_t events = (kWords - 4) / 2;
  words[3] = events << 2 | uint64_t{1} << 32 | uint64_t{1} << 48;
  for (uint64_t i = 0; i < events; ++i) {
    const uint64_t at = 4 + 2 * i + 1;
    // An InstanceStarted whose struct is the first event's, again and again.
    const auto offset = static_cast<int64_t>(4) - static_cast<int64_t>(at) - 1;
    words[at] = (static_cast<uint32_t>(offset) << 2) | uint64_t{1} << 32 | uint64_t{40} << 48;
  }
  std::vector<PayloadSpan> spans;
  EXPECT_FALSE(
      RecordPayloads().Find({reinterpret_cast<const char*>(words.data()), kWords * 8}, &spans));
}

}  // namespace
}  // namespace stele::model
