// Rows to bytes and back.
#include "projections/row.h"

#include <gtest/gtest.h>

#include "base/ids.h"

namespace stele::projections {
namespace {

struct Inner {
  std::string name;
  int32_t number = 0;
  template <class Self, class Archive>
  static void Fields(Self& self, Archive& archive) {
    archive(self.name, self.number);
  }
  bool operator==(const Inner&) const = default;
};

enum class Color : uint8_t { kRed = 1, kBlue = 200 };

struct Outer {
  bool flag = false;
  uint64_t large = 0;
  int64_t any = 0;
  double real = 0;
  Color color = Color::kRed;
  TimeUs time;
  InstanceId id;
  std::string text;
  std::vector<std::string> texts;
  std::vector<Inner> inner;
  template <class Self, class Archive>
  static void Fields(Self& self, Archive& archive) {
    archive(self.flag, self.large, self.any, self.real, self.color, self.time, self.id, self.text,
            self.texts, self.inner);
  }
  bool operator==(const Outer&) const = default;
};

Outer Example() {
  return {.flag = true,
          .large = UINT64_MAX,
          .any = INT64_MIN,
          .real = -0.1,
          .color = Color::kBlue,
          .time = TimeUs(-5),
          .id = InstanceId(300),
          .text = std::string("a\0b", 3),
          .texts = {"", "x"},
          .inner = {{"one", -1}, {"two", INT32_MAX}}};
}

TEST(Row, IsReadAsItWasWritten) {
  Outer read;
  ASSERT_TRUE(DecodeRow(EncodeRow(Example()), &read));
  EXPECT_EQ(read, Example());
}

TEST(Row, OfDefaultsIsReadToo) {
  Outer read = Example();
  ASSERT_TRUE(DecodeRow(EncodeRow(Outer()), &read));
  EXPECT_EQ(read, Outer());
}

TEST(Row, ThatWasCutOrHasMoreBehindItIsNone) {
  const std::string whole = EncodeRow(Example());
  for (size_t size = 0; size < whole.size(); ++size) {
    Outer read;
    EXPECT_FALSE(DecodeRow(std::string_view(whole).substr(0, size), &read)) << size;
  }
  Outer read;
  EXPECT_FALSE(DecodeRow(whole + "x", &read));
}

struct List {
  std::vector<std::string> texts;
  template <class Self, class Archive>
  static void Fields(Self& self, Archive& archive) {
    archive(self.texts);
  }
};

TEST(Row, WhoseListSaysThatItIsLongerThanItsBytesIsNone) {
  List read;
  EXPECT_FALSE(DecodeRow("\xFF\xFF\xFF\xFF\x7F", &read));
  EXPECT_TRUE(read.texts.empty());
}

}  // namespace
}  // namespace stele::projections
