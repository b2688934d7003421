#include "engine/definition/canonical.h"

#include <gtest/gtest.h>

#include "tests/engine/definition/support.h"

namespace stele::definition::testing {
namespace {

// Everything that a definition can say.
constexpr std::string_view kRich =
    "id: rich\nname: Everything\nversion: 2\ndescription: d\ntags: [x, y]\ndeadline: 1h\n"
    "owner_id: me\nvariables: {n: 1, s: {type: string, required: true}}\n"
    "triggers: [{type: schedule, config: {cron: '0 2 * * *'}}]\n"
    "outputs: {total: variables.n}\nerror_handling: {strategy: park, fallback_task: f}\nsteps:\n"
    "- {id: a, name: A, type: script, config: {script: 'echo ${n} $${x}', list: [1, 2.5, null]},\n"
    "   timeout: 5s, compensation: u, fallback: f, optional: true, position: {x: 1}}\n"
    "- {id: l, type: loop, depends_on: a, loop: {until: 'variables.n > 3', item: i,\n"
    "   max_iterations: 9}, steps: [{id: x, type: delay, duration: '{{variables.n}}s'},\n"
    "   {id: t, type: loop, times: 3, break_on_error: false, max_concurrent: 2,\n"
    "    steps: [{id: y, type: http}]}]}\n"
    "- {id: c, type: condition, depends_on: l, condition: 'a == \"é\"', then: g, else: a2}\n"
    "- {id: g, type: http, on_error: c, retry: {max_attempts: 4, jitter: true, multiplier: 1.5,\n"
    "   max_delay: 9s, retry_on: [timeout], no_retry_on: [exit]}, next: g2}\n"
    "- {id: a2, type: http}\n"
    "- {id: g2, type: http, depends_on: [a, a2], join: 1, when: 'input.x',\n"
    "   input_mapping: {k: 1, 'null': ~}, output_mapping: {n: outputs.n}}\n"
    "- {id: f, type: email}\n- {id: u, type: script}\n";

// What is waited for, published, decided by people, and how much of it at once.
constexpr std::string_view kWaiting =
    "name: waiting\npriority: 7\nmax_concurrent: 3\nrate_limit: {count: 10, per: 2s}\nsteps:\n"
    "- {id: a, type: approval, config: {assignees: [x]}, returnable: false,\n"
    "   concurrency: {key: '{{input.customer}}', limit: 2}, rate_limit: {count: 5, per: 1m}}\n"
    "- {id: m, type: message, depends_on: a, config: {name: paid, key: '{{input.id}}'}}\n"
    "- {id: p, type: publish, depends_on: m, config: {name: sent, payload: {x: 1}}}\n"
    "- {id: s, type: signal, depends_on: p, concurrency: {limit: 4}, config: {name: go}}\n"
    "- {id: c, type: call, depends_on: s, concurrency: 9, config: {workflow: other}}\n";

void ExpectRoundTrip(const Definition& definition) {
  const std::string text = WriteCanonical(definition);
  const LoadResult read = ReadCanonical(text);
  if (!read) {
    for (const Fault& fault : read.error()) ADD_FAILURE() << FormatFault("canonical", fault);
    return;
  }
  EXPECT_EQ(WriteCanonical(**read), text);
  EXPECT_EQ(Shape(**read), Shape(definition));
  ASSERT_EQ((*read)->regions.size(), definition.regions.size());
  for (size_t i = 0; i < definition.regions.size(); ++i) {
    EXPECT_EQ((*read)->regions[i].steps, definition.regions[i].steps);
    EXPECT_EQ((*read)->regions[i].parent, definition.regions[i].parent);
  }
  for (size_t i = 0; i < definition.bodies.size(); ++i) {
    EXPECT_EQ((*read)->bodies[i].steps, definition.bodies[i].steps);
    EXPECT_EQ((*read)->bodies[i].entries, definition.bodies[i].entries);
    EXPECT_EQ((*read)->bodies[i].owner, definition.bodies[i].owner);
  }
  for (size_t i = 0; i < definition.steps.size(); ++i) {
    EXPECT_EQ((*read)->steps[i].incoming, definition.steps[i].incoming);
    EXPECT_EQ((*read)->steps[i].outgoing, definition.steps[i].outgoing);
    EXPECT_EQ((*read)->steps[i].region, definition.steps[i].region);
    EXPECT_EQ((*read)->steps[i].retry, definition.steps[i].retry);
  }
}

TEST(Canonical, ReadsWhatItWrote) {
  ExpectRoundTrip(*LoadYaml(kRich));
}

TEST(Canonical, IsHeldToTheRangeOfPrioritiesByWhoLoadsItAndNotByWhoReadsTheLog) {
  std::string text =
      WriteCanonical(*LoadYaml("name: n\npriority: 7\nsteps:\n- {id: a, type: http}\n"));
  const size_t at = text.find("\"priority\":7");
  ASSERT_NE(at, std::string::npos) << text;
  text.replace(at + 11, 1, "1000001");
  const auto faults = FaultsOf(text, Syntax::kJson);
  ASSERT_EQ(faults.size(), 1u);
  EXPECT_TRUE(faults[0].ends_with(
      "Expected an integer from -1000000 to 1000000 for `priority` but found 1000001"))
      << faults[0];
  EXPECT_TRUE(ReadCanonical(text).has_value());
}

TEST(Canonical, KeepsWhatWaitsAndHowMuchRunsAtOnce) {
  const auto definition = LoadYaml(kWaiting);
  ExpectRoundTrip(*definition);
  const auto again = LoadJson(WriteCanonical(*definition));
  EXPECT_EQ(again->priority, 7);
  ASSERT_TRUE(again->concurrency);
  EXPECT_EQ(again->concurrency->limit, 3u);
  EXPECT_EQ(again->concurrency->key.source(), Value(""));
  EXPECT_EQ(again->rate, (RateLimit{10, 2'000'000}));
  const Step& approval = *again->FindStep("a");
  EXPECT_EQ(approval.kind, StepKind::kHuman);
  EXPECT_FALSE(approval.returnable);
  ASSERT_TRUE(approval.concurrency);
  EXPECT_EQ(approval.concurrency->limit, 2u);
  EXPECT_EQ(approval.concurrency->key.source(), Value("{{input.customer}}"));
  EXPECT_EQ(approval.rate, (RateLimit{5, 60'000'000}));
  EXPECT_EQ(again->FindStep("m")->kind, StepKind::kWait);
  EXPECT_EQ(again->FindStep("p")->kind, StepKind::kPublish);
  EXPECT_EQ(again->FindStep("p")->task_type, "message");
  EXPECT_EQ(again->FindStep("s")->task_type, "signal");
  EXPECT_EQ(again->FindStep("c")->concurrency->limit, 9u);
}

TEST(Canonical, ReadsEveryPrintedDefinition) {
  for (const std::string& name : PrintedNames()) {
    SCOPED_TRACE(name);
    if (name == "retry-policy.yml") continue;  // no definition of its own
    const std::string text = ReadPrinted(name);
    ExpectRoundTrip(name.ends_with(".json") ? *LoadJson(text) : *LoadYaml(text));
  }
}

// The bytes are recorded in logs: this text may never change.
TEST(Canonical, HasTheFormThatIsDocumented) {
  const auto definition = LoadYaml(
      "name: n\nsteps:\n- {id: a, type: script, config: {script: ls}, timeout: 2s}\n"
      "- {id: b, type: http, depends_on: a}\n");
  EXPECT_EQ(WriteCanonical(*definition),
            R"({"format_version":1,"dialect":"steps","name":"n","title":"n","bodies":[{"id":"n",)"
            R"("entries":[0],"place":[1,1]}],"steps":[{"id":"a","type":"script","config":)"
            R"({"script":"ls"},"timeout_us":2000000,"place":[3,8]},{"id":"b","type":"http",)"
            R"("retry":{"max_attempts":3,"backoff":"exponential","initial_delay_us":1000000,)"
            R"("max_delay_us":30000000,"jitter":0.5},)"
            R"("place":[4,8]}],"transitions":[{"from":0,"to":1,"place":[4,35]}]})");
}

TEST(Canonical, IsLoadedLikeADialect) {
  const auto definition = LoadYaml(kRich);
  EXPECT_EQ(Shape(*LoadJson(WriteCanonical(*definition))), Shape(*definition));
}

std::string FirstFault(std::string_view json) {
  const LoadResult read = ReadCanonical(json);
  return read ? "none" : read.error()[0].message;
}

TEST(Canonical, IsRefusedWhenItContradictsItself) {
  EXPECT_EQ(FirstFault(R"({"format_version":2})"), "Expected format_version 1 but found 2");
  EXPECT_EQ(FirstFault(R"({"format_version":1,"bodies":[{}]})"),
            "Expected at least one body and one step but found none");
  EXPECT_EQ(FirstFault(R"({"format_version":1,"bodies":[{"entries":[1]}],"steps":[{"id":"a"}]})"),
            "Expected the index of a step below 1 but found 1");
  EXPECT_EQ(FirstFault(R"({"format_version":1,"bodies":[{"entries":[0]}],"steps":[{"id":"a",)"
                       R"("child":0,"kind":"loop","loop":{"mode":"times","items":1}}]})"),
            "Expected a body to be run by one step but found \"a\" too");
  EXPECT_EQ(FirstFault(R"({"format_version":1,"bodies":[{"entries":[0]},{"entries":[1]}],)"
                       R"("steps":[{"id":"a"},{"id":"b","body":1}],)"
                       R"("transitions":[{"from":0,"to":1}]})"),
            "Expected transitions within a body but found one that leaves it");
  EXPECT_EQ(FirstFault(R"({"format_version":1,"bodies":[{"entries":[0]}],"steps":[{"id":"a",)"
                       R"("kind":"delay"}]})"),
            "Expected a loop or delay as the kind of \"a\" wants but found otherwise");
  EXPECT_EQ(FirstFault(R"({"format_version":1,"bodies":[{}],"steps":[{"id":"a","kind":"loop"}]})"),
            "Expected a child body of loops and sub-processes alone but found otherwise at \"a\"");
  EXPECT_EQ(FirstFault(R"({"format_version":1,"bodies":[{}],"steps":[{"id":"a",)"
                       R"("kind":"sub_process"}]})"),
            "Expected a child body of loops and sub-processes alone but found otherwise at \"a\"");
  EXPECT_EQ(FirstFault(R"({"format_version":1,"bodies":[{}],"steps":[{"id":"a"}]})"),
            "Expected a way from the start to every step but found none to \"a\"");
}

TEST(Canonical, AFileThatIsOneHasNoSecretWhereItWouldBeRecorded) {
  EXPECT_EQ(
      FaultsOf(R"({"format_version":1,"bodies":[{"entries":[0]}],"steps":[{"id":"a",)"
               R"("kind":"delay","delay":"{{ secrets.x }}","place":[1,70]}]})",
               Syntax::kJson),
      (std::vector<std::string>{"1:70 STL0102 Expected no secret in the delay of \"a\", which "
                                "is recorded, but found `secrets.x`"}));
}

// What is registered is read back from the log; it must not be larger than what is read.
TEST(Canonical, OfAFileIsNoLargerThanAFile) {
  const std::string text = "name: n\ndescription: &c \"" + std::string(900'000, 'x') +
                           "\"\nsteps:\n"
                           "- {id: a, type: script, description: *c}\n"
                           "- {id: b, type: script, description: *c}\n";
  const auto load = [&](const std::string& more) { return FaultsOf(text + more); };
  EXPECT_TRUE(load("").empty());
  const auto faults =
      load("- {id: c, type: script, description: *c}\n- {id: d, type: script, description: *c}\n");
  ASSERT_EQ(faults.size(), 1u);
  EXPECT_TRUE(faults[0].starts_with(
      "1:1 STL0002 Expected a definition of at most 4194304 bytes in its canonical form"))
      << faults[0];
}

}  // namespace
}  // namespace stele::definition::testing
