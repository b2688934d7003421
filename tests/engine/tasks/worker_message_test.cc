// What is said between the engine and a worker.
#include "engine/tasks/worker_message.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/json.h"

namespace stele::tasks {
namespace {

using testing::HasSubstr;

template <class Message>
Message Read(std::string_view json) {
  const Result<WorkerMessage> message = ReadWorkerMessage(json);
  if (!message.has_value()) {
    ADD_FAILURE() << message.error().ToString();
    return {};
  }
  if (const auto* read = std::get_if<Message>(&*message)) return *read;
  ADD_FAILURE() << "another message: " << json;
  return {};
}

TEST(WorkerMessage, TellsATaskWithAllThatItNeeds) {
  const std::string type = "resize", definition = "album", step = "small";
  const Value config = Object{{"width", 3}}, input = Object();
  const std::vector<std::string> secrets = {"hunter2!"};
  const AttemptKey key{InstanceId(42), RunId(7), 2};
  const std::string trace_parent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
  EXPECT_EQ(ToJson(TaskMessage({LeaseId(5), key, type, definition, step, config, input, secrets,
                                trace_parent, 1'500'001, 30'000'000})),
            R"({"message":"task","lease":5,"key":"42-7-2","type":"resize","definition":"album",)"
            R"("step":"small","instance":42,"attempt":2,"config":{"width":3},"input":{},)"
            R"("timeout_ms":1501,"lease_ms":30000,"trace_parent":")" +
                trace_parent + R"("})");
  EXPECT_EQ(ToJson(CancelMessage(LeaseId(5), "why")),
            R"({"message":"cancel","lease":5,"reason":"why"})");
  EXPECT_EQ(ToJson(EndedMessage(LeaseId(5), "why")),
            R"({"message":"ended","lease":5,"reason":"why"})");
  EXPECT_EQ(ToJson(RefusedMessage(3, {ErrorCode::kStaleAttempt, "Expected a but found b"})),
            R"({"message":"refused","line":3,"reason":"STL0404: Expected a but found b"})");
}

TEST(WorkerMessage, ReadsAnswers) {
  const auto complete =
      Read<CompleteMessage>(R"({"message":"complete","lease":5,"output":{"a":1},"log":"x\n"})");
  EXPECT_EQ(complete.lease, LeaseId(5));
  EXPECT_EQ(ToJson(complete.output), R"({"a":1})");
  EXPECT_EQ(complete.log, "x\n");
  EXPECT_TRUE(Read<CompleteMessage>(R"({"message":"complete","lease":5})").output.is_object());
  const auto fail = Read<FailMessage>(
      R"({"message":"fail","lease":5,"error":{"kind":"full","message":"no space",
          "retryable":false,"details":{"disk":1}}})");
  EXPECT_EQ(fail.failure.kind, "full");
  EXPECT_EQ(fail.failure.message, "no space");
  EXPECT_FALSE(fail.failure.retryable);
  EXPECT_EQ(fail.failure.details.text(), R"({"disk":1})");
  EXPECT_TRUE(Read<FailMessage>(R"({"message":"fail","lease":5,"error":{}})").failure.retryable);
  EXPECT_EQ(Read<HeartbeatMessage>(R"({"message":"heartbeat","lease":5,"detail":"half"})").detail,
            "half");
  Read<LeaveMessage>(R"({"message":"leave"})");
}

TEST(WorkerMessage, SaysWhatItExpectedAndFound) {
  const std::pair<const char*, const char*> cases[] = {
      {"hello", "Expected"},
      {"[1]", "Expected a message, an object, but found [1]"},
      {"{}", "as \"message\" but found none"},
      {R"({"message":"task","lease":5})", "but found \"task\""},
      {R"({"message":"complete"})", "the number of a lease as \"lease\" but found none"},
      {R"({"message":"complete","lease":"5"})", "but found \"5\""},
      {R"({"message":"complete","lease":-1})", "but found -1"},
      {R"({"message":"complete","lease":5,"log":7})", "a text as \"log\" but found 7"},
      {R"({"message":"heartbeat","lease":5,"detail":[]})", "a text as \"detail\""},
      {R"({"message":"fail","lease":5})", "an object as \"error\" but found none"},
      {R"({"message":"fail","lease":5,"error":{"retryable":1}})", "a boolean as \"retryable\""},
      {R"({"message":"fail","lease":5,"error":{"kind":1}})", "a text as \"kind\""},
      {R"({"message":"fail","lease":5,"error":{"details":1}})", "an object as \"details\""},
  };
  for (const auto& [line, sentence] : cases) {
    const Result<WorkerMessage> message = ReadWorkerMessage(line);
    ASSERT_FALSE(message.has_value()) << line;
    EXPECT_EQ(message.error().code, ErrorCode::kInvalidInput);
    EXPECT_THAT(message.error().message, HasSubstr(sentence));
  }
}

}  // namespace
}  // namespace stele::tasks
