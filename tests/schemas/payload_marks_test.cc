// Every text of a record is either sealed when the log is encrypted or listed as what stays in
// clear.
#include <capnp/schema.h>
#include <gtest/gtest.h>

#include <fstream>
#include <set>
#include <string>

#include "schemas/record.capnp.h"

namespace stele {
namespace {

constexpr uint64_t kPayloadMark = 0xd3a1c0f2b7e64590;

// "InstanceStarted.input": the fields that hold text or bytes, of all structs that a record leads
// to.
class TextFields {
 public:
  void AddFrom(capnp::StructSchema type) {
    if (!seen_.insert(type.getProto().getId()).second) return;
    for (const auto field : type.getFields()) {
      capnp::Type held = field.getType();
      while (held.isList()) held = held.asList().getElementType();
      if (held.isStruct()) AddFrom(held.asStruct());
      if (!held.isText() && !held.isData()) continue;
      bool is_marked = false;
      for (const auto mark : field.getProto().getAnnotations())
        is_marked |= mark.getId() == kPayloadMark;
      const std::string name =
          std::string(type.getShortDisplayName().cStr()) + "." + field.getProto().getName().cStr();
      (is_marked ? marked : clear).insert(name);
    }
  }

  std::set<std::string> marked, clear;

 private:
  std::set<uint64_t> seen_;
};

TEST(PayloadMarks, StandOnEveryTextThatIsNotListedAsClear) {
  TextFields fields;
  fields.AddFrom(capnp::Schema::from<schema::Record>());
  ASSERT_GT(fields.marked.size(), 40u);
  std::ifstream file(STELE_SOURCE_DIR "/schemas/record.clear");
  std::set<std::string> listed;
  for (std::string line; std::getline(file, line);) {
    if (line.empty() || line[0] == '#') continue;
    EXPECT_TRUE(listed.insert(line).second) << line << " stands twice in schemas/record.clear";
  }
  for (const std::string& field : fields.clear)
    EXPECT_TRUE(listed.contains(field))
        << field << " of schemas/record.capnp neither has the mark $payload nor a line in "
        << "schemas/record.clear, which is for names and ids that stay readable without a key";
  for (const std::string& line : listed)
    EXPECT_TRUE(fields.clear.contains(line))
        << line << " in schemas/record.clear is no field, or has the mark $payload";
}

}  // namespace
}  // namespace stele
