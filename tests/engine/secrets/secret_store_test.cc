#include "engine/secrets/secret_store.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thread>

#include "engine/secrets/limits.h"
#include "engine/secrets/secrets.h"
#include "secret_files.h"

namespace stele::secrets {
namespace {

using testing::HasSubstr;
using testing::Not;

class Store : public testing::Test {
 protected:
  std::optional<std::string> Value(std::string_view name) {
    auto found = store_.Find(key_, name);
    EXPECT_TRUE(found.has_value()) << found.error().ToString();
    return found.value_or(std::nullopt);
  }
  void Put(std::string_view name, std::string_view value) {
    const Status put = store_.Put(key_, name, value, clock_);
    EXPECT_TRUE(put.has_value()) << put.error().ToString();
  }
  Error PutRefusal(std::string_view name, std::string_view value) {
    const Status put = store_.Put(key_, name, value, clock_);
    EXPECT_FALSE(put.has_value());
    return put.has_value() ? Error{} : put.error();
  }
  std::string Bytes() { return files_.Read("secrets.stele"); }

  Directory files_;
  SecretStore store_{files_.path()};
  SecretKey key_ = SecretKey::Generate();
  ManualClock clock_{TimeUs(1'700'000'000'000'000)};
};

TEST_F(Store, GivesBackWhatWasPut) {
  EXPECT_EQ(Value("TOKEN"), std::nullopt);
  Put("TOKEN", "line one\nline two");
  Put("b-2", std::string(kMaxValueBytes, 'x'));
  EXPECT_EQ(Value("TOKEN"), "line one\nline two");
  EXPECT_EQ(Value("b-2")->size(), kMaxValueBytes);
  EXPECT_EQ(Value("OTHER"), std::nullopt);
}

TEST_F(Store, ShowsNoValueInItsBytesAndIsClosedToOthers) {
  Put("TOKEN", "hunter2-hunter2");
  EXPECT_THAT(Bytes(), HasSubstr("TOKEN"));
  EXPECT_THAT(Bytes(), Not(HasSubstr("hunter2")));
  struct stat info{};
  ASSERT_EQ(stat(store_.path().c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 07777, 0600u);
  EXPECT_FALSE(std::filesystem::exists(store_.path() + ".new"));
}

TEST_F(Store, EncryptsTheSameValueDifferentlyEachTime) {
  Put("A", "value");
  const std::string before = Bytes();
  Put("A", "value");
  EXPECT_NE(Bytes(), before);
  EXPECT_EQ(Value("A"), "value");
}

TEST_F(Store, ListsNamesSizesAndTimesEvenWithoutTheKey) {
  Put("B", "12345");
  clock_.Advance(7);
  Put("A", "1");
  Put("B", "123");
  for (const SecretKey* key : {static_cast<const SecretKey*>(nullptr), &std::as_const(key_)}) {
    const auto list = store_.List(key);
    ASSERT_TRUE(list.has_value());
    ASSERT_EQ(list->size(), 2u);
    EXPECT_EQ((*list)[0].name, "A");
    EXPECT_EQ((*list)[1].bytes, 3u);
    EXPECT_EQ((*list)[1].created, TimeUs(1'700'000'000'000'000));
    EXPECT_EQ((*list)[1].changed, TimeUs(1'700'000'000'000'007));
  }
}

TEST_F(Store, ForgetsWhatIsRemoved) {
  Put("A", "1");
  Put("B", "2");
  ASSERT_TRUE(store_.Remove(key_, "A").has_value());
  EXPECT_EQ(Value("A"), std::nullopt);
  EXPECT_EQ(Value("B"), "2");
  const Status again = store_.Remove(key_, "A");
  ASSERT_FALSE(again.has_value());
  EXPECT_EQ(again.error().code, ErrorCode::kUnknownSecret);
}

TEST_F(Store, SaysThatAKeyIsAnotherOneAndNamesBoth) {
  Put("A", "1");
  const std::string before = Bytes();
  const SecretKey other = SecretKey::Generate();
  const auto found = store_.Find(other, "A");
  ASSERT_FALSE(found.has_value());
  EXPECT_EQ(found.error().code, ErrorCode::kSecretKey);
  EXPECT_THAT(found.error().message, HasSubstr(ToHex(key_.Id())));
  EXPECT_THAT(found.error().message, HasSubstr(ToHex(other.Id())));
  EXPECT_EQ(store_.Put(other, "B", "2", clock_).error().code, ErrorCode::kSecretKey);
  EXPECT_EQ(store_.Remove(other, "A").error().code, ErrorCode::kSecretKey);
  EXPECT_EQ(Bytes(), before);
}

TEST_F(Store, RotatesToAnotherKey) {
  Put("A", "1");
  Put("B", "2");
  const SecretKey next = SecretKey::Generate();
  ASSERT_TRUE(store_.Rotate(key_, next).has_value());
  EXPECT_EQ(store_.Find(next, "A").value(), "1");
  EXPECT_EQ(store_.Find(key_, "A").error().code, ErrorCode::kSecretKey);
  const auto list = store_.List(&next);
  ASSERT_TRUE(list.has_value());
  EXPECT_EQ((*list)[1].created, TimeUs(1'700'000'000'000'000));
}

TEST_F(Store, NoticesEveryChangedByteAndEveryCut) {
  Put("A", "first");
  Put("B", "second");
  const std::string good = Bytes();
  for (size_t i = 0; i < good.size(); ++i) {
    std::string bad = good;
    bad[i] = static_cast<char>(bad[i] ^ 1);
    files_.Write("secrets.stele", bad);
    EXPECT_FALSE(store_.Find(key_, "A").has_value()) << "byte " << i;
    files_.Write("secrets.stele", good.substr(0, i));
    EXPECT_FALSE(store_.Find(key_, "A").has_value()) << "cut at " << i;
    // Without the key it may be read, and must not crash.
    static_cast<void>(store_.List(nullptr));
  }
  files_.Write("secrets.stele", good + "x");
  EXPECT_EQ(store_.Find(key_, "A").error().code, ErrorCode::kSecretStoreDamaged);
}

TEST_F(Store, RefusesAValueInAnotherNamesPlace) {
  // So long that random bytes do not hold them.
  Put("NAME_OF_A", "for a");
  Put("NAME_OF_B", "for b");
  std::string bytes = Bytes();
  const size_t first = bytes.find("NAME_OF_A"), second = bytes.find("NAME_OF_B");
  ASSERT_TRUE(first < second && second < bytes.size());
  std::swap(bytes[first + 8], bytes[second + 8]);
  files_.Write("secrets.stele", bytes);
  EXPECT_EQ(store_.Find(key_, "NAME_OF_A").error().code, ErrorCode::kSecretStoreDamaged);
}

TEST_F(Store, RefusesANewerVersion) {
  Put("A", "1");
  std::string bytes = Bytes();
  bytes[8] = 2;
  files_.Write("secrets.stele", bytes);
  EXPECT_EQ(store_.Find(key_, "A").error().code, ErrorCode::kUnsupported);
}

TEST_F(Store, RefusesToBeOpenToOthers) {
  Put("A", "1");
  files_.Write("secrets.stele", Bytes(), 0644);
  EXPECT_EQ(store_.Find(key_, "A").error().code, ErrorCode::kSecretExposed);
}

TEST(CheckName, NeverRepeatsAValue) {
  EXPECT_TRUE(CheckName("1abc").error().message.ends_with("but found \"1abc\""));
  const Status status = CheckName("API=s3cret");
  ASSERT_FALSE(status.has_value());
  EXPECT_FALSE(status.error().message.contains("s3cret")) << status.error().message;
}

TEST_F(Store, ChecksNamesAndValues) {
  for (const std::string& name : {std::string(), std::string("1A"), std::string("a.b"),
                                  std::string("a/b"), std::string("ä"), std::string(129, 'a')})
    EXPECT_EQ(PutRefusal(name, "x").code, ErrorCode::kBadSecret) << name;
  EXPECT_EQ(PutRefusal("A", "").code, ErrorCode::kBadSecret);
  EXPECT_EQ(PutRefusal("A", std::string("a\0b", 3)).code, ErrorCode::kBadSecret);
  EXPECT_EQ(PutRefusal("A", "\xFF").code, ErrorCode::kBadSecret);
  EXPECT_EQ(PutRefusal("A", std::string(kMaxValueBytes + 1, 'x')).code, ErrorCode::kLimitExceeded);
  EXPECT_FALSE(store_.Exists());
}

TEST_F(Store, LosesNothingWhenManyWriteAtOnce) {
  std::vector<std::thread> writers;
  for (int writer = 0; writer < 4; ++writer)
    writers.emplace_back([this, writer] {
      for (int i = 0; i < 5; ++i) Put("S" + std::to_string(writer) + "_" + std::to_string(i), "v");
    });
  for (std::thread& writer : writers) writer.join();
  EXPECT_EQ(store_.List(&key_)->size(), 20u);
}

TEST_F(Store, WritesOverWhatACrashLeft) {
  files_.Write("secrets.stele.new", "half of it");
  Put("A", "1");
  EXPECT_EQ(Value("A"), "1");
}

}  // namespace
}  // namespace stele::secrets
