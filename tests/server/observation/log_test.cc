#include "server/observation/log.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>

#include <filesystem>
#include <fstream>
#include <sstream>
#include <vector>

#include "base/json.h"

namespace stele::server {
namespace {

class Logged : public testing::Test {
 protected:
  JsonLog At(LogLevel least) {
    return {clock_, least, [this](std::string_view line) {
              if (full_) return false;
              lines_.emplace_back(line);
              return true;
            }};
  }
  Value Line(size_t number) const { return ParseJson(lines_.at(number)).value(); }
  std::string Text(size_t number, std::string_view name) const {
    const Value line = Line(number);
    const Value* found = line.Find(name);
    return found == nullptr ? "nothing" : found->is_string() ? found->as_string() : ToJson(*found);
  }

  ManualClock clock_{TimeUs(1'772'366'400'000'042)};
  std::vector<std::string> lines_;
  bool full_ = false;  // takes no lines
};

TEST_F(Logged, LinesThatAreLostAreCounted) {
  JsonLog log = At(LogLevel::kInfo);
  full_ = true;
  for (int i = 0; i < 3; ++i) log.Write(LogLevel::kInfo, "lost", {});
  log.Write(LogLevel::kDebug, "left out", {});
  full_ = false;
  // Whichever file they go to then.
  log.WriteTo([this](std::string_view line) {
    lines_.emplace_back(line);
    return true;
  });
  log.Write(LogLevel::kInfo, "a", {});
  log.Write(LogLevel::kInfo, "b", {});
  ASSERT_EQ(lines_.size(), 3u);
  EXPECT_EQ(Text(0, "message"), "lines lost");
  EXPECT_EQ(Text(0, "level"), "error");
  EXPECT_EQ(Text(0, "lines"), "3");
  EXPECT_EQ(Text(1, "message"), "a");
  EXPECT_EQ(Text(2, "message"), "b");
}

TEST_F(Logged, LinesAreJson) {
  JsonLog log = At(LogLevel::kInfo);
  log.Write(LogLevel::kWarn, "two\nlines \"quoted\"", Object{{"count", 3}});
  ASSERT_EQ(lines_.size(), 1u);
  EXPECT_EQ(lines_[0].find('\n'), lines_[0].size() - 1);
  EXPECT_EQ(Text(0, "time"), "2026-03-01T12:00:00.000042Z");
  EXPECT_EQ(Text(0, "level"), "warn");
  EXPECT_EQ(Text(0, "message"), "two\nlines \"quoted\"");
  EXPECT_EQ(Text(0, "count"), "3");
}

TEST_F(Logged, FieldsDoNotReplaceTheLevel) {
  At(LogLevel::kInfo).Write(LogLevel::kError, "a", Object{{"level", "info"}, {"b", 1}});
  EXPECT_EQ(Text(0, "level"), "error");
  EXPECT_EQ(Text(0, "b"), "1");
}

TEST_F(Logged, WhatIsBelowTheLevelIsLeftOut) {
  JsonLog log = At(LogLevel::kWarn);
  log.Write(LogLevel::kInfo, "no", {});
  log.Write(LogLevel::kWarn, "yes", {});
  log.Write(LogLevel::kError, "yes", {});
  EXPECT_EQ(lines_.size(), 2u);
}

TEST_F(Logged, RequestsHaveTheirRouteAndNotTheirPath) {
  JsonLog log = At(LogLevel::kDebug);
  LogRequest(log, {.method = "POST",
                   .route = "/api/v1/instances/{id}/pause",
                   .path = "/api/v1/instances/42/pause",
                   .source = "10.0.0.1",
                   .id = "r-1",
                   .status = 200,
                   .duration_us = 12});
  EXPECT_EQ(Text(0, "message"), "request");
  EXPECT_EQ(Text(0, "instance"), "42");
  EXPECT_EQ(Text(0, "request_id"), "r-1");
  EXPECT_EQ(Text(0, "status"), "200");
  EXPECT_EQ(Text(0, "duration_us"), "12");
  EXPECT_EQ(Text(0, "path"), "nothing");
  LogRequest(log, {.method = "POST", .route = "/webhook/{path*}", .path = "/webhook/key-of-mine"});
  EXPECT_EQ(lines_[1].find("key-of-mine"), std::string::npos);
}

TEST_F(Logged, RequestsAboutAnInstanceHaveItsTrace) {
  JsonLog log = At(LogLevel::kDebug);
  const auto trace_of = [](InstanceId id) { return std::string(id.value == 42 ? "abc" : ""); };
  LogRequest(log, {.route = "/api/v1/instances/{id}", .path = "/api/v1/instances/42"}, trace_of);
  LogRequest(log, {.route = "/api/v1/instances/{id}", .path = "/api/v1/instances/43"}, trace_of);
  LogRequest(log, {.route = "/api/v1/instances", .path = "/api/v1/instances"}, trace_of);
  EXPECT_EQ(Text(0, "trace_id"), "abc");
  EXPECT_EQ(Text(1, "trace_id"), "nothing");
  EXPECT_EQ(Text(2, "trace_id"), "nothing");
}

TEST_F(Logged, RequestsHaveALevel) {
  JsonLog log = At(LogLevel::kDebug);
  LogRequest(log, {.method = "GET", .route = "/metrics", .status = 200});
  LogRequest(log, {.method = "GET", .route = "/metrics", .status = 500});
  LogRequest(log, {.method = "GET", .route = "", .status = 404});
  EXPECT_EQ(Text(0, "level"), "debug");
  EXPECT_EQ(Text(1, "level"), "error");
  EXPECT_EQ(Text(2, "level"), "info");
}

TEST_F(Logged, WhatClientsAskAmissIsNoError) {
  JsonLog log = At(LogLevel::kDebug);
  for (const int status : {400, 405, 431, 501, 505, 500, 503})
    LogRequest(log, {.method = "BREW", .route = "", .status = status});
  for (const size_t line : {0u, 1u, 2u, 3u, 4u}) EXPECT_EQ(Text(line, "level"), "info") << line;
  for (const size_t line : {5u, 6u}) EXPECT_EQ(Text(line, "level"), "error") << line;
}

TEST_F(Logged, OnlyANumberIsAnInstance) {
  JsonLog log = At(LogLevel::kDebug);
  LogRequest(log, {.route = "/api/v1/instances/{id}", .path = "/api/v1/instances/4x"});
  LogRequest(log, {.route = "/api/v1/instances", .path = "/api/v1/instances"});
  EXPECT_EQ(Text(0, "instance"), "nothing");
  EXPECT_EQ(Text(1, "instance"), "nothing");
}

TEST(LogLevel, IsFoundByItsName) {
  for (const LogLevel level :
       {LogLevel::kDebug, LogLevel::kInfo, LogLevel::kWarn, LogLevel::kError})
    EXPECT_EQ(FindLogLevel(LogLevelName(level)), level);
  EXPECT_FALSE(FindLogLevel("loud").has_value());
}

TEST(LogSink, AppendsToItsFile) {
  std::string folder = std::filesystem::temp_directory_path() / "stele-log-XXXXXX";
  ASSERT_NE(mkdtemp(folder.data()), nullptr);
  const std::string path = folder + "/log";
  for (const char* line : {"one\n", "two\n"}) {
    const auto sink = OpenLogSink(path);
    ASSERT_TRUE(sink.has_value()) << sink.error().ToString();
    (*sink)(line);
  }
  std::ostringstream text;
  text << std::ifstream(path).rdbuf();
  EXPECT_EQ(text.str(), "one\ntwo\n");
  EXPECT_EQ(OpenLogSink(folder + "/none/log").error().code, ErrorCode::kIo);
  std::filesystem::remove_all(folder);
}

// Files of this process end there, as those of a disk that is full.
class FullDisk {
 public:
  explicit FullDisk(rlim_t bytes) : handler_(signal(SIGXFSZ, SIG_IGN)) {
    getrlimit(RLIMIT_FSIZE, &before_);
    const rlimit now{bytes, before_.rlim_max};
    setrlimit(RLIMIT_FSIZE, &now);
  }
  ~FullDisk() {
    setrlimit(RLIMIT_FSIZE, &before_);
    signal(SIGXFSZ, handler_);
  }

 private:
  rlimit before_{};
  const sighandler_t handler_;
};

TEST(LogSink, BeginsANewLineBehindHalfOfOne) {
  std::string folder = std::filesystem::temp_directory_path() / "stele-log-XXXXXX";
  ASSERT_NE(mkdtemp(folder.data()), nullptr);
  std::vector<std::string> notes;
  const auto sink =
      OpenLogSink(folder + "/log", [&notes](std::string_view note) { notes.emplace_back(note); });
  ASSERT_TRUE(sink.has_value()) << sink.error().ToString();
  {
    const FullDisk full(6);
    EXPECT_TRUE((*sink)("one\n"));
    EXPECT_FALSE((*sink)("two\n"));
    EXPECT_FALSE((*sink)("three\n"));
  }
  EXPECT_TRUE((*sink)("four\n"));
  EXPECT_TRUE((*sink)("five\n"));
  std::ostringstream text;
  text << std::ifstream(folder + "/log").rdbuf();
  EXPECT_EQ(text.str(), "one\ntw\nfour\nfive\n");
  ASSERT_EQ(notes.size(), 1u);
  EXPECT_NE(notes[0].find("lost: File too large"), std::string::npos) << notes[0];
  std::filesystem::remove_all(folder);
}

}  // namespace
}  // namespace stele::server
