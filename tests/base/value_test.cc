#include "base/value.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

namespace stele {
namespace {

TEST(Value, KnowsItsKind) {
  EXPECT_EQ(Value().kind(), Value::Kind::kNull);
  EXPECT_EQ(Value(false).kind(), Value::Kind::kBool);
  EXPECT_EQ(Value(0).kind(), Value::Kind::kInt);
  EXPECT_EQ(Value(0.0).kind(), Value::Kind::kDouble);
  EXPECT_EQ(Value("").kind(), Value::Kind::kString);
  EXPECT_EQ(Value(Array{}).kind(), Value::Kind::kArray);
  EXPECT_EQ(Value(Object{}).kind(), Value::Kind::kObject);
}

TEST(Value, TakesAPointerToCharactersForText) {
  // A const char* would rather become a bool, if the constructors let it.
  const char* text = "true";
  EXPECT_EQ(Value(text).as_string(), "true");
}

TEST(Value, NamesEveryKind) {
  EXPECT_EQ(KindName(Value::Kind::kNull), "null");
  EXPECT_EQ(KindName(Value::Kind::kBool), "boolean");
  EXPECT_EQ(KindName(Value::Kind::kInt), "integer");
  EXPECT_EQ(KindName(Value::Kind::kDouble), "number");
  EXPECT_EQ(KindName(Value::Kind::kString), "string");
  EXPECT_EQ(KindName(Value::Kind::kArray), "array");
  EXPECT_EQ(KindName(Value::Kind::kObject), "object");
}

TEST(Value, ComparesNumbersByAmount) {
  EXPECT_EQ(Value(1), Value(1.0));
  EXPECT_NE(Value(1), Value(1.5));
  EXPECT_EQ(Value(Array{1}), Value(Array{1.0}));
}

TEST(Value, IsUnequalToAnotherKind) {
  EXPECT_NE(Value(1), Value(true));
  EXPECT_NE(Value(1), Value("1"));
  EXPECT_NE(Value(), Value(false));
  EXPECT_NE(Value(Array{}), Value(Object{}));
}

TEST(Value, ComparesObjectsWhateverTheirOrder) {
  EXPECT_EQ(Value(Object{{"a", 1}, {"b", 2}}), Value(Object{{"b", 2}, {"a", 1}}));
  EXPECT_NE(Value(Object{{"a", 1}}), Value(Object{{"a", 1}, {"b", 2}}));
  EXPECT_NE(Value(Object{{"a", 1}}), Value(Object{{"b", 1}}));
  EXPECT_NE(Value(Array{1, 2}), Value(Array{2, 1}));
}

TEST(Value, FindsMembersOfObjectsAlone) {
  const Value object = Object{{"a", 1}};
  ASSERT_NE(object.Find("a"), nullptr);
  EXPECT_EQ(*object.Find("a"), Value(1));
  EXPECT_EQ(object.Find("b"), nullptr);
  EXPECT_EQ(Value(Array{1}).Find("a"), nullptr);
  EXPECT_EQ(Value("a").Find("a"), nullptr);
}

TEST(Value, CopiesDeeply) {
  Value first = Object{{"list", Array{1}}};
  const Value second = first;
  first.as_object().Find("list")->as_array().push_back(2);
  EXPECT_EQ(second, Value(Object{{"list", Array{1}}}));
  EXPECT_NE(first, second);
}

TEST(Object, SetReplacesInPlaceOrAddsAtTheEnd) {
  Object object{{"b", 1}, {"a", 2}};
  object.Set("b", 3);
  object.Set("c", 4);
  std::string keys;
  for (const Member& member : object) keys += member.key;
  EXPECT_EQ(keys, "bac");
  EXPECT_EQ(*object.Find("b"), Value(3));
  EXPECT_EQ(object.size(), 3u);
}

TEST(Object, EraseSaysWhetherThereWasSuchAMember) {
  Object object{{"a", 1}, {"b", 2}};
  EXPECT_TRUE(object.Erase("a"));
  EXPECT_FALSE(object.Erase("a"));
  EXPECT_EQ(object.Find("a"), nullptr);
  EXPECT_EQ(object.size(), 1u);
  EXPECT_FALSE(object.empty());
}

TEST(Object, OfManyMembersIsEqualWhateverTheirOrder) {
  std::vector<Member> members;
  for (int i = 0; i < 100; ++i) members.push_back({std::to_string(i), i});
  const Object rising = Object::Of(members);
  std::ranges::reverse(members);
  EXPECT_EQ(rising, Object::Of(members));
  members[50].value = "other";
  EXPECT_NE(rising, Object::Of(members));
  members[50] = {"other", 49};
  EXPECT_NE(rising, Object::Of(members));
}

}  // namespace
}  // namespace stele
