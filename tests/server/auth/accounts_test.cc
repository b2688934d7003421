#include "server/auth/accounts.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/json.h"
#include "server/auth/encoding.h"
#include "server/auth/limits.h"
#include "server/auth/passwords.h"
#include "tests/server/auth/auth_world.h"

namespace stele::server {
namespace {

using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

constexpr TimeUs kNow(1'700'000'000'000'001);

User Ada() {
  return {.name = "ada",
          .role = Role::kDeveloper,
          .groups = {"finance", "Köln"},
          .password_hash = HashOfNobody(test::CountingBytes(), PasswordLimits::Least()),
          .must_change = true,
          .disabled = true,
          .unclaimed = true,
          .created = kNow,
          .tokens_valid_from = kNow.Next()};
}

ApiKey Robot() {
  ApiKey key = MakeApiKey(test::CountingBytes(), "robot", Role::kWorker, kNow).key;
  key.groups = {"builders"};
  key.expires = kNow.Plus(1000);
  key.disabled = true;
  return key;
}

template <class T>
void ExpectFaults(const Result<T>& read, std::initializer_list<std::string_view> parts) {
  ASSERT_FALSE(read.has_value());
  EXPECT_EQ(read.error().code, ErrorCode::kBadRequest);
  for (const std::string_view part : parts) EXPECT_THAT(read.error().message, HasSubstr(part));
}

TEST(Accounts, OfUsersAreReadBackFromTheirDocuments) {
  const User ada = Ada();
  const auto document = ParseJson(ToJson(ToJson(ada))).value();
  EXPECT_EQ(UserFromJson("ada", document).value(), ada);
  User plain;
  plain.name = "bob@example.org";
  EXPECT_EQ(UserFromJson(plain.name, ToJson(plain)).value(), plain);
}

TEST(Accounts, OfKeysAreReadBackFromTheirDocuments) {
  const ApiKey robot = Robot();
  const auto document = ParseJson(ToJson(ToJson(robot))).value();
  EXPECT_EQ(KeyFromJson(robot.id, document).value(), robot);
}

TEST(Accounts, OfUsersNameEveryFaultAtOnce) {
  ExpectFaults(UserFromJson("ada", ParseJson(R"({"role":"boss","groups":["a",1],
      "password_hash":"$2b$12$abc","must_change":1,"disabled":"no","created_us":-1,
      "tokens_valid_from_us":1.5,"disabeld":true})")
                                       .value()),
               {"`role`", "`groups`", "Argon2id", "`must_change`", "`disabled`", "`created_us`",
                "`tokens_valid_from_us`", "members that are known", "the user ada"});
  ExpectFaults(UserFromJson("ada", Object{}), {"`role`", "`password_hash`", "no such member"});
  ExpectFaults(UserFromJson("ada", "text"), {"an object", "string"});
}

TEST(Accounts, OfKeysNameEveryFaultAtOnce) {
  ExpectFaults(KeyFromJson("abcdefghij", ParseJson(R"({"name":"a b","role":7,"groups":"x",
      "hash":"AAAA","created_us":"","expires_us":null,"disabled":0,"secret":"x"})")
                                             .value()),
               {"`name`", "`role`", "`groups`", "`hash`", "`created_us`", "`expires_us`",
                "`disabled`", "members that are known", "the API key abcdefghij"});
  ExpectFaults(KeyFromJson("abc", ToJson(Robot())), {"an id of 10"});
  ExpectFaults(KeyFromJson("abcdefgh_j", ToJson(Robot())), {"an id of 10"});
}

TEST(Accounts, HaveEveryByteOfTheirDocumentsLookedAt) {
  const std::string text = ToJson(ToJson(Ada()));
  for (size_t at = 0; at < text.size(); ++at) {
    std::string cut = text;
    cut.erase(at, 1);
    const auto document = ParseJson(cut);
    if (!document) continue;
    const auto read = UserFromJson("ada", *document);
    EXPECT_TRUE(!read || *read != Ada()) << cut;
  }
}

TEST(UserNames, AreShortAndPlain) {
  for (const std::string_view name : {"a", "ada", "Ada.Lovelace", "ada+x@example.org", "a_b-c"})
    EXPECT_TRUE(CheckUserName(name).has_value()) << name;
  EXPECT_TRUE(CheckUserName(std::string(128, 'x')).has_value());
  for (const std::string& name :
       {std::string(), std::string("a b"), std::string("ädä"), std::string("a:b"),
        std::string("a/b"), std::string(129, 'x'), std::string("a\0b", 3)}) {
    EXPECT_FALSE(CheckUserName(name).has_value()) << name;
    EXPECT_FALSE(UserFromJson(name, ToJson(Ada())).has_value()) << name;
  }
}

TEST(Accounts, FollowTheSettings) {
  Accounts accounts;
  ASSERT_TRUE(accounts.Set("user:ada", ToJson(Ada())));
  ASSERT_TRUE(accounts.Set("key:" + Robot().id, ToJson(Robot())));
  ASSERT_TRUE(accounts.Set("retention", Value("of somebody else")));
  ASSERT_NE(accounts.FindUser("ada"), nullptr);
  EXPECT_EQ(*accounts.FindUser("ada"), Ada());
  EXPECT_EQ(*accounts.FindKey(Robot().id), Robot());
  EXPECT_EQ(accounts.FindUser("bob"), nullptr);
  EXPECT_EQ(accounts.FindKey("ada"), nullptr);
  User changed = Ada();
  changed.role = Role::kViewer;
  ASSERT_TRUE(accounts.Set("user:ada", ToJson(changed)));
  EXPECT_EQ(accounts.FindUser("ada")->role, Role::kViewer);
  accounts.Remove("user:ada");
  accounts.Remove("key:" + Robot().id);
  accounts.Remove("key:nobody");
  accounts.Remove("retention");
  EXPECT_EQ(accounts.FindUser("ada"), nullptr);
  EXPECT_EQ(accounts.FindKey(Robot().id), nullptr);
}

TEST(Accounts, LetNobodyInByAFaultyDocument) {
  Accounts accounts;
  ASSERT_TRUE(accounts.Set("user:ada", ToJson(Ada())));
  ASSERT_TRUE(accounts.Set("key:" + Robot().id, ToJson(Robot())));
  EXPECT_FALSE(accounts.Set("user:ada", Object{}).has_value());
  EXPECT_FALSE(accounts.Set("key:" + Robot().id, Object{}).has_value());
  EXPECT_EQ(accounts.FindUser("ada"), nullptr);
  EXPECT_EQ(accounts.FindKey(Robot().id), nullptr);
}

TEST(Accounts, AreListedWithoutHashes) {
  Accounts accounts;
  User bob = Ada();
  bob.name = "bob";
  ASSERT_TRUE(accounts.Set("user:bob", ToJson(bob)));
  ASSERT_TRUE(accounts.Set("user:ada", ToJson(Ada())));
  ASSERT_TRUE(accounts.Set("key:" + Robot().id, ToJson(Robot())));
  const Array users = accounts.ListUsers();
  ASSERT_EQ(users.size(), 2u);
  EXPECT_EQ(*users[0].Find("name"), Value("ada"));
  EXPECT_EQ(*users[1].Find("name"), Value("bob"));
  EXPECT_EQ(*users[0].Find("role"), Value("developer"));
  EXPECT_EQ(*users[0].Find("disabled"), Value(true));
  const Array keys = accounts.ListKeys();
  ASSERT_EQ(keys.size(), 1u);
  EXPECT_EQ(*keys[0].Find("id"), Value(Robot().id));
  EXPECT_EQ(*keys[0].Find("name"), Value("robot"));
  const std::string shown = ToJson(Value(users)) + ToJson(Value(keys));
  EXPECT_THAT(shown, Not(HasSubstr("hash")));
  EXPECT_THAT(shown, Not(HasSubstr("argon2")));
  EXPECT_THAT(shown, Not(HasSubstr(EncodeBase64Url(Robot().secret_hash))));
}

TEST(ApiKeys, AreReadFromTheirText) {
  const auto [key, text] = MakeApiKey(test::CountingBytes(), "robot", Role::kWorker, kNow);
  EXPECT_EQ(text, "stele_abcdefghij_CgsMDQ4PEBESExQVFhcYGRobHB0eHyAhIiMkJSYnKCk");
  const auto parsed = ParseApiKey(text);
  ASSERT_TRUE(parsed.has_value());
  EXPECT_EQ(parsed->id, key.id);
  EXPECT_TRUE(IsSecretOf(key, parsed->secret));
  EXPECT_EQ(key.name, "robot");
  EXPECT_EQ(key.created, kNow);
  EXPECT_FALSE(key.expires);
  EXPECT_TRUE(LooksLikeApiKey(text));
  EXPECT_FALSE(LooksLikeApiKey("eyJhbGciOiJIUzI1NiJ9.e30.AA"));
}

TEST(ApiKeys, DoNotCountWhenAnyByteIsAnother) {
  const auto [key, text] = MakeApiKey(SystemRandom(), "robot", Role::kWorker, kNow);
  const auto counts = [&key](std::string_view given) {
    const auto parsed = ParseApiKey(given);
    return parsed.has_value() && parsed->id == key.id && IsSecretOf(key, parsed->secret);
  };
  ASSERT_TRUE(counts(text));
  for (size_t at = 0; at < text.size(); ++at) {
    for (const int change : {1, 2, 0x20, 0x80}) {
      std::string changed = text;
      changed[at] = static_cast<char>(changed[at] ^ change);
      EXPECT_FALSE(counts(changed)) << at;
    }
    std::string shorter = text;
    shorter.erase(at, 1);
    EXPECT_FALSE(counts(shorter)) << at;
  }
  EXPECT_FALSE(counts(text + "A"));
  EXPECT_FALSE(counts(text + "="));
  EXPECT_FALSE(counts(" " + text));
}

TEST(ApiKeys, WithUnderscoresInTheirSecretAreReadToo) {
  const std::string text = "stele_abcdefghij_" + EncodeBase64Url(std::string(32, '\xff'));
  ASSERT_THAT(text, HasSubstr("____"));
  ASSERT_TRUE(ParseApiKey(text).has_value());
  EXPECT_EQ(ParseApiKey(text)->secret, std::string(32, '\xff'));
  EXPECT_THAT(text, StartsWith("stele_"));
}

TEST(RevokedTokens, AreKeptUntilTheyWouldHaveExpired) {
  RevokedTokens revoked;
  revoked.Add("t1", {"ada", kNow});
  revoked.Add("t2", {"ada", kNow.Next()});
  revoked.Add("t0", {"bob", kNow});
  EXPECT_THAT(revoked.ExpiredBy(kNow, 9), testing::ElementsAre("t0", "t1"));
  EXPECT_THAT(revoked.ExpiredBy(kNow.Next(), 2), testing::ElementsAre("t0", "t1"));
  revoked.Remove("t1");
  revoked.Remove("t3");
  EXPECT_FALSE(revoked.Contains("t1"));
  EXPECT_TRUE(revoked.Contains("t2"));
  EXPECT_EQ(revoked.CountOf("ada"), 1u);
  EXPECT_EQ(revoked.CountOf("eve"), 0u);
  revoked.Add("t2", {"bob", kNow});
  EXPECT_EQ(revoked.CountOf("ada"), 0u);
  EXPECT_EQ(revoked.CountOf("bob"), 2u);
  EXPECT_EQ(revoked.size(), 2u);
  EXPECT_THAT(revoked.ExpiredBy(kNow, 9), testing::ElementsAre("t0", "t2"));
}

TEST(RevokedTokens, AreReadBackFromTheirSettings) {
  const RevokedToken token{"ada", kNow};
  const auto document = ParseJson(ToJson(ToJson(token))).value();
  EXPECT_EQ(RevokedTokenFromJson(document).value(), token);
  EXPECT_FALSE(RevokedTokenFromJson("x").has_value());
  EXPECT_FALSE(RevokedTokenFromJson(Object{{"name", "ada"}, {"expires_us", "soon"}}).has_value());
  EXPECT_FALSE(RevokedTokenFromJson(Object{{"expires_us", 1}}).has_value());
  Accounts accounts;
  ASSERT_TRUE(accounts.Set("revoked:t1", document));
  EXPECT_TRUE(accounts.revoked().Contains("t1"));
  EXPECT_FALSE(accounts.Set("revoked:t1", Array{}).has_value());
  EXPECT_TRUE(accounts.revoked().Contains("t1")) << "a fault brings no token back";
  accounts.Remove("revoked:t1");
  EXPECT_FALSE(accounts.revoked().Contains("t1"));
}

}  // namespace
}  // namespace stele::server
