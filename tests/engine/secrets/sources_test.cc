// The environment, and the chain of all sources of a process.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "engine/secrets/secret_store.h"
#include "engine/secrets/secrets.h"
#include "secret_files.h"

namespace stele::secrets {
namespace {

using testing::AllOf;
using testing::HasSubstr;

TEST(EnvironmentSecrets, LooksForTheNameInUpperCase) {
  const Variable variable("STELE_SECRET_API_TOKEN_2", "value");
  const EnvironmentSecrets secrets;
  EXPECT_EQ(secrets.Find("api_token-2"), "value");
  EXPECT_EQ(secrets.Find("api_token_3"), std::nullopt);
  EXPECT_EQ(secrets.Missing("api_token_3"), "no variable STELE_SECRET_API_TOKEN_3");
}

TEST(SecretsFromProcess, TakesTheEnvironmentBeforeTheFileBeforeTheStore) {
  const Directory files;
  const SecretKey key = SecretKey::Generate();
  const SecretStore store(files.path());
  for (const char* name : {"one", "two", "three"})
    ASSERT_TRUE(store.Put(key, name, "of the store", ManualClock(TimeUs(1))).has_value());
  const Variable key_variable("STELE_SECRETS_KEY", key.ToText());
  const Variable file("STELE_SECRETS_FILE",
                      files.Write("env", "one=of the file\ntwo=of the file\n"));
  const Variable variable("STELE_SECRET_ONE", "of the environment");

  const auto secrets = SecretsFromProcess(files.path());
  ASSERT_TRUE(secrets.has_value());
  EXPECT_EQ((*secrets)->Find("one"), "of the environment");
  EXPECT_EQ((*secrets)->Find("two"), "of the file");
  EXPECT_EQ((*secrets)->Find("three"), "of the store");
  EXPECT_EQ((*secrets)->Find("four"), std::nullopt);
  EXPECT_THAT((*secrets)->Missing("four"),
              AllOf(HasSubstr("no variable STELE_SECRET_FOUR"), HasSubstr("no line in"),
                    HasSubstr("no entry in " + store.path())));
}

TEST(SecretsFromProcess, RefusesAFileThatOthersCanRead) {
  const Directory files;
  const Variable file("STELE_SECRETS_FILE", files.Write("env", "A=1", 0644));
  const auto secrets = SecretsFromProcess(files.path());
  ASSERT_FALSE(secrets.has_value());
  EXPECT_EQ(secrets.error().code, ErrorCode::kSecretExposed);
}

TEST(SecretsFromProcess, SaysThatTheStoreHasAnotherKeyOrThatThereIsNone) {
  const Directory files;
  ASSERT_TRUE(SecretStore(files.path())
                  .Put(SecretKey::Generate(), "a", "1", ManualClock(TimeUs(1)))
                  .has_value());
  const auto secrets = SecretsFromProcess(files.path());
  ASSERT_TRUE(secrets.has_value());
  EXPECT_THAT((*secrets)->Missing("a"), HasSubstr("STL0801: Expected a key in STELE_SECRETS_KEY"));
  const Variable key("STELE_SECRETS_KEY", SecretKey::Generate().ToText());
  EXPECT_EQ((*secrets)->Find("a"), std::nullopt);
  EXPECT_THAT((*secrets)->Missing("a"), HasSubstr("STL0801: Expected the key with the id"));
}

}  // namespace
}  // namespace stele::secrets
