#include "replay/json_patch.h"

#include <gtest/gtest.h>

#include <random>
#include <string>

#include "base/json.h"

namespace stele::replay {
namespace {

Value Json(std::string_view text) {
  return ParseJson(text).value();
}

Array Patch(std::string_view text) {
  return Json(text).as_array();
}

void ExpectPatch(std::string_view from, std::string_view to, std::string_view patch) {
  EXPECT_EQ(ToJson(Value(PatchBetween(Json(from), Json(to)))), patch);
  EXPECT_EQ(ApplyPatch(Json(from), Patch(patch)).value(), Json(to));
}

TEST(JsonPatch, OfEqualDocumentsIsEmpty) {
  ExpectPatch(R"({"a":1,"b":[1,2]})", R"({"b":[1,2],"a":1})", "[]");
}

TEST(JsonPatch, NamesMembersByTheirPlace) {
  ExpectPatch(R"({"a":1,"b":{"c":2,"d":3}})", R"({"a":1,"b":{"c":4},"e":[]})",
              R"([{"op":"replace","path":"/b/c","value":4},{"op":"remove","path":"/b/d"},)"
              R"({"op":"add","path":"/e","value":[]}])");
}

TEST(JsonPatch, EscapesNames) {
  ExpectPatch(
      R"({"a/b":1,"c~d":1,"":1})", R"({"a/b":2,"c~d":2,"":2})",
      R"([{"op":"replace","path":"/a~1b","value":2},)"
      R"({"op":"replace","path":"/c~0d","value":2},{"op":"replace","path":"/","value":2}])");
}

TEST(JsonPatch, OfAnotherKindReplacesTheWhole) {
  ExpectPatch(R"({"a":1})", "[1]", R"([{"op":"replace","path":"","value":[1]}])");
}

TEST(JsonPatch, FindsTheItemThatWasPutIn) {
  ExpectPatch("[1,2,3]", "[1,9,2,3]", R"([{"op":"add","path":"/1","value":9}])");
  ExpectPatch("[1,2,3]", "[1,3]", R"([{"op":"remove","path":"/1"}])");
  ExpectPatch("[1,2,3,4]", "[1,4]", R"([{"op":"remove","path":"/2"},{"op":"remove","path":"/1"}])");
  ExpectPatch("[]", "[1,2]",
              R"([{"op":"add","path":"/0","value":1},{"op":"add","path":"/1","value":2}])");
  ExpectPatch(R"([{"a":1},{"b":1}])", R"([{"a":2},{"b":1}])",
              R"([{"op":"replace","path":"/0/a","value":2}])");
}

// RFC 6902, appendix A: those of its operations that this one does not write itself.
TEST(JsonPatch, OfAnybodyIsApplied) {
  EXPECT_EQ(ApplyPatch(Json(R"({"foo":{"bar":"baz","waldo":"fred"},"qux":{"corge":"grault"}})"),
                       Patch(R"([{"op":"move","from":"/foo/waldo","path":"/qux/thud"}])"))
                .value(),
            Json(R"({"foo":{"bar":"baz"},"qux":{"corge":"grault","thud":"fred"}})"));
  EXPECT_EQ(ApplyPatch(Json(R"({"foo":["all","grass","cows","eat"]})"),
                       Patch(R"([{"op":"move","from":"/foo/1","path":"/foo/3"}])"))
                .value(),
            Json(R"({"foo":["all","cows","eat","grass"]})"));
  EXPECT_EQ(ApplyPatch(Json(R"({"foo":["bar"]})"),
                       Patch(R"([{"op":"add","path":"/foo/-","value":["abc","def"]}])"))
                .value(),
            Json(R"({"foo":["bar",["abc","def"]]})"));
  EXPECT_EQ(ApplyPatch(Json(R"({"a":{"b":1}})"), Patch(R"([{"op":"copy","from":"/a","path":"/c"},)"
                                                       R"({"op":"test","path":"/c/b","value":1}])"))
                .value(),
            Json(R"({"a":{"b":1},"c":{"b":1}})"));
  EXPECT_EQ(ApplyPatch(Json("1"), Patch(R"([{"op":"remove","path":""}])")).value(), Value());
}

TEST(JsonPatch, ThatDoesNotFitIsRefused) {
  for (const char* patch : {
           R"([1])",
           R"([{"path":"/a"}])",
           R"([{"op":"add","path":"/a"}])",
           R"([{"op":"add","path":"a","value":1}])",
           R"([{"op":"add","path":"/x/y","value":1}])",
           R"([{"op":"add","path":"/list/3","value":1}])",
           R"([{"op":"add","path":"/list/01","value":1}])",
           R"([{"op":"add","path":"/a~2","value":1}])",
           R"([{"op":"replace","path":"/none","value":1}])",
           R"([{"op":"remove","path":"/list/2"}])",
           R"([{"op":"remove","path":"/list/-"}])",
           R"([{"op":"test","path":"/a","value":2}])",
           R"([{"op":"move","from":"/a","path":"/a/b"}])",
           R"([{"op":"mend","path":"/a"}])",
       }) {
    const auto patched = ApplyPatch(Json(R"({"a":1,"list":[1,2]})"), Patch(patch));
    ASSERT_FALSE(patched.has_value()) << patch;
    EXPECT_EQ(patched.error().code, ErrorCode::kInvalidInput);
    EXPECT_TRUE(patched.error().message.starts_with("operation 0: Expected ")) << patch;
  }
}

class RandomDocuments {
 public:
  explicit RandomDocuments(uint32_t seed) : random_(seed) {}

  Value Next(int depth) {
    switch (random_() % (depth == 0 ? 4 : 6)) {
      case 0:
        return Value();
      case 1:
        return Value(random_() % 2 == 0);
      case 2:
        return Value(static_cast<int64_t>(random_() % 3));
      case 3:
        return Value(std::string(random_() % 3, 'a'));
      case 4: {
        Array items;
        for (uint32_t i = random_() % 5; i > 0; --i) items.push_back(Next(depth - 1));
        return items;
      }
      default: {
        Object members;
        for (uint32_t i = random_() % 5; i > 0; --i)
          members.Set(std::string(1, "ab~/"[random_() % 4]), Next(depth - 1));
        return members;
      }
    }
  }

 private:
  std::mt19937 random_;
};

TEST(JsonPatch, MakesOneRandomDocumentOfTheOther) {
  for (uint32_t seed = 1; seed <= 5'000; ++seed) {
    RandomDocuments documents(seed);
    const Value from = documents.Next(4);
    const Value to = documents.Next(4);
    const Array patch = PatchBetween(from, to);
    const auto patched = ApplyPatch(from, patch);
    ASSERT_TRUE(patched.has_value()) << patched.error().message;
    ASSERT_EQ(*patched, to) << "seed " << seed << ": " << ToJson(Value(patch));
    ASSERT_EQ(patch.empty(), from == to);
  }
}

}  // namespace
}  // namespace stele::replay
