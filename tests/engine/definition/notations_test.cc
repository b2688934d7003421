// The notations of other engines and what they become.

#include <gtest/gtest.h>

#include <fstream>
#include <sstream>

#include "base/json.h"
#include "engine/definition/canonical.h"
#include "engine/definition/portrait.h"
#include "tests/engine/definition/support.h"

namespace stele::definition::testing {
namespace {

using Lines = std::vector<std::string>;

std::shared_ptr<const Definition> LoadNotation(const std::string& name) {
  std::ifstream file(STELE_SOURCE_DIR "/tests/engine/definition/notations/" + name);
  std::ostringstream text;
  text << file.rdbuf();
  return name.ends_with(".json") ? LoadJson(text.str()) : LoadYaml(text.str());
}

std::string Config(const Definition& definition, std::string_view step) {
  const Step* found = definition.FindStep(step);
  return found == nullptr ? "no such step" : ToJson(found->config.source());
}

TEST(Nodes, CallAnInterfaceThatTheFileLists) {
  const auto definition = LoadNotation("api-call.json");
  EXPECT_EQ(definition->dialect, "nodes");
  EXPECT_EQ(Shape(*definition), "begin start\ncall_users http\nbegin -> call_users\n");
  EXPECT_EQ(Config(*definition, "call_users"),
            R"({"url":"https://api.example.com/users","method":"GET",)"
            R"("query":{"param1":"{{input.value}}"}})");
  const Step& call = *definition->FindStep("call_users");
  EXPECT_EQ(call.timeout_us, 30'000'000);
  EXPECT_EQ(definition->deadline_us, 300'000'000);
  EXPECT_EQ(ToJson(call.extra),
            R"({"description":"asks for a user","position_x":100,"position_y":200})");
}

TEST(Nodes, AConditionTakesItsPaths) {
  EXPECT_EQ(Shape(*LoadNotation("score.json")),
            "begin start\njudge condition first\npassed script\nfailed script\n"
            "begin -> judge\njudge -> passed if {{input.score}} >= 60\njudge -> failed default\n");
}

TEST(Nodes, AnInterfaceThatIsListedNowhereIsAWorkersType) {
  EXPECT_EQ(Shape(*LoadNotation("fan-out.json")),
            "fork parallel\ntask_1 api:4\ntask_2 api:5\nfork -> task_1\nfork -> task_2\n");
}

TEST(Nodes, ALoopsBodyIsWhatItsLoopConnectionsReach) {
  const auto definition = LoadNotation("repeat.json");
  EXPECT_EQ(Shape(*definition), "rounds loop\nrounds/one_round api:6\n");
  EXPECT_EQ(Entries(*definition, 1), "one_round");
  EXPECT_EQ(definition->FindStep("rounds")->loop.mode, LoopMode::kWhile);
  EXPECT_EQ(definition->FindStep("rounds")->loop.max_iterations, 10u);
}

TEST(Nodes, MappedOutputsAreNamedThroughTheirNode) {
  const auto definition = LoadNotation("login.json");
  EXPECT_EQ(Config(*definition, "n2"),
            R"({"url":"https://api.example.com/profile","method":"PUT",)"
            R"("body":{"user_id":"{{variables.user_id}}","token":"{{variables.token}}",)"
            R"("data":"{{input.update_data}}"}})");
  EXPECT_EQ(definition->FindStep("n3")->task_type, "CUSTOM_PROCESSOR");
}

TEST(Nodes, ADelayOfAConnectionIsAStep) {
  const auto definition = LoadYaml(
      "name: n\nnodes:\n- {id: a, node_type: script, config: {script: x}}\n"
      "- {id: b, node_type: script, config: {script: x}}\n"
      "connections:\n- {from: a, to: b, config: {delay: 5}}\n");
  EXPECT_EQ(Shape(*definition), "a script\nb script\na_to_b delay\na -> a_to_b\na_to_b -> b\n");
  EXPECT_EQ(definition->FindStep("a_to_b")->delay->source(), Value(5));
}

TEST(Nodes, AWayBackOutOfAChoiceEndsTheIteration) {
  const auto definition = LoadYaml(
      "name: n\nnodes:\n- {id: l, node_type: LOOP, config: {condition: loop.index < 3}}\n"
      "- {id: c, node_type: CONDITION, config: {condition: input.x, true_path: s, false_path: l}}\n"
      "- {id: s, node_type: script, config: {script: x}}\n"
      "- {id: e, node_type: END}\n"
      "connections:\n- {from: l, to: c, connection_type: LOOP}\n- {from: s, to: l}\n"
      "- {from: l, to: e}\n");
  EXPECT_EQ(Shape(*definition),
            "l loop\ne end\nl/c condition first\nl/s script\nl/l.next end\n"
            "l -> e\nc -> s if input.x\nc -> l.next default\n");
}

TEST(Nodes, OnlyTheFirstBranchIsWaitedForWhenTheGatewaySaysSo) {
  const auto definition = LoadYaml(
      "name: n\nnodes:\n- {id: p, node_type: PARALLEL, config: {wait_for_all: false, "
      "max_concurrent: 1}}\n- {id: a, node_type: script, config: {script: x}}\n"
      "- {id: b, node_type: script, config: {script: x}}\n- {id: j, node_type: END}\n"
      "connections:\n- {from: p, to: a, connection_type: PARALLEL}\n"
      "- {from: p, to: b, connection_type: PARALLEL}\n- {from: a, to: j}\n- {from: b, to: j}\n");
  EXPECT_EQ(Shape(*definition),
            "p parallel\na script\nb script\nj end join=any\np -> a\np -> b\na -> j\nb -> j\n");
  ASSERT_TRUE(definition->FindStep("a")->concurrency.has_value());
  EXPECT_EQ(definition->FindStep("a")->concurrency->limit, 1u);
  EXPECT_EQ(definition->FindStep("a")->concurrency->key.source(),
            definition->FindStep("b")->concurrency->key.source());
}

TEST(Nodes, EveryFaultIsToldAtOnce) {
  EXPECT_EQ(FaultsOf("name: n\n"
                     "nodes:\n"
                     "- {id: a, node_type: SCRIPT}\n"
                     "- {id: l, node_type: LOOP, config: {condition: loop.index < 3}}\n"
                     "- {id: c, node_type: CONDITION, config: {condition: input.x}}\n"
                     "connections:\n"
                     "- {from: a, to: b}\n"
                     "- {from: a, to: c, connection_type: ZIGZAG}\n"),
            (Lines{"4:8 STL0102 Expected a LOOP connection from \"l\" into its body but found none",
                   "5:8 STL0102 Expected `true_path` or a CONDITIONAL_TRUE connection of \"c\" but "
                   "found none",
                   "7:17 STL0104 Expected the id or name of a node, perhaps \"a\", but found \"b\"",
                   "8:37 STL0107 Expected a connection type of \"SEQUENCE\", \"CONDITIONAL\", "
                   "\"CONDITIONAL_TRUE\", \"CONDITIONAL_FALSE\", \"PARALLEL\" or \"LOOP\" but "
                   "found \"ZIGZAG\""}));
  const Lines misspelt = FaultsOf("name: n\nnodes:\n- {id: a, node_type: SCRIPTT}\n");
  ASSERT_EQ(misspelt.size(), 1u);
  EXPECT_TRUE(misspelt[0].starts_with("3:22 STL0107 ")) << misspelt[0];
  EXPECT_TRUE(misspelt[0].ends_with("perhaps \"script\"")) << misspelt[0];
}

TEST(ProcessSteps, AServiceWithoutAUrlIsAWorkersType) {
  const auto definition = LoadNotation("order.json");
  EXPECT_EQ(definition->dialect, "process_steps");
  EXPECT_EQ(Shape(*definition),
            "validate_order OrderValidationService\npayment_check http\n"
            "validate_order -> payment_check\n");
  EXPECT_EQ(definition->FindStep("validate_order")->timeout_us, 30'000'000);
  ASSERT_EQ(definition->bodies[0].variables.size(), 3u);
  EXPECT_EQ(definition->bodies[0].variables[0].type, "string");
  EXPECT_TRUE(definition->bodies[0].variables[0].initial.is_null());
  EXPECT_EQ(definition->bodies[0].variables[2].type, "number");
}

TEST(ProcessSteps, AGatewayChooses) {
  const auto definition = LoadNotation("amount.json");
  EXPECT_EQ(Shape(*definition),
            "by_amount exclusive first\nmanager_approval manual\nauto_approve http\n"
            "by_amount -> manager_approval if ${amount > 1000}\n"
            "by_amount -> auto_approve if ${amount <= 1000}\n");
  EXPECT_EQ(Config(*definition, "auto_approve"),
            R"({"url":"https://approvals.example.com/approve","method":"POST",)"
            R"("body":"{{variables}}"})");
}

TEST(ProcessSteps, ParallelTasksMeetBehindTheirGateway) {
  EXPECT_EQ(Shape(*LoadNotation("checks.json")),
            "fork parallel\ninventory_check Inventory\ncredit_check Credit\nfraud_check Fraud\n"
            "ship end\nfork -> inventory_check\nfork -> credit_check\nfork -> fraud_check\n"
            "inventory_check -> ship\ncredit_check -> ship\nfraud_check -> ship\n");
}

TEST(ProcessSteps, AJoinConditionIsThatOfTheStepWhereTheTasksMeet) {
  const auto with = [](const std::string& condition) {
    const auto definition = LoadYaml(
        "name: n\nsteps:\n- {id: f, type: parallel_gateway, config: {parallel_tasks: [a, b], " +
        condition +
        "}}\n- {id: a, type: script_task, config: {script: x}, next: [j]}\n"
        "- {id: b, type: script_task, config: {script: x}, next: [j]}\n"
        "- {id: j, type: end_event}\n");
    return std::pair(definition->FindStep("j")->join, definition->FindStep("j")->join_count);
  };
  EXPECT_EQ(with("join_condition: all_complete"), std::pair(Join::kAll, 0u));
  EXPECT_EQ(with("join_condition: any_complete"), std::pair(Join::kAny, 0u));
  EXPECT_EQ(with("join_condition: 2_complete"), std::pair(Join::kNOfM, 2u));
  EXPECT_EQ(with("join_condition: n_complete, join_count: 1"), std::pair(Join::kNOfM, 1u));
}

TEST(ProcessSteps, ATimerNamesWhatItStarts) {
  EXPECT_EQ(Shape(*LoadNotation("escalation.json")),
            "late timer\nescalate_to_manager manual\nlate -> escalate_to_manager\n");
}

TEST(ProcessSteps, ATimerAtAStepIsRefusedWithWhatToWriteInstead) {
  EXPECT_EQ(FaultsOf("name: n\nsteps:\n- {id: ask, type: user_task, config: {assignee: m}}\n"
                     "- {id: late, type: timer_event, config: {duration: 2h, attached_to: ask}}\n"),
            Lines{"4:69 STL0102 Expected a timer in the flow but found one attached to a step; how "
                  "long a step may take is its `timeout`, and who is asked next about a task for "
                  "people its `escalation`"});
}

TEST(ProcessSteps, TwoWaysOfFollowingEachOtherContradict) {
  EXPECT_EQ(FaultsOf("name: n\nsteps:\n- {id: f, type: parallel_gateway, config: {parallel_tasks: "
                     "[a]}}\n- {id: a, type: script, config: {script: x}, depends_on: f}\n"),
            (Lines{"3:60 STL0102 Expected steps that follow each other by `next` and "
                   "`parallel_tasks`, or by `depends_on`, but found both"}));
}

TEST(OrderedTasks, AFlowTakesThemFromTheLibrary) {
  const auto definition = LoadNotation("development.json");
  EXPECT_EQ(definition->dialect, "ordered_tasks");
  EXPECT_EQ(definition->name, "feature development");
  EXPECT_EQ(definition->version, "1.0.0");
  EXPECT_EQ(Shape(*definition),
            "review of needs approval\ncoding manual\ntest script\n"
            "review of needs -> coding\ncoding -> test\n");
  EXPECT_EQ(Config(*definition, "test"), R"({"command":"make test"})");
}

TEST(OrderedTasks, TheFlowGoesRoundATaskThatIsSkipped) {
  const auto definition = LoadNotation("release.json");
  EXPECT_EQ(Shape(*definition),
            "review approval\nbuild.if inclusive\nbuild script\nannounce http\nrest manual\n"
            "build.if -> build if previous_task_result.status == 'approved'\n"
            "review -> build.if\n"
            "build.if -> announce default\nbuild.if -> rest default\n"
            "build -> announce\nbuild -> rest\n");
  EXPECT_TRUE(definition->FindStep("rest")->optional);
  EXPECT_FALSE(definition->FindStep("rest")->returnable);
}

TEST(OrderedTasks, EveryFaultIsToldAtOnce) {
  EXPECT_EQ(FaultsOf("name: n\n"
                     "tasks:\n"
                     "- {id: 1, name: a, task_type: automated, condition_config: {condition: "
                     "previous_task_result.ok}}\n"
                     "- {id: 2, name: b, task_type: manual}\n"
                     "flow:\n"
                     "  task_ids: [1, 3]\n"),
            (Lines{"3:72 STL0102 Expected a condition of \"a\" that asks for no earlier result, as "
                   "nothing is before it, but found \"previous_task_result.ok\"",
                   "6:14 STL0102 Expected either `command` or `webhook_url` or `url` in the "
                   "`config` of the automated task \"a\" but found neither",
                   "6:17 STL0104 Expected the id of a task in `tasks` but found 3"}));
}

// The same workflow by hand in each notation.
TEST(Notations, SayTheSame) {
  const auto processes = LoadYaml(
      "workflow:\n  id: same\n  processes:\n  - id: main\n    tasks:\n"
      "    - {id: a, type: script, inputs: {command: make}}\n"
      "    - {id: b, type: http, inputs: {url: 'https://x', method: POST}}\n"
      "    - {id: c, type: manual}\n");
  const std::string texts[] = {
      "name: same\nsteps:\n- {id: a, type: script, config: {command: make}}\n"
      "- {id: b, type: http, depends_on: a, config: {url: 'https://x', method: POST}}\n"
      "- {id: c, type: manual, depends_on: b}\n",
      "name: same\nnodes:\n- {id: a, node_type: SCRIPT, config: {command: make}}\n"
      "- {id: b, node_type: API_CALL, config: {url: 'https://x', method: POST}}\n"
      "- {id: c, node_type: MANUAL}\nconnections:\n- {from: a, to: b}\n- {from: b, to: c}\n",
      "name: same\nsteps:\n- {id: a, type: script_task, config: {command: make}, next: [b]}\n"
      "- {id: b, type: service_task, config: {endpoint: 'https://x', method: POST}, next: [c]}\n"
      "- {id: c, type: user_task}\n",
      "name: same\ntasks:\n- {name: a, task_type: automated, config: {command: make}}\n"
      "- {name: b, task_type: automated, config: {webhook_url: 'https://x'}}\n"
      "- {name: c, task_type: manual}\n"};
  const Portrait portrait = PortraitOf(*processes);
  for (const std::string& text : texts)
    EXPECT_TRUE(SamePortrait(portrait, PortraitOf(*LoadYaml(text)))) << text;
}

TEST(Notations, FilesBeyondTheLimitsAreRefusedBeforeTheyCostAnything) {
  std::string tasks =
      "name: n\nsteps:\n- {id: f, type: parallel_gateway, config: {parallel_tasks: [";
  std::string nodes = "name: n\nnodes: [{id: a, node_type: END}]\nconnections: [";
  std::string ids = "name: n\ntasks: [{id: 1, name: a, task_type: manual}]\ntask_ids: [";
  for (int i = 0; i < 30'000; ++i) {
    tasks += "a,";
    nodes += "{from: a, to: a},";
    ids += "1,";
  }
  for (const std::string& text :
       {tasks + "a]}}\n- {id: a, type: end_event}\n", nodes + "]\n", ids + "1]\n"}) {
    const Lines faults = FaultsOf(text);
    ASSERT_FALSE(faults.empty());
    EXPECT_NE(faults[0].find("STL0002 Expected at most"), std::string::npos) << faults[0];
  }
}

// Damaged files give faults or definitions that can be written again, never a crash. The damage is
// deterministic (a linear congruential generator).
TEST(Notations, DamagedFilesGiveFaultsOrDefinitions) {
  uint64_t state = 5;
  const auto below = [&](size_t n) {
    state = state * 6364136223846793005u + 1442695040888963407u;
    return static_cast<size_t>((state >> 33) % n);
  };
  for (const char* name :
       {"login.json", "repeat.json", "score.json", "amount.json", "checks.json", "release.json"}) {
    std::ifstream file(std::string(STELE_SOURCE_DIR "/tests/engine/definition/notations/") + name);
    std::ostringstream whole;
    whole << file.rdbuf();
    for (int i = 0; i < 300; ++i) {
      std::string text = whole.str();
      for (size_t n = 1 + below(3); n > 0; --n) {
        const size_t at = below(text.size());
        if (below(2) == 0)
          text[at] = "\n :,[]{}\"a0"[below(11)];
        else
          text.insert(at, text.substr(below(text.size()), below(40)));
      }
      const LoadResult result = Load(text, i % 2 == 0 ? Syntax::kJson : Syntax::kYaml, "damaged");
      if (!result) {
        EXPECT_FALSE(result.error().empty());
        continue;
      }
      const LoadResult again = Load(WriteCanonical(**result), Syntax::kJson, "damaged");
      ASSERT_TRUE(again) << FormatFault("canonical", again.error()[0]) << "\n" << text;
      EXPECT_TRUE(SamePortrait(PortraitOf(**result), PortraitOf(**again))) << text;
    }
  }
}

// Every example of docs/notations.md, in the order of the page.
TEST(Notations, TheExamplesOfThePageLoad) {
  std::ifstream file(STELE_SOURCE_DIR "/docs/notations.md");
  ASSERT_TRUE(file);
  Lines dialects;
  std::string line, text;
  const auto finish = [&] {
    if (text.starts_with("name:") || text.starts_with("workflow:")) {
      const LoadResult loaded = Load(text, Syntax::kYaml, "page");
      dialects.push_back(loaded ? (*loaded)->dialect : FormatFault("page", loaded.error()[0]));
    }
    text.clear();
  };
  while (std::getline(file, line)) {
    if (line.starts_with("    "))
      text += line.substr(4) + "\n";
    else
      finish();
  }
  finish();
  EXPECT_EQ(dialects, (Lines{"processes", "steps", "nodes", "process_steps", "ordered_tasks"}));
}

TEST(Notations, DrawingsSurvive) {
  const auto definition = LoadNotation("graphical.yml");
  EXPECT_EQ(ToJson(definition->FindStep("a")->extra),
            R"({"position":{"x":10,"y":20},"size":{"width":80,"height":40},"label":"A",)"
            R"("style":{"color":"red"},"data":{"k":[1,2.5,null]}})");
  EXPECT_NE(definition->extra.Find("graph"), nullptr);
  EXPECT_NE(definition->extra.Find("styling"), nullptr);
}

}  // namespace
}  // namespace stele::definition::testing
