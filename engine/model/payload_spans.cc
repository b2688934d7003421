#include "engine/model/payload_spans.h"

#include <capnp/schema.h>

#include <algorithm>
#include <cstring>
#include <map>
#include <optional>

#include "base/check.h"
#include "schemas/record.capnp.h"

namespace stele::model {
namespace {

// Of the annotation in schemas/record.capnp.
constexpr uint64_t kPayloadMark = 0xd3a1c0f2b7e64590;
constexpr size_t kWord = 8;

enum class Shape : uint8_t { kText, kTexts, kStruct, kStructs };

}  // namespace

// The pointers of a struct that lead to payloads.
struct RecordPayloads::Plan {
  struct Field {
    uint16_t pointer = 0;
    Shape shape = Shape::kText;
    const Plan* inner = nullptr;  // of a struct or of structs
  };
  std::vector<Field> always;
  // Of a union, by the value in the 16 bits with that number.
  uint32_t discriminant = 0;
  std::vector<std::optional<Field>> alternatives;

  bool empty() const {
    return always.empty() &&
           std::ranges::none_of(alternatives, [](const auto& field) { return field.has_value(); });
  }
};

namespace {

using Plan = RecordPayloads::Plan;
using Field = Plan::Field;

// Makes the plans of a struct and of all that it leads to.
class Planner {
 public:
  explicit Planner(std::vector<std::unique_ptr<Plan>>& plans) : plans_(plans) {}

  const Plan* For(capnp::StructSchema type) {
    const auto [known, is_new] = by_id_.try_emplace(type.getProto().getId(), nullptr);
    if (!is_new) return known->second;
    Plan* plan = plans_.emplace_back(std::make_unique<Plan>()).get();
    known->second = plan;
    plan->discriminant = type.getProto().getStruct().getDiscriminantOffset();
    for (const auto field : type.getFields()) Add(field, plan);
    return plan;
  }

 private:
  void Add(const capnp::StructSchema::Field& field, Plan* plan) {
    const auto proto = field.getProto();
    CHECK(proto.isSlot(), "a group, which has no plan: {}", proto.getName().cStr());
    const std::optional<Field> planned =
        PlanOf(field.getType(), proto.getSlot().getOffset(), IsMarked(proto));
    if (!planned) return;
    const uint16_t alternative = proto.getDiscriminantValue();
    if (alternative == capnp::schema::Field::NO_DISCRIMINANT) {
      plan->always.push_back(*planned);
      return;
    }
    if (plan->alternatives.size() <= alternative) plan->alternatives.resize(alternative + 1);
    plan->alternatives[alternative] = planned;
  }

  static bool IsMarked(capnp::schema::Field::Reader field) {
    for (const auto mark : field.getAnnotations())
      if (mark.getId() == kPayloadMark) return true;
    return false;
  }

  std::optional<Field> PlanOf(capnp::Type type, uint32_t pointer, bool marked) {
    Field field{.pointer = static_cast<uint16_t>(pointer), .shape = Shape::kText, .inner = nullptr};
    if (type.isStruct()) {
      field.shape = Shape::kStruct;
      field.inner = For(type.asStruct());
    } else if (type.isList() && type.asList().getElementType().isStruct()) {
      field.shape = Shape::kStructs;
      field.inner = For(type.asList().getElementType().asStruct());
    } else if (type.isList() && type.asList().getElementType().isText()) {
      field.shape = Shape::kTexts;
    } else {
      CHECK(type.isText() || !marked, "a mark on what is neither a text nor texts");
    }
    if (field.inner == nullptr ? marked : !field.inner->empty()) return field;
    return std::nullopt;
  }

  std::vector<std::unique_ptr<Plan>>& plans_;
  std::map<uint64_t, Plan*> by_id_;
};

// Bytes by which the walk finds its way, where no text may lie: sealed, it would not be found
// again.
struct Signpost {
  uint32_t begin = 0;
  uint32_t end = 0;
};

// One body. Places are numbers of words.
class Walk {
 public:
  Walk(std::string_view body, std::vector<PayloadSpan>* spans)
      : body_(body), words_(body.size() / kWord), budget_(words_), spans_(spans) {
    signposts_.reserve(16);  // of most records
  }

  bool FromRoot(const Field& root) {
    Note(0, 1);
    return Follow(0, root);
  }
  const std::vector<Signpost>& signposts() const { return signposts_; }

 private:
  // What the pointer at `at` leads to.
  bool Follow(size_t at, const Field& field) {
    const uint64_t pointer = Word(at);
    if (pointer == 0) return true;
    if (budget_-- == 0) return false;  // words that are pointed to again and again
    const auto kind = pointer & 3;
    const auto offset = static_cast<int32_t>(static_cast<uint32_t>(pointer)) >> 2;
    const int64_t target = static_cast<int64_t>(at) + 1 + offset;
    if (target < 0 || static_cast<uint64_t>(target) > words_) return false;
    const auto place = static_cast<size_t>(target);
    if (field.shape == Shape::kStruct)
      return kind == 0 && OneStruct(place, DataWords(pointer), Pointers(pointer), *field.inner);
    if (kind != 1) return false;
    const auto element = static_cast<unsigned>(pointer >> 32 & 7);
    const auto count = static_cast<uint32_t>(pointer >> 35);
    if (field.shape == Shape::kText) return element == 2 && Text(at, place, count);
    if (field.shape == Shape::kTexts) return element == 6 && Texts(place, count);
    return element == 7 && Structs(place, count, *field.inner);
  }

