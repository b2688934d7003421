#include <map>
#include <stdexcept>

#include "tests/engine/embed/fixture.h"

namespace stele::embed {
namespace {

class EmbedFeed : public EmbedTest {
 protected:
  void SetUp() override {
    Open();
    Register("hello", kEcho);
    Register("rest", kRest);
  }
  uint64_t Hello() {
    const uint64_t id = Get(engine_->Start({.definition = "hello", .input = R"({"text": "x"})"}));
    End(id);
    return id;
  }
};

TEST_F(EmbedFeed, SubscribersSeeEveryEventInTheOrderOfTheLog) {
  std::vector<Event> seen;
  Get(engine_->Subscribe(0, [&](const Event& event) { seen.push_back(event); }));
  std::vector<uint64_t> ids;
  for (int i = 0; i < 20; ++i)
    ids.push_back(Get(engine_->Start({.definition = "hello", .input = R"({"text": "x"})"})));
  for (const uint64_t id : ids) End(id);
  std::vector<std::string> histories;
  for (const uint64_t id : ids) histories.push_back(Get(engine_->History(id)));
  Do(engine_->Stop());

  std::map<uint64_t, std::string> names;
  for (size_t i = 0; i < seen.size(); ++i) {
    if (i > 0) {
      EXPECT_LT(std::pair(seen[i - 1].position, seen[i - 1].ordinal),
                std::pair(seen[i].position, seen[i].ordinal));
    }
    EXPECT_EQ(JsonMember(seen[i].json, "event"), seen[i].name);
    names[seen[i].instance] += seen[i].name + "\n";
  }
  for (size_t i = 0; i < ids.size(); ++i) {
    std::string expected;
    for (size_t at = 0; at < histories[i].size();) {
      const size_t end = histories[i].find('\n', at);
      expected += *JsonMember(histories[i].substr(at, end - at), "event") + "\n";
      at = end + 1;
    }
    EXPECT_EQ(names[ids[i]], expected);
  }
}

TEST_F(EmbedFeed, OneInstanceOnlyWithStepsByName) {
  const uint64_t id = Start("rest");
  const uint64_t other = Start("rest");
  std::vector<Event> seen;
  Get(engine_->Subscribe(id, [&](const Event& event) { seen.push_back(event); }));
  Do(engine_->Pause(other));
  Do(engine_->Pause(id));
  Do(engine_->Resume(id));
  Do(engine_->Stop());
  ASSERT_EQ(seen.size(), 2u);
  EXPECT_EQ(seen[0].name, "instance_paused");
  EXPECT_EQ(seen[1].name, "instance_resumed");
  EXPECT_EQ(seen[0].instance, id);
}

TEST_F(EmbedFeed, NothingComesAfterUnsubscribe) {
  int seen = 0;
  Gate ended;
  const uint64_t number = Get(engine_->Subscribe(0, [&](const Event& event) {
    ++seen;
    if (event.name == "instance_completed") ended.Open();
  }));
  Hello();
  ended.Wait();
  Do(engine_->Unsubscribe(number));
  const int before = seen;
  EXPECT_GT(before, 0);
  Hello();
  Do(engine_->Stop());
  EXPECT_EQ(seen, before);
}

TEST_F(EmbedFeed, ASubscriberMayEndItselfAndThrow) {
  int seen = 0;
  uint64_t number = 0;
  number = Get(engine_->Subscribe(0, [&](const Event&) {
    ++seen;
    if (engine_->Unsubscribe(number).has_value()) throw std::runtime_error("that was it");
  }));
  int all = 0;
  Get(engine_->Subscribe(0, [&](const Event&) { ++all; }));
  Hello();
  Do(engine_->Stop());
  EXPECT_EQ(seen, 1);
  EXPECT_GT(all, 3);
  ASSERT_EQ(problems().size(), 1u);
  EXPECT_NE(problems()[0].find("that was it"), std::string::npos);
}

TEST_F(EmbedFeed, RefusesWhatThereIsNot) {
  EXPECT_EQ(CodeOf(engine_->Subscribe(99, [](const Event&) {})), "STL0401");
  EXPECT_EQ(CodeOf(engine_->Subscribe(0, nullptr)), "STL0406");
  EXPECT_EQ(CodeOf(engine_->Unsubscribe(99)), "STL0406");
  EXPECT_EQ(CodeOf(engine_->RegisterPlugin(nullptr)), "STL0406");
}

struct Told {
  std::vector<std::string> lines;
  uint64_t missed = 0;
};
class Recorder : public Plugin {
 public:
  explicit Recorder(Told& told) : told_(told) {}
  void OnStart(const InstanceNotice& notice) override {
    told_.lines.push_back("start " + notice.definition + " " + notice.input);
  }
  void OnStep(const StepNotice& notice) override {
    told_.lines.push_back(notice.step + " " + notice.phase + " " + notice.kind);
  }
  void OnEnd(const InstanceNotice& notice) override {
    told_.lines.push_back("end " + notice.status + " " + notice.kind);
  }
  void OnMissed(uint64_t notices) override { told_.missed += notices; }

