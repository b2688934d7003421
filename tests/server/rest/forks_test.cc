// Instances that go on from what another one was.
#include "tests/server/rest/rest_world.h"

namespace stele::server::rest {
namespace {

constexpr const char* kWait =
    "{id: first, type: script, config: {script: x}}, "
    "{id: w, type: signal, depends_on: [first], config: {name: go}}";

class Forks : public testing::Test {
 protected:
  Forks() {
    world_.served.Register("waits", kWait, "variables: {rate: {type: integer, default: 1}}");
    origin_ = world_.Start("waits", R"(,"business_key":"A-7")");
    world_.served.Settle();
  }
  std::string Path(const std::string& word) {
    return fmt::format("/instances/{}/{}", origin_, word);
  }
  Answered Forked(const std::string& word, const std::string& body = R"({"seq":1})",
                  http::Headers headers = {}) {
    Answered answered = world_.Post(Path(word), body, std::move(headers));
    world_.served.Settle();
    return answered;
  }
  void Signal(int64_t id) {
    EXPECT_EQ(world_.Post(fmt::format("/instances/{}/signals", id), R"({"name":"go"})").status,
              200);
    world_.served.Settle();
  }

  RestWorld world_;
  int64_t origin_ = 0;
};

TEST_F(Forks, GoOnBesideTheirOrigin) {
  const Answered forked = Forked("fork", R"({"seq":1,"variables":{"rate":9},"reason":"what if"})");
  ASSERT_EQ(forked.status, 201) << forked.body;
  const int64_t fork = forked.at("id").as_int();
  EXPECT_NE(fork, origin_);
  const Answered shown = world_.Get(fmt::format("/instances/{}", fork));
  EXPECT_EQ(shown.at("variables/rate"), Value(9));
  EXPECT_EQ(shown.text("status"), "waiting");
  Signal(fork);
  EXPECT_EQ(world_.StatusOf(fork), "completed");
  EXPECT_EQ(world_.StatusOf(origin_), "waiting");
}

TEST_F(Forks, BeginBehindAnEvent) {
  const Answered forked = Forked("fork", R"({"seq":1})");
  ASSERT_EQ(forked.status, 201) << forked.body;
  // With all of the record that holds it: the first step was to start.
  EXPECT_GT(forked.at("at").as_int(), 1);
  const int64_t fork = forked.at("id").as_int();
  EXPECT_EQ(world_.StatusOf(fork), "waiting");
  const Answered history = world_.Get(fmt::format("/instances/{}/history", fork));
  EXPECT_EQ(history.text("events/0/event"), "instance_forked");
  EXPECT_EQ(history.at("events/0/origin"), Value(origin_));
  EXPECT_EQ(history.at("events/0/origin_seq"), forked.at("at"));
  EXPECT_EQ(history.text("events/0/origin_hash").size(), 64u);
}

TEST_F(Forks, ThatResetEndTheirOrigin) {
  const Answered reset = Forked("reset", R"({"seq":1,"reason":"wrong rate"})");
  ASSERT_EQ(reset.status, 201) << reset.body;
  EXPECT_EQ(world_.StatusOf(origin_), "terminated");
  const Answered shown = world_.Get(fmt::format("/instances/{}", reset.at("id").as_int()));
  EXPECT_EQ(shown.text("business_key"), "A-7");
  EXPECT_EQ(shown.text("status"), "waiting");
}

TEST_F(Forks, WithAKeyAreBegunOnce) {
  const Answered first = Forked("fork", R"({"seq":1})", {{"Idempotency-Key", "once"}});
  ASSERT_EQ(first.status, 201) << first.body;
  const Answered again = Forked("fork", R"({"seq":1,"idempotency_key":"once"})");
  EXPECT_EQ(again.status, 200) << again.body;
  EXPECT_EQ(again.at("id"), first.at("id"));
  EXPECT_EQ(again.at("known"), Value(true));
}

TEST_F(Forks, ThatResetAreBegunOnceThoughTheirOriginHasEnded) {
  const Answered first = Forked("reset", R"({"seq":1,"idempotency_key":"once"})");
  ASSERT_EQ(first.status, 201) << first.body;
  ASSERT_EQ(world_.StatusOf(origin_), "terminated");
  const Answered again = Forked("reset", R"({"seq":1,"idempotency_key":"once"})");
  ASSERT_EQ(again.status, 200) << again.body;
  EXPECT_EQ(again.at("id"), first.at("id"));
  EXPECT_EQ(again.at("at"), first.at("at"));
  // A fork that would leave its origin alone is another thing.
  EXPECT_EQ(world_.Refusal(409, Forked("fork", R"({"seq":1,"idempotency_key":"once"})")),
            "STL0410");
}

TEST_F(Forks, SayWhatTheyWereMadeOf) {
  EXPECT_EQ(world_.Get(fmt::format("/instances/{}", origin_)).at("origin"), Value());
  const Answered forked = Forked("fork", R"({"seq":1})");
  ASSERT_EQ(forked.status, 201) << forked.body;
  const Answered shown = world_.Get(fmt::format("/instances/{}", forked.at("id").as_int()));
  EXPECT_EQ(shown.at("origin/instance"), Value(origin_));
  EXPECT_EQ(shown.at("origin/seq"), forked.at("at"));
}

TEST_F(Forks, GoOnInAnotherVersion) {
  world_.served.Register(
      "waits",
      std::string(kWait) + ", {id: then, type: script, depends_on: [w], config: {script: x}}",
      "variables: {rate: {type: integer, default: 1}}");
  const Answered forked = Forked("fork", R"({"seq":1,"version":2})");
  ASSERT_EQ(forked.status, 201) << forked.body;
  const int64_t fork = forked.at("id").as_int();
  Signal(fork);
  const Answered shown = world_.Get(fmt::format("/instances/{}", fork));
  EXPECT_EQ(shown.at("version"), Value(2));
  EXPECT_EQ(shown.text("status"), "completed");
}

TEST_F(Forks, AreRefusedWhereNothingGoesOn) {
  EXPECT_EQ(world_.Refusal(404, Forked("fork", R"({"seq":4000})")), "STL0309");
  EXPECT_EQ(world_.Refusal(422, Forked("fork", R"({"seq":1,"variables":{"rate":"x"}})")),
            "STL0406");
  EXPECT_EQ(world_.Refusal(422, Forked("fork", R"({"sequence":1})")), "STL0406");
  EXPECT_EQ(world_.Refusal(404, world_.Post("/instances/99/fork", R"({"seq":1})")), "STL0401");
  Signal(origin_);
  const int64_t last = world_.Get(fmt::format("/instances/{}", origin_)).at("seq").as_int();
  EXPECT_EQ(world_.Refusal(409, Forked("fork", fmt::format(R"({{"seq":{}}})", last))), "STL0412");
  world_.who = ServedWorld::Somebody(Role::kViewer);
  EXPECT_EQ(world_.Refusal(403, Forked("fork", R"({"seq":1})")), "STL1002");
}

// What ends its origin where nothing was named would be a way to end it by an empty request.
TEST_F(Forks, AreRefusedWithoutAPlace) {
  for (const char* word : {"fork", "reset", "what-if"}) {
    for (const char* body : {"{}", R"({"seq":null})", R"({"seq":0})", R"({"seq":-3})"})
      EXPECT_EQ(world_.Refusal(422, Forked(word, body)), "STL0406") << word << body;
    EXPECT_NE(Forked(word, R"({"seq":-3})").body.find("found -3"), std::string::npos) << word;
    EXPECT_EQ(Forked(word, R"({"seq":1,"at":"2020-01-01"})").status, 400) << word;
    // Before anything had happened.
    EXPECT_EQ(world_.Refusal(404, Forked(word, R"({"at":"2001-01-01"})")), "STL0309") << word;
  }
  EXPECT_EQ(world_.StatusOf(origin_), "waiting");
}

TEST_F(Forks, AreRefusedWithAPlanForNothing) {
  for (const char* word : {"fork", "reset", "what-if"})
    EXPECT_EQ(world_.Refusal(422, Forked(word, R"({"seq":1,"plan":{"w":"x"}})")), "STL0406")
        << word;
  EXPECT_EQ(world_.StatusOf(origin_), "waiting");
}

TEST_F(Forks, LeaveAtATimeInWhateverKind) {
  const int64_t began = world_.Get(fmt::format("/instances/{}", origin_)).at("started").as_int();
  const std::string body = fmt::format(R"({{"at":{}}})", began);
  const Answered dry = Forked("what-if", body);
  ASSERT_EQ(dry.status, 200) << dry.body;
  const Answered forked = Forked("fork", body);
  ASSERT_EQ(forked.status, 201) << forked.body;
  EXPECT_EQ(forked.at("at"), dry.at("at"));
}

}  // namespace
}  // namespace stele::server::rest
