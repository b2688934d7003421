// Every number of the stored formats, as compiled, against the list that is checked in.
#include <capnp/schema.h>
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "engine/model/names.h"
#include "schemas/record.capnp.h"
#include "schemas/snapshot.capnp.h"

namespace stele {
namespace {

// The type as the schema file writes it.
std::string TypeName(capnp::Type type) {
  using Which = capnp::schema::Type::Which;
  switch (type.which()) {
    case Which::VOID:
      return "Void";
    case Which::BOOL:
      return "Bool";
    case Which::INT8:
      return "Int8";
    case Which::INT16:
      return "Int16";
    case Which::INT32:
      return "Int32";
    case Which::INT64:
      return "Int64";
    case Which::UINT8:
      return "UInt8";
    case Which::UINT16:
      return "UInt16";
    case Which::UINT32:
      return "UInt32";
    case Which::UINT64:
      return "UInt64";
    case Which::FLOAT32:
      return "Float32";
    case Which::FLOAT64:
      return "Float64";
    case Which::TEXT:
      return "Text";
    case Which::DATA:
      return "Data";
    case Which::LIST:
      return fmt::format("List({})", TypeName(type.asList().getElementType()));
    case Which::ENUM:
      return type.asEnum().getShortDisplayName().cStr();
    case Which::STRUCT:
      return type.asStruct().getShortDisplayName().cStr();
    case Which::INTERFACE:
      return "interface";
    case Which::ANY_POINTER:
      return "AnyPointer";
  }
  return "?";
}

// The lines of a type, and of all types that it leads to, by the type's name.
class Lock {
 public:
  void AddFrom(capnp::Type type) {
    while (type.isList()) type = type.asList().getElementType();
    if (type.isEnum()) Add(type.asEnum());
    if (type.isStruct()) Add(type.asStruct());
  }

  std::vector<std::string> Lines() const {
    std::vector<std::string> lines;
    for (const auto& [name, type_lines] : types_) {
      lines.insert(lines.end(), type_lines.begin(), type_lines.end());
    }
    return lines;
  }

 private:
  void Add(capnp::EnumSchema type) {
    const std::string name = type.getShortDisplayName().cStr();
    if (!types_.try_emplace(name).second) return;
    for (const auto enumerant : type.getEnumerants()) {
      types_[name].push_back(fmt::format("{}.{} @{}", name, enumerant.getProto().getName().cStr(),
                                         enumerant.getOrdinal()));
    }
  }

  void Add(capnp::StructSchema type) {
    const std::string name = type.getShortDisplayName().cStr();
    if (!types_.try_emplace(name).second) return;
    std::map<uint16_t, std::string> by_ordinal;
    for (const auto field : type.getFields()) {
      const auto proto = field.getProto();
      ASSERT_TRUE(proto.getOrdinal().isExplicit()) << name;
      const uint16_t ordinal = proto.getOrdinal().getExplicit();
      const bool in_union = proto.getDiscriminantValue() != capnp::schema::Field::NO_DISCRIMINANT;
      by_ordinal[ordinal] = fmt::format(
          "{}.{} @{} :{}{}", name, proto.getName().cStr(), ordinal, TypeName(field.getType()),
          in_union ? fmt::format(" union {}", proto.getDiscriminantValue()) : "");
      AddFrom(field.getType());
    }
    for (const auto& [ordinal, line] : by_ordinal) types_[name].push_back(line);
  }

  std::map<std::string, std::vector<std::string>> types_;
};

std::vector<std::string> CompiledLines() {
  Lock lock;
  lock.AddFrom(capnp::Type(capnp::Schema::from<schema::Record>()));
  lock.AddFrom(capnp::Type(capnp::Schema::from<schema::Snapshot>()));
  return lock.Lines();
}

std::vector<std::string> LockedLines() {
  std::ifstream file(STELE_SOURCE_DIR "/schemas/record.lock");
  std::vector<std::string> lines;
  for (std::string line; std::getline(file, line);) {
    if (!line.empty() && line[0] != '#') lines.push_back(line);
  }
  return lines;
}

std::string Difference(const std::vector<std::string>& locked,
                       const std::vector<std::string>& compiled) {
  std::string difference;
  const std::set<std::string> in_lock(locked.begin(), locked.end());
  const std::set<std::string> in_schema(compiled.begin(), compiled.end());
  for (const std::string& line : locked) {
    if (!in_schema.contains(line)) difference += "-" + line + "\n";
  }
  for (const std::string& line : compiled) {
    if (!in_lock.contains(line)) difference += "+" + line + "\n";
  }
  return difference;
}

TEST(SchemaLock, HoldsExactlyTheNumbersOfTheCompiledSchemas) {
  const std::vector<std::string> locked = LockedLines();
  const std::vector<std::string> compiled = CompiledLines();
  ASSERT_GT(compiled.size(), 200u);
  const std::string difference = Difference(locked, compiled);
  EXPECT_TRUE(difference.empty())
      << "schemas/record.lock differs from the schemas as compiled; schemas/README.md says what to "
         "do.\n"
      << difference;
  EXPECT_EQ(locked.size(), compiled.size()) << "a line stands twice in schemas/record.lock";
}

TEST(SchemaLock, ShowsANumberThatWasChangedAndOneThatIsNew) {
  EXPECT_EQ(Difference({"A.b @0", "A.c @1"}, {"A.b @0", "A.c @2", "A.d @1"}),
            "-A.c @1\n+A.c @2\n+A.d @1\n");
}

// "attemptDeadline" → "attempt_deadline"
std::string SnakeCase(std::string_view camel) {
  std::string snake;
  for (const char c : camel) {
    if (c >= 'A' && c <= 'Z') {
      snake += '_';
      snake += static_cast<char>(c - 'A' + 'a');
    } else {
      snake += c;
    }
  }
  return snake;
}

template <class Wire>
void ExpectSameNames(model::Names names) {
  const auto type = capnp::Schema::from<Wire>();
  ASSERT_EQ(type.getEnumerants().size(), names.size()) << type.getShortDisplayName().cStr();
  for (const auto enumerant : type.getEnumerants()) {
    const std::string name = SnakeCase(enumerant.getProto().getName().cStr());
    EXPECT_EQ(names[enumerant.getOrdinal()], name == "unset" ? "" : name);
  }
}

TEST(EnumNames, AreThoseOfTheSchemaByNumber) {
  ExpectSameNames<schema::Purpose>(model::names::kPurpose);
  ExpectSameNames<schema::CancelReason>(model::names::kCancelReason);
  ExpectSameNames<schema::Interruption>(model::names::kInterruption);
  ExpectSameNames<schema::TimerKind>(model::names::kTimerKind);
  ExpectSameNames<schema::Outcome>(model::names::kOutcome);
  ExpectSameNames<schema::Resolution>(model::names::kResolution);
  ExpectSameNames<schema::InstanceStatus>(model::names::kStatus);
  ExpectSameNames<schema::ScopeState>(model::names::kScopeState);
  ExpectSameNames<schema::SlotState>(model::names::kSlotState);
  ExpectSameNames<schema::RunState>(model::names::kRunState);
}

}  // namespace
}  // namespace stele
