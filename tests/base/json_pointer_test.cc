#include "base/json_pointer.h"

#include <gtest/gtest.h>

#include "base/json.h"

namespace stele {
namespace {

using Keys = std::vector<std::string>;

TEST(JsonPointer, EscapesKeys) {
  EXPECT_EQ(EscapePointerKey("a/b~c"), "a~1b~0c");
  EXPECT_EQ(EscapePointerKey(""), "");
  EXPECT_EQ(Under("/a", "b/c"), "/a/b~1c");
  EXPECT_EQ(Under("", ""), "/");
}

TEST(JsonPointer, IsReadBack) {
  EXPECT_EQ(PointerKeys(""), Keys());
  EXPECT_EQ(PointerKeys("/"), Keys{""});
  EXPECT_EQ(PointerKeys("/a//b"), (Keys{"a", "", "b"}));
  // RFC 6901, 4: "~01" is "~1", and not "/".
  EXPECT_EQ(PointerKeys("/a~01/~1~0"), (Keys{"a~1", "/~"}));
  for (const Keys& keys : {Keys{"a", "~", "/"}, Keys{"~1", "~0", ""}}) {
    std::string pointer;
    for (const std::string& key : keys) AppendPointer(pointer, key);
    EXPECT_EQ(PointerKeys(pointer), keys) << pointer;
  }
}

TEST(JsonPointer, IsNoneOtherwise) {
  for (const char* text : {"a", "#/a", "/~", "/a~2", "/~/a"})
    EXPECT_EQ(PointerKeys(text), std::nullopt) << text;
}

TEST(JsonPointer, LeadsToValues) {
  const Value document = ParseJson(R"({"a": [{"b/c": 1}, 2], "": {"-1": 3}})").value();
  const auto at = [&document](std::string_view pointer) {
    return ValueAt(document, PointerKeys(pointer).value());
  };
  EXPECT_EQ(*at(""), document);
  EXPECT_EQ(*at("/a/0/b~1c"), Value(1));
  EXPECT_EQ(*at("/a/1"), Value(2));
  EXPECT_EQ(*at("//-1"), Value(3));
  for (const char* none : {"/b", "/a/2", "/a/-", "/a/01", "/a/-1", "/a/1x", "/a/", "/a/1/c",
                           "/a/99999999999999999999"})
    EXPECT_EQ(at(none), nullptr) << none;
}

}  // namespace
}  // namespace stele