  void Note(size_t place, size_t words) {
    signposts_.push_back(
        {static_cast<uint32_t>(place * kWord), static_cast<uint32_t>((place + words) * kWord)});
  }
  uint64_t Word(size_t at) const {
    uint64_t word;
    std::memcpy(&word, body_.data() + at * kWord, kWord);
    return word;
  }
  static uint16_t DataWords(uint64_t pointer) { return static_cast<uint16_t>(pointer >> 32); }
  static uint16_t Pointers(uint64_t pointer) { return static_cast<uint16_t>(pointer >> 48); }

  bool Text(size_t at, size_t place, uint32_t bytes) {
    if ((words_ - place) * kWord < bytes || bytes == 0) return false;
    // The zero behind it is no part of what people wrote.
    if (bytes > 1)
      spans_->push_back(
          {static_cast<uint32_t>(at * kWord), static_cast<uint32_t>(place * kWord), bytes - 1});
    return true;
  }

  bool Texts(size_t place, uint32_t count) {
    if (words_ - place < count) return false;
    Note(place, count);
    for (uint32_t i = 0; i < count; ++i)
      if (!Follow(place + i, Field{})) return false;
    return true;
  }

  bool OneStruct(size_t place, size_t data, size_t pointers, const Plan& plan) {
    Note(place, data + pointers);
    return Struct(place, data, pointers, plan);
  }

  bool Struct(size_t place, size_t data, size_t pointers, const Plan& plan) {
    if (words_ - place < data + pointers) return false;
    const size_t first = place + data;
    const auto follow = [&](const Field& field) {
      return field.pointer >= pointers || Follow(first + field.pointer, field);
    };
    for (const Field& field : plan.always)
      if (!follow(field)) return false;
    if (plan.alternatives.empty()) return true;
    uint16_t which = 0;
    const size_t which_at = plan.discriminant * sizeof which;
    if (which_at + sizeof which <= data * kWord)
      std::memcpy(&which, body_.data() + place * kWord + which_at, sizeof which);
    if (which >= plan.alternatives.size() || !plan.alternatives[which]) return true;
    return follow(*plan.alternatives[which]);
  }

  bool Structs(size_t place, uint32_t words, const Plan& plan) {
    if (words_ - place < 1 || words_ - place - 1 < words) return false;
    const uint64_t tag = Word(place);
    if ((tag & 3) != 0) return false;
    const uint64_t count = static_cast<uint32_t>(tag) >> 2;
    const size_t data = DataWords(tag), pointers = Pointers(tag);
    if (count * (data + pointers) > words) return false;
    Note(place, 1 + count * (data + pointers));
    if (pointers == 0) return true;
    for (uint64_t i = 0; i < count; ++i)
      if (!Struct(place + 1 + i * (data + pointers), data, pointers, plan)) return false;
    return true;
  }

  const std::string_view body_;
  const size_t words_;
  size_t budget_;  // pointers; a message has at most as many as words
  std::vector<PayloadSpan>* const spans_;
  std::vector<Signpost> signposts_;
};

// In order, and none touching another's bytes or what the walk went by.
bool Arrange(const std::vector<Signpost>& signposts, std::vector<PayloadSpan>* spans) {
  if (!std::ranges::is_sorted(*spans, {}, &PayloadSpan::begin))
    std::ranges::sort(*spans, {}, &PayloadSpan::begin);
  for (size_t i = 1; i < spans->size(); ++i)
    if ((*spans)[i].begin - (*spans)[i - 1].begin <= (*spans)[i - 1].size) return false;
  return std::ranges::all_of(signposts, [&](const Signpost& signpost) {
    const auto next = std::ranges::lower_bound(*spans, signpost.end, {}, &PayloadSpan::begin);
    return next == spans->begin() || (next - 1)->begin + (next - 1)->size <= signpost.begin;
  });
}

}  // namespace

RecordPayloads::RecordPayloads() {
  Planner(plans_).For(capnp::Schema::from<schema::Record>());
}

RecordPayloads::~RecordPayloads() = default;

bool RecordPayloads::Find(std::string_view body, std::vector<PayloadSpan>* spans) const {
  spans->clear();
  if (body.empty() || body.size() % kWord != 0 || body.size() > UINT32_MAX) return false;
  const Field root{.pointer = 0, .shape = Shape::kStruct, .inner = plans_.front().get()};
  Walk walk(body, spans);
  if (walk.FromRoot(root) && Arrange(walk.signposts(), spans)) return true;
  spans->clear();
  return false;
}

}  // namespace stele::model
