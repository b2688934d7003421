#include "base/person_name.h"

#include <gtest/gtest.h>

#include <string>

namespace stele {
namespace {

TEST(PersonName, IsWhatPeopleAreCalled) {
  for (const char* name : {"ada", "Ada Lovelace", "ada@example.org", "worker", "my worker:7",
                           "https://id.example/users/7", "\xE5\xBC\xB5\xE5\x81\x89", "J\xC3\xB6rg",
                           "\xD7\xA9\xD7\xA8\xD7\x94"})
    EXPECT_EQ(FaultOfPersonName(name), "") << name;
}

TEST(PersonName, IsRefusedWhenItShowsNothing) {
  for (const char* name :
       {"", " ", "   ", "\xC2\xA0", "\xE2\x80\x8B\xE2\x80\x8D", " \xE3\x80\x80 "})
    EXPECT_EQ(FaultOfPersonName(name), "which is blank");
  EXPECT_EQ(FaultOfPersonName(" a "), "");
}

TEST(PersonName, IsRefusedWhenItIsShownAsAnother) {
  for (const std::string& part :
       {std::string("\n"), std::string("\x1B[2K"), std::string(1, '\0'), std::string("\x7F"),
        std::string("\xC2\x9B"), std::string("\xE2\x80\xA8")})
    EXPECT_EQ(FaultOfPersonName("ad" + part + "a"), "which has control characters");
  for (const char* part :
       {"\xD8\x9C", "\xE2\x80\x8F", "\xE2\x80\xAE", "\xE2\x81\xA6", "\xE2\x81\xA9"})
    EXPECT_EQ(FaultOfPersonName(std::string("ad") + part + "a"),
              "which has characters that change the direction of text");
  EXPECT_EQ(FaultOfPersonName("ad\xFF"), "which is not UTF-8");
}

TEST(PersonName, IsRefusedWhenTheLogCallsOthersSo) {
  for (const char* name : {"worker:", "worker:evil", "trigger:3"})
    EXPECT_EQ(FaultOfPersonName(name),
              "which begins as the names of workers and triggers do in the log");
}

}  // namespace
}  // namespace stele