 private:
  Told& told_;
};

TEST_F(EmbedFeed, PluginsSeeStartsStepsAndEnds) {
  Told told;
  Do(engine_->RegisterFunction(
      "breaks", [](const Attempt& attempt) { return TaskResult::Failed("broken", "really"); }));
  Do(engine_->RegisterPlugin(std::make_unique<Recorder>(told)));
  Register("fails",
           "  - {id: s, type: custom:breaks, retry: {max_attempts: 2, initial_delay: 0s}}\n");
  Hello();
  End(Start("fails"));
  Do(engine_->Stop());
  EXPECT_EQ(told.lines, (std::vector<std::string>{"start hello {\"text\":\"x\"}", "say started ",
                                                  "say completed ", "end completed ",
                                                  "start fails ", "s started ", "s retrying ",
                                                  "s failed broken", "end failed broken"}));
  EXPECT_EQ(told.missed, 0u);
}

TEST_F(EmbedFeed, PluginsKnowTheStepsOfInstancesThatStartedBeforeThem) {
  const uint64_t id = Start("rest");
  Reopen();
  Told told;
  Do(engine_->RegisterPlugin(std::make_unique<Recorder>(told)));
  Get(engine_->Continue());
  Do(engine_->Cancel(id));
  End(id);
  Do(engine_->Stop());
  EXPECT_EQ(told.lines, (std::vector<std::string>{"rest cancelled ", "end cancelled "}));
}

class Thrower final : public Plugin {
  void OnStart(const InstanceNotice&) override { throw std::runtime_error("plugin trouble"); }
  void OnEnd(const InstanceNotice&) override { throw 3; }
};

TEST_F(EmbedFeed, APluginThatThrowsHarmsNobody) {
  Told told;
  Do(engine_->RegisterPlugin(std::make_unique<Thrower>()));
  Do(engine_->RegisterPlugin(std::make_unique<Recorder>(told)));
  EXPECT_EQ(Get(engine_->GetStatus(Hello())).status, "completed");
  Do(engine_->Stop());
  EXPECT_EQ(told.lines.size(), 4u);
  ASSERT_EQ(problems().size(), 2u);
  EXPECT_NE(problems()[0].find("plugin trouble"), std::string::npos);
}

class Blocker final : public Recorder {
 public:
  Blocker(Told& told, Gate& gate) : Recorder(told), gate_(gate) {}
  void OnStart(const InstanceNotice& notice) override {
    gate_.Wait();
    Recorder::OnStart(notice);
  }

 private:
  Gate& gate_;
};

TEST_F(EmbedFeed, ASlowPluginDelaysNobodyAndHearsWhatItMissed) {
  engine_.reset();
  Open({.plugin_backlog = 4});
  Told told;
  Gate gate;
  Do(engine_->RegisterPlugin(std::make_unique<Blocker>(told, gate)));
  // The plugin stands still in its first notice.
  for (int i = 0; i < 10; ++i) Hello();
  gate.Open();
  Do(engine_->Stop());
  EXPECT_EQ(told.lines.size() + told.missed, 40u);
  EXPECT_GE(told.lines.size(), 4u);
  EXPECT_GT(told.missed, 0u);
}

}  // namespace
}  // namespace stele::embed
